// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is advertised to frontends: module parameters, and the xenstore keys
 * that publish them and the disk. And what is reported to the toolstack.
 *
 * Documentation/xenstore.rst lists them all.
 */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "common.h"
#include "control/states.h"
#include "control/store.h"
#include "data/param.h"

/* Sixteen pages of 4 KiB: the largest ring that xenbus_map_ring_valloc() maps. */
#define MAX_RING_PAGE_ORDER	XENBUS_MAX_RING_GRANT_ORDER

static int publish_set_max_queues(const char *val,
				  const struct kernel_param *kp)
{
	return xenvbd_param_set_uint(val, kp, 0, XENVBD_MAX_RINGS);
}

static const struct kernel_param_ops max_queues_ops = {
	.set = publish_set_max_queues,
	.get = param_get_uint,
};

static unsigned int max_queues;
module_param_cb(max_queues, &max_queues_ops, &max_queues, 0644);
MODULE_PARM_DESC(max_queues,
		 "Rings offered per device, 0 to 64; 0: one per online CPU. Default 0");

static int publish_set_max_ring_page_order(const char *val,
					   const struct kernel_param *kp)
{
	return xenvbd_param_set_uint(val, kp, 0, MAX_RING_PAGE_ORDER);
}

static const struct kernel_param_ops max_ring_page_order_ops = {
	.set = publish_set_max_ring_page_order,
	.get = param_get_uint,
};

static unsigned int max_ring_page_order = MAX_RING_PAGE_ORDER;
module_param_cb(max_ring_page_order, &max_ring_page_order_ops,
		&max_ring_page_order, 0644);
MODULE_PARM_DESC(max_ring_page_order,
		 "Largest ring offered, as log2 of its pages, 0 to 4. Default 4");

static bool feature_persistent = true;
module_param(feature_persistent, bool, 0644);
MODULE_PARM_DESC(feature_persistent,
		 "Offer to keep grants mapped between requests. Default Y");

/* A key, and what makes its value. */
struct xenvbd_key {
	const char *name;
	u64 (*value)(const struct xenvbd *vbd);
};

static u64 publish_key_flush(const struct xenvbd *vbd)
{
	return vbd->disk.flush;
}

static u64 publish_key_persistent(const struct xenvbd *vbd)
{
	return vbd->advertised.persistent;
}

static u64 publish_key_max_segs(const struct xenvbd *vbd)
{
	return XENVBD_MAX_SEGS;
}

static u64 publish_key_discard(const struct xenvbd *vbd)
{
	return vbd->disk.discard;
}

static u64 publish_key_discard_secure(const struct xenvbd *vbd)
{
	/* Ends of it inside of a block could not be erased. */
	return vbd->disk.secure && !vbd->advertised.emulate;
}

static u64 publish_key_discard_granularity(const struct xenvbd *vbd)
{
	return bdev_discard_granularity(vbd->disk.bdev);
}

static u64 publish_key_discard_alignment(const struct xenvbd *vbd)
{
	return max(bdev_discard_alignment(vbd->disk.bdev), 0);
}

static u64 publish_key_opened(const struct xenvbd *vbd)
{
	return vbd->disk.file ? 1 : 0;
}

/* Sectors of 512 bytes, whatever the disk's own are. */
static u64 publish_key_sectors(const struct xenvbd *vbd)
{
	return vbd->advertised.sects;
}

static u64 publish_key_info(const struct xenvbd *vbd)
{
	return (vbd->disk.cdrom ? VDISK_CDROM : 0) |
	       (vbd->disk.removable ? VDISK_REMOVABLE : 0) |
	       (vbd->disk.readonly ? VDISK_READONLY : 0);
}

static u64 publish_key_sector_size(const struct xenvbd *vbd)
{
	return vbd->advertised.emulate ? SECTOR_SIZE : vbd->disk.block_size;
}

