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
#include <xen/xen.h>

#include "common.h"
#include "control/disk.h"
#include "control/store.h"
#include "control/vbd.h"
#include "observe/debugfs.h"
#include "observe/sysfs.h"

/* How often the size of a connected disk is looked at while nobody uses it. */
#define SIZE_INTERVAL	HZ

static struct workqueue_struct *xs_wq;

/* ---- facts -------------------------------------------------------------- */

static void xs_record(struct xenvbd *vbd, enum xenvbd_event event)
{
	set_bit(event, &vbd->events);
	queue_work(xs_wq, &vbd->work);
}

static void xs_frontend_changed(struct xenbus_device *xbdev,
				enum xenbus_state state)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	WRITE_ONCE(vbd->fe_state, state);
	xs_record(vbd, XENVBD_EVENT_FRONTEND);
}

static void xs_key_changed(struct xenbus_watch *watch, const char *path,
			   const char *token);
static void xs_reap(struct xenbus_watch *watch, const char *path,
		    const char *token);

/* Indexed by enum xenvbd_watched. */
static const struct {
	const char *key;
	enum xenvbd_event event;
	void (*callback)(struct xenbus_watch *watch, const char *path,
			 const char *token);
} xs_watched[XENVBD_NR_WATCHED] = {
	[XENVBD_WATCHED_DISK] = { "physical-device", XENVBD_EVENT_DISK,
				  xs_key_changed },
	[XENVBD_WATCHED_STATE] = { "state", XENVBD_EVENT_TOOLSTACK,
				   xs_key_changed },
	/*
	 * Of a device that is Closed already the toolstack writes nothing else.
	 */
	[XENVBD_WATCHED_ONLINE] = { "online", XENVBD_EVENT_TOOLSTACK,
				    xs_key_changed },
	/* Fires once when it is registered: that gets us into xenwatch. */
	[XENVBD_WATCHED_REAP] = { .key = "state", .callback = xs_reap },
};

static void xs_key_changed(struct xenbus_watch *xenbus, const char *path,
			   const char *token)
{
	struct xenvbd_watch *watch =
		container_of(xenbus, struct xenvbd_watch, xenbus);

	xs_record(watch->vbd, xs_watched[watch - watch->vbd->watch].event);
}

/*
 * The block layer does not report that a disk has another size. Rings compare
 * the size in each pass; this is for rings that have nothing to do. Deferrable:
 * it wakes no CPU that sleeps.
 */
static void xs_size_work(struct work_struct *work)
{
	struct xenvbd *vbd =
		container_of(to_delayed_work(work), struct xenvbd, size_work);

	xs_record(vbd, XENVBD_EVENT_RESIZE);
}

/* It writes Closing over whatever state of ours stands there. */
static bool xs_toolstack_closes(const struct xenvbd *vbd)
{
	struct xenbus_device *xbdev = vbd->xbdev;

	return xenbus_read_driver_state(xbdev, xbdev->nodename) ==
	       XenbusStateClosing;
}

/* What the toolstack wants, if it matters to what happens next. */
static unsigned int xs_toolstack_facts(struct xenvbd *vbd,
				       unsigned int fe_state)
{
	unsigned int facts = 0;

	if (fe_state != XenbusStateClosed &&
	    fe_state != XenbusStateInitialising)
		return 0;

	if (!xenbus_dev_is_online(vbd->xbdev))
		facts |= XENVBD_FACT_OFFLINE;
	if (xs_toolstack_closes(vbd))
		facts |= XENVBD_FACT_CLOSE;
	return facts;
}

static unsigned int xs_facts(struct xenvbd *vbd, unsigned int fe_state)
{
	return vbd->facts |
	       (xenvbd_disk_ready(&vbd->disk) ? XENVBD_FACT_DISK : 0) |
	       (vbd->nr_rings ? XENVBD_FACT_RINGS : 0) |
	       xs_toolstack_facts(vbd, fe_state);
}

