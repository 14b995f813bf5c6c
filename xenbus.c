// SPDX-License-Identifier: GPL-2.0-only
/*
 * The xenbus driver: what happens to a vbd, and when.
 *
 * xenwatch is one thread for all backends of the domain. So its callbacks only
 * note what has happened and queue the vbd's work item. The work item asks the
 * table in core/state.c what to do and does it. One thing is left to xenwatch: to
 * unregister a device, because no other context can do so without racing with
 * xenbus itself. By then nothing is left that could take time.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xen.h>

#include "common.h"
#include "control/actions.h"
#include "control/disk.h"
#include "control/limit.h"
#include "control/queue.h"
#include "control/states.h"
#include "control/store.h"
#include "control/tunables.h"
#include "control/vbd.h"
#include "data/reserve.h"
#include "observe/debugfs.h"
#include "observe/sysfs.h"

/*
 * How often a connected disk is looked at for changes, and when what xenstore has
 * refused is tried again.
 */
#define LOOK_INTERVAL	HZ
/* After what time others hear that nothing goes on; scripts of toolstacks are slow. */
#define REST_PATIENCE		HZ
#define SCRIPT_PATIENCE		(10 * HZ)
/* Actions that are done in one go. To connect takes fewer. */
#define MAX_ACTIONS	32

/* The package names its own, which is in dkms.conf, too. */
#ifndef XENVBD_VERSION
#define XENVBD_VERSION	0.1
#endif

/* ---- facts -------------------------------------------------------------- */

static void xs_record(struct xenvbd *vbd, enum xenvbd_event event)
{
	set_bit(event, &vbd->events);
	queue_work(vbd->wq, &vbd->work);
}

/* Which one does not matter: it is read when it is used. */
static void xs_frontend_changed(struct xenbus_device *xbdev,
				enum xenbus_state state)
{
	xs_record(dev_get_drvdata(&xbdev->dev), XENVBD_EVENT_FRONTEND);
}

/*
 * What of our own directory others write and we have to hear of. Of a device that
 * is Closed already the toolstack writes online and nothing else.
 */
static const struct {
	const char *key;
	enum xenvbd_event event;
} xs_watched[] = {
	{ "physical-device", XENVBD_EVENT_DISK },
	{ "state", XENVBD_EVENT_TOOLSTACK },
	{ "online", XENVBD_EVENT_TOOLSTACK },
	{ "cgroup", XENVBD_EVENT_CGROUP },
};

/*
 * The bits of events that a path stands for. It is not below our directory when
 * the watch is registered, and when all is deleted: then there may be a disk, or a
 * wish of the toolstack. The cgroup is read once the watch stands, and outlasts
 * its key when all goes.
 */
static unsigned long xs_path_events(const struct xenvbd *vbd, const char *path)
{
	size_t len = strlen(vbd->xbdev->nodename);
	unsigned long events = 0;
	unsigned int i;

	if (strncmp(path, vbd->xbdev->nodename, len) || path[len] != '/')
		return BIT(XENVBD_EVENT_DISK) | BIT(XENVBD_EVENT_TOOLSTACK);
	for (i = 0; i < ARRAY_SIZE(xs_watched); i++)
		if (!strcmp(path + len + 1, xs_watched[i].key))
			events |= BIT(xs_watched[i].event);
	return events;
}

/* Most of what is written there is ours, and would keep xenwatch busy. */
static bool xs_is_of_interest(struct xenbus_watch *watch, const char *path,
			      const char *token)
{
	return xs_path_events(container_of(watch, struct xenvbd, watch), path);
}

/*
 * Closed was written, and nobody waits for us any more. Not before it was: the
 * event may be of something else, while Closed is being written.
 */
static bool xs_is_over(struct xenvbd *vbd)
{
	bool over;

	if (!READ_ONCE(vbd->ending) || READ_ONCE(vbd->removed))
		return false;
	mutex_lock(&vbd->store_lock);
	over = vbd->facts & XENVBD_FACT_GONE;
	mutex_unlock(&vbd->store_lock);
	return over;
}

