/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_XEN_PAGE_H
#define KSHIM_XEN_PAGE_H

#define XEN_PAGE_SHIFT	12
#define XEN_PAGE_SIZE	(1UL << XEN_PAGE_SHIFT)

#define xen_offset_in_page(ptr)	((unsigned long)(ptr) & (XEN_PAGE_SIZE - 1))

/* So a frame's memory is found again: see gnttab_batch_copy() in fake.c. */
static inline unsigned long virt_to_gfn(const void *ptr)
{
	return (unsigned long)ptr >> XEN_PAGE_SHIFT;
}

#endif /* KSHIM_XEN_PAGE_H */
