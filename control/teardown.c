// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a vbd: its device is gone, or another driver's, and it takes as long
 * as the disk and xenstored do until nothing is left.
 *
 * What still has requests at the disk is a remnant. It can be seen in debugfs, and
 * holds the module.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "observe/debugfs.h"
#include "control/teardown.h"
#include "control/vbd.h"

/* How long a driver that is being unbound waits for the disk. */
#define REMOVE_PATIENCE		(10 * HZ)

static DEFINE_SPINLOCK(remnants_lock);
static LIST_HEAD(remnants);

static void add_remnant(struct xenvbd *vbd)
{
	spin_lock(&remnants_lock);
	list_add(&vbd->remnants, &remnants);
	spin_unlock(&remnants_lock);
	xenvbd_debugfs_add_remnant(vbd);
	__module_get(THIS_MODULE);
}

static void remove_remnant(struct xenvbd *vbd)
{
	xenvbd_debugfs_remove(vbd);
	spin_lock(&remnants_lock);
	list_del(&vbd->remnants);
	spin_unlock(&remnants_lock);
	/* Unloading waits for the workqueue, and so for the rest of this. */
	module_put(THIS_MODULE);
}

/**
 * xenvbd_has_remnant - does a device's disk have requests from before it was removed?
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
	list_for_each_entry(vbd, &remnants, remnants)
		found |= vbd->xbdev == xbdev;
	spin_unlock(&remnants_lock);
	return found;
}

/* Nothing is watched any more once a vbd is removed; see xenvbd_store_begin(). */
static void unwatch(struct xenbus_watch *watch)
{
	if (!watch->node)
		return;
	unregister_xenbus_watch(watch);
	kfree(watch->node);
}

static void end_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, end_work);

	cancel_work_sync(&vbd->work);
	cancel_delayed_work_sync(&vbd->size_work);

	mutex_lock(&vbd->lock);
	xenvbd_disconnect(vbd);
	xenvbd_close_disk(vbd);
	mutex_unlock(&vbd->lock);

	if (!list_empty(&vbd->remnants))
		remove_remnant(vbd);
	complete_all(&vbd->ended);

	/* Last, as it waits for xenwatch, where somebody may wait for us in xenvbd_let_go(). */
	unwatch(&vbd->disk_watch);
	unwatch(&vbd->state_watch);
	unwatch(&vbd->online_watch);
	unwatch(&vbd->reap_watch);
	/* Ring threads and watches could queue it until now; it has done nothing. */
	cancel_work_sync(&vbd->work);
	xenvbd_put(vbd);
}

/**
 * xenvbd_remnant_init - prepare a vbd for its end
 * @vbd: new
 */
void xenvbd_remnant_init(struct xenvbd *vbd)
{
	INIT_WORK(&vbd->end_work, end_work);
	INIT_LIST_HEAD(&vbd->remnants);
	init_completion(&vbd->ended);
}

/*
 * Another driver may be bound next, which has to find the disk free of our
 * requests. But if the toolstack has deleted the directory it wants no more
 * of the vbd, and we are in xenwatch, which must not wait.
 */
static void wait_for_end(struct xenvbd *vbd)
{
	if (!xenbus_exists(XBT_NIL, vbd->xbdev->nodename, "state"))
		return;
	if (wait_for_completion_killable_timeout(&vbd->ended, REMOVE_PATIENCE) <= 0)
		dev_warn(&vbd->xbdev->dev, "unbound with requests still at disk %x:%x\n",
			 MAJOR(vbd->devt), MINOR(vbd->devt));
}

/**
 * xenvbd_let_go - the device is removed
 * @vbd: freed when nothing is left of it
 *
 * Context: process, often xenwatch.
 */
void xenvbd_let_go(struct xenvbd *vbd)
{
	bool gone;

	/* From here on no ring takes a request, and nothing is written to xenstore. */
	mutex_lock(&vbd->store_lock);
	WRITE_ONCE(vbd->removed, true);
	gone = READ_ONCE(vbd->gone);
	mutex_unlock(&vbd->store_lock);

	xenvbd_debugfs_remove(vbd);
	if (gone) {
		queue_work(vbd->wq, &vbd->end_work);
		return;
	}
	add_remnant(vbd);
	xenvbd_get(vbd);
	queue_work(vbd->wq, &vbd->end_work);
	wait_for_end(vbd);
	xenvbd_put(vbd);
}
