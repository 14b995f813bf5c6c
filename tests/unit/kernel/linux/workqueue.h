/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_WORKQUEUE_H
#define KSHIM_LINUX_WORKQUEUE_H

#include <linux/list.h>
#include <linux/sched.h>

struct workqueue_struct;

struct work_struct {
	void (*func)(struct work_struct *work);
	/* For the tests. */
	bool pending;
};

struct delayed_work {
	struct work_struct work;
	/* For the tests: when it is due, in jiffies. */
	unsigned long expires;
};

#define INIT_WORK(w, fn)		(*(w) = (struct work_struct) { .func = (fn) })
#define INIT_DELAYED_WORK(w, fn)	INIT_WORK(&(w)->work, fn)
#define INIT_DEFERRABLE_WORK(w, fn)	INIT_DELAYED_WORK(w, fn)

#define DECLARE_DELAYED_WORK(n, fn)	struct delayed_work n = { .work.func = (fn) }

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

#define WQ_UNBOUND		2
/* The kernel has 512. */
#define WQ_UNBOUND_MAX_ACTIVE	32

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags,
					 int max_active, ...);
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay);
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *work);

#endif /* KSHIM_LINUX_WORKQUEUE_H */
