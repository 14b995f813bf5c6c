// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a vbd is stalled by, and for how long: the disk, in one way or another. Its
 * work item may wait for the disk, or only its guest. A guest's requests are
 * looked at while there are any: a guest without requests costs no timer.
 */
#include "common.h"
#include "control/store.h"
#include "data/thread.h"

/*
 * After what time a stall is reported, and how often the key is written again: less
 * and less often. A disk may stall hundreds of vbds at once, and for hours.
 */
#define STALL_PATIENCE		HZ
#define STALL_INTERVAL		(5 * HZ)
#define STALL_INTERVAL_MAX	(60 * HZ)
/* The log has it once a minute that only the guest waits. */
#define SLOW_LOG_INTERVAL	(60 * HZ)
/* How often requests are looked at that are slow, or may have been the last. */
#define SLOW_LOOK		HZ

/**
 * xenvbd_stall_in_flight - requests that were taken and are not answered yet
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

/* What a ring has not enough of to start what it has taken, or NULL. */
static const char *stall_lack(struct xenvbd *vbd)
{
	const char *lack = NULL;
	unsigned int i;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings && !lack; i++)
		lack = READ_ONCE(vbd->rings[i]->starved);
	spin_unlock(&vbd->rings_lock);
	return lack;
}

/*
 * ": N requests to disk X:Y, the oldest for N s", if there are any. Their number. They
 * are not all at the disk: a barrier, a cgroup or want of memory may hold them up. Of
 * the last one it is said what is wanting.
 */
static unsigned int stall_describe_requests(struct xenvbd *vbd, char *text, size_t size)
{
	unsigned int oldest_ms, nr = xenvbd_stall_in_flight(vbd, &oldest_ms);
	const char *lack = stall_lack(vbd);
	dev_t devt = READ_ONCE(vbd->devt);
	int len;

	if (!nr)
		return 0;
	len = scnprintf(text, size,
			": %u requests to disk %x:%x, the oldest for %u s", nr,
			MAJOR(devt), MINOR(devt), oldest_ms / 1000);
	if (lack)
		scnprintf(text + len, size - len, ", %s", lack);
	return nr;
}

/**
 * xenvbd_stall_describe - say what the vbd's work item is stalled by, or its guest
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
	int len = 0;

	text[0] = 0;
	if (what)
		len = scnprintf(text, size, "%s, for %u s", what,
				stall_seconds(READ_ONCE(stall->since)));
	else if (READ_ONCE(stall->slow.slow))
		len = scnprintf(text, size, "slow");
	else if (rest)
		scnprintf(text, size, "%s, for %u s", rest,
			  stall_seconds(READ_ONCE(stall->rest_since)));
	if (len && !stall_describe_requests(vbd, text + len, size - len) &&
	    !what)
		text[0] = 0;
}

/* When the key is to be written again of a stall that has lasted since then. */
static unsigned long stall_interval(unsigned long since)
{
	return clamp_t(unsigned long, jiffies - since, STALL_INTERVAL,
		       STALL_INTERVAL_MAX);
}

static void stall_publish(struct xenvbd *vbd, bool loud)
{
	char text[XENVBD_STALL_TEXT];
	int err;

	xenvbd_stall_describe(vbd, text, sizeof(text));
	if (loud && __ratelimit(&vbd->error.log))
		dev_warn(&vbd->xbdev->dev, "%s\n", text);
	err = xenvbd_publish_waiting(vbd, text);
	/* What is over must not stand there for ever. */
	WRITE_ONCE(vbd->stall.unpublished, xenvbd_store_is_short(err));
	if (xenvbd_store_is_short(err))
		queue_delayed_work(vbd->wq, &vbd->stall.work, STALL_PATIENCE);
	if (loud)
		xenvbd_uevent(vbd, "slow", text);
}

