// SPDX-License-Identifier: GPL-2.0-only
/*
 * Busy-poll briefly before sleeping: an event and a wakeup can cost more than
 * waiting for the next request.
 */
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <xen/xen.h>

#include "common.h"

/* The shortest time that is worth trying, and the longest. */
#define POLL_MIN_NS	(1 * NSEC_PER_USEC)
#define POLL_MAX_NS	(XENVBD_MAX_POLLING_US * NSEC_PER_USEC)

/*
 * A frontend that is in this very domain may need our CPU to fill the
 * ring. If we sleep after each pass, its first request wakes us, we take the
 * CPU from it, and serve requests one by one. So stay runnable and let the
 * frontend go first, once; what it adds meanwhile costs neither event nor wakeup.
 * Not for guests: anybody who wants this CPU would make them wait.
 */
static bool poll_let_frontend_run(const struct xenvbd_ring *ring)
{
	if (likely(ring->domid || !xen_initial_domain()) ||
	    single_task_running())
		return false;
	yield();
	return true;
}

static bool poll_found(struct xenvbd_ring *ring)
{
	return xenvbd_sring_pending(&ring->sring) ||
	       !llist_empty(&ring->wake.done) || READ_ONCE(ring->wake.kicked);
}

/*
 * Poll for requests, as long as has paid lately, and only while nobody else
 * wants this CPU. The frontend sends no event meanwhile, because it has not been
 * asked for one. The disk is not polled: its interrupt comes in any case.
 */
static bool poll_ring(struct xenvbd_ring *ring, u64 max_ns)
{
	u64 ns = clamp_t(u64, ring->poll.ns, POLL_MIN_NS, max_ns);
	bool found;

	if (xenvbd_sring_inflight(&ring->sring))
		return false;
	ring->poll.begin = local_clock();
	while (!(found = poll_found(ring)) && single_task_running() &&
	       !need_resched() && local_clock() - ring->poll.begin < ns)
		cpu_relax();
	xenvbd_stat_inc(found ? &ring->stats.polls_hit :
				&ring->stats.polls_missed);
	return found;
}

/**
 * xenvbd_poll_adjust - work has come
 * @ring: has polled for it, or tried to
 *
 * If it came within the time that polling may take, the next polling lasts
 * twice as long, otherwise half as long.
 *
 * Context: the ring's thread.
 */
void xenvbd_poll_adjust(struct xenvbd_ring *ring)
{
	u64 max_ns =
		(u64)READ_ONCE(ring->vbd->tunables.polling_us) * NSEC_PER_USEC;
	bool pays = local_clock() - ring->poll.begin <= max_ns;

	ring->poll.ns = clamp_t(u64,
				pays ? ring->poll.ns * 2 : ring->poll.ns / 2,
				POLL_MIN_NS, POLL_MAX_NS);
	ring->poll.begin = 0;
}

/**
 * xenvbd_poll - wait for more work without sleeping
 * @ring: has found none just now
 *
 * Context: the ring's thread.
 * Return: true if it is worth looking for work again before sleeping.
 */
bool xenvbd_poll(struct xenvbd_ring *ring)
{
	u64 max_ns =
		(u64)READ_ONCE(ring->vbd->tunables.polling_us) * NSEC_PER_USEC;

	return poll_let_frontend_run(ring) ||
	       (unlikely(max_ns) && poll_ring(ring, max_ns));
}