/*
 * In xenwatch. The event of our own Closed comes before those of whatever the
 * toolstack does when it sees that Closed. So a directory that it makes anew is
 * found by xenbus when this device is no more. Documentation/upstream.rst has what
 * xenbus should offer for it.
 */
static void xs_directory_changed(struct xenbus_watch *watch, const char *path,
				 const char *token)
{
	struct xenvbd *vbd = container_of(watch, struct xenvbd, watch);
	unsigned long events = xs_path_events(vbd, path);

	if (xs_is_over(vbd)) {
		device_unregister(&vbd->xbdev->dev);
		return;
	}
	for (; events; events &= events - 1)
		xs_record(vbd, __ffs(events));
}

/*
 * The block layer does not report that a disk has another size, see
 * Documentation/upstream.rst. Rings compare the size in each pass; this is for
 * rings that have nothing to do. Deferrable: it wakes no CPU that sleeps.
 */
static void xs_size_work(struct work_struct *work)
{
	struct xenvbd *vbd =
		container_of(to_delayed_work(work), struct xenvbd, size_work);

	xs_record(vbd, XENVBD_EVENT_RESIZE);
}

/* ---- errors and watches ------------------------------------------------- */

/* An error stands until the next event, and the table has the frontend close. */
static void xs_fail(struct xenvbd *vbd, int err)
{
	vbd->facts |= XENVBD_FACT_FAILED;
	xenvbd_error_fatal(vbd, err);
}

static void xs_look_later(struct xenvbd *vbd)
{
	mod_delayed_work(vbd->wq, &vbd->size_work, LOOK_INTERVAL);
}

/*
 * It is nobody's fault, and nobody has to close: it is tried again. Said once before
 * a guest is connected, and not too often if guests come and go.
 */
static void xs_short(struct xenvbd *vbd, int err)
{
	if (!vbd->error.short_reported && __ratelimit(&vbd->error.log))
		xenvbd_error_report(vbd, err);
	else
		xenvbd_error_note(vbd, err);
	vbd->error.short_reported = true;
	vbd->error.is_short = true;
	xs_look_later(vbd);
}

/*
 * Watch our directory, unless the device is gone: nothing would unregister the
 * watch then. Not by the helper of xenbus, which writes Closing if it fails: see
 * Documentation/upstream.rst.
 */
static int xs_watch(struct xenvbd *vbd)
{
	const char *dir = vbd->xbdev->nodename;
	int err;

	if (vbd->watch.node || !xenvbd_store_begin(vbd))
		return 0;
	err = -ENOMEM;
	vbd->watch.node = kstrdup(dir, GFP_KERNEL);
	vbd->watch.will_handle = xs_is_of_interest;
	vbd->watch.callback = xs_directory_changed;
	if (vbd->watch.node)
		err = xenvbd_store_error(register_xenbus_watch(&vbd->watch));
	if (err) {
		kfree(vbd->watch.node);
		vbd->watch.node = NULL;
	}
	xenvbd_store_end(vbd);
	return err ? xenvbd_error(vbd, err, "watching %s", dir) : 0;
}

/* ---- the work item ------------------------------------------------------ */

/*
 * The disk has refused a flush. Its cache may be there all the same: then no fsync()
 * of the guest means anything, and somebody has to hear of that. Not more often than
 * other things that a guest can cause, by connecting again and again.
 */
static void xs_handle_no_flush(struct xenvbd *vbd)
{
	int err;

	if (!vbd->disk.flush && !xenvbd_frontend_flushes(&vbd->advertised))
		return;
	vbd->disk.flush = false;
	/* Rings look at it. */
	WRITE_ONCE(vbd->disk.no_flush, true);
	vbd->advertised.disk.no_flush = true;
	err = xenvbd_error(vbd, -EOPNOTSUPP,
			   "disk %x:%x does not know flushes, and what it has cached may be lost",
			   MAJOR(vbd->devt), MINOR(vbd->devt));
	if (__ratelimit(&vbd->error.log))
		xenvbd_error_report(vbd, err);
	else
		xenvbd_error_note(vbd, err);
	xenvbd_error_warn(vbd, xenvbd_publish_or_owe(vbd, XENVBD_OWED_FLUSH));
}

