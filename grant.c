// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's pages: mapping and unmapping of grants, in batches.
 *
 * All of it runs in the ring's thread, or before it has started or after it
 * has ended. A request owns exactly the grants whose handle it records: that
 * set, no more and no less, is unmapped (XSA-365).
 */
#include <linux/slab.h>

#include "grant.h"

/* Pages are taken from Xen so many at a time. */
#define POOL_GROWTH	32

/**
 * xenvbd_grants_init - prepare a ring for mapping grants
 * @ring: its slots must be known
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int xenvbd_grants_init(struct xenvbd_ring *ring)
{
	static_assert(sizeof(*ring->batch.map) >= sizeof(*ring->batch.unmap));

	ring->max_pages = ring->sring.nr_ents * XENVBD_INLINE_SEGS;
	ring->pool = kvcalloc(ring->max_pages, sizeof(*ring->pool), GFP_KERNEL);
	ring->batch.ops = kvcalloc(XENVBD_BATCH_GRANTS, sizeof(*ring->batch.map), GFP_KERNEL);
	ring->batch_page = kcalloc(XENVBD_BATCH_GRANTS, sizeof(*ring->batch_page), GFP_KERNEL);

	/* Whatever is missing, xenvbd_grants_exit() copes. */
	return ring->pool && ring->batch.ops && ring->batch_page ? 0 : -ENOMEM;
}

/**
 * xenvbd_grants_exit - undo xenvbd_grants_init()
 * @ring: nothing of it may be mapped any more
 *
 * Context: process.
 */
void xenvbd_grants_exit(struct xenvbd_ring *ring)
{
	if (ring->nr_pool)
		gnttab_free_pages(ring->nr_pool, ring->pool);
	ring->nr_pool = 0;
	kvfree(ring->pool);
	kvfree(ring->batch.ops);
	kfree(ring->batch_page);
	ring->pool = NULL;
	ring->batch.ops = NULL;
	ring->batch_page = NULL;
}

/**
 * xenvbd_grants_reserve - make sure that a request can be mapped
 * @ring: the ring
 * @nr: number of its segments, at most
 *
 * Context: process, may allocate.
 * Return: false if the batch is full or no pages are to be had now.
 */
bool xenvbd_grants_reserve(struct xenvbd_ring *ring, unsigned int nr)
{
	u32 want;

	if (ring->nr_batch + nr > XENVBD_BATCH_GRANTS)
		return false;
	if (ring->nr_pool >= nr)
		return true;

	want = min_t(u32, POOL_GROWTH, ring->max_pages - ring->nr_pages);
	if (!want || gnttab_alloc_pages(want, ring->pool + ring->nr_pool)) {
		ring->starved = true;
		return false;
	}
	ring->nr_pool += want;
	ring->nr_pages += want;
	return ring->nr_pool >= nr;
}

/**
 * xenvbd_grants_add - put a request's segments into the batch
 * @ring: the ring; xenvbd_grants_reserve() has made room
 * @req: gets its pages and vectors
 * @cmd: checked command
 */
void xenvbd_grants_add(struct xenvbd_ring *ring, struct xenvbd_req *req,
		       const struct xenvbd_cmd *cmd)
{
	/* Only a read from the disk writes to the guest's page. */
	u32 flags = GNTMAP_host_map | (cmd->op == BLKIF_OP_READ ? 0 : GNTMAP_readonly);
	unsigned int i;

	for (i = 0; i < cmd->nr_segs; i++) {
		const struct xenvbd_seg *seg = &cmd->seg[i];
		struct page *page = ring->pool[--ring->nr_pool];
		u32 op = ring->nr_batch++;

		bvec_set_page(&req->bvec[i], page,
			      (seg->last_sect - seg->first_sect + 1) << SECTOR_SHIFT,
			      seg->first_sect << SECTOR_SHIFT);
		gnttab_set_map_op(&ring->batch.map[op], (unsigned long)page_address(page),
				  flags, seg->gref, ring->domid);
		ring->batch.map[op].status = GNTST_general_error;
		ring->batch_page[op] = page;
	}
}

