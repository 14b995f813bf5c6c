// SPDX-License-Identifier: GPL-2.0-only
/*
 * The xenbus driver: what happens to a vbd, and when.
 *
 * xenwatch is one thread for all backends of the host. So its callbacks only
 * note what has happened and queue the vbd's work item, which asks the table
 * in state.c what to do and does it. The one thing left to xenwatch is to
 * unregister a device, because it is the only context that may do so without
 * racing with xenbus itself; by then nothing is left that could take time.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "observe/debugfs.h"
#include "control/publish.h"
#include "control/keys.h"
#include "control/teardown.h"
#include "observe/sysfs.h"
#include "control/tunables.h"
#include "control/vbd.h"
#include "control/stall.h"

/* How often the size of a connected disk is looked at while nobody uses it. */
#define SIZE_INTERVAL	HZ
/* How long a guest waits that has caused too many errors. */
#define FAILURE_PAUSE_MS	500

static struct workqueue_struct *xenvbd_wq;

/* ---- facts -------------------------------------------------------------- */

static void record(struct xenvbd *vbd, enum xenvbd_event event)
{
	set_bit(event, &vbd->events);
	queue_work(xenvbd_wq, &vbd->work);
}

static void frontend_changed(struct xenbus_device *xbdev, enum xenbus_state state)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	WRITE_ONCE(vbd->fe_state, state);
	record(vbd, XENVBD_EVENT_FRONTEND);
}

static void disk_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	record(container_of(watch, struct xenvbd, disk_watch), XENVBD_EVENT_DISK);
}

static void state_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	record(container_of(watch, struct xenvbd, state_watch), XENVBD_EVENT_TOOLSTACK);
}

/* For a device that is Closed already the toolstack writes nothing else. */
static void online_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	record(container_of(watch, struct xenvbd, online_watch), XENVBD_EVENT_TOOLSTACK);
}

/*
 * Nobody tells when a block device gets another size. Rings look at each
 * pass; this is for those that have nothing to do. Deferrable: it wakes no
 * CPU that sleeps.
 */
static void look_at_size(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(to_delayed_work(work), struct xenvbd, size_work);

	record(vbd, XENVBD_EVENT_RESIZE);
}

/* It writes Closing over whatever state of ours stands there. */
static bool toolstack_closes(const struct xenvbd *vbd)
{
	struct xenbus_device *xbdev = vbd->xbdev;

	return xenbus_read_driver_state(xbdev, xbdev->nodename) == XenbusStateClosing;
}

/* What the toolstack wants, if it matters to what happens next. */
static unsigned int toolstack_facts(struct xenvbd *vbd, unsigned int fe_state)
{
	unsigned int facts = 0;

	if (fe_state != XenbusStateClosed && fe_state != XenbusStateInitialising)
		return 0;

	if (!xenbus_dev_is_online(vbd->xbdev))
		facts |= XENVBD_FACT_OFFLINE;
	if (toolstack_closes(vbd))
		facts |= XENVBD_FACT_CLOSE;
	return facts;
}

static unsigned int facts(struct xenvbd *vbd, unsigned int fe_state)
{
	return (xenvbd_disk_ready(&vbd->disk) ? XENVBD_FACT_DISK : 0) |
	       (vbd->nr_rings ? XENVBD_FACT_RINGS : 0) |
	       (vbd->broken ? XENVBD_FACT_BROKEN : 0) |
	       (vbd->failed ? XENVBD_FACT_FAILED : 0) |
	       (vbd->gone ? XENVBD_FACT_GONE : 0) |
	       toolstack_facts(vbd, fe_state);
}

/* ---- actions ------------------------------------------------------------ */

/* xenbus_switch_state() returns 0 even if it could not. */
static int switch_state(struct xenvbd *vbd, enum xenbus_state state)
{
	if (xenvbd_store_begin(vbd)) {
		xenbus_switch_state(vbd->xbdev, state);
		xenvbd_store_end(vbd);
	}
	if (vbd->xbdev->state == state)
		return 0;
	return xenvbd_error(vbd, -EIO, "switching to state %s", xenbus_strstate(state));
}

