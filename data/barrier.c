// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds writes up: barriers, and flushes that failed.
 *
 * A barrier orders the writes of all rings of a vbd; "write" is here whatever
 * is not a read. It is numbered when it is taken, and has its turn when no
 * older one is left. Then
 *
 * 1. each ring that hears of it parks the writes it takes. Those it has taken
 *    before it starts and completes, and is not busy any more;
 * 2. when no ring is busy, the one with the barrier executes it;
 * 3. when that is done the next barrier has its turn, or, if there is none,
 *    the rings hear of that and start what they have parked.
 *
 * So rings tell each other by messages. As long as there is no barrier nobody
 * looks at what they share, and a ring with a barrier sleeps while it waits.
 */
#include "blkback.h"
#include "data/barrier.h"
#include "data/io.h"

/* How often a flush is tried again that has failed, and after what time. */
#define FLUSH_RETRIES	30
#define FLUSH_PAUSE	HZ

/**
 * xenvbd_gate_init - prepare the gate of a new vbd
 * @gate: open, and without rings
 */
void xenvbd_gate_init(struct xenvbd_gate *gate)
{
	spin_lock_init(&gate->lock);
	INIT_LIST_HEAD(&gate->rings);
}

/* It is the oldest barrier's turn, or none's; tell all rings. */
static void gate_next(struct xenvbd_gate *gate)
{
	struct xenvbd_ring *ring;

	lockdep_assert_held(&gate->lock);

	gate->turn = 0;
	list_for_each_entry(ring, &gate->rings, gate_rings) {
		if (!ring->gate_turn || (gate->turn && gate->turn < ring->gate_turn))
			continue;
		gate->turn = ring->gate_turn;
		gate->owner = ring;
	}
	gate->nr_busy = 0;
	list_for_each_entry(ring, &gate->rings, gate_rings) {
		ring->gate_busy = gate->turn;
		gate->nr_busy += ring->gate_busy;
		xenvbd_ring_poke(ring);
	}
}

/* No write from before the barrier is left in the ring. */
static void gate_not_busy(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	lockdep_assert_held(&gate->lock);

	if (!ring->gate_busy)
		return;
	ring->gate_busy = false;
	if (!--gate->nr_busy)
		xenvbd_ring_poke(gate->owner);
}

/**
 * xenvbd_gate_join - a ring begins to be served
 * @ring: the ring
 *
 * Context: its thread.
 */
void xenvbd_gate_join(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	ring->parked_tail = &ring->parked;
	spin_lock(&gate->lock);
	list_add_tail(&ring->gate_rings, &gate->rings);
	/* It holds up nobody, but a barrier may hold it up. */
	xenvbd_ring_poke(ring);
	spin_unlock(&gate->lock);
}

/**
 * xenvbd_gate_leave - a ring is not served any more
 * @ring: joined, and drained: it has no barrier any more
 *
 * Context: its thread.
 */
void xenvbd_gate_leave(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	spin_lock(&gate->lock);
	list_del(&ring->gate_rings);
	gate_not_busy(ring);
	spin_unlock(&gate->lock);
}

/**
 * xenvbd_gate_admit - may a write that was just taken be started?
 * @ring: the ring
 * @req: anything but a read, which passes whatever holds up the others
 *
 * Return: true if so, and then it counts until xenvbd_gate_done(). Otherwise
 * it was put aside, and all that will come behind it is, too.
 */
bool xenvbd_gate_admit(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	if (likely(!ring->turn && !ring->parked && req->op != BLKIF_OP_WRITE_BARRIER)) {
		ring->nr_writes++;
		return true;
	}

	*ring->parked_tail = req;
	ring->parked_tail = &req->next;
	spin_lock(&gate->lock);
	if (req->op == BLKIF_OP_WRITE_BARRIER) {
		gate->nr_turns++;
		if (!ring->gate_turn)
			ring->gate_turn = gate->nr_turns;
		if (!gate->turn)
			gate_next(gate);
	}
	req->turn = gate->nr_turns;
	spin_unlock(&gate->lock);
	return false;
}

