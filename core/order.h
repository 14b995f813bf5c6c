/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ordering of barriers over the rings of a vbd: which write may start, and
 * which ring has to look again. A write is here whatever is not a read.
 *
 * Layer 0: pure.
 */
#ifndef XENVBD_ORDER_H
#define XENVBD_ORDER_H

#include <linux/types.h>

/* Rings have a number below it, and sets of rings a bit for each. */
#define XENVBD_ORDER_MAX_RINGS	64

/**
 * struct xenvbd_order - what the rings of a vbd share; all zeroes at first
 * @rings: the set of rings that are served
 * @busy: the set of rings that may have writes from before the current barrier
 * @waiting: the ring that has asked last for its barrier, as a set: to be
 * kicked when no ring is busy
 * @nr_taken: barriers so far, and so the number of the last one
 * @nr_done: barriers that are done; they are executed in the order of their
 * numbers
 *
 * The current barrier is the oldest one that is not done: it has its turn.
 * Under a lock of the caller's.
 */
struct xenvbd_order {
	u64 rings;
	u64 busy;
	u64 waiting;
	u64 nr_taken;
	u64 nr_done;
};

/**
 * struct xenvbd_order_ring - what a ring knows itself; all zeroes at first
 * @turn: the current barrier when the ring last looked, 0: there was none
 * @nr_writes: writes that were started and are not done
 * @nr_parked: writes that were parked and have not been started since
 * @index: the ring's number
 *
 * Touched by nobody but the ring's owner.
 */
struct xenvbd_order_ring {
	u64 turn;
	u32 nr_writes;
	u32 nr_parked;
	u8 index;
};

/**
 * xenvbd_order_idle - is the order of a ring's writes of no concern?
 * @ring: the ring
 *
 * Return: true if there is no barrier, as far as the ring knows. Needs no lock.
 */
static inline bool xenvbd_order_idle(const struct xenvbd_order_ring *ring)
{
	return !ring->turn && !ring->nr_parked;
}

/**
 * xenvbd_order_admit - a write was taken: may it start at once?
 * @ring: the ring
 * @barrier: it is a barrier
 *
 * Return: true if so, and then it counts as started. Otherwise
 * xenvbd_order_park() has to follow. Needs no lock.
 */
static inline bool xenvbd_order_admit(struct xenvbd_order_ring *ring,
				      bool barrier)
{
	if (barrier || !xenvbd_order_idle(ring))
		return false;
	ring->nr_writes++;
	return true;
}

/**
 * xenvbd_order_write_done - a write that is no barrier is done
 * @ring: the ring
 *
 * xenvbd_order_settle() has to follow, sooner or later, unless the ring is
 * xenvbd_order_idle(). Needs no lock.
 */
static inline void xenvbd_order_write_done(struct xenvbd_order_ring *ring)
{
	ring->nr_writes--;
}

void xenvbd_order_join(struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring, unsigned int index);
u64 xenvbd_order_leave(struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring);
void xenvbd_order_look(const struct xenvbd_order *order,
		       struct xenvbd_order_ring *ring);
u64 xenvbd_order_park(struct xenvbd_order *order,
		      struct xenvbd_order_ring *ring, bool barrier, u64 *number);
bool xenvbd_order_try(struct xenvbd_order *order,
		      struct xenvbd_order_ring *ring, bool barrier, u64 number);
u64 xenvbd_order_settle(struct xenvbd_order *order,
			struct xenvbd_order_ring *ring);
u64 xenvbd_order_barrier_done(struct xenvbd_order *order,
			      struct xenvbd_order_ring *ring);

#endif /* XENVBD_ORDER_H */
