// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who owns a ring, and who wakes its thread: events of the frontend, completions
 * of the disk, and other threads. All three first note what there is to do, and
 * then wake the thread if it may not look on its own.
 *
 * The thread owns its ring while it is awake. A completion that finds the ring
 * without an owner becomes the owner and answers: a wakeup costs more than most
 * answers. The driver's repository has this protocol for SPIN: tests/model/wake.pml.
 */
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include "common.h"

/* The caller has noted the work, and then passed a full barrier. */
static void wake_thread(struct xenvbd_ring *ring)
{
	if (READ_ONCE(ring->wake.owner) != XENVBD_OWNER_THREAD)
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
	/*
	 * The event before the task, and before the owner; pairs with the
	 * barriers in xenvbd_thread_start() and ring_sleep().
	 */
	smp_mb();
	/* The rings are bound before the disk is known, threads come last. */
	if (smp_load_acquire(&ring->task))
		wake_thread(ring);
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
	/* @kicked before the owner; pairs with the barrier in ring_sleep(). */
	smp_mb();
	wake_thread(ring);
}

/**
 * xenvbd_wake_own - the thread becomes the owner of its ring
 * @ring: the ring
 *
 * A completion that owns the ring lets it go soon: its budget is small, and no task
 * preempts it. But the hypervisor may: others may have our CPU then.
 *
 * Context: the ring's thread.
 */
void xenvbd_wake_own(struct xenvbd_ring *ring)
{
	while (cmpxchg_acquire(&ring->wake.owner, XENVBD_OWNER_NONE,
			       XENVBD_OWNER_THREAD) != XENVBD_OWNER_NONE) {
		cpu_relax();
		cond_resched();
	}
}

/**
 * xenvbd_wake_disown - the thread lets its ring go, and will sleep
 * @ring: the ring
 *
 * A full barrier and a look at wake.done have to follow: a completion that still
 * finds the ring owned leaves its request to the thread, and wakes nobody.
 *
 * Context: the ring's thread.
 */
void xenvbd_wake_disown(struct xenvbd_ring *ring)
{
	ring->wake.budget = XENVBD_WAKE_BUDGET;
	/* All of the ring before its owner; pairs with cmpxchg_acquire(). */
	smp_store_release(&ring->wake.owner, XENVBD_OWNER_NONE);
}

/*
 * Answer what is in @done, if nobody owns the ring. Whoever owns it looks at @done
 * once more after letting go. That ends with the budget: each time round a request
 * is paid, or the thread is woken. No task may preempt the caller: the thread would
 * spin.
 */
static void wake_answer(struct xenvbd_ring *ring)
{
	struct xenvbd_wake *wake = &ring->wake;
	bool all;

	do {
		if (cmpxchg_acquire(&wake->owner, XENVBD_OWNER_NONE,
				    XENVBD_OWNER_COMPLETION) !=
		    XENVBD_OWNER_NONE)
			return;
		all = wake->answer(ring);
		/* All of the ring before its owner; pairs with cmpxchg_acquire(). */
		smp_store_release(&wake->owner, XENVBD_OWNER_NONE);
		/* The owner before @done; pairs with xenvbd_wake_complete(). */
		smp_mb();
		if (!all) {
			wake_thread(ring);
			return;
		}
	} while (!llist_empty(&wake->done));
}

static void wake_completed(struct xenvbd_ring *ring)
{
	/* There the thread does preempt completions. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		wake_thread(ring);
		return;
	}
	preempt_disable();
	wake_answer(ring);
	preempt_enable();
}

/**
 * xenvbd_wake_complete - the disk is done with a request
 * @req: not to be touched by the caller any more
 *
 * Answers the request if the thread sleeps.
 *
 * Context: any. The RCU section keeps the ring in memory: as soon as the
 * request is on the list the thread may give it back and end.
 */
void xenvbd_wake_complete(struct xenvbd_req *req)
{
	struct xenvbd_ring *ring = req->ring;

	rcu_read_lock();
	/*
	 * A full barrier, being a cmpxchg; pairs with those in ring_sleep() and
	 * wake_answer(). The first look at the owner spares a thread that is
	 * awake the bouncing of a cache line.
	 */
	if (llist_add(&req->done, &ring->wake.done) &&
	    READ_ONCE(ring->wake.owner) == XENVBD_OWNER_NONE)
		wake_completed(ring);
	rcu_read_unlock();
}

/**
 * xenvbd_wake_work - have the vbd's work item look at something
 * @ring: where it was found
 * @event: enum xenvbd_event
 *
 * Context: any.
 */
void xenvbd_wake_work(struct xenvbd_ring *ring, unsigned int event)
{
	set_bit(event, &ring->vbd->events);
	queue_work(ring->vbd->wq, &ring->vbd->work);
}

/* Does a ring take no more requests? A vbd that was removed takes none. */
bool xenvbd_wake_draining(const struct xenvbd_ring *ring)
{
	return READ_ONCE(ring->wake.draining) || READ_ONCE(ring->vbd->removed);
}
