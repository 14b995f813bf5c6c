// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's pages: by which method a request gets at them, and how they are
 * released.
 *
 * A segment is backed by a mapping of its own, whose handle the request
 * records; by a persistent grant, which the ring owns; or by a page of ours,
 * see copy.c. What is unmapped is that set of handles, no more and no less
 * (XSA-365).
 *
 * All of it is done by the owner of the ring, or before the thread has started or
 * after it has ended. A completion that owns the ring neither maps nor unmaps.
 */
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "common.h"
#include "data/param.h"
#include "trace.h"

/* The pages that grants are mapped to, in use or not. */
#define MAX_RING_PAGES		8192
/* Pages are taken from Xen so many at a time. */
#define POOL_GROWTH		32
/* Buckets of persistent grants: eight for each slot of the ring, up to this. */
#define MAX_HASH_BITS		10
/* If memory is short, persistent grants unused for so long are unmapped. */
#define SQUEEZE_JIFFIES		HZ
/* A day. */
#define MAX_UNUSED_SECONDS	86400

static unsigned int max_buffer_pages = 1024;
module_param_cb(max_buffer_pages, &xenvbd_param_count_ops, &max_buffer_pages,
		0644);
MODULE_PARM_DESC(max_buffer_pages,
		 "Pages an idle ring keeps to map grants to. Default 1024");

static unsigned int max_persistent_grants = 1056;
module_param_cb(max_persistent_grants, &xenvbd_param_count_ops,
		&max_persistent_grants, 0644);
MODULE_PARM_DESC(max_persistent_grants,
		 "Grants a ring keeps mapped between requests. Default 1056");

static unsigned int persistent_grant_unused_seconds = 60;
module_param(persistent_grant_unused_seconds, uint, 0644);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "Seconds until an unused persistent grant is unmapped, up to a day; 0: never. Default 60");

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

/* ---- pages to map to ---------------------------------------------------- */

static struct page *pool_get(struct xenvbd_pool *pool)
{
	return pool->free[--pool->nr_free];
}

static void pool_put(struct xenvbd_pool *pool, struct page *page)
{
	pool->free[pool->nr_free++] = page;
}

static bool pool_make_room(struct xenvbd_pool *pool, u32 size)
{
	struct page **free;

	if (size <= pool->size)
		return true;
	free = kvmalloc_array(size, sizeof(*free), GFP_NOIO | __GFP_NOWARN);
	if (!free)
		return false;
	memcpy(free, pool->free, pool->nr_free * sizeof(*free));
	kvfree(pool->free);
	pool->free = free;
	pool->size = size;
	return true;
}

/* Have @nr pages free. False if there is no memory, or the ring has its share. */
static bool pool_grow(struct xenvbd_pool *pool, u32 nr)
{
	u32 want = min_t(u32, max_t(u32, nr - pool->nr_free, POOL_GROWTH),
			 pool->max_pages - pool->nr_pages);

	if (!want || pool->nr_free + want < nr ||
	    !pool_make_room(pool, roundup_pow_of_two(pool->nr_pages + want)) ||
	    gnttab_alloc_pages(want, pool->free + pool->nr_free))
		return false;
	pool->nr_free += want;
	pool->nr_pages += want;
	return true;
}

/* Give free pages back to Xen, but for @keep of them. */
static void pool_shrink(struct xenvbd_pool *pool, u32 keep)
{
	u32 nr;

	if (pool->nr_free <= keep)
		return;
	nr = pool->nr_free - keep;
	gnttab_free_pages(nr, pool->free + keep);
	pool->nr_free -= nr;
	pool->nr_pages -= nr;
}

/* ---- the batch ---------------------------------------------------------- */

