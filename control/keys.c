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

#include "common.h"
#include "control/keys.h"

/*
 * How much of a value is shown in a message, escaped by %pE: a guest may have
 * put anything into the store, at any length.
 */
static int keys_shown_len(const char *str)
{
	return strnlen(str, 40);
}

/**
 * xenvbd_keys_read - read a key that has to be there
 * @vbd: the device
 * @dir: where it is
 * @key: its name
 * @val: set on success
 * @parse: makes the value of the text; returns 0 or a negative errno
 * @wrong: how the error describes a value that @parse rejects
 *
 * Return: 0 or a negative errno with an error text; -ENOENT if there is no such
 * key.
 */
int xenvbd_keys_read(struct xenvbd *vbd, const char *dir, const char *key,
		     unsigned int *val,
		     int (*parse)(const char *str, unsigned int *val),
		     const char *wrong)
{
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	int err;

	if (IS_ERR(str))
		return xenvbd_error(vbd, PTR_ERR(str), "reading %s/%s", dir,
				    key);
	err = parse(str, val);
	if (err)
		xenvbd_error(vbd, err, "%s/%s: \"%*pE\" is %s", dir, key,
			     keys_shown_len(str), str, wrong);
	kfree(str);
	return err;
}

static int keys_parse_uint(const char *str, unsigned int *val)
{
	return kstrtouint(str, 10, val);
}

static int keys_uint(struct xenvbd *vbd, const char *dir, const char *key,
		     unsigned int *val)
{
	return xenvbd_keys_read(vbd, dir, key, val, keys_parse_uint,
				"not a number");
}

/* MAJOR:MINOR in hexadecimal, and nothing else. */
static int keys_parse_devt(const char *str, dev_t *devt)
{
	unsigned int major, minor;
	int end = 0;

	/* Of more digits sscanf() would take the last ones. */
	if (sscanf(str, "%8x:%8x%n", &major, &minor, &end) != 2 || str[end])
		return -EINVAL;
	if (major >= BIT(32 - MINORBITS) || minor > MINORMASK)
		return -ERANGE;
	*devt = MKDEV(major, minor);
	return 0;
}

/*
 * A CD drive has no medium if its key is empty, or has been there and is not
 * any more.
 */
static int keys_physical_device(struct xenvbd *vbd, bool had_disk,
				struct xenvbd_disk_keys *keys)
{
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, "physical-device", NULL);
	int err;

	keys->devt = 0;
	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		keys->empty = err == -ENOENT && keys->cdrom && had_disk;
		if (err == -ENOENT)
			return keys->empty ? 0 : err;
		return xenvbd_error(vbd, err, "reading %s/physical-device",
				    dir);
	}
	keys->empty = !str[0] && keys->cdrom;
	err = keys->empty ? 0 : keys_parse_devt(str, &keys->devt);
	if (err)
		xenvbd_error(vbd, err,
			     "%s/physical-device: \"%*pE\" is not MAJOR:MINOR in hex",
			     dir, keys_shown_len(str), str);
	kfree(str);
	return err;
}

/*
 * An optional number in hexadecimal: @val stays as it is if there is no such
 * key.
 */
static int keys_diskseq(struct xenvbd *vbd, const char *key, u64 *val)
{
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	u64 old = *val;
	int err;

	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		if (err == -ENOENT)
			return 0;
		return xenvbd_error(vbd, err, "reading %s/%s", dir, key);
	}
	err = -EINVAL;
	if (isxdigit(str[0]) && strlen(str) <= 16)
		err = kstrtou64(str, 16, val);
	if (!err && (!*val || (old && *val != old)))
		err = -EINVAL;
	if (err)
		xenvbd_error(vbd, err,
			     "%s/%s: \"%*pE\" is not the number of a disk in hex%s",
			     dir, key, keys_shown_len(str), str,
			     old ? ", or not diskseq" : "");
	kfree(str);
	return err;
}

/* Is an optional key there, and has it this value? */
static int keys_is(struct xenvbd *vbd, const char *dir, const char *key,
		   const char *val, bool *is)
{
	char *str = xenbus_read(XBT_NIL, dir, key, NULL);
	int err;

	*is = false;
	if (IS_ERR(str)) {
		err = PTR_ERR(str);
		return err == -ENOENT ? 0 :
					xenvbd_error(vbd, err, "reading %s/%s",
						     dir, key);
	}
	*is = !strcmp(str, val);
	kfree(str);
	return 0;
}

