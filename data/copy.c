// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hypervisor copies from or to the guest, to or from memory of our own.
 * A segment of data has the same offset in its page on both sides, so that an
 * operation never crosses the end of either page.
 *
 * All of it is done by the owner of the ring, or after the thread has ended.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/xen/hypercall.h>
#include <xen/page.h>

#include "common.h"
#include "data/reserve.h"
#include "trace.h"

/*
 * A ring's pages, in use or not: as many as a ring of one page takes that is full
 * of requests of 32 segments, which is what most frontends send.
 */
#define MAX_PAGES	1024
/* With many rings fewer: a fourth of the pages that a ring may map to. */
#define PAGES_SHARE	4
/* How long unused ones are kept. */
#define UNUSED_JIFFIES	HZ

static_assert(MAX_PAGES >= XENVBD_MAX_SEGS);
static_assert(XENVBD_MAX_VBD_PAGES / XENVBD_MAX_RINGS / PAGES_SHARE >=
	      XENVBD_MAX_SEGS);

static u32 copy_max_pages(const struct xenvbd_pages *pages)
{
	return min_t(u32, MAX_PAGES, pages->pool.max_pages / PAGES_SHARE);
}

/*
 * Get @nr more pages, or as many as there are. When the domain has its share, each
 * ring may still have one request at a time that copies, so that it goes on. Nobody
 * is charged for that one: a domain with many rings would have what others may.
 */
static void copy_grow(struct xenvbd_pages *pages, u32 nr)
{
	struct xenvbd_copy *copy = &pages->copy;
	u32 room = xenvbd_share_room(copy->share);
	struct page *page;
	u32 got;

	copy->no_memory = false;
	nr = min(nr, copy_max_pages(pages) - copy->nr_pages);
	/* What does not suffice for the request is of use to others. */
	if (copy->nr_reqs && nr > room)
		return;
	for (got = 0; got < nr; got++) {
		page = alloc_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO);
		if (!page)
			break;
		copy->free[copy->nr_free++] = page;
	}
	copy->no_memory = got < nr;
	room = min(got, room);
	xenvbd_share_charge(copy->share, room);
	copy->nr_pages += got;
	copy->nr_extra += got - room;
}

/* The ring has let so many pages go, which are not among the free ones any more. */
static void copy_uncharge(struct xenvbd_copy *copy, u32 nr)
{
	u32 extra = min(nr, copy->nr_extra);

	copy->nr_pages -= nr;
	copy->nr_extra -= extra;
	xenvbd_share_uncharge(copy->share, nr - extra);
}

/* Give back so many of the free ones. */
static void copy_shrink(struct xenvbd_copy *copy, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		xenvbd_reserve_put(copy->free[--copy->nr_free]);
	copy_uncharge(copy, nr);
}

/*
 * One hypercall; the callers look at the statuses. A caller that may sleep waits for
 * pages of the guest that are paged out. Otherwise their status is GNTST_eagain. The
 * grant table code leaves no third choice, see Documentation/upstream.rst.
 */
static void copy_call(struct xenvbd_ring *ring, bool may_sleep)
{
	struct xenvbd_batch *batch = &ring->pages.batch;

	trace_xenvbd_copy(ring, batch->nr);
	if (may_sleep)
		gnttab_batch_copy(batch->copy, batch->nr);
	else if (HYPERVISOR_grant_table_op(GNTTABOP_copy, batch->copy,
					   batch->nr))
		pr_debug("%s: copying of grants failed\n", ring->name);
	xenvbd_stat_inc(&ring->stats.copy_calls);
}

/* ---- segments of INDIRECT requests --------------------------------------- */

/**
 * xenvbd_copy_add_fetch - put a descriptor page into the batch
 * @ring: the ring
 * @req: enlarged
 *
 * Return: false if the batch is full.
 */
bool xenvbd_copy_add_fetch(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_seg *segs = xenvbd_req_segs(req);
	struct xenvbd_batch *batch = &ring->pages.batch;
	struct gnttab_copy *op;

	if (batch->nr == XENVBD_BATCH_GRANTS)
		return false;
	op = &batch->copy[xenvbd_batch_add(batch, XENVBD_BATCH_FETCH)];
	*op = (struct gnttab_copy) {
		.source.u.ref = req->desc_gref,
		.source.domid = ring->domid,
		.dest.u.gmfn = virt_to_gfn(segs),
		.dest.domid = DOMID_SELF,
		.dest.offset = xen_offset_in_page(segs),
		.len = req->nr_segs * sizeof(*segs),
		.flags = GNTCOPY_source_gref,
		.status = GNTST_general_error,
	};
	return true;
}

