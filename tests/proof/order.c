// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ordering of barriers, by induction: from any state in which the invariant
 * holds each step leads to one in which it holds. So the proof is for any number of
 * steps, writes and barriers. It is about any three of the 64 rings: one that takes
 * the step, and two to look at. Of what a ring has parked only the first write is
 * seen; the next one may be any that can follow.
 */
#include "core/order.c"

#include "proof.h"

#define NR_RINGS	3
#define NOBODY		NR_RINGS
#define ANOTHER		(NR_RINGS + 1)

struct ring {
	struct xenvbd_order_ring core;
	/* The first write that is parked, if one is. */
	u64 number;
	bool barrier;
	bool joined;
};

struct vbd {
	struct xenvbd_order core;
	struct ring ring[NR_RINGS];
	/* The ring that executes a barrier, or NOBODY, or ANOTHER one of the 64. */
	unsigned int executes;
};

/* ---- the invariant ------------------------------------------------------ */

static bool is_in(u64 rings, const struct ring *ring)
{
	return rings >> ring->core.index & 1;
}

static bool order_holds(const struct xenvbd_order *order)
{
	return order->nr_done <= order->nr_taken && !(order->busy & ~order->rings) &&
	       implies(!order_turn(order), !order->busy);
}

/* A write is from before barrier n if its number is below n. */
static bool parked_holds(const struct vbd *vbd, const struct ring *ring)
{
	if (!ring->core.nr_parked)
		return true;
	return ring->number <= vbd->core.nr_taken &&
	       implies(ring->barrier,
		       ring->number > vbd->core.nr_done + (vbd->executes != NOBODY));
}

/* No two barriers have one number. */
static bool numbers_differ(const struct ring *a, const struct ring *b)
{
	return !a->core.nr_parked || !b->core.nr_parked || !a->barrier || !b->barrier ||
	       a->number != b->number;
}

/* A ring that is not busy has heard of the turn, and has started all from before. */
static bool turn_holds(const struct vbd *vbd, unsigned int r)
{
	const struct ring *ring = &vbd->ring[r];
	u64 turn = order_turn(&vbd->core);

	if (!turn || is_in(vbd->core.busy, ring))
		return true;
	return ring->core.turn == turn && ring->core.nr_writes == (vbd->executes == r) &&
	       implies(ring->core.nr_parked, ring->number >= turn);
}

static bool ring_holds(const struct vbd *vbd, unsigned int r)
{
	const struct ring *ring = &vbd->ring[r];

	if (ring->joined != is_in(vbd->core.rings, ring) || ring->core.turn > vbd->core.nr_taken)
		return false;
	if (!ring->joined)
		return !ring->core.nr_writes && !ring->core.nr_parked && vbd->executes != r;
	return parked_holds(vbd, ring) && turn_holds(vbd, r);
}

static bool pairs_hold(const struct vbd *vbd)
{
	const struct ring *ring = vbd->ring;

	return numbers_differ(&ring[0], &ring[1]) && numbers_differ(&ring[0], &ring[2]) &&
	       numbers_differ(&ring[1], &ring[2]);
}

static bool holds(const struct vbd *vbd)
{
	unsigned int r;
	bool all = order_holds(&vbd->core) && pairs_hold(vbd);

	if (vbd->executes != NOBODY)
		all &= order_turn(&vbd->core) && !vbd->core.busy;
	for (r = 0; r < NR_RINGS; r++)
		all &= ring_holds(vbd, r);
	return all;
}

/* Counters that count a ring's writes have room for one more. */
static struct vbd any_vbd(void)
{
	struct vbd vbd = any(struct vbd);
	unsigned int r;

	for (r = 0; r < NR_RINGS; r++) {
		vbd.ring[r].joined = any_bool();
		vbd.ring[r].barrier = any_bool();
		given(vbd.ring[r].core.index < XENVBD_ORDER_MAX_RINGS);
		given(vbd.ring[r].core.nr_writes < 0xffffffff);
		given(vbd.ring[r].core.nr_parked < 0xffffffff);
	}
	given(vbd.ring[0].core.index != vbd.ring[1].core.index);
	given(vbd.ring[0].core.index != vbd.ring[2].core.index);
	given(vbd.ring[1].core.index != vbd.ring[2].core.index);
	given(vbd.executes <= ANOTHER && vbd.core.nr_taken < ~0ull);
	given(holds(&vbd));
	return vbd;
}

/* A vbd in which ring 0 takes a step. */
static struct vbd any_vbd_served(void)
{
	struct vbd vbd = any_vbd();

	given(vbd.ring[0].joined);
	return vbd;
}

/* ---- steps of ring 0 ---------------------------------------------------- */

void the_first_ring_finds_all_in_order(void)
{
	struct vbd vbd = { .executes = NOBODY };

	require(holds(&vbd));
	vbd.ring[0].joined = true;
	xenvbd_order_join(&vbd.core, &vbd.ring[0].core, any(u8) % XENVBD_ORDER_MAX_RINGS);
	vbd.ring[1].core.index = vbd.ring[2].core.index = vbd.ring[0].core.index ^ 1;
	require(holds(&vbd));
}