static u64 publish_key_physical_sector_size(const struct xenvbd *vbd)
{
	return vbd->disk.empty ? vbd->disk.block_size :
				 bdev_physical_block_size(vbd->disk.bdev);
}

static u64 publish_key_max_rings(const struct xenvbd *vbd)
{
	return vbd->advertised.max_rings;
}

static u64 publish_key_max_ring_page_order(const struct xenvbd *vbd)
{
	return vbd->advertised.max_ring_page_order;
}

static u64 publish_key_max_ring_pages(const struct xenvbd *vbd)
{
	return BIT(vbd->advertised.max_ring_page_order);
}

/* What a frontend has to know before it sets up its rings. */
static const struct xenvbd_key transport_keys[] = {
	{ "multi-queue-max-queues", publish_key_max_rings },
	{ "max-ring-page-order", publish_key_max_ring_page_order },
	{ "max-ring-pages", publish_key_max_ring_pages },
	{ "feature-max-indirect-segments", publish_key_max_segs },
	{ "feature-persistent", publish_key_persistent },
	/* That the key exists says that the driver checks diskseq. */
	{ "opened", publish_key_opened },
	{ }
};

static const struct xenvbd_key opened_keys[] = {
	{ "opened", publish_key_opened },
	{ }
};

static const struct xenvbd_key flush_keys[] = {
	{ "feature-flush-cache", publish_key_flush },
	{ "feature-barrier", publish_key_flush },
	{ }
};

static const struct xenvbd_key size_keys[] = {
	{ "sectors", publish_key_sectors },
	{ }
};

static const struct xenvbd_key disk_keys[] = {
	{ "feature-flush-cache", publish_key_flush },
	{ "feature-barrier", publish_key_flush },
	{ "feature-discard", publish_key_discard },
	{ "feature-persistent", publish_key_persistent },
	{ "sectors", publish_key_sectors },
	{ "info", publish_key_info },
	{ "sector-size", publish_key_sector_size },
	{ "physical-sector-size", publish_key_physical_sector_size },
	{ }
};

static const struct xenvbd_key discard_keys[] = {
	{ "discard-granularity", publish_key_discard_granularity },
	{ "discard-alignment", publish_key_discard_alignment },
	{ "discard-secure", publish_key_discard_secure },
	{ }
};

/*
 * Writes keys in a transaction. @text is for the one key that the caller has a
 * text for.
 */
typedef int publish_write_t(struct xenvbd *vbd, struct xenbus_transaction xbt,
			    const char *text);

static int publish_table(struct xenvbd *vbd, struct xenbus_transaction xbt,
			 const struct xenvbd_key *keys)
{
	const struct xenvbd_key *key;
	int err;

	for (key = keys; key->name; key++) {
		err = xenbus_printf(xbt, vbd->xbdev->nodename, key->name,
				    "%llu", key->value(vbd));
		if (err)
			return xenvbd_error(vbd, err, "writing %s/%s",
					    vbd->xbdev->nodename, key->name);
	}
	return 0;
}

static int publish_transport(struct xenvbd *vbd, struct xenbus_transaction xbt,
			     const char *text)
{
	/* Another driver may have been bound before, and stuck. */
	xenbus_rm(xbt, vbd->xbdev->nodename, "waiting");
	return publish_table(vbd, xbt, transport_keys);
}

static int publish_disk(struct xenvbd *vbd, struct xenbus_transaction xbt,
			const char *text)
{
	int err = publish_table(vbd, xbt, disk_keys);

	return err || !vbd->disk.discard ?
		       err :
		       publish_table(vbd, xbt, discard_keys);
}

/* Where a toolstack looks for the thread of a ring. */
static void publish_name_thread(char *key, size_t size, unsigned int nr,
				unsigned int i)
{
	if (nr == 1)
		snprintf(key, size, "kthread-pid");
	else
		snprintf(key, size, "queue-%u/kthread-pid", i);
}

