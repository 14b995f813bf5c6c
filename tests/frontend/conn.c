// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a vbd's connection: rings are made and published, states change
 * until both sides are Connected, and all goes back until nothing is left.
 */
#include "conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define MAX_PUBLISHED 64

/* Keys of one directory under construction; owns its strings. */
struct keyset {
	struct fe_kv kv[MAX_PUBLISHED];
	char key[MAX_PUBLISHED][40];
	char value[MAX_PUBLISHED][40];
	size_t nr;
};

/**
 * fe_open() - open xenstore, event channels and grants
 *
 * Return: 0, or -errno with a message on stdout.
 */
int fe_open(struct fe *fe)
{
	int err;

	memset(fe, 0, sizeof(*fe));
	fe->abi = fe_abi_native();
	fe->protocol = strdup(fe->abi->name);
	fe->nr_pages = 1;
	fe->nr_queues = 1;
	fe->timeout_ms = 10000;
	fe->shadow_mib = 1024;
	fe->io.timeout_ms = 10000;
	fe->io.check_grants = true;
	fe->io.seed = 1;
	err = fe_dev_open(&fe->dev);
	if (err) {
		fe_note("cannot open xenstore: %s", strerror(-err));
		return err;
	}
	fe->io.evtchn = xenevtchn_open(NULL, 0);
	if (!fe->io.evtchn) {
		err = -errno;
		fe_note("cannot open /dev/xen/evtchn: %s", strerror(errno));
		return err;
	}
	err = fe_grants_open(&fe->io.grants);
	if (err) {
		fe_note("cannot open /dev/xen/gntalloc: %s", strerror(-err));
		return err;
	}
	if (!fe_grants_selftest(&fe->io.grants,
				(unsigned int)fe_dev_own_domid(&fe->dev)))
		fe_note("this kernel does not tell about grants in use: not checked");
	return 0;
}

/**
 * fe_close() - undo fe_open(); the vbd must be gone
 */
void fe_close(struct fe *fe)
{
	fe_shadow_close(&fe->io.shadow);
	fe_grants_close(&fe->io.grants);
	if (fe->io.evtchn)
		xenevtchn_close(fe->io.evtchn);
	fe->io.evtchn = NULL;
	fe_dev_close(&fe->dev);
	free(fe->protocol);
	fe->protocol = NULL;
}

static int alloc_rings(struct fe *fe)
{
	unsigned int i;
	int err;

	fe->io.grants.domid = fe->dev.be_domid;
	for (i = 0; i < fe->nr_queues; i++) {
		fe->io.rings[i].index = i;
		err = fe_ring_alloc(&fe->io.rings[i], fe->abi, fe->nr_pages,
				    &fe->io.grants, fe->io.evtchn);
		if (err) {
			fe_fail("cannot allocate ring %u: %s", i,
				strerror(-err));
			return err;
		}
		fe->io.nr_rings = i + 1;
	}
	return 0;
}

/**
 * fe_alloc() - allocate the rings and event channels
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_alloc(struct fe *fe)
{
	fe_free(fe);
	return alloc_rings(fe);
}

/**
 * fe_renew() - allocate other rings, and leave the backend those it has
 *
 * So does a guest that resumes in place. What is outstanding is not waited for.
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_renew(struct fe *fe)
{
	if (fe->nr_old_rings) {
		fe_fail("the rings were replaced once already");
		return -EBUSY;
	}
	fe_io_abandon(&fe->io);
	memcpy(fe->old_rings, fe->io.rings, sizeof(fe->old_rings));
	memset(fe->io.rings, 0, sizeof(fe->io.rings));
	fe->nr_old_rings = fe->io.nr_rings;
	fe->io.nr_rings = 0;
	return alloc_rings(fe);
}

static bool free_rings(struct fe *fe, struct fe_ring *rings, unsigned int *nr)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < *nr; i++)
		ok &= fe_ring_free(&rings[i], &fe->io.grants);
	*nr = 0;
	return ok;
}

/**
 * fe_free() - free the rings; the backend must have let go of everything
 */
void fe_free(struct fe *fe)
{
	bool ok;

	fe_io_abandon(&fe->io);
	ok = free_rings(fe, fe->old_rings, &fe->nr_old_rings);
	ok &= free_rings(fe, fe->io.rings, &fe->io.nr_rings);
	if (!ok)
		fe_fail("the backend still has a ring mapped");
	fe_io_free_lost(&fe->io);
	if (!fe_pool_release(&fe->io.grants))
		fe_fail("the backend still has data pages mapped");
}

