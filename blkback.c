// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data path, in the order of a request's life:
 *
 *   guest -> xenvbd_wake_irq() -> xenvbd_ring_serve() -> ring_pass()
 *         -> ring_take(): fetch, decode, check
 *         -> ring_start(): map or copy, submit bios
 *   disk  -> xenvbd_wake_complete()
 *         -> xenvbd_answer_all(), or xenvbd_answer_now() while the thread
 *            sleeps: unmap or copy, respond
 *         -> xenvbd_answer_push(): show responses, notify -> guest
 *
 * One thread serves a ring. While there is work its event channel stays masked,
 * and one loop takes new requests and gives back finished ones. A pass is the
 * unit of cost: one push of responses, at most one event, and few hypercalls if
 * there are many requests; and one push more each time the disk's queue was full.
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <xen/events.h>

#include "common.h"
#include "data/answer.h"
#include "data/io.h"
#include "trace.h"

/* When to try again if nothing else says when. */
#define RETRY_JIFFIES	max(HZ / 100, 1)
/*
 * Up to so many requests go to the disk one by one, more in groups of so many, for
 * which the block layer allocates at once. More are seldom found free side by side
 * in the tags of a disk of depth 64.
 */
#define PLUG_IOS	8U

/* ---- from the ring to the disk ------------------------------------------ */

/* The guest has lost the right to be served; the work item reports why. */
static void ring_break(struct xenvbd_ring *ring)
{
	ring->broken = true;
	xenvbd_wake_work(ring, XENVBD_EVENT_BROKEN);
}

/*
 * A refused request costs the guest nothing, and this domain its time. A ring with
 * so many more of them than of good ones is looked at only now and then.
 */
static bool ring_pauses(const struct xenvbd_ring *ring)
{
	return unlikely(ring->nr_refused >= 2 * ring->sring.nr_ents);
}

/* The guest has asked for so many things that it may not have, or cannot. */
static void ring_refused(struct xenvbd_ring *ring, unsigned int nr)
{
	ring->nr_refused += nr;
	if (ring_pauses(ring))
		ring->pause_until = jiffies + RETRY_JIFFIES;
}

static void ring_log_refusal(struct xenvbd_ring *ring,
			     const struct xenvbd_cmd *cmd,
			     enum xenvbd_reason reason)
{
	if (__ratelimit(&ring->vbd->refusals))
		dev_warn(&ring->vbd->xbdev->dev,
			 "%s: refused operation %u%s, sector %llu, %u segments: %s\n",
			 ring->name, cmd->op, cmd->indirect ? " (indirect)" : "",
			 cmd->sector, cmd->nr_segs, xenvbd_reason_str(reason));
}

/*
 * Would a refused command have been good if the disk were still as it was advertised?
 * Then it is no fault of the guest, who cannot know better. All of this but the size
 * changes only while no ring is served.
 */
static bool ring_was_good(const struct xenvbd_ring *ring, struct xenvbd_cmd *cmd)
{
	const struct xenvbd_advertised *advertised = &ring->vbd->advertised;
	struct xenvbd_limits limits = ring->limits;

	limits.nr_sects = READ_ONCE(advertised->sects);
	if (!limits.emulate)
		limits.align_sects = advertised->disk.block_size >> SECTOR_SHIFT;
	limits.readonly = advertised->disk.readonly;
	limits.discard = advertised->disk.discard;
	return xenvbd_validate(cmd, &limits) == XENVBD_REASON_NONE;
}

/*
 * Check a command, as far as it is known. Counts it when it is known to be
 * good.
 */
static blk_status_t ring_check(struct xenvbd_ring *ring, struct xenvbd_cmd *cmd)
{
	enum xenvbd_reason reason = xenvbd_validate(cmd, &ring->limits);

	if (unlikely(reason)) {
		trace_xenvbd_refuse(ring, cmd, reason);
		ring_log_refusal(ring, cmd, reason);
		if (!ring_was_good(ring, cmd))
			ring_refused(ring, 1);
		return xenvbd_reason_status(reason);
	}
	if (cmd->indirect && !cmd->seg)
		return BLK_STS_OK;
	xenvbd_stats_count(&ring->stats, cmd->op, cmd->nr_sects);
	if (unlikely(ring->nr_refused))
		ring->nr_refused--;
	return BLK_STS_OK;
}

