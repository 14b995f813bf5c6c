// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading of xenstore keys. The backend directory is written by the
 * toolstack, which is trusted; the frontend directory is the guest's, and
 * whatever stands there is checked.
 *
 * Documentation/xenstore.rst lists them all.
 */
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/interface/io/protocols.h>

#include "control/keys.h"

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

/*
 * How much of a value is shown in a message, escaped by %pE: a guest may have
 * put anything into the store, at any length.
 */
static int shown_len(const char *str)
{
	return strnlen(str, 40);
}

/**
 * xenvbd_read_key - read a key that has to be there
 * @vbd: the device
 * @dir: where it is
 * @key: its name
 * @val: set on success
 * @parse: makes the value of the text; returns 0 or a negative errno
 * @wrong: what a text is that it does not take, for the error
 *
 * Return: 0 or a negative errno with an error text; -ENOENT if there is no such key.
 */
int xenvbd_read_key(struct xenvbd *vbd, const char *dir, const char *key, unsigned int *val,
		    int (*parse)(const char *str, unsigned int *val), const char *wrong)
{
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	int err;

	if (IS_ERR(str))
		return xenvbd_error(vbd, PTR_ERR(str), "reading %s/%s", dir, key);
	err = parse(str, val);
	if (err)
		xenvbd_error(vbd, err, "%s/%s: \"%*pE\" is %s", dir, key, shown_len(str), str,
			     wrong);
	kfree(str);
	return err;
}

static int parse_uint(const char *str, unsigned int *val)
{
	return kstrtouint(str, 10, val);
}

static int read_uint(struct xenvbd *vbd, const char *dir, const char *key, unsigned int *val)
{
	return xenvbd_read_key(vbd, dir, key, val, parse_uint, "not a number");
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

/* A CD drive has no medium if its key is empty, or has been there and is not any more. */
static int read_physical_device(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, "physical-device", NULL);
	int err;

	keys->devt = 0;
	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		keys->empty = err == -ENOENT && keys->cdrom && xenvbd_disk_ready(&vbd->disk);
		if (err == -ENOENT)
			return keys->empty ? 0 : err;
		return xenvbd_error(vbd, err, "reading %s/physical-device", dir);
	}
	keys->empty = !str[0] && keys->cdrom;
	err = keys->empty ? 0 : parse_devt(str, &keys->devt);
	if (err)
		xenvbd_error(vbd, err, "%s/physical-device: \"%*pE\" is not MAJOR:MINOR in hex",
			     dir, shown_len(str), str);
	kfree(str);
	return err;
}

/* An optional number in hexadecimal: @val stays as it is if there is no such key. */
static int read_diskseq(struct xenvbd *vbd, const char *key, u64 *val)
{
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	u64 old = *val;
	int err;

	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		return err == -ENOENT ? 0 : xenvbd_error(vbd, err, "reading %s/%s", dir, key);
	}
	err = isxdigit(str[0]) && strlen(str) <= 16 ? kstrtou64(str, 16, val) : -EINVAL;
	if (!err && (!*val || (old && *val != old)))
		err = -EINVAL;
	if (err)
		xenvbd_error(vbd, err, "%s/%s: \"%*pE\" is not the number of a disk in hex%s",
			     dir, key, shown_len(str), str, old ? ", or not diskseq" : "");
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

	keys->cdrom = key_is(dir, "device-type", "cdrom");
	err = read_physical_device(vbd, keys);
	if (err)
		return err;

	keys->diskseq = 0;
	if (!keys->empty)
		err = read_diskseq(vbd, "diskseq", &keys->diskseq) ?:
		      read_diskseq(vbd, "physical-device-uid", &keys->diskseq);
	if (err)
		return err;

	keys->mode = xenbus_read(XBT_NIL, dir, "mode", NULL);
	if (IS_ERR(keys->mode)) {
		err = PTR_ERR(keys->mode);
		/* Unlike the disk, it is never written later. */
		return xenvbd_error(vbd, err == -ENOENT ? -EINVAL : err, "reading %s/mode", dir);
	}
	keys->discard = !key_is(dir, "discard-enable", "0");
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
	const char *slash = strrchr(vbd->frontend, '/');

	if (!slash || kstrtouint(slash + 1, 10, &vbd->handle))
		return xenvbd_error(vbd, -EINVAL, "frontend path %s does not end in a number",
				    vbd->frontend);
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
	const char *dir = vbd->frontend;
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

/* An optional number: @val stays as it is if there is no such key. */
static int read_opt_uint(struct xenvbd *vbd, const char *dir, const char *key,
			 unsigned int *val)
{
	int err = read_uint(vbd, dir, key, val);

	return err == -ENOENT ? 0 : err;
}

