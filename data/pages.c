// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's pages.
 *
 * All of it runs in the ring's thread, or before it has started or after it
 * has ended. A segment is backed by a persistent grant, which the ring owns, by
 * a mapping of its own, whose handle the request records: that set of handles, no
 * more and no less, is unmapped (XSA-365); or by a page of ours, see copy.c.
 */
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/page.h>

#include "data/copy.h"
#include "data/pages.h"
#include "data/pool.h"
#include "trace.h"

/* The pages that grants are mapped to, in use or not. */
#define MAX_RING_PAGES		8192
/* The hash table of persistent grants has eight buckets for each slot, up to this. */
#define MAX_HASH_BITS		10
/* If memory is short, a persistent grant goes that was not used for so long. */
#define SQUEEZE_JIFFIES		HZ
/* A day. */
#define MAX_UNUSED_SECONDS	86400

static unsigned int max_persistent_grants = 1056;
module_param(max_persistent_grants, uint, 0644);
MODULE_PARM_DESC(max_persistent_grants,
		 "Grants a ring keeps mapped between requests. Default 1056");

static unsigned int persistent_grant_unused_seconds = 60;
module_param(persistent_grant_unused_seconds, uint, 0644);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "Seconds until an unused persistent grant is unmapped, up to a day; 0: never. Default 60");

/* ---- the batch ---------------------------------------------------------- */

static void batch_unmap(struct xenvbd_ring *ring)
{
	u32 i;

	if (!ring->nr_batch)
		return;

	/* Each operation has a status of its own; the sum says nothing more. */
	trace_xenvbd_unmap(ring, ring->nr_batch);
	if (gnttab_unmap_refs(ring->batch.unmap, NULL, ring->batch_page, ring->nr_batch))
		pr_debug("%s: unmapping of grants failed\n", ring->name);
	xenvbd_stat_inc(&ring->stats.unmap_calls);

	for (i = 0; i < ring->nr_batch; i++) {
		/*
		 * Cannot happen, as each handle is ours and given back once.
		 * If it does, the page still shows the guest's memory: better
		 * to lose it than to use it for anything else.
		 */
		if (unlikely(ring->batch.unmap[i].status != GNTST_okay)) {
			pr_err_ratelimited("%s: unmapping handle %u: status %d, page lost\n",
					   ring->name, ring->batch.unmap[i].handle,
					   ring->batch.unmap[i].status);
			ring->nr_pages--;
			continue;
		}
		xenvbd_pool_put(ring, ring->batch_page[i]);
	}
	ring->nr_batch = 0;
}

static void batch_add_unmap(struct xenvbd_ring *ring, struct page *page,
			    grant_handle_t handle)
{
	u32 op;

	if (ring->nr_batch == XENVBD_BATCH_GRANTS)
		batch_unmap(ring);
	op = ring->nr_batch++;
	gnttab_set_unmap_op(&ring->batch.unmap[op], (unsigned long)page_address(page),
			    GNTMAP_host_map, handle);
	ring->batch.unmap[op].status = GNTST_general_error;
	ring->batch_page[op] = page;
}

static void batch_add_map(struct xenvbd_ring *ring, struct page *page, u32 flags,
			  grant_ref_t gref)
{
	u32 op = ring->nr_batch++;

	gnttab_set_map_op(&ring->batch.map[op], (unsigned long)page_address(page), flags,
			  gref, ring->domid);
	ring->batch.map[op].status = GNTST_general_error;
	ring->batch_page[op] = page;
}

/* ---- persistent grants -------------------------------------------------- */

static struct hlist_head *pgrant_bucket(struct xenvbd_ring *ring, grant_ref_t gref)
{
	return &ring->pgrants[hash_32(gref, ring->hash_bits)];
}

static struct xenvbd_pgrant *pgrant_get(struct xenvbd_ring *ring, grant_ref_t gref)
{
	struct xenvbd_pgrant *pgrant;