/**
 * xenvbd_keys_disk - read what the toolstack says of the disk
 * @vbd: the device
 * @had_disk: it has had one, so that a key that is missing was removed
 * @keys: set on success; @keys->mode is to be freed by the caller
 *
 * Context: process.
 * Return: 0; -ENOENT without an error text if there is no physical-device
 * yet; another negative errno with one.
 */
int xenvbd_keys_disk(struct xenvbd *vbd, bool had_disk,
		     struct xenvbd_disk_keys *keys)
{
	const char *dir = vbd->xbdev->nodename;
	bool no_discard;
	int err;

	err = keys_is(vbd, dir, "device-type", "cdrom", &keys->cdrom) ?:
	      keys_is(vbd, dir, "discard-enable", "0", &no_discard) ?:
	      keys_physical_device(vbd, had_disk, keys);
	if (err)
		return err;

	keys->diskseq = 0;
	if (!keys->empty)
		err = keys_diskseq(vbd, "diskseq", &keys->diskseq) ?:
		      keys_diskseq(vbd, "physical-device-uid", &keys->diskseq);
	if (err)
		return err;

	keys->mode = xenbus_read(XBT_NIL, dir, "mode", NULL);
	if (IS_ERR(keys->mode)) {
		err = PTR_ERR(keys->mode);
		/* Unlike the disk, it is never written later. */
		return xenvbd_error(vbd, err == -ENOENT ? -EINVAL : err,
				    "reading %s/mode", dir);
	}
	keys->discard = !no_discard;
	return 0;
}

static int keys_parse_bool(const char *str, unsigned int *val)
{
	if (strcmp(str, "0") && strcmp(str, "1"))
		return -EINVAL;
	*val = *str == '1';
	return 0;
}

/**
 * xenvbd_keys_emulate - shall the guest have sectors of 512 bytes, whatever the disk?
 * @vbd: the device
 * @on: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_keys_emulate(struct xenvbd *vbd, bool *on)
{
	unsigned int val = 0;
	int err = xenvbd_keys_read(vbd, vbd->xbdev->nodename, "emulate-512e", &val,
				   keys_parse_bool, "neither 0 nor 1");

	*on = val;
	return err == -ENOENT ? 0 : err;
}

/**
 * xenvbd_keys_handle - the number that ends the frontend's path
 * @vbd: gets it
 *
 * Return: 0 or -EINVAL with an error text.
 */
int xenvbd_keys_handle(struct xenvbd *vbd)
{
	const char *slash = strrchr(vbd->frontend, '/');

	if (!slash || kstrtouint(slash + 1, 10, &vbd->handle))
		return xenvbd_error(vbd, -EINVAL,
				    "frontend path %s does not end in a number",
				    vbd->frontend);
	return 0;
}

/**
 * xenvbd_keys_protocol - the frontend's layout of the ring
 * @vbd: the device
 * @abi: set on success
 *
 * Frontends of the days before the key exist on x86 only, and are 32 bits
 * wide there.
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_keys_protocol(struct xenvbd *vbd, enum xenvbd_abi *abi)
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
			return xenvbd_error(vbd, PTR_ERR(str),
					    "reading %s/protocol", dir);
		*abi = XENVBD_ABI_NATIVE;
		if (IS_ENABLED(CONFIG_X86))
			*abi = XENVBD_ABI_X86_32;
		return 0;
	}

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!strcmp(str, protocols[i].name)) {
			*abi = protocols[i].abi;
			kfree(str);
			return 0;
		}
	}
	xenvbd_error(vbd, -EINVAL, "%s/protocol: \"%*pE\" is unknown", dir,
		     keys_shown_len(str), str);
	kfree(str);
	return -EINVAL;
}

/* An optional number: @val stays as it is if there is no such key. */
static int keys_opt_uint(struct xenvbd *vbd, const char *dir, const char *key,
			 unsigned int *val)
{
	int err = keys_uint(vbd, dir, key, val);

	return err == -ENOENT ? 0 : err;
}