/* Now that the segments of an INDIRECT request are here: check them. */
static void ring_check_fetched(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_cmd cmd = {
		.id = req->id,
		.sector = req->sector,
		.seg = xenvbd_req_segs(req),
		.nr_segs = req->nr_segs,
		.op = req->op,
		.indirect = true,
	};

	if (req->status == BLK_STS_OK)
		req->status = ring_check(ring, &cmd);
	else
		ring_refused(ring, 1);
	req->nr_sects = cmd.nr_sects;
	req->segs = XENVBD_SEGS_CHECKED;
	if (req->status != BLK_STS_OK)
		req->nr_segs = 0;
}

/* Fetch the segments of those INDIRECT requests that wait for theirs. */
static void ring_fetch(struct xenvbd_ring *ring)
{
	struct xenvbd_req *first = NULL;
	struct xenvbd_req *req, *end;
	unsigned int nr_segs = 0;

	for (end = ring->todo.first; end; end = end->next) {
		/* No more than can be started next: what waits takes memory. */
		if (nr_segs && nr_segs + end->nr_segs > XENVBD_BATCH_GRANTS)
			break;
		nr_segs += end->nr_segs;
		if (likely(end->segs != XENVBD_SEGS_WANTED))
			continue;
		if (!end->big && !xenvbd_req_enlarge(end)) {
			WRITE_ONCE(ring->starved, XENVBD_NO_MEMORY);
			break;
		}
		if (!xenvbd_copy_add_fetch(ring, end))
			break;
		if (!first)
			first = end;
	}
	if (likely(!first))
		return;
	xenvbd_copy_fetch(ring, first);
	for (req = first; req != end; req = req->next)
		if (req->segs == XENVBD_SEGS_FETCHED)
			ring_check_fetched(ring, req);
}

/* Its grants are wrong; or its segments, and then none is left. */
static void ring_fail(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	/* As bad as a request that is refused, and it was counted as a good one. */
	if (req->nr_segs)
		ring_refused(ring, 2);
	xenvbd_wake_complete(req);
}

/* Hand over one request. True if the thread has slept for that. */
static bool ring_submit_one(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	unsigned long nr_sleeps = current->nvcsw;

	trace_xenvbd_submit(ring, req);
	if (unlikely(req->op == BLKIF_OP_DISCARD))
		xenvbd_discard_add(&ring->discards, req);
	else if (unlikely(req->status != BLK_STS_OK))
		ring_fail(ring, req);
	else
		xenvbd_io_submit(req);
	return unlikely(current->nvcsw != nr_sleeps);
}

/*
 * The thread has slept for a place in the disk's queue. What the disk has
 * finished meanwhile must not wait for all that is still to be handed over.
 */
static void ring_answer_early(struct xenvbd_ring *ring)
{
	if (xenvbd_answer_all(ring))
		xenvbd_answer_push(ring);
}

static void ring_submit_many(struct xenvbd_ring *ring, struct xenvbd_req *req,
			     unsigned int nr)
{
	struct xenvbd_req *next;
	struct blk_plug plug;
	unsigned int i;

	blk_start_plug(&plug);
	for (i = 0; req; i++, req = next) {
		if (i % PLUG_IOS == 0)
			plug.nr_ios = min(nr - i, PLUG_IOS);
		next = req->next;
		/*
		 * Not whenever something is done: where the disk completes
		 * requests inside submit_bio() they are answered together.
		 */
		if (!ring_submit_one(ring, req))
			continue;
		/* What was handed over does not wait for the answers. */
		blk_finish_plug(&plug);
		ring_answer_early(ring);
		blk_start_plug(&plug);
	}
	blk_finish_plug(&plug);
}

/*
 * Hand requests to the disk. Several go under one plug: the block layer then merges
 * them, and allocates for several at once.
 */
