// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who wakes a ring's thread: events of the frontend, completions of the disk,
 * and other threads. All three first note what there is to do, and then wake the
 * thread if it may not look on its own.
 */
#include <linux/rcupdate.h>

#include "common.h"

/* The caller has noted the work, and then passed a full barrier. */
static void wake_thread(struct xenvbd_ring *ring)
{
	if (!READ_ONCE(ring->wake.awake))
		wake_up_process(ring->task);
}

/**
 * xenvbd_wake_irq - the frontend has sent an event
 * @irq: of the ring
 * @data: the ring
 *
 * The event channel stays masked until the thread acknowledges the event.
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
irqreturn_t xenvbd_wake_irq(int irq, void *data)
{
	struct xenvbd_ring *ring = data;

	WRITE_ONCE(ring->wake.event, true);
	/* The rings are bound before the disk is known, threads come last. */
	if (smp_load_acquire(&ring->task)) {
		/*
		 * The event before @awake; pairs with the barrier in
		 * ring_sleep().
		 */
		smp_mb();
		wake_thread(ring);
	}
	return IRQ_HANDLED;
}

/**
 * xenvbd_wake_kick - have the thread look at what others have changed
 * @ring: its thread runs
 *
 * Context: any.
 */
void xenvbd_wake_kick(struct xenvbd_ring *ring)
{
	/* The change before @kicked; pairs with the barrier in ring_kicked(). */
	smp_store_release(&ring->wake.kicked, true);
	/* @kicked before @awake; pairs with the barrier in ring_sleep(). */
	smp_mb();
	wake_thread(ring);
}

/**
 * xenvbd_wake_complete - the disk is done with a request
 * @req: not to be touched by the caller any more
 *
 * Context: any. The RCU section keeps the ring in memory: as soon as the
 * request is on the list the thread may give it back and end.
 */
void xenvbd_wake_complete(struct xenvbd_req *req)
{
	struct xenvbd_ring *ring = req->ring;

	rcu_read_lock();
	/* A full barrier, being a cmpxchg; pairs with the one in ring_sleep(). */
	if (llist_add(&req->done, &ring->wake.done))
		wake_thread(ring);
	rcu_read_unlock();
}
