// SPDX-License-Identifier: GPL-2.0-only
/* What a vbd is stalled by, and for how long: the disk, in one way or another. */
#include "common.h"
#include "data/thread.h"

/* After what time a stall is reported, and how often again. */
#define STALL_PATIENCE		HZ
#define STALL_INTERVAL		(5 * HZ)

/**
 * xenvbd_stall_in_flight - requests that the disk has not answered yet
 * @vbd: in any state
 * @oldest_ms: set to the age of the oldest in milliseconds, or to 0
 *
 * Context: process; does not wait for the disk.
 * Return: their number, over all rings.
 */
unsigned int xenvbd_stall_in_flight(struct xenvbd *vbd, unsigned int *oldest_ms)
{
	unsigned long oldest = 0;
	unsigned int i, nr = 0;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++)
		nr += xenvbd_thread_in_flight(vbd->rings[i], &oldest);
	spin_unlock(&vbd->rings_lock);
	*oldest_ms = jiffies_to_msecs(oldest);
	return nr;
}

static unsigned int stall_seconds(unsigned long since)
{
	return jiffies_to_msecs(jiffies - since) / 1000;
}

/**
 * xenvbd_stall_describe - say what the vbd's work item is stalled by
 * @vbd: in any state
 * @text: set to a line without its end; empty if there is no stall
 * @size: of @text in bytes
 *
 * Context: process; does not wait for the disk.
 */
void xenvbd_stall_describe(struct xenvbd *vbd, char *text, size_t size)
{
	struct xenvbd_stall *stall = &vbd->stall;
	const char *what = READ_ONCE(stall->what);
	const char *rest = READ_ONCE(stall->rest);
	unsigned int nr, oldest_ms;
	int len;

	text[0] = 0;
	if (!what && rest)
		scnprintf(text, size, "%s, for %u s", rest,
			  stall_seconds(READ_ONCE(stall->rest_since)));
	if (!what)
		return;
	len = scnprintf(text, size, "%s, for %u s", what,
			stall_seconds(READ_ONCE(stall->since)));
	nr = xenvbd_stall_in_flight(vbd, &oldest_ms);
	if (nr)
		scnprintf(text + len, size - len,
			  ": %u requests at disk %x:%x, the oldest for %u s",
			  nr, MAJOR(vbd->devt), MINOR(vbd->devt),
			  oldest_ms / 1000);
}

static void stall_publish(struct xenvbd *vbd, bool loud)
{
	char text[XENVBD_STALL_TEXT];

	xenvbd_stall_describe(vbd, text, sizeof(text));
	if (loud && __ratelimit(&vbd->error.log))
		dev_warn(&vbd->xbdev->dev, "%s\n", text);
	xenvbd_publish_waiting(vbd, text);
}

static void stall_work(struct work_struct *work)
{
	struct xenvbd *vbd =
		container_of(to_delayed_work(work), struct xenvbd, stall.work);
	struct xenvbd_stall *stall = &vbd->stall;
	bool *reported = READ_ONCE(stall->what) ? &stall->reported :
						  &stall->rest_reported;

	stall_publish(vbd, !*reported);
	*reported = true;
	queue_delayed_work(vbd->wq, &stall->work, STALL_INTERVAL);
}

/* Prepare a new vbd for stalls. */
void xenvbd_stall_init(struct xenvbd_stall *stall)
{
	INIT_DELAYED_WORK(&stall->work, stall_work);
}

/* It is over, and everybody who has read of it hears so. */
static void stall_over(struct xenvbd *vbd, const char *what,
		       unsigned long since, bool *reported)
{
	if (!*reported)
		return;
	*reported = false;
	if (__ratelimit(&vbd->error.log))
		dev_notice(&vbd->xbdev->dev, "%s: done after %u s\n", what,
			   stall_seconds(since));
	stall_publish(vbd, false);
}

/**
 * xenvbd_stall_enter - the work item begins what depends on the disk
 * @vbd: lock held
 * @what: it is doing; stays until xenvbd_stall_leave()
 *
 * A stall that lasts longer than STALL_PATIENCE is reported.
 *
 * Context: process.
 */
void xenvbd_stall_enter(struct xenvbd *vbd, const char *what)
{
	vbd->stall.since = jiffies;
	WRITE_ONCE(vbd->stall.what, what);
	mod_delayed_work(vbd->wq, &vbd->stall.work, STALL_PATIENCE);
}

/* The work item goes on. Process context, lock held. */
void xenvbd_stall_leave(struct xenvbd *vbd)
{
	struct xenvbd_stall *stall = &vbd->stall;
	const char *what = stall->what;

	cancel_delayed_work_sync(&stall->work);
	WRITE_ONCE(stall->what, NULL);
	stall_over(vbd, what, stall->since, &stall->reported);
	if (stall->rest)
		queue_delayed_work(vbd->wq, &stall->work, STALL_PATIENCE);
}

/**
 * xenvbd_stall_rest - the work item has nothing to do, and somebody may ask why
 * @vbd: lock held
 * @why: what it waits for, the same string each time; NULL: for nothing
 *
 * Reported as a stall is.
 *
 * Context: process.
 */
void xenvbd_stall_rest(struct xenvbd *vbd, const char *why)
{
	struct xenvbd_stall *stall = &vbd->stall;
	unsigned long since = stall->rest_since;
	const char *rest = stall->rest;

	if (rest == why)
		return;
	cancel_delayed_work_sync(&stall->work);
	stall->rest_since = jiffies;
	WRITE_ONCE(stall->rest, why);
	stall_over(vbd, rest, since, &stall->rest_reported);
	if (why)
		queue_delayed_work(vbd->wq, &stall->work, STALL_PATIENCE);
}