/**
 * xenvbd_copy_fetch - fetch the descriptors of the batch
 * @ring: the ring
 * @reqs: starts with the requests of the batch, in the order they were added
 *
 * One hypercall, and the only read of the guest's descriptors (XSA-155). The
 * hypervisor copies no byte more than the segments are.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_copy_fetch(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	struct xenvbd_req *req = reqs;
	u32 op = 0;

	if (!batch->nr)
		return;

	copy_call(ring, true);
	for (; op < batch->nr; req = req->next) {
		if (req->segs != XENVBD_SEGS_WANTED)
			continue;
		req->segs = XENVBD_SEGS_FETCHED;
		if (batch->copy[op++].status != GNTST_okay)
			req->status = BLK_STS_IOERR;
	}
	batch->nr = 0;
}

/* ---- data ---------------------------------------------------------------- */

static bool copy_make_room(struct xenvbd_pages *pages)
{
	struct xenvbd_copy *copy = &pages->copy;

	if (likely(copy->free))
		return true;
	copy->free = kvmalloc_array(copy_max_pages(pages), sizeof(*copy->free),
				    GFP_NOWAIT | __GFP_NOWARN);
	copy->no_memory = !copy->free;
	return copy->free;
}

/**
 * xenvbd_copy_reserve - make sure that there are pages to copy to
 * @ring: the ring
 * @nr: of them
 *
 * They are zeroed: a disk that reads less than it says must not show the guest
 * what was there before.
 *
 * The thread does not wait for memory: requests in flight would have to wait,
 * too, and the memory may be waiting for them.
 *
 * Context: process, may allocate.
 * Return: false if there is no memory, or too much of it in use by the ring or by
 * its domain.
 */
bool xenvbd_copy_reserve(struct xenvbd_ring *ring, unsigned int nr)
{
	struct xenvbd_copy *copy = &ring->pages.copy;

	if (!nr)
		return true;
	if (!copy_make_room(&ring->pages))
		return false;
	/* Others may need those that this ring does not. */
	while (unlikely(copy->nr_free > nr && !xenvbd_share_room(copy->share)))
		copy_shrink(copy, 1);
	if (copy->nr_free < nr)
		copy_grow(&ring->pages, nr - copy->nr_free);
	return copy->nr_free >= nr;
}

/**
 * xenvbd_copy_reserve_last - the last resort, if xenvbd_copy_reserve() has failed
 * @ring: the ring
 * @nr: of pages
 *
 * So a ring goes on with one request at a time, though there is no memory at all.
 * Nobody is charged for that one.
 *
 * Context: process.
 * Return: false if the ring has a request that copies, or others have the reserve.
 */
bool xenvbd_copy_reserve_last(struct xenvbd_ring *ring, unsigned int nr)
{
	struct xenvbd_copy *copy = &ring->pages.copy;
	u32 more = nr - copy->nr_free;

	if (copy->nr_reqs || !xenvbd_reserve_claim(copy->share, more))
		return false;
	copy->nr_pages += more;
	copy->nr_extra += more;
	return true;
}

static struct page *copy_get(struct xenvbd_copy *copy)
{
	return likely(copy->nr_free) ? copy->free[--copy->nr_free] :
				       xenvbd_reserve_take();
}

/**
 * xenvbd_copy_add - give a request pages of our own
 * @ring: the ring; xenvbd_copy_reserve() or the last resort has made sure of them
 * @req: checked, with its segments; gets pages and vectors
 */
void xenvbd_copy_add(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	struct xenvbd_copy *copy = &ring->pages.copy;
	unsigned int i;

	if (!req->nr_segs)
		return;
	copy->nr_reqs++;
	copy->used_at = jiffies;
	for (i = 0; i < req->nr_segs; i++) {
		/* Writing the vector may overwrite the segment. */
		const struct xenvbd_seg seg = segs[i];

		req->gref[i] = seg.gref;
		bvec_set_page(&req->bvec[i], copy_get(copy),
			      (seg.last_sect - seg.first_sect + 1)
				      << SECTOR_SHIFT,
			      seg.first_sect << SECTOR_SHIFT);
	}
}

static blk_status_t copy_status(s16 status)
{
	if (likely(status == GNTST_okay))
		return BLK_STS_OK;
	return status == GNTST_eagain ? BLK_STS_AGAIN : BLK_STS_IOERR;
}

static void copy_batch(struct xenvbd_ring *ring, bool may_sleep)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	blk_status_t status;
	u32 op;

	if (!batch->nr)
		return;

	copy_call(ring, may_sleep);
	xenvbd_stat_add(&ring->stats.copy_ops, batch->nr);
	for (op = 0; op < batch->nr; op++) {
		status = copy_status(batch->copy[op].status);
		if (unlikely(status != BLK_STS_OK))
			batch->req[op]->status = status;
	}
	batch->nr = 0;
}

