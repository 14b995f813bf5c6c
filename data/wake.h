/* SPDX-License-Identifier: GPL-2.0-only */
/* Who wakes a ring's thread: events, completions, and other threads. */
#ifndef XENVBD_WAKE_H
#define XENVBD_WAKE_H

#include <linux/irqreturn.h>
#include <linux/llist.h>
#include <linux/types.h>

struct xenvbd_req;
struct xenvbd_ring;

/* What others note for a ring's thread. */
struct xenvbd_wake {
	/* Requests that the disk is done with. */
	struct llist_head done;
	/* An event came in and has not been acknowledged. */
	bool event;
	/* No more requests are wanted; by the vbd's work item. */
	bool draining;
	/* Others have changed something that the thread has to look at. */
	bool kicked;
	/* Memory is short: give back what is not in use. */
	bool squeeze;
	/* The thread will look at @done, @event and @kicked before it sleeps. */
	bool awake;
};

irqreturn_t xenvbd_wake_irq(int irq, void *data);
void xenvbd_wake_kick(struct xenvbd_ring *ring);
void xenvbd_wake_complete(struct xenvbd_req *req);

#endif /* XENVBD_WAKE_H */
