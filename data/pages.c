// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's pages: by which method a request gets at them, and how they are
 * released.
 *
 * A segment is backed by a mapping of its own, whose handle the request
 * records; by a persistent grant, which the ring owns; or by a page of ours,
 * see copy.c. What is unmapped is that set of handles, no more and no less
 * (XSA-365).
 *
 * All of it is done by the owner of the ring, or before the thread has started or
 * after it has ended. A completion that owns the ring neither maps nor unmaps.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "common.h"
#include "data/param.h"
#include "trace.h"

/* If memory is short, persistent grants unused for so long are unmapped. */
#define SQUEEZE_JIFFIES		HZ
/* If no map handle is left, all is copied for so long. */
#define SHORTAGE_JIFFIES	HZ

static unsigned int max_buffer_pages = 1024;
module_param_cb(max_buffer_pages, &xenvbd_param_count_ops, &max_buffer_pages,
		0644);
MODULE_PARM_DESC(max_buffer_pages,
		 "Pages an idle ring keeps to map grants to. Default 1024");

/* ---- life --------------------------------------------------------------- */

/**
 * xenvbd_pages_init - prepare a ring for the guest's pages
 * @ring: attached
 * @nr_rings: of the vbd, which share the pages it may have
 * @persistent: the frontend has agreed to persistent grants
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_pages_exit() is due in either case.
 */
int xenvbd_pages_init(struct xenvbd_ring *ring, unsigned int nr_rings,
		      bool persistent)
{
	struct xenvbd_pages *pages = &ring->pages;

	INIT_LIST_HEAD(&pages->persistent.lru);
	pages->pool.max_pages = min_t(u32, XENVBD_MAX_VBD_PAGES / nr_rings,
				      XENVBD_MAX_POOL_PAGES);
	xenvbd_batch_init(&pages->batch);
	pages->copy.share = xenvbd_share_get(ring->domid);
	if (!pages->batch.ops || !pages->copy.share)
		return -ENOMEM;
	return persistent ? xenvbd_persistent_init(&pages->persistent,
						   ring->sring.nr_ents) :
			    0;
}

/*
 * Undo xenvbd_pages_init(), which need not have been called. No request is in
 * flight. Waits for those below who use a page.
 */
void xenvbd_pages_exit(struct xenvbd_ring *ring)
{
	struct xenvbd_pages *pages = &ring->pages;

	xenvbd_persistent_exit(ring);
	xenvbd_batch_pool_shrink(&pages->pool, 0);
	xenvbd_copy_free(&pages->copy);
	xenvbd_share_put(pages->copy.share);
	kvfree(pages->pool.free);
	vfree(pages->batch.ops);
}

static bool pages_persist(const struct xenvbd_ring *ring)
{
	return xenvbd_policy_persists(READ_ONCE(ring->vbd->tunables.policy));
}

/* Give back what an idle ring has long not used. Return when to come again. */
long xenvbd_pages_trim(struct xenvbd_ring *ring)
{
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (ring->pages.persistent.nr)
		timeout = xenvbd_persistent_trim(ring, pages_persist(ring));
	xenvbd_batch_pool_shrink(&ring->pages.pool, READ_ONCE(max_buffer_pages));
	return min(timeout, xenvbd_copy_trim(&ring->pages.copy));
}

/* The ring was kicked: memory may be short, or the policy have changed. */
void xenvbd_pages_kicked(struct xenvbd_ring *ring)
{
	struct xenvbd_pages *pages = &ring->pages;

	if (pages->persistent.nr && !pages_persist(ring))
		xenvbd_persistent_expire(ring, 0);
	if (!READ_ONCE(ring->wake.squeeze))
		return;
	WRITE_ONCE(ring->wake.squeeze, false);
	xenvbd_persistent_expire(ring, SQUEEZE_JIFFIES);
	xenvbd_batch_pool_shrink(&pages->pool, 0);
	xenvbd_copy_free(&pages->copy);
	xenvbd_stat_inc(&ring->stats.squeezes);
}

/* ---- the method, and getting at the pages ------------------------------- */

