/* SPDX-License-Identifier: GPL-2.0-only */
/* Who owns a ring, and who wakes its thread. */
#ifndef XENVBD_WAKE_H
#define XENVBD_WAKE_H

#include <linux/irqreturn.h>
#include <linux/llist.h>
#include <linux/types.h>

struct xenvbd_req;
struct xenvbd_ring;

/* Who may touch what is not in struct xenvbd_wake. */
enum xenvbd_owner {
	/* The thread sleeps, or is about to. */
	XENVBD_OWNER_NONE,
	/* The thread will look at @done, @event and @kicked before it sleeps. */
	XENVBD_OWNER_THREAD,
	/* A completion, which will look at @done once more. */
	XENVBD_OWNER_COMPLETION,
};

/*
 * What completions may do until the thread has been awake again: one part for each
 * request, and one for each segment that is copied. Of more the thread does better,
 * and an interrupt must not take long.
 */
#define XENVBD_WAKE_BUDGET	128

/* Bits of vbd->events: what the work item has to look at. */
enum xenvbd_event {
	XENVBD_EVENT_FRONTEND,	/* the frontend's state node was written */
	XENVBD_EVENT_DISK,	/* physical-device was written */
	XENVBD_EVENT_TOOLSTACK,	/* our own state node or online was written */
	XENVBD_EVENT_BROKEN,	/* a ring was made unusable */
	XENVBD_EVENT_NO_FLUSH,	/* the disk turned out not to know flushes */
	XENVBD_EVENT_RESIZE,	/* the disk may have another size */
	XENVBD_EVENT_CGROUP,	/* cgroup was written */
};

/* What others note for the owner of a ring. */
struct xenvbd_wake {
	/* Requests that the disk is done with. */
	struct llist_head done;
	/* enum xenvbd_owner */
	int owner;
	/* What is left of XENVBD_WAKE_BUDGET; the owner's. */
	unsigned int budget;
	/* An event came in and has not been acknowledged. */
	bool event;
	/* No more requests are wanted; by the vbd's work item. */
	bool draining;
	/* Others have changed something that the thread has to look at. */
	bool kicked;
	/* Memory is short: give back what is not in use. */
	bool squeeze;
	/* Answers what is in @done. False: the thread has to. */
	bool (*answer)(struct xenvbd_ring *ring);
};

irqreturn_t xenvbd_wake_irq(int irq, void *data);
void xenvbd_wake_kick(struct xenvbd_ring *ring);
void xenvbd_wake_complete(struct xenvbd_req *req);
void xenvbd_wake_work(struct xenvbd_ring *ring, unsigned int event);
bool xenvbd_wake_draining(const struct xenvbd_ring *ring);
void xenvbd_wake_own(struct xenvbd_ring *ring);
void xenvbd_wake_disown(struct xenvbd_ring *ring);

#endif /* XENVBD_WAKE_H */
