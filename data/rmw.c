// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that are not whole blocks of the disk: sectors of 512 bytes were advertised
 * to the guest, and the disk has larger blocks.
 *
 * Such a request goes through a buffer of the ring, piece by piece. A piece of a
 * read: read its blocks, copy what the guest wants of them. A piece of a write: read
 * its blocks, copy what the guest writes over them, write them. No other write may be
 * at the disk then, from whatever ring, for it might be one to the same block, and be
 * undone. So such a write has to be alone, and has its turn as a barrier has: see
 * data/turn.c. All that barriers admit comes here; what is parked here counts there
 * as started.
 *
 * Discards pass. They are cut to whole blocks, of which the guest wants to keep
 * nothing.
 */
#include <linux/highmem.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "common.h"
#include "trace.h"

#define BUFFER_SECTS	((u32)SZ_64K >> SECTOR_SHIFT)

/* ---- life --------------------------------------------------------------- */

/**
 * xenvbd_rmw_init - allocate a ring's buffer
 * @rmw: the ring's part, all zeroes
 *
 * All that is ever needed: no request waits for memory.
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_rmw_exit() is due in either case.
 */
int xenvbd_rmw_init(struct xenvbd_rmw *rmw)
{
	struct page *page;
	unsigned int i;

	rmw->buffer = kcalloc(XENVBD_RMW_PAGES, sizeof(*rmw->buffer),
			      GFP_KERNEL);
	if (!rmw->buffer)
		return -ENOMEM;
	for (i = 0; i < XENVBD_RMW_PAGES; i++) {
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		bvec_set_page(&rmw->buffer[i], page, PAGE_SIZE, 0);
	}
	return 0;
}

/* Undo xenvbd_rmw_init(), which need not have been called. */
void xenvbd_rmw_exit(struct xenvbd_rmw *rmw)
{
	unsigned int i;

	if (!rmw->buffer)
		return;
	for (i = 0; i < XENVBD_RMW_PAGES && rmw->buffer[i].bv_page; i++)
		put_page(rmw->buffer[i].bv_page);
	kfree(rmw->buffer);
}

/* ---- order -------------------------------------------------------------- */

/* A ring begins to be served. Context: its thread, as for all that follows. */
void xenvbd_rmw_join(struct xenvbd_ring *ring)
{
	xenvbd_turn_join(ring, &ring->vbd->rmws, &ring->rmw.turn);
}

/* A ring, which is drained, is not served any more. */
void xenvbd_rmw_leave(struct xenvbd_ring *ring)
{
	xenvbd_turn_leave(ring, &ring->vbd->rmws, &ring->rmw.turn);
}

/* The ring was kicked: look whose turn it is. */
void xenvbd_rmw_look(struct xenvbd_ring *ring)
{
	xenvbd_turn_look(&ring->vbd->rmws, &ring->rmw.turn);
}

/* Of a disk with blocks that do not fit into the buffer all would fail. */
static u32 rmw_block_sects(const struct xenvbd_ring *ring)
{
	return min_t(u32, bdev_logical_block_size(ring->bdev) >> SECTOR_SHIFT,
		     BUFFER_SECTS);
}

/* A segment that ends inside of a block would split it in two, too. */
static bool rmw_is_unaligned(const struct xenvbd_ring *ring,
			     const struct xenvbd_req *req)
{
	u64 sects = req->sector | req->nr_sects;
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		sects |= req->bvec[i].bv_len >> SECTOR_SHIFT;
	return sects & (rmw_block_sects(ring) - 1);
}

/* What has to be alone, if it is a write. */
static bool rmw_is_split(const struct xenvbd_req *req)
{
	return req->segs == XENVBD_SEGS_SPLIT;
}

/* Does it write data? Flushes without any, and discards, have no segments. */
static bool rmw_writes(const struct xenvbd_req *req)
{
	return req->op != BLKIF_OP_READ && req->nr_segs;
}

/* A hint: of the blocks at both ends the guest may want to keep the rest. */
static void rmw_cut_discard(const struct xenvbd_ring *ring,
			    struct xenvbd_req *req)
{
	u32 block = rmw_block_sects(ring);
	u64 first = round_up(req->sector, block);
	u64 end = round_down(req->sector + req->nr_sects, block);

