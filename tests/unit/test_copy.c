// SPDX-License-Identifier: GPL-2.0-only
/* What is copied from or to the guest, and the pages for that. */
#include "data/reserve.h"
#include "rig.h"

static struct xenvbd_copy *copy_of(struct xenvbd_ring *ring)
{
	return &ring->pages.copy;
}

/* A request that copies, with its pages. */
static struct xenvbd_req *copy_req(struct xenvbd_ring *ring, u8 op,
				   unsigned int nr_segs, grant_ref_t gref)
{
	struct xenvbd_req *req = rig_req(ring, op, 0, nr_segs, gref);

	req->method = XENVBD_METHOD_COPY;
	expect(xenvbd_copy_reserve(ring, nr_segs), "no pages");
	xenvbd_copy_add(ring, req);
	return req;
}

static void req_done(struct xenvbd_req *req)
{
	xenvbd_copy_release(copy_of(req->ring), req);
	xenvbd_req_shrink(req);
	rig_req_put(req);
}

/* ---- pages ----------------------------------------------------------------- */

static void pages_are_allocated_as_needed(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_copy *copy = copy_of(ring);
	struct xenvbd_req *req;
	unsigned int i;

	/* Nothing needs nothing, not even room for them. */
	assert_true(xenvbd_copy_reserve(ring, 0));
	assert_null(copy->free);

	assert_true(xenvbd_copy_reserve(ring, 5));
	assert_int_equal(copy->nr_free, 5);
	assert_int_equal(fake_nr_pages, 5);
	/* They are there already. */
	assert_true(xenvbd_copy_reserve(ring, 3));
	assert_int_equal(fake_nr_pages, 5);

	jiffies += 17;
	req = copy_req(ring, BLKIF_OP_READ, 3, 10);
	assert_int_equal(copy->nr_free, 2);
	assert_int_equal(copy->nr_pages, 5);
	assert_int_equal(copy->nr_reqs, 1);
	assert_true(copy->used_at == jiffies);
	for (i = 0; i < 3; i++) {
		assert_int_equal(req->gref[i], 10 + i);
		assert_int_equal(req->bvec[i].bv_len, XEN_PAGE_SIZE);
		assert_int_equal(req->bvec[i].bv_offset, 0);
		/* A disk that reads too little shows the guest zeroes. */
		assert_int_equal(req->bvec[i].bv_page->memory[99], 0);
	}
	/* The two that are free count. */
	assert_true(xenvbd_copy_reserve(ring, 4));
	assert_int_equal(fake_nr_pages, 7);

	req_done(req);
	assert_int_equal(copy->nr_free, 7);
	assert_int_equal(copy->nr_reqs, 0);
	rig_down();
}

static void a_ring_has_its_share_of_pages(void **state)
{
	static const struct {
		u32 max_pages, share;
	} rows[] = { { 8192, 1024 }, { 4096, 1024 }, { 1600, 400 }, { 1024, 256 } };
	struct xenvbd_ring *ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ring = rig_up(1, 1, false);
		ring->pages.pool.max_pages = rows[i].max_pages;
		expect(xenvbd_copy_reserve(ring, rows[i].share), "row %u", i);
		expect(!xenvbd_copy_reserve(ring, rows[i].share + 1), "row %u", i);
		expect(fake_nr_pages == rows[i].share, "row %u", i);
		rig_down();
	}
}

static void the_rings_of_a_domain_have_its_share(void **state)
{
	struct xenvbd_ring *ring = rig_up(2, 1, false), *other = rig.rings[1];
	struct xenvbd_req *req, *last;

	/* A half of 10 %. */
	fake_total_pages = 400;
	req = copy_req(ring, BLKIF_OP_READ, 11, 10);
	assert_true(xenvbd_copy_reserve(ring, 9));
	assert_false(xenvbd_copy_reserve(ring, 10));
	/* Another ring may have one request. */
	last = copy_req(other, BLKIF_OP_READ, 11, 30);
	assert_int_equal(fake_nr_pages, 31);
	assert_int_equal(copy_of(other)->nr_extra, 11);
	assert_int_equal(xenvbd_share_all(), 20);
	assert_false(xenvbd_copy_reserve(other, 1));

	/* What comes free is for others. */
	req_done(last);
	assert_int_equal(fake_nr_pages, 20);
	assert_int_equal(copy_of(other)->nr_pages, 0);
	req_done(req);
	assert_int_equal(fake_nr_pages, 9);
	assert_int_equal(copy_of(ring)->nr_free, 9);
	/* It is kept while there is enough. */
	req_done(copy_req(other, BLKIF_OP_READ, 5, 30));
	assert_int_equal(copy_of(other)->nr_free, 5);
	xenvbd_copy_free(copy_of(ring));
	assert_int_equal(fake_nr_pages, 5);
	rig_down();
}