static void ring_submit(struct xenvbd_ring *ring, struct xenvbd_req *req,
			unsigned int nr)
{
	if (nr > 1)
		ring_submit_many(ring, req, nr);
	else if (nr && ring_submit_one(ring, req))
		ring_answer_early(ring);
}

/* Those that could not be mapped just now go first the next time. Their number. */
static unsigned int ring_put_back(struct xenvbd_ring *ring,
				  struct xenvbd_req_list *started)
{
	struct xenvbd_req_list back = {}, rest = {};
	struct xenvbd_req *req;
	unsigned int nr = 0;

	while (started->first) {
		req = xenvbd_req_list_pop(started);
		if (req->status != BLK_STS_RESOURCE) {
			xenvbd_req_list_add(&rest, req);
			continue;
		}
		req->status = BLK_STS_OK;
		xenvbd_req_list_add(&back, req);
		nr++;
	}
	*started = rest;
	while (ring->todo.first)
		xenvbd_req_list_add(&back, xenvbd_req_list_pop(&ring->todo));
	ring->todo = back;
	return nr;
}

/* Start what was taken, in order, as much as one batch holds. */
static bool ring_start(struct xenvbd_ring *ring)
{
	struct xenvbd_req_list started = {};
	struct xenvbd_req *req;
	unsigned int nr = 0;

	if (!ring->todo.first)
		return false;

	WRITE_ONCE(ring->starved, NULL);
	ring_fetch(ring);
	while ((req = ring->todo.first) && req->segs == XENVBD_SEGS_CHECKED) {
		if (!xenvbd_pages_reserve(ring, req))
			break;
		xenvbd_req_list_pop(&ring->todo);
		xenvbd_pages_add(ring, req);
		xenvbd_req_list_add(&started, req);
		nr++;
	}
	if (!nr)
		return false;

	if (unlikely(!xenvbd_pages_map(ring, started.first)))
		nr -= ring_put_back(ring, &started);
	if (unlikely(ring->limits.emulate))
		nr = xenvbd_rmw_admit_all(ring, &started);
	ring_submit(ring, started.first, nr);
	return true;
}

/* Take one request from the ring. A bad one is answered at once. */
static void ring_take_one(struct xenvbd_ring *ring)
{
	struct xenvbd_slot slot;
	struct xenvbd_cmd cmd;
	struct xenvbd_req *req;
	blk_status_t status;

	xenvbd_sring_fetch(&ring->sring, &slot);
	xenvbd_cmd_decode(&cmd, &slot, ring->sring.abi);
	status = ring_check(ring, &cmd);
	if (unlikely(status != BLK_STS_OK)) {
		xenvbd_stat_inc(&ring->stats.err_req);
		xenvbd_sring_respond(&ring->sring, cmd.id, cmd.op, status);
		return;
	}

	req = xenvbd_req_get(ring, &cmd);
	trace_xenvbd_take(ring, req);
	if (req->op != BLKIF_OP_READ && !xenvbd_barrier_admit(ring, req))
		return;
	xenvbd_req_list_add(&ring->todo, req);
}

/*
 * Follow the disk. The work item advertises its size, and has to hear of a
 * change; what else has changed it sees soon enough.
 */
static void ring_look_at_disk(struct xenvbd_ring *ring)
{
	u64 nr_sects;

	if (unlikely(!ring->bdev))
		return;
	xenvbd_disk_limit(&ring->vbd->disk, &ring->limits);
	nr_sects = xenvbd_bdev_sects(ring->bdev);
	if (likely(nr_sects == ring->limits.nr_sects) || ring->vanished)
		return;
	ring->vanished = xenvbd_disk_vanished(&ring->vbd->disk);
	if (!ring->vanished)
		ring->limits.nr_sects = nr_sects;
	xenvbd_wake_work(ring, XENVBD_EVENT_RESIZE);
}

/* Somebody has to see if the requests do not come back. */
static void ring_watch(struct xenvbd *vbd)
{
	xenvbd_watchdog_arm(&vbd->watchdog, vbd->wq,
			    READ_ONCE(vbd->tunables.slow_seconds));
}