static void copy_batch_add(struct xenvbd_ring *ring, struct xenvbd_req *req,
			   unsigned int i)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	const struct bio_vec *bvec = &req->bvec[i];
	struct gnttab_copy *op;
	typeof(op->source) *ours, *theirs;
	u32 nr;

	if (batch->nr == XENVBD_BATCH_GRANTS)
		copy_batch(ring, true);
	nr = xenvbd_batch_add(batch, XENVBD_BATCH_COPY);
	batch->req[nr] = req;
	op = &batch->copy[nr];
	op->flags = req->op == BLKIF_OP_READ ? GNTCOPY_dest_gref :
					       GNTCOPY_source_gref;
	ours = req->op == BLKIF_OP_READ ? &op->source : &op->dest;
	theirs = req->op == BLKIF_OP_READ ? &op->dest : &op->source;
	ours->u.gmfn = virt_to_gfn(page_address(bvec->bv_page));
	ours->domid = DOMID_SELF;
	ours->offset = bvec->bv_offset;
	theirs->u.ref = req->gref[i];
	theirs->domid = ring->domid;
	theirs->offset = bvec->bv_offset;
	op->len = bvec->bv_len;
	op->status = GNTST_general_error;
}

/* Copy the data of those requests that want it, either way. */
static void copy_data(struct xenvbd_ring *ring, struct xenvbd_req *reqs,
		      bool out, bool may_sleep)
{
	struct xenvbd_req *req;
	unsigned int i;

	/* A guest whose vbd is gone may use the grants for something else. */
	if (out && unlikely(READ_ONCE(ring->vbd->abandoned)))
		return;
	for (req = reqs; req; req = req->next) {
		bool reads = req->op == BLKIF_OP_READ;

		if (req->method != XENVBD_METHOD_COPY || reads != out ||
		    req->status != BLK_STS_OK)
			continue;
		for (i = 0; i < req->nr_segs; i++)
			copy_batch_add(ring, req, i);
	}
	copy_batch(ring, may_sleep);
}

/**
 * xenvbd_copy_in - fetch what the guest writes
 * @ring: the ring
 * @reqs: requests that are about to be submitted
 *
 * One hypercall for each XENVBD_BATCH_GRANTS segments. A request of which any
 * segment could not be copied gets an error status.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_copy_in(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	copy_data(ring, reqs, false, true);
}

/**
 * xenvbd_copy_out - give the guest what was read
 * @ring: the ring
 * @reqs: completed requests; their responses have not been shown yet
 *
 * As xenvbd_copy_in(). What the disk could not read is not copied, and nothing is
 * if the vbd was deleted.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_copy_out(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	copy_data(ring, reqs, true, true);
}

/**
 * xenvbd_copy_out_now - as xenvbd_copy_out(), but do not sleep
 * @ring: the ring
 * @reqs: completed requests, of XENVBD_BATCH_GRANTS segments at the most
 *
 * A request gets status BLK_STS_AGAIN if a page of the guest is paged out.
 *
 * Context: any, by the owner of the ring.
 */
void xenvbd_copy_out_now(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	copy_data(ring, reqs, true, false);
}

/**
 * xenvbd_copy_release - take back the pages of a request
 * @copy: the ring's
 * @req: completed
 *
 * A page still referenced below (for a retransmission, say) is left to its
 * holder. The guest does not have to wait for that. When the domain has its share,
 * other rings or domains wait for these pages.
 */
void xenvbd_copy_release(struct xenvbd_copy *copy, struct xenvbd_req *req)
{
	unsigned int i;
	u32 gone = 0;
	bool keep;

	if (!req->nr_segs)
		return;
	keep = likely(!copy->nr_extra && xenvbd_share_room(copy->share));
	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->bvec[i].bv_page;

		if (keep && likely(page_count(page) == 1)) {
			copy->free[copy->nr_free++] = page;
			continue;
		}
		xenvbd_reserve_put(page);
		gone++;
	}
	copy_uncharge(copy, gone);
	copy->nr_reqs--;
}

/**
 * xenvbd_copy_trim - give back pages that have not been used for a second
 * @copy: an idle ring's; at once if its domain has its share
 *
 * Return: jiffies until it is worth being called again, or
 * MAX_SCHEDULE_TIMEOUT.
 */
long xenvbd_copy_trim(struct xenvbd_copy *copy)
{
	/* Those in use now come free without the thread, if a completion answers. */
	if (!copy->nr_pages)
		return MAX_SCHEDULE_TIMEOUT;
	if (time_before(jiffies, copy->used_at + UNUSED_JIFFIES) &&
	    xenvbd_share_room(copy->share))
		return UNUSED_JIFFIES;
	xenvbd_copy_free(copy);
	return copy->nr_pages ? UNUSED_JIFFIES : MAX_SCHEDULE_TIMEOUT;
}

/* Give back all pages that no request uses. */
void xenvbd_copy_free(struct xenvbd_copy *copy)
{
	copy_shrink(copy, copy->nr_free);
	if (copy->nr_pages)
		return;
	kvfree(copy->free);
	copy->free = NULL;
}