static void batch_unmap(struct xenvbd_ring *ring)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	const struct gnttab_unmap_grant_ref *op;
	u32 i;

	if (!batch->nr)
		return;

	trace_xenvbd_unmap(ring, batch->nr);
	/* Each operation has a status of its own; the sum says nothing more. */
	if (gnttab_unmap_refs(batch->unmap, NULL, batch->page, batch->nr))
		pr_debug("%s: unmapping of grants failed\n", ring->name);
	xenvbd_stat_inc(&ring->stats.unmap_calls);

	for (i = 0; i < batch->nr; i++) {
		op = &batch->unmap[i];
		/*
		 * Cannot happen, as each handle is ours and given back once.
		 * If it does, the page still shows the guest's memory: better
		 * to lose it than to use it for anything else.
		 */
		if (unlikely(op->status != GNTST_okay)) {
			pr_err_ratelimited("%s: unmapping handle %u: status %d, page lost\n",
					   ring->name, op->handle, op->status);
			ring->pages.pool.nr_pages--;
			continue;
		}
		pool_put(&ring->pages.pool, batch->page[i]);
	}
	batch->nr = 0;
}

static void batch_add_unmap(struct xenvbd_ring *ring, struct page *page,
			    grant_handle_t handle)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	u32 op;

	if (batch->nr == XENVBD_BATCH_GRANTS)
		batch_unmap(ring);
	op = xenvbd_batch_add(batch, XENVBD_BATCH_UNMAP);
	gnttab_set_unmap_op(&batch->unmap[op],
			    (unsigned long)page_address(page), GNTMAP_host_map,
			    handle);
	batch->unmap[op].status = GNTST_general_error;
	batch->page[op] = page;
}

static void batch_add_map(struct xenvbd_ring *ring, struct page *page,
			  u32 flags, grant_ref_t gref)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	u32 op = xenvbd_batch_add(batch, XENVBD_BATCH_MAP);

	gnttab_set_map_op(&batch->map[op], (unsigned long)page_address(page),
			  flags, gref, ring->domid);
	batch->map[op].status = GNTST_general_error;
	batch->page[op] = page;
}

/* ---- persistent grants -------------------------------------------------- */

static struct hlist_head *pgrant_bucket(struct xenvbd_persistent *persistent,
					grant_ref_t gref)
{
	return &persistent->hash[hash_32(gref, persistent->hash_bits)];
}

static struct xenvbd_pgrant *pgrant_get(struct xenvbd_persistent *persistent,
					grant_ref_t gref)
{
	struct xenvbd_pgrant *pgrant;

	hlist_for_each_entry(pgrant, pgrant_bucket(persistent, gref), hash) {
		if (pgrant->gref != gref)
			continue;
		if (!pgrant->users++)
			list_del(&pgrant->lru);
		return pgrant;
	}
	return NULL;
}

static void pgrant_put(struct xenvbd_persistent *persistent,
		       struct xenvbd_pgrant *pgrant)
{
	if (--pgrant->users)
		return;
	pgrant->idle_since = jiffies;
	list_add_tail(&pgrant->lru, &persistent->lru);
}

/* Keep a mapping that was just made. NULL if there are enough already. */
static struct xenvbd_pgrant *pgrant_add(struct xenvbd_pages *pages,
					const struct gnttab_map_grant_ref *op,
					struct page *page)
{
	struct xenvbd_persistent *persistent = &pages->persistent;
	struct xenvbd_pgrant *pgrant;

	/* The largest request must find room beside those that are kept. */
	if (persistent->nr >= min3(READ_ONCE(max_persistent_grants),
				   MAX_RING_PAGES / 2U,
				   pages->pool.max_pages - XENVBD_MAX_SEGS))
		return NULL;
	pgrant = kmalloc(sizeof(*pgrant), GFP_NOWAIT | __GFP_NOWARN);
	if (!pgrant)
		return NULL;
	pgrant->gref = op->ref;
	pgrant->handle = op->handle;
	pgrant->page = page;
	pgrant->users = 1;
	hlist_add_head(&pgrant->hash, pgrant_bucket(persistent, op->ref));
	persistent->nr++;
	return pgrant;
}

