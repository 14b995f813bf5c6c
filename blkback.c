// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data path, in the order of a request's life:
 *
 *   guest -> xenvbd_ring_irq() -> xenvbd_ring_thread() -> ring_pass()
 *         -> ring_take(): fetch, decode, check -> ring_start(): map or copy, submit
 *   disk  -> xenvbd_req_complete()
 *         -> ring_harvest(): unmap or copy, respond -> push, notify -> guest
 *
 * One thread serves a ring. While there is work its event channel stays masked,
 * and one loop takes new requests and gives back finished ones. A pass is the
 * unit of cost: few hypercalls, one push of responses, at most one event.
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/vmalloc.h>
#include <xen/events.h>

#include "blkback.h"
#include "data/copy.h"
#include "data/discard.h"
#include "data/barrier.h"
#include "data/pages.h"
#include "data/io.h"
#include "data/poll.h"
#include "trace.h"

/* When to try again where nobody says. */
#define RETRY_JIFFIES	max(HZ / 100, 1)
/* More are seldom found free side by side in the tags of a disk of depth 64. */
#define PLUG_IOS	8U

/* ---- waking the thread -------------------------------------------------- */

/* The caller's last write before it, and a full barrier, tell of the work. */
static void ring_wake(struct xenvbd_ring *ring)
{
	if (!READ_ONCE(ring->awake))
		wake_up_process(ring->task);
}

/**
 * xenvbd_ring_irq - the frontend has sent an event
 * @irq: of the ring
 * @data: the ring
 *
 * The event channel stays masked until the thread acknowledges the event.
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
irqreturn_t xenvbd_ring_irq(int irq, void *data)
{
	struct xenvbd_ring *ring = data;

	WRITE_ONCE(ring->event, true);
	/* The rings are bound before the disk is known, threads come last. */
	if (smp_load_acquire(&ring->task)) {
		/* The event before @awake; pairs with the barrier in ring_sleep(). */
		smp_mb();
		ring_wake(ring);
	}
	return IRQ_HANDLED;
}

/**
 * xenvbd_ring_poke - have the thread look at what others have changed
 * @ring: its thread runs
 *
 * Context: any.
 */
void xenvbd_ring_poke(struct xenvbd_ring *ring)
{
	/* The change before @poked; pairs with the barrier in ring_heed(). */
	smp_store_release(&ring->poked, true);
	/* @poked before @awake; pairs with the barrier in ring_sleep(). */
	smp_mb();
	ring_wake(ring);
}

/**
 * xenvbd_req_complete - the disk is done with a request
 * @req: not to be touched by the caller any more
 *
 * Context: any. The RCU section keeps the ring in memory: as soon as the
 * request is on the list the thread may give it back and end.
 */
void xenvbd_req_complete(struct xenvbd_req *req)
{
	struct xenvbd_ring *ring = req->ring;

	rcu_read_lock();
	/* A full barrier, being a cmpxchg; pairs with the one in ring_sleep(). */
	if (llist_add(&req->done, &ring->done))
		ring_wake(ring);
	rcu_read_unlock();
}

/* ---- from the ring to the disk ------------------------------------------ */

/* Have the vbd's work item look at something. */
static void ring_report(struct xenvbd_ring *ring, enum xenvbd_event event)
{
	set_bit(event, &ring->vbd->events);
	queue_work(ring->vbd->wq, &ring->vbd->work);
}

/* The guest has lost the right to be served; the vbd's work item tells why. */
static void ring_break(struct xenvbd_ring *ring)
{
	ring->broken = true;
	ring_report(ring, XENVBD_EVENT_BROKEN);
}

static void ring_log_refusal(struct xenvbd_ring *ring, const struct xenvbd_cmd *cmd,
			     enum xenvbd_reason reason)
{
	if (__ratelimit(&ring->vbd->refusals))
		dev_warn(&ring->vbd->xbdev->dev,
			 "%s: refused operation %u%s, sector %llu, %u segments: %s\n",
			 ring->name, cmd->op, cmd->indirect ? " (indirect)" : "",
			 cmd->sector, cmd->nr_segs, xenvbd_reason_str(reason));
}