static void add_key(struct keyset *set, const char *key, unsigned long value)
{
	if (set->nr == MAX_PUBLISHED)
		return;
	snprintf(set->key[set->nr], sizeof(set->key[0]), "%s", key);
	snprintf(set->value[set->nr], sizeof(set->value[0]), "%lu", value);
	set->kv[set->nr].key = set->key[set->nr];
	set->kv[set->nr].value = set->value[set->nr];
	set->nr++;
}

static void del_key(struct keyset *set, const char *key)
{
	add_key(set, key, 0);
	set->kv[set->nr - 1].value = NULL;
}

/* Absent keys are removed: the last connection may have left them. */
static void add_shape(struct fe *fe, struct keyset *set)
{
	bool order = fe->keys == FE_KEYS_ORDER || fe->keys == FE_KEYS_BOTH ||
		     (fe->keys == FE_KEYS_DEFAULT && fe->nr_pages > 1);
	bool num = fe->keys == FE_KEYS_NUM || fe->keys == FE_KEYS_BOTH;
	unsigned int log2_pages = 0;

	while ((1u << log2_pages) < fe->nr_pages)
		log2_pages++;
	if (order)
		add_key(set, "ring-page-order", log2_pages);
	else
		del_key(set, "ring-page-order");
	if (num)
		add_key(set, "num-ring-pages", fe->nr_pages);
	else
		del_key(set, "num-ring-pages");
	if (fe->nr_queues > 1)
		add_key(set, "multi-queue-num-queues", fe->nr_queues);
	else
		del_key(set, "multi-queue-num-queues");
	add_key(set, "feature-persistent", fe->io.use_persistent);
}

static void add_ring(struct fe *fe, struct keyset *set,
		     const struct fe_ring *ring)
{
	char key[32];
	unsigned int i;

	add_key(set, "event-channel", ring->port);
	/* Only those who know ring-page-order give a single page a number. */
	if (fe->nr_pages == 1 &&
	    (fe->keys == FE_KEYS_DEFAULT || fe->keys == FE_KEYS_NUM)) {
		add_key(set, "ring-ref", ring->refs[0]);
		del_key(set, "ring-ref0");
		return;
	}
	del_key(set, "ring-ref");
	for (i = 0; i < fe->nr_pages; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		add_key(set, key, ring->refs[i]);
	}
}

/**
 * fe_publish() - write the keys of the rings into the frontend directory
 * @fe: frontend with rings
 * @kv: keys that replace ours, each removed if its value is NULL; with a
 *	directory before it that is one of a queue
 * @nr_kv: number of them
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_publish(struct fe *fe, const struct fe_kv *kv, size_t nr_kv)
{
	struct keyset *set = calloc(1, sizeof(*set));
	char dir[FE_PATH_MAX + 32];
	unsigned int i;
	int err = 0;

	if (!set)
		return -ENOMEM;
	add_shape(fe, set);
	set->kv[set->nr].key = "protocol";
	set->kv[set->nr++].value = fe->protocol;
	if (fe->nr_queues == 1 && fe->io.nr_rings)
		add_ring(fe, set, &fe->io.rings[0]);
	err = fe_xs_write_all(&fe->dev, fe->dev.fe_path, set->kv, set->nr);
	for (i = 0; !err && fe->nr_queues > 1 && i < fe->io.nr_rings; i++) {
		set->nr = 0;
		add_ring(fe, set, &fe->io.rings[i]);
		snprintf(dir, sizeof(dir), "%s/queue-%u", fe->dev.fe_path, i);
		err = fe_xs_write_all(&fe->dev, dir, set->kv, set->nr);
	}
	if (!err && nr_kv)
		err = fe_xs_write_all(&fe->dev, fe->dev.fe_path, kv, nr_kv);
	if (err)
		fe_fail("cannot write the frontend's keys: %s",
			strerror(-err));
	free(set);
	return err;
}

/**
 * fe_wait_be() - wait for one of several backend states
 *
 * Return: false after reporting a failure, with the backend's error text.
 */
bool fe_wait_be(struct fe *fe, unsigned int mask)
{
	char *error;
	int state;

	state = fe_dev_wait_be(&fe->dev, mask, fe->timeout_ms);
	if (mask & (1u << state))
		return true;
	error = fe_dev_error(&fe->dev);
	fe_fail("backend is in state %d; error node: %s", state,
		error ? error : "absent");
	free(error);
	return false;
}

/**
 * fe_read_features() - read what the backend published
 */
