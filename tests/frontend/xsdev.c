// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vbd's keys: both directories are made as a toolstack makes them, and are
 * read, written and waited for. Watches have a connection of their own.
 */
#include "xsdev.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_KEYS 64

/* What libxl writes for a phy disk; the script may replace or remove each. */
static const struct fe_kv be_defaults[] = {
	{ "online", "1" },
	{ "removable", "0" },
	{ "bootable", "1" },
	{ "dev", "xvda" },
	{ "type", "phy" },
	{ "mode", "w" },
	{ "device-type", "disk" },
	{ "discard-enable", "1" },
	{ "specification", "xen" },
	{ "params", "" },
	{ "state", "1" },
};

static const struct fe_kv fe_defaults[] = {
	{ "device-type", "disk" },
	{ "trusted", "1" },
	{ "state", "1" },
};

static unsigned long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/**
 * fe_dev_open() - connect to xenstore
 *
 * Return: 0, or -errno.
 */
int fe_dev_open(struct fe_dev *dev)
{
	memset(dev, 0, sizeof(*dev));
	dev->xs = xs_open(0);
	dev->watch_xs = xs_open(0);
	return dev->xs && dev->watch_xs ? 0 : -errno;
}

/**
 * fe_dev_close() - disconnect from xenstore; the nodes stay
 */
void fe_dev_close(struct fe_dev *dev)
{
	if (dev->xs)
		xs_close(dev->xs);
	if (dev->watch_xs)
		xs_close(dev->watch_xs);
	dev->xs = NULL;
	dev->watch_xs = NULL;
}

/**
 * fe_dev_own_domid() - number of the domain this program runs in
 *
 * Return: the number, 0 if the domain does not know.
 */
int fe_dev_own_domid(struct fe_dev *dev)
{
	char *value = fe_xs_read(dev, "domid");
	int domid = value ? atoi(value) : 0;

	free(value);
	return domid;
}

/**
 * fe_dev_name() - set the identity of the vbd and with it all paths
 * @dev: device
 * @be: backend domain
 * @fe: frontend domain
 * @devid: virtual device number
 * @base: directory of the frontend's devices in its domain, normally "device"
 *
 * Return: 0, or -errno.
 */
int fe_dev_name(struct fe_dev *dev, unsigned int be, unsigned int fe,
		unsigned int devid, const char *base)
{
	char *be_home = xs_get_domain_path(dev->xs, be);
	char *fe_home = xs_get_domain_path(dev->xs, fe);
	int err = be_home && fe_home ? 0 : -errno;

	if (!err) {
		dev->be_domid = be;
		dev->fe_domid = fe;
		dev->devid = devid;
		snprintf(dev->be_path, sizeof(dev->be_path),
			 "%s/backend/vbd/%u/%u", be_home, fe, devid);
		snprintf(dev->err_path, sizeof(dev->err_path),
			 "%s/error/backend/vbd/%u/%u", be_home, fe, devid);
		snprintf(dev->fe_path, sizeof(dev->fe_path), "%s/%s/vbd/%u",
			 fe_home, base, devid);
	}
	free(be_home);
	free(fe_home);
	return err;
}

/**
 * fe_xs_read() - read a node
 *
 * Return: its value, to be freed by the caller; NULL if it does not exist.
 */
char *fe_xs_read(struct fe_dev *dev, const char *path)
{
	unsigned int len;

	return xs_read(dev->xs, XBT_NULL, path, &len);
}

/**
 * fe_xs_write() - write a node
 *
 * Return: 0, or -errno.
 */
int fe_xs_write(struct fe_dev *dev, const char *path, const char *value)
{
	if (xs_write(dev->xs, XBT_NULL, path, value, strlen(value)))
		return 0;
	return -errno;
}

/**
 * fe_xs_rm() - remove a node and all below it; absent is success
 *
 * Return: 0, or -errno.
 */
int fe_xs_rm(struct fe_dev *dev, const char *path)
{
	if (xs_rm(dev->xs, XBT_NULL, path) || errno == ENOENT)
		return 0;
	return -errno;
}

static int write_once(struct fe_dev *dev, xs_transaction_t t, const char *dir,
		      const struct fe_kv *kv, size_t nr_kv)
{
	char path[FE_PATH_MAX * 2];
	size_t i;

	for (i = 0; i < nr_kv; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, kv[i].key);
		if (!kv[i].value)
			xs_rm(dev->xs, t, path);
		else if (!xs_write(dev->xs, t, path, kv[i].value,
				   strlen(kv[i].value)))
			return -errno;
	}
	return 0;
}

