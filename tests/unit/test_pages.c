// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's pages: which method, how they are got at and let go. The source is
 * part of this program, for its parameters are its own.
 */
#include "data/batch.c"
#include "data/persistent.c"
#include "data/pages.c"

#include "rig.h"

static struct xenvbd_ring *up(bool persistent, unsigned int policy)
{
	struct xenvbd_ring *ring = rig_up(1, 4, persistent);

	rig.vbd.tunables.policy = policy;
	max_buffer_pages = 1024;
	max_persistent_grants = 1056;
	persistent_grant_unused_seconds = 60;
	return ring;
}

static void prepare(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	expect(xenvbd_pages_reserve(ring, req), "request %llu", (ull)req->id);
	xenvbd_pages_add(ring, req);
}

/* A request with its pages, as if it were at the disk. */
static struct xenvbd_req *start(struct xenvbd_ring *ring, u8 op,
				unsigned int nr_segs, grant_ref_t gref)
{
	struct xenvbd_req *req = rig_req(ring, op, 0, nr_segs, gref);

	prepare(ring, req);
	xenvbd_pages_map(ring, req);
	expect(!ring->pages.batch.nr, "%u left", ring->pages.batch.nr);
	return req;
}

/* All of a list. */
static void finish(struct xenvbd_ring *ring, struct xenvbd_req *reqs)
{
	struct xenvbd_req *next;

	xenvbd_pages_release(ring, reqs);
	expect(!ring->pages.batch.nr, "%u left", ring->pages.batch.nr);
	for (; reqs; reqs = next) {
		next = reqs->next;
		expect(!reqs->big, "request is large yet");
		rig_req_put(reqs);
	}
}

static void use(struct xenvbd_ring *ring, u8 op, unsigned int nr_segs,
		grant_ref_t gref)
{
	finish(ring, start(ring, op, nr_segs, gref));
}

/* ---- the method -------------------------------------------------------------- */

static void the_method_follows_policy_and_disk(void **state)
{
	static const struct {
		unsigned int policy;
		bool persistent, stable;
		u8 op;
		enum xenvbd_method method;
	} rows[] = {
#define R	BLKIF_OP_READ
#define W	BLKIF_OP_WRITE
		{ XENVBD_POLICY_AUTO, true, false, W, XENVBD_METHOD_PERSISTENT },
		{ XENVBD_POLICY_AUTO, false, false, W, XENVBD_METHOD_COPY },
		{ XENVBD_POLICY_AUTO, true, true, W, XENVBD_METHOD_COPY },
		{ XENVBD_POLICY_AUTO, true, true, R, XENVBD_METHOD_PERSISTENT },
		{ XENVBD_POLICY_PERSISTENT, true, false, R, XENVBD_METHOD_PERSISTENT },
		{ XENVBD_POLICY_PERSISTENT, false, false, R, XENVBD_METHOD_MAP },
		{ XENVBD_POLICY_MAP, true, false, R, XENVBD_METHOD_MAP },
		{ XENVBD_POLICY_MAP, false, false, W, XENVBD_METHOD_MAP },
		{ XENVBD_POLICY_MAP, true, true, W, XENVBD_METHOD_COPY },
		{ XENVBD_POLICY_MAP, true, true, R, XENVBD_METHOD_MAP },
		{ XENVBD_POLICY_COPY, true, false, R, XENVBD_METHOD_COPY },
		{ XENVBD_POLICY_COPY, false, false, W, XENVBD_METHOD_COPY },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_ring *ring = up(rows[i].persistent, rows[i].policy);
		struct xenvbd_req *req;

		ring->limits.stable_writes = rows[i].stable;
		req = start(ring, rows[i].op, 2, 10);
		expect(req->method == rows[i].method, "row %u: %u", i, req->method);
		expect(fake_nr_mappings == (req->method == XENVBD_METHOD_COPY ? 0 : 2),
		       "row %u", i);
		finish(ring, req);
		expect(fake_nr_mappings ==
		       (req->method == XENVBD_METHOD_PERSISTENT ? 2 : 0),
		       "row %u", i);
		rig_down();
	}
}

static void what_cannot_be_copied_is_mapped(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_COPY);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_WRITE, 0, 2, 10);

	/* No room for pages to copy to. */
	fake_fail_at(&fake_allocs, 1);
	prepare(ring, req);
	assert_int_equal(req->method, XENVBD_METHOD_MAP);
	assert_false(ring->starved);
	xenvbd_pages_map(ring, req);
	assert_int_equal(fake_nr_mappings, 2);
	finish(ring, req);
	rig_down();
}