/* ---- actions ------------------------------------------------------------ */

/* xenbus_switch_state() returns 0 even if it could not. */
static int xs_switch_state(struct xenvbd *vbd, enum xenbus_state state)
{
	if (xenvbd_store_begin(vbd)) {
		xenbus_switch_state(vbd->xbdev, state);
		xenvbd_store_end(vbd);
	}
	if (vbd->xbdev->state == state)
		return 0;
	return xenvbd_error(vbd, -EIO, "switching to state %s",
			    xenbus_strstate(state));
}

/* An error stands until the next event, and the frontend has to close. */
static void xs_fail(struct xenvbd *vbd, int err)
{
	vbd->facts |= XENVBD_FACT_FAILED;
	xenvbd_error_fatal(vbd, err);
}

/* What only the log needs to know. */
static void xs_warn(struct xenvbd *vbd, int err)
{
	if (err)
		dev_warn(&vbd->xbdev->dev, "%s: %d\n", vbd->error.text, err);
}

static int xs_act_connect(struct xenvbd *vbd)
{
	int err = xenvbd_disk_check_vanished(vbd);

	if (err)
		return err;

	err = xenvbd_publish_disk(vbd);
	if (!err) {
		xenvbd_stall_enter(vbd, "writing back the disk's cache");
		err = xenvbd_start_rings(vbd);
		xenvbd_stall_leave(vbd);
	}
	if (!err)
		err = xs_switch_state(vbd, XenbusStateConnected);
	if (err)
		xenvbd_disconnect(vbd);
	return err;
}

/*
 * Watch a key, unless the device is gone: nothing would unregister the watch
 * then.
 */
static int xs_watch(struct xenvbd *vbd, enum xenvbd_watched i)
{
	struct xenvbd_watch *watch = &vbd->watch[i];
	const char *key = xs_watched[i].key;
	int err;

	if (watch->xenbus.node || !xenvbd_store_begin(vbd))
		return 0;
	watch->vbd = vbd;
	err = xenbus_watch_pathfmt(vbd->xbdev, &watch->xenbus, NULL,
				   xs_watched[i].callback, "%s/%s",
				   vbd->xbdev->nodename, key);
	xenvbd_store_end(vbd);
	return err ? xenvbd_error(vbd, err, "watching %s/%s",
				  vbd->xbdev->nodename, key) :
		     0;
}

/*
 * In xenwatch. The watch may fire again, and the directory may have been
 * deleted before.
 */
static void xs_reap(struct xenbus_watch *xenbus, const char *path,
		    const char *token)
{
	struct xenvbd *vbd =
		container_of(xenbus, struct xenvbd_watch, xenbus)->vbd;

	if (!READ_ONCE(vbd->removed))
		device_unregister(&vbd->xbdev->dev);
}

static int xs_act_unregister(struct xenvbd *vbd)
{
	int err;

	xenvbd_disconnect(vbd);
	xenvbd_disk_close(vbd);
	/* The toolstack may have written Closing over our Closed, and wait. */
	if (xs_toolstack_closes(vbd))
		xs_switch_state(vbd, XenbusStateClosing);
	xs_switch_state(vbd, XenbusStateClosed);

	/* Removal looks at it, and holds other locks. */
	WRITE_ONCE(vbd->facts, vbd->facts | XENVBD_FACT_GONE);
	err = xs_watch(vbd, XENVBD_WATCHED_REAP);
	if (err)
		WRITE_ONCE(vbd->facts, vbd->facts & ~XENVBD_FACT_GONE);
	return err;
}

static int xs_act_broken(struct xenvbd *vbd)
{
	xenvbd_disconnect(vbd);
	return xenvbd_error(vbd, -EPROTO, "frontend has broken its ring");
}

