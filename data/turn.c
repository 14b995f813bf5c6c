// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns of those writes that have to be alone, over all rings of a vbd.
 *
 * core/order.c decides which write may start, and calls those that have to be alone
 * barriers. Here are the lock that the order needs, the lists of writes that may not
 * start, and the kicks by which the rings have each other look again. While there is
 * no such write no ring looks at what the rings share. A ring that waits sleeps.
 */
#include <linux/bitops.h>

#include "common.h"

static_assert(XENVBD_MAX_RINGS <= XENVBD_ORDER_MAX_RINGS);

/**
 * xenvbd_turns_init - prepare a new vbd
 * @turns: all zeroes
 */
void xenvbd_turns_init(struct xenvbd_turns *turns)
{
	spin_lock_init(&turns->lock);
}

/*
 * Kick a set of rings of the vbd. Some may have left since: a kick does nothing
 * to them. No ring is freed before the threads of all have ended, this one
 * included, and vbd->rings is there as long.
 */
static void turn_kick(struct xenvbd_ring *ring, u64 rings)
{
	for (; rings; rings &= rings - 1)
		xenvbd_wake_kick(ring->vbd->rings[__ffs64(rings)]);
}

/**
 * xenvbd_turn_join - a ring begins to be served
 * @ring: the ring
 * @turns: of its vbd
 * @turn: the ring's part
 *
 * Context: the ring's thread, as for all that follow.
 */
void xenvbd_turn_join(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn)
{
	spin_lock(&turns->lock);
	xenvbd_order_join(&turns->order, &turn->order, ring->index);
	spin_unlock(&turns->lock);
}

/**
 * xenvbd_turn_leave - a ring is not served any more
 * @ring: joined, and drained
 * @turns: of its vbd
 * @turn: the ring's part
 */
void xenvbd_turn_leave(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		       struct xenvbd_turn *turn)
{
	u64 kicks;

	spin_lock(&turns->lock);
	kicks = xenvbd_order_leave(&turns->order, &turn->order);
	spin_unlock(&turns->lock);
	turn_kick(ring, kicks);
}

/**
 * xenvbd_turn_park - a write has to wait, as all later writes of the ring will
 * @ring: joined
 * @turns: of its vbd
 * @turn: the ring's part
 * @req: refused by xenvbd_order_admit()
 * @alone: it has to be alone
 */
void xenvbd_turn_park(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn, struct xenvbd_req *req,
		      bool alone)
{
	u64 kicks;

	xenvbd_req_list_add(&turn->parked, req);
	spin_lock(&turns->lock);
	kicks = xenvbd_order_park(&turns->order, &turn->order, alone,
				  &req->turn);
	spin_unlock(&turns->lock);
	turn_kick(ring, kicks);
}

/**
 * xenvbd_turn_look - look whose turn it is
 * @turns: of the vbd
 * @turn: of a ring that was kicked
 *
 * What the ring has taken before it hears of a new turn counts as before it.
 */
void xenvbd_turn_look(struct xenvbd_turns *turns, struct xenvbd_turn *turn)
{
	spin_lock(&turns->lock);
	xenvbd_order_look(&turns->order, &turn->order);
	spin_unlock(&turns->lock);
}

/**
 * xenvbd_turn_pass - start, in order, what does not have to wait any more
 * @ring: joined
 * @turns: of its vbd
 * @turn: the ring's part, not xenvbd_order_idle()
 * @alone: tells which writes have to be alone
 * @started: gets what may start, behind what it has
 */
void xenvbd_turn_pass(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn, xenvbd_turn_alone_t *alone,
		      struct xenvbd_req_list *started)
{
	struct xenvbd_req *req;
	u64 kicks;

	spin_lock(&turns->lock);
	while ((req = turn->parked.first) &&
	       xenvbd_order_try(&turns->order, &turn->order, alone(req),
				req->turn))
		xenvbd_req_list_add(started,
				    xenvbd_req_list_pop(&turn->parked));
	kicks = xenvbd_order_settle(&turns->order, &turn->order);
	spin_unlock(&turns->lock);
	turn_kick(ring, kicks);
}

/**
 * xenvbd_turn_done - a write that had to be alone is done
 * @ring: joined
 * @turns: of its vbd
 * @turn: the ring's part
 */
void xenvbd_turn_done(struct xenvbd_ring *ring, struct xenvbd_turns *turns,
		      struct xenvbd_turn *turn)
{
	u64 kicks;

	spin_lock(&turns->lock);
	kicks = xenvbd_order_barrier_done(&turns->order, &turn->order);
	spin_unlock(&turns->lock);
	turn_kick(ring, kicks);
}