/**
 * xenvbd_keys_nr_rings - how many rings the frontend has set up
 * @vbd: the device
 * @nr: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_keys_nr_rings(struct xenvbd *vbd, unsigned int *nr)
{
	const char *dir = vbd->frontend;
	int err;

	*nr = 1;
	err = keys_opt_uint(vbd, dir, "multi-queue-num-queues", nr);
	if (err)
		return err;
	if (!*nr || *nr > vbd->advertised.max_rings)
		return xenvbd_error(vbd, -EINVAL,
				    "%s/multi-queue-num-queues: %u, not 1 to %u",
				    dir, *nr, vbd->advertised.max_rings);
	return 0;
}

/**
 * xenvbd_keys_persistent - do both sides want persistent grants?
 * @vbd: the device
 * @persistent: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_keys_persistent(struct xenvbd *vbd, bool *persistent)
{
	unsigned int val = 0;
	int err;

	err = keys_opt_uint(vbd, vbd->frontend, "feature-persistent", &val);
	*persistent = vbd->advertised.persistent && val;
	return err;
}

/* The size of a ring, which frontends give by either of two keys. */
static int keys_ring_pages(struct xenvbd *vbd, struct xenvbd_ring_keys *keys)
{
	const char *dir = vbd->frontend;
	unsigned int order = 0, pages = 1;
	int err;

	err = keys_uint(vbd, dir, "ring-page-order", &order);
	keys->has_order = !err;
	if (err && err != -ENOENT)
		return err;
	if (order > vbd->advertised.max_ring_page_order)
		return xenvbd_error(vbd, -EINVAL,
				    "%s/ring-page-order: %u, not 0 to %u", dir,
				    order, vbd->advertised.max_ring_page_order);
	keys->nr_pages = BIT(order);
	if (keys->has_order)
		return 0;

	err = keys_opt_uint(vbd, dir, "num-ring-pages", &pages);
	if (err)
		return err;
	if (!is_power_of_2(pages) ||
	    pages > BIT(vbd->advertised.max_ring_page_order))
		return xenvbd_error(vbd, -EINVAL,
				    "%s/num-ring-pages: %u, not a power of two up to %lu",
				    dir, pages,
				    BIT(vbd->advertised.max_ring_page_order));
	keys->nr_pages = pages;
	return 0;
}

/*
 * A ring of one page has its reference under either name. A ring-ref0 that
 * an earlier frontend has left behind must not be taken for ours: only one
 * that knows ring-page-order writes it.
 */
static int keys_single_ref(struct xenvbd *vbd, const char *dir,
			   struct xenvbd_ring_keys *keys)
{
	const char *first = keys->has_order ? "ring-ref0" : "ring-ref";
	int err;

	err = keys_uint(vbd, dir, first, &keys->gref[0]);
	if (err == -ENOENT && keys->has_order)
		err = keys_uint(vbd, dir, "ring-ref", &keys->gref[0]);
	return err;
}

static int keys_ring_refs(struct xenvbd *vbd, const char *dir,
			  struct xenvbd_ring_keys *keys)
{
	char key[sizeof("ring-ref") + 10];
	unsigned int i;
	int err;

	if (keys->nr_pages == 1)
		return keys_single_ref(vbd, dir, keys);

	for (i = 0; i < keys->nr_pages; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		err = keys_uint(vbd, dir, key, &keys->gref[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * xenvbd_keys_ring - a ring's pages and event channel
 * @vbd: the device
 * @index: of the ring
 * @nr_rings: of the frontend; with more than one each has a directory
 * @keys: set on success
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_keys_ring(struct xenvbd *vbd, unsigned int index,
		     unsigned int nr_rings, struct xenvbd_ring_keys *keys)
{
	const char *base = vbd->frontend;
	char *dir;
	int err;

	err = keys_ring_pages(vbd, keys);
	if (err)
		return err;

	dir = nr_rings == 1 ? kstrdup(base, GFP_KERNEL) :
			      kasprintf(GFP_KERNEL, "%s/queue-%u", base, index);
	if (!dir)
		return xenvbd_error(vbd, -ENOMEM, "reading keys of ring %u",
				    index);

	err = keys_ring_refs(vbd, dir, keys);
	if (!err)
		err = keys_uint(vbd, dir, "event-channel", &keys->evtchn);
	kfree(dir);
	return err;
}

/**
 * xenvbd_keys_large_sectors - may the frontend count in the disk's own sectors?
 * @vbd: the device
 *
 * blkif.h deprecates the key, and no decision may depend on it.
 *
 * Return: true if it says that it can.
 */
bool xenvbd_keys_large_sectors(struct xenvbd *vbd)
{
	bool large;

	/* What cannot be read is not there, for a remark in the log. */
	keys_is(vbd, vbd->frontend, "feature-large-sector-size", "1", &large);
	return large;
}

/**
 * xenvbd_keys_name - what the guest calls the device
 * @vbd: the device
 * @name: set, in any case
 * @size: of @name in bytes
 */
void xenvbd_keys_name(struct xenvbd *vbd, char *name, size_t size)
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