/* As xenbus_dev_fatal(), but for the log. */
static void fail_quietly(struct xenvbd *vbd, int err)
{
	char *dir = kasprintf(GFP_KERNEL, "error/%s", vbd->xbdev->nodename);

	if (dir)
		xenbus_printf(XBT_NIL, dir, "error", "%d %s", -err, vbd->error);
	kfree(dir);
	xenbus_switch_state(vbd->xbdev, XenbusStateClosing);
}

/*
 * Bring an error to the administrator and have the frontend close. A guest
 * can come again as often as it likes, so the log is limited; in xenstore
 * there always stands the last one. Beyond the limit it has to wait, too, for
 * xenbus itself logs a ring that cannot be mapped.
 */
static void fail(struct xenvbd *vbd, int err)
{
	bool loud = __ratelimit(&vbd->errors);

	vbd->failed = true;
	if (xenvbd_store_begin(vbd)) {
		if (loud)
			xenbus_dev_fatal(vbd->xbdev, err, "%s", vbd->error);
		else
			fail_quietly(vbd, err);
		xenvbd_store_end(vbd);
	}
	if (!loud)
		msleep(FAILURE_PAUSE_MS);
}

/* The same for what a running guest need not close for. */
static void warn(struct xenvbd *vbd, int err)
{
	if (!xenvbd_store_begin(vbd))
		return;
	xenbus_dev_error(vbd->xbdev, err, "%s", vbd->error);
	xenvbd_store_end(vbd);
}

static int vanished_error(struct xenvbd *vbd)
{
	return xenvbd_error(vbd, -ENXIO, "disk %x:%x has vanished", MAJOR(vbd->devt),
			    MINOR(vbd->devt));
}

static int act_connect(struct xenvbd *vbd)
{
	int err;

	if (xenvbd_disk_vanished(&vbd->disk))
		return vanished_error(vbd);

	err = xenvbd_publish_disk(vbd);
	if (!err) {
		xenvbd_wait_begin(vbd, "writing back the disk's cache");
		err = xenvbd_start_rings(vbd);
		xenvbd_wait_end(vbd);
	}
	if (!err)
		err = switch_state(vbd, XenbusStateConnected);
	if (err)
		xenvbd_disconnect(vbd);
	return err;
}

/* Unless the device is gone, and so is whoever would have to unregister the watch. */
static int add_watch(struct xenvbd *vbd, struct xenbus_watch *watch, const char *key,
		     void (*callback)(struct xenbus_watch *watch, const char *path,
				      const char *token))
{
	int err = 0;

	if (watch->node || !xenvbd_store_begin(vbd))
		return 0;
	err = xenbus_watch_pathfmt(vbd->xbdev, watch, NULL, callback, "%s/%s",
				   vbd->xbdev->nodename, key);
	xenvbd_store_end(vbd);
	return err ? xenvbd_error(vbd, err, "watching %s/%s", vbd->xbdev->nodename, key) : 0;
}

/* In xenwatch. The watch may fire again, and the directory may have been deleted before. */
static void reap(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct xenvbd *vbd = container_of(watch, struct xenvbd, reap_watch);

	if (!READ_ONCE(vbd->removed))
		device_unregister(&vbd->xbdev->dev);
}

/* A watch fires once when it is registered: that gets us into xenwatch. */
static int act_unregister(struct xenvbd *vbd)
{
	int err;

	xenvbd_disconnect(vbd);
	xenvbd_close_disk(vbd);
	/* The toolstack may have written Closing over our Closed, and wait. */
	if (toolstack_closes(vbd))
		switch_state(vbd, XenbusStateClosing);
	switch_state(vbd, XenbusStateClosed);

	WRITE_ONCE(vbd->gone, true);
	err = add_watch(vbd, &vbd->reap_watch, "state", reap);
	if (err)
		WRITE_ONCE(vbd->gone, false);
	return err;
}

static int act_broken(struct xenvbd *vbd)
{
	xenvbd_disconnect(vbd);
	return xenvbd_error(vbd, -EPROTO, "frontend has broken its ring");
}