	hlist_for_each_entry(pgrant, pgrant_bucket(ring, gref), hash) {
		if (pgrant->gref != gref)
			continue;
		if (!pgrant->users++)
			list_del(&pgrant->lru);
		return pgrant;
	}
	return NULL;
}

static void pgrant_put(struct xenvbd_ring *ring, struct xenvbd_pgrant *pgrant)
{
	if (--pgrant->users)
		return;
	pgrant->idle_since = jiffies;
	list_add_tail(&pgrant->lru, &ring->lru);
}

/* Keep a mapping that was just made. Return NULL if there are enough already. */
static struct xenvbd_pgrant *pgrant_add(struct xenvbd_ring *ring, grant_ref_t gref,
					grant_handle_t handle, struct page *page)
{
	struct xenvbd_pgrant *pgrant;

	/* The largest request must find room beside those that are kept. */
	if (ring->nr_pgrants >= min3(READ_ONCE(max_persistent_grants), MAX_RING_PAGES / 2U,
				     ring->max_pages - XENVBD_MAX_SEGS))
		return NULL;
	pgrant = kmalloc(sizeof(*pgrant), GFP_NOWAIT | __GFP_NOWARN);
	if (!pgrant)
		return NULL;
	pgrant->gref = gref;
	pgrant->handle = handle;
	pgrant->page = page;
	pgrant->users = 1;
	hlist_add_head(&pgrant->hash, pgrant_bucket(ring, gref));
	ring->nr_pgrants++;
	return pgrant;
}

/* Unmap those that nobody has used for @unused jiffies, oldest first. */
static void pgrants_expire(struct xenvbd_ring *ring, unsigned long unused)
{
	struct xenvbd_pgrant *pgrant, *next;

	list_for_each_entry_safe(pgrant, next, &ring->lru, lru) {
		if (jiffies - pgrant->idle_since < unused)
			break;
		/* Somebody below still uses it; see xenvbd_grants_held(). */
		if (unlikely(page_count(pgrant->page) > 1))
			continue;
		list_del(&pgrant->lru);
		hlist_del(&pgrant->hash);
		batch_add_unmap(ring, pgrant->page, pgrant->handle);
		kfree(pgrant);
		ring->nr_pgrants--;
	}
	batch_unmap(ring);
}

/* ---- life --------------------------------------------------------------- */

/*
 * What a request of so many segments needs: vectors, persistent grants, handles.
 * A power of two, so that the vectors, which come first, cross no page: the
 * hypervisor copies the guest's segments to them, see xenvbd_req_segs().
 */
static size_t big_size(unsigned int nr_segs)
{
	return roundup_pow_of_two(nr_segs * (sizeof(struct bio_vec) +
					     sizeof(struct xenvbd_pgrant *) +
					     sizeof(grant_handle_t)));
}

/**
 * xenvbd_grants_init - prepare a ring for mapping grants
 * @ring: the ring
 * @nr_rings: of the vbd, which share the pages it may have
 * @persistent: the frontend has agreed to persistent grants
 *
 * Context: process.
 * Return: 0 or -ENOMEM; xenvbd_grants_exit() is due in either case.
 */
int xenvbd_grants_init(struct xenvbd_ring *ring, unsigned int nr_rings, bool persistent)
{
	static_assert(sizeof(*ring->batch.map) >= sizeof(*ring->batch.unmap));
	static_assert(sizeof(*ring->batch.copy) >= sizeof(*ring->batch.map));

	INIT_LIST_HEAD(&ring->lru);
	ring->max_pages = min_t(u32, XENVBD_MAX_VBD_PAGES / nr_rings, MAX_RING_PAGES);
	/* One piece, which fills its pages. */
	ring->batch.ops = vcalloc(XENVBD_BATCH_GRANTS, sizeof(*ring->batch.copy) +
						       sizeof(*ring->batch_page));
	ring->batch_page = (struct page **)(ring->batch.copy + XENVBD_BATCH_GRANTS);
	/* One is enough to get on with; more are taken while there is memory. */
	ring->spare = kmalloc(big_size(XENVBD_MAX_SEGS), GFP_KERNEL);
	ring->hash_bits = min(ilog2(ring->sring.nr_ents) + 3, MAX_HASH_BITS);
	if (persistent)
		ring->pgrants = kvcalloc(BIT(ring->hash_bits), sizeof(*ring->pgrants), GFP_KERNEL);

	return ring->batch.ops && ring->spare &&
	       (!persistent || ring->pgrants) ? 0 : -ENOMEM;
}

