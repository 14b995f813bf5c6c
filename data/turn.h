/* SPDX-License-Identifier: GPL-2.0-only */
/* Turns of those writes that have to be alone, over all rings of a vbd. */
#ifndef XENVBD_TURN_H
#define XENVBD_TURN_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "core/order.h"
#include "data/req.h"

struct xenvbd_ring;

/* What the rings of a vbd share. */
struct xenvbd_turns {
	/* Protects @order. */
	spinlock_t lock;
	struct xenvbd_order order;
};

/* A ring's part: its owner's own. */
struct xenvbd_turn {
	struct xenvbd_order_ring order;
	/* Writes that have to be alone, and those that wait for one, in order. */
	struct xenvbd_req_list parked;
};

/* Does a write have to be alone? */
typedef bool xenvbd_turn_alone_t(const struct xenvbd_req *req);

void xenvbd_turns_init(struct xenvbd_turns *turns);
void xenvbd_turn_join(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn);
void xenvbd_turn_leave(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		       struct xenvbd_turn *turn);
void xenvbd_turn_park(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn, struct xenvbd_req *req,
		      bool alone);
void xenvbd_turn_look(struct xenvbd_turns *turns, struct xenvbd_turn *turn);
void xenvbd_turn_pass(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn, xenvbd_turn_alone_t *alone,
		      struct xenvbd_req_list *started);
void xenvbd_turn_done(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn);

#endif /* XENVBD_TURN_H */
