// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many pages rings may copy to: all of them together, and those of a domain.
 *
 * A domain may have no more than is still free. So one alone gets a half, two get a
 * third each, and so on: for a domain that comes later there is always something,
 * and while it takes that, the others give theirs back.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "data/param.h"
#include "data/share.h"

static int share_set_percent(const char *val, const struct kernel_param *kp)
{
	return xenvbd_param_set_uint(val, kp, 0, 100);
}

static const struct kernel_param_ops max_copy_percent_ops = {
	.set = share_set_percent,
	.get = param_get_uint,
};

static unsigned int max_copy_percent = 10;
module_param_cb(max_copy_percent, &max_copy_percent_ops, &max_copy_percent,
		0644);
MODULE_PARM_DESC(max_copy_percent,
		 "Percent of this domain's memory that all rings together copy to. Default 10");

/* Protects the list, and nr_rings of what is on it. */
static DEFINE_MUTEX(shares_lock);
static LIST_HEAD(shares);

/* The sum of nr_pages. */
static atomic_long_t shares_nr_pages = ATOMIC_LONG_INIT(0);

/* ---- life ----------------------------------------------------------------- */

static struct xenvbd_share *share_find(domid_t domid)
{
	struct xenvbd_share *share;

	list_for_each_entry(share, &shares, list)
		if (share->domid == domid)
			return share;
	return NULL;
}

/**
 * xenvbd_share_get - the share of a new ring's domain
 * @domid: the domain
 *
 * Context: process.
 * Return: the share, for xenvbd_share_put(); or NULL if there is no memory for it.
 */
struct xenvbd_share *xenvbd_share_get(domid_t domid)
{
	/* Not under the lock: a ring that is to go must not wait for memory. */
	struct xenvbd_share *new = kzalloc(sizeof(*new), GFP_KERNEL);
	struct xenvbd_share *share;

	mutex_lock(&shares_lock);
	share = share_find(domid);
	if (!share && new) {
		share = new;
		share->domid = domid;
		list_add(&share->list, &shares);
	}
	if (share)
		share->nr_rings++;
	mutex_unlock(&shares_lock);
	if (share != new)
		kfree(new);
	return share;
}

/**
 * xenvbd_share_put - a ring goes
 * @share: of its domain, with no page of the ring in it; or NULL
 *
 * Context: process.
 */
void xenvbd_share_put(struct xenvbd_share *share)
{
	if (!share)
		return;
	mutex_lock(&shares_lock);
	if (!--share->nr_rings) {
		list_del(&share->list);
		kfree(share);
	}
	mutex_unlock(&shares_lock);
}

/* ---- pages ---------------------------------------------------------------- */

/* What all may have, in pages. */
unsigned long xenvbd_share_max(void)
{
	return totalram_pages() / 100 * READ_ONCE(max_copy_percent);
}

/* What all have, in pages, without the one request that each ring may always have. */
unsigned long xenvbd_share_all(void)
{
	return atomic_long_read(&shares_nr_pages);
}

/**
 * xenvbd_share_room - how many more pages may a domain have?
 * @share: the domain's
 *
 * As many as leave free what the domain has then. Rings that ask at the same time
 * may get the same pages, and then have a request's too many.
 *
 * Return: a number; 0 if the domain has its share.
 */
u32 xenvbd_share_room(const struct xenvbd_share *share)
{
	unsigned long used = xenvbd_share_all() +
			     atomic_long_read(&share->nr_pages);
	unsigned long max = xenvbd_share_max();

	return used < max ? min_t(unsigned long, (max - used) / 2, U32_MAX) : 0;
}

/* A domain has got so many pages. */
void xenvbd_share_charge(struct xenvbd_share *share, u32 nr)
{
	if (!nr)
		return;
	atomic_long_add(nr, &share->nr_pages);
	atomic_long_add(nr, &shares_nr_pages);
}

/* Undo xenvbd_share_charge(), or a part of it. */
void xenvbd_share_uncharge(struct xenvbd_share *share, u32 nr)
{
	if (!nr)
		return;
	atomic_long_sub(nr, &share->nr_pages);
	atomic_long_sub(nr, &shares_nr_pages);
}
