// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is offered to frontends: module parameters, and the xenstore keys that
 * publish them and the disk.
 *
 * Documentation/xenstore.rst lists them all.
 */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>

#include "control/publish.h"
#include "control/keys.h"
#include "control/stall.h"

/* Sixteen pages of 4 KiB: the largest ring that xenbus_map_ring_valloc() maps. */
#define MAX_RING_PAGE_ORDER	XENBUS_MAX_RING_GRANT_ORDER

static int set_max_queues(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, XENVBD_MAX_RINGS);
}

static const struct kernel_param_ops max_queues_ops = {
	.set = set_max_queues,
	.get = param_get_uint,
};

static unsigned int max_queues;
module_param_cb(max_queues, &max_queues_ops, &max_queues, 0644);
MODULE_PARM_DESC(max_queues,
		 "Rings offered per device, 0 to 64; 0: one per online CPU. Default 0");

static int set_max_ring_page_order(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, MAX_RING_PAGE_ORDER);
}

static const struct kernel_param_ops max_ring_page_order_ops = {
	.set = set_max_ring_page_order,
	.get = param_get_uint,
};

static unsigned int max_ring_page_order = MAX_RING_PAGE_ORDER;
module_param_cb(max_ring_page_order, &max_ring_page_order_ops, &max_ring_page_order, 0644);
MODULE_PARM_DESC(max_ring_page_order,
		 "Largest ring offered, as log2 of its pages, 0 to 4. Default 4");

static bool feature_persistent = true;
module_param(feature_persistent, bool, 0644);
MODULE_PARM_DESC(feature_persistent,
		 "Offer to keep grants mapped between requests. Default Y");

/* xenstored allows a driver domain few transactions at a time; so who writes waits. */
static DEFINE_MUTEX(transaction_lock);

/* A transaction collides with others; it cannot do so for ever. */
#define MAX_TRANSACTION_TRIES	64

struct xenvbd_key {
	const char *name;
	u64 (*value)(const struct xenvbd *vbd);
};

static u64 key_flush(const struct xenvbd *vbd)
{
	return vbd->disk.flush;
}

static u64 key_persistent(const struct xenvbd *vbd)
{
	return vbd->feature_persistent;
}

static u64 key_max_segs(const struct xenvbd *vbd)
{
	return XENVBD_MAX_SEGS;
}

static u64 key_discard(const struct xenvbd *vbd)
{
	return vbd->disk.discard;
}

static u64 key_discard_secure(const struct xenvbd *vbd)
{
	return vbd->disk.secure;
}

static u64 key_discard_granularity(const struct xenvbd *vbd)
{
	return bdev_discard_granularity(vbd->disk.bdev);
}

static u64 key_discard_alignment(const struct xenvbd *vbd)
{
	return max(bdev_discard_alignment(vbd->disk.bdev), 0);
}

static u64 key_opened(const struct xenvbd *vbd)
{
	return vbd->disk.file ? 1 : 0;
}

/* Sectors of 512 bytes, whatever the disk's own are. */
static u64 key_sectors(const struct xenvbd *vbd)
{
	return vbd->told_sects;
}

static u64 key_info(const struct xenvbd *vbd)
{
	return (vbd->disk.cdrom ? VDISK_CDROM : 0) |
	       (vbd->disk.removable ? VDISK_REMOVABLE : 0) |
	       (vbd->disk.readonly ? VDISK_READONLY : 0);
}

static u64 key_sector_size(const struct xenvbd *vbd)
{
	return vbd->disk.block_size;
}

static u64 key_physical_sector_size(const struct xenvbd *vbd)
{
	return vbd->disk.empty ? vbd->disk.block_size : bdev_physical_block_size(vbd->disk.bdev);
}

static u64 key_max_rings(const struct xenvbd *vbd)
{
	return vbd->max_rings;
}

static u64 key_max_ring_page_order(const struct xenvbd *vbd)
{
	return vbd->max_ring_page_order;
}

static u64 key_max_ring_pages(const struct xenvbd *vbd)
{
	return BIT(vbd->max_ring_page_order);
}

/* What a frontend has to know before it sets up its rings. */
static const struct xenvbd_key transport_keys[] = {
	{ "multi-queue-max-queues", key_max_rings },
	{ "max-ring-page-order", key_max_ring_page_order },
	{ "max-ring-pages", key_max_ring_pages },
	{ "feature-max-indirect-segments", key_max_segs },
	{ "feature-persistent", key_persistent },
	/* Tells the toolstack as well that we know diskseq. */
	{ "opened", key_opened },
	{ }
};

static const struct xenvbd_key opened_keys[] = {
	{ "opened", key_opened },
	{ }
};