static void what_must_be_copied_waits(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_WRITE, 0, 2, 10);

	ring->limits.stable_writes = true;
	fake_fail_at(&fake_allocs, 1);
	assert_false(xenvbd_pages_reserve(ring, req));
	assert_string_equal(ring->starved, XENVBD_NO_MEMORY);
	assert_int_equal(fake_nr_xen_pages, 0);
	rig_down();
}

/* Xen has none for a while, or for ever. */
static void what_cannot_be_mapped_is_copied(void **state)
{
	unsigned int policy;

	for (policy = XENVBD_POLICY_PERSISTENT; policy <= XENVBD_POLICY_MAP; policy++) {
		struct xenvbd_ring *ring = up(true, policy);
		struct xenvbd_req *req;

		fake_fail_all(&fake_xen_pages);
		req = start(ring, BLKIF_OP_WRITE, 11, 10);
		expect(req->method == XENVBD_METHOD_COPY, "policy %u", policy);
		expect(!ring->starved, "policy %u", policy);
		/* Once for many, and once for as many as it needs. */
		expect(fake_xen_pages.calls == 2, "policy %u", policy);
		expect(ring->stats.no_pages == 1, "policy %u", policy);
		finish(ring, req);

		/* It is not asked again and again. */
		jiffies += HZ - 1;
		use(ring, BLKIF_OP_READ, 200, 10);
		expect(fake_xen_pages.calls == 2, "policy %u", policy);
		expect(ring->stats.no_pages == 2, "policy %u", policy);
		expect(!fake_nr_maps, "policy %u", policy);
		jiffies += 2;
		use(ring, BLKIF_OP_READ, 11, 10);
		expect(fake_xen_pages.calls == 4, "policy %u", policy);

		fake_fail_at(&fake_xen_pages, 0);
		jiffies += HZ + 1;
		req = start(ring, BLKIF_OP_READ, 11, 10);
		expect(req->method != XENVBD_METHOD_COPY, "policy %u", policy);
		expect(fake_nr_maps == 11, "policy %u", policy);
		finish(ring, req);
		rig_down();
	}
}

static void fewer_pages_do_as_well(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_pool *pool = &ring->pages.pool;
	struct xenvbd_req *first, *second;

	fake_fail_at(&fake_xen_pages, 1);
	first = start(ring, BLKIF_OP_READ, 3, 10);
	assert_int_equal(first->method, XENVBD_METHOD_MAP);
	assert_int_equal(pool->nr_pages, 3);
	assert_int_equal(ring->stats.no_pages, 0);
	second = start(ring, BLKIF_OP_READ, 11, 20);
	assert_int_equal(pool->nr_pages, 3 + POOL_GROWTH);
	/* No less than it needs. */
	fake_fail_at(&fake_xen_pages, 1);
	first->next = start(ring, BLKIF_OP_READ, 100, 100);
	assert_int_equal(first->next->method, XENVBD_METHOD_COPY);
	assert_int_equal(fake_xen_pages.calls, 1);
	first->next->next = second;
	finish(ring, first);
	rig_down();
}

/* Neither mapped nor copied: what would help? */
static void a_request_that_waits_says_for_what(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_req *copied, *mapped, *req;

	fake_fail_all(&fake_xen_pages);
	/* All that the domain may have. */
	fake_total_pages = 0;
	copied = start(ring, BLKIF_OP_READ, 5, 10);
	assert_int_equal(copied->method, XENVBD_METHOD_COPY);
	req = rig_req(ring, BLKIF_OP_READ, 0, 2, 20);
	assert_false(xenvbd_pages_reserve(ring, req));
	assert_string_equal(ring->starved, XENVBD_NO_PAGES);

	fake_total_pages = 400;
	fake_fail_all(&fake_allocs);
	assert_false(xenvbd_pages_reserve(ring, req));
	assert_string_equal(ring->starved, XENVBD_NO_MEMORY);

	/* There are pages and memory, but this ring and its domain have their share. */
	fake_fail_at(&fake_allocs, 0);
	fake_fail_at(&fake_xen_pages, 0);
	fake_total_pages = 0;
	jiffies += HZ + 1;
	ring->pages.pool.max_pages = 4;
	mapped = start(ring, BLKIF_OP_READ, 3, 30);
	assert_int_equal(mapped->method, XENVBD_METHOD_MAP);
	assert_false(xenvbd_pages_reserve(ring, req));
	assert_string_equal(ring->starved, XENVBD_NO_SHARE);

	ring->pages.pool.max_pages = 8192;
	prepare(ring, req);
	xenvbd_pages_map(ring, req);
	req->next = mapped;
	mapped->next = copied;
	finish(ring, req);
	rig_down();
}