/**
 * fe_xs_write_all() - write keys of one directory in one transaction
 * @dev: device
 * @dir: directory
 * @kv: keys; a NULL value removes the key
 * @nr_kv: number of keys
 *
 * Return: 0, or -errno.
 */
int fe_xs_write_all(struct fe_dev *dev, const char *dir,
		    const struct fe_kv *kv, size_t nr_kv)
{
	xs_transaction_t t;
	int err;

	do {
		t = xs_transaction_start(dev->xs);
		if (t == XBT_NULL)
			return -errno;
		err = write_once(dev, t, dir, kv, nr_kv);
		if (xs_transaction_end(dev->xs, t, err))
			return err;
	} while (errno == EAGAIN);
	return -errno;
}

static int make_dir(struct fe_dev *dev, xs_transaction_t t, const char *path,
		    unsigned int owner, unsigned int reader)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	xs_rm(dev->xs, t, path);
	if (!xs_mkdir(dev->xs, t, path))
		return -errno;
	if (!xs_set_permissions(dev->xs, t, path, perms, 2))
		return -errno;
	return 0;
}

/* Keys of one side: the defaults, replaced and extended by the script's. */
static size_t merge_keys(struct fe_kv *out, const struct fe_kv *defaults,
			 size_t nr_defaults, const struct fe_kv *kv,
			 size_t nr_kv, bool fe_side)
{
	size_t n = nr_defaults;
	size_t i, j;

	memcpy(out, defaults, nr_defaults * sizeof(*out));
	for (i = 0; i < nr_kv && n < MAX_KEYS; i++) {
		bool is_fe = !strncmp(kv[i].key, "fe:", 3);
		const char *key = is_fe ? kv[i].key + 3 : kv[i].key;

		if (is_fe != fe_side)
			continue;
		for (j = 0; j < n; j++)
			if (!strcmp(out[j].key, key))
				break;
		out[j].key = key;
		out[j].value = kv[i].value;
		if (j == n)
			n++;
	}
	return n;
}

static int create_once(struct fe_dev *dev, xs_transaction_t t,
		       const struct fe_kv *kv, size_t nr_kv)
{
	struct fe_kv keys[MAX_KEYS + 1];
	char fe_id[16], be_id[16], devid[16];
	size_t n;
	int err;

	snprintf(fe_id, sizeof(fe_id), "%u", dev->fe_domid);
	snprintf(be_id, sizeof(be_id), "%u", dev->be_domid);
	snprintf(devid, sizeof(devid), "%u", dev->devid);
	const struct fe_kv fe_links[] = {
		{ "backend", dev->be_path },
		{ "backend-id", be_id },
		{ "virtual-device", devid },
	};
	const struct fe_kv be_links[] = {
		{ "frontend", dev->fe_path },
		{ "frontend-id", fe_id },
	};

	err = make_dir(dev, t, dev->fe_path, dev->fe_domid, dev->be_domid);
	if (!err)
		err = write_once(dev, t, dev->fe_path, fe_links, 3);
	n = merge_keys(keys, fe_defaults,
		       sizeof(fe_defaults) / sizeof(fe_defaults[0]), kv, nr_kv,
		       true);
	if (!err)
		err = write_once(dev, t, dev->fe_path, keys, n);
	if (!err)
		err = make_dir(dev, t, dev->be_path, dev->be_domid,
			       dev->fe_domid);
	if (!err)
		err = write_once(dev, t, dev->be_path, be_links, 2);
	n = merge_keys(keys, be_defaults,
		       sizeof(be_defaults) / sizeof(be_defaults[0]), kv, nr_kv,
		       false);
	if (!err)
		err = write_once(dev, t, dev->be_path, keys, n);
	return err;
}

/**
 * fe_dev_create() - write both directories as a toolstack does
 * @dev: device, named by fe_dev_name()
 * @kv: keys which replace, extend or (NULL) remove the defaults of the backend
 *	directory; with the prefix "fe:" those of the frontend directory
 * @nr_kv: number of keys
 *
 * Return: 0, or -errno.
 */
int fe_dev_create(struct fe_dev *dev, const struct fe_kv *kv, size_t nr_kv)
{
	xs_transaction_t t;
	int err;

	fe_xs_rm(dev, dev->err_path);
	do {
		t = xs_transaction_start(dev->xs);
		if (t == XBT_NULL)
			return -errno;
		err = create_once(dev, t, kv, nr_kv);
		if (xs_transaction_end(dev->xs, t, err)) {
			dev->present = dev->owned = !err;
			return err;
		}
	} while (errno == EAGAIN);
	return -errno;
}

/**
 * fe_dev_delete() - remove both directories and the error node
 *
 * Return: 0, or -errno.
 */
