/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who looks after requests that may not come back. Rings arm it, control/stall.c does
 * the looking. No timer runs for a vbd that is idle.
 */
#ifndef XENVBD_WATCHDOG_H
#define XENVBD_WATCHDOG_H

#include <linux/jiffies.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct xenvbd_watchdog {
	struct delayed_work work;
	/* Requests that are in flight are looked at. Rings set it. */
	bool armed;
};

/**
 * xenvbd_watchdog_arm - there are requests that somebody has to look after
 * @watchdog: of a vbd, not armed
 * @wq: where it works
 * @seconds: when a request is slow; 0: never
 *
 * Context: any.
 */
static inline void xenvbd_watchdog_arm(struct xenvbd_watchdog *watchdog,
				       struct workqueue_struct *wq,
				       unsigned int seconds)
{
	WRITE_ONCE(watchdog->armed, true);
	if (seconds)
		queue_delayed_work(wq, &watchdog->work, seconds * HZ);
}

#endif /* XENVBD_WATCHDOG_H */