static const struct xenvbd_key flush_keys[] = {
	{ "feature-flush-cache", key_flush },
	{ "feature-barrier", key_flush },
	{ }
};

static const struct xenvbd_key size_keys[] = {
	{ "sectors", key_sectors },
	{ }
};

static const struct xenvbd_key disk_keys[] = {
	{ "feature-flush-cache", key_flush },
	{ "feature-barrier", key_flush },
	{ "feature-discard", key_discard },
	{ "feature-persistent", key_persistent },
	{ "sectors", key_sectors },
	{ "info", key_info },
	{ "sector-size", key_sector_size },
	{ "physical-sector-size", key_physical_sector_size },
	{ }
};

static const struct xenvbd_key discard_keys[] = {
	{ "discard-granularity", key_discard_granularity },
	{ "discard-alignment", key_discard_alignment },
	{ "discard-secure", key_discard_secure },
	{ }
};

static int write_keys(struct xenvbd *vbd, struct xenbus_transaction xbt,
		      const struct xenvbd_key *keys)
{
	const struct xenvbd_key *key;
	int err;

	for (key = keys; key->name; key++) {
		err = xenbus_printf(xbt, vbd->xbdev->nodename, key->name, "%llu",
				    key->value(vbd));
		if (err)
			return xenvbd_error(vbd, err, "writing %s/%s",
					    vbd->xbdev->nodename, key->name);
	}
	return 0;
}

static int write_transport(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	/* Another driver may have been bound before, and stuck. */
	xenbus_rm(xbt, vbd->xbdev->nodename, "waiting");
	return write_keys(vbd, xbt, transport_keys);
}

static int write_disk(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	int err = write_keys(vbd, xbt, disk_keys);

	return err || !vbd->disk.discard ? err : write_keys(vbd, xbt, discard_keys);
}

static int write_flush(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	return write_keys(vbd, xbt, flush_keys);
}

/*
 * Frontends look at the size again when they see our state written. Not if
 * the toolstack has written there: then there are other things to do.
 */
static int write_state_again(struct xenvbd *vbd, struct xenbus_transaction xbt,
			     int (*write)(struct xenvbd *vbd, struct xenbus_transaction xbt))
{
	const char *dir = vbd->xbdev->nodename;
	unsigned int state;
	int err;

	if (xenbus_scanf(xbt, dir, "state", "%u", &state) != 1 || state != vbd->xbdev->state)
		return 0;
	err = write(vbd, xbt);
	if (!err && xenbus_printf(xbt, dir, "state", "%u", state))
		err = xenvbd_error(vbd, -EIO, "writing %s/state", dir);
	return err;
}

static int write_size_keys(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	return write_keys(vbd, xbt, size_keys);
}

static int write_size(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	return write_state_again(vbd, xbt, write_size_keys);
}

static int write_opened(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	return write_keys(vbd, xbt, opened_keys);
}

/* The names that other backends have for it. */
static int write_exchange(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	const char *dir = vbd->xbdev->nodename;
	char devt[16] = "";
	int err;

	if (!vbd->disk.empty)
		snprintf(devt, sizeof(devt), "%x:%x", MAJOR(vbd->devt), MINOR(vbd->devt));
	if (xenbus_printf(xbt, dir, "oracle/active-physical-device", "%s", devt) ||
	    xenbus_printf(xbt, dir, "oracle/physical-device-change-status", "%s", ""))
		return xenvbd_error(vbd, -EIO, "writing %s/oracle", dir);
	err = write_opened(vbd, xbt);
	if (err)
		return err;
	return vbd->xbdev->state == XenbusStateConnected ?
	       write_state_again(vbd, xbt, write_disk) : 0;
}

static int write_refusal(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	return xenbus_printf(xbt, vbd->xbdev->nodename, "oracle/physical-device-change-status",
			     "%s", vbd->error);
}

static int run_transaction(struct xenvbd *vbd,
			   int (*write)(struct xenvbd *vbd, struct xenbus_transaction xbt))
{
	struct xenbus_transaction xbt;
	unsigned int tries;
	int err;

	for (tries = 0; tries < MAX_TRANSACTION_TRIES; tries++) {
		err = xenbus_transaction_start(&xbt);
		if (err)
			break;
		/* A directory that was deleted meanwhile must not come back. */
		err = xenbus_exists(xbt, vbd->xbdev->nodename, "state") ? write(vbd, xbt) :
		      xenvbd_error(vbd, -ENOENT, "%s is gone", vbd->xbdev->nodename);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			return err;
		}
		err = xenbus_transaction_end(xbt, 0);
		if (err != -EAGAIN)
			break;
	}
	if (err)
		xenvbd_error(vbd, err, "transaction on %s", vbd->xbdev->nodename);
	return err;
}