static void a_request_without_segments_needs_nothing(void **state)
{
	unsigned int policy;

	for (policy = XENVBD_POLICY_AUTO; policy <= XENVBD_POLICY_COPY; policy++) {
		struct xenvbd_ring *ring = up(true, policy);
		struct xenvbd_req *req =
			start(ring, BLKIF_OP_FLUSH_DISKCACHE, 0, 0);

		expect(!xenvbd_pages_held(req), "policy %u", policy);
		finish(ring, req);
		expect(!fake_nr_map_calls && !fake_nr_unmap_calls &&
		       !fake_nr_copy_calls, "policy %u", policy);
		rig_down();
	}
}

/* ---- mapped for one request -------------------------------------------------- */

static void pages_are_mapped_for_a_request(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_req *read, *write;
	struct xenvbd_seg *segs;
	unsigned int i;

	read = rig_req(ring, BLKIF_OP_READ, 0, 3, 10);
	segs = xenvbd_req_segs(read);
	segs[2].first_sect = 1;
	segs[2].last_sect = 6;
	write = rig_req(ring, BLKIF_OP_WRITE, 0, 2, 20);
	/* All a write needs. */
	fake_grant_readonly(20);
	fake_grant_readonly(21);
	read->next = write;
	prepare(ring, read);
	prepare(ring, write);
	assert_int_equal(ring->pages.batch.nr, 5);
	xenvbd_pages_map(ring, read);

	/* One hypercall for both. */
	assert_int_equal(fake_nr_map_calls, 1);
	assert_int_equal(ring->stats.map_calls, 1);
	assert_int_equal(ring->stats.map_ops, 5);
	for (i = 0; i < 3; i++) {
		assert_int_equal(fake_grant_maps(10 + i), 1);
		assert_ptr_equal(read->bvec[i].bv_page->mapping->grant->memory,
				 fake_grant(10 + i));
		assert_false(read->bvec[i].bv_page->mapping->readonly);
	}
	for (i = 0; i < 2; i++)
		assert_true(write->bvec[i].bv_page->mapping->readonly);
	assert_int_equal(read->bvec[0].bv_len, XEN_PAGE_SIZE);
	assert_int_equal(read->bvec[2].bv_offset, SECTOR_SIZE);
	assert_int_equal(read->bvec[2].bv_len, 6 * SECTOR_SIZE);
	assert_int_equal(read->status, BLK_STS_OK);
	assert_int_equal(write->status, BLK_STS_OK);
	assert_int_equal(ring->pages.pool.nr_free, POOL_GROWTH - 5);

	finish(ring, read);
	assert_int_equal(fake_nr_unmap_calls, 1);
	assert_int_equal(ring->stats.unmap_calls, 1);
	assert_int_equal(fake_nr_mappings, 0);
	assert_int_equal(ring->pages.pool.nr_free, POOL_GROWTH);
	rig_down();
}

static void a_batch_fills_up(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_req *first = rig_req(ring, BLKIF_OP_READ, 0, 200, 1000);
	struct xenvbd_req *second = rig_req(ring, BLKIF_OP_READ, 0, 56, 2000);
	struct xenvbd_req *third = rig_req(ring, BLKIF_OP_READ, 0, 1, 3000);

	prepare(ring, first);
	first->next = second;
	prepare(ring, second);
	assert_int_equal(ring->pages.batch.nr, XENVBD_BATCH_GRANTS);
	/* It is not for want of pages that the third one has to wait. */
	assert_false(xenvbd_pages_reserve(ring, third));
	assert_false(ring->starved);
	xenvbd_pages_map(ring, first);
	prepare(ring, third);
	xenvbd_pages_map(ring, third);
	assert_int_equal(fake_nr_mappings, 257);

	/* More than one hypercall unmaps. */
	second->next = third;
	finish(ring, first);
	assert_int_equal(fake_nr_unmap_calls, 2);
	assert_int_equal(fake_nr_unmaps, 257);
	rig_down();
}

/* Each grant that cannot be mapped, and each of two requests. */
static void some_grants_cannot_be_mapped(void **state)
{
	static const bool persistents[] = { false, true };
	unsigned int nth, p;

	for (p = 0; p < 2; p++) {
		for (nth = 1; nth <= 5; nth++) {
			struct xenvbd_ring *ring =
				up(persistents[p], XENVBD_POLICY_PERSISTENT);
			struct xenvbd_req *first =
				rig_req(ring, BLKIF_OP_READ, 0, 3, 10);
			struct xenvbd_req *second =
				rig_req(ring, BLKIF_OP_READ, 0, 2, 20);

			first->next = second;
			prepare(ring, first);
			prepare(ring, second);
			fake_fail_at(&fake_grants, nth);
			xenvbd_pages_map(ring, first);
			expect((first->status == BLK_STS_IOERR) == (nth <= 3),
			       "%u: %u", nth, first->status);
			expect((second->status == BLK_STS_IOERR) == (nth > 3),
			       "%u: %u", nth, second->status);
			expect(fake_nr_mappings == 4, "%u", nth);
			finish(ring, first);
			expect(fake_nr_mappings == (persistents[p] ? 4 : 0), "%u", nth);
			expect(ring->pages.persistent.nr == fake_nr_mappings, "%u", nth);
			expect(ring->pages.pool.nr_free + fake_nr_mappings ==
			       POOL_GROWTH, "%u", nth);
			rig_down();
		}
	}
}