/* Check a command, as far as it is known. Counts it when it is known to be good. */
static blk_status_t ring_check(struct xenvbd_ring *ring, struct xenvbd_cmd *cmd)
{
	enum xenvbd_reason reason = xenvbd_validate(cmd, &ring->limits);

	if (unlikely(reason)) {
		trace_xenvbd_refuse(ring, cmd, reason);
		ring_log_refusal(ring, cmd, reason);
		return xenvbd_reason_status(reason);
	}
	if (!cmd->indirect || cmd->seg)
		xenvbd_stats_count(&ring->stats, cmd->op, cmd->nr_sects);
	return BLK_STS_OK;
}

static struct xenvbd_req *req_get(struct xenvbd_ring *ring, const struct xenvbd_cmd *cmd)
{
	struct xenvbd_req *req = ring->free;

	/* Never empty: there is a request for each slot of the ring. */
	ring->free = req->next;

	req->next = NULL;
	req->id = cmd->id;
	req->op = cmd->op;
	req->flags = cmd->flags;
	req->nr_sects = cmd->nr_sects;
	req->nr_segs = cmd->nr_segs;
	/* A flush without data has no place on the disk, whatever it says. */
	req->sector = cmd->nr_sects || cmd->indirect ? cmd->sector : 0;
	req->status = BLK_STS_OK;
	req->fetch = cmd->indirect;
	req->failed_flush = false;
	/* Never 0, which marks a request that is not in flight. */
	WRITE_ONCE(req->start, jiffies | 1);
	if (cmd->indirect)
		req->desc_gref = cmd->gref[0];
	else if (cmd->seg)
		memcpy(xenvbd_req_segs(req), cmd->seg, cmd->nr_segs * sizeof(*cmd->seg));
	return req;
}

static void req_put(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	WRITE_ONCE(req->start, 0);
	req->next = ring->free;
	ring->free = req;
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

	req = req_get(ring, &cmd);
	trace_xenvbd_take(ring, req);
	if (req->op != BLKIF_OP_READ && !xenvbd_gate_admit(ring, req))
		return;
	*ring->todo_tail = req;
	ring->todo_tail = &req->next;
}

/* Follow the disk. Whoever told the frontend its size has to hear of a change. */
static void ring_look_at_disk(struct xenvbd_ring *ring)
{
	u64 nr_sects;

	if (unlikely(!ring->bdev))
		return;
	ring->limits.stable_writes = bdev_stable_writes(ring->bdev);
	nr_sects = bdev_nr_sectors(ring->bdev);
	if (likely(nr_sects == ring->limits.nr_sects) || ring->vanished)
		return;
	ring->vanished = xenvbd_disk_vanished(&ring->vbd->disk);
	if (!ring->vanished)
		ring->limits.nr_sects = nr_sects;
	ring_report(ring, XENVBD_EVENT_RESIZE);
}

/* Take all that is in the ring. */
static bool ring_take(struct xenvbd_ring *ring)
{
	int nr, i;

	nr = xenvbd_sring_pending(&ring->sring);
	if (unlikely(nr < 0)) {
		ring_break(ring);
		return true;
	}
	if (!nr)
		return false;
	ring_look_at_disk(ring);
	for (i = 0; i < nr; i++)
		ring_take_one(ring);
	ring->found = true;
	return true;
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
	req->nr_sects = cmd.nr_sects;
	if (req->status != BLK_STS_OK)
		req->nr_segs = 0;
}

/* Fetch the segments of those INDIRECT requests that wait for theirs. */
static void ring_fetch(struct xenvbd_ring *ring)
{
	struct xenvbd_req *first = ring->todo;
	struct xenvbd_req *req, *end;
	unsigned int nr_segs = 0;

	while (first && !first->fetch)
		first = first->next;
	if (likely(!first))
		return;

	for (end = first; end; end = end->next) {
		if (!end->fetch)
			continue;
		/* No more than can be started next: what waits takes memory. */
		if (nr_segs && nr_segs + end->nr_segs > XENVBD_BATCH_GRANTS)
			break;
		nr_segs += end->nr_segs;
		if (!end->big && !xenvbd_grants_enlarge(ring, end))
			break;
		if (!xenvbd_copy_add_fetch(ring, end))
			break;
	}
	xenvbd_copy_fetch(ring, first);
	for (req = first; req != end; req = req->next)
		if (req->big && !req->nr_sects)
			ring_check_fetched(ring, req);
}

