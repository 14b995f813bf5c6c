// SPDX-License-Identifier: GPL-2.0-only
/*
 * Teardown of a removed vbd, which lasts until the disk has completed its
 * requests and xenstored has dropped its watches.
 *
 * A removed vbd that may have requests at the disk is a remnant. It can be seen
 * in debugfs, and holds the module.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "common.h"
#include "control/disk.h"
#include "control/vbd.h"

/* How long a driver that is being unbound waits for the disk. */
#define TEARDOWN_PATIENCE	(10 * HZ)

static DEFINE_SPINLOCK(remnants_lock);
static LIST_HEAD(remnants);

static void remnant_add(struct xenvbd *vbd)
{
	spin_lock(&remnants_lock);
	list_add(&vbd->teardown.remnants, &remnants);
	spin_unlock(&remnants_lock);
	__module_get(THIS_MODULE);
}

static void remnant_remove(struct xenvbd *vbd)
{
	vbd->teardown.hide(vbd);
	spin_lock(&remnants_lock);
	list_del(&vbd->teardown.remnants);
	spin_unlock(&remnants_lock);
	/* Unloading waits for the workqueue, and so for the rest of this. */
	module_put(THIS_MODULE);
}

/**
 * xenvbd_has_remnant - does a device's disk have requests from before it was
 * removed?
 * @xbdev: the device
 *
 * A second vbd on the same rings would do again what the first has in flight.
 *
 * Return: true if so.
 */
bool xenvbd_has_remnant(const struct xenbus_device *xbdev)
{
	const struct xenvbd *vbd;
	bool found = false;

	spin_lock(&remnants_lock);
	list_for_each_entry(vbd, &remnants, teardown.remnants)
		found |= vbd->xbdev == xbdev;
	spin_unlock(&remnants_lock);
	return found;
}

/* Nothing is watched any more once a vbd is removed; see xenvbd_store_begin(). */
static void teardown_watches(struct xenvbd *vbd)
{
	struct xenbus_watch *watch;
	unsigned int i;

	for (i = 0; i < XENVBD_NR_WATCHED; i++) {
		watch = &vbd->watch[i].xenbus;
		if (!watch->node)
			continue;
		unregister_xenbus_watch(watch);
		kfree(watch->node);
	}
}

static void teardown_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, teardown.work);

	cancel_work_sync(&vbd->work);
	cancel_delayed_work_sync(&vbd->size_work);

	mutex_lock(&vbd->lock);
	xenvbd_disconnect(vbd);
	xenvbd_disk_close(vbd);
	mutex_unlock(&vbd->lock);

	if (!list_empty(&vbd->teardown.remnants))
		remnant_remove(vbd);
	complete_all(&vbd->teardown.done);

	/*
	 * Last, as it waits for xenwatch, where somebody may wait for us in
	 * teardown_wait().
	 */
	teardown_watches(vbd);
	/*
	 * Ring threads and watches could queue it until now; it has done
	 * nothing.
	 */
	cancel_work_sync(&vbd->work);
	xenvbd_put(vbd);
}

/**
 * xenvbd_teardown_init - prepare a new vbd for its end
 * @teardown: the vbd's
 * @hide: removes a remnant's file, and waits for its readers
 */
void xenvbd_teardown_init(struct xenvbd_teardown *teardown,
			  void (*hide)(struct xenvbd *vbd))
{
	INIT_WORK(&teardown->work, teardown_work);
	INIT_LIST_HEAD(&teardown->remnants);
	init_completion(&teardown->done);
	teardown->hide = hide;
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

	mutex_lock(&vbd->store_lock);
	WRITE_ONCE(vbd->removed, true);
	gone = READ_ONCE(vbd->facts) & XENVBD_FACT_GONE;
	mutex_unlock(&vbd->store_lock);
	if (!gone)
		remnant_add(vbd);
	return !gone;
}

/*
 * Another driver may be bound next, which has to find the disk free of our
 * requests. But if the toolstack has deleted the directory it wants no more
 * of the vbd, and we are in xenwatch, which must not wait.
 */
static void teardown_wait(struct xenvbd *vbd)
{
	if (!xenbus_exists(XBT_NIL, vbd->xbdev->nodename, "state"))
		return;
	if (wait_for_completion_killable_timeout(&vbd->teardown.done,
						 TEARDOWN_PATIENCE) <= 0)
		dev_warn(&vbd->xbdev->dev,
			 "unbound with requests still at disk %x:%x\n",
			 MAJOR(vbd->devt), MINOR(vbd->devt));
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
	bool is_remnant = !list_empty(&vbd->teardown.remnants);

	xenvbd_get(vbd);
	queue_work(vbd->wq, &vbd->teardown.work);
	if (is_remnant)
		teardown_wait(vbd);
	xenvbd_put(vbd);
}