static int act(struct xenvbd *vbd, enum xenvbd_action action, unsigned int fe_state)
{
	switch (action) {
	case XENVBD_ACT_INITWAIT:
		xenvbd_disconnect(vbd);
		return switch_state(vbd, XenbusStateInitWait);
	case XENVBD_ACT_MAP:
		return xenvbd_map_rings(vbd);
	case XENVBD_ACT_CONNECT:
		return act_connect(vbd);
	case XENVBD_ACT_CLOSING:
		return switch_state(vbd, XenbusStateClosing);
	case XENVBD_ACT_CLOSED:
		xenvbd_disconnect(vbd);
		return switch_state(vbd, XenbusStateClosed);
	case XENVBD_ACT_UNREGISTER:
		return act_unregister(vbd);
	case XENVBD_ACT_BROKEN:
		return act_broken(vbd);
	case XENVBD_ACT_BAD_STATE:
		return xenvbd_error(vbd, -EINVAL, "saw state %u (%s) at frontend", fe_state,
				    xenbus_strstate(fe_state));
	default:
		return 0;
	}
}

/* ---- the work item ------------------------------------------------------ */

static void handle_disk(struct xenvbd *vbd)
{
	bool had_disk = xenvbd_disk_ready(&vbd->disk);
	int err;

	xenvbd_wait_begin(vbd, had_disk ? "exchanging the disk" : "opening the disk");
	err = xenvbd_open_disk(vbd);
	xenvbd_wait_end(vbd);
	if (err < 0 && !had_disk) {
		fail(vbd, err);
	} else if (err < 0) {
		/* A guest that has a good disk keeps it. */
		warn(vbd, err);
		xenvbd_publish_refusal(vbd);
	} else if (err) {
		err = had_disk ? xenvbd_publish_exchange(vbd) : xenvbd_publish_opened(vbd);
		if (err)
			warn(vbd, err);
	}
}

static void handle_events(struct xenvbd *vbd)
{
	unsigned long events = xchg(&vbd->events, 0);
	int err;

	/* Something has happened: an error need not stand any more. */
	if (events & (BIT(XENVBD_EVENT_FRONTEND) | BIT(XENVBD_EVENT_DISK)))
		vbd->failed = false;

	if (events & BIT(XENVBD_EVENT_BROKEN))
		vbd->broken = vbd->nr_rings;

	if (vbd->gone)
		return;

	if (events & BIT(XENVBD_EVENT_NO_FLUSH) && vbd->disk.flush) {
		vbd->disk.flush = false;
		vbd->told.flush = false;
		err = xenvbd_publish_flush(vbd);
		if (err)
			dev_warn(&vbd->xbdev->dev, "%s: %d\n", vbd->error, err);
	}

	if (events & BIT(XENVBD_EVENT_DISK))
		handle_disk(vbd);
}

static void handle_vanished(struct xenvbd *vbd)
{
	if (vbd->vanished)
		return;
	vbd->vanished = true;
	warn(vbd, vanished_error(vbd));
}

static void handle_size(struct xenvbd *vbd)
{
	int err;

	if (vbd->gone || READ_ONCE(vbd->removed) || vbd->xbdev->state != XenbusStateConnected)
		return;
	if (xenvbd_disk_vanished(&vbd->disk)) {
		handle_vanished(vbd);
		return;
	}
	err = xenvbd_publish_size(vbd);
	if (err)
		dev_warn(&vbd->xbdev->dev, "%s: %d\n", vbd->error, err);
	mod_delayed_work(xenvbd_wq, &vbd->size_work, SIZE_INTERVAL);
}

/* The toolstack may have changed its mind already. */
static int say_initwait(struct xenvbd *vbd)
{
	return toolstack_closes(vbd) ? 0 : switch_state(vbd, XenbusStateInitWait);
}

/*
 * What a new vbd does before anything else. If it cannot it tries again at the next event.
 * False if there is no more to do: the directory is gone, and so will be the device.
 */
static bool begin(struct xenvbd *vbd)
{
	int err;

	if (vbd->begun || vbd->gone)
		return true;
	/* A key that is wrong is told when a frontend connects. */
	xenvbd_tunables_read(vbd);
	err = xenvbd_publish_transport(vbd) ?:
	      add_watch(vbd, &vbd->disk_watch, "physical-device", disk_changed) ?:
	      add_watch(vbd, &vbd->state_watch, "state", state_changed) ?:
	      add_watch(vbd, &vbd->online_watch, "online", online_changed) ?:
	      say_initwait(vbd);
	vbd->begun = !err;
	if (err == -ENOENT || err == -ENODEV)
		return false;
	if (err)
		fail(vbd, err);
	return true;
}