/* However many rings a domain has, each with its one request. */
static void a_domain_leaves_pages_for_others(void **state)
{
	struct xenvbd_ring *ring = rig_up(RIG_MAX_RINGS - 1, 1, false), *other;
	struct xenvbd_req *req[RIG_MAX_RINGS];
	unsigned int i;

	rig.vbd.domid = FAKE_DOMID + 1;
	assert_int_equal(rig_add_ring(1, false), 0);
	other = rig.rings[RIG_MAX_RINGS - 1];
	assert_ptr_not_equal(copy_of(other)->share, copy_of(ring)->share);

	/* 40 pages in all. */
	fake_total_pages = 400;
	for (i = 0; i < RIG_MAX_RINGS - 1; i++)
		req[i] = copy_req(rig.rings[i], BLKIF_OP_READ, 11, 10 + 20 * i);
	assert_int_equal(fake_nr_pages, 7 * 11);
	assert_int_equal(xenvbd_share_all(), 20);
	/* Half of what is free. */
	req[i] = copy_req(other, BLKIF_OP_READ, 3, 10 + 20 * i);
	assert_true(xenvbd_copy_reserve(other, 7));
	assert_false(xenvbd_copy_reserve(other, 8));
	assert_int_equal(copy_of(other)->nr_extra, 0);
	assert_int_equal(xenvbd_share_all(), 30);

	/* What the first one gives back the other one may have. */
	for (i = 0; i < RIG_MAX_RINGS - 1; i++)
		req_done(req[i]);
	expect(xenvbd_share_all() < 30, "%lu", xenvbd_share_all());
	assert_true(xenvbd_copy_reserve(other, 9));
	req_done(req[i]);
	rig_down();
	assert_int_equal(xenvbd_share_all(), 0);
}

/* It had a request without being charged; there is room again before that ends. */
static void what_is_not_charged_is_given_back(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_copy *copy = copy_of(ring);
	struct xenvbd_req *req, *next;

	fake_total_pages = 0;
	req = copy_req(ring, BLKIF_OP_READ, 5, 10);
	assert_int_equal(copy->nr_extra, 5);
	fake_total_pages = 400;
	next = copy_req(ring, BLKIF_OP_READ, 4, 20);
	assert_int_equal(xenvbd_share_all(), 4);
	req_done(req);
	assert_int_equal(copy->nr_extra, 0);
	assert_int_equal(fake_nr_pages, 4);
	assert_int_equal(xenvbd_share_all(), 4);
	req_done(next);
	assert_int_equal(copy->nr_free, 4);
	rig_down();
}

/* Each allocation fails in turn, within the domain's share, at its end, beyond it. */
static void what_is_not_there_is_not_charged(void **state)
{
	static const struct {
		unsigned long total;
		u32 charged;
	} rows[] = { { 400, 6 }, { 100, 5 }, { 0, 0 } };
	unsigned int i, nth;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (nth = 1; nth <= 6; nth++) {
			struct xenvbd_ring *ring = rig_up(1, 1, false);
			struct xenvbd_copy *copy = copy_of(ring);

			fake_total_pages = rows[i].total;
			/* The first one is of their list. */
			fake_fail_at(&fake_allocs, nth + 1);
			expect(!xenvbd_copy_reserve(ring, 6), "row %u: %u", i, nth);
			expect(copy->nr_pages == nth - 1, "row %u: %u", i, nth);
			expect(xenvbd_share_all() == min(nth - 1, rows[i].charged),
			       "row %u: %u: %lu", i, nth, xenvbd_share_all());
			expect(xenvbd_copy_reserve(ring, 6), "row %u: %u", i, nth);
			expect(xenvbd_share_all() <= rows[i].charged, "row %u: %u",
			       i, nth);
			xenvbd_copy_free(copy);
			expect(!xenvbd_share_all() && !copy->nr_extra, "row %u: %u",
			       i, nth);
			rig_down();
		}
}

