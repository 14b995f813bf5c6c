// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is copied from or to the guest, and not mapped: by the hypervisor, to or
 * from memory of our own. A segment of data lies at the same place of its page on
 * both sides, so that an operation never crosses the end of either.
 *
 * All of it runs in the ring's thread, or after it has ended.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/page.h>

#include "data/copy.h"
#include "data/pages.h"
#include "trace.h"

/* A ring's pages, in use or not; the largest request fits. */
#define MAX_BUFS	512
/* With many rings fewer: a fourth of the pages that they may map to. */
#define BUFS_SHARE	4
/* How long unused ones are kept. */
#define UNUSED_JIFFIES	HZ

static_assert(MAX_BUFS >= XENVBD_MAX_SEGS);
static_assert(XENVBD_MAX_VBD_PAGES / XENVBD_MAX_RINGS / BUFS_SHARE >= XENVBD_MAX_SEGS);

static u32 max_bufs(const struct xenvbd_ring *ring)
{
	return min_t(u32, MAX_BUFS, ring->max_pages / BUFS_SHARE);
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
	struct gnttab_copy *op;

	if (ring->nr_batch == XENVBD_BATCH_GRANTS)
		return false;
	op = &ring->batch.copy[ring->nr_batch++];
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
	struct xenvbd_req *req = reqs;
	u32 op = 0;

	if (!ring->nr_batch)
		return;

	trace_xenvbd_copy(ring, ring->nr_batch);
	gnttab_batch_copy(ring->batch.copy, ring->nr_batch);
	xenvbd_stat_inc(&ring->stats.copy_calls);
	for (; op < ring->nr_batch; req = req->next) {
		if (!req->fetch)
			continue;
		req->fetch = false;
		if (ring->batch.copy[op++].status != GNTST_okay)
			req->status = BLK_STS_IOERR;
	}
	ring->nr_batch = 0;
}

/* ---- data ---------------------------------------------------------------- */

static bool bufs_make_room(struct xenvbd_ring *ring)
{
	if (likely(ring->bufs))
		return true;
	ring->bufs = kvmalloc_array(MAX_BUFS, sizeof(*ring->bufs), GFP_NOWAIT | __GFP_NOWARN);
	return ring->bufs;
}

/**
 * xenvbd_copy_reserve - make sure that there are pages to copy to
 * @ring: the ring
 * @nr: of them
 *
 * They are zeroed: a disk that reads less than it says must not show the guest
 * what was there before.
 *
 * Memory that is not there at once is not waited for: what is in flight would have
 * to wait, too, and it may be what the memory is waiting for.
 *
 * Context: process, may allocate.
 * Return: false if there is no memory, or too much of it in use by the ring.
 */
bool xenvbd_copy_reserve(struct xenvbd_ring *ring, unsigned int nr)
{
	struct page *page;

	if (!nr)
		return true;
	if (!bufs_make_room(ring))
		return false;
	while (ring->nr_bufs < nr) {
		if (ring->nr_bufs_all >= max_bufs(ring))
			return false;
		page = alloc_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO);
		if (!page)
			return false;
		ring->bufs[ring->nr_bufs++] = page;
		ring->nr_bufs_all++;
	}
	return true;
}

/**
 * xenvbd_copy_add - give a request pages of our own
 * @ring: the ring; xenvbd_copy_reserve() has made sure of them
 * @req: checked, with its segments; gets pages and vectors
 */
void xenvbd_copy_add(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	unsigned int i;

	ring->nr_copied++;
	ring->bufs_used_at = jiffies;
	for (i = 0; i < req->nr_segs; i++) {
		/* Writing the vector may overwrite the segment. */
		const struct xenvbd_seg seg = segs[i];

		req->gref[i] = seg.gref;
		bvec_set_page(&req->bvec[i], ring->bufs[--ring->nr_bufs],
			      (seg.last_sect - seg.first_sect + 1) << SECTOR_SHIFT,
			      seg.first_sect << SECTOR_SHIFT);
	}
}

static void batch_copy(struct xenvbd_ring *ring)
{
	u32 op;

	if (!ring->nr_batch)
		return;

	trace_xenvbd_copy(ring, ring->nr_batch);
	gnttab_batch_copy(ring->batch.copy, ring->nr_batch);
	xenvbd_stat_inc(&ring->stats.copy_calls);
	xenvbd_stat_add(&ring->stats.copy_ops, ring->nr_batch);
	for (op = 0; op < ring->nr_batch; op++)
		if (unlikely(ring->batch.copy[op].status != GNTST_okay))
			ring->batch_req[op]->status = BLK_STS_IOERR;
	ring->nr_batch = 0;
}

static void batch_add_copy(struct xenvbd_ring *ring, struct xenvbd_req *req, unsigned int i)
{
	const struct bio_vec *bvec = &req->bvec[i];
	struct gnttab_copy *op;
	typeof(op->source) *ours, *theirs;

	if (ring->nr_batch == XENVBD_BATCH_GRANTS)
		batch_copy(ring);
	ring->batch_req[ring->nr_batch] = req;
	op = &ring->batch.copy[ring->nr_batch++];
	op->flags = req->op == BLKIF_OP_READ ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
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
static void copy_data(struct xenvbd_ring *ring, struct xenvbd_req *reqs, bool out)
{
	struct xenvbd_req *req;
	unsigned int i;

	for (req = reqs; req; req = req->next) {
		bool reads = req->op == BLKIF_OP_READ;

		if (req->way != XENVBD_WAY_COPY || reads != out || req->status != BLK_STS_OK)
			continue;
		for (i = 0; i < req->nr_segs; i++)
			batch_add_copy(ring, req, i);
	}
	batch_copy(ring);
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
	copy_data(ring, reqs, false);
}

/**
 * xenvbd_copy_out - give the guest what was read
 * @ring: the ring
 * @reqs: completed requests; their responses have not been shown yet
 *
 * As xenvbd_copy_in(). What the disk could not read is not copied.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_copy_out(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	copy_data(ring, reqs, true);
}

/**
 * xenvbd_copy_release - take back the pages of a request
 * @ring: the ring
 * @req: completed
 *
 * A page that somebody below still uses, to transmit it once more, is left to
 * him. The guest does not have to wait for that.
 */
void xenvbd_copy_release(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->bvec[i].bv_page;

		if (likely(page_count(page) == 1)) {
			ring->bufs[ring->nr_bufs++] = page;
		} else {
			put_page(page);
			ring->nr_bufs_all--;
		}
	}
	ring->nr_copied--;
}

/**
 * xenvbd_copy_trim - give back pages that have not been used for a second
 * @ring: idle
 *
 * Return: jiffies until it is worth being called again, or
 * MAX_SCHEDULE_TIMEOUT.
 */
long xenvbd_copy_trim(struct xenvbd_ring *ring)
{
	if (!ring->nr_bufs)
		return MAX_SCHEDULE_TIMEOUT;
	if (time_before(jiffies, ring->bufs_used_at + UNUSED_JIFFIES))
		return UNUSED_JIFFIES;
	xenvbd_copy_free(ring);
	return MAX_SCHEDULE_TIMEOUT;
}

/**
 * xenvbd_copy_free - give back all pages that no request uses
 * @ring: the ring
 */
void xenvbd_copy_free(struct xenvbd_ring *ring)
{
	while (ring->nr_bufs) {
		put_page(ring->bufs[--ring->nr_bufs]);
		ring->nr_bufs_all--;
	}
	if (ring->nr_bufs_all)
		return;
	kvfree(ring->bufs);
	ring->bufs = NULL;
}