/**
 * xenvbd_store_begin - ask to write something to xenstore
 * @vbd: the device
 *
 * Who removes the device waits for its own vbd's writer, and not for all those that
 * wait to become one.
 *
 * Context: process.
 * Return: false if the device was removed; true if not, and it is not before
 *         xenvbd_store_end().
 */
bool xenvbd_store_begin(struct xenvbd *vbd)
{
	mutex_lock(&transaction_lock);
	mutex_lock(&vbd->store_lock);
	if (!vbd->removed)
		return true;
	xenvbd_store_end(vbd);
	return false;
}

/**
 * xenvbd_store_end - it is written
 * @vbd: xenvbd_store_begin() was true
 */
void xenvbd_store_end(struct xenvbd *vbd)
{
	mutex_unlock(&vbd->store_lock);
	mutex_unlock(&transaction_lock);
}

/* All that @write writes, or nothing. */
static int publish(struct xenvbd *vbd,
		   int (*write)(struct xenvbd *vbd, struct xenbus_transaction xbt))
{
	int err;

	if (!xenvbd_store_begin(vbd))
		return -ENODEV;
	err = run_transaction(vbd, write);
	xenvbd_store_end(vbd);
	return err;
}

/* The same, if @write tells of a new size: it is not told if that fails. */
static int publish_sects(struct xenvbd *vbd, u64 nr_sects,
			 int (*write)(struct xenvbd *vbd, struct xenbus_transaction xbt))
{
	u64 old = vbd->told_sects;
	int err;

	vbd->told_sects = nr_sects;
	err = publish(vbd, write);
	if (err)
		vbd->told_sects = old;
	return err;
}

/**
 * xenvbd_publish_transport - tell the frontend what its rings may be like
 * @vbd: remembers what was offered, whatever becomes of the parameters
 *
 * To be called before InitWait, where frontends look.
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_transport(struct xenvbd *vbd)
{
	vbd->max_rings = max_queues ?: min(num_online_cpus(), XENVBD_MAX_RINGS);
	vbd->max_ring_page_order = max_ring_page_order;
	vbd->feature_persistent = feature_persistent && xenvbd_policy_keeps(vbd->policy);
	return publish(vbd, write_transport);
}

/**
 * xenvbd_publish_disk - tell the frontend all about the disk
 * @vbd: with an open disk, or an empty drive
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_disk(struct xenvbd *vbd)
{
	return publish_sects(vbd, xenvbd_disk_sects(&vbd->disk), write_disk);
}

/**
 * xenvbd_publish_opened - tell the toolstack that the disk is held by us
 * @vbd: with an open disk; an empty drive is not
 *
 * It may let go of a disk that would vanish with its last user.
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_opened(struct xenvbd *vbd)
{
	return publish(vbd, write_opened);
}

/**
 * xenvbd_publish_exchange - tell both sides of another disk
 * @vbd: has it, or an empty drive
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_exchange(struct xenvbd *vbd)
{
	return publish_sects(vbd, xenvbd_disk_sects(&vbd->disk), write_exchange);
}

/**
 * xenvbd_publish_refusal - tell the toolstack why the disk was not exchanged
 * @vbd: with the error text
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int xenvbd_publish_refusal(struct xenvbd *vbd)
{
	return publish(vbd, write_refusal);
}

static int write_waiting(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	const char *dir = vbd->xbdev->nodename;
	char text[XENVBD_WAIT_TEXT];

	xenvbd_describe_wait(vbd, text, sizeof(text));
	return xenbus_printf(xbt, dir, "waiting", "%s", text);
}

/**
 * xenvbd_publish_waiting - tell the toolstack what the vbd waits for
 * @vbd: in any state
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int xenvbd_publish_waiting(struct xenvbd *vbd)
{
	return publish(vbd, write_waiting);
}

/**
 * xenvbd_publish_flush - tell the frontend whether it may send flushes
 * @vbd: with an open disk
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_flush(struct xenvbd *vbd)
{
	return publish(vbd, write_flush);
}

/**
 * xenvbd_publish_size - tell a connected frontend if the disk was resized
 * @vbd: with an open disk, or an empty drive
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_size(struct xenvbd *vbd)
{
	u64 nr_sects = xenvbd_disk_sects(&vbd->disk);
	u64 old = vbd->told_sects;
	int err;

	if (nr_sects == old || xenvbd_disk_vanished(&vbd->disk))
		return 0;
	err = publish_sects(vbd, nr_sects, write_size);
	if (err)
		return err;
	dev_info(&vbd->xbdev->dev, "disk resized from %llu to %llu sectors\n", old, nr_sects);
	return 0;
}