/* Not a part of the connection: a driver domain may have no nodes left for it. */
static int publish_threads(struct xenvbd *vbd, struct xenbus_transaction xbt,
			   const char *text)
{
	const char *dir = vbd->xbdev->nodename;
	unsigned int i;
	char key[32];
	int err;

	vbd->publish.nr_threads = vbd->nr_rings;
	for (i = 0; i < vbd->nr_rings; i++) {
		publish_name_thread(key, sizeof(key), vbd->nr_rings, i);
		err = xenbus_printf(xbt, dir, key, "%d",
				    task_pid_nr(vbd->rings[i]->task));
		if (err)
			return xenvbd_error(vbd, err, "writing %s/%s", dir,
					    key);
	}
	return 0;
}

static int publish_flush(struct xenvbd *vbd, struct xenbus_transaction xbt,
			 const char *text)
{
	return publish_table(vbd, xbt, flush_keys);
}

/*
 * Frontends look at the size again when they see our state written. Not if
 * somebody else has written a state: a frontend that has just closed would
 * take ours for a new beginning, and the toolstack's would be lost.
 */
static int publish_state_again(struct xenvbd *vbd,
			       struct xenbus_transaction xbt,
			       publish_write_t *write)
{
	const char *dir = vbd->xbdev->nodename;
	struct xenvbd_picture now;
	int err = xenvbd_picture_take(vbd, xbt, &now);

	if (err)
		return err;
	if (now.own != XenbusStateConnected ||
	    (now.frontend != XenbusStateInitialised &&
	     now.frontend != XenbusStateConnected))
		return -ECANCELED;
	err = write(vbd, xbt, NULL);
	if (err)
		return err;
	err = xenbus_printf(xbt, dir, "state", "%u", now.own);
	return err ? xenvbd_error(vbd, err, "writing %s/state", dir) : 0;
}

static int publish_size_keys(struct xenvbd *vbd, struct xenbus_transaction xbt,
			     const char *text)
{
	return publish_table(vbd, xbt, size_keys);
}

static int publish_size(struct xenvbd *vbd, struct xenbus_transaction xbt,
			const char *text)
{
	return publish_state_again(vbd, xbt, publish_size_keys);
}

static int publish_opened(struct xenvbd *vbd, struct xenbus_transaction xbt,
			  const char *text)
{
	return publish_table(vbd, xbt, opened_keys);
}

/* The names that other backends have for it. */
static int publish_exchange(struct xenvbd *vbd, struct xenbus_transaction xbt,
			    const char *text)
{
	const char *dir = vbd->xbdev->nodename;
	char devt[16] = "";
	int err;

	if (!vbd->disk.empty)
		snprintf(devt, sizeof(devt), "%x:%x", MAJOR(vbd->devt),
			 MINOR(vbd->devt));
	err = xenbus_printf(xbt, dir, "oracle/active-physical-device", "%s",
			    devt) ?:
	      xenbus_printf(xbt, dir, "oracle/physical-device-change-status",
			    "%s", "");
	if (err)
		return xenvbd_error(vbd, err, "writing %s/oracle", dir);
	err = publish_table(vbd, xbt, opened_keys);
	if (!err && vbd->xbdev->state == XenbusStateConnected)
		err = publish_state_again(vbd, xbt, publish_disk);
	/* A guest that is not connected hears of the disk when it connects. */
	return err == -ECANCELED ? 0 : err;
}

static int publish_refusal(struct xenvbd *vbd, struct xenbus_transaction xbt,
			   const char *text)
{
	return xenbus_printf(xbt, vbd->xbdev->nodename,
			     "oracle/physical-device-change-status", "%s",
			     text);
}

static int publish_waiting(struct xenvbd *vbd, struct xenbus_transaction xbt,
			   const char *text)
{
	return xenbus_printf(xbt, vbd->xbdev->nodename, "waiting", "%s", text);
}

static int publish_cgroup(struct xenvbd *vbd, struct xenbus_transaction xbt,
			  const char *text)
{
	return xenbus_printf(xbt, vbd->xbdev->nodename, "cgroup", "%s", text);
}

