/* SPDX-License-Identifier: GPL-2.0-only */
/* Grants that stay mapped between requests. */
#ifndef XENVBD_PERSISTENT_H
#define XENVBD_PERSISTENT_H

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/types.h>
#include <xen/grant_table.h>

struct xenvbd_pages;
struct xenvbd_ring;

/* A grant that stays mapped between requests. */
struct xenvbd_pgrant {
	/* In persistent.hash, by @gref. */
	struct hlist_node hash;
	/* In persistent.lru while no request uses it. */
	struct list_head lru;
	/* Where it is mapped. */
	struct page *page;
	/* In jiffies, when the last request released it. */
	unsigned long idle_since;
	grant_ref_t gref;
	grant_handle_t handle;
	/* Requests that use it now. */
	unsigned int users;
};

/* Persistent grants. */
struct xenvbd_persistent {
	/* All, by grant; NULL if they were not negotiated. */
	struct hlist_head *hash;
	u32 hash_bits;
	u32 nr;
	/* Those that no request uses, oldest first. */
	struct list_head lru;
};

static inline struct hlist_head *
xenvbd_pgrant_bucket(struct xenvbd_persistent *persistent, grant_ref_t gref)
{
	return &persistent->hash[hash_32(gref, persistent->hash_bits)];
}

/* The grant, with one user more; NULL if it is not mapped. */
static inline struct xenvbd_pgrant *
xenvbd_pgrant_get(struct xenvbd_persistent *persistent, grant_ref_t gref)
{
	struct xenvbd_pgrant *pgrant;

	hlist_for_each_entry(pgrant, xenvbd_pgrant_bucket(persistent, gref), hash) {
		if (pgrant->gref != gref)
			continue;
		if (!pgrant->users++)
			list_del(&pgrant->lru);
		return pgrant;
	}
	return NULL;
}

static inline void xenvbd_pgrant_put(struct xenvbd_persistent *persistent,
				     struct xenvbd_pgrant *pgrant)
{
	if (--pgrant->users)
		return;
	pgrant->idle_since = jiffies;
	list_add_tail(&pgrant->lru, &persistent->lru);
}

int xenvbd_persistent_init(struct xenvbd_persistent *persistent, u32 nr_ents);
void xenvbd_persistent_exit(struct xenvbd_ring *ring);
struct xenvbd_pgrant *
xenvbd_pgrant_add(struct xenvbd_pages *pages,
		  const struct gnttab_map_grant_ref *op, struct page *page);
void xenvbd_persistent_expire(struct xenvbd_ring *ring, unsigned long unused);
long xenvbd_persistent_trim(struct xenvbd_ring *ring, bool persists);

#endif /* XENVBD_PERSISTENT_H */
