// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants mapped and unmapped in batches, one hypercall for each; and the pages that
 * they are mapped to.
 *
 * All of it is done by the thread, or before it has started or after it has ended.
 * A completion that owns the ring neither maps nor unmaps.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "common.h"
#include "trace.h"

/* Pages are taken from Xen so many at a time. */
#define POOL_GROWTH		32
/* And if it has none it is asked again after so long. */
#define POOL_RETRY_JIFFIES	HZ

/* ---- pages to map to ---------------------------------------------------- */

static bool batch_make_room(struct xenvbd_pool *pool, u32 size)
{
	struct page **free;

	if (size <= pool->size)
		return true;
	free = kvmalloc_array(size, sizeof(*free), GFP_NOIO | __GFP_NOWARN);
	if (!free)
		return false;
	memcpy(free, pool->free, pool->nr_free * sizeof(*free));
	kvfree(pool->free);
	pool->free = free;
	pool->size = size;
	return true;
}

static bool batch_alloc(struct xenvbd_pool *pool, u32 nr)
{
	if (!batch_make_room(pool, roundup_pow_of_two(pool->nr_pages + nr)) ||
	    gnttab_alloc_pages(nr, pool->free + pool->nr_free))
		return false;
	pool->nr_free += nr;
	pool->nr_pages += nr;
	pool->short_until = 0;
	return true;
}

/*
 * Have @nr pages free, which are not yet. False if there are none, or the ring has
 * its share. Where Xen has none each attempt takes time, and may be logged: so for a
 * while there is no further one.
 */
bool xenvbd_batch_pool_grow(struct xenvbd_pool *pool, u32 nr)
{
	u32 room = pool->max_pages - pool->nr_pages;
	u32 need = nr - pool->nr_free;
	u32 want = min_t(u32, max_t(u32, need, POOL_GROWTH), room);

	if (need > room ||
	    (pool->short_until && time_before(jiffies, pool->short_until)))
		return false;
	if (batch_alloc(pool, want) || (want > need && batch_alloc(pool, need)))
		return true;
	/* Never 0. */
	pool->short_until = (jiffies + POOL_RETRY_JIFFIES) | 1;
	return false;
}

/* Give free pages back to Xen, but for @keep of them. */
void xenvbd_batch_pool_shrink(struct xenvbd_pool *pool, u32 keep)
{
	u32 nr;

	if (pool->nr_free <= keep)
		return;
	nr = pool->nr_free - keep;
	gnttab_free_pages(nr, pool->free + keep);
	pool->nr_free -= nr;
	pool->nr_pages -= nr;
}

/* ---- the batch ---------------------------------------------------------- */

/* The memory of a batch; batch->ops is NULL if there is none. */
void xenvbd_batch_init(struct xenvbd_batch *batch)
{
	static_assert(sizeof(*batch->map) >= sizeof(*batch->unmap));
	static_assert(sizeof(*batch->copy) >= sizeof(*batch->map));

	/* One piece, which fills its pages. */
	batch->ops = vcalloc(XENVBD_BATCH_GRANTS,
			     sizeof(*batch->copy) + sizeof(*batch->page));
	batch->page = (struct page **)(batch->copy + XENVBD_BATCH_GRANTS);
}

/* Unmap what is in the batch. */
void xenvbd_batch_unmap(struct xenvbd_ring *ring)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	const struct gnttab_unmap_grant_ref *op;
	u32 i;

	if (!batch->nr)
		return;

	trace_xenvbd_unmap(ring, batch->nr);
	/* Each operation has a status of its own; the sum says nothing more. */
	if (gnttab_unmap_refs(batch->unmap, NULL, batch->page, batch->nr))
		pr_debug("%s: unmapping of grants failed\n", ring->name);
	xenvbd_stat_inc(&ring->stats.unmap_calls);

	for (i = 0; i < batch->nr; i++) {
		op = &batch->unmap[i];
		/*
		 * Cannot happen, as each handle is ours and given back once.
		 * If it does, the page still shows the guest's memory: better
		 * to lose it than to use it for anything else.
		 */
		if (unlikely(op->status != GNTST_okay)) {
			pr_err_ratelimited("%s: unmapping handle %u: status %d, page lost\n",
					   ring->name, op->handle, op->status);
			ring->pages.pool.nr_pages--;
			continue;
		}
		xenvbd_pool_put(&ring->pages.pool, batch->page[i]);
	}
	batch->nr = 0;
}

/* Unmap @page with the others of the batch; those that are in it if it is full. */
void xenvbd_batch_add_unmap(struct xenvbd_ring *ring, struct page *page,
			    grant_handle_t handle)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	u32 op;

	if (batch->nr == XENVBD_BATCH_GRANTS)
		xenvbd_batch_unmap(ring);
	op = xenvbd_batch_add(batch, XENVBD_BATCH_UNMAP);
	gnttab_set_unmap_op(&batch->unmap[op],
			    (unsigned long)page_address(page), GNTMAP_host_map,
			    handle);
	batch->unmap[op].status = GNTST_general_error;
	batch->page[op] = page;
}

/* Map a grant with the others of the batch, which is not full. */
void xenvbd_batch_add_map(struct xenvbd_ring *ring, struct page *page,
			  u32 flags, grant_ref_t gref)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	u32 op = xenvbd_batch_add(batch, XENVBD_BATCH_MAP);

	gnttab_set_map_op(&batch->map[op], (unsigned long)page_address(page),
			  flags, gref, ring->domid);
	batch->map[op].status = GNTST_general_error;
	batch->page[op] = page;
}
