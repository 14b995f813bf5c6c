/* SPDX-License-Identifier: GPL-2.0-only */
/* The grants of the hypercall in the making, and pages to map them to. */
#ifndef XENVBD_BATCH_H
#define XENVBD_BATCH_H

#include <linux/lockdep.h>
#include <xen/grant_table.h>

#include "data/req.h"

/*
 * Grants mapped, unmapped or copied with one hypercall; the largest request
 * fits.
 */
#define XENVBD_BATCH_GRANTS	XENVBD_MAX_SEGS

/* Pages of a ring that grants are mapped to, in use or not. */
#define XENVBD_MAX_POOL_PAGES	8192

/* What the operations of a batch do; they are of one kind. */
enum xenvbd_batch_kind {
	XENVBD_BATCH_MAP,
	XENVBD_BATCH_UNMAP,
	/* Segments of INDIRECT requests. */
	XENVBD_BATCH_FETCH,
	/* Data. */
	XENVBD_BATCH_COPY,
};

/**
 * struct xenvbd_batch - grants that one hypercall maps, unmaps or copies
 * @nr: operations so far
 * @kind: enum xenvbd_batch_kind of all of them
 * @page: of each operation that maps or unmaps, its page
 * @req: of each operation that copies data, its request
 * @map: operations that map
 * @unmap: operations that unmap
 * @copy: operations that copy, descriptors or data
 * @ops: any of them
 */
struct xenvbd_batch {
	u32 nr;
	u8 kind;
	union {
		struct page **page;
		struct xenvbd_req **req;
	};
	union {
		struct gnttab_map_grant_ref *map;
		struct gnttab_unmap_grant_ref *unmap;
		struct gnttab_copy *copy;
		void *ops;
	};
};

/**
 * xenvbd_batch_add - one more operation
 * @batch: not full, and empty if its operations were of another kind
 * @kind: enum xenvbd_batch_kind
 *
 * Return: the operation's index.
 */
static inline u32 xenvbd_batch_add(struct xenvbd_batch *batch,
				   enum xenvbd_batch_kind kind)
{
	/*
	 * In debug kernels only, and there without a way for a guest to get
	 * here.
	 */
	lockdep_assert(batch->nr < XENVBD_BATCH_GRANTS);
	lockdep_assert(!batch->nr || batch->kind == kind);
	batch->kind = kind;
	return batch->nr++;
}

/* Pages to map grants to. */
struct xenvbd_pool {
	/* Those that nothing is mapped to, a stack of so many places. */
	struct page **free;
	u32 nr_free;
	u32 size;
	/* In use or not, and how many that may be. */
	u32 nr_pages;
	u32 max_pages;
	/* In jiffies: until then none are asked for; 0: the last time there were some. */
	unsigned long short_until;
};

static inline struct page *xenvbd_pool_get(struct xenvbd_pool *pool)
{
	return pool->free[--pool->nr_free];
}

static inline void xenvbd_pool_put(struct xenvbd_pool *pool, struct page *page)
{
	pool->free[pool->nr_free++] = page;
}

bool xenvbd_batch_pool_grow(struct xenvbd_pool *pool, u32 nr);
void xenvbd_batch_pool_shrink(struct xenvbd_pool *pool, u32 keep);
void xenvbd_batch_init(struct xenvbd_batch *batch);
void xenvbd_batch_add_map(struct xenvbd_ring *ring, struct page *page,
			  u32 flags, grant_ref_t gref);
void xenvbd_batch_add_unmap(struct xenvbd_ring *ring, struct page *page,
			    grant_handle_t handle);
void xenvbd_batch_unmap(struct xenvbd_ring *ring);

#endif /* XENVBD_BATCH_H */