static void xs_handle_events(struct xenvbd *vbd)
{
	unsigned long events = xchg(&vbd->events, 0);

	/* Something has happened: an error need not stand any more. */
	if (events & (BIT(XENVBD_EVENT_FRONTEND) | BIT(XENVBD_EVENT_DISK) |
		      BIT(XENVBD_EVENT_CGROUP)))
		vbd->facts &= ~XENVBD_FACT_FAILED;
	if (events & BIT(XENVBD_EVENT_FRONTEND))
		vbd->facts |= XENVBD_FACT_RENEWED;
	if (events & BIT(XENVBD_EVENT_DISK))
		vbd->facts |= XENVBD_FACT_NAMED;
	if (events & BIT(XENVBD_EVENT_BROKEN) && vbd->nr_rings)
		vbd->facts |= XENVBD_FACT_BROKEN;
	if (events & BIT(XENVBD_EVENT_CGROUP) || vbd->cgroup.unread) {
		vbd->cgroup.unread =
			xenvbd_store_is_short(xenvbd_limit_follow(vbd));
		if (vbd->cgroup.unread)
			xs_look_later(vbd);
	}
	/* Whatever has happened, they may be gone. */
	vbd->facts &= ~(XENVBD_FACT_REMNANT | XENVBD_FACT_SHORT);
	vbd->error.is_short = false;

	if (events & BIT(XENVBD_EVENT_NO_FLUSH) &&
	    !(vbd->facts & XENVBD_FACT_GONE))
		xs_handle_no_flush(vbd);
}

static void xs_handle_disk(struct xenvbd *vbd)
{
	int err;

	if (READ_ONCE(vbd->removed) || !xenvbd_disk_ready(&vbd->disk) ||
	    vbd->xbdev->state != XenbusStateConnected)
		return;
	err = xenvbd_disk_check_vanished(vbd);
	if (err) {
		if (!vbd->vanished_reported) {
			xenvbd_error_report(vbd, err);
			xenvbd_uevent(vbd, "vanished", NULL);
		}
		vbd->vanished_reported = true;
		return;
	}
	xenvbd_disk_follow(vbd);
	xenvbd_error_warn(vbd, xenvbd_publish_size(vbd));
	xs_look_later(vbd);
}

/*
 * What a new vbd does before anything else. If it cannot, it tries again at the
 * next event, and after a while without a word. False if there is no more to do:
 * the directory is gone, and so will be the device.
 */
static bool xs_begin(struct xenvbd *vbd)
{
	bool failed = vbd->facts & XENVBD_FACT_FAILED;
	int err;

	if (vbd->begun || vbd->facts & XENVBD_FACT_GONE)
		return true;
	/* A key that is wrong is reported when a frontend connects. */
	xenvbd_tunables_read(vbd);
	err = xenvbd_publish_transport(vbd) ?: xs_watch(vbd);
	if (!err) {
		xenvbd_limit_read(vbd);
		vbd->begun = true;
		vbd->facts &= ~XENVBD_FACT_FAILED;
		return true;
	}
	if (xenvbd_store_is_short(err)) {
		xs_short(vbd, err);
		return true;
	}
	xs_look_later(vbd);
	if (err == -ENOENT || err == -ENODEV)
		return false;
	if (!failed)
		xs_fail(vbd, err);
	return true;
}

/* What the table decides on. Without it nothing can be done now. */
static bool xs_look(struct xenvbd *vbd, struct xenvbd_picture *now)
{
	int err = xenvbd_picture_take(vbd, XBT_NIL, now);

	if (!err)
		return true;
	if (xenvbd_store_is_short(err)) {
		xs_short(vbd, err);
		return false;
	}
	/* If the directory is gone the device will be, too. */
	if (err != -ENOENT)
		xenvbd_error_fatal(vbd, err);
	xs_look_later(vbd);
	return false;
}

