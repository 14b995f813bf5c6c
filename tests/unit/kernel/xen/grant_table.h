/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations are those of Xen's own public header. */
#ifndef KSHIM_XEN_GRANT_TABLE_H
#define KSHIM_XEN_GRANT_TABLE_H

#include <linux/kernel.h>
#include <linux/slab.h>
#include <xen/page.h>
#include_next <xen/grant_table.h>

#define INVALID_GRANT_HANDLE	((grant_handle_t)-1)

static inline void gnttab_set_map_op(struct gnttab_map_grant_ref *op,
				     phys_addr_t addr, u32 flags,
				     grant_ref_t ref, domid_t domid)
{
	op->host_addr = addr;
	op->flags = flags;
	op->ref = ref;
	op->dom = domid;
	op->status = 1;
}

static inline void gnttab_set_unmap_op(struct gnttab_unmap_grant_ref *op,
				       phys_addr_t addr, u32 flags,
				       grant_handle_t handle)
{
	op->host_addr = addr;
	op->dev_bus_addr = 0;
	op->handle = handle;
}

struct xen_page_foreign {
	domid_t domid;
	grant_ref_t gref;
};

bool PageForeign(const struct page *page);
void ClearPageForeign(struct page *page);
struct xen_page_foreign *xen_page_foreign(struct page *page);
int gnttab_alloc_pages(int nr, struct page **pages);
void gnttab_free_pages(int nr, struct page **pages);
int gnttab_map_refs(struct gnttab_map_grant_ref *ops,
		    struct gnttab_map_grant_ref *kmap_ops, struct page **pages,
		    unsigned int nr);
int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *ops,
		      struct gnttab_unmap_grant_ref *kunmap_ops,
		      struct page **pages, unsigned int nr);
void gnttab_batch_copy(struct gnttab_copy *ops, unsigned int nr);

#endif /* KSHIM_XEN_GRANT_TABLE_H */