static void follow_table(struct xenvbd *vbd)
{
	enum xenvbd_action action;
	unsigned int fe_state;
	int err;

	while (!READ_ONCE(vbd->removed)) {
		fe_state = READ_ONCE(vbd->fe_state);
		action = xenvbd_next_action(vbd->xbdev->state, fe_state, facts(vbd, fe_state));
		if (action == XENVBD_ACT_NONE)
			break;
		err = act(vbd, action, fe_state);
		if (err) {
			fail(vbd, err);
			/* An error stands until the next event, which queues us again. */
			break;
		}
	}
}

static void xenvbd_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, work);

	mutex_lock(&vbd->lock);
	if (!READ_ONCE(vbd->removed)) {
		handle_events(vbd);
		if (begin(vbd))
			follow_table(vbd);
		handle_size(vbd);
	}
	mutex_unlock(&vbd->lock);
}

/* ---- the driver --------------------------------------------------------- */

/*
 * The device goes at once. What the disk still has of it lives on as a
 * remnant: rings, threads and grants, until the last request is back. The
 * module stays loaded as long.
 */
static void xenvbd_remove(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	dev_set_drvdata(&xbdev->dev, NULL);
	xenvbd_let_go(vbd);
}

static int xenvbd_probe(struct xenbus_device *xbdev, const struct xenbus_device_id *id)
{
	struct xenvbd *vbd;

	if (xenvbd_has_remnant(xbdev)) {
		dev_err(&xbdev->dev, "its disk has yet to answer requests from before\n");
		return -EBUSY;
	}
	vbd = xenvbd_alloc(xbdev);
	if (!vbd) {
		xenbus_dev_fatal(xbdev, -ENOMEM, "allocating backend structure");
		return -ENOMEM;
	}
	INIT_WORK(&vbd->work, xenvbd_work);
	INIT_DEFERRABLE_WORK(&vbd->size_work, look_at_size);
	xenvbd_wait_init(vbd);
	xenvbd_remnant_init(vbd);
	xenvbd_tunables_init(vbd);
	vbd->wq = xenvbd_wq;
	/* Not what a driver before has left: the work item begins anew, whoever looks. */
	xbdev->state = XenbusStateInitialising;
	dev_set_drvdata(&xbdev->dev, vbd);
	xenvbd_debugfs_add(vbd);
	queue_work(xenvbd_wq, &vbd->work);
	return 0;
}

static const struct xenbus_device_id xenvbd_ids[] = {
	{ "vbd" },
	{ "" }
};

static struct xenbus_driver xenvbd_driver = {
	.ids = xenvbd_ids,
	/* Another driver may take over under a running guest. */
	.allow_rebind = true,
	.probe = xenvbd_probe,
	.remove = xenvbd_remove,
	.otherend_changed = frontend_changed,
	.reclaim_memory = xenvbd_reclaim_memory,
	.driver.dev_groups = xenvbd_dev_groups,
};

static int __init xenvbd_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;

	err = xenvbd_cache_create();
	if (err)
		return err;

	/* Unbound: each vbd's work may wait for its disk and for nobody else. */
	err = -ENOMEM;
	xenvbd_wq = alloc_workqueue("xen-blkback", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!xenvbd_wq)
		goto out_destroy_cache;

	xenvbd_debugfs_init();
	err = xenbus_register_backend(&xenvbd_driver);
	if (err)
		goto out_debugfs_exit;
	return 0;

out_debugfs_exit:
	xenvbd_debugfs_exit();
	destroy_workqueue(xenvbd_wq);
out_destroy_cache:
	xenvbd_cache_destroy();
	return err;
}

static void __exit xenvbd_exit(void)
{
	xenbus_unregister_driver(&xenvbd_driver);
	/* What was removed last may have watches yet, which queue work. */
	flush_workqueue(xenvbd_wq);
	destroy_workqueue(xenvbd_wq);
	xenvbd_debugfs_exit();
	xenvbd_cache_destroy();
}

module_init(xenvbd_init);
module_exit(xenvbd_exit);

MODULE_DESCRIPTION("Xen virtual block device backend driver");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:vbd");
#ifdef XENVBD_VERSION
MODULE_VERSION(__stringify(XENVBD_VERSION));
#endif