static void a_hypercall_that_fails_maps_nothing(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_PERSISTENT);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 3, 10);

	prepare(ring, req);
	fake_fail_at(&fake_hypercalls, 1);
	xenvbd_pages_map(ring, req);
	assert_int_equal(req->status, BLK_STS_IOERR);
	assert_int_equal(ring->pages.persistent.nr, 0);
	finish(ring, req);
	assert_int_equal(ring->pages.pool.nr_free, POOL_GROWTH);
	assert_int_equal(fake_nr_unmap_calls, 0);
	rig_down();
}

static void a_page_that_stays_mapped_is_lost(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_req *req = start(ring, BLKIF_OP_READ, 3, 10);

	fake_fail_at(&fake_unmaps, 2);
	finish(ring, req);
	assert_int_equal(fake_nr_lost, 1);
	assert_int_equal(ring->pages.pool.nr_free, POOL_GROWTH - 1);
	assert_int_equal(ring->pages.pool.nr_pages, POOL_GROWTH - 1);
	assert_true(fake_logged("page lost"));
	/* Nothing is mapped to it again. */
	use(ring, BLKIF_OP_READ, 11, 20);
	use(ring, BLKIF_OP_READ, 11, 20);

	/* The whole hypercall: all of it is lost. */
	req = start(ring, BLKIF_OP_READ, 3, 10);
	fake_fail_at(&fake_hypercalls, 1);
	finish(ring, req);
	assert_int_equal(fake_nr_lost, 4);
	assert_int_equal(ring->pages.pool.nr_pages, POOL_GROWTH - 4);
	rig_down();
}

static void a_page_in_use_below_is_held(void **state)
{
	static const struct {
		unsigned int policy;
		bool held;
	} rows[] = {
		{ XENVBD_POLICY_MAP, true },
		{ XENVBD_POLICY_PERSISTENT, false },
		{ XENVBD_POLICY_COPY, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_ring *ring = up(true, rows[i].policy);
		struct xenvbd_req *req = start(ring, BLKIF_OP_WRITE, 3, 10);
		struct page *page = req->bvec[2].bv_page;

		assert_false(xenvbd_pages_held(req));
		page->refs++;
		expect(xenvbd_pages_held(req) == rows[i].held, "row %u", i);
		page->refs--;
		finish(ring, req);
		rig_down();
	}
}

static void a_persistent_request_with_grants_of_its_own_is_held(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_PERSISTENT);
	struct xenvbd_req *req;

	max_persistent_grants = 1;
	req = start(ring, BLKIF_OP_WRITE, 2, 10);
	req->bvec[0].bv_page->refs++;
	assert_false(xenvbd_pages_held(req));
	req->bvec[1].bv_page->refs++;
	assert_true(xenvbd_pages_held(req));
	req->bvec[0].bv_page->refs--;
	req->bvec[1].bv_page->refs--;
	finish(ring, req);
	rig_down();
}

/* ---- pages to map to ----------------------------------------------------------- */

static void the_pool_grows_as_needed(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_pool *pool = &ring->pages.pool;
	struct xenvbd_req *first, *second;

	use(ring, BLKIF_OP_READ, 11, 10);
	assert_int_equal(pool->nr_pages, POOL_GROWTH);
	assert_int_equal(pool->size, 32);
	/* What is there is used first. */
	use(ring, BLKIF_OP_READ, 32, 10);
	assert_int_equal(pool->nr_pages, POOL_GROWTH);

	/* More than a step: exactly what is missing. */
	first = start(ring, BLKIF_OP_READ, 100, 1000);
	assert_int_equal(pool->nr_pages, 100);
	assert_int_equal(pool->nr_free, 0);
	assert_int_equal(pool->size, 128);
	second = start(ring, BLKIF_OP_READ, 1, 2000);
	assert_int_equal(pool->nr_pages, 132);
	assert_int_equal(pool->nr_free, 31);
	assert_int_equal(pool->size, 256);
	first->next = second;
	finish(ring, first);
	assert_int_equal(pool->nr_free, 132);
	rig_down();
}