/**
 * xenvbd_read_nr_rings - how many rings the frontend has set up
 * @vbd: the device
 * @nr: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_read_nr_rings(struct xenvbd *vbd, unsigned int *nr)
{
	const char *dir = vbd->frontend;
	int err;

	*nr = 1;
	err = read_opt_uint(vbd, dir, "multi-queue-num-queues", nr);
	if (err)
		return err;
	if (!*nr || *nr > vbd->max_rings)
		return xenvbd_error(vbd, -EINVAL, "%s/multi-queue-num-queues: %u, not 1 to %u",
				    dir, *nr, vbd->max_rings);
	return 0;
}

/**
 * xenvbd_read_persistent - do both sides want persistent grants?
 * @vbd: the device
 * @persistent: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_read_persistent(struct xenvbd *vbd, bool *persistent)
{
	unsigned int val = 0;
	int err;

	err = read_opt_uint(vbd, vbd->frontend, "feature-persistent", &val);
	*persistent = vbd->feature_persistent && val;
	return err;
}

/* The two schemes that frontends tell the size of their rings by. */
static int read_ring_pages(struct xenvbd *vbd, struct xenvbd_ring_keys *keys)
{
	const char *dir = vbd->frontend;
	unsigned int order = 0, pages = 1;
	int err;

	err = read_uint(vbd, dir, "ring-page-order", &order);
	keys->has_order = !err;
	if (err && err != -ENOENT)
		return err;
	if (order > vbd->max_ring_page_order)
		return xenvbd_error(vbd, -EINVAL, "%s/ring-page-order: %u, not 0 to %u", dir,
				    order, vbd->max_ring_page_order);
	keys->nr_pages = BIT(order);
	if (keys->has_order)
		return 0;

	err = read_opt_uint(vbd, dir, "num-ring-pages", &pages);
	if (err)
		return err;
	if (!is_power_of_2(pages) || pages > BIT(vbd->max_ring_page_order))
		return xenvbd_error(vbd, -EINVAL,
				    "%s/num-ring-pages: %u, not a power of two up to %lu", dir,
				    pages, BIT(vbd->max_ring_page_order));
	keys->nr_pages = pages;
	return 0;
}

/*
 * A ring of one page has its reference under either name. A ring-ref0 that
 * an earlier frontend has left behind must not be taken for ours: only one
 * that knows ring-page-order writes it.
 */
static int read_single_ref(struct xenvbd *vbd, const char *dir, struct xenvbd_ring_keys *keys)
{
	const char *first = keys->has_order ? "ring-ref0" : "ring-ref";
	int err;

	err = read_uint(vbd, dir, first, &keys->gref[0]);
	if (err == -ENOENT && keys->has_order)
		err = read_uint(vbd, dir, "ring-ref", &keys->gref[0]);
	return err;
}

static int read_ring_refs(struct xenvbd *vbd, const char *dir, struct xenvbd_ring_keys *keys)
{
	char key[sizeof("ring-ref") + 10];
	unsigned int i;
	int err;

	if (keys->nr_pages == 1)
		return read_single_ref(vbd, dir, keys);

	for (i = 0; i < keys->nr_pages; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		err = read_uint(vbd, dir, key, &keys->gref[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * xenvbd_read_ring_keys - a ring's pages and event channel
 * @vbd: the device
 * @index: of the ring
 * @nr_rings: of the frontend; with more than one each has a directory
 * @keys: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_read_ring_keys(struct xenvbd *vbd, unsigned int index, unsigned int nr_rings,
			  struct xenvbd_ring_keys *keys)
{
	const char *base = vbd->frontend;
	char *dir;
	int err;

	err = read_ring_pages(vbd, keys);
	if (err)
		return err;

	dir = nr_rings == 1 ? kstrdup(base, GFP_KERNEL) :
			      kasprintf(GFP_KERNEL, "%s/queue-%u", base, index);
	if (!dir)
		return xenvbd_error(vbd, -ENOMEM, "reading keys of ring %u", index);

	err = read_ring_refs(vbd, dir, keys);
	if (!err)
		err = read_uint(vbd, dir, "event-channel", &keys->evtchn);
	kfree(dir);
	return err;
}

/**
 * xenvbd_has_large_sectors - may the frontend count in the disk's own sectors?
 * @vbd: the device
 *
 * blkif.h deprecates the key, and no decision may depend on it.
 *
 * Return: true if it says that it can.
 */
bool xenvbd_has_large_sectors(const struct xenvbd *vbd)
{
	return key_is(vbd->frontend, "feature-large-sector-size", "1");
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
	/* It becomes a name in /proc/irq. */
	strreplace(name, '/', '!');
	kfree(dev);
}