/*
 * Start what was taken. True if the disk has answered inside the submission: the
 * last request is done, and nothing was done after it.
 */
static bool ring_start_group(struct xenvbd_ring *ring)
{
	struct xenvbd_req *last = ring->todo.first ? ring->todo.last : NULL;

	ring_start(ring);
	return last && READ_ONCE(ring->wake.done.first) == &last->done &&
	       last->status == BLK_STS_OK;
}

/*
 * Take all that is in the ring, and start it, but perhaps for the last ones: a few
 * requests one by one, many in groups. Such a group is at the disk before we look
 * at the next one. It goes sooner, and not all come back in one moment, for then
 * guest and disk would wait for each other by turns. A disk that answers inside the
 * submission waits for nobody: the rest goes together.
 */
static bool ring_take(struct xenvbd_ring *ring)
{
	bool together = false;
	int nr, i, group;

	if (ring_pauses(ring)) {
		if (time_before(jiffies, ring->pause_until))
			return false;
		/* One ring full of bad ones, and it pauses again. */
		ring->nr_refused = ring->sring.nr_ents;
	}
	nr = xenvbd_sring_pending(&ring->sring);
	if (unlikely(nr < 0)) {
		ring_break(ring);
		return true;
	}
	if (!nr)
		return false;
	ring_look_at_disk(ring);
	xenvbd_latency_look(&ring->latency);
	if (unlikely(!READ_ONCE(ring->vbd->watchdog.armed)))
		ring_watch(ring->vbd);
	ring->found = true;
	group = nr > PLUG_IOS ? PLUG_IOS : 1;
	for (i = 1; i <= nr; i++) {
		ring_take_one(ring);
		if (together || i % group)
			continue;
		together = ring_start_group(ring);
		/* This may have slept for long: a removed vbd takes no more. */
		if (unlikely(xenvbd_wake_draining(ring)))
			break;
	}
	return true;
}

/* ---- the thread --------------------------------------------------------- */

static void ring_kicked(struct xenvbd_ring *ring)
{
	/* @kicked before the change is read; pairs with xenvbd_wake_kick(). */
	smp_store_mb(ring->wake.kicked, false);
	xenvbd_cgroup_join(ring);
	xenvbd_barrier_look(ring);
	xenvbd_rmw_look(ring);
	xenvbd_pages_kicked(ring);
}

/* Requests that are not whole blocks of the disk, and those that wait for them. */
static bool ring_pass_rmw(struct xenvbd_ring *ring)
{
	struct xenvbd_req_list started = {};
	unsigned int nr = xenvbd_rmw_pass(ring, &started);

	ring_submit(ring, started.first, nr);
	return nr;
}

/*
 * One pass over the ring. What the disk completes while we submit to it is
 * given back in the same pass.
 */
static bool ring_pass(struct xenvbd_ring *ring, bool draining)
{
	bool work = false;

	if (unlikely(READ_ONCE(ring->wake.kicked)))
		ring_kicked(ring);
	if (likely(!draining && !ring->broken))
		work |= ring_take(ring);
	if (unlikely(!xenvbd_barrier_idle(&ring->barrier)))
		xenvbd_barrier_pass(ring);
	work |= ring_start(ring);
	work |= xenvbd_answer_all(ring);
	work |= unlikely(ring->discards.queue.first) &&
		xenvbd_discard_pass(ring);
	work |= unlikely(ring->limits.emulate) && ring_pass_rmw(ring);
	if (!work)
		return false;

	xenvbd_answer_push(ring);
	xenvbd_stat_inc(&ring->stats.passes);
	return true;
}

/*
 * Acknowledge the event, if there was one: once, when all that it stood for
 * is done. Requests may have been taken before the event for them came in,
 * so it is spurious only if there was none since the last one.
 */
static void ring_eoi(struct xenvbd_ring *ring)
{
	if (!READ_ONCE(ring->wake.event))
		return;
	WRITE_ONCE(ring->wake.event, false);
	xenvbd_stat_inc(&ring->stats.events);
	xen_irq_lateeoi(ring->irq, ring->found ? 0 : XEN_EOI_FLAG_SPURIOUS);
	ring->found = false;
}

