// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before a ring's thread goes to sleep: should it stay awake a little? To sleep,
 * be sent an event, and be woken takes longer than some work takes to come.
 */
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <xen/xen.h>

#include "data/poll.h"
#include "core/sring.h"

/* The shortest time that is worth trying, and the longest. */
#define POLL_MIN_NS	(1 * NSEC_PER_USEC)
#define POLL_MAX_NS	(XENVBD_MAX_POLLING_US * NSEC_PER_USEC)

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
 * Wait busily for the frontend, as long as has paid lately. Nobody who wants this CPU
 * has to wait for it. The frontend sends no event meanwhile, because it has not been
 * asked for one. Not for the disk: its interrupt comes in any case.
 */
static bool poll(struct xenvbd_ring *ring, u64 max_ns)
{
	u64 ns = clamp_t(u64, ring->poll_ns, POLL_MIN_NS, max_ns);
	bool found;

	if (xenvbd_sring_inflight(&ring->sring))
		return false;
	ring->poll_begin = local_clock();
	while (!(found = has_news(ring)) && single_task_running() && !need_resched() &&
	       local_clock() - ring->poll_begin < ns)
		cpu_relax();
	xenvbd_stat_inc(found ? &ring->stats.polls_hit : &ring->stats.polls_missed);
	return found;
}

/**
 * xenvbd_ring_waited - work has come
 * @ring: has waited busily for it, or tried to
 *
 * If it came within what may be waited for, the next wait is twice as long,
 * otherwise half as long.
 *
 * Context: the ring's thread.
 */
void xenvbd_ring_waited(struct xenvbd_ring *ring)
{
	u64 max_ns = (u64)READ_ONCE(ring->vbd->polling_us) * NSEC_PER_USEC;
	bool pays = local_clock() - ring->poll_begin <= max_ns;

	ring->poll_ns = clamp_t(u64, pays ? ring->poll_ns * 2 : ring->poll_ns / 2,
				POLL_MIN_NS, POLL_MAX_NS);
	ring->poll_begin = 0;
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