int fe_dev_delete(struct fe_dev *dev)
{
	int err;

	dev->present = false;
	err = fe_xs_rm(dev, dev->fe_path);
	if (!err)
		err = fe_xs_rm(dev, dev->be_path);
	fe_xs_rm(dev, dev->err_path);
	return err;
}

/**
 * fe_xs_wait() - wait until a node satisfies a condition
 * @dev: device
 * @path: node
 * @done: condition on the value, which is NULL while the node is absent
 * @arg: for @done
 * @timeout_ms: give up after this time
 *
 * Return: true if the condition came true.
 */
bool fe_xs_wait(struct fe_dev *dev, const char *path,
		bool (*done)(const char *value, void *arg), void *arg,
		unsigned int timeout_ms)
{
	struct pollfd pfd = { .fd = xs_fileno(dev->watch_xs), .events = POLLIN };
	unsigned long long end = now_ms() + timeout_ms;
	char *now_value = fe_xs_read(dev, path);
	bool ok = done(now_value, arg);

	free(now_value);
	/* Often it is so already, and a watch is dear. */
	if (ok || !timeout_ms)
		return ok;
	if (!xs_watch(dev->watch_xs, path, "blkfe"))
		return false;
	for (;;) {
		char *value = fe_xs_read(dev, path);
		unsigned long long now;
		char **event;

		ok = done(value, arg);
		free(value);
		now = now_ms();
		if (ok || now >= end)
			break;
		poll(&pfd, 1, (int)(end - now));
		while ((event = xs_check_watch(dev->watch_xs)))
			free(event);
	}
	xs_unwatch(dev->watch_xs, path, "blkfe");
	return ok;
}

static char *read_key(struct fe_dev *dev, const char *dir, const char *key)
{
	char path[FE_PATH_MAX * 2];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return fe_xs_read(dev, path);
}

/**
 * fe_dev_read_be() - read a key of the backend directory
 *
 * Return: its value, to be freed by the caller; NULL if absent.
 */
char *fe_dev_read_be(struct fe_dev *dev, const char *key)
{
	return read_key(dev, dev->be_path, key);
}

/**
 * fe_dev_read_fe() - read a key of the frontend directory
 *
 * Return: its value, to be freed by the caller; NULL if absent.
 */
char *fe_dev_read_fe(struct fe_dev *dev, const char *key)
{
	return read_key(dev, dev->fe_path, key);
}

/**
 * fe_dev_be_number() - read a key of the backend directory as a number
 * @dev: device
 * @key: key
 * @absent: value to use if the key does not exist
 */
unsigned long long fe_dev_be_number(struct fe_dev *dev, const char *key,
				    unsigned long long absent)
{
	char *value = fe_dev_read_be(dev, key);
	unsigned long long n = value ? strtoull(value, NULL, 10) : absent;

	free(value);
	return n;
}

/**
 * fe_dev_set_state() - write the frontend's state
 *
 * Return: 0, or -errno.
 */
int fe_dev_set_state(struct fe_dev *dev, unsigned int state)
{
	char path[FE_PATH_MAX * 2];
	char value[16];

	snprintf(path, sizeof(path), "%s/state", dev->fe_path);
	snprintf(value, sizeof(value), "%u", state);
	return fe_xs_write(dev, path, value);
}

/**
 * fe_dev_be_state() - the backend's state; 0 if the node is gone
 */
int fe_dev_be_state(struct fe_dev *dev)
{
	return (int)fe_dev_be_number(dev, "state", FE_STATE_UNKNOWN);
}

struct state_wait {
	unsigned int mask;
	int seen;
};

static bool state_in_mask(const char *value, void *arg)
{
	struct state_wait *wait = arg;

	wait->seen = value ? atoi(value) : FE_STATE_UNKNOWN;
	return wait->seen >= 0 && wait->seen < 32 &&
	       (wait->mask & (1u << wait->seen));
}

/**
 * fe_dev_wait_be() - wait for one of several backend states
 * @dev: device
 * @mask: bit n set: state n is wanted
 * @timeout_ms: give up after this time
 *
 * Return: the state that ended the wait, or the last one seen.
 */
int fe_dev_wait_be(struct fe_dev *dev, unsigned int mask,
		   unsigned int timeout_ms)
{
	struct state_wait wait = { .mask = mask };
	char path[FE_PATH_MAX * 2];

	snprintf(path, sizeof(path), "%s/state", dev->be_path);
	fe_xs_wait(dev, path, state_in_mask, &wait, timeout_ms);
	return wait.seen;
}

/**
 * fe_dev_error() - text of the backend's error node
 *
 * Return: the text, to be freed by the caller; NULL if there is none.
 */
char *fe_dev_error(struct fe_dev *dev)
{
	return read_key(dev, dev->err_path, "error");
}
