// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the disk to the ring: what becomes of completed requests.
 *
 * The thread answers all there is, once a pass. While the thread sleeps a
 * completion answers a few requests on its own, see data/wake.c.
 */
#include <xen/events.h>

#include "common.h"
#include "data/answer.h"
#include "trace.h"

/* A completed request can go, unless somebody below still uses its pages. */
static void answer_sort(struct xenvbd_ring *ring, struct xenvbd_req_list *ready,
			struct xenvbd_req *req)
{
	xenvbd_req_list_add(likely(!xenvbd_pages_held(req)) ? ready :
							      &ring->held,
			    req);
}

/* The completed requests that can go. */
static struct xenvbd_req *answer_collect(struct xenvbd_ring *ring)
{
	struct llist_node *node =
		llist_reverse_order(llist_del_all(&ring->wake.done));
	struct xenvbd_req *held = ring->held.first;
	bool emulate = ring->limits.emulate;
	struct xenvbd_req_list ready = {};
	struct xenvbd_req *req, *next;

	ring->held.first = NULL;
	for (req = held; req; req = next) {
		next = req->next;
		answer_sort(ring, &ready, req);
	}
	llist_for_each_entry_safe(req, next, node, done) {
		if (unlikely(req->op == BLKIF_OP_DISCARD) &&
		    !xenvbd_discard_done(ring, req))
			continue;
		if (unlikely(emulate) && !xenvbd_rmw_done(ring, req))
			continue;
		if (req->op != BLKIF_OP_READ && !xenvbd_barrier_done(ring, req))
			continue;
		answer_sort(ring, &ready, req);
	}
	return ready.first;
}

static void answer_one(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	trace_xenvbd_respond(ring, req);
	xenvbd_latency_count(&ring->latency, req);
	if (unlikely(req->status != BLK_STS_OK)) {
		xenvbd_stat_inc(&ring->stats.err_req);
		/* Of data a frontend may take "not supported" for success. */
		if (req->nr_segs)
			req->status = BLK_STS_IOERR;
	}
	xenvbd_sring_respond(&ring->sring, req->id, req->op, req->status);
	xenvbd_req_put(ring, req);
}

/* Respond to requests of which the guest has the data. */
static void answer_each(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *req, *next;

	xenvbd_pages_release(ring, reqs);
	xenvbd_latency_look(&ring->latency);
	for (req = reqs; req; req = next) {
		next = req->next;
		answer_one(ring, req);
	}
}

/**
 * xenvbd_answer_all - answer what the disk is done with
 * @ring: owned by the caller, which has to show the answers
 *
 * Context: the ring's thread; sleeps while a page of the guest is paged out, or
 * the disk's queue is full.
 * Return: false if there is nothing to answer.
 */
bool xenvbd_answer_all(struct xenvbd_ring *ring)
{
	struct xenvbd_req *reqs;

	if (llist_empty(&ring->wake.done) && likely(!ring->held.first))
		return false;

	reqs = answer_collect(ring);
	if (!reqs)
		return false;

	if (ring->pages.copy.nr_reqs)
		xenvbd_copy_out(ring, reqs);
	answer_each(ring, reqs);
	return true;
}

/* Show the guest its answers, and send an event if it wants one. */
void xenvbd_answer_push(struct xenvbd_ring *ring)
{
	if (!xenvbd_sring_push(&ring->sring))
		return;
	notify_remote_via_irq(ring->irq);
	xenvbd_stat_inc(&ring->stats.notifies);
}

/* ---- a completion, while the thread sleeps ------------------------------- */

/* One hypercall, which must not be split: the thread copies a full batch. */
static_assert(XENVBD_WAKE_BUDGET <= XENVBD_BATCH_GRANTS);

/* All is well, nothing has to be unmapped, and nothing waits for the request. */
static bool answer_can_now(const struct xenvbd_req *req)
{
	return (req->op == BLKIF_OP_READ || req->op == BLKIF_OP_WRITE) &&
	       req->status == BLK_STS_OK && req->method != XENVBD_METHOD_MAP;
}

/* In parts of the budget. */
static unsigned int answer_cost(const struct xenvbd_req *req)
{
	bool copies = req->method == XENVBD_METHOD_COPY &&
		      req->op == BLKIF_OP_READ;

	return 1 + (copies ? req->nr_segs : 0);
}

/* Take what a completion can answer. False if something is left. */
static bool answer_collect_now(struct xenvbd_ring *ring,
			       struct xenvbd_req_list *ready)
{
	struct llist_node *node =
		llist_reverse_order(llist_del_all(&ring->wake.done));
	struct xenvbd_req *req, *next;
	bool all = true;

	llist_for_each_entry_safe(req, next, node, done) {
		unsigned int cost = answer_cost(req);

		if (answer_can_now(req) && cost <= ring->wake.budget) {
			ring->wake.budget -= cost;
			xenvbd_req_list_add(ready, req);
		} else {
			llist_add(&req->done, &ring->wake.done);
			all = false;
		}
	}
	return all;
}

/* Give the guest what was read. False if it has paged out a page of a request. */
static bool answer_copy_now(struct xenvbd_ring *ring,
			    struct xenvbd_req_list *ready)
{
	struct xenvbd_req *req = ready->first, *next;
	bool all = true;

	xenvbd_copy_out_now(ring, req);
	ready->first = NULL;
	for (; req; req = next) {
		next = req->next;
		if (likely(req->status != BLK_STS_AGAIN)) {
			xenvbd_req_list_add(ready, req);
			continue;
		}
		req->status = BLK_STS_OK;
		llist_add(&req->done, &ring->wake.done);
		all = false;
	}
	return all;
}

/**
 * xenvbd_answer_now - answer what the disk is done with, while the thread sleeps
 * @ring: owned by the caller
 *
 * Only plain reads and writes, as many as the budget allows, and only if the thread
 * waits for nothing.
 *
 * Context: any; does not sleep.
 * Return: false if something is left in wake.done, for the thread.
 */
bool xenvbd_answer_now(struct xenvbd_ring *ring)
{
	struct xenvbd_req_list ready = {};
	struct xenvbd_req *req;
	bool all;

	if (ring->todo.first || ring->held.first || xenvbd_wake_draining(ring) ||
	    !xenvbd_barrier_idle(&ring->barrier) ||
	    (unlikely(ring->limits.emulate) && !xenvbd_rmw_idle(&ring->rmw)))
		return llist_empty(&ring->wake.done);

	all = answer_collect_now(ring, &ready);
	if (ready.first && ring->pages.copy.nr_reqs)
		all &= answer_copy_now(ring, &ready);
	if (!ready.first)
		return all;
	for (req = ready.first; req; req = req->next) {
		if (unlikely(ring->limits.emulate))
			xenvbd_rmw_done(ring, req);
		if (req->op == BLKIF_OP_WRITE)
			xenvbd_barrier_done(ring, req);
		xenvbd_stat_inc(&ring->stats.answers);
	}
	answer_each(ring, ready.first);
	xenvbd_answer_push(ring);
	return all;
}