/**
 * xenvbd_grants_exit - undo xenvbd_grants_init()
 * @ring: no request of it may be in flight; need not have been initialised
 *
 * Context: process.
 */
void xenvbd_grants_exit(struct xenvbd_ring *ring)
{
	while (ring->nr_pgrants) {
		pgrants_expire(ring, 0);
		if (ring->nr_pgrants)
			msleep(20);
	}
	xenvbd_pool_free(ring);
	xenvbd_copy_free(ring);
	kfree(ring->spare);
	kvfree(ring->pgrants);
	kvfree(ring->pool);
	vfree(ring->batch.ops);
}

/* As xenvbd_grants_trim(), for persistent grants. */
static long pgrants_trim(struct xenvbd_ring *ring)
{
	unsigned long unused = HZ * min_t(unsigned long, MAX_UNUSED_SECONDS,
					  READ_ONCE(persistent_grant_unused_seconds));
	bool keep = xenvbd_policy_keeps(READ_ONCE(ring->vbd->policy));
	struct xenvbd_pgrant *oldest;

	if (unused || !keep)
		pgrants_expire(ring, keep ? unused : 0);
	if (list_empty(&ring->lru) || (keep && !unused))
		return MAX_SCHEDULE_TIMEOUT;
	if (!keep)
		return HZ;
	oldest = list_first_entry(&ring->lru, struct xenvbd_pgrant, lru);
	/* A second more, so that whatever was used together goes together. */
	return max_t(long, oldest->idle_since + unused - jiffies, 0) + HZ;
}

/**
 * xenvbd_grants_trim - give back what has not been used for a while
 * @ring: idle
 *
 * Return: jiffies until it is worth being called again, or
 * MAX_SCHEDULE_TIMEOUT.
 */
long xenvbd_grants_trim(struct xenvbd_ring *ring)
{
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (ring->nr_pgrants)
		timeout = pgrants_trim(ring);
	xenvbd_pool_trim(ring);
	return min(timeout, xenvbd_copy_trim(ring));
}

/**
 * xenvbd_grants_idle - is there anything to give back?
 * @ring: its thread may be at work
 *
 * Return: true if it has had pages or grants that no request used.
 */
bool xenvbd_grants_idle(const struct xenvbd_ring *ring)
{
	return READ_ONCE(ring->nr_pool) || READ_ONCE(ring->nr_bufs) ||
	       READ_ONCE(ring->nr_pgrants);
}

/**
 * xenvbd_grants_heed - give back what is not to be kept any more
 * @ring: was poked: memory is short, or the policy has changed
 */
void xenvbd_grants_heed(struct xenvbd_ring *ring)
{
	if (ring->nr_pgrants && !xenvbd_policy_keeps(READ_ONCE(ring->vbd->policy)))
		pgrants_expire(ring, 0);
	if (!READ_ONCE(ring->squeeze))
		return;
	WRITE_ONCE(ring->squeeze, false);
	pgrants_expire(ring, SQUEEZE_JIFFIES);
	xenvbd_pool_free(ring);
	xenvbd_copy_free(ring);
	xenvbd_stat_inc(&ring->stats.squeezes);
}

/* ---- requests of many segments -------------------------------------------------- */

/**
 * xenvbd_grants_enlarge - make room for all segments of an INDIRECT request
 * @ring: the ring
 * @req: with nr_segs, up to XENVBD_MAX_SEGS
 *
 * Return: false if there is no memory now. Some comes free when the big
 * requests in flight are done, of which there is then at least one.
 */