static void memory_is_not_waited_for(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	/* No room for pages. */
	fake_fail_at(&fake_allocs, 1);
	assert_false(xenvbd_copy_reserve(ring, 2));
	assert_null(copy_of(ring)->free);
	/* No second page. The first one stays. */
	fake_fail_at(&fake_allocs, 3);
	assert_false(xenvbd_copy_reserve(ring, 2));
	assert_int_equal(copy_of(ring)->nr_free, 1);
	assert_int_equal(copy_of(ring)->nr_pages, 1);
	/* Now there is memory. */
	assert_true(xenvbd_copy_reserve(ring, 2));
	assert_int_equal(fake_nr_pages, 2);
	rig_down();
}

/* ---- the reserve ------------------------------------------------------------ */

static struct xenvbd_ring *up_with_reserve(unsigned int nr_rings)
{
	struct xenvbd_ring *ring = rig_up(nr_rings, 1, false);

	assert_int_equal(xenvbd_reserve_init(), 0);
	assert_int_equal(fake_nr_pages, XENVBD_MAX_SEGS);
	return ring;
}

static void down_with_reserve(void)
{
	expect(fake_nr_pages == XENVBD_MAX_SEGS, "%lu pages", fake_nr_pages);
	xenvbd_reserve_exit();
	rig_down();
}

static bool reserve(struct xenvbd_ring *ring, unsigned int nr)
{
	return xenvbd_copy_reserve(ring, nr) || xenvbd_copy_reserve_last(ring, nr);
}

/* As copy_req(), where there is no memory. */
static struct xenvbd_req *last_req(struct xenvbd_ring *ring, u8 op,
				   unsigned int nr_segs, grant_ref_t gref)
{
	struct xenvbd_req *req = rig_req(ring, op, 0, nr_segs, gref);

	req->method = XENVBD_METHOD_COPY;
	fake_fail_all(&fake_allocs);
	expect(reserve(ring, nr_segs), "no pages");
	xenvbd_copy_add(ring, req);
	return req;
}

static void a_ring_has_one_request_without_memory(void **state)
{
	static const unsigned int nr_segs[] = { 1, 11, XENVBD_MAX_SEGS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nr_segs); i++) {
		struct xenvbd_ring *ring = up_with_reserve(1);
		struct xenvbd_copy *copy = copy_of(ring);
		struct xenvbd_req *req = last_req(ring, BLKIF_OP_READ, nr_segs[i], 10);

		assert_int_equal(copy->nr_pages, nr_segs[i]);
		assert_int_equal(copy->nr_extra, nr_segs[i]);
		assert_int_equal(copy->nr_free, 0);
		assert_int_equal(xenvbd_share_all(), 0);
		assert_int_equal(req->bvec[0].bv_page->memory[99], 0);
		/* One. */
		jiffies += HZ;
		assert_false(reserve(ring, 1));
		memset(req->bvec[0].bv_page->memory, 7, PAGE_SIZE);
		req_done(req);
		assert_int_equal(copy->nr_pages, 0);
		assert_int_equal(fake_nr_pages, XENVBD_MAX_SEGS);
		/* Again, and nobody sees what was there. */
		req = last_req(ring, BLKIF_OP_READ, nr_segs[i], 10);
		assert_int_equal(req->bvec[0].bv_page->memory[99], 0);
		assert_int_equal(req->bvec[nr_segs[i] - 1].bv_page->memory[99], 0);
		req_done(req);
		down_with_reserve();
	}
}

/* What a ring has goes first: of eleven pages four are there. */
static void the_reserve_gives_what_is_wanting(void **state)
{
	struct xenvbd_ring *ring = up_with_reserve(2), *other = rig.rings[1];
	struct xenvbd_req *req, *rest;

	assert_true(xenvbd_copy_reserve(ring, 4));
	req = last_req(ring, BLKIF_OP_WRITE, 11, 10);
	assert_int_equal(copy_of(ring)->nr_extra, 7);
	assert_int_equal(copy_of(ring)->nr_pages, 11);
	jiffies += HZ;
	/* It is not for one ring alone. */
	rest = last_req(other, BLKIF_OP_WRITE, XENVBD_MAX_SEGS - 7, 100);
	fake_fail_at(&fake_allocs, 0);
	req_done(req);
	req_done(rest);
	assert_int_equal(copy_of(ring)->nr_pages + copy_of(other)->nr_pages, 0);
	down_with_reserve();
}