static void ring_submit(struct xenvbd_req *reqs, unsigned int nr)
{
	struct xenvbd_req *req, *next;
	struct blk_plug plug;
	unsigned int i = 0;

	blk_start_plug(&plug);
	for (req = reqs; req; req = next, i++) {
		/* The block layer then allocates so many requests at once. */
		if (i % PLUG_IOS == 0)
			plug.nr_ios = min(nr - i, PLUG_IOS);
		/* Once submitted it may be on its way back already. */
		next = req->next;
		trace_xenvbd_submit(req->ring, req);
		if (unlikely(req->op == BLKIF_OP_DISCARD))
			xenvbd_discard_add(req->ring, req);
		else if (unlikely(req->status != BLK_STS_OK))
			xenvbd_req_complete(req);
		else
			xenvbd_io_submit(req);
	}
	blk_finish_plug(&plug);
}

/* Start what was taken, in order, as much as one batch holds. */
static bool ring_start(struct xenvbd_ring *ring)
{
	struct xenvbd_req *first = NULL, **last = &first;
	struct xenvbd_req *req;
	unsigned int nr = 0;

	if (!ring->todo)
		return false;

	ring->starved = false;
	ring_fetch(ring);
	while ((req = ring->todo) && !req->fetch) {
		if (!xenvbd_grants_reserve(ring, req))
			break;
		ring->todo = req->next;
		xenvbd_grants_add(ring, req);
		*last = req;
		last = &req->next;
		nr++;
	}
	if (!ring->todo)
		ring->todo_tail = &ring->todo;
	*last = NULL;
	if (!first)
		return false;

	xenvbd_grants_map(ring, first);
	ring_submit(first, nr);
	return true;
}

/* ---- from the disk to the ring ------------------------------------------ */

/* Sort the completed requests: those that can go, and those held below. */
static struct xenvbd_req *ring_collect(struct xenvbd_ring *ring)
{
	struct llist_node *node = llist_del_all(&ring->done);
	struct xenvbd_req *first = NULL, **last = &first;
	struct xenvbd_req *held = ring->held;
	struct xenvbd_req *req, *next;

	ring->held = NULL;
	node = llist_reverse_order(node);
	llist_for_each_entry_safe(req, next, node, done) {
		if (unlikely(req->op == BLKIF_OP_DISCARD) && !xenvbd_discard_done(ring, req))
			continue;
		if (req->op != BLKIF_OP_READ && !xenvbd_gate_done(ring, req))
			continue;
		*last = req;
		last = &req->next;
	}
	*last = held;

	for (last = &first; (req = *last);) {
		if (likely(!xenvbd_grants_held(req))) {
			last = &req->next;
			continue;
		}
		*last = req->next;
		req->next = ring->held;
		ring->held = req;
	}
	return first;
}

static void ring_finish(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	trace_xenvbd_respond(ring, req);
	if (unlikely(req->status != BLK_STS_OK)) {
		xenvbd_stat_inc(&ring->stats.err_req);
		if (xenvbd_req_flushes(req) && req->status == BLK_STS_NOTSUPP)
			ring_report(ring, XENVBD_EVENT_NO_FLUSH);
	}
	xenvbd_sring_respond(&ring->sring, req->id, req->op, req->status);
	req_put(ring, req);
}

/* Give back what the disk is done with. */
static bool ring_harvest(struct xenvbd_ring *ring)
{
	struct xenvbd_req *req, *next, *reqs;

	if (llist_empty(&ring->done) && likely(!ring->held))
		return false;

	reqs = ring_collect(ring);
	if (!reqs)
		return false;

	xenvbd_grants_release(ring, reqs);
	for (req = reqs; req; req = next) {
		next = req->next;
		ring_finish(ring, req);
	}
	return true;
}

/* ---- the thread --------------------------------------------------------- */

static void ring_push(struct xenvbd_ring *ring)
{
	if (!xenvbd_sring_push(&ring->sring))
		return;
	notify_remote_via_irq(ring->irq);
	xenvbd_stat_inc(&ring->stats.notifies);
}

static void ring_heed(struct xenvbd_ring *ring)
{
	/* @poked before the change is read; pairs with xenvbd_ring_poke(). */
	smp_store_mb(ring->poked, false);
	xenvbd_gate_heed(ring);
	xenvbd_grants_heed(ring);
}

/*
 * One pass over the ring. What the disk completes while we submit to it is
 * given back in the same pass.
 */