/* Unmap those that nobody has used for @unused jiffies, oldest first. */
static void pgrants_expire(struct xenvbd_ring *ring, unsigned long unused)
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
		batch_add_unmap(ring, pgrant->page, pgrant->handle);
		kfree(pgrant);
		persistent->nr--;
	}
	batch_unmap(ring);
}

/* As xenvbd_pages_trim(), for persistent grants. */
static long pgrants_trim(struct xenvbd_ring *ring)
{
	unsigned long unused =
		HZ * min_t(unsigned long, MAX_UNUSED_SECONDS,
			   READ_ONCE(persistent_grant_unused_seconds));
	bool persists =
		xenvbd_policy_persists(READ_ONCE(ring->vbd->tunables.policy));
	struct list_head *lru = &ring->pages.persistent.lru;
	struct xenvbd_pgrant *oldest;

	if (unused || !persists)
		pgrants_expire(ring, persists ? unused : 0);
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

/* ---- life --------------------------------------------------------------- */

static void batch_init(struct xenvbd_batch *batch)
{
	static_assert(sizeof(*batch->map) >= sizeof(*batch->unmap));
	static_assert(sizeof(*batch->copy) >= sizeof(*batch->map));

	/* One piece, which fills its pages. */
	batch->ops = vcalloc(XENVBD_BATCH_GRANTS,
			     sizeof(*batch->copy) + sizeof(*batch->page));
	batch->page = (struct page **)(batch->copy + XENVBD_BATCH_GRANTS);
}

/**
 * xenvbd_pages_init - prepare a ring for the guest's pages
 * @ring: attached
 * @nr_rings: of the vbd, which share the pages it may have
 * @persistent: the frontend has agreed to persistent grants
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_pages_exit() is due in either case.
 */
int xenvbd_pages_init(struct xenvbd_ring *ring, unsigned int nr_rings,
		      bool persistent)
{
	struct xenvbd_pages *pages = &ring->pages;
	struct xenvbd_persistent *pgrants = &pages->persistent;

	INIT_LIST_HEAD(&pgrants->lru);
	pages->pool.max_pages =
		min_t(u32, XENVBD_MAX_VBD_PAGES / nr_rings, MAX_RING_PAGES);
	batch_init(&pages->batch);
	pgrants->hash_bits = min(ilog2(ring->sring.nr_ents) + 3, MAX_HASH_BITS);
	if (persistent)
		pgrants->hash = kvcalloc(BIT(pgrants->hash_bits),
					 sizeof(*pgrants->hash), GFP_KERNEL);

	return pages->batch.ops && (!persistent || pgrants->hash) ? 0 : -ENOMEM;
}

/*
 * Undo xenvbd_pages_init(), which need not have been called. No request is in
 * flight. Waits for those below who use a page.
 */
void xenvbd_pages_exit(struct xenvbd_ring *ring)
{
	struct xenvbd_pages *pages = &ring->pages;

	while (pages->persistent.nr) {
		pgrants_expire(ring, 0);
		if (pages->persistent.nr)
			msleep(20);
	}
	pool_shrink(&pages->pool, 0);
	xenvbd_copy_free(&pages->copy);
	kvfree(pages->persistent.hash);
	kvfree(pages->pool.free);
	vfree(pages->batch.ops);
}

/* Give back what an idle ring has long not used. Return when to come again. */
long xenvbd_pages_trim(struct xenvbd_ring *ring)
{
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (ring->pages.persistent.nr)
		timeout = pgrants_trim(ring);
	pool_shrink(&ring->pages.pool, READ_ONCE(max_buffer_pages));
	return min(timeout, xenvbd_copy_trim(&ring->pages.copy));
}

/* The ring was kicked: memory may be short, or the policy have changed. */
void xenvbd_pages_kicked(struct xenvbd_ring *ring)
{
	struct xenvbd_pages *pages = &ring->pages;

	if (pages->persistent.nr &&
	    !xenvbd_policy_persists(READ_ONCE(ring->vbd->tunables.policy)))
		pgrants_expire(ring, 0);
	if (!READ_ONCE(ring->wake.squeeze))
		return;
	WRITE_ONCE(ring->wake.squeeze, false);
	pgrants_expire(ring, SQUEEZE_JIFFIES);
	pool_shrink(&pages->pool, 0);
	xenvbd_copy_free(&pages->copy);
	xenvbd_stat_inc(&ring->stats.squeezes);
}

/* ---- the method, and getting at the pages ------------------------------- */

/* Data that must not change while it is written must not be the guest's. */
static bool pages_must_copy(const struct xenvbd_ring *ring,
			    const struct xenvbd_req *req)
{
	return unlikely(ring->limits.stable_writes) && req->op != BLKIF_OP_READ;
}

static enum xenvbd_method pages_choose(const struct xenvbd_ring *ring,
				       const struct xenvbd_req *req)
{
	bool persistent = ring->pages.persistent.hash;

	if (pages_must_copy(ring, req))
		return XENVBD_METHOD_COPY;

	switch (READ_ONCE(ring->vbd->tunables.policy)) {
	case XENVBD_POLICY_MAP:
		return XENVBD_METHOD_MAP;
	case XENVBD_POLICY_COPY:
		return XENVBD_METHOD_COPY;
	case XENVBD_POLICY_PERSISTENT:
		return persistent ? XENVBD_METHOD_PERSISTENT :
				    XENVBD_METHOD_MAP;
	default:
		/* By measurement: see Documentation/performance.rst. */
		return persistent ? XENVBD_METHOD_PERSISTENT :
				    XENVBD_METHOD_COPY;
	}
}

/*
 * Choose a checked request's method, and secure what it needs. Where there are no
 * pages to copy to it is mapped, if it may be. False if the batch is full or no
 * pages are to be had now.
 */
bool xenvbd_pages_reserve(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	unsigned int nr = req->nr_segs;

	req->method = pages_choose(ring, req);
	if (req->method == XENVBD_METHOD_COPY) {
		if (xenvbd_copy_reserve(ring, nr))
			return true;
		if (pages_must_copy(ring, req))
			goto starve;
		req->method = XENVBD_METHOD_MAP;
	}
	if (pages->batch.nr + nr > XENVBD_BATCH_GRANTS)
		return false;
	if (likely(pages->pool.nr_free >= nr) || pool_grow(&pages->pool, nr))
		return true;
starve:
	ring->starved = true;
	return false;
}

/* Give a request, which has reserved them, its pages or places in the batch. */
void xenvbd_pages_add(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	bool persistent = req->method == XENVBD_METHOD_PERSISTENT;
	/*
	 * Only a read from the disk writes to the guest's page; unless it is
	 * kept.
	 */
	u32 flags =
		GNTMAP_host_map |
		(req->op == BLKIF_OP_READ || persistent ? 0 : GNTMAP_readonly);
	unsigned int i;

	if (req->method == XENVBD_METHOD_COPY) {
		xenvbd_copy_add(ring, req);
		return;
	}
	for (i = 0; i < req->nr_segs; i++) {
		/* Writing the vector may overwrite the segment. */
		const struct xenvbd_seg seg = segs[i];
		struct xenvbd_pgrant *pgrant = NULL;
		struct page *page;

		if (persistent)
			pgrant = pgrant_get(&pages->persistent, seg.gref);
		if (pgrant) {
			page = pgrant->page;
		} else {
			page = pool_get(&pages->pool);
			batch_add_map(ring, page, flags, seg.gref);
		}
		req->pgrant[i] = pgrant;
		req->handle[i] = INVALID_GRANT_HANDLE;
		bvec_set_page(&req->bvec[i], page,
			      (seg.last_sect - seg.first_sect + 1)
				      << SECTOR_SHIFT,
			      seg.first_sect << SECTOR_SHIFT);
	}
}

/* Take over the mapping of one segment. */
static void pages_mapped(struct xenvbd_pages *pages, struct xenvbd_req *req,
			 unsigned int i, const struct gnttab_map_grant_ref *op)
{
	if (unlikely(op->status != GNTST_okay)) {
		req->status = BLK_STS_IOERR;
		return;
	}
	if (req->method == XENVBD_METHOD_PERSISTENT)
		req->pgrant[i] = pgrant_add(pages, op, req->bvec[i].bv_page);
	if (req->pgrant[i])
		return;
	/* It will have to be unmapped. */
	req->method = XENVBD_METHOD_MAP;
	req->handle[i] = op->handle;
}

/*
 * One hypercall, whatever the number of requests. A request of which any
 * segment could not be mapped gets an error status; those of its segments
 * that could are its own all the same.
 */
static void batch_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_batch *batch = &ring->pages.batch;
	const struct gnttab_map_grant_ref *op = batch->map;
	struct xenvbd_req *req;
	unsigned int i;

	trace_xenvbd_map(ring, batch->nr);
	if (gnttab_map_refs(batch->map, NULL, batch->page, batch->nr))
		pr_debug("%s: mapping of grants failed\n", ring->name);
	xenvbd_stat_add(&ring->stats.map_ops, batch->nr);
	xenvbd_stat_inc(&ring->stats.map_calls);

	for (req = reqs; req; req = req->next) {
		if (req->method == XENVBD_METHOD_COPY)
			continue;
		for (i = 0; i < req->nr_segs; i++)
			if (!req->pgrant[i])
				pages_mapped(&ring->pages, req, i, op++);
	}
	batch->nr = 0;
}