bool xenvbd_grants_enlarge(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	static_assert(sizeof(struct bio_vec[XENVBD_MAX_SEGS]) <= XEN_PAGE_SIZE);
	void *big = kmalloc(big_size(req->nr_segs), GFP_NOWAIT | __GFP_NOWARN);

	if (!big && !ring->spare_used) {
		big = ring->spare;
		ring->spare_used = true;
	}
	if (!big) {
		ring->starved = true;
		return false;
	}
	req->big = big;
	req->bvec = big;
	req->pgrant = (struct xenvbd_pgrant **)(req->bvec + req->nr_segs);
	req->handle = (grant_handle_t *)(req->pgrant + req->nr_segs);
	return true;
}

/* ---- mapping segments --------------------------------------------------- */

/* Data that must not change while it is written must not be the guest's. */
static bool must_copy(const struct xenvbd_ring *ring, const struct xenvbd_req *req)
{
	return unlikely(ring->limits.stable_writes) && req->op != BLKIF_OP_READ;
}

static enum xenvbd_way choose_way(const struct xenvbd_ring *ring, const struct xenvbd_req *req)
{
	if (must_copy(ring, req))
		return XENVBD_WAY_COPY;

	switch (READ_ONCE(ring->vbd->policy)) {
	case XENVBD_POLICY_MAP:
		return XENVBD_WAY_MAP;
	case XENVBD_POLICY_COPY:
		return XENVBD_WAY_COPY;
	case XENVBD_POLICY_PERSISTENT:
		return ring->pgrants ? XENVBD_WAY_KEEP : XENVBD_WAY_MAP;
	default:
		/* By measurement: see design.rst. */
		return ring->pgrants ? XENVBD_WAY_KEEP : XENVBD_WAY_COPY;
	}
}

/**
 * xenvbd_grants_reserve - choose a request's way to its pages, and secure it
 * @ring: the ring
 * @req: checked, with its segments
 *
 * Where there are no pages to copy to it is mapped, if it may be.
 *
 * Context: process, may allocate.
 * Return: false if the batch is full or no pages are to be had now.
 */
bool xenvbd_grants_reserve(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	unsigned int nr = req->nr_segs;

	req->way = choose_way(ring, req);
	if (req->way == XENVBD_WAY_COPY) {
		if (xenvbd_copy_reserve(ring, nr))
			return true;
		if (must_copy(ring, req))
			goto starve;
		req->way = XENVBD_WAY_MAP;
	}
	if (ring->nr_batch + nr > XENVBD_BATCH_GRANTS)
		return false;
	if (likely(ring->nr_pool >= nr) || xenvbd_pool_grow(ring, nr))
		return true;
starve:
	ring->starved = true;
	return false;
}

/**
 * xenvbd_grants_add - find the pages of a request, or put it into the batch
 * @ring: the ring; xenvbd_grants_reserve() has made room
 * @req: checked, with its segments; gets pages and vectors
 */
void xenvbd_grants_add(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	bool keep = req->way == XENVBD_WAY_KEEP;
	/* Only a read from the disk writes to the guest's page; unless it is kept. */
	u32 flags = GNTMAP_host_map | (req->op == BLKIF_OP_READ || keep ? 0 : GNTMAP_readonly);
	unsigned int i;

	if (req->way == XENVBD_WAY_COPY) {
		xenvbd_copy_add(ring, req);
		return;
	}
	for (i = 0; i < req->nr_segs; i++) {
		/* Writing the vector may overwrite the segment. */
		const struct xenvbd_seg seg = segs[i];
		struct xenvbd_pgrant *pgrant = NULL;
		struct page *page;

		if (keep)
			pgrant = pgrant_get(ring, seg.gref);
		if (pgrant) {
			page = pgrant->page;
		} else {
			page = xenvbd_pool_get(ring);
			batch_add_map(ring, page, flags, seg.gref);
		}
		req->pgrant[i] = pgrant;
		req->handle[i] = INVALID_GRANT_HANDLE;
		bvec_set_page(&req->bvec[i], page,
			      (seg.last_sect - seg.first_sect + 1) << SECTOR_SHIFT,
			      seg.first_sect << SECTOR_SHIFT);
	}
}