/* A vbd that could not begin, for something is short, can only end. */
static bool xs_may_act(const struct xenvbd *vbd, enum xenvbd_action action)
{
	return vbd->begun || vbd->facts & XENVBD_FACT_FAILED ||
	       action == XENVBD_ACT_UNREGISTER ||
	       action == XENVBD_ACT_CLOSED || action == XENVBD_ACT_CLOSING;
}

/* Do what the table says. False if there is no more to do now. */
static bool xs_ask_table(struct xenvbd *vbd)
{
	bool failed = vbd->facts & XENVBD_FACT_FAILED;
	struct xenvbd_picture now;
	enum xenvbd_action action;
	int err;

	if (!xs_look(vbd, &now))
		return false;
	action = xenvbd_picture_action(vbd, &now);
	if (action == XENVBD_ACT_NONE && !vbd->error.is_short &&
	    vbd->xbdev->state == XenbusStateConnected)
		vbd->error.short_reported = false;
	if (action == XENVBD_ACT_NONE || !xs_may_act(vbd, action))
		return false;
	err = xenvbd_act(vbd, action, now.frontend);
	if (!err)
		return true;
	if (xenvbd_act_is_short(action, err)) {
		xs_short(vbd, err);
		/* That is not asked for again now. */
		return action == XENVBD_ACT_OPEN;
	}
	xs_fail(vbd, err);
	/* Not even the error's Closing can be written. */
	if (failed)
		xs_look_later(vbd);
	return !failed;
}

/* The frontend is ready before the toolstack's script has written the disk's number. */
static bool xs_lacks_disk(const struct xenvbd *vbd)
{
	return vbd->xbdev->state == XenbusStateInitWait && vbd->nr_rings &&
	       !xenvbd_disk_ready(&vbd->disk);
}

/* What the vbd waits for, if neither the guest nor the disk has to act next. */
static void xs_rest(struct xenvbd *vbd)
{
	if (vbd->facts & XENVBD_FACT_REMNANT)
		xenvbd_stall_rest(vbd, "waiting for writes of a removed vbd",
				  REST_PATIENCE);
	else if (vbd->error.is_short)
		xenvbd_stall_rest(vbd,
				  "waiting for memory or for room in xenstore",
				  REST_PATIENCE);
	else if (xs_lacks_disk(vbd))
		xenvbd_stall_rest(vbd, "waiting for physical-device",
				  SCRIPT_PATIENCE);
	else
		xenvbd_stall_rest(vbd, NULL, 0);
}

/* A guest that writes one state after the other does not keep a work item busy. */
static void xs_follow_table(struct xenvbd *vbd)
{
	unsigned int left = MAX_ACTIONS;

	while (!READ_ONCE(vbd->removed) && left && xs_ask_table(vbd))
		left--;
	if (!left)
		queue_work(vbd->wq, &vbd->work);
	xs_rest(vbd);
}

/* What could not be written for others to read. */
static void xs_handle_owed(struct xenvbd *vbd)
{
	if (xenvbd_publish_owed(vbd))
		xs_look_later(vbd);
}

/* It is unregistered in xenwatch, and so has to be heard of there. */
static void xs_await_end(struct xenvbd *vbd)
{
	if (xs_watch(vbd))
		xs_look_later(vbd);
}

static void xs_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, work);

	mutex_lock(&vbd->lock);
	if (!READ_ONCE(vbd->removed)) {
		xs_handle_events(vbd);
		if (xs_begin(vbd))
			xs_follow_table(vbd);
		if (vbd->facts & XENVBD_FACT_GONE)
			xs_await_end(vbd);
		else
			xs_handle_owed(vbd);
		xs_handle_disk(vbd);
		if (xenvbd_error_settle(vbd))
			xs_look_later(vbd);
	}
	mutex_unlock(&vbd->lock);
}

/* ---- the driver --------------------------------------------------------- */

/*
 * The device goes at once. What the disk still has of it lives on as a
 * remnant: rings, threads and grants, until the last request is back. The
 * module stays loaded as long.
 */
static void xs_remove(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	dev_set_drvdata(&xbdev->dev, NULL);
	xenvbd_debugfs_remove(vbd);
	if (xenvbd_teardown_begin(vbd))
		xenvbd_debugfs_add_remnant(vbd);
	xenvbd_teardown_run(vbd);
}