static void the_pool_has_an_end(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_pool *pool = &ring->pages.pool;
	struct xenvbd_req *first, *second, *third;

	pool->max_pages = 40;
	first = start(ring, BLKIF_OP_READ, 30, 1000);
	assert_int_equal(pool->nr_pages, 32);
	/* Two are free, eight could be had: that is not enough. */
	third = rig_req(ring, BLKIF_OP_READ, 0, 11, 4000);
	assert_false(xenvbd_pages_reserve(ring, third));
	assert_string_equal(ring->starved, XENVBD_NO_SHARE);
	assert_int_equal(pool->nr_pages, 32);
	rig_req_put(third);
	ring->starved = NULL;
	/* The last step is a small one. */
	second = start(ring, BLKIF_OP_READ, 9, 2000);
	assert_int_equal(pool->nr_pages, 40);
	third = rig_req(ring, BLKIF_OP_READ, 0, 2, 3000);
	assert_false(xenvbd_pages_reserve(ring, third));
	assert_string_equal(ring->starved, XENVBD_NO_SHARE);
	assert_int_equal(pool->nr_pages, 40);

	first->next = NULL;
	finish(ring, first);
	ring->starved = NULL;
	prepare(ring, third);
	assert_int_equal(third->method, XENVBD_METHOD_MAP);
	assert_null(ring->starved);
	xenvbd_pages_map(ring, third);
	finish(ring, third);
	finish(ring, second);
	rig_down();
}

static void without_memory_the_pool_does_not_grow(void **state)
{
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
		struct xenvbd_pool *pool = &ring->pages.pool;
		struct xenvbd_req *held = start(ring, BLKIF_OP_READ, 30, 10);
		struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 11, 100);

		/* First its room, then the pages. */
		fake_fail_at(&fake_allocs, nth);
		fake_allocs.for_ever = true;
		expect(!xenvbd_pages_reserve(ring, req), "%u", nth);
		expect(ring->starved, "%u", nth);
		expect(pool->nr_pages == 32 && pool->nr_free == 2, "%u", nth);
		expect(fake_nr_xen_pages == 32, "%u", nth);

		fake_fail_at(&fake_allocs, 0);
		jiffies += HZ + 1;
		prepare(ring, req);
		expect(req->method == XENVBD_METHOD_MAP, "%u", nth);
		xenvbd_pages_map(ring, req);
		held->next = req;
		finish(ring, held);
		rig_down();
	}
}

static void an_idle_ring_keeps_so_many_pages(void **state)
{
	struct xenvbd_ring *ring = up(false, XENVBD_POLICY_MAP);
	struct xenvbd_pool *pool = &ring->pages.pool;
	struct xenvbd_req *req;

	use(ring, BLKIF_OP_READ, 100, 10);
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(pool->nr_pages, 100);
	max_buffer_pages = 40;
	req = start(ring, BLKIF_OP_READ, 11, 10);
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(pool->nr_free, 40);
	assert_int_equal(pool->nr_pages, 51);
	assert_int_equal(fake_nr_xen_pages, 51);
	finish(ring, req);
	rig_down();
}

/* ---- persistent grants ----------------------------------------------------------- */