/* Are map handles short? */
static bool pages_short(struct xenvbd_pages *pages)
{
	if (likely(!pages->short_until))
		return false;
	if (time_before(jiffies, pages->short_until))
		return true;
	pages->short_until = 0;
	return false;
}

/* Data that must not change while it is written must not be the guest's. */
static bool pages_must_copy(const struct xenvbd_ring *ring,
			    const struct xenvbd_req *req)
{
	return unlikely(ring->limits.stable_writes) && req->op != BLKIF_OP_READ;
}

static enum xenvbd_method pages_choose(struct xenvbd_ring *ring,
				       const struct xenvbd_req *req)
{
	bool persistent = ring->pages.persistent.hash;

	if (pages_must_copy(ring, req) || pages_short(&ring->pages))
		return XENVBD_METHOD_COPY;

	switch (READ_ONCE(ring->vbd->tunables.policy)) {
	case XENVBD_POLICY_MAP:
		return XENVBD_METHOD_MAP;
	case XENVBD_POLICY_COPY:
		return XENVBD_METHOD_COPY;
	case XENVBD_POLICY_PERSISTENT:
		return persistent ? XENVBD_METHOD_PERSISTENT :
				    XENVBD_METHOD_MAP;
	default:
		/* By measurement copying costs no more than mapping. */
		return persistent ? XENVBD_METHOD_PERSISTENT :
				    XENVBD_METHOD_COPY;
	}
}

/* Have pages to map a request to. */
static bool pages_reserve_map(struct xenvbd_ring *ring, unsigned int nr)
{
	struct xenvbd_pool *pool = &ring->pages.pool;

	if (likely(pool->nr_free >= nr) || xenvbd_batch_pool_grow(pool, nr))
		return true;
	xenvbd_stat_inc(&ring->stats.no_pages);
	return false;
}

/* What a request waits for that can neither be mapped nor copied. */
static const char *pages_lack(const struct xenvbd_pages *pages)
{
	if (pages->copy.no_memory)
		return XENVBD_NO_MEMORY;
	return pages->pool.short_until ? XENVBD_NO_PAGES : XENVBD_NO_SHARE;
}

/*
 * Choose a checked request's method, and secure what it needs. Where there are no
 * pages to copy to it is mapped, if it may be; where Xen has none to map to it is
 * copied, but not where the ring has all that it may have. False if the batch is full
 * or no pages are to be had now.
 */
bool xenvbd_pages_reserve(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	unsigned int nr = req->nr_segs;
	bool copied_first;

	req->method = pages_choose(ring, req);
	copied_first = req->method == XENVBD_METHOD_COPY;
	if (copied_first && xenvbd_copy_reserve(ring, nr))
		return true;
	if (!pages_must_copy(ring, req) && !pages_short(pages)) {
		if (pages->batch.nr + nr > XENVBD_BATCH_GRANTS)
			return false;
		if (copied_first)
			req->method = XENVBD_METHOD_MAP;
		if (likely(pages_reserve_map(ring, nr)))
			return true;
	}
	if (!copied_first && !pages_short(pages) && !pages->pool.short_until) {
		WRITE_ONCE(ring->starved, XENVBD_NO_SHARE);
		return false;
	}
	req->method = XENVBD_METHOD_COPY;
	if ((!copied_first && xenvbd_copy_reserve(ring, nr)) ||
	    xenvbd_copy_reserve_last(ring, nr))
		return true;
	WRITE_ONCE(ring->starved, pages_lack(pages));
	return false;
}

/* Give a request, which has reserved them, its pages or places in the batch. */
void xenvbd_pages_add(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	bool persistent = req->method == XENVBD_METHOD_PERSISTENT;
	/*
	 * Only a read from the disk writes to the guest's page; unless it is
	 * kept.
	 */
	u32 flags =
		GNTMAP_host_map |
		(req->op == BLKIF_OP_READ || persistent ? 0 : GNTMAP_readonly);
	unsigned int i;

	if (req->method == XENVBD_METHOD_COPY) {
		xenvbd_copy_add(ring, req);
		return;
	}
	for (i = 0; i < req->nr_segs; i++) {
		/* Writing the vector may overwrite the segment. */
		const struct xenvbd_seg seg = segs[i];
		struct xenvbd_pgrant *pgrant = NULL;
		struct page *page;

		if (persistent)
			pgrant = xenvbd_pgrant_get(&pages->persistent, seg.gref);
		if (pgrant) {
			page = pgrant->page;
		} else {
			page = xenvbd_pool_get(&pages->pool);
			xenvbd_batch_add_map(ring, page, flags, seg.gref);
		}
		req->pgrant[i] = pgrant;
		req->handle[i] = INVALID_GRANT_HANDLE;
		bvec_set_page(&req->bvec[i], page,
			      (seg.last_sect - seg.first_sect + 1)
				      << SECTOR_SHIFT,
			      seg.first_sect << SECTOR_SHIFT);
	}
}