static bool ring_pass(struct xenvbd_ring *ring, bool draining)
{
	bool work = false;

	if (unlikely(READ_ONCE(ring->poked)))
		ring_heed(ring);
	if (likely(!draining && !ring->broken))
		work |= ring_take(ring);
	if (unlikely(!xenvbd_gate_idle(ring)))
		xenvbd_gate_pass(ring);
	work |= ring_start(ring);
	work |= ring_harvest(ring);
	work |= unlikely(ring->discards) && xenvbd_discard_pass(ring);
	if (!work)
		return false;

	ring_push(ring);
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
	if (!READ_ONCE(ring->event))
		return;
	WRITE_ONCE(ring->event, false);
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

/* A vbd that was removed takes nothing more. */
static bool ring_is_draining(struct xenvbd_ring *ring)
{
	return READ_ONCE(ring->draining) || READ_ONCE(ring->vbd->removed);
}

static bool ring_must_look(struct xenvbd_ring *ring, bool draining, bool heed_events)
{
	if (!llist_empty(&ring->done) || READ_ONCE(ring->poked) ||
	    ring_is_draining(ring) != draining)
		return true;
	if (draining)
		return ring_drained(ring);
	return heed_events && READ_ONCE(ring->event);
}

static void ring_sleep(struct xenvbd_ring *ring, bool draining, bool heed_events, long timeout)
{
	WRITE_ONCE(ring->awake, false);
	/*
	 * A full barrier; pairs with those before ring_wake() and in
	 * kthread_stop(). Not interruptible, because kthread_stop() leaves a
	 * signal pending: we would not sleep while the disk drains.
	 */
	set_current_state(TASK_IDLE | TASK_FREEZABLE);
	if (!ring_must_look(ring, draining, heed_events))
		schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(ring->awake, true);
}

/* No work was found: make sure that work will be noticed, then sleep. */
static void ring_idle(struct xenvbd_ring *ring, bool draining)
{
	/* Otherwise the event channel stays masked: events change nothing. */
	bool heed_events = !draining && !ring->broken && !ring->starved;
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (heed_events) {
		if (xenvbd_sring_rearm(&ring->sring))
			return;
		ring_eoi(ring);
		timeout = xenvbd_grants_trim(ring);
	}
	if (ring->starved)
		xenvbd_stat_inc(&ring->stats.oo_req);
	if (ring->starved || ring->held)
		timeout = RETRY_JIFFIES;
	ring_sleep(ring, draining, heed_events, xenvbd_gate_timeout(ring, timeout));
}

/**
 * xenvbd_ring_thread - serve a ring
 * @data: the ring
 *
 * Until it is drained and kthread_stop() is called.
 *
 * Return: 0.
 */
int xenvbd_ring_thread(void *data)
{
	/* No allocation may wait for I/O: this domain may swap to our disk. */
	unsigned int noio = memalloc_noio_save();
	struct xenvbd_ring *ring = data;
	bool lingered = true;
	bool draining;

	set_freezable();
	xenvbd_gate_join(ring);
	for (;;) {
		try_to_freeze();
		draining = ring_is_draining(ring);
		if (ring_pass(ring, draining)) {
			if (unlikely(ring->poll_begin))
				xenvbd_ring_waited(ring);
			lingered = false;
			cond_resched();
			continue;
		}
		if (draining && ring_drained(ring)) {
			if (kthread_should_stop())
				break;
			/* A barrier of another ring must not wait for us. */
			xenvbd_gate_leave(ring);
			kthread_parkme();
			xenvbd_gate_join(ring);
			continue;
		}
		if (lingered || !xenvbd_ring_linger(ring))
			ring_idle(ring, draining);
		lingered = true;
	}
	xenvbd_gate_leave(ring);
	memalloc_noio_restore(noio);
	return 0;
}

/**
 * xenvbd_ring_init_reqs - allocate the requests of a ring
 * @ring: attached
 *
 * As many as there are slots, so that a request that was taken from the ring
 * always finds one.
 *
 * Context: process.
 * Return: 0 or -ENOMEM. Freed with the ring.
 */
int xenvbd_ring_init_reqs(struct xenvbd_ring *ring)
{
	u32 i;

	/* By pages, not by powers of two. */
	ring->reqs = vcalloc(ring->sring.nr_ents, sizeof(*ring->reqs));
	if (!ring->reqs)
		return -ENOMEM;
	for (i = 0; i < ring->sring.nr_ents; i++) {
		struct xenvbd_req *req = &ring->reqs[i];

		req->ring = ring;
		req->bvec = req->inline_bvec;
		req->pgrant = req->inline_pgrant;
		req->handle = req->inline_handle;
		req_put(ring, req);
	}
	ring->todo_tail = &ring->todo;
	ring->discards_tail = &ring->discards;
	return 0;
}