/* All that it needs, or nothing. */
static void who_does_not_get_all_gets_nothing(void **state)
{
	struct xenvbd_ring *ring = up_with_reserve(3);
	struct xenvbd_req *req = last_req(ring, BLKIF_OP_WRITE, 200, 10), *rest;

	jiffies += HZ;
	assert_false(reserve(rig.rings[1], 57));
	assert_int_equal(copy_of(rig.rings[1])->nr_pages, 0);
	rest = last_req(rig.rings[2], BLKIF_OP_WRITE, 56, 300);
	req_done(req);
	jiffies += HZ;
	req = last_req(rig.rings[1], BLKIF_OP_WRITE, 57, 10);
	req_done(req);
	req_done(rest);
	down_with_reserve();
}

/* A guest that wants more and more leaves time for others. */
static void a_domain_leaves_the_reserve_to_others(void **state)
{
	struct xenvbd_ring *ring = up_with_reserve(2), *other;
	struct xenvbd_req *req;

	rig.vbd.domid = FAKE_DOMID + 1;
	assert_int_equal(rig_add_ring(1, false), 0);
	other = rig.rings[2];
	req = last_req(ring, BLKIF_OP_WRITE, 256, 10);
	assert_false(reserve(other, 1));
	req_done(req);
	assert_false(reserve(ring, 256));
	assert_false(reserve(rig.rings[1], 1));
	req = last_req(other, BLKIF_OP_WRITE, 256, 10);
	req_done(req);
	jiffies += HZ / 50 + 1;
	req_done(last_req(rig.rings[1], BLKIF_OP_WRITE, 1, 10));
	down_with_reserve();
}

/* It can not be given to another guest; any other page will do. */
static void what_is_in_use_below_does_not_go_back_to_the_reserve(void **state)
{
	struct xenvbd_ring *ring = up_with_reserve(1);
	struct xenvbd_req *req = last_req(ring, BLKIF_OP_WRITE, 3, 10);
	struct page *held = req->bvec[1].bv_page;

	held->refs++;
	req_done(req);
	assert_int_equal(held->refs, 1);
	jiffies += HZ;
	assert_false(reserve(ring, XENVBD_MAX_SEGS));
	put_page(held);
	fake_fail_at(&fake_allocs, 0);
	req_done(copy_req(ring, BLKIF_OP_WRITE, 5, 10));
	xenvbd_copy_free(copy_of(ring));
	req = last_req(ring, BLKIF_OP_WRITE, XENVBD_MAX_SEGS, 10);
	req_done(req);
	down_with_reserve();
}

static void a_reserve_is_whole_or_not_there(void **state)
{
	rig_init();
	fake_fail_at(&fake_allocs, 100);
	assert_int_equal(xenvbd_reserve_init(), -ENOMEM);
	assert_int_equal(fake_nr_pages, 0);
	rig_down();
}

static void a_page_in_use_below_is_left_there(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = copy_req(ring, BLKIF_OP_WRITE, 3, 10);
	struct page *held = req->bvec[1].bv_page;

	held->refs++;
	req_done(req);
	assert_int_equal(copy_of(ring)->nr_free, 2);
	assert_int_equal(copy_of(ring)->nr_pages, 2);
	assert_int_equal(held->refs, 1);
	assert_int_equal(fake_nr_pages, 3);
	put_page(held);
	rig_down();
}

static void unused_pages_go_after_a_second(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_copy *copy = copy_of(ring);
	struct xenvbd_req *req;

	assert_true(xenvbd_copy_trim(copy) == MAX_SCHEDULE_TIMEOUT);

	/* All are in use: later, though the ring may sleep until then. */
	req = copy_req(ring, BLKIF_OP_READ, 3, 10);
	assert_int_equal(xenvbd_copy_trim(copy), HZ);
	jiffies += 2 * HZ;
	assert_int_equal(xenvbd_copy_trim(copy), HZ);
	assert_int_equal(fake_nr_pages, 3);
	req_done(req);

	copy->used_at = jiffies;
	jiffies += HZ - 1;
	assert_int_equal(xenvbd_copy_trim(copy), HZ);
	assert_int_equal(fake_nr_pages, 3);
	jiffies++;
	assert_true(xenvbd_copy_trim(copy) == MAX_SCHEDULE_TIMEOUT);
	assert_int_equal(fake_nr_pages, 0);
	assert_int_equal(copy->nr_pages, 0);
	assert_null(copy->free);
	rig_down();
}