/* What Xen says if it has no map handle left: older ones, and newer ones. */
static bool pages_no_handle(const struct gnttab_map_grant_ref *op)
{
	return unlikely(op->status == GNTST_no_device_space ||
			op->status == GNTST_no_space);
}

/* Take over the mapping of one segment. */
static void pages_mapped(struct xenvbd_pages *pages, struct xenvbd_req *req,
			 unsigned int i, const struct gnttab_map_grant_ref *op)
{
	if (unlikely(op->status != GNTST_okay)) {
		/* It was mapped for a moment if this domain had no memory for it. */
		ClearPageForeign(req->bvec[i].bv_page);
		if (!pages_no_handle(op))
			req->status = BLK_STS_IOERR;
		else if (req->status == BLK_STS_OK)
			req->status = BLK_STS_RESOURCE;
		return;
	}
	if (req->method == XENVBD_METHOD_PERSISTENT)
		req->pgrant[i] = xenvbd_pgrant_add(pages, op, req->bvec[i].bv_page);
	if (req->pgrant[i])
		return;
	/* It will have to be unmapped. */
	req->method = XENVBD_METHOD_MAP;
	req->handle[i] = op->handle;
}

/* Of the segments that are not mapped the batch alone still knows the grants. */
static void pages_note_grefs(const struct xenvbd_batch *batch,
			     struct xenvbd_req *reqs)
{
	struct xenvbd_req *req;
	unsigned int i;
	u32 op = 0;

	for (req = reqs; req; req = req->next) {
		if (req->method == XENVBD_METHOD_COPY)
			continue;
		for (i = 0; i < req->nr_segs; i++) {
			if (op == batch->nr ||
			    batch->page[op] != req->bvec[i].bv_page)
				continue;
			if (req->status == BLK_STS_RESOURCE &&
			    batch->map[op].status != GNTST_okay)
				req->gref[i] = batch->map[op].ref;
			op++;
		}
	}
}

/* Let go of what one segment has, and return its grant. */
static grant_ref_t pages_undo_seg(struct xenvbd_ring *ring,
				  struct xenvbd_req *req, unsigned int i)
{
	struct xenvbd_pgrant *pgrant = req->pgrant[i];
	struct page *page = req->bvec[i].bv_page;
	grant_ref_t gref;

	if (pgrant) {
		gref = pgrant->gref;
		xenvbd_pgrant_put(&ring->pages.persistent, pgrant);
	} else if (PageForeign(page)) {
		gref = xen_page_foreign(page)->gref;
		xenvbd_batch_add_unmap(ring, page, req->handle[i]);
	} else {
		gref = req->gref[i];
		xenvbd_pool_put(&ring->pages.pool, page);
	}
	return gref;
}

/* Give a request its segments back, as they were before xenvbd_pages_add(). */
static void pages_undo(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_seg *segs = xenvbd_req_segs(req);
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		req->gref[i] = pages_undo_seg(ring, req, i);
	/* Backwards: a segment overwrites only its own vector, or later ones. */
	while (i--) {
		const struct bio_vec bvec = req->bvec[i];

		segs[i] = (struct xenvbd_seg) {
			.gref = req->gref[i],
			.first_sect = bvec.bv_offset >> SECTOR_SHIFT,
			.last_sect = ((bvec.bv_offset + bvec.bv_len) >>
				      SECTOR_SHIFT) - 1,
		};
	}
}

