// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workqueues that the work of all vbds is done in. A workqueue does only so many
 * items at a time, and an item that waits for its disk is one of them. So a few vbds
 * share a workqueue, and there are as many as it takes: a place is always free.
 *
 * Unbound, and without a rescuer: a vbd that has nothing to do has no thread.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "control/queue.h"

/*
 * So many vbds share a workqueue. The disk may hold up two items of each: its work
 * and its teardown. The places are eight times that. Since Linux 6.9 the NUMA nodes
 * share them in proportion to their CPUs, and an item runs on the node that queues it:
 * a node that has an eighth of the CPUs has places enough. Before, each node has all.
 */
#define QUEUE_VBDS	(WQ_UNBOUND_MAX_ACTIVE / 16)

struct queue {
	struct list_head list;
	struct workqueue_struct *wq;
	unsigned int nr_vbds;
};

/* Protects the list, until there are no vbds any more. */
static DEFINE_MUTEX(queues_lock);
static LIST_HEAD(queues);

static struct queue *queue_create(void)
{
	struct queue *queue;

	lockdep_assert_held(&queues_lock);

	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return NULL;
	queue->wq = alloc_workqueue("xen-blkback", WQ_UNBOUND,
				    WQ_UNBOUND_MAX_ACTIVE);
	if (!queue->wq) {
		kfree(queue);
		return NULL;
	}
	list_add(&queue->list, &queues);
	return queue;
}

static struct queue *queue_find_free(void)
{
	struct queue *queue;

	lockdep_assert_held(&queues_lock);

	list_for_each_entry(queue, &queues, list)
		if (queue->nr_vbds < QUEUE_VBDS)
			return queue;
	return queue_create();
}

/**
 * xenvbd_queue_get - a workqueue for a new vbd
 *
 * Context: process.
 * Return: the workqueue, or NULL if there is no memory for one.
 */
struct workqueue_struct *xenvbd_queue_get(void)
{
	struct workqueue_struct *wq = NULL;
	struct queue *queue;

	mutex_lock(&queues_lock);
	queue = queue_find_free();
	if (queue) {
		queue->nr_vbds++;
		wq = queue->wq;
	}
	mutex_unlock(&queues_lock);
	return wq;
}

/**
 * xenvbd_queue_put - a vbd queues no more work
 * @wq: the vbd's workqueue, which stays for the next vbd
 *
 * Context: process, perhaps the last work of the vbd.
 */
void xenvbd_queue_put(struct workqueue_struct *wq)
{
	struct queue *queue;

	mutex_lock(&queues_lock);
	list_for_each_entry(queue, &queues, list)
		if (queue->wq == wq)
			queue->nr_vbds--;
	mutex_unlock(&queues_lock);
}

/**
 * xenvbd_queues_exit - wait for the last work, and release the workqueues
 *
 * All vbds are removed. The last work of one may queue that of another one, and
 * watches on their way out may queue work until their vbd's teardown has ended: so
 * all are flushed before one goes.
 *
 * Context: process, without queues_lock, for works take it.
 */
void xenvbd_queues_exit(void)
{
	struct queue *queue, *next;

	list_for_each_entry(queue, &queues, list)
		flush_workqueue(queue->wq);
	list_for_each_entry_safe(queue, next, &queues, list) {
		list_del(&queue->list);
		destroy_workqueue(queue->wq);
		kfree(queue);
	}
}
