// SPDX-License-Identifier: GPL-2.0-only
/* What a vbd waits for, and for how long: the disk, in one way or another. */
#include "control/publish.h"
#include "control/keys.h"
#include "data/thread.h"
#include "control/stall.h"

/* When a disk is said to keep us waiting, and how often again. */
#define WAIT_PATIENCE		HZ
#define WAIT_INTERVAL		(5 * HZ)

/**
 * xenvbd_in_flight - requests that the disk has not answered yet
 * @vbd: in any state
 * @oldest_ms: set to the age of the oldest in milliseconds, or to 0
 *
 * Context: process; does not wait for the disk.
 * Return: their number, over all rings.
 */
unsigned int xenvbd_in_flight(struct xenvbd *vbd, unsigned int *oldest_ms)
{
	unsigned long oldest = 0;
	unsigned int i, nr = 0;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++)
		nr += xenvbd_ring_in_flight(vbd->rings[i], &oldest);
	spin_unlock(&vbd->rings_lock);
	*oldest_ms = jiffies_to_msecs(oldest);
	return nr;
}

/**
 * xenvbd_describe_wait - say what the vbd's work item is waiting for
 * @vbd: in any state
 * @text: set to a line without its end; empty if it is not waiting
 * @size: of @text in bytes
 *
 * Context: process; does not wait for the disk.
 */
void xenvbd_describe_wait(struct xenvbd *vbd, char *text, size_t size)
{
	const char *what = READ_ONCE(vbd->waiting);
	unsigned int nr, oldest_ms;
	int len;

	text[0] = 0;
	if (!what)
		return;
	len = scnprintf(text, size, "%s, for %u s", what,
			jiffies_to_msecs(jiffies - READ_ONCE(vbd->waiting_since)) / 1000);
	nr = xenvbd_in_flight(vbd, &oldest_ms);
	if (nr)
		scnprintf(text + len, size - len,
			  ": %u requests at disk %x:%x, the oldest for %u s", nr,
			  MAJOR(vbd->devt), MINOR(vbd->devt), oldest_ms / 1000);
}

static void wait_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(to_delayed_work(work), struct xenvbd, wait_work);
	char text[XENVBD_WAIT_TEXT];

	xenvbd_describe_wait(vbd, text, sizeof(text));
	if (!vbd->waiting_told && __ratelimit(&vbd->errors))
		dev_warn(&vbd->xbdev->dev, "%s\n", text);
	vbd->waiting_told = true;
	xenvbd_publish_waiting(vbd);
	queue_delayed_work(vbd->wq, &vbd->wait_work, WAIT_INTERVAL);
}

/**
 * xenvbd_wait_init - prepare a vbd for waiting
 * @vbd: new
 */
void xenvbd_wait_init(struct xenvbd *vbd)
{
	INIT_DELAYED_WORK(&vbd->wait_work, wait_work);
}

/**
 * xenvbd_wait_begin - the work item may now be stuck for as long as the disk is
 * @vbd: lock held
 * @what: it is doing; stays until xenvbd_wait_end()
 *
 * If it takes long somebody has to say so.
 *
 * Context: process.
 */
void xenvbd_wait_begin(struct xenvbd *vbd, const char *what)
{
	vbd->waiting_since = jiffies;
	WRITE_ONCE(vbd->waiting, what);
	queue_delayed_work(vbd->wq, &vbd->wait_work, WAIT_PATIENCE);
}

/**
 * xenvbd_wait_end - it goes on
 * @vbd: lock held
 *
 * Context: process.
 */
void xenvbd_wait_end(struct xenvbd *vbd)
{
	const char *what = vbd->waiting;

	cancel_delayed_work_sync(&vbd->wait_work);
	WRITE_ONCE(vbd->waiting, NULL);
	if (!vbd->waiting_told)
		return;
	vbd->waiting_told = false;
	if (__ratelimit(&vbd->errors))
		dev_notice(&vbd->xbdev->dev, "%s: done after %u s\n", what,
			   jiffies_to_msecs(jiffies - vbd->waiting_since) / 1000);
	xenvbd_publish_waiting(vbd);
}