static void persistent_grants_stay_mapped(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_persistent *persistent = &ring->pages.persistent;
	struct xenvbd_req *first, *second;
	unsigned int i;

	/* A write first: the mapping has to serve a read as well. */
	use(ring, BLKIF_OP_WRITE, 3, 10);
	assert_int_equal(fake_nr_mappings, 3);
	assert_int_equal(persistent->nr, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(fake_grant_maps(10 + i), 1);

	first = start(ring, BLKIF_OP_READ, 3, 10);
	second = start(ring, BLKIF_OP_READ, 3, 11);
	assert_int_equal(fake_nr_map_calls, 2);
	assert_int_equal(fake_nr_maps, 4);
	assert_ptr_equal(first->bvec[1].bv_page, second->bvec[0].bv_page);
	assert_ptr_equal(first->bvec[2].bv_page->mapping->grant->memory,
			 fake_grant(12));
	assert_false(first->bvec[0].bv_page->mapping->readonly);
	assert_int_equal(first->pgrant[1]->users, 2);
	assert_int_equal(second->handle[0], INVALID_GRANT_HANDLE);
	/* All are in use, so nothing can go, however long it takes. */
	jiffies += 1000 * HZ;
	xenvbd_pages_trim(ring);
	assert_int_equal(persistent->nr, 4);
	finish(ring, first);
	assert_false(list_empty(&persistent->lru));
	finish(ring, second);
	assert_int_equal(fake_nr_unmap_calls, 0);
	assert_int_equal(persistent->nr, 4);
	rig_down();
}

static void a_grant_twice_in_a_batch_is_mapped_twice(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_req *first = rig_req(ring, BLKIF_OP_READ, 0, 2, 10);
	struct xenvbd_req *second = rig_req(ring, BLKIF_OP_READ, 0, 2, 10);

	first->next = second;
	prepare(ring, first);
	prepare(ring, second);
	xenvbd_pages_map(ring, first);
	assert_int_equal(fake_grant_maps(10), 2);
	assert_int_equal(ring->pages.persistent.nr, 4);
	finish(ring, first);
	rig_down();
}

static void so_many_grants_are_kept(void **state)
{
	static const struct {
		unsigned int parameter;
		u32 max_pages, kept;
	} rows[] = {
		{ 5, 8192, 5 },
		{ 0, 8192, 0 },
		/* The largest request finds room beside them. */
		{ 1056, XENVBD_MAX_SEGS + 7, 7 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
		struct xenvbd_req *req;

		max_persistent_grants = rows[i].parameter;
		ring->pages.pool.max_pages = rows[i].max_pages;
		req = start(ring, BLKIF_OP_READ, 11, 10);
		expect(req->status == BLK_STS_OK, "row %u", i);
		expect(ring->pages.persistent.nr == rows[i].kept, "row %u", i);
		expect(fake_nr_mappings == 11, "row %u", i);
		finish(ring, req);
		expect(fake_nr_mappings == rows[i].kept, "row %u", i);
		/* Those that are kept are found again. */
		use(ring, BLKIF_OP_READ, 11, 10);
		expect(fake_nr_maps == 22 - rows[i].kept, "row %u", i);
		rig_down();
	}
}

static void half_of_all_pages_is_the_most_that_is_kept(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	grant_ref_t gref;

	max_persistent_grants = UINT_MAX;
	for (gref = 0; gref < 5120; gref += 256)
		use(ring, BLKIF_OP_READ, 256, gref);
	assert_int_equal(ring->pages.persistent.nr, 4096);
	assert_int_equal(fake_nr_mappings, 4096);
	rig_down();
}

static void without_memory_a_grant_is_not_kept(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 3, 10);

	prepare(ring, req);
	fake_fail_at(&fake_allocs, 2);
	xenvbd_pages_map(ring, req);
	assert_int_equal(req->status, BLK_STS_OK);
	assert_int_equal(ring->pages.persistent.nr, 1);
	assert_null(req->pgrant[1]);
	assert_int_not_equal(req->handle[1], INVALID_GRANT_HANDLE);
	/* Something of it has to be unmapped. */
	assert_int_equal(req->method, XENVBD_METHOD_MAP);
	finish(ring, req);
	assert_int_equal(fake_nr_mappings, 1);
	assert_int_equal(fake_grant_maps(11), 0);
	rig_down();
}

static void what_is_not_used_goes_in_the_end(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_persistent *persistent = &ring->pages.persistent;

	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	/* They wrap around before the time is over. */
	jiffies = -30UL * HZ;
	use(ring, BLKIF_OP_READ, 2, 10);
	jiffies += 10 * HZ;
	use(ring, BLKIF_OP_READ, 2, 20);
	/* Used again: not the oldest any more. */
	use(ring, BLKIF_OP_READ, 1, 10);
	assert_int_equal(xenvbd_pages_trim(ring), 50 * HZ + HZ);
	assert_int_equal(persistent->nr, 4);

	jiffies += 50 * HZ - 1;
	/* A jiffy until the oldest may go, and a second so that others go with it. */
	assert_int_equal(xenvbd_pages_trim(ring), 1 + HZ);
	assert_int_equal(persistent->nr, 4);
	jiffies++;
	assert_int_equal(xenvbd_pages_trim(ring), 10 * HZ + HZ);
	assert_int_equal(persistent->nr, 3);
	assert_int_equal(fake_grant_maps(11), 0);
	assert_int_equal(fake_grant_maps(10), 1);
	jiffies += 10 * HZ;
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(persistent->nr, 0);
	/* One hypercall for what goes together. */
	assert_int_equal(fake_nr_unmap_calls, 2);
	assert_int_equal(ring->pages.pool.nr_free, ring->pages.pool.nr_pages);
	/* And they are not found any more. */
	use(ring, BLKIF_OP_READ, 2, 10);
	assert_int_equal(persistent->nr, 2);
	rig_down();
}

static void zero_seconds_are_for_ever(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);

	persistent_grant_unused_seconds = 0;
	use(ring, BLKIF_OP_READ, 2, 10);
	jiffies += 100000 * HZ;
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(ring->pages.persistent.nr, 2);

	/* And a day is the longest. */
	persistent_grant_unused_seconds = UINT_MAX;
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(ring->pages.persistent.nr, 0);
	rig_down();
}

