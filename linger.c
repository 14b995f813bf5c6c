// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before a ring's thread goes to sleep: should it stay awake a little? To sleep,
 * be sent an event, and be woken takes longer than some work takes to come.
 */
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <xen/xen.h>

#include "linger.h"
#include "ring.h"

/* The shortest time that is worth trying. */
#define POLL_MIN_NS	1000

/*
 * Where the frontend is in this very domain it may need our CPU to fill the
 * ring. If we sleep after each pass, its first request wakes us, we take the CPU
 * from it, and serve requests one by one. So stay runnable and let it go first,
 * once; what it adds meanwhile costs neither event nor wakeup. Not for guests:
 * whoever else wants this CPU would make them wait.
 */
static bool let_frontend_run(const struct xenvbd_ring *ring)
{
	if (likely(ring->domid || !xen_initial_domain()) || single_task_running())
		return false;
	yield();
	return true;
}

static bool has_news(struct xenvbd_ring *ring)
{
	return xenvbd_sring_pending(&ring->sring) || !llist_empty(&ring->done) ||
	       READ_ONCE(ring->poked);
}

/*
 * Wait busily: twice as long as the last time if work came again within what may
 * be waited for, half as long otherwise. Nobody who wants this CPU has to wait for
 * it. The frontend sends no event meanwhile, because it has not been asked for one.
 */
static bool poll(struct xenvbd_ring *ring, u64 max_ns)
{
	u64 begin = local_clock();
	bool soon = begin - ring->poll_begin <= max_ns;
	bool found;

	ring->poll_ns = clamp_t(u64, soon ? ring->poll_ns * 2 : ring->poll_ns / 2,
				POLL_MIN_NS, max_ns);
	ring->poll_begin = begin;
	while (!(found = has_news(ring)) && single_task_running() && !need_resched() &&
	       local_clock() - begin < ring->poll_ns)
		cpu_relax();
	xenvbd_stat_inc(found ? &ring->stats.polls_hit : &ring->stats.polls_missed);
	return found;
}

/**
 * xenvbd_ring_linger - wait awake for more work
 * @ring: has found none just now
 *
 * Context: the ring's thread.
 * Return: true if it is worth looking for work again before sleeping.
 */
bool xenvbd_ring_linger(struct xenvbd_ring *ring)
{
	u64 max_ns = (u64)READ_ONCE(ring->vbd->polling_us) * NSEC_PER_USEC;

	return let_frontend_run(ring) || (unlikely(max_ns) && poll(ring, max_ns));
}