static void pages_in_use_stay(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_copy *copy = copy_of(ring);
	struct xenvbd_req *req;

	assert_true(xenvbd_copy_reserve(ring, 5));
	req = copy_req(ring, BLKIF_OP_READ, 3, 10);
	xenvbd_copy_free(copy);
	assert_int_equal(fake_nr_pages, 3);
	assert_int_equal(copy->nr_pages, 3);
	assert_int_equal(copy->nr_free, 0);
	assert_non_null(copy->free);
	req_done(req);
	assert_int_equal(copy->nr_free, 3);
	rig_down();
}

/* ---- data ------------------------------------------------------------------ */

static void data_is_copied_both_ways(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *read, *write;
	struct xenvbd_seg *segs;
	unsigned int i;

	guest_fill(20, 2, 3);
	read = rig_req(ring, BLKIF_OP_READ, 0, 2, 10);
	segs = xenvbd_req_segs(read);
	segs[1].first_sect = 3;
	segs[1].last_sect = 3;
	read->method = XENVBD_METHOD_COPY;
	assert_true(xenvbd_copy_reserve(ring, 4));
	xenvbd_copy_add(ring, read);
	assert_int_equal(read->bvec[1].bv_offset, 3 * SECTOR_SIZE);
	assert_int_equal(read->bvec[1].bv_len, SECTOR_SIZE);
	write = copy_req(ring, BLKIF_OP_WRITE, 2, 20);
	read->next = write;

	xenvbd_copy_in(ring, read);
	assert_int_equal(fake_nr_copies, 2);
	assert_int_equal(fake_nr_copy_calls, 1);
	for (i = 0; i < 2 * XEN_PAGE_SIZE; i++)
		assert_int_equal(write->bvec[i / XEN_PAGE_SIZE]
					 .bv_page->memory[i % XEN_PAGE_SIZE],
				 guest_byte(3, i));

	memset(read->bvec[0].bv_page->memory, 0x77, XEN_PAGE_SIZE);
	memset(read->bvec[1].bv_page->memory, 0x88, XEN_PAGE_SIZE);
	xenvbd_copy_out(ring, read);
	assert_int_equal(fake_nr_copies, 4);
	assert_int_equal(fake_grant(10)[0], 0x77);
	assert_int_equal(fake_grant(10)[XEN_PAGE_SIZE - 1], 0x77);
	assert_int_equal(fake_grant(11)[3 * SECTOR_SIZE - 1], 0);
	assert_int_equal(fake_grant(11)[3 * SECTOR_SIZE], 0x88);
	assert_int_equal(fake_grant(11)[4 * SECTOR_SIZE - 1], 0x88);
	assert_int_equal(fake_grant(11)[4 * SECTOR_SIZE], 0);
	assert_int_equal(ring->stats.copy_ops, 4);
	assert_int_equal(ring->stats.copy_calls, 2);
	assert_int_equal(ring->pages.batch.nr, 0);
	assert_int_equal(read->status, BLK_STS_OK);
	assert_int_equal(write->status, BLK_STS_OK);
	req_done(read);
	req_done(write);
	rig_down();
}

static void what_is_not_wanted_is_not_copied(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *failed = copy_req(ring, BLKIF_OP_READ, 1, 10);
	struct xenvbd_req *mapped = copy_req(ring, BLKIF_OP_READ, 1, 11);

	failed->status = BLK_STS_IOERR;
	failed->next = mapped;
	mapped->method = XENVBD_METHOD_MAP;
	xenvbd_copy_out(ring, failed);
	xenvbd_copy_in(ring, failed);
	/* Nothing at all: no hypercall either. */
	assert_int_equal(fake_nr_copy_calls, 0);
	assert_int_equal(ring->stats.copy_calls, 0);
	req_done(failed);
	req_done(mapped);
	rig_down();
}