/* All is answered and the work item waits for it. */
static bool ring_drained(struct xenvbd_ring *ring)
{
	return !xenvbd_sring_inflight(&ring->sring) &&
	       (kthread_should_stop() || kthread_should_park());
}

static bool ring_must_look(struct xenvbd_ring *ring, bool draining,
			   bool want_events)
{
	if (!llist_empty(&ring->wake.done) || READ_ONCE(ring->wake.kicked) ||
	    xenvbd_wake_draining(ring) != draining)
		return true;
	if (draining)
		return ring_drained(ring);
	return want_events && READ_ONCE(ring->wake.event);
}

static void ring_sleep(struct xenvbd_ring *ring, bool draining,
		       bool want_events, long timeout)
{
	xenvbd_wake_disown(ring);
	/*
	 * A full barrier; pairs with those before wake_thread() and in
	 * kthread_stop(). Not interruptible, because kthread_stop() leaves a
	 * signal pending: we would not sleep while the disk drains.
	 */
	set_current_state(TASK_IDLE | TASK_FREEZABLE);
	if (!ring_must_look(ring, draining, want_events))
		schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	xenvbd_wake_own(ring);
}

/* No work was found: make sure that work will be noticed, then sleep. */
static void ring_idle(struct xenvbd_ring *ring, bool draining)
{
	bool takes = !draining && !ring->broken;
	bool pauses = takes && ring_pauses(ring);
	/* Otherwise the event channel stays masked: events change nothing. */
	bool want_events = takes && !pauses && !ring->starved;
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (want_events) {
		if (xenvbd_sring_rearm(&ring->sring))
			return;
		ring_eoi(ring);
		timeout = xenvbd_pages_trim(ring);
	}
	if (ring->starved)
		xenvbd_stat_inc(&ring->stats.oo_req);
	if (ring->starved || ring->held.first || pauses ||
	    (unlikely(ring->limits.emulate) && xenvbd_rmw_waits(&ring->rmw)))
		timeout = RETRY_JIFFIES;
	ring_sleep(ring, draining, want_events,
		   xenvbd_barrier_timeout(&ring->barrier, timeout));
}

static void ring_join(struct xenvbd_ring *ring)
{
	xenvbd_barrier_join(ring);
	xenvbd_rmw_join(ring);
}

static void ring_leave(struct xenvbd_ring *ring)
{
	xenvbd_barrier_leave(ring);
	xenvbd_rmw_leave(ring);
}

/**
 * xenvbd_ring_serve - serve a ring until it is drained and kthread_stop() is
 * called
 * @data: the ring
 *
 * Context: the ring's thread, all of whose life it is.
 * Return: 0.
 */
int xenvbd_ring_serve(void *data)
{
	/* No allocation may wait for I/O: this domain may swap to our disk. */
	unsigned int noio = memalloc_noio_save();
	struct xenvbd_ring *ring = data;
	bool polled = true;
	bool draining;

	set_freezable();
	xenvbd_cgroup_join(ring);
	ring_join(ring);
	for (;;) {
		try_to_freeze();
		draining = xenvbd_wake_draining(ring);
		if (ring_pass(ring, draining)) {
			if (unlikely(ring->poll.begin))
				xenvbd_poll_adjust(ring);
			polled = false;
			/* A ring that is never idle must not hold up tracing. */
			cond_resched_tasks_rcu_qs();
			continue;
		}
		if (draining && ring_drained(ring)) {
			if (kthread_should_stop())
				break;
			/* A barrier of another ring must not wait for us. */
			ring_leave(ring);
			kthread_parkme();
			ring_join(ring);
			continue;
		}
		if (polled || !xenvbd_poll(ring))
			ring_idle(ring, draining);
		polled = true;
	}
	ring_leave(ring);
	xenvbd_cgroup_leave();
	memalloc_noio_restore(noio);
	return 0;
}