static int xs_act(struct xenvbd *vbd, enum xenvbd_action action,
		  unsigned int fe_state)
{
	switch (action) {
	case XENVBD_ACT_INITWAIT:
		xenvbd_disconnect(vbd);
		return xs_switch_state(vbd, XenbusStateInitWait);
	case XENVBD_ACT_MAP:
		return xenvbd_tunables_read(vbd) ?: xenvbd_map_rings(vbd);
	case XENVBD_ACT_CONNECT:
		return xs_act_connect(vbd);
	case XENVBD_ACT_CLOSING:
		return xs_switch_state(vbd, XenbusStateClosing);
	case XENVBD_ACT_CLOSED:
		xenvbd_disconnect(vbd);
		return xs_switch_state(vbd, XenbusStateClosed);
	case XENVBD_ACT_UNREGISTER:
		return xs_act_unregister(vbd);
	case XENVBD_ACT_BROKEN:
		return xs_act_broken(vbd);
	case XENVBD_ACT_BAD_STATE:
		return xenvbd_error(vbd, -EINVAL,
				    "saw state %u (%s) at frontend", fe_state,
				    xenbus_strstate(fe_state));
	default:
		return 0;
	}
}

/* ---- the work item ------------------------------------------------------ */

static void xs_handle_disk(struct xenvbd *vbd)
{
	bool had_disk = xenvbd_disk_ready(&vbd->disk);
	int err;

	xenvbd_stall_enter(vbd, had_disk ? "exchanging the disk" :
					   "opening the disk");
	err = xenvbd_disk_open(vbd);
	xenvbd_stall_leave(vbd);
	if (err < 0 && !had_disk) {
		xs_fail(vbd, err);
	} else if (err < 0) {
		/* A guest that has a good disk keeps it. */
		xenvbd_error_report(vbd, err);
		xenvbd_publish_refusal(vbd);
	} else if (err) {
		err = had_disk ? xenvbd_publish_exchange(vbd) :
				 xenvbd_publish_opened(vbd);
		if (err)
			xenvbd_error_report(vbd, err);
	}
}

static void xs_handle_events(struct xenvbd *vbd)
{
	unsigned long events = xchg(&vbd->events, 0);

	/* Something has happened: an error need not stand any more. */
	if (events & (BIT(XENVBD_EVENT_FRONTEND) | BIT(XENVBD_EVENT_DISK)))
		vbd->facts &= ~XENVBD_FACT_FAILED;

	if (events & BIT(XENVBD_EVENT_BROKEN) && vbd->nr_rings)
		vbd->facts |= XENVBD_FACT_BROKEN;

	if (vbd->facts & XENVBD_FACT_GONE)
		return;

	if (events & BIT(XENVBD_EVENT_NO_FLUSH) && vbd->disk.flush) {
		vbd->disk.flush = false;
		vbd->advertised.disk.flush = false;
		xs_warn(vbd, xenvbd_publish_flush(vbd));
	}

	if (events & BIT(XENVBD_EVENT_DISK))
		xs_handle_disk(vbd);
}

static void xs_handle_size(struct xenvbd *vbd)
{
	int err;

	if (vbd->facts & XENVBD_FACT_GONE || READ_ONCE(vbd->removed) ||
	    vbd->xbdev->state != XenbusStateConnected)
		return;
	err = xenvbd_disk_check_vanished(vbd);
	if (err) {
		if (!vbd->vanished_reported)
			xenvbd_error_report(vbd, err);
		vbd->vanished_reported = true;
		return;
	}
	xs_warn(vbd, xenvbd_publish_size(vbd));
	mod_delayed_work(xs_wq, &vbd->size_work, SIZE_INTERVAL);
}

/* The toolstack may have changed its mind already. */
static int xs_say_initwait(struct xenvbd *vbd)
{
	return xs_toolstack_closes(vbd) ?
		       0 :
		       xs_switch_state(vbd, XenbusStateInitWait);
}