void fe_read_features(struct fe *fe)
{
	struct fe_features *f = &fe->io.features;
	char *mode = fe_dev_read_be(&fe->dev, "mode");

	f->barrier = fe_dev_be_number(&fe->dev, "feature-barrier", 0);
	f->flush = fe_dev_be_number(&fe->dev, "feature-flush-cache", 0);
	f->discard = fe_dev_be_number(&fe->dev, "feature-discard", 0);
	f->persistent = fe_dev_be_number(&fe->dev, "feature-persistent", 0);
	f->max_indirect = (unsigned int)fe_dev_be_number(&fe->dev,
					"feature-max-indirect-segments", 0);
	f->sectors = fe_dev_be_number(&fe->dev, "sectors", 0);
	f->sector_size = (unsigned int)fe_dev_be_number(&fe->dev,
							"sector-size", 512);
	fe->io.read_only = mode && !strchr(mode, 'w');
	free(mode);
}

/**
 * fe_connect() - the whole handshake, up to Connected on both sides
 * @fe: frontend
 * @kv: keys to publish other than they should be
 * @nr_kv: number of them
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_connect(struct fe *fe, const struct fe_kv *kv, size_t nr_kv)
{
	int err;

	if (!fe_wait_be(fe, 1u << FE_STATE_INITWAIT))
		return -EPROTO;
	err = fe_alloc(fe);
	if (!err)
		err = fe_publish(fe, kv, nr_kv);
	if (!err)
		err = fe_dev_set_state(&fe->dev, FE_STATE_INITIALISED);
	if (err)
		return err;
	if (!fe_wait_be(fe, 1u << FE_STATE_CONNECTED))
		return -EPROTO;
	fe_read_features(fe);
	/* A CD drive may be empty. */
	if (!fe->io.features.sectors && !(fe_dev_be_number(&fe->dev, "info", 0) & 1))
		fe_fail("backend is Connected, but sectors is 0 or absent");
	err = fe_shadow_open(&fe->io.shadow, fe->io.features.sectors,
			     fe->shadow_mib);
	if (!err)
		err = fe_dev_set_state(&fe->dev, FE_STATE_CONNECTED);
	return err;
}

/**
 * fe_disconnect() - Closing, Closed, then free the rings
 *
 * Works from any state of the connection.
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_disconnect(struct fe *fe)
{
	unsigned int closing = 1u << FE_STATE_CLOSING | 1u << FE_STATE_CLOSED |
			       1u << FE_STATE_UNKNOWN;
	bool ok;

	fe_dev_set_state(&fe->dev, FE_STATE_CLOSING);
	ok = fe_wait_be(fe, closing);
	fe_dev_set_state(&fe->dev, FE_STATE_CLOSED);
	ok &= fe_wait_be(fe, closing & ~(1u << FE_STATE_CLOSING));
	fe_free(fe);
	return ok ? 0 : -ETIMEDOUT;
}

/**
 * fe_is_registered() - is there a device of the kernel's in sysfs?
 *
 * Means something if the backend runs in this very domain.
 */
bool fe_is_registered(struct fe *fe)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/vbd-%u-%u",
		 fe->dev.fe_domid, fe->dev.devid);
	return !access(path, F_OK);
}

/**
 * fe_wait_unregistered() - wait until there is none
 *
 * Return: false if it does not go in time.
 */
bool fe_wait_unregistered(struct fe *fe)
{
	uint64_t end = fe_io_now_us() + fe->timeout_ms * 1000ull;

	while (fe_is_registered(fe)) {
		if (fe_io_now_us() > end)
			return false;
		usleep(5000);
	}
	return true;
}

/**
 * fe_destroy() - take the vbd away as a toolstack does
 *
 * A vbd that was made by somebody else is only disconnected.
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_destroy(struct fe *fe)
{
	static const struct fe_kv request[] = {
		{ "online", "0" }, { "state", "5" },
	};
	int state = fe_dev_be_state(&fe->dev);
	int err = 0;

	if (!fe->dev.present)
		return 0;
	if (!fe->dev.owned) {
		fe->dev.present = false;
		return fe_disconnect(fe);
	}
	if (state != FE_STATE_UNKNOWN)
		fe_xs_write_all(&fe->dev, fe->dev.be_path, request,
				state == FE_STATE_CLOSED ? 1 : 2);
	if (state == FE_STATE_CLOSED) {
		/* Nothing left to close; a nudge to look at online. */
		fe_dev_set_state(&fe->dev, FE_STATE_CLOSED);
		fe_free(fe);
	} else if (state != FE_STATE_UNKNOWN) {
		err = fe_disconnect(fe);
	} else {
		fe_free(fe);
	}
	fe_dev_delete(&fe->dev);
	if (fe->dev.be_domid == (unsigned int)fe_dev_own_domid(&fe->dev) &&
	    !fe_wait_unregistered(fe)) {
		fe_fail("the backend's kernel device is still there");
		err = -ETIMEDOUT;
	}
	return err;
}
