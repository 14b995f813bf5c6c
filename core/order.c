// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ordering of barriers over the rings of a vbd. Layer 0: pure.
 *
 * Barriers are numbered from 1 when they are taken, and executed one by one in
 * the order of their numbers. When a barrier has its turn
 *
 * 1. each ring that hears of the turn parks the writes it takes from then on.
 *    Writes taken earlier start. When they are done the ring is no longer busy;
 * 2. when no ring is busy, the ring with the barrier executes it;
 * 3. when the barrier is done the next one has its turn. If there is none, the
 *    rings hear of that and start what they have parked.
 *
 * Functions that change what other rings wait for return the set of rings to
 * kick. Each of these rings has to call xenvbd_order_look() some time later, then
 * xenvbd_order_try() and xenvbd_order_settle().
 */
#include <linux/bits.h>

#include "core/order.h"

static u64 order_turn(const struct xenvbd_order *order)
{
	return order->nr_done < order->nr_taken ? order->nr_done + 1 : 0;
}

/* Another barrier has its turn, or none. */
static u64 order_next(struct xenvbd_order *order)
{
	order->busy = order_turn(order) ? order->rings : 0;
	return order->rings;
}

static u64 order_not_busy(struct xenvbd_order *order,
			  const struct xenvbd_order_ring *ring)
{
	u64 self = BIT_ULL(ring->index);

	if (!(order->busy & self))
		return 0;
	order->busy &= ~self;
	return order->busy ? 0 : order->waiting;
}

/**
 * xenvbd_order_join - a ring begins to be served
 * @order: of the vbd
 * @ring: without writes
 * @index: its number, below XENVBD_ORDER_MAX_RINGS, and no other ring's
 *
 * It holds up nobody, but a barrier may hold it up.
 */
void xenvbd_order_join(struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring, unsigned int index)
{
	ring->index = index;
	order->rings |= BIT_ULL(index);
	xenvbd_order_look(order, ring);
}

/**
 * xenvbd_order_leave - a ring is not served any more
 * @order: of the vbd
 * @ring: joined; all its writes are done
 *
 * Return: the rings to kick.
 */
u64 xenvbd_order_leave(struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring)
{
	order->rings &= ~BIT_ULL(ring->index);
	return order_not_busy(order, ring);
}

/**
 * xenvbd_order_look - a ring hears which barrier has its turn
 * @order: of the vbd
 * @ring: joined
 *
 * What the ring has taken before it hears of a turn counts as before it.
 */
void xenvbd_order_look(const struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring)
{
	ring->turn = order_turn(order);
}

/**
 * xenvbd_order_park - a write has to wait
 * @order: of the vbd
 * @ring: joined; xenvbd_order_admit() has refused the write
 * @barrier: it is a barrier
 * @number: set to the barrier's own number, or for another write to the last one's
 *
 * The caller puts the write behind all others that are parked in the ring.
 *
 * Return: the rings to kick.
 */
u64 xenvbd_order_park(struct xenvbd_order *order,
		      struct xenvbd_order_ring *ring, bool barrier, u64 *number)
{
	bool first = barrier && !order_turn(order);

	ring->nr_parked++;
	order->nr_taken += barrier;
	*number = order->nr_taken;
	return first ? order_next(order) : 0;
}

/* The ring has the barrier of this number, and asks whether it may execute it. */
static bool order_ask(struct xenvbd_order *order,
		      const struct xenvbd_order_ring *ring, u64 number)
{
	if (order_turn(order) != number)
		return false;
	/* The ring itself is busy until xenvbd_order_settle(): the last one finds this. */
	order->waiting = BIT_ULL(ring->index);
	return !order->busy;
}

/**
 * xenvbd_order_try - may the first write that is parked in a ring start now?
 * @order: of the vbd
 * @ring: the ring
 * @barrier: it is a barrier
 * @number: what xenvbd_order_park() has given it
 *
 * Return: true if so, and then it counts as started. Otherwise the ring is
 * kicked when it may.
 */
bool xenvbd_order_try(struct xenvbd_order *order,
		      struct xenvbd_order_ring *ring, bool barrier, u64 number)
{
	if (barrier ? !order_ask(order, ring, number) :
		      ring->turn && number >= ring->turn)
		return false;
	ring->nr_parked--;
	ring->nr_writes++;
	return true;
}

/**
 * xenvbd_order_settle - a ring has started what it can
 * @order: of the vbd
 * @ring: xenvbd_order_try() was called until it refused, or nothing is parked
 *
 * Due after a kick, and when writes are done: if that were the last ones from
 * before the current barrier, the ring is not busy any more.
 *
 * Return: the rings to kick.
 */
u64 xenvbd_order_settle(struct xenvbd_order *order,
			struct xenvbd_order_ring *ring)
{
	if (ring->nr_writes || ring->turn != order_turn(order))
		return 0;
	return order_not_busy(order, ring);
}

/**
 * xenvbd_order_barrier_done - a barrier is done
 * @order: of the vbd
 * @ring: with the barrier
 *
 * Return: the rings to kick.
 */
u64 xenvbd_order_barrier_done(struct xenvbd_order *order,
			      struct xenvbd_order_ring *ring)
{
	ring->nr_writes--;
	order->nr_done++;
	return order_next(order);
}
