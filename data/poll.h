/* SPDX-License-Identifier: GPL-2.0-only */
/* Polling the ring before the thread sleeps. */
#ifndef XENVBD_POLL_H
#define XENVBD_POLL_H

#include <linux/types.h>

/* No work is worth polling for longer than this. */
#define XENVBD_MAX_POLLING_US	1000

struct xenvbd_ring;

/* A ring's polling. */
struct xenvbd_poll {
	/* By local_clock(), when it began; 0: not since the last work. */
	u64 begin;
	/* How long it lasts, by what has paid lately. */
	u64 ns;
};

bool xenvbd_poll(struct xenvbd_ring *ring);
void xenvbd_poll_adjust(struct xenvbd_ring *ring);

#endif /* XENVBD_POLL_H */