static void batches_are_split(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 4, false);
	struct xenvbd_req *first = copy_req(ring, BLKIF_OP_WRITE, 200, 1000);
	struct xenvbd_req *second = copy_req(ring, BLKIF_OP_WRITE, 200, 2000);

	guest_fill(2000, 200, 9);
	first->next = second;
	xenvbd_copy_in(ring, first);
	assert_int_equal(fake_nr_copies, 400);
	assert_int_equal(fake_nr_copy_calls, 2);
	assert_int_equal(ring->stats.copy_ops, 400);
	assert_int_equal(second->bvec[199].bv_page->memory[5],
			 guest_byte(9, 199 * XEN_PAGE_SIZE + 5));
	req_done(first);
	req_done(second);
	rig_down();
}

static void a_segment_that_fails_fails_its_request(void **state)
{
	unsigned int nth;

	for (nth = 1; nth <= 4; nth++) {
		struct xenvbd_ring *ring = rig_up(1, 1, false);
		struct xenvbd_req *first = copy_req(ring, BLKIF_OP_WRITE, 2, 10);
		struct xenvbd_req *second = copy_req(ring, BLKIF_OP_WRITE, 2, 20);

		first->next = second;
		fake_fail_at(&fake_grants, nth);
		xenvbd_copy_in(ring, first);
		expect(first->status == (nth <= 2 ? BLK_STS_IOERR : BLK_STS_OK),
		       "%u", nth);
		expect(second->status == (nth > 2 ? BLK_STS_IOERR : BLK_STS_OK),
		       "%u", nth);
		req_done(first);
		req_done(second);
		rig_down();
	}
}

static void a_page_that_is_paged_out_is_waited_for_or_not(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *first = copy_req(ring, BLKIF_OP_READ, 2, 10);
	struct xenvbd_req *second = copy_req(ring, BLKIF_OP_READ, 1, 20);

	first->next = second;
	fake_grant_page_out(11);
	xenvbd_copy_out_now(ring, first);
	assert_int_equal(first->status, BLK_STS_AGAIN);
	assert_int_equal(second->status, BLK_STS_OK);
	assert_int_equal(ring->pages.batch.nr, 0);

	first->status = BLK_STS_OK;
	xenvbd_copy_out(ring, first);
	assert_int_equal(first->status, BLK_STS_OK);

	/* An error is one all the same. */
	fake_fail_at(&fake_grants, 1);
	xenvbd_copy_out_now(ring, first);
	assert_int_equal(first->status, BLK_STS_IOERR);
	fake_fail_at(&fake_hypercalls, 1);
	xenvbd_copy_out_now(ring, second);
	assert_int_equal(second->status, BLK_STS_IOERR);
	req_done(first);
	req_done(second);
	rig_down();
}

static void a_read_needs_a_page_that_may_be_written(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *read = copy_req(ring, BLKIF_OP_READ, 1, 10);
	struct xenvbd_req *write = copy_req(ring, BLKIF_OP_WRITE, 1, 11);

	fake_grant_readonly(10);
	fake_grant_readonly(11);
	xenvbd_copy_in(ring, write);
	assert_int_equal(write->status, BLK_STS_OK);
	xenvbd_copy_out(ring, read);
	assert_int_equal(read->status, BLK_STS_IOERR);
	req_done(read);
	req_done(write);
	rig_down();
}

/* ---- segments of INDIRECT requests ------------------------------------------ */

static struct xenvbd_req *fetch_req(struct xenvbd_ring *ring, unsigned int nr_segs,
				    grant_ref_t desc)
{
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 0, 0);
	struct blkif_request_segment *segs = (void *)fake_grant(desc);
	unsigned int i;

	for (i = 0; i < 512; i++)
		segs[i] = (struct blkif_request_segment) { desc * 1000 + i, 1, 2 };
	req->nr_segs = nr_segs;
	req->segs = XENVBD_SEGS_WANTED;
	req->desc_gref = desc;
	expect(xenvbd_req_enlarge(req), "no memory");
	return req;
}