/*
 * Map the batch, and fetch the data of requests that copy: @reqs, in the order
 * they were added. A request of which anything fails gets an error status.
 * Sleeps while a page of the guest is paged out.
 */
void xenvbd_pages_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	if (ring->pages.batch.nr)
		batch_map(ring, reqs);
	if (ring->pages.copy.nr_reqs)
		xenvbd_copy_in(ring, reqs);
}

/* ---- letting the pages go ----------------------------------------------- */

/*
 * Does somebody below still use a completed request's pages? A network driver
 * may keep those of a write for a retransmission. They must not be taken away
 * from under it.
 */
bool xenvbd_pages_held(const struct xenvbd_req *req)
{
	unsigned int i;

	if (req->method != XENVBD_METHOD_MAP)
		return false;
	for (i = 0; i < req->nr_segs; i++)
		if (!req->pgrant[i] &&
		    unlikely(page_count(req->bvec[i].bv_page) > 1))
			return true;
	return false;
}

static void pages_release(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	struct xenvbd_pages *pages = &ring->pages;
	unsigned int i;

	if (req->method == XENVBD_METHOD_COPY) {
		xenvbd_copy_release(&pages->copy, req);
		return;
	}

	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->bvec[i].bv_page;

		if (req->pgrant[i])
			pgrant_put(&pages->persistent, req->pgrant[i]);
		else if (likely(req->handle[i] != INVALID_GRANT_HANDLE))
			batch_add_unmap(ring, page, req->handle[i]);
		else
			pool_put(&pages->pool, page);
	}
}

/*
 * Let go of the pages of completed requests, of which the guest has the data. Then
 * nothing of them is mapped but what the frontend has agreed to, and the responses
 * may be shown: a frontend takes it ill if its pages are still in use when it sees
 * them (XSA-396).
 */
void xenvbd_pages_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *req;

	for (req = reqs; req; req = req->next) {
		pages_release(ring, req);
		xenvbd_req_shrink(req);
	}
	batch_unmap(ring);
}
