/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_HIGHMEM_H
#define KSHIM_LINUX_HIGHMEM_H

#include <linux/slab.h>

void memcpy_page(struct page *dst_page, size_t dst_off, struct page *src_page,
		 size_t src_off, size_t len);

#endif /* KSHIM_LINUX_HIGHMEM_H */
