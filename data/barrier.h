/* SPDX-License-Identifier: GPL-2.0-only */
/* What holds writes up: barriers, and flushes that failed. */
#ifndef XENVBD_BARRIER_H
#define XENVBD_BARRIER_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "data/req.h"
#include "data/turn.h"

struct xenvbd_ring;

/* A ring's part: its owner's own. */
struct xenvbd_barrier {
	struct xenvbd_turn turn;
	/* Flushes to try again at @retry_at, in jiffies. */
	struct xenvbd_req_list failed;
	unsigned long retry_at;
	/* In jiffies, if the last flush has failed, otherwise 0. */
	unsigned long hide_until;
	/* It is later than that. A flag, for jiffies begin again on some machines. */
	bool shows;
};

/**
 * xenvbd_barrier_idle - does nothing hold up the writes of a ring?
 * @barrier: the ring's part
 *
 * Return: if not, xenvbd_barrier_pass() is due in each pass.
 */
static inline bool xenvbd_barrier_idle(const struct xenvbd_barrier *barrier)
{
	return likely(xenvbd_order_idle(&barrier->turn.order) &&
		      !barrier->failed.first);
}

void xenvbd_barrier_join(struct xenvbd_ring *ring);
void xenvbd_barrier_leave(struct xenvbd_ring *ring);
bool xenvbd_barrier_admit(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_barrier_look(struct xenvbd_ring *ring);
void xenvbd_barrier_pass(struct xenvbd_ring *ring);
bool xenvbd_barrier_done(struct xenvbd_ring *ring, struct xenvbd_req *req);
long xenvbd_barrier_timeout(const struct xenvbd_barrier *barrier, long timeout);

#endif /* XENVBD_BARRIER_H */