static void a_new_policy_ends_all(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_persistent *persistent = &ring->pages.persistent;
	struct xenvbd_req *req;

	use(ring, BLKIF_OP_READ, 2, 10);
	req = start(ring, BLKIF_OP_READ, 1, 20);
	/* A kick for another reason ends nothing. */
	xenvbd_pages_kicked(ring);
	assert_int_equal(persistent->nr, 3);
	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	xenvbd_pages_kicked(ring);
	assert_int_equal(persistent->nr, 1);
	assert_int_equal(fake_nr_mappings, 1);
	assert_int_equal(ring->stats.squeezes, 0);
	finish(ring, req);
	assert_int_equal(persistent->nr, 1);
	/* The rest as soon as the ring has nothing to do, whatever its age. */
	persistent_grant_unused_seconds = 0;
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(persistent->nr, 0);
	rig_down();
}

static void a_grant_in_use_below_stays(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_persistent *persistent = &ring->pages.persistent;
	struct xenvbd_req *req = start(ring, BLKIF_OP_WRITE, 3, 10);
	struct page *held = req->bvec[0].bv_page;

	held->refs++;
	finish(ring, req);
	rig.vbd.tunables.policy = XENVBD_POLICY_MAP;
	/* Again in a second. */
	assert_int_equal(xenvbd_pages_trim(ring), HZ);
	assert_int_equal(persistent->nr, 1);
	assert_int_equal(fake_grant_maps(10), 1);
	held->refs--;
	assert_true(xenvbd_pages_trim(ring) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(fake_nr_mappings, 0);
	rig_down();
}

/* ---- memory is short --------------------------------------------------------------- */

static void a_squeezed_ring_gives_back_what_it_does_not_use(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_pages *pages = &ring->pages;

	use(ring, BLKIF_OP_READ, 2, 10);
	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	use(ring, BLKIF_OP_READ, 2, 30);
	rig.vbd.tunables.policy = XENVBD_POLICY_AUTO;
	jiffies += HZ;
	use(ring, BLKIF_OP_READ, 2, 20);
	assert_int_equal(pages->copy.nr_free, 2);
	assert_int_equal(pages->pool.nr_free, POOL_GROWTH - 4);

	/* A kick alone is no squeeze. */
	xenvbd_pages_kicked(ring);
	assert_int_equal(pages->pool.nr_free, POOL_GROWTH - 4);
	assert_int_equal(ring->stats.squeezes, 0);

	ring->wake.squeeze = true;
	xenvbd_pages_kicked(ring);
	assert_false(ring->wake.squeeze);
	assert_int_equal(ring->stats.squeezes, 1);
	assert_int_equal(pages->pool.nr_free, 0);
	assert_int_equal(pages->pool.nr_pages, 2);
	assert_int_equal(fake_nr_xen_pages, 2);
	assert_int_equal(fake_nr_pages, 0);
	/* What was used within a second is kept. */
	assert_int_equal(pages->persistent.nr, 2);
	assert_int_equal(fake_grant_maps(20), 1);
	assert_int_equal(fake_grant_maps(10), 0);
	rig_down();
}

static void a_ring_knows_what_it_has_to_give_back(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);

	assert_false(xenvbd_pages_idle(&ring->pages));
	use(ring, BLKIF_OP_READ, 2, 10);
	assert_true(xenvbd_pages_idle(&ring->pages));
	max_buffer_pages = 0;
	xenvbd_pages_trim(ring);
	assert_int_equal(ring->pages.pool.nr_free, 0);
	assert_true(xenvbd_pages_idle(&ring->pages));
	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	use(ring, BLKIF_OP_READ, 2, 10);
	xenvbd_pages_trim(ring);
	assert_int_equal(ring->pages.persistent.nr, 0);
	assert_int_equal(ring->pages.pool.nr_free, 0);
	assert_true(xenvbd_pages_idle(&ring->pages));
	jiffies += HZ;
	xenvbd_pages_trim(ring);
	assert_false(xenvbd_pages_idle(&ring->pages));
	rig_down();
}

/* Both have to be looked at again: the sooner one counts. */
static void trimming_tells_when_to_come_again(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);

	use(ring, BLKIF_OP_READ, 2, 10);
	assert_int_equal(xenvbd_pages_trim(ring), 61 * HZ);
	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	use(ring, BLKIF_OP_READ, 2, 30);
	rig.vbd.tunables.policy = XENVBD_POLICY_AUTO;
	assert_int_equal(xenvbd_pages_trim(ring), HZ);
	rig_down();
}

/* ---- life ---------------------------------------------------------------------------- */

static struct page *held_page;

static bool let_go(void)
{
	if (fake_nr_msleeps == 3)
		held_page->refs--;
	return true;
}

static void the_end_waits_for_those_below(void **state)
{
	struct xenvbd_ring *ring = up(true, XENVBD_POLICY_AUTO);
	struct xenvbd_req *req = start(ring, BLKIF_OP_WRITE, 3, 10);

	held_page = req->bvec[1].bv_page;
	held_page->refs++;
	finish(ring, req);
	fake_idle = let_go;
	rig_down();
	assert_int_equal(fake_nr_msleeps, 3);
}

