// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring's thread as the vbd's work item sees it: started, drained, paused,
 * stopped, looked at. What it does is in blkback.c.
 */
#include <linux/kthread.h>

#include "common.h"
#include "data/answer.h"
#include "data/thread.h"

/**
 * xenvbd_thread_start - start to serve a ring
 * @ring: mapped, bound, with a disk
 * @serve: what the thread does until it is stopped
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int xenvbd_thread_start(struct xenvbd_ring *ring, int (*serve)(void *ring))
{
	struct task_struct *task;

	if (ring->task)
		return -EBUSY;

	task = kthread_create(serve, ring, "%s", ring->name);
	if (IS_ERR(task))
		return PTR_ERR(task);

	/* Interrupts and completions may look at it after it has ended. */
	get_task_struct(task);
	ring->wake.answer = xenvbd_answer_now;
	ring->wake.owner = XENVBD_OWNER_THREAD;
	/* All of the ring before its task; pairs with xenvbd_wake_irq(). */
	smp_store_release(&ring->task, task);
	/* Its first pass finds what has been in the ring all along. */
	wake_up_process(task);
	return 0;
}

/**
 * xenvbd_thread_drain - have a ring take no more requests
 * @ring: started or not
 *
 * Those it has taken go on, and are answered. xenvbd_thread_pause() or
 * xenvbd_thread_stop() has to follow.
 *
 * Context: process; does not wait.
 */
void xenvbd_thread_drain(struct xenvbd_ring *ring)
{
	if (!ring->task)
		return;
	WRITE_ONCE(ring->wake.draining, true);
	xenvbd_wake_kick(ring);
}

/**
 * xenvbd_thread_pause - wait until a ring has drained
 * @ring: draining, or not started
 *
 * When it returns, all requests that were taken have been answered, and the
 * thread touches nothing until xenvbd_thread_resume().
 *
 * Context: process, for as long as the disk takes.
 */
void xenvbd_thread_pause(struct xenvbd_ring *ring)
{
	if (ring->task)
		kthread_park(ring->task);
}

/**
 * xenvbd_thread_resume - undo xenvbd_thread_pause()
 * @ring: paused, or not started
 *
 * Context: process.
 */
void xenvbd_thread_resume(struct xenvbd_ring *ring)
{
	if (!ring->task)
		return;
	WRITE_ONCE(ring->wake.draining, false);
	kthread_unpark(ring->task);
}

/**
 * xenvbd_thread_stop - stop to serve a ring
 * @ring: draining, or not started
 *
 * When it returns, all requests that were taken have been answered.
 *
 * Context: process, for as long as the disk takes.
 */
void xenvbd_thread_stop(struct xenvbd_ring *ring)
{
	if (ring->task)
		kthread_stop(ring->task);
}

/**
 * xenvbd_thread_in_flight - requests that were taken and are not answered yet
 * @ring: in any state
 * @oldest: set to the age of the oldest in jiffies, if that is older
 *
 * Context: any; the ring's thread may be at work.
 * Return: their number, as far as it stands still.
 */
unsigned int xenvbd_thread_in_flight(const struct xenvbd_ring *ring,
				     unsigned long *oldest)
{
	unsigned long start, now = jiffies;
	unsigned int nr = 0;
	u32 i;

	for (i = 0; i < ring->sring.nr_ents; i++) {
		start = READ_ONCE(ring->reqs[i].start);
		if (!start)
			continue;
		nr++;
		if (time_after(now, start) && now - start > *oldest)
			*oldest = now - start;
	}
	return nr;
}

/**
 * xenvbd_thread_has_writes - does a ring have requests that change the disk?
 * @ring: of a vbd that was removed, so that it gets no more of them
 *
 * Context: any; the ring's thread may be at work.
 * Return: true if so.
 */
bool xenvbd_thread_has_writes(const struct xenvbd_ring *ring)
{
	u32 i;

	for (i = 0; i < ring->sring.nr_ents; i++)
		if (READ_ONCE(ring->reqs[i].start) &&
		    READ_ONCE(ring->reqs[i].op) != BLKIF_OP_READ)
			return true;
	return false;
}