	req->sector = first;
	req->nr_sects = end > first ? end - first : 0;
}

/**
 * xenvbd_rmw_admit - may a request that is mapped go to the disk as it is?
 * @ring: whose limits say that 512-byte sectors are emulated
 * @req: mapped, or failed already
 *
 * Return: true if so. Otherwise it was parked, and comes from xenvbd_rmw_pass(), or
 * is done there piece by piece. In any case xenvbd_rmw_done() follows.
 */
bool xenvbd_rmw_admit(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_rmw *rmw = &ring->rmw;
	bool discard = unlikely(req->op == BLKIF_OP_DISCARD);
	bool split = !discard && ring->bdev && req->status == BLK_STS_OK &&
		     rmw_is_unaligned(ring, req);

	/* Not once more if its flush has failed. */
	if (unlikely(split) && req->segs != XENVBD_SEGS_SPLIT)
		xenvbd_stat_inc(&ring->stats.unaligned);
	req->segs = split ? XENVBD_SEGS_SPLIT : XENVBD_SEGS_CHECKED;
	if (discard && ring->bdev)
		rmw_cut_discard(ring, req);
	if (rmw_writes(req) && !xenvbd_order_admit(&rmw->turn.order, split)) {
		xenvbd_turn_park(ring, &ring->vbd->rmws, &rmw->turn, req, split);
		return false;
	}
	if (likely(!split))
		return true;
	xenvbd_req_list_add(&rmw->queue, req);
	return false;
}

/**
 * xenvbd_rmw_admit_all - keep of many requests those that may go to the disk
 * @ring: as for xenvbd_rmw_admit()
 * @reqs: each as for xenvbd_rmw_admit()
 *
 * Return: how many are left in @reqs.
 */
unsigned int xenvbd_rmw_admit_all(struct xenvbd_ring *ring,
				  struct xenvbd_req_list *reqs)
{
	struct xenvbd_req_list all = *reqs;
	struct xenvbd_req *req;
	unsigned int nr = 0;

	reqs->first = NULL;
	while (all.first) {
		req = xenvbd_req_list_pop(&all);
		if (!xenvbd_rmw_admit(ring, req))
			continue;
		xenvbd_req_list_add(reqs, req);
		nr++;
	}
	return nr;
}

/* ---- piece by piece ------------------------------------------------------- */

/* Copy all that the guest wants of the buffer, or that it writes to it. */
static void rmw_copy(struct xenvbd_rmw *rmw, struct xenvbd_req *req)
{
	u32 skipped = req->sector + rmw->nr_done - rmw->blocks.sector;
	u32 sect = 0, pos, offset, i;

	for (i = 0; i < req->nr_segs; i++) {
		struct bio_vec *theirs = &req->bvec[i], *ours;

		for (offset = 0; offset < theirs->bv_len; offset += SECTOR_SIZE) {
			/* Of no other piece. */
			pos = sect++ - rmw->nr_done;
			if (pos >= rmw->nr_sects)
				continue;
			pos = (pos + skipped) << SECTOR_SHIFT;
			ours = &rmw->buffer[pos / PAGE_SIZE];
			if (req->op == BLKIF_OP_READ)
				memcpy_page(theirs->bv_page,
					    theirs->bv_offset + offset,
					    ours->bv_page, pos % PAGE_SIZE,
					    SECTOR_SIZE);
			else
				memcpy_page(ours->bv_page, pos % PAGE_SIZE,
					    theirs->bv_page,
					    theirs->bv_offset + offset,
					    SECTOR_SIZE);
		}
	}
}

/* The next blocks of a request, as many as the buffer takes. */
static void rmw_set_piece(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_rmw *rmw = &ring->rmw;
	struct xenvbd_blocks *blocks = &rmw->blocks;
	u32 block = rmw_block_sects(ring), left, nr;
	u64 first = req->sector + rmw->nr_done;
	u64 end = req->sector + req->nr_sects;
	unsigned int i;

	blocks->sector = round_down(first, block);
	blocks->nr_sects = min_t(u64, round_up(end, block) - blocks->sector,
				 BUFFER_SECTS);
	rmw->nr_sects = min(end, blocks->sector + blocks->nr_sects) - first;

	blocks->bvec = rmw->buffer;
	left = blocks->nr_sects;
	for (i = 0; left; i++, left -= nr) {
		nr = min_t(u32, left, PAGE_SIZE >> SECTOR_SHIFT);
		rmw->buffer[i].bv_len = nr << SECTOR_SHIFT;
	}
	blocks->nr_vecs = i;
}

