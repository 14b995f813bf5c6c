// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants that stay mapped between requests, as the frontend has agreed to: by which
 * a ring finds them, which are kept, and when they go.
 *
 * They are found and let go by the owner of the ring. The rest is done by its
 * thread, or after that has ended.
 */
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "common.h"
#include "data/param.h"

/* Buckets: eight for each slot of the ring, up to this. */
#define MAX_HASH_BITS		10
/* A day. */
#define MAX_UNUSED_SECONDS	86400

static unsigned int max_persistent_grants = 1056;
module_param_cb(max_persistent_grants, &xenvbd_param_count_ops,
		&max_persistent_grants, 0644);
MODULE_PARM_DESC(max_persistent_grants,
		 "Grants a ring keeps mapped between requests. Default 1056");

static unsigned int persistent_grant_unused_seconds = 60;
module_param(persistent_grant_unused_seconds, uint, 0644);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "Seconds until an unused persistent grant is unmapped, up to a day; 0: never. Default 60");

/**
 * xenvbd_persistent_init - prepare a ring for persistent grants
 * @persistent: all zeroes
 * @nr_ents: slots of the ring
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_persistent_exit() is due in either case.
 */
int xenvbd_persistent_init(struct xenvbd_persistent *persistent, u32 nr_ents)
{
	persistent->hash_bits = min(ilog2(nr_ents) + 3, MAX_HASH_BITS);
	persistent->hash = kvcalloc(BIT(persistent->hash_bits),
				    sizeof(*persistent->hash), GFP_KERNEL);
	return persistent->hash ? 0 : -ENOMEM;
}

/* All go. Waits for those below who use a page; the batch is left empty. */
void xenvbd_persistent_exit(struct xenvbd_ring *ring)
{
	struct xenvbd_persistent *persistent = &ring->pages.persistent;

	while (persistent->nr) {
		xenvbd_persistent_expire(ring, 0);
		if (persistent->nr)
			msleep(20);
	}
	kvfree(persistent->hash);
}

/* Keep a mapping that was just made. NULL if there are enough already. */
struct xenvbd_pgrant *xenvbd_pgrant_add(struct xenvbd_pages *pages,
					const struct gnttab_map_grant_ref *op,
					struct page *page)
{
	struct xenvbd_persistent *persistent = &pages->persistent;
	struct xenvbd_pgrant *pgrant;

	/* The largest request must find room beside those that are kept. */
	if (persistent->nr >= min3(READ_ONCE(max_persistent_grants),
				   XENVBD_MAX_POOL_PAGES / 2U,
				   pages->pool.max_pages - XENVBD_MAX_SEGS))
		return NULL;
	pgrant = kmalloc(sizeof(*pgrant), GFP_NOWAIT | __GFP_NOWARN);
	if (!pgrant)
		return NULL;
	pgrant->gref = op->ref;
	pgrant->handle = op->handle;
	pgrant->page = page;
	pgrant->users = 1;
	hlist_add_head(&pgrant->hash, xenvbd_pgrant_bucket(persistent, op->ref));
	persistent->nr++;
	return pgrant;
}

/* Unmap those that nobody has used for @unused jiffies, oldest first. */
void xenvbd_persistent_expire(struct xenvbd_ring *ring, unsigned long unused)
{
	struct xenvbd_persistent *persistent = &ring->pages.persistent;
	struct xenvbd_pgrant *pgrant, *next;

	list_for_each_entry_safe(pgrant, next, &persistent->lru, lru) {
		if (jiffies - pgrant->idle_since < unused)
			break;
		/* Somebody below still uses it; see xenvbd_pages_held(). */
		if (unlikely(page_count(pgrant->page) > 1))
			continue;
		list_del(&pgrant->lru);
		hlist_del(&pgrant->hash);
		xenvbd_batch_add_unmap(ring, pgrant->page, pgrant->handle);
		kfree(pgrant);
		persistent->nr--;
	}
	xenvbd_batch_unmap(ring);
}

/* Unmap those that are old; all that can be, if none may stay. When to come again. */
long xenvbd_persistent_trim(struct xenvbd_ring *ring, bool persists)
{
	unsigned long unused =
		HZ * min_t(unsigned long, MAX_UNUSED_SECONDS,
			   READ_ONCE(persistent_grant_unused_seconds));
	struct list_head *lru = &ring->pages.persistent.lru;
	struct xenvbd_pgrant *oldest;

	if (unused || !persists)
		xenvbd_persistent_expire(ring, persists ? unused : 0);
	if (!ring->pages.persistent.nr || (persists && !unused))
		return MAX_SCHEDULE_TIMEOUT;
	if (!persists)
		return HZ;
	/* Those in use now come idle without the thread, if a completion answers. */
	if (list_empty(lru))
		return unused + HZ;
	oldest = list_first_entry(lru, struct xenvbd_pgrant, lru);
	/* A second more, so that whatever was used together goes together. */
	return max_t(long, oldest->idle_since + unused - jiffies, 0) + HZ;
}