/**
 * xenvbd_grants_map - map the batch
 * @ring: the ring
 * @reqs: the requests of the batch, in the order they were added
 *
 * One hypercall, whatever the number of requests. A request of which any
 * segment could not be mapped gets an error status; those of its segments
 * that could are its own all the same.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_grants_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct gnttab_map_grant_ref *op = ring->batch.map;
	struct xenvbd_req *req;
	unsigned int i;

	if (ring->nr_batch) {
		/* Each operation has a status of its own; the sum says nothing more. */
		if (gnttab_map_refs(ring->batch.map, NULL, ring->batch_page, ring->nr_batch))
			pr_debug("%s: mapping of grants failed\n", ring->name);
		xenvbd_stat_add(&ring->stats.map_ops, ring->nr_batch);
		xenvbd_stat_inc(&ring->stats.map_calls);
	}

	for (req = reqs; req; req = req->next) {
		for (i = 0; i < req->nr_segs; i++, op++) {
			if (likely(op->status == GNTST_okay)) {
				req->handle[i] = op->handle;
			} else {
				req->handle[i] = INVALID_GRANT_HANDLE;
				req->status = BLK_STS_IOERR;
			}
		}
	}
	ring->nr_batch = 0;
}

/**
 * xenvbd_grants_held - does somebody below still use a request's pages?
 * @req: completed request
 *
 * A network driver may keep pages of a finished write for a retransmission.
 * They must not be taken away from under it.
 *
 * Return: true if so.
 */
bool xenvbd_grants_held(const struct xenvbd_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		if (unlikely(page_count(req->bvec[i].bv_page) > 1))
			return true;
	return false;
}

/* Unmap the batch and give its pages back to the pool. */
static void unmap_batch(struct xenvbd_ring *ring)
{
	unsigned int i;

	if (!ring->nr_batch)
		return;

	if (gnttab_unmap_refs(ring->batch.unmap, NULL, ring->batch_page, ring->nr_batch))
		pr_debug("%s: unmapping of grants failed\n", ring->name);
	xenvbd_stat_inc(&ring->stats.unmap_calls);

	for (i = 0; i < ring->nr_batch; i++) {
		/*
		 * Cannot happen, as each handle is ours and given back once.
		 * If it does, the page still shows the guest's memory: better
		 * to lose it than to use it for anything else.
		 */
		if (unlikely(ring->batch.unmap[i].status != GNTST_okay)) {
			pr_err_ratelimited("%s: unmapping handle %u: status %d, page lost\n",
					   ring->name, ring->batch.unmap[i].handle,
					   ring->batch.unmap[i].status);
			ring->nr_pages--;
			continue;
		}
		ring->pool[ring->nr_pool++] = ring->batch_page[i];
	}
	ring->nr_batch = 0;
}

static void release_seg(struct xenvbd_ring *ring, struct xenvbd_req *req, unsigned int i)
{
	struct page *page = req->bvec[i].bv_page;
	u32 op;

	if (unlikely(req->handle[i] == INVALID_GRANT_HANDLE)) {
		ring->pool[ring->nr_pool++] = page;
		return;
	}

	if (ring->nr_batch == XENVBD_BATCH_GRANTS)
		unmap_batch(ring);
	op = ring->nr_batch++;
	gnttab_set_unmap_op(&ring->batch.unmap[op], (unsigned long)page_address(page),
			    GNTMAP_host_map, req->handle[i]);
	ring->batch.unmap[op].status = GNTST_general_error;
	ring->batch_page[op] = page;
	req->handle[i] = INVALID_GRANT_HANDLE;
}

/**
 * xenvbd_grants_release - unmap all segments of a list of requests
 * @ring: the ring
 * @reqs: the requests, linked by their next member
 *
 * When it returns nothing of them is mapped, so that the responses may be
 * shown: a frontend takes it ill if its pages are still in use then (XSA-396).
 *
 * Context: process.
 */
void xenvbd_grants_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *req;
	unsigned int i;

	for (req = reqs; req; req = req->next)
		for (i = 0; i < req->nr_segs; i++)
			release_seg(ring, req, i);
	unmap_batch(ring);
}
