/* SPDX-License-Identifier: GPL-2.0-only */
/* Discards, a few at a time and piece by piece. */
#ifndef XENVBD_DISCARD_H
#define XENVBD_DISCARD_H

#include "data/req.h"

struct xenvbd_ring;

/* A ring's discards. */
struct xenvbd_discards {
	/* To be given to the disk, in order. */
	struct xenvbd_req_list queue;
	/* The disk has so many. */
	u32 nr_at_disk;
};

bool xenvbd_discard_done(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_discard_pass(struct xenvbd_ring *ring);

/*
 * Have a discard executed as soon as it may be. Without segments nothing of it
 * has failed.
 */
static inline void xenvbd_discard_add(struct xenvbd_discards *discards,
				      struct xenvbd_req *req)
{
	xenvbd_req_list_add(&discards->queue, req);
}

#endif /* XENVBD_DISCARD_H */