void a_ring_that_joins_holds_up_nobody(void)
{
	struct vbd vbd = any_vbd();
	struct xenvbd_order before = vbd.core;

	given(!vbd.ring[0].joined);
	vbd.ring[0].joined = true;
	xenvbd_order_join(&vbd.core, &vbd.ring[0].core, vbd.ring[0].core.index);
	require(holds(&vbd));
	require(vbd.core.busy == before.busy);
}

void a_ring_that_leaves_is_waited_for_no_more(void)
{
	struct vbd vbd = any_vbd_served();
	struct xenvbd_order before = vbd.core;
	u64 kicks;

	given(!vbd.ring[0].core.nr_writes && !vbd.ring[0].core.nr_parked && vbd.executes != 0);
	vbd.ring[0].joined = false;
	kicks = xenvbd_order_leave(&vbd.core, &vbd.ring[0].core);
	require(holds(&vbd));
	require(implies(before.busy && !vbd.core.busy, kicks == before.waiting));
}

void a_ring_may_look_at_any_time(void)
{
	struct vbd vbd = any_vbd_served();

	xenvbd_order_look(&vbd.core, &vbd.ring[0].core);
	require(holds(&vbd));
	require(vbd.ring[0].core.turn == order_turn(&vbd.core));
}

void a_write_is_taken_in_order(void)
{
	struct vbd vbd = any_vbd_served();
	struct ring *ring = &vbd.ring[0];
	bool barrier = any_bool(), first = !ring->core.nr_parked;
	u64 turn = order_turn(&vbd.core), number, kicks = 0;

	if (xenvbd_order_admit(&ring->core, barrier)) {
		require(!barrier && first && vbd.executes == NOBODY);
	} else {
		kicks = xenvbd_order_park(&vbd.core, &ring->core, barrier, &number);
		require(number == vbd.core.nr_taken);
		if (first) {
			ring->number = number;
			ring->barrier = barrier;
		}
	}
	require(holds(&vbd));
	/* All hear of the first barrier. */
	require(kicks == (barrier && !turn ? vbd.core.rings : 0));
}

/* The next one that is parked was taken later. */
static void pop(struct vbd *vbd, struct ring *ring)
{
	u64 last = ring->number;

	ring->number = any(u64);
	ring->barrier = any_bool();
	given(ring->number >= last + ring->barrier);
	given(parked_holds(vbd, ring) && pairs_hold(vbd));
}

void a_parked_write_starts_in_order(void)
{
	struct vbd vbd = any_vbd_served();
	struct ring *ring = &vbd.ring[0];
	u64 number = ring->number;
	unsigned int r;

	given(ring->core.nr_parked);
	if (!xenvbd_order_try(&vbd.core, &ring->core, ring->barrier, number)) {
		require(holds(&vbd));
		return;
	}
	require(vbd.executes == NOBODY);
	if (ring->barrier) {
		/* Alone, in its turn, and after all writes from before. */
		require(number == vbd.core.nr_done + 1);
		for (r = 0; r < NR_RINGS; r++) {
			require(vbd.ring[r].core.nr_writes == (r == 0));
			require(implies(r && vbd.ring[r].core.nr_parked,
					vbd.ring[r].number >= number));
		}
		vbd.executes = 0;
	}
	pop(&vbd, ring);
	require(holds(&vbd));
}

void a_write_may_be_done_at_any_time(void)
{
	struct vbd vbd = any_vbd_served();
	u32 nr_writes = vbd.ring[0].core.nr_writes;

	given(nr_writes && vbd.executes != 0);
	xenvbd_order_write_done(&vbd.ring[0].core);
	require(holds(&vbd));
	require(vbd.ring[0].core.nr_writes == nr_writes - 1);
}

/* When the ring has started what it can. */
void a_ring_that_settles_is_busy_no_more(void)
{
	struct vbd vbd = any_vbd_served(), before;
	struct ring *ring = &vbd.ring[0];
	u64 kicks;

	given(implies(ring->core.nr_parked,
		      !xenvbd_order_try(&vbd.core, &ring->core, ring->barrier, ring->number)));
	before = vbd;
	kicks = xenvbd_order_settle(&vbd.core, &ring->core);
	require(holds(&vbd));
	require(implies(!ring->core.nr_writes && ring->core.turn == order_turn(&vbd.core),
			!is_in(vbd.core.busy, ring)));
	/* Who is the last one tells the ring that waits. */
	require(kicks == (before.core.busy && !vbd.core.busy ? vbd.core.waiting : 0));
}

void the_next_barrier_has_its_turn_when_one_is_done(void)
{
	struct vbd vbd = any_vbd_served();
	u64 done = vbd.core.nr_done, kicks;

	given(vbd.executes == 0);
	vbd.executes = NOBODY;
	kicks = xenvbd_order_barrier_done(&vbd.core, &vbd.ring[0].core);
	require(holds(&vbd));
	require(vbd.core.nr_done == done + 1 && kicks == vbd.core.rings);
}