/* May a parked request be started now? If not the ring is poked when it may. */
static bool gate_lets_in(struct xenvbd_ring *ring, const struct xenvbd_req *req)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;
	bool enter;

	if (req->op != BLKIF_OP_WRITE_BARRIER)
		return !ring->turn || req->turn < ring->turn;

	spin_lock(&gate->lock);
	enter = gate->turn == req->turn && !gate->nr_busy;
	spin_unlock(&gate->lock);
	return enter;
}

/* Let go, in order, what does not have to wait any more. */
static void unpark(struct xenvbd_ring *ring)
{
	struct xenvbd_req *req;

	while ((req = ring->parked) && gate_lets_in(ring, req)) {
		ring->parked = req->next;
		if (!ring->parked)
			ring->parked_tail = &ring->parked;
		req->next = NULL;
		*ring->todo_tail = req;
		ring->todo_tail = &req->next;
		ring->nr_writes++;
	}
}

/**
 * xenvbd_gate_heed - look what the other rings are up to
 * @ring: was poked
 *
 * What it has taken before it hears of a new turn counts as before it.
 */
void xenvbd_gate_heed(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	spin_lock(&gate->lock);
	ring->turn = gate->turn;
	spin_unlock(&gate->lock);
}

/* Try those flushes again that have failed. */
static void retry_failed(struct xenvbd_ring *ring)
{
	struct xenvbd_req *next, *req = ring->failed;

	ring->failed = NULL;
	for (; req; req = next) {
		next = req->next;
		req->status = BLK_STS_OK;
		req->failed_flush = false;
		xenvbd_io_submit(req);
	}
}

/**
 * xenvbd_gate_pass - do in a pass what there is to do for the gate
 * @ring: not xenvbd_gate_idle()
 */
void xenvbd_gate_pass(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;

	/* While it stops nothing may take long. */
	if (ring->failed && (READ_ONCE(ring->draining) || time_after_eq(jiffies, ring->retry_at)))
		retry_failed(ring);
	unpark(ring);
	if (!ring->turn || ring->nr_writes)
		return;

	spin_lock(&gate->lock);
	if (gate->turn == ring->turn)
		gate_not_busy(ring);
	spin_unlock(&gate->lock);
}

static void barrier_done(struct xenvbd_ring *ring)
{
	struct xenvbd_gate *gate = &ring->vbd->gate;
	struct xenvbd_req *next = ring->parked;

	while (next && next->op != BLKIF_OP_WRITE_BARRIER)
		next = next->next;

	spin_lock(&gate->lock);
	ring->gate_turn = next ? next->turn : 0;
	gate_next(gate);
	spin_unlock(&gate->lock);
}

/*
 * Put a failed flush aside, to try it again. Linux frontends take any error of
 * a flush for "not supported": fsync() would succeed, now and for ever, without
 * one. So an error that passes must not be shown. One that stays is, and then
 * each further one at once, until a flush succeeds.
 */
static bool retry_later(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	if (READ_ONCE(ring->draining) || ring->nr_retries == FLUSH_RETRIES ||
	    xenvbd_disk_vanished(&ring->vbd->disk))
		return false;
	if (!ring->failed) {
		ring->nr_retries++;
		ring->retry_at = jiffies + FLUSH_PAUSE;
	}
	req->next = ring->failed;
	ring->failed = req;
	return true;
}

/**
 * xenvbd_gate_done - the disk is done with a write
 * @ring: the ring
 * @req: admitted
 *
 * Return: false if it was put aside, and will be done once more.
 */
bool xenvbd_gate_done(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	if (unlikely(req->failed_flush) && retry_later(ring, req))
		return false;
	ring->nr_writes--;
	if (unlikely(ring->nr_retries) && req->status == BLK_STS_OK && xenvbd_req_flushes(req))
		ring->nr_retries = 0;
	if (unlikely(req->op == BLKIF_OP_WRITE_BARRIER))
		barrier_done(ring);
	return true;
}

/**
 * xenvbd_gate_timeout - how long may a ring sleep?
 * @ring: the ring
 * @timeout: for other reasons, in jiffies
 *
 * Return: jiffies; no longer if it is for the gate only.
 */
long xenvbd_gate_timeout(const struct xenvbd_ring *ring, long timeout)
{
	if (likely(!ring->failed))
		return timeout;
	return clamp_t(long, ring->retry_at - jiffies, 1, timeout);
}