/*
 * The hypervisor has one table of mappings for this whole domain, and any guest can
 * use it up. That is not the fault of this one: for a while its data is copied. The
 * persistent grants that it has not used lately are given back.
 */
static void pages_ran_out(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_pages *pages = &ring->pages;
	struct xenvbd_req *req;

	/* Never 0, which means that there are enough. */
	pages->short_until = (jiffies + SHORTAGE_JIFFIES) | 1;
	pages_note_grefs(&pages->batch, reqs);
	/* From here on it unmaps. */
	pages->batch.nr = 0;
	for (req = reqs; req; req = req->next)
		if (req->status == BLK_STS_RESOURCE)
			pages_undo(ring, req);
	xenvbd_batch_unmap(ring);
	xenvbd_persistent_expire(ring, SQUEEZE_JIFFIES);
}

/*
 * One hypercall, whatever the number of requests. A request of which any
 * segment could not be mapped gets an error status; those of its segments
 * that could are its own all the same. False as xenvbd_pages_map().
 */
static bool pages_map_batch(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	const struct gnttab_map_grant_ref *op = batch->map;
	struct xenvbd_req *req;
	bool all = true;
	unsigned int i;

	trace_xenvbd_map(ring, batch->nr);
	if (gnttab_map_refs(batch->map, NULL, batch->page, batch->nr))
		pr_debug("%s: mapping of grants failed\n", ring->name);
	xenvbd_stat_add(&ring->stats.map_ops, batch->nr);
	xenvbd_stat_inc(&ring->stats.map_calls);

	for (req = reqs; req; req = req->next) {
		if (req->method == XENVBD_METHOD_COPY)
			continue;
		for (i = 0; i < req->nr_segs; i++) {
			if (req->pgrant[i])
				continue;
			all &= !pages_no_handle(op);
			pages_mapped(&ring->pages, req, i, op++);
		}
	}
	if (unlikely(!all))
		pages_ran_out(ring, reqs);
	batch->nr = 0;
	return all;
}

/*
 * Map the batch, and fetch the data of requests that copy: @reqs, in the order
 * they were added. A request of which anything fails gets an error status.
 * Sleeps while a page of the guest is paged out.
 *
 * False if the hypervisor could not map some for want of handles. These have the
 * status BLK_STS_RESOURCE, and are as they were before xenvbd_pages_reserve().
 */
bool xenvbd_pages_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	bool all = true;

	if (ring->pages.batch.nr)
		all = pages_map_batch(ring, reqs);
	if (ring->pages.copy.nr_reqs)
		xenvbd_copy_in(ring, reqs);
	return all;
}

/* ---- letting the pages go ----------------------------------------------- */

/*
 * Does somebody below still use a completed request's pages? A network driver
 * may keep those of a write for a retransmission. They must not be taken away
 * from under it.
 */
bool xenvbd_pages_held(const struct xenvbd_req *req)
{
	unsigned int i;

	if (req->method != XENVBD_METHOD_MAP)
		return false;
	for (i = 0; i < req->nr_segs; i++)
		if (!req->pgrant[i] &&
		    unlikely(page_count(req->bvec[i].bv_page) > 1))
			return true;
	return false;
}

static void pages_release(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	unsigned int i;

	if (req->method == XENVBD_METHOD_COPY) {
		xenvbd_copy_release(&pages->copy, req);
		return;
	}

	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->bvec[i].bv_page;

		if (req->pgrant[i])
			xenvbd_pgrant_put(&pages->persistent, req->pgrant[i]);
		else if (likely(req->handle[i] != INVALID_GRANT_HANDLE))
			xenvbd_batch_add_unmap(ring, page, req->handle[i]);
		else
			xenvbd_pool_put(&pages->pool, page);
	}
}

/*
 * Let go of the pages of completed requests, of which the guest has the data. Then
 * nothing of them is mapped but what the frontend has agreed to, and the responses
 * may be shown: a frontend takes it ill if its pages are still in use when it sees
 * them (XSA-396).
 */
void xenvbd_pages_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *req;

	for (req = reqs; req; req = req->next) {
		pages_release(ring, req);
		xenvbd_req_shrink(req);
	}
	xenvbd_batch_unmap(ring);
}