/*
 * The writer of a text keeps the vbd's error as it is: it may be that text, and a
 * stall is published without vbd->lock.
 */
static int publish_error(struct xenvbd *vbd, int err, const char *fmt,
			 const char *text)
{
	return text ? err : xenvbd_error(vbd, err, fmt, vbd->xbdev->nodename);
}

/* What is written by a function of its own, if the directory is still there. */
struct publish_job {
	publish_write_t *write;
	const char *text;
	/* By xenstored, and not by @write, which has words for it. */
	bool refused;
};

/* A directory that was deleted meanwhile must not come back. */
static int publish_if_there(struct xenvbd *vbd, struct xenbus_transaction xbt,
			    void *arg)
{
	struct publish_job *job = arg;
	char *state = xenbus_read(xbt, vbd->xbdev->nodename, "state", NULL);
	int err;

	if (IS_ERR(state)) {
		err = publish_error(vbd, PTR_ERR(state),
				    PTR_ERR(state) == -ENOENT ?
					    "%s is gone" : "reading %s/state",
				    job->text);
	} else {
		kfree(state);
		err = job->write(vbd, xbt, job->text);
	}
	job->refused = !err;
	return err;
}

/* All that @write writes, or nothing. */
static int publish_run(struct xenvbd *vbd, publish_write_t *write,
		       const char *text)
{
	struct publish_job job = { write, text, true };
	int err;

	if (!xenvbd_store_begin(vbd))
		return -ENODEV;
	err = xenvbd_store_transaction(vbd, publish_if_there, &job);
	xenvbd_store_end(vbd);
	return err && job.refused ?
		       publish_error(vbd, err, "transaction on %s", text) :
		       err;
}

/*
 * Run @write, which advertises a new size. If it fails the size is not
 * advertised.
 */
static int publish_new_sects(struct xenvbd *vbd, u64 nr_sects,
			     publish_write_t *write)
{
	u64 old = vbd->advertised.sects;
	int err;

	/* Rings look at it. */
	WRITE_ONCE(vbd->advertised.sects, nr_sects);
	err = publish_run(vbd, write, NULL);
	if (err)
		WRITE_ONCE(vbd->advertised.sects, old);
	return err;
}

/*
 * What follows runs in process context, and returns 0 or a negative errno with
 * an error text; without one where a text is handed in, and if the vbd was
 * removed.
 */

/*
 * Advertise what rings may be like. Frontends look at it when they see InitWait.
 */
int xenvbd_publish_transport(struct xenvbd *vbd)
{
	vbd->advertised.max_rings =
		max_queues ?: min(num_online_cpus(), XENVBD_MAX_RINGS);
	vbd->advertised.max_ring_page_order = max_ring_page_order;
	vbd->advertised.persistent =
		feature_persistent &&
		xenvbd_policy_persists(vbd->tunables.policy);
	return publish_run(vbd, publish_transport, NULL);
}

/* Advertise a disk that is ready. */
int xenvbd_publish_disk(struct xenvbd *vbd)
{
	return publish_new_sects(vbd, xenvbd_disk_sects(&vbd->disk),
				 publish_disk);
}

/*
 * The rings' threads have ended, or are about to. Others may get their PIDs. Not
 * a transaction: nothing comes back by being removed. Caller holds store_lock.
 */
static void publish_no_threads(struct xenvbd *vbd)
{
	unsigned int i, nr = vbd->publish.nr_threads;
	char key[32];

	for (i = 0; i < nr; i++) {
		publish_name_thread(key, sizeof(key), nr, i);
		/* With the directory, which has nothing else. */
		key[strcspn(key, "/")] = 0;
		xenbus_rm(XBT_NIL, vbd->xbdev->nodename, key);
	}
	vbd->publish.nr_threads = 0;
}

