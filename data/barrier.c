// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds writes up: barriers, and flushes that failed.
 *
 * A barrier orders the writes of all rings of a vbd; "write" is here whatever
 * is not a read. A barrier has to be alone, and data/turn.c says whose turn it is.
 */
#include "common.h"
#include "data/io.h"

/*
 * For how long it is hidden that flushes fail, and after what time they are tried
 * again. Less than the 20 seconds after which the freezer of a Linux guest gives up.
 */
#define FLUSH_PATIENCE	(15 * HZ)
#define FLUSH_PAUSE	HZ

static bool barrier_is(const struct xenvbd_req *req)
{
	return req->op == BLKIF_OP_WRITE_BARRIER;
}

/* The next flush that fails is the first one. */
static void barrier_forget(struct xenvbd_barrier *barrier)
{
	barrier->hide_until = 0;
	barrier->shows = false;
}

/**
 * xenvbd_barrier_join - a ring begins to be served
 * @ring: the ring
 *
 * Context: its thread.
 */
void xenvbd_barrier_join(struct xenvbd_ring *ring)
{
	/* Perhaps with another disk. */
	barrier_forget(&ring->barrier);
	xenvbd_turn_join(ring, &ring->vbd->barriers, &ring->barrier.turn);
}

/**
 * xenvbd_barrier_leave - a ring is not served any more
 * @ring: joined, and drained
 *
 * Context: its thread.
 */
void xenvbd_barrier_leave(struct xenvbd_ring *ring)
{
	xenvbd_turn_leave(ring, &ring->vbd->barriers, &ring->barrier.turn);
}

/**
 * xenvbd_barrier_admit - may a write that was just taken be started?
 * @ring: the ring
 * @req: anything but a read, which passes whatever holds up the others
 *
 * Return: true if @req may start; it is counted until xenvbd_barrier_done().
 * Otherwise @req was parked, as all later writes of the ring will be.
 */
bool xenvbd_barrier_admit(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_turn *turn = &ring->barrier.turn;

	if (likely(xenvbd_order_admit(&turn->order, barrier_is(req))))
		return true;
	xenvbd_turn_park(ring, &ring->vbd->barriers, turn, req,
			 barrier_is(req));
	return false;
}

/**
 * xenvbd_barrier_look - look which barrier has its turn
 * @ring: was kicked
 *
 * What the ring has taken before it hears of a new barrier counts as before it.
 */
void xenvbd_barrier_look(struct xenvbd_ring *ring)
{
	xenvbd_turn_look(&ring->vbd->barriers, &ring->barrier.turn);
}

/* Give the disk once more what it has failed. */
static void barrier_resubmit(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	req->status = BLK_STS_OK;
	req->failed_flush = false;
	req->refused_flush = false;
	if (likely(!ring->limits.emulate) || xenvbd_rmw_admit(ring, req))
		xenvbd_io_submit(req);
}

/* Try those flushes again that have failed. */
static void barrier_retry(struct xenvbd_ring *ring)
{
	struct xenvbd_barrier *barrier = &ring->barrier;
	struct xenvbd_req_list failed = barrier->failed;

	barrier->failed.first = NULL;
	while (failed.first)
		barrier_resubmit(ring, xenvbd_req_list_pop(&failed));
}

/**
 * xenvbd_barrier_pass - do in a pass what is due
 * @ring: not xenvbd_barrier_idle()
 */
void xenvbd_barrier_pass(struct xenvbd_ring *ring)
{
	struct xenvbd_barrier *barrier = &ring->barrier;

	/* While it stops nothing may take long. */
	if (barrier->failed.first && (READ_ONCE(ring->wake.draining) ||
				      time_after_eq(jiffies, barrier->retry_at)))
		barrier_retry(ring);
	if (!xenvbd_order_idle(&barrier->turn.order))
		xenvbd_turn_pass(ring, &ring->vbd->barriers, &barrier->turn,
				 barrier_is, &ring->todo);
}

/* A flush has failed. Is it time to show that to the guest? */
static bool barrier_shows(struct xenvbd_barrier *barrier)
{
	/* Never 0, which says that all is well. */
	if (!barrier->hide_until)
		barrier->hide_until = (jiffies + FLUSH_PATIENCE - 1) | 1;
	if (time_after_eq(jiffies, barrier->hide_until))
		barrier->shows = true;
	return barrier->shows;
}

/*
 * Put a failed flush aside, to try it again. Linux frontends take any error of
 * a flush for "not supported": fsync() would from then on succeed without a
 * flush. So an error that passes must not be shown. An error that stays is shown,
 * and then each further one at once, until a flush succeeds. What frontends should
 * do is in Documentation/upstream.rst.
 */
static bool barrier_retry_later(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_barrier *barrier = &ring->barrier;

	if (READ_ONCE(ring->wake.draining) ||
	    xenvbd_disk_vanished(&ring->vbd->disk) || barrier_shows(barrier))
		return false;
	if (!barrier->failed.first)
		barrier->retry_at = jiffies + FLUSH_PAUSE;
	xenvbd_req_list_add(&barrier->failed, req);
	return true;
}

/*
 * The disk does not know flushes, or not FUA. Without data that is
 * the answer. Data has to be written all the same: Linux frontends take "not
 * supported" for a barrier that is written. False if there is no more to try.
 */
static bool barrier_refused(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	/* A guest that goes on with barriers does not keep the work item busy. */
	if (!READ_ONCE(ring->vbd->disk.no_flush))
		xenvbd_wake_work(ring, XENVBD_EVENT_NO_FLUSH);
	if (!req->nr_segs || req->plain)
		return false;
	req->plain = true;
	barrier_resubmit(ring, req);
	return true;
}

/**
 * xenvbd_barrier_done - the disk is done with a write
 * @ring: the ring
 * @req: admitted
 *
 * Context: the ring's thread, which sleeps while the disk's queue is full; for a
 * plain write that is well, any owner of the ring.
 * Return: false if it will be done once more.
 */
bool xenvbd_barrier_done(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_barrier *barrier = &ring->barrier;

	if (unlikely(req->refused_flush) && barrier_refused(ring, req))
		return false;
	if (unlikely(req->failed_flush) && barrier_retry_later(ring, req))
		return false;
	if (unlikely(barrier->hide_until) && req->status == BLK_STS_OK &&
	    xenvbd_req_flushes(req))
		barrier_forget(barrier);
	if (unlikely(barrier_is(req)))
		xenvbd_turn_done(ring, &ring->vbd->barriers, &barrier->turn);
	else
		xenvbd_order_write_done(&barrier->turn.order);
	return true;
}

/**
 * xenvbd_barrier_timeout - how long may a ring sleep?
 * @barrier: the ring's part
 * @timeout: for other reasons, in jiffies
 *
 * Return: jiffies; no longer than until failed flushes are to be tried again.
 */
long xenvbd_barrier_timeout(const struct xenvbd_barrier *barrier, long timeout)
{
	if (likely(!barrier->failed.first))
		return timeout;
	return clamp_t(long, barrier->retry_at - jiffies, 1, timeout);
}
