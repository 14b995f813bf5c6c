// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xenstore keys in both directions. The backend directory is written by the
 * toolstack, which is trusted; the frontend directory is the guest's, and
 * whatever stands there is checked.
 *
 * Documentation/xenstore.rst lists them all.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/interface/io/protocols.h>

#include "features.h"

/* A transaction collides with others; it cannot do so for ever. */
#define MAX_TRANSACTION_TRIES	64

/**
 * xenvbd_error - remember what went wrong, in words
 * @vbd: the device
 * @err: negative errno
 * @fmt: says which key or device it is about, and what stood there
 *
 * xenbus.c brings it to the administrator.
 *
 * Return: @err.
 */
int xenvbd_error(struct xenvbd *vbd, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(vbd->error, sizeof(vbd->error), fmt, args);
	va_end(args);
	return err;
}

/* ---- reading ------------------------------------------------------------ */

/*
 * How much of a value is shown in a message, escaped by %pE: a guest may have
 * put anything into the store, at any length.
 */
static int shown_len(const char *str)
{
	return strnlen(str, 40);
}

/* Read an unsigned number that has to be there. */
static int read_uint(struct xenvbd *vbd, const char *dir, const char *key, unsigned int *val)
{
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	int err;

	if (IS_ERR(str))
		return xenvbd_error(vbd, PTR_ERR(str), "reading %s/%s", dir, key);
	err = kstrtouint(str, 10, val);
	if (err)
		xenvbd_error(vbd, err, "%s/%s: \"%*pE\" is not a number", dir, key, shown_len(str), str);
	kfree(str);
	return err;
}

/* MAJOR:MINOR in hexadecimal, and nothing else. */
static int parse_devt(const char *str, dev_t *devt)
{
	unsigned int major, minor;
	int end = 0;

	if (sscanf(str, "%x:%x%n", &major, &minor, &end) != 2 || str[end])
		return -EINVAL;
	if (major >= BIT(32 - MINORBITS) || minor > MINORMASK)
		return -ERANGE;
	*devt = MKDEV(major, minor);
	return 0;
}

static int read_physical_device(struct xenvbd *vbd, dev_t *devt)
{
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, "physical-device", NULL);
	int err;

	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		if (err == -ENOENT)
			return err;
		return xenvbd_error(vbd, err, "reading %s/physical-device", dir);
	}
	err = parse_devt(str, devt);
	if (err)
		xenvbd_error(vbd, err, "%s/physical-device: \"%*pE\" is not MAJOR:MINOR in hex",
			     dir, shown_len(str), str);
	kfree(str);
	return err;
}

static bool key_is(const char *dir, const char *key, const char *val)
{
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	bool is;

	if (IS_ERR(str))
		return false;
	is = !strcmp(str, val);
	kfree(str);
	return is;
}

/**
 * xenvbd_read_disk_keys - read what the toolstack says of the disk
 * @vbd: the device
 * @keys: set on success; @keys->mode is to be freed by the caller
 *
 * Context: process.
 * Return: 0; -ENOENT without an error text if there is no physical-device
 * yet; another negative errno with one.
 */
int xenvbd_read_disk_keys(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	const char *dir = vbd->xbdev->nodename;
	int err;

	err = read_physical_device(vbd, &keys->devt);
	if (err)
		return err;

	keys->mode = xenbus_read(XBT_NIL, dir, "mode", NULL);
	if (IS_ERR(keys->mode)) {
		err = PTR_ERR(keys->mode);
		/* Unlike the disk, it is never written later. */
		return xenvbd_error(vbd, err == -ENOENT ? -EINVAL : err, "reading %s/mode", dir);
	}
	keys->cdrom = key_is(dir, "device-type", "cdrom");
	return 0;
}

/**
 * xenvbd_read_handle - the number that ends the frontend's path
 * @vbd: gets it
 *
 * Return: 0 or -EINVAL with an error text.
 */
int xenvbd_read_handle(struct xenvbd *vbd)
{
	const char *slash = strrchr(vbd->xbdev->otherend, '/');

	if (!slash || kstrtouint(slash + 1, 10, &vbd->handle))
		return xenvbd_error(vbd, -EINVAL, "frontend path %s does not end in a number",
				    vbd->xbdev->otherend);
	return 0;
}

