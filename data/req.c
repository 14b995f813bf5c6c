// SPDX-License-Identifier: GPL-2.0-only
/* A ring's requests: their memory, and which are in flight. */
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "common.h"

/*
 * What a request of so many segments needs: vectors, persistent grants, handles.
 * A power of two, so that the vectors, which come first, cross no page: the
 * hypervisor copies the guest's segments to them, see xenvbd_req_segs().
 */
static size_t req_big_size(unsigned int nr_segs)
{
	return roundup_pow_of_two(nr_segs * (sizeof(struct bio_vec) +
					     sizeof(struct xenvbd_pgrant *) +
					     sizeof(grant_handle_t)));
}

static void req_use_inline(struct xenvbd_req *req)
{
	req->big = NULL;
	req->bvec = req->inline_bvec;
	req->pgrant = req->inline_pgrant;
	req->handle = req->inline_handle;
}

/**
 * xenvbd_reqs_init - allocate the requests of a ring
 * @ring: attached
 *
 * As many as there are slots, so that a request that was taken from the ring
 * always finds one.
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_reqs_exit() is due in either case.
 */
int xenvbd_reqs_init(struct xenvbd_ring *ring)
{
	struct xenvbd_req *req;
	u32 i;

	/* One is enough to get on with; more are taken while there is memory. */
	ring->spare.big = kmalloc(req_big_size(XENVBD_MAX_SEGS), GFP_KERNEL);
	/* By pages, not by powers of two. */
	ring->reqs = vcalloc(ring->sring.nr_ents, sizeof(*ring->reqs));
	if (!ring->spare.big || !ring->reqs)
		return -ENOMEM;
	for (i = 0; i < ring->sring.nr_ents; i++) {
		req = &ring->reqs[i];
		req->ring = ring;
		req_use_inline(req);
		req->next = ring->free;
		ring->free = req;
	}
	return 0;
}

/* Undo xenvbd_reqs_init(), which need not have been called. No request is in flight. */
void xenvbd_reqs_exit(struct xenvbd_ring *ring)
{
	vfree(ring->reqs);
	kfree(ring->spare.big);
}

/**
 * xenvbd_req_enlarge - make room for all segments of an INDIRECT request
 * @req: with nr_segs, up to XENVBD_MAX_SEGS
 *
 * Context: the ring's thread.
 * Return: false if there is no memory now. Some comes free when the big
 * requests in flight are done, of which there is then at least one.
 */
bool xenvbd_req_enlarge(struct xenvbd_req *req)
{
	static_assert(sizeof(struct bio_vec[XENVBD_MAX_SEGS]) <= XEN_PAGE_SIZE);
	struct xenvbd_spare *spare = &req->ring->spare;
	void *big =
		kmalloc(req_big_size(req->nr_segs), GFP_NOWAIT | __GFP_NOWARN);

	if (!big && !spare->used) {
		big = spare->big;
		spare->used = true;
	}
	if (!big)
		return false;
	req->big = big;
	req->bvec = big;
	req->pgrant = (struct xenvbd_pgrant **)(req->bvec + req->nr_segs);
	req->handle = (grant_handle_t *)(req->pgrant + req->nr_segs);
	return true;
}

/*
 * Undo xenvbd_req_enlarge(). Nothing is to be done for a request that was not
 * enlarged.
 */
void xenvbd_req_shrink(struct xenvbd_req *req)
{
	struct xenvbd_spare *spare = &req->ring->spare;

	if (!req->big)
		return;
	if (unlikely(req->big == spare->big))
		spare->used = false;
	else
		kfree(req->big);
	req_use_inline(req);
}

/**
 * xenvbd_req_get - take a request for what was found in the ring
 * @ring: the ring
 * @cmd: checked, as far as it is known
 *
 * Context: the ring's thread.
 * Return: the request, never NULL.
 */
struct xenvbd_req *xenvbd_req_get(struct xenvbd_ring *ring,
				  const struct xenvbd_cmd *cmd)
{
	struct xenvbd_req *req = ring->free;

	/* Never empty: there is a request for each slot of the ring. */
	ring->free = req->next;

	req->id = cmd->id;
	req->op = cmd->op;
	req->flags = cmd->flags;
	req->nr_sects = cmd->nr_sects;
	req->nr_segs = cmd->nr_segs;
	/* A flush without data has no place on the disk, whatever it says. */
	req->sector = cmd->nr_sects || cmd->indirect ? cmd->sector : 0;
	req->status = BLK_STS_OK;
	req->segs = cmd->indirect ? XENVBD_SEGS_WANTED : XENVBD_SEGS_CHECKED;
	req->failed_flush = false;
	req->refused_flush = false;
	req->plain = false;
	/* Never 0, which marks a request that is not in flight. */
	WRITE_ONCE(req->start, jiffies | 1);
	xenvbd_latency_take(&ring->latency, req);
	if (cmd->indirect)
		req->desc_gref = cmd->gref[0];
	else if (cmd->seg)
		memcpy(xenvbd_req_segs(req), cmd->seg,
		       cmd->nr_segs * sizeof(*cmd->seg));
	return req;
}

/* Undo xenvbd_req_get(): the request was answered. */
void xenvbd_req_put(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	WRITE_ONCE(req->start, 0);
	req->next = ring->free;
	ring->free = req;
}