/* Does somebody below still use the buffer, for a retransmission, say? */
static bool rmw_is_held(const struct xenvbd_rmw *rmw)
{
	unsigned int i;

	for (i = 0; i < XENVBD_RMW_PAGES; i++)
		if (unlikely(page_count(rmw->buffer[i].bv_page) > 1))
			return true;
	return false;
}

/* Give the disk the next piece, to be read; or what is to be written. */
static void rmw_go_on(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_rmw *rmw = &ring->rmw;

	if (!rmw->merged) {
		if (rmw_is_held(rmw))
			return;
		if (!rmw->nr_done)
			trace_xenvbd_submit(ring, req);
		rmw_set_piece(ring, req);
		/* Of whole blocks nothing has to be kept. */
		if (req->op != BLKIF_OP_READ &&
		    rmw->nr_sects == rmw->blocks.nr_sects) {
			rmw_copy(rmw, req);
			rmw->merged = true;
		}
	}
	rmw->at_disk = true;
	xenvbd_io_submit_blocks(req, &rmw->blocks, rmw->merged);
}

/**
 * xenvbd_rmw_pass - do in a pass what is due
 * @ring: whose limits say that 512-byte sectors are emulated
 * @started: gets those that were parked, and may now go to the disk as they are
 *
 * Context: the ring's thread; sleeps while the disk's queue is full.
 * Return: how many @started gets.
 */
unsigned int xenvbd_rmw_pass(struct xenvbd_ring *ring,
			     struct xenvbd_req_list *started)
{
	struct xenvbd_rmw *rmw = &ring->rmw;
	struct xenvbd_req_list turn = {};
	struct xenvbd_req *req;
	unsigned int nr = 0;

	if (!xenvbd_order_idle(&rmw->turn.order))
		xenvbd_turn_pass(ring, &ring->vbd->rmws, &rmw->turn,
				 rmw_is_split, &turn);
	while (turn.first) {
		req = xenvbd_req_list_pop(&turn);
		nr += !rmw_is_split(req);
		xenvbd_req_list_add(rmw_is_split(req) ? &rmw->queue : started,
				    req);
	}
	if (xenvbd_rmw_waits(rmw))
		rmw_go_on(ring, rmw->queue.first);
	return nr;
}

/* The disk has read or written a piece, and all is well. False: that was all. */
static bool rmw_goes_on(struct xenvbd_rmw *rmw, struct xenvbd_req *req)
{
	if (!rmw->merged) {
		rmw_copy(rmw, req);
		rmw->merged = req->op != BLKIF_OP_READ;
		if (rmw->merged)
			return true;
	}
	rmw->merged = false;
	rmw->nr_done += rmw->nr_sects;
	return rmw->nr_done < req->nr_sects;
}

/**
 * xenvbd_rmw_done - the disk is done with a request, or with a piece of it
 * @ring: whose limits say that 512-byte sectors are emulated
 * @req: was given to xenvbd_rmw_admit()
 *
 * Context: the ring's thread; for what went to the disk as it was, any owner of the
 * ring.
 * Return: false if it goes on.
 */
bool xenvbd_rmw_done(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_rmw *rmw = &ring->rmw;

	if (likely(!rmw_is_split(req))) {
		if (rmw_writes(req))
			xenvbd_order_write_done(&rmw->turn.order);
		return true;
	}
	rmw->at_disk = false;
	if (req->status == BLK_STS_OK && rmw_goes_on(rmw, req))
		return false;
	xenvbd_req_list_pop(&rmw->queue);
	rmw->nr_done = 0;
	rmw->merged = false;
	if (req->op != BLKIF_OP_READ)
		xenvbd_turn_done(ring, &ring->vbd->rmws, &rmw->turn);
	return true;
}