/**
 * xenvbd_read_protocol - the frontend's layout of the ring
 * @vbd: the device
 * @abi: set on success
 *
 * Frontends of the days before the key exist on x86 only, and are 32 bits
 * wide there.
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_read_protocol(struct xenvbd *vbd, enum xenvbd_abi *abi)
{
	static const struct {
		const char *name;
		enum xenvbd_abi abi;
	} protocols[] = {
		{ XEN_IO_PROTO_ABI_NATIVE, XENVBD_ABI_NATIVE },
		{ XEN_IO_PROTO_ABI_X86_32, XENVBD_ABI_X86_32 },
		{ XEN_IO_PROTO_ABI_X86_64, XENVBD_ABI_X86_64 },
	};
	const char *dir = vbd->xbdev->otherend;
	char *str = xenbus_read(XBT_NIL, dir, "protocol", NULL);
	unsigned int i;

	if (IS_ERR(str)) {
		if (PTR_ERR(str) != -ENOENT)
			return xenvbd_error(vbd, PTR_ERR(str), "reading %s/protocol", dir);
		*abi = IS_ENABLED(CONFIG_X86) ? XENVBD_ABI_X86_32 : XENVBD_ABI_NATIVE;
		return 0;
	}

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!strcmp(str, protocols[i].name)) {
			*abi = protocols[i].abi;
			kfree(str);
			return 0;
		}
	}
	xenvbd_error(vbd, -EINVAL, "%s/protocol: \"%*pE\" is unknown", dir, shown_len(str), str);
	kfree(str);
	return -EINVAL;
}

/**
 * xenvbd_read_ring_keys - a ring's page and event channel
 * @vbd: the device
 * @keys: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_read_ring_keys(struct xenvbd *vbd, struct xenvbd_ring_keys *keys)
{
	const char *dir = vbd->xbdev->otherend;
	int err;

	keys->nr_pages = 1;
	err = read_uint(vbd, dir, "ring-ref", &keys->gref[0]);
	if (err)
		return err;
	return read_uint(vbd, dir, "event-channel", &keys->evtchn);
}

/**
 * xenvbd_read_name - what the guest calls the device
 * @vbd: the device
 * @name: set, in any case
 * @size: of @name in bytes
 */
void xenvbd_read_name(struct xenvbd *vbd, char *name, size_t size)
{
	char *dev = xenbus_read(XBT_NIL, vbd->xbdev->nodename, "dev", NULL);
	const char *base;

	if (IS_ERR(dev)) {
		snprintf(name, size, "%u", vbd->handle);
		return;
	}
	base = dev;
	if (str_has_prefix(dev, "/dev/"))
		base += strlen("/dev/");
	strscpy(name, base, size);
	kfree(dev);
}

/* ---- writing ------------------------------------------------------------ */

struct xenvbd_key {
	const char *name;
	u64 (*value)(const struct xenvbd *vbd);
};

static u64 key_flush(const struct xenvbd *vbd)
{
	return vbd->disk.flush;
}

static u64 key_zero(const struct xenvbd *vbd)
{
	return 0;
}

/* Sectors of 512 bytes, whatever the disk's own are. */
static u64 key_sectors(const struct xenvbd *vbd)
{
	return bdev_nr_sectors(vbd->disk.bdev);
}

static u64 key_info(const struct xenvbd *vbd)
{
	return (vbd->disk.cdrom ? VDISK_CDROM : 0) |
	       (vbd->disk.removable ? VDISK_REMOVABLE : 0) |
	       (vbd->disk.readonly ? VDISK_READONLY : 0);
}

static u64 key_sector_size(const struct xenvbd *vbd)
{
	return bdev_logical_block_size(vbd->disk.bdev);
}

static u64 key_physical_sector_size(const struct xenvbd *vbd)
{
	return bdev_physical_block_size(vbd->disk.bdev);
}

static const struct xenvbd_key flush_keys[] = {
	{ "feature-flush-cache", key_flush },
	{ }
};

static const struct xenvbd_key disk_keys[] = {
	{ "feature-flush-cache", key_flush },
	{ "feature-barrier", key_zero },
	{ "feature-discard", key_zero },
	{ "feature-persistent", key_zero },
	{ "sectors", key_sectors },
	{ "info", key_info },
	{ "sector-size", key_sector_size },
	{ "physical-sector-size", key_physical_sector_size },
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

/* All keys or none, in one transaction. */
static int publish(struct xenvbd *vbd, const struct xenvbd_key *keys)
{
	struct xenbus_transaction xbt;
	unsigned int tries;
	int err;

	for (tries = 0; tries < MAX_TRANSACTION_TRIES; tries++) {
		err = xenbus_transaction_start(&xbt);
		if (err)
			break;
		err = write_keys(vbd, xbt, keys);
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
 * xenvbd_publish_disk - tell the frontend all about the disk
 * @vbd: with an open disk
 *
 * Context: process.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_publish_disk(struct xenvbd *vbd)
{
	return publish(vbd, disk_keys);
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
	return publish(vbd, flush_keys);
}