/*
 * What a new vbd does before anything else. If it cannot it tries again at the
 * next event. False if there is no more to do: the directory is gone, and so
 * will be the device.
 */
static bool xs_begin(struct xenvbd *vbd)
{
	int err;

	if (vbd->begun || vbd->facts & XENVBD_FACT_GONE)
		return true;
	/* A key that is wrong is reported when a frontend connects. */
	xenvbd_tunables_read(vbd);
	err = xenvbd_publish_transport(vbd) ?:
	      xs_watch(vbd, XENVBD_WATCHED_DISK) ?:
	      xs_watch(vbd, XENVBD_WATCHED_STATE) ?:
	      xs_watch(vbd, XENVBD_WATCHED_ONLINE) ?:
	      xs_say_initwait(vbd);
	vbd->begun = !err;
	if (err == -ENOENT || err == -ENODEV)
		return false;
	if (err)
		xs_fail(vbd, err);
	return true;
}

static void xs_follow_table(struct xenvbd *vbd)
{
	enum xenvbd_action action;
	unsigned int fe_state;
	int err;

	while (!READ_ONCE(vbd->removed)) {
		fe_state = READ_ONCE(vbd->fe_state);
		action = xenvbd_next_action(vbd->xbdev->state, fe_state,
					    xs_facts(vbd, fe_state));
		if (action == XENVBD_ACT_NONE)
			break;
		err = xs_act(vbd, action, fe_state);
		if (err) {
			xs_fail(vbd, err);
			break;
		}
	}
}

static void xs_work(struct work_struct *work)
{
	struct xenvbd *vbd = container_of(work, struct xenvbd, work);

	mutex_lock(&vbd->lock);
	if (!READ_ONCE(vbd->removed)) {
		xs_handle_events(vbd);
		if (xs_begin(vbd))
			xs_follow_table(vbd);
		xs_handle_size(vbd);
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
		xenbus_dev_fatal(xbdev, -ENOMEM,
				 "allocating backend structure");
		return -ENOMEM;
	}
	INIT_WORK(&vbd->work, xs_work);
	INIT_DEFERRABLE_WORK(&vbd->size_work, xs_size_work);
	xenvbd_tunables_init(&vbd->tunables);
	xenvbd_teardown_init(&vbd->teardown, xenvbd_debugfs_remove);
	vbd->wq = xs_wq;
	/* Ignore the state a previous driver left; the work item starts over. */
	xbdev->state = XenbusStateInitialising;
	dev_set_drvdata(&xbdev->dev, vbd);
	xenvbd_debugfs_add(vbd);
	queue_work(xs_wq, &vbd->work);
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

static int __init xs_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;

	err = xenvbd_cache_create();
	if (err)
		return err;

	/* Unbound: each vbd's work may wait for its disk and for nobody else. */
	err = -ENOMEM;
	xs_wq = alloc_workqueue("xen-blkback", WQ_UNBOUND,
				WQ_UNBOUND_MAX_ACTIVE);
	if (!xs_wq)
		goto out_destroy_cache;

	xenvbd_debugfs_init();
	err = xenbus_register_backend(&xs_driver);
	if (err)
		goto out_debugfs_exit;
	return 0;

out_debugfs_exit:
	xenvbd_debugfs_exit();
	destroy_workqueue(xs_wq);
out_destroy_cache:
	xenvbd_cache_destroy();
	return err;
}

static void __exit xs_exit(void)
{
	xenbus_unregister_driver(&xs_driver);
	/* What was removed last may have watches yet, which queue work. */
	flush_workqueue(xs_wq);
	destroy_workqueue(xs_wq);
	xenvbd_debugfs_exit();
	xenvbd_cache_destroy();
}

module_init(xs_init);
module_exit(xs_exit);

MODULE_DESCRIPTION("Xen virtual block device backend driver");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:vbd");
#ifdef XENVBD_VERSION
MODULE_VERSION(__stringify(XENVBD_VERSION));
#endif