/*
 * xenbus does not probe a device again. So all that have no driver are probed once more
 * when there may be memory again; until then they stay as they are, and so do guests that
 * another driver has left connected.
 */
static void xs_probe_again(struct work_struct *work);
static DECLARE_DELAYED_WORK(xs_probe_work, xs_probe_again);
/* The driver is about to go. */
static bool xs_leaving;

static void xs_probe_later(void)
{
	schedule_delayed_work(&xs_probe_work, LOOK_INTERVAL);
}

static int xs_probe(struct xenbus_device *xbdev,
		    const struct xenbus_device_id *id)
{
	struct xenvbd *vbd;

	if (xenvbd_has_remnant(xbdev)) {
		dev_err(&xbdev->dev,
			"its disk has yet to answer requests from before\n");
		return -EBUSY;
	}
	vbd = xenvbd_alloc(xbdev);
	if (!vbd) {
		/* Nothing fatal: a guest would have to close. */
		xenbus_dev_error(xbdev, -ENOMEM,
				 "allocating backend structure");
		xs_probe_later();
		return -ENOMEM;
	}
	INIT_WORK(&vbd->work, xs_work);
	INIT_DEFERRABLE_WORK(&vbd->size_work, xs_size_work);
	xenvbd_tunables_init(&vbd->tunables);
	xenvbd_remnant_init(&vbd->remnant, xenvbd_debugfs_remove);
	xenvbd_teardown_init(&vbd->teardown);
	/*
	 * Ignore the state a previous driver left; the work item starts over.
	 * xenbus should: see Documentation/upstream.rst.
	 */
	xbdev->state = XenbusStateInitialising;
	dev_set_drvdata(&xbdev->dev, vbd);
	xenvbd_debugfs_add(vbd);
	queue_work(vbd->wq, &vbd->work);
	return 0;
}

/* Called by a shrinker, with reclaim_sem held: probe and remove have to wait. */
static void xs_reclaim_memory(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	/* The device may not be ours any more. */
	if (vbd)
		xenvbd_reclaim_memory(vbd);
}

static const struct xenbus_device_id xs_ids[] = {
	{ "vbd" },
	{ "" }
};

static struct xenbus_driver xs_driver = {
	.ids = xs_ids,
	/* Another driver may take over under a running guest. */
	.allow_rebind = true,
	.probe = xs_probe,
	.remove = xs_remove,
	.otherend_changed = xs_frontend_changed,
	.reclaim_memory = xs_reclaim_memory,
	.driver.dev_groups = xenvbd_dev_groups,
};

/* Those that fail once more have it queued again. */
static void xs_probe_again(struct work_struct *work)
{
	if (!READ_ONCE(xs_leaving) && driver_attach(&xs_driver.driver))
		xs_probe_later();
}

static void xs_probe_never(void)
{
	WRITE_ONCE(xs_leaving, true);
	cancel_delayed_work_sync(&xs_probe_work);
}

/* The end of what needs no device. The last work hides remnants from debugfs. */
static void xs_release(void)
{
	xenvbd_queues_exit();
	xenvbd_debugfs_exit();
	xenvbd_reserve_exit();
	xenvbd_cache_destroy();
}

static int __init xs_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;

	err = xenvbd_cache_create();
	if (err)
		return err;
	err = xenvbd_reserve_init();
	if (err) {
		xenvbd_cache_destroy();
		return err;
	}

	xenvbd_debugfs_init();
	err = xenbus_register_backend(&xs_driver);
	if (err) {
		xs_probe_never();
		xs_release();
	}
	return err;
}

static void __exit xs_exit(void)
{
	/* The second time for a probe that has failed in between. */
	xs_probe_never();
	xenbus_unregister_driver(&xs_driver);
	xs_probe_never();
	xs_release();
}

module_init(xs_init);
module_exit(xs_exit);

MODULE_DESCRIPTION("Xen virtual block device backend driver");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:vbd");
MODULE_VERSION(__stringify(XENVBD_VERSION));
