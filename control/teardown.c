// SPDX-License-Identifier: GPL-2.0-only
/*
 * Teardown of a removed vbd, which lasts until the disk has completed its
 * requests and xenstored has dropped its watch. Until then it is a remnant. A driver
 * has to see to that itself: see Documentation/upstream.rst.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "common.h"
#include "control/disk.h"
#include "control/vbd.h"

/* How long a driver that is being unbound waits for the disk. */
#define TEARDOWN_PATIENCE	(10 * HZ)
/* How often it looks meanwhile whether it need not. */
#define TEARDOWN_LOOK		(HZ / 5)
/* How often a remnant is looked at. */
#define TEARDOWN_INTERVAL	HZ

/* Nothing is watched any more once a vbd is removed; see xenvbd_store_begin(). */
static void teardown_watch(struct xenvbd *vbd)
{
	if (!vbd->watch.node)
		return;
	unregister_xenbus_watch(&vbd->watch);
	kfree(vbd->watch.node);
}

static void teardown_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, teardown.work);

	cancel_work_sync(&vbd->work);
	cancel_delayed_work_sync(&vbd->size_work);

	mutex_lock(&vbd->lock);
	/* A removed vbd waits for no other. */
	xenvbd_stall_rest(vbd, NULL, 0);
	xenvbd_remnant_stop_waiting(vbd);
	xenvbd_disconnect(vbd);
	xenvbd_disk_close(vbd);
	mutex_unlock(&vbd->lock);
	xenvbd_stall_exit(vbd);
	cancel_delayed_work_sync(&vbd->teardown.look);

	if (xenvbd_is_remnant(vbd))
		xenvbd_remnant_remove(vbd);
	complete_all(&vbd->teardown.done);

	/*
	 * Last, as it waits for xenwatch, where somebody may wait for us in
	 * teardown_wait().
	 */
	teardown_watch(vbd);
	/*
	 * Ring threads, watch and remnants could queue it until now; it has done
	 * nothing.
	 */
	cancel_work_sync(&vbd->work);
	xenvbd_put(vbd);
}

/*
 * An unbind did not wait until the disk was done: the toolstack may delete the vbd
 * later. xenwatch unregisters a device whose directory was deleted. The directory
 * itself may be there again, for another vbd.
 */
static void teardown_look(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(to_delayed_work(work), struct xenvbd,
					  teardown.look);

	if (!device_is_registered(&vbd->xbdev->dev))
		WRITE_ONCE(vbd->abandoned, true);
	if (xenvbd_remnant_look(vbd) || !READ_ONCE(vbd->abandoned))
		queue_delayed_work(vbd->wq, &vbd->teardown.look,
				   TEARDOWN_INTERVAL);
}

/* Prepare a new vbd for its end. */
void xenvbd_teardown_init(struct xenvbd_teardown *teardown)
{
	INIT_DELAYED_WORK(&teardown->look, teardown_look);
	INIT_WORK(&teardown->work, teardown_work);
	init_completion(&teardown->done);
}

/* It does, unless it was looked for and is not there: a guest may live on. */
static bool teardown_directory_exists(const struct xenvbd *vbd)
{
	char *state = xenbus_read(XBT_NIL, vbd->xbdev->nodename, "state", NULL);

	if (IS_ERR(state))
		return PTR_ERR(state) != -ENOENT;
	kfree(state);
	return true;
}

/*
 * xenwatch, a thread of the kernel, removes a device whose directory was deleted:
 * the toolstack wants no more of the vbd, whatever it has made in its place. A
 * person unbinds a driver, and the guest lives on.
 */
static bool teardown_is_final(const struct xenvbd *vbd)
{
	return current->flags & PF_KTHREAD || !teardown_directory_exists(vbd);
}

/**
 * xenvbd_teardown_begin - the device is removed
 * @vbd: takes no request from here on, and writes nothing to xenstore
 *
 * Context: process, often xenwatch.
 * Return: true if rings or disk may be left: it is a remnant until they are not.
 */
bool xenvbd_teardown_begin(struct xenvbd *vbd)
{
	bool gone;

	WRITE_ONCE(vbd->abandoned, teardown_is_final(vbd));
	mutex_lock(&vbd->store_lock);
	/* Another driver may be bound next, and have threads and errors of its own. */
	if (!vbd->abandoned)
		__xenvbd_publish_no_more(vbd);
	if (READ_ONCE(vbd->error.node))
		xenvbd_error_clear(vbd, XBT_NIL);
	WRITE_ONCE(vbd->removed, true);
	gone = READ_ONCE(vbd->facts) & XENVBD_FACT_GONE;
	mutex_unlock(&vbd->store_lock);
	if (!gone)
		xenvbd_remnant_add(vbd);
	return !gone;
}

/*
 * Another driver may be bound next, which has to find the disk free of our
 * requests.
 */
static void teardown_wait(struct xenvbd *vbd)
{
	unsigned int looks = TEARDOWN_PATIENCE / TEARDOWN_LOOK;
	long left = 0;

	while (looks-- && !left && !READ_ONCE(vbd->abandoned)) {
		left = wait_for_completion_killable_timeout(&vbd->teardown.done,
							    TEARDOWN_LOOK);
		/* xenwatch waits for us if the directory is deleted. */
		if (!left && !teardown_directory_exists(vbd))
			WRITE_ONCE(vbd->abandoned, true);
	}
	if (left > 0 || READ_ONCE(vbd->abandoned))
		return;
	dev_warn(&vbd->xbdev->dev,
		 "unbound with requests still at disk %x:%x\n",
		 MAJOR(vbd->devt), MINOR(vbd->devt));
	/*
	 * If the toolstack waits for Closed, xenbus writes it for a driver that
	 * is unbound, unless it finds that already done. But the disk is open.
	 */
	vbd->xbdev->state = XenbusStateClosed;
}

/**
 * xenvbd_teardown_run - release what is left of a vbd
 * @vbd: removed; freed when nothing is left of it
 *
 * Waits for the disk only if the driver is being unbound, and not for ever.
 *
 * Context: process, often xenwatch.
 */
void xenvbd_teardown_run(struct xenvbd *vbd)
{
	bool is_remnant = xenvbd_is_remnant(vbd);

	xenvbd_get(vbd);
	/* First, for the teardown ends it. */
	if (is_remnant)
		queue_delayed_work(vbd->wq, &vbd->teardown.look,
				   TEARDOWN_INTERVAL);
	queue_work(vbd->wq, &vbd->teardown.work);
	if (is_remnant)
		teardown_wait(vbd);
	xenvbd_put(vbd);
}