/* The driver goes, and the device stays. Caller holds store_lock. */
void __xenvbd_publish_no_more(struct xenvbd *vbd)
{
	publish_no_threads(vbd);
	xenbus_rm(XBT_NIL, vbd->xbdev->nodename, "waiting");
}

/* Remove the keys of the threads if the device is still ours. Context: process. */
void xenvbd_publish_no_threads(struct xenvbd *vbd)
{
	/* Rings that come later have no threads before they are started. */
	vbd->publish.owed &= ~BIT(XENVBD_OWED_THREADS);
	if (!xenvbd_store_begin(vbd))
		return;
	publish_no_threads(vbd);
	xenvbd_store_end(vbd);
}

/* Report to the toolstack why the disk was not exchanged: the last error. */
int xenvbd_publish_refusal(struct xenvbd *vbd)
{
	return publish_run(vbd, publish_refusal, vbd->error.text);
}

/* Report to the toolstack what stalls the vbd; an empty @text: nothing. */
int xenvbd_publish_waiting(struct xenvbd *vbd, const char *text)
{
	return publish_run(vbd, publish_waiting, text);
}

/* Keep for whoever is bound next in which cgroup the vbd is; an empty @path: none. */
int xenvbd_publish_cgroup(struct xenvbd *vbd, const char *path)
{
	return publish_run(vbd, publish_cgroup, path);
}

/* Advertise the size of the disk to a connected frontend, if it has changed. */
int xenvbd_publish_size(struct xenvbd *vbd)
{
	u64 nr_sects = xenvbd_disk_sects(&vbd->disk);
	u64 old = vbd->advertised.sects;
	int err;

	if (nr_sects == old || xenvbd_disk_vanished(&vbd->disk))
		return 0;
	err = publish_new_sects(vbd, nr_sects, publish_size);
	if (err)
		return err == -ECANCELED ? 0 : err;
	dev_info(&vbd->xbdev->dev, "disk resized from %llu to %llu sectors\n",
		 old, nr_sects);
	xenvbd_uevent(vbd, "resized", NULL);
	return 0;
}

static publish_write_t *const publish_owed[XENVBD_NR_OWED] = {
	/*
	 * We hold the disk open: the toolstack may close its own file of a disk that
	 * would vanish with its last user.
	 */
	[XENVBD_OWED_OPENED] = publish_opened,
	/* Another disk, or an empty drive. */
	[XENVBD_OWED_EXCHANGE] = publish_exchange,
	/* The PIDs of the rings' threads, which run. No guest needs them. */
	[XENVBD_OWED_THREADS] = publish_threads,
	/* Whether the frontend may send flushes. */
	[XENVBD_OWED_FLUSH] = publish_flush,
};

/**
 * xenvbd_publish_or_owe - advertise or report something, if not now, then later
 * @vbd: with a disk that is ready
 * @what: it is
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_or_owe(struct xenvbd *vbd, enum xenvbd_owed what)
{
	int err = what == XENVBD_OWED_EXCHANGE ?
			  publish_new_sects(vbd, xenvbd_disk_sects(&vbd->disk),
					    publish_owed[what]) :
			  publish_run(vbd, publish_owed[what], NULL);

	vbd->publish.owed &= ~BIT(what);
	if (xenvbd_store_is_short(err))
		vbd->publish.owed |= BIT(what);
	return err;
}

/**
 * xenvbd_publish_owed - try again to write what could not be written
 * @vbd: lock held
 *
 * Of a disk that is closed nothing is owed.
 *
 * Context: process.
 * Return: true if it has to be tried once more.
 */
bool xenvbd_publish_owed(struct xenvbd *vbd)
{
	enum xenvbd_owed what;
	unsigned int owed;

	if (!xenvbd_disk_ready(&vbd->disk))
		vbd->publish.owed = 0;
	owed = vbd->publish.owed;
	for (what = 0; what < XENVBD_NR_OWED; what++)
		if (owed & BIT(what))
			xenvbd_publish_or_owe(vbd, what);
	return vbd->publish.owed;
}