static void segments_are_fetched(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *first = fetch_req(ring, 256, 10);
	struct xenvbd_req *other = rig_req(ring, BLKIF_OP_READ, 0, 1, 99);
	struct xenvbd_req *second = fetch_req(ring, 13, 11);
	struct xenvbd_seg *segs;
	unsigned int i;

	first->next = other;
	other->next = second;
	assert_true(xenvbd_copy_add_fetch(ring, first));
	assert_true(xenvbd_copy_add_fetch(ring, second));
	assert_int_equal(ring->pages.batch.nr, 2);
	xenvbd_copy_fetch(ring, first);
	assert_int_equal(fake_nr_copy_calls, 1);
	assert_int_equal(ring->pages.batch.nr, 0);
	assert_int_equal(ring->stats.copy_calls, 1);
	/* Not data. */
	assert_int_equal(ring->stats.copy_ops, 0);

	assert_int_equal(first->segs, XENVBD_SEGS_FETCHED);
	assert_int_equal(second->segs, XENVBD_SEGS_FETCHED);
	assert_int_equal(other->segs, XENVBD_SEGS_CHECKED);
	segs = xenvbd_req_segs(first);
	for (i = 0; i < 256; i++) {
		assert_int_equal(segs[i].gref, 10000 + i);
		assert_int_equal(segs[i].first_sect, 1);
		assert_int_equal(segs[i].last_sect, 2);
	}
	assert_int_equal(xenvbd_req_segs(second)[12].gref, 11012);
	xenvbd_req_shrink(first);
	xenvbd_req_shrink(second);
	rig_down();
}

static void nothing_to_fetch_is_no_hypercall(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	xenvbd_copy_fetch(ring, NULL);
	assert_int_equal(fake_nr_copy_calls, 0);
	rig_down();
}

static void segments_that_are_not_granted_fail_their_request(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *first = fetch_req(ring, 20, 10);
	struct xenvbd_req *second = fetch_req(ring, 20, 11);

	first->next = second;
	first->desc_gref = 500;
	assert_true(xenvbd_copy_add_fetch(ring, first));
	assert_true(xenvbd_copy_add_fetch(ring, second));
	xenvbd_copy_fetch(ring, first);
	assert_int_equal(first->status, BLK_STS_IOERR);
	assert_int_equal(first->segs, XENVBD_SEGS_FETCHED);
	assert_int_equal(second->status, BLK_STS_OK);
	assert_int_equal(xenvbd_req_segs(second)[19].gref, 11019);
	xenvbd_req_shrink(first);
	xenvbd_req_shrink(second);
	rig_down();
}

static void a_batch_of_fetches_fills_up(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 16, false);
	struct xenvbd_req *req = fetch_req(ring, 1, 10);
	unsigned int i;

	for (i = 0; i < XENVBD_BATCH_GRANTS; i++)
		assert_true(xenvbd_copy_add_fetch(ring, req));
	assert_false(xenvbd_copy_add_fetch(ring, req));
	assert_int_equal(ring->pages.batch.nr, XENVBD_BATCH_GRANTS);
	ring->pages.batch.nr = 0;
	xenvbd_req_shrink(req);
	rig_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_allocated_as_needed),
		cmocka_unit_test(a_ring_has_its_share_of_pages),
		cmocka_unit_test(the_rings_of_a_domain_have_its_share),
		cmocka_unit_test(a_domain_leaves_pages_for_others),
		cmocka_unit_test(what_is_not_charged_is_given_back),
		cmocka_unit_test(what_is_not_there_is_not_charged),
		cmocka_unit_test(memory_is_not_waited_for),
		cmocka_unit_test(a_ring_has_one_request_without_memory),
		cmocka_unit_test(the_reserve_gives_what_is_wanting),
		cmocka_unit_test(who_does_not_get_all_gets_nothing),
		cmocka_unit_test(a_domain_leaves_the_reserve_to_others),
		cmocka_unit_test(what_is_in_use_below_does_not_go_back_to_the_reserve),
		cmocka_unit_test(a_reserve_is_whole_or_not_there),
		cmocka_unit_test(a_page_in_use_below_is_left_there),
		cmocka_unit_test(unused_pages_go_after_a_second),
		cmocka_unit_test(pages_in_use_stay),
		cmocka_unit_test(data_is_copied_both_ways),
		cmocka_unit_test(what_is_not_wanted_is_not_copied),
		cmocka_unit_test(batches_are_split),
		cmocka_unit_test(a_segment_that_fails_fails_its_request),
		cmocka_unit_test(a_page_that_is_paged_out_is_waited_for_or_not),
		cmocka_unit_test(a_read_needs_a_page_that_may_be_written),
		cmocka_unit_test(segments_are_fetched),
		cmocka_unit_test(nothing_to_fetch_is_no_hypercall),
		cmocka_unit_test(segments_that_are_not_granted_fail_their_request),
		cmocka_unit_test(a_batch_of_fetches_fills_up),
	};

	return RUN(tests);
}