static void rings_share_the_pages_of_a_vbd(void **state)
{
	static const struct {
		unsigned int nr_rings;
		u32 nr_ents, max_pages, hash_bits;
	} rows[] = {
		{ 1, 32, 8192, 8 },
		{ 8, 512, 8192, 10 },
		{ 16, 64, 4096, 9 },
		{ 64, 128, 1024, 10 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_ring ring = {
			.sring.nr_ents = rows[i].nr_ents,
		};

		fake_reset();
		assert_int_equal(xenvbd_pages_init(&ring, rows[i].nr_rings, true), 0);
		expect(ring.pages.pool.max_pages == rows[i].max_pages, "row %u", i);
		expect(ring.pages.persistent.hash_bits == rows[i].hash_bits,
		       "row %u", i);
		xenvbd_pages_exit(&ring);
		fake_check_clean();
	}
}

static void a_ring_needs_all_of_its_memory(void **state)
{
	unsigned int nth;

	for (nth = 1; nth <= 4; nth++) {
		struct xenvbd_ring ring = { .sring.nr_ents = 32 };

		fake_reset();
		fake_fail_at(&fake_allocs, nth);
		expect(xenvbd_pages_init(&ring, 1, true) ==
		       (nth <= 3 ? -ENOMEM : 0), "%u", nth);
		xenvbd_pages_exit(&ring);
		fake_check_clean();
	}
}

/* Stock takes these as none at all. */
static void negative_parameters_are_none(void **state)
{
	const struct kernel_param *grants = &shim_param_max_persistent_grants;
	const struct kernel_param *pages = &shim_param_max_buffer_pages;

	system_state = SYSTEM_BOOTING;
	assert_int_equal(grants->ops->set("-1", grants), 0);
	assert_int_equal(max_persistent_grants, 0);
	assert_int_equal(pages->ops->set("-5", pages), 0);
	assert_int_equal(max_buffer_pages, 0);
	system_state = SYSTEM_RUNNING;
	assert_int_equal(grants->ops->set("-1", grants), -EINVAL);
	assert_int_equal(grants->ops->set("4294967295", grants), 0);
	assert_int_equal(max_persistent_grants, UINT_MAX);
	max_persistent_grants = 1056;
	max_buffer_pages = 1024;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_method_follows_policy_and_disk),
		cmocka_unit_test(what_cannot_be_copied_is_mapped),
		cmocka_unit_test(what_must_be_copied_waits),
		cmocka_unit_test(what_cannot_be_mapped_is_copied),
		cmocka_unit_test(fewer_pages_do_as_well),
		cmocka_unit_test(a_request_that_waits_says_for_what),
		cmocka_unit_test(a_request_without_segments_needs_nothing),
		cmocka_unit_test(pages_are_mapped_for_a_request),
		cmocka_unit_test(a_batch_fills_up),
		cmocka_unit_test(some_grants_cannot_be_mapped),
		cmocka_unit_test(a_hypercall_that_fails_maps_nothing),
		cmocka_unit_test(a_page_that_stays_mapped_is_lost),
		cmocka_unit_test(a_page_in_use_below_is_held),
		cmocka_unit_test(a_persistent_request_with_grants_of_its_own_is_held),
		cmocka_unit_test(the_pool_grows_as_needed),
		cmocka_unit_test(the_pool_has_an_end),
		cmocka_unit_test(without_memory_the_pool_does_not_grow),
		cmocka_unit_test(an_idle_ring_keeps_so_many_pages),
		cmocka_unit_test(persistent_grants_stay_mapped),
		cmocka_unit_test(a_grant_twice_in_a_batch_is_mapped_twice),
		cmocka_unit_test(so_many_grants_are_kept),
		cmocka_unit_test(half_of_all_pages_is_the_most_that_is_kept),
		cmocka_unit_test(without_memory_a_grant_is_not_kept),
		cmocka_unit_test(what_is_not_used_goes_in_the_end),
		cmocka_unit_test(zero_seconds_are_for_ever),
		cmocka_unit_test(a_new_policy_ends_all),
		cmocka_unit_test(a_grant_in_use_below_stays),
		cmocka_unit_test(a_squeezed_ring_gives_back_what_it_does_not_use),
		cmocka_unit_test(a_ring_knows_what_it_has_to_give_back),
		cmocka_unit_test(trimming_tells_when_to_come_again),
		cmocka_unit_test(the_end_waits_for_those_below),
		cmocka_unit_test(rings_share_the_pages_of_a_vbd),
		cmocka_unit_test(a_ring_needs_all_of_its_memory),
		cmocka_unit_test(negative_parameters_are_none),
	};

	return RUN(tests);
}