static void stall_work(struct work_struct *work)
{
	struct xenvbd *vbd =
		container_of(to_delayed_work(work), struct xenvbd, stall.work);
	struct xenvbd_stall *stall = &vbd->stall;
	bool works = READ_ONCE(stall->what);
	bool *reported = works ? &stall->reported : &stall->rest_reported;
	unsigned long delay;

	if (!works && !READ_ONCE(stall->rest)) {
		stall_publish(vbd, false);
		return;
	}
	stall_publish(vbd, !*reported);
	*reported = true;
	delay = stall_interval(works ? READ_ONCE(stall->since) :
				       stall->rest_since);
	if (!works)
		stall->rest_next = jiffies + delay;
	queue_delayed_work(vbd->wq, &stall->work, delay);
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
	xenvbd_uevent(vbd, "recovered", what);
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

/*
 * When to write the key again after a stall of the work item. That may have such a
 * stall each second while it waits for something else.
 */
static unsigned long stall_delay(const struct xenvbd_stall *stall)
{
	long left = max_t(long, stall->rest_next - jiffies, 0);

	if (!stall->rest)
		return STALL_PATIENCE;
	return READ_ONCE(stall->unpublished) ? min_t(long, left, STALL_PATIENCE) :
					       left;
}

/* The work item goes on. Process context, lock held. */
void xenvbd_stall_leave(struct xenvbd *vbd)
{
	struct xenvbd_stall *stall = &vbd->stall;
	const char *what = stall->what;

	cancel_delayed_work_sync(&stall->work);
	WRITE_ONCE(stall->what, NULL);
	stall_over(vbd, what, stall->since, &stall->reported);
	if (stall->rest || READ_ONCE(stall->unpublished))
		queue_delayed_work(vbd->wq, &stall->work, stall_delay(stall));
}

/**
 * xenvbd_stall_rest - the work item has nothing to do, and somebody may ask why
 * @vbd: lock held
 * @why: what it waits for, the same string each time; NULL: for nothing
 * @patience: in jiffies, how long that is nothing to speak of
 *
 * Reported as a stall is.
 *
 * Context: process.
 */
void xenvbd_stall_rest(struct xenvbd *vbd, const char *why,
		       unsigned long patience)
{
	struct xenvbd_stall *stall = &vbd->stall;
	unsigned long since = stall->rest_since;
	const char *rest = stall->rest;

	if (rest == why)
		return;
	cancel_delayed_work_sync(&stall->work);
	stall->rest_since = jiffies;
	stall->rest_next = jiffies + patience;
	WRITE_ONCE(stall->rest, why);
	stall_over(vbd, rest, since, &stall->rest_reported);
	if (why || READ_ONCE(stall->unpublished))
		queue_delayed_work(vbd->wq, &stall->work,
				   why ? patience : STALL_PATIENCE);
}

/* ---- a guest that waits --------------------------------------------------- */

/* While the work item is stalled, too, that is what is reported. */
static void stall_slow_report(struct xenvbd *vbd)
{
	struct xenvbd_slow *slow = &vbd->stall.slow;
	bool loud = !READ_ONCE(vbd->stall.what) &&
		    time_after_eq(jiffies, slow->logged + SLOW_LOG_INTERVAL);

	if (!loud && time_before(jiffies, slow->next))
		return;
	if (loud) {
		slow->logged = jiffies;
		slow->reported = true;
	}
	slow->next = jiffies + stall_interval(slow->since);
	stall_publish(vbd, loud);
}

static void stall_slow_set(struct xenvbd *vbd, bool is_slow,
			   unsigned int oldest_ms)
{
	struct xenvbd_slow *slow = &vbd->stall.slow;

	if (is_slow && !slow->slow) {
		slow->since = jiffies - msecs_to_jiffies(oldest_ms);
		slow->logged = jiffies - SLOW_LOG_INTERVAL;
		slow->next = jiffies;
		WRITE_ONCE(slow->slow, true);
	}
	if (is_slow) {
		stall_slow_report(vbd);
	} else if (slow->slow) {
		WRITE_ONCE(slow->slow, false);
		/* The report of another stall may have ended in this one. */
		if (!slow->reported)
			stall_publish(vbd, false);
		stall_over(vbd, "slow", slow->since, &slow->reported);
	}
}

/* When to look again: when the oldest may have become slow. */
static unsigned long stall_slow_delay(const struct xenvbd_slow *slow,
				      unsigned int seconds, unsigned int nr,
				      unsigned int oldest_ms)
{
	if (slow->slow || !nr || oldest_ms >= seconds * 1000)
		return SLOW_LOOK;
	return max_t(unsigned long, SLOW_LOOK,
		     msecs_to_jiffies(seconds * 1000 - oldest_ms));
}

/*
 * Where nothing is in flight the work ends at its second look. Rings do not order
 * what they take and their look at @armed: a request that this look does not see
 * yet, and whose ring has seen @armed set, is seen by the next one.
 */
static void stall_slow_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(to_delayed_work(work), struct xenvbd,
					  watchdog.work);
	struct xenvbd_slow *slow = &vbd->stall.slow;
	unsigned int seconds = READ_ONCE(vbd->tunables.slow_seconds);
	bool last = !READ_ONCE(vbd->watchdog.armed);
	unsigned int oldest_ms, nr = xenvbd_stall_in_flight(vbd, &oldest_ms);

	stall_slow_set(vbd, seconds && oldest_ms >= seconds * 1000, oldest_ms);
	if (!seconds || (!nr && last))
		return;
	WRITE_ONCE(vbd->watchdog.armed, nr);
	queue_delayed_work(vbd->wq, &vbd->watchdog.work,
			   stall_slow_delay(slow, seconds, nr, oldest_ms));
}

/**
 * xenvbd_stall_look - slow_request_seconds has changed: look at the requests now
 * @vbd: in any state, but not removed
 *
 * Context: any but interrupts.
 */
void xenvbd_stall_look(struct xenvbd *vbd)
{
	WRITE_ONCE(vbd->watchdog.armed, false);
	mod_delayed_work(vbd->wq, &vbd->watchdog.work, 0);
}

/* Prepare a new vbd for stalls. */
void xenvbd_stall_init(struct xenvbd *vbd)
{
	INIT_DELAYED_WORK(&vbd->stall.work, stall_work);
	INIT_DELAYED_WORK(&vbd->watchdog.work, stall_slow_work);
}

/* Nothing looks at a vbd any more that was removed and has no rings. */
void xenvbd_stall_exit(struct xenvbd *vbd)
{
	cancel_delayed_work_sync(&vbd->watchdog.work);
	cancel_delayed_work_sync(&vbd->stall.work);
}
