// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discards, a few at a time and piece by piece.
 *
 * A guest may discard its whole disk with one request, and as much with each of
 * all others in the ring. Handed over as they come they would fill the disk's
 * queue, and reads and writes would wait for all of them.
 */
#include "common.h"
#include "data/io.h"

/* Discards of a vbd that the disk has at a time; at least one of each ring. */
#define MAX_DISCARDS	4U

/*
 * The toolstack that has removed the vbd may give the disk to somebody else. The
 * rest of a hint may be lost; data that had to be erased must not seem to be.
 */
static bool discard_cut_short(const struct xenvbd_ring *ring,
			      struct xenvbd_req *req)
{
	if (likely(!READ_ONCE(ring->vbd->removed)))
		return false;
	if (req->nr_sects && req->flags & BLKIF_DISCARD_SECURE)
		req->status = BLK_STS_IOERR;
	return true;
}

/**
 * xenvbd_discard_done - the disk is done with a piece of a discard
 * @ring: the ring
 * @req: the discard
 *
 * Context: the ring's thread.
 * Return: false if it goes on, when others have had their turn.
 */
bool xenvbd_discard_done(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	ring->discards.nr_at_disk--;
	if (req->status != BLK_STS_OK || !req->nr_sects ||
	    discard_cut_short(ring, req))
		return true;
	xenvbd_discard_add(&ring->discards, req);
	return false;
}

/**
 * xenvbd_discard_pass - give the disk as many discards as it may have
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: true if it was given any.
 */
bool xenvbd_discard_pass(struct xenvbd_ring *ring)
{
	struct xenvbd_discards *discards = &ring->discards;
	struct xenvbd_req *req;
	bool work = false;

	while (discards->queue.first &&
	       discards->nr_at_disk <
		       max(MAX_DISCARDS / ring->vbd->nr_rings, 1U)) {
		req = xenvbd_req_list_pop(&discards->queue);
		discards->nr_at_disk++;
		if (unlikely(discard_cut_short(ring, req)))
			xenvbd_wake_complete(req);
		else
			xenvbd_io_discard(req);
		work = true;
	}
	return work;
}
