// SPDX-License-Identifier: GPL-2.0-only
#include "work.h"

#include <linux/slab.h>

#include "unit.h"

#define MAX_PENDING	256

/* How many of its works may be done at a time, and how many are. */
struct workqueue_struct {
	unsigned int max_active;
	unsigned int nr_running;
};

/* Queued, and when it is due. */
struct item {
	struct workqueue_struct *wq;
	struct work_struct *work;
	unsigned long due;
};

static struct item items[MAX_PENDING];
static unsigned int nr_items, nr_queues;
/* One may be done while another one waits. */
static struct work_struct *running[MAX_PENDING];
static unsigned int nr_running;

void work_reset(void)
{
	nr_items = 0;
	nr_queues = 0;
	nr_running = 0;
}

unsigned int work_nr_pending(void)
{
	return nr_items;
}

unsigned int work_nr_queues(void)
{
	return nr_queues;
}

static bool is_running(const struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nr_running; i++)
		if (running[i] == work)
			return true;
	return false;
}

static bool item_add(struct workqueue_struct *wq, struct work_struct *work, unsigned long delay)
{
	expect(wq && work->func, "queued before it was there");
	if (work->pending)
		return false;
	work->pending = true;
	expect(nr_items < MAX_PENDING, "%u", nr_items);
	items[nr_items++] = (struct item){ wq, work, jiffies + delay };
	return true;
}

static void item_del(unsigned int i)
{
	items[i].work->pending = false;
	nr_items--;
	memmove(items + i, items + i + 1, (nr_items - i) * sizeof(*items));
}

static void item_run(unsigned int i)
{
	struct work_struct *work = items[i].work;
	struct workqueue_struct *wq = items[i].wq;

	item_del(i);
	running[nr_running++] = work;
	wq->nr_running++;
	work->func(work);
	wq->nr_running--;
	nr_running--;
}

/*
 * A work that is being done is not begun anew before it has ended; and none is begun that
 * finds no place in its workqueue.
 */
static bool item_may_run(const struct item *item)
{
	return !time_after(item->due, jiffies) && !is_running(item->work) &&
	       item->wq->nr_running < item->wq->max_active;
}

bool work_run(void)
{
	unsigned int i;

	for (i = 0; i < nr_items; i++) {
		if (!item_may_run(&items[i]))
			continue;
		item_run(i);
		return true;
	}
	return false;
}

bool work_run_this(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nr_items; i++) {
		if (items[i].work != work)
			continue;
		item_run(i);
		return true;
	}
	return false;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return item_add(wq, work, 0);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	return item_add(wq, &work->work, delay);
}

/* The kernel's own workqueue. */
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	static struct workqueue_struct system = { .max_active = 1 };

	return queue_delayed_work(&system, work, delay);
}

bool cancel_work_sync(struct work_struct *work)
{
	unsigned int i;

	might_sleep();
	expect(!is_running(work), "waits for ever for a work that waits");
	for (i = 0; i < nr_items; i++) {
		if (items[i].work != work)
			continue;
		item_del(i);
		return true;
	}
	return false;
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	return cancel_work_sync(&work->work);
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	bool was_pending = cancel_delayed_work_sync(work);

	queue_delayed_work(wq, work, delay);
	return was_pending;
}

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);

	if (!wq)
		return NULL;
	wq->max_active = max_active;
	nr_queues++;
	return wq;
}

/* What is not due yet is not waited for. */
void flush_workqueue(struct workqueue_struct *wq)
{
	might_sleep();
	while (work_run())
		;
}

/* A timer that still runs would queue to what is no more. */
void destroy_workqueue(struct workqueue_struct *wq)
{
	unsigned int i;

	flush_workqueue(wq);
	for (i = 0; i < nr_items; i++)
		expect(items[i].wq != wq, "a work is pending still");
	nr_queues--;
	kfree(wq);
}