/*
 * One hypercall, whatever the number of requests. A request of which any
 * segment could not be mapped gets an error status; those of its segments
 * that could are its own all the same.
 */
static void batch_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	const struct gnttab_map_grant_ref *op = ring->batch.map;
	struct xenvbd_req *req;
	unsigned int i;

	trace_xenvbd_map(ring, ring->nr_batch);
	if (gnttab_map_refs(ring->batch.map, NULL, ring->batch_page, ring->nr_batch))
		pr_debug("%s: mapping of grants failed\n", ring->name);
	xenvbd_stat_add(&ring->stats.map_ops, ring->nr_batch);
	xenvbd_stat_inc(&ring->stats.map_calls);

	for (req = reqs; req; req = req->next) {
		if (req->way == XENVBD_WAY_COPY)
			continue;
		for (i = 0; i < req->nr_segs; i++) {
			if (req->pgrant[i])
				continue;
			if (unlikely(op->status != GNTST_okay)) {
				req->status = BLK_STS_IOERR;
			} else {
				if (req->way == XENVBD_WAY_KEEP)
					req->pgrant[i] = pgrant_add(ring, op->ref, op->handle,
								    req->bvec[i].bv_page);
				if (!req->pgrant[i])
					req->handle[i] = op->handle;
			}
			op++;
		}
	}
	ring->nr_batch = 0;
}

/**
 * xenvbd_grants_map - map the batch, and fetch the data of those who copy
 * @ring: the ring
 * @reqs: the requests of the batch, in the order they were added
 *
 * A request of which anything fails gets an error status.
 *
 * Context: process; sleeps while a page of the guest is paged out.
 */
void xenvbd_grants_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	if (ring->nr_batch)
		batch_map(ring, reqs);
	if (ring->nr_copied)
		xenvbd_copy_in(ring, reqs);
}

/* ---- giving back -------------------------------------------------------- */

/**
 * xenvbd_grants_held - does somebody below still use a request's pages?
 * @req: completed request
 *
 * A network driver may keep pages of a finished write for a retransmission.
 * They must not be taken away from under it.
 *
 * Return: true if so.
 */
bool xenvbd_grants_held(const struct xenvbd_req *req)
{
	unsigned int i;

	if (req->way == XENVBD_WAY_COPY)
		return false;
	for (i = 0; i < req->nr_segs; i++)
		if (!req->pgrant[i] && unlikely(page_count(req->bvec[i].bv_page) > 1))
			return true;
	return false;
}

static void release_segs(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	unsigned int i;

	if (req->way == XENVBD_WAY_COPY) {
		xenvbd_copy_release(ring, req);
		return;
	}

	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->bvec[i].bv_page;

		if (req->pgrant[i])
			pgrant_put(ring, req->pgrant[i]);
		else if (likely(req->handle[i] != INVALID_GRANT_HANDLE))
			batch_add_unmap(ring, page, req->handle[i]);
		else
			xenvbd_pool_put(ring, page);
	}
}

static void shrink_req(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	if (!req->big)
		return;
	if (unlikely(req->big == ring->spare))
		ring->spare_used = false;
	else
		kfree(req->big);
	req->big = NULL;
	req->bvec = req->inline_bvec;
	req->pgrant = req->inline_pgrant;
	req->handle = req->inline_handle;
}

/**
 * xenvbd_grants_release - let go of the guest's pages of a list of requests
 * @ring: the ring
 * @reqs: the requests, linked by their next member; one whose data cannot be copied
 *        to the guest gets an error status
 *
 * When it returns nothing of them is mapped but what the frontend has agreed
 * to, so that the responses may be shown: a frontend takes it ill if its
 * pages are still in use then (XSA-396).
 *
 * Context: process.
 */
void xenvbd_grants_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *req;

	if (ring->nr_copied)
		xenvbd_copy_out(ring, reqs);
	for (req = reqs; req; req = req->next) {
		release_segs(ring, req);
		shrink_req(ring, req);
	}
	batch_unmap(ring);
}
