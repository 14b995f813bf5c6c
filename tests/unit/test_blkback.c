// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a request, through the ring's own pass: a guest writes it into a ring
 * in memory, and looks for the response there. The source is part of this program.
 */
#include "blkback.c"

#include "data/answer.h"
#include "data/thread.h"
#include "rig.h"

#define OKAY	BLKIF_RSP_OKAY
#define ERROR	BLKIF_RSP_ERROR
#define UNKNOWN	BLKIF_RSP_EOPNOTSUPP

static struct xenvbd_ring *up(unsigned int policy)
{
	struct xenvbd_ring *ring = rig_up(1, 1, policy == XENVBD_POLICY_PERSISTENT);

	rig.vbd.tunables.policy = policy;
	xenvbd_barrier_join(ring);
	return ring;
}

static void down(void)
{
	unsigned int i;

	for (i = 0; i < rig.vbd.nr_rings; i++) {
		struct xenvbd_ring *ring = rig.rings[i];

		expect(!xenvbd_sring_inflight(&ring->sring), "in flight");
		xenvbd_barrier_leave(ring);
	}
	rig_down();
}

static bool pass(struct xenvbd_ring *ring)
{
	return ring_pass(ring, xenvbd_wake_draining(ring));
}

/* Until there is no more to do; the disk completes all it gets. */
static void passes(struct xenvbd_ring *ring)
{
	unsigned int i;
	bool work;

	for (i = 0; i < 1000; i++) {
		work = pass(ring);
		if (!fake_bio_end_all() && !work)
			return;
	}
	fail_msg("no end of passes");
}

static bool reported(enum xenvbd_event event)
{
	return test_bit(event, &rig.vbd.events) && rig.nr_works;
}

static struct guest_req rw(u8 op, u64 id, u64 sector, unsigned int nr_segs,
			   grant_ref_t gref)
{
	unsigned int i;

	for (i = 0; i < nr_segs; i++)
		fake_grant(gref + i);
	return (struct guest_req) {
		.op = op, .id = id, .sector = sector, .nr_segs = nr_segs, .gref = gref,
	};
}

static void send(struct xenvbd_ring *ring, struct guest_req req)
{
	guest_send(ring, &req);
}

static void put(struct xenvbd_ring *ring, struct guest_req req)
{
	guest_put(ring, &req);
}

static void expect_read(grant_ref_t gref, u64 sector, unsigned int nr_segs)
{
	u64 i;

	for (i = 0; i < nr_segs * XEN_PAGE_SIZE; i++)
		if (fake_grant(gref + i / XEN_PAGE_SIZE)[i % XEN_PAGE_SIZE] !=
		    disk_byte(sector * SECTOR_SIZE + i))
			fail_msg("byte %llu differs", (ull)i);
}

static void expect_written(u64 sector, u8 seed, unsigned int nr_segs)
{
	u64 i;

	for (i = 0; i < nr_segs * XEN_PAGE_SIZE; i++)
		if (fake_disk.data[sector * SECTOR_SIZE + i] != guest_byte(seed, i))
			fail_msg("byte %llu differs", (ull)i);
}

/* Nothing is mapped for a request that was answered. */
static void expect_unmapped(struct xenvbd_ring *ring)
{
	expect(fake_nr_mappings == ring->pages.persistent.nr, "%lu are mapped, %u kept",
	       fake_nr_mappings, ring->pages.persistent.nr);
}

/* ---- reads and writes ------------------------------------------------------- */

static const unsigned int policies[] = {
	XENVBD_POLICY_MAP, XENVBD_POLICY_PERSISTENT, XENVBD_POLICY_COPY,
};

static void a_read_reads(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct xenvbd_ring *ring = up(policies[i]);

		assert_false(pass(ring));
		assert_int_equal(ring->stats.passes, 0);
		send(ring, rw(BLKIF_OP_READ, 77, 40, 5, 10));
		assert_true(pass(ring));
		guest_expect_none(ring);
		assert_int_equal(fake_nr_bios, 1);
		assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 40);
		assert_false(pass(ring));

		fake_bio_end_all();
		assert_true(pass(ring));
		guest_expect(ring, 77, OKAY);
		guest_expect_none(ring);
		expect_read(10, 40, 5);
		expect_unmapped(ring);
		assert_int_equal(fake_nr_notifies, 1);
		assert_int_equal(ring->stats.notifies, 1);
		assert_int_equal(ring->stats.rd_req, 1);
		assert_int_equal(ring->stats.rd_sect, 40);
		assert_int_equal(ring->stats.wr_req, 0);
		assert_int_equal(ring->stats.err_req, 0);
		assert_int_equal(ring->stats.passes, 2);
		down();
	}
}

static void a_write_writes(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct xenvbd_ring *ring = up(policies[i]);

		guest_fill(10, 11, 5);
		send(ring, rw(BLKIF_OP_WRITE, 78, 80, 11, 10));
		passes(ring);
		guest_expect(ring, 78, OKAY);
		expect_written(80, 5, 11);
		assert_int_equal(fake_disk.data[80 * SECTOR_SIZE - 1],
				 disk_byte(80 * SECTOR_SIZE - 1));
		expect_unmapped(ring);
		assert_int_equal(ring->stats.wr_req, 1);
		assert_int_equal(ring->stats.wr_sect, 88);
		down();
	}
}

static void parts_of_pages_are_read_and_written(void **state)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct xenvbd_ring *ring = up(policies[i]);
		struct guest_req req = rw(BLKIF_OP_READ, 1, 8, 2, 10);

		req.first_sect = 2;
		req.last_sect = 3;
		send(ring, req);
		passes(ring);
		guest_expect(ring, 1, OKAY);
		assert_int_equal(fake_grant(10)[2 * SECTOR_SIZE - 1], 0);
		assert_int_equal(fake_grant(10)[4 * SECTOR_SIZE], 0);
		for (j = 0; j < 2 * SECTOR_SIZE; j++) {
			assert_int_equal(fake_grant(10)[2 * SECTOR_SIZE + j],
					 disk_byte(8 * SECTOR_SIZE + j));
			assert_int_equal(fake_grant(11)[2 * SECTOR_SIZE + j],
					 disk_byte(10 * SECTOR_SIZE + j));
		}
		down();
	}
}

static void what_comes_together_goes_together(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	for (i = 0; i < 10; i++)
		put(ring, rw(BLKIF_OP_READ, i, 8 * i, 1, 10 + i));
	guest_push(ring);
	assert_true(pass(ring));
	/* In two groups. What the block layer hears of the second one: */
	assert_int_equal(fake_nr_map_calls, 2);
	assert_int_equal(fake_nr_bios, 10);
	assert_int_equal(fake_plug_ios, 2);
	assert_int_equal(fake_nr_plugs, 2);
	fake_bio_end_all();
	assert_true(pass(ring));
	/* Responses in the order of completion, with one event. */
	for (i = 0; i < 10; i++)
		guest_expect(ring, i, OKAY);
	assert_int_equal(fake_nr_unmap_calls, 1);
	assert_int_equal(fake_nr_notifies, 1);
	down();
}

/* Nothing that is at the disk could wait for the others. */
static void of_a_disk_that_answers_at_once_the_rest_goes_together(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	fake_disk.at_once = true;
	for (i = 0; i < 3 * PLUG_IOS; i++)
		put(ring, rw(BLKIF_OP_READ, i, 16 * i, 1, 10 + i));
	guest_push(ring);
	assert_true(pass(ring));
	assert_int_equal(fake_nr_map_calls, 2);
	assert_int_equal(fake_nr_plugs, 2);
	for (i = 0; i < 3 * PLUG_IOS; i++)
		guest_expect(ring, i, OKAY);
	/* And of a few all but the first one. */
	for (i = 0; i < 4; i++)
		put(ring, rw(BLKIF_OP_READ, i, 16 * i, 1, 10 + i));
	guest_push(ring);
	assert_true(pass(ring));
	assert_int_equal(fake_nr_map_calls, 2 + 2);
	for (i = 0; i < 4; i++)
		guest_expect(ring, i, OKAY);
	down();
}

static void a_disk_may_complete_at_once(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	fake_disk.at_once = true;
	put(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	put(ring, rw(BLKIF_OP_READ, 2, 8, 1, 11));
	guest_push(ring);
	assert_true(pass(ring));
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(ring->stats.passes, 1);
	down();
}

static void more_than_a_batch_takes_more_than_a_pass(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 4, false);
	unsigned int i;

	rig.vbd.tunables.policy = XENVBD_POLICY_MAP;
	/* So that all but one group go together. */
	fake_disk.at_once = true;
	for (i = 0; i < 32; i++)
		put(ring, rw(BLKIF_OP_READ, i, 0, 11, 100 + 11 * i));
	guest_push(ring);
	assert_true(pass(ring));
	assert_int_equal(fake_nr_submits, PLUG_IOS + XENVBD_BATCH_GRANTS / 11);
	assert_int_equal(fake_nr_plugs, 2);
	assert_true(pass(ring));
	assert_int_equal(fake_nr_submits, 32);
	assert_false(pass(ring));
	for (i = 0; i < 32; i++)
		guest_expect(ring, i, OKAY);
	rig_down();
}

static void a_few_go_to_the_disk_one_by_one(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	for (i = 0; i < PLUG_IOS; i++)
		put(ring, rw(BLKIF_OP_READ, i, 16 * i, 1, 10 + i));
	guest_push(ring);
	pass(ring);
	/* Each is at the disk before the next one is looked at. */
	assert_int_equal(fake_nr_map_calls, PLUG_IOS);
	assert_int_equal(fake_nr_bios, PLUG_IOS);
	assert_int_equal(fake_nr_plugs, 0);
	passes(ring);
	for (i = 0; i < PLUG_IOS; i++)
		guest_expect(ring, i, OKAY);
	down();
}

static void the_disk_fails(void **state)
{
	static const struct {
		blk_status_t status;
		s16 shown;
	} rows[] = {
		{ BLK_STS_IOERR, ERROR },
		/* Not a word that may be taken for success. */
		{ BLK_STS_NOTSUPP, ERROR },
		{ 9, ERROR },
	};
	unsigned int i, p;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		struct xenvbd_ring *ring = up(policies[p]);

		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			send(ring, rw(BLKIF_OP_READ, i, 0, 3, 10));
			pass(ring);
			fake_bio_end(fake_bio_first(), rows[i].status);
			assert_true(pass(ring));
			guest_expect(ring, i, rows[i].shown);
			assert_int_equal(ring->stats.err_req, i + 1);
			/* What was there is not shown to the guest. */
			assert_int_equal(fake_grant(10)[0], 0);
			expect_unmapped(ring);
		}
		down();
	}
}

static void a_grant_that_is_none_fails_its_request_alone(void **state)
{
	unsigned int p;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		struct xenvbd_ring *ring = up(policies[p]);
		struct guest_req bad = { .op = BLKIF_OP_WRITE, .id = 1, .nr_segs = 2,
					 .gref = 3000 };

		fake_grant(3000);
		put(ring, bad);
		put(ring, rw(BLKIF_OP_WRITE, 2, 16, 2, 10));
		guest_push(ring);
		pass(ring);
		/* Nothing of the bad one has reached the disk. */
		assert_int_equal(fake_nr_submits, 1);
		passes(ring);
		guest_expect(ring, 1, ERROR);
		guest_expect(ring, 2, OKAY);
		guest_expect_none(ring);
		expect_unmapped(ring);
		assert_int_equal(fake_disk.data[0], disk_byte(0));
		assert_int_equal(ring->stats.err_req, 1);
		down();
	}
}

/* ---- requests that are refused ------------------------------------------------ */

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		struct guest_req req;
		s16 status;
		const char *why;
	} rows[] = {
		{ { .op = 99 }, UNKNOWN, "not offered" },
		{ { .op = BLKIF_OP_READ }, ERROR, "number of segments" },
		{ { .op = BLKIF_OP_READ, .nr_segs = 12 }, ERROR, "number of segments" },
		{ { .op = BLKIF_OP_WRITE, .nr_segs = 255 }, ERROR, "number of segments" },
		{ { .op = BLKIF_OP_READ, .nr_segs = 1, .sector = FAKE_DISK_SECTS - 7 },
		  ERROR, "beyond the end" },
		{ { .op = BLKIF_OP_READ, .nr_segs = 1, .first_sect = 3, .last_sect = 2 },
		  ERROR, "sectors in a segment" },
		{ { .op = BLKIF_OP_READ, .nr_segs = 1, .first_sect = 1, .last_sect = 8 },
		  ERROR, "sectors in a segment" },
		{ { .op = BLKIF_OP_READ, .nr_segs = 257, .desc = 5 },
		  ERROR, "(indirect)" },
		{ { .op = BLKIF_OP_DISCARD, .sector = FAKE_DISK_SECTS - 192,
		    .nr_sects = 193 },
		  ERROR, "beyond the end" },
		{ { .op = BLKIF_OP_WRITE_BARRIER, .nr_segs = 1, .desc = 5 },
		  UNKNOWN, "not offered" },
	};
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_req req = rows[i].req;

		req.id = 1000 + i;
		fake_log_clear();
		send(ring, req);
		assert_true(pass(ring));
		guest_expect(ring, 1000 + i, rows[i].status);
		guest_expect_none(ring);
		expect(fake_logged(rows[i].why), "row %u: %s", i, fake_log());
		assert_int_equal(ring->stats.err_req, i + 1);
		/* No request is in use. */
		assert_int_equal(fake_nr_submits, 0);
	}
	assert_int_equal(ring->stats.rd_req + ring->stats.wr_req + ring->stats.ds_req, 0);

	/* The log has enough of it; the guest is answered all the same. */
	fake_log_clear();
	send(ring, rows[0].req);
	pass(ring);
	guest_expect(ring, 0, UNKNOWN);
	assert_false(fake_logged("refused"));
	assert_int_equal(ring->found, true);
	down();
}

/* It would pass for written if it were said to be not supported. */
static void a_barrier_with_data_that_is_not_offered_is_an_error(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	ring->limits.barrier = false;
	send(ring, rw(BLKIF_OP_WRITE_BARRIER, 1, 0, 1, 10));
	send(ring, rw(BLKIF_OP_WRITE_BARRIER, 2, 0, 0, 0));
	passes(ring);
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, UNKNOWN);
	assert_true(fake_logged("barrier with data not offered"));
	assert_true(fake_logged("operation not offered"));
	assert_int_equal(fake_nr_submits, 0);
	down();
}

static void a_read_only_disk_is_not_written(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	rig.vbd.disk.opened_readonly = true;
	put(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	put(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 2, 0, 0, 0));
	guest_push(ring);
	passes(ring);
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, OKAY);
	down();
}

static unsigned int count(const char *text, const char *word)
{
	unsigned int nr = 0;

	while ((text = strstr(text, word))) {
		text++;
		nr++;
	}
	return nr;
}

/* ---- INDIRECT requests ---------------------------------------------------------- */

static struct guest_req indirect(u8 op, u64 id, u64 sector, unsigned int nr_segs,
				 grant_ref_t gref, grant_ref_t desc)
{
	struct guest_req req = rw(op, id, sector, nr_segs, gref);

	req.desc = desc;
	fake_grant(desc);
	return req;
}

static void indirect_requests_are_executed(void **state)
{
	static const unsigned int sizes[] = { 1, 11, 12, 33, 255, 256 };
	unsigned int i, p;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		struct xenvbd_ring *ring = up(policies[p]);

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			send(ring, indirect(BLKIF_OP_READ, i, 8 * i, sizes[i], 100, 99));
			passes(ring);
			guest_expect(ring, i, OKAY);
			expect_read(100, 8 * i, sizes[i]);
			guest_fill(100, sizes[i], i);
			send(ring, indirect(BLKIF_OP_WRITE, i, 8, sizes[i], 100, 99));
			passes(ring);
			guest_expect(ring, i, OKAY);
			expect_written(8, i, sizes[i]);
			fake_disk_fill();
			expect_unmapped(ring);
			assert_int_equal(ring->stats.rd_req, i + 1);
			assert_int_equal(ring->stats.wr_req, i + 1);
		}
		assert_int_equal(ring->stats.rd_sect, 8 * (1 + 11 + 12 + 33 + 255 + 256));
		assert_int_equal(ring->stats.err_req, 0);
		down();
	}
}

static void indirect_segments_are_checked(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	struct guest_req req = indirect(BLKIF_OP_READ, 1, 0, 40, 100, 99);

	req.first_sect = 7;
	req.last_sect = 6;
	put(ring, req);
	put(ring, indirect(BLKIF_OP_READ, 2, FAKE_DISK_SECTS - 8, 2, 200, 98));
	put(ring, indirect(BLKIF_OP_READ, 3, 0, 20, 300, 97));
	/* Descriptors that are not granted. */
	req = indirect(BLKIF_OP_READ, 4, 0, 20, 400, 96);
	put(ring, req);
	guest_push(ring);
	fake_grant_readonly(96);
	assert_int_equal(fake_nr_bios, 0);
	/* After those of three requests, and 20 that are mapped. */
	fake_fail_at(&fake_grants, 24);
	pass(ring);
	assert_int_equal(fake_nr_copy_calls, 4);
	assert_int_equal(fake_nr_submits, 1);
	/* Of the others nothing is mapped, and what was not fetched is not judged. */
	assert_int_equal(fake_nr_maps, 20);
	assert_true(fake_logged("sectors in a segment"));
	assert_int_equal(count(fake_log(), "refused"), 2);
	passes(ring);
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, ERROR);
	guest_expect(ring, 4, ERROR);
	guest_expect(ring, 3, OKAY);
	/* Counted once, and only if good. */
	assert_int_equal(ring->stats.rd_req, 1);
	assert_int_equal(ring->stats.rd_sect, 160);
	assert_int_equal(ring->stats.err_req, 3);
	down();
}

static void no_more_is_fetched_than_can_be_started(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	put(ring, indirect(BLKIF_OP_READ, 1, 0, 200, 1000, 99));
	put(ring, rw(BLKIF_OP_READ, 2, 0, 1, 10));
	put(ring, indirect(BLKIF_OP_READ, 3, 0, 55, 2000, 98));
	put(ring, indirect(BLKIF_OP_READ, 4, 0, 1, 3000, 97));
	/* Of a few each would be started on its own. */
	for (i = 5; i <= PLUG_IOS + 1; i++)
		put(ring, rw(BLKIF_OP_READ, i, 0, 1, 10 * i));
	guest_push(ring);
	assert_true(pass(ring));
	/* Three fill the batch: the segments of the last one are fetched with the next. */
	assert_int_equal(fake_nr_copies, 3);
	assert_int_equal(fake_nr_copy_calls, 2);
	assert_int_equal(fake_nr_bios, PLUG_IOS + 1);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	guest_expect(ring, 3, OKAY);
	guest_expect(ring, 4, OKAY);
	down();
}

/* Whatever was fetched takes memory until it can be started. */
static void no_more_is_fetched_while_a_ring_starves(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	for (i = 0; i < 4; i++)
		put(ring, indirect(BLKIF_OP_READ, i, 0, 120, 1000 + 200 * i, 90 + i));
	guest_push(ring);
	ring->pages.pool.max_pages = 0;
	assert_true(pass(ring));
	for (i = 0; i < 5; i++)
		assert_false(pass(ring));
	assert_true(ring->starved);
	assert_int_equal(fake_nr_copies, 2);
	ring->pages.pool.max_pages = 512;
	passes(ring);
	for (i = 0; i < 4; i++)
		guest_expect(ring, i, OKAY);
	down();
}

static void indirect_requests_wait_for_memory(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	/* Pages there are, so that nothing else is wanting. */
	send(ring, rw(BLKIF_OP_READ, 9, 0, 11, 10));
	passes(ring);
	guest_expect(ring, 9, OKAY);

	put(ring, indirect(BLKIF_OP_READ, 1, 0, 12, 100, 99));
	put(ring, indirect(BLKIF_OP_READ, 2, 0, 12, 200, 98));
	guest_push(ring);
	fake_fail_all(&fake_allocs);
	assert_true(pass(ring));
	/* One finds the spare. */
	assert_int_equal(fake_nr_bios, 1);
	assert_true(ring->starved);
	assert_false(pass(ring));
	fake_bio_end_all();
	assert_true(pass(ring));
	guest_expect(ring, 1, OKAY);
	/* Which is free then. */
	assert_true(pass(ring));
	assert_false(ring->starved);
	passes(ring);
	guest_expect(ring, 2, OKAY);
	down();
}

/* ---- no map handle is left ------------------------------------------------------------ */

/* Responses to requests 1 to @nr, in any order: all are well but @bad. */
static void guest_expect_all(struct xenvbd_ring *ring, unsigned int nr, u64 bad)
{
	u64 id, seen = 0;
	s16 status;

	while (guest_get(ring, &id, &status)) {
		expect(status == (id == bad ? ERROR : OKAY), "request %llu: status %d",
		       (ull)id, status);
		seen += BIT_ULL(id);
	}
	assert_int_equal(seen, BIT_ULL(nr + 1) - 2);
}

/* Map handles are short from the @nth mapping on; all is read and written still. */
static void try_without_handles(unsigned int policy, unsigned int nth)
{
	struct xenvbd_ring *ring = up(policy);

	/* Two grants are known to a ring that keeps them. */
	send(ring, rw(BLKIF_OP_READ, 9, 0, 2, 10));
	passes(ring);
	guest_expect(ring, 9, OKAY);
	memset(fake_grant(11), 0, XEN_PAGE_SIZE);

	guest_fill(20, 3, 5);
	put(ring, rw(BLKIF_OP_READ, 1, 16, 3, 11));
	put(ring, rw(BLKIF_OP_WRITE, 2, 80, 3, 20));
	put(ring, (struct guest_req) { .op = BLKIF_OP_WRITE, .id = 3, .nr_segs = 1,
				       .gref = 3000, .sector = 160 });
	put(ring, indirect(BLKIF_OP_READ, 4, 200, 40, 1000, 99));
	guest_push(ring);
	fake_fail_at(&fake_handles, nth);
	fake_handles.for_ever = true;
	passes(ring);
	guest_expect_all(ring, 4, 3);
	expect_read(11, 16, 3);
	expect_written(80, 5, 3);
	expect_read(1000, 200, 40);
	expect_unmapped(ring);
	assert_int_equal(ring->pages.copy.nr_reqs, 0);

	/* For a while none is asked for. */
	fake_nr_maps = 0;
	send(ring, rw(BLKIF_OP_READ, 5, 0, 1, 30));
	passes(ring);
	guest_expect(ring, 5, OKAY);
	assert_int_equal(fake_nr_maps, 0);
	fake_fail_at(&fake_handles, 0);
	jiffies += HZ + 1;
	send(ring, rw(BLKIF_OP_READ, 6, 0, 1, 30));
	passes(ring);
	guest_expect(ring, 6, OKAY);
	assert_int_equal(fake_nr_maps, 1);
	down();
}

static void without_map_handles_data_is_copied(void **state)
{
	unsigned int nth;

	for (nth = 1; nth <= 45; nth++) {
		try_without_handles(XENVBD_POLICY_MAP, nth);
		try_without_handles(XENVBD_POLICY_PERSISTENT, nth);
	}
}

static void without_map_handles_and_pages_a_ring_starves(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_READ, 9, 0, 2, 10));
	passes(ring);
	guest_expect(ring, 9, OKAY);
	send(ring, rw(BLKIF_OP_READ, 1, 0, 2, 10));
	fake_fail_all(&fake_handles);
	fake_fail_all(&fake_allocs);
	assert_true(pass(ring));
	assert_false(pass(ring));
	assert_true(ring->starved);
	/* It does not ask again and again. */
	assert_int_equal(fake_nr_map_calls, 2);
	fake_fail_at(&fake_allocs, 0);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	expect_read(10, 0, 2);
	down();
}

/* ---- flushes, barriers, discards --------------------------------------------------- */

static void a_flush_has_no_place(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 1, FAKE_DISK_SECTS * 2, 0, 0));
	pass(ring);
	assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 0);
	assert_int_equal(fake_bio_first()->bi_iter.bi_size, 0);
	assert_true(fake_bio_first()->bi_opf & REQ_PREFLUSH);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	assert_int_equal(ring->stats.f_req, 1);

	/* With data it has. */
	guest_fill(10, 1, 7);
	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 2, 64, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	expect_written(64, 7, 1);
	down();
}

static void a_disk_without_flushes_is_reported(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	pass(ring);
	fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
	pass(ring);
	guest_expect(ring, 1, ERROR);
	assert_false(reported(XENVBD_EVENT_NO_FLUSH));

	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 2, 0, 0, 0));
	pass(ring);
	fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
	pass(ring);
	guest_expect(ring, 2, UNKNOWN);
	assert_true(reported(XENVBD_EVENT_NO_FLUSH));
	assert_int_equal(fake_nr_submits, 2);

	/* In the same memory, a write that is well. */
	rig.vbd.events = 0;
	send(ring, rw(BLKIF_OP_WRITE, 3, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 3, OKAY);
	assert_false(reported(XENVBD_EVENT_NO_FLUSH));
	assert_int_equal(fake_nr_submits, 3);
	down();
}

/* What the disk may refuse though it has data to write. */
static const u8 flushing[] = {
	BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_WRITE_BARRIER, BLKIF_OP_WRITE,
};

/* Of 2 pages; it is at the disk then. */
static void send_flushing(struct xenvbd_ring *ring, u8 op, u64 id)
{
	unsigned int i;

	/* A write is one that goes through a cache. */
	ring->limits.flushes = op != BLKIF_OP_WRITE;
	fake_disk.bdev.write_cache = true;
	guest_fill(10, 2, id);
	send(ring, rw(op, id, 64, 2, 10));
	for (i = 0; i < 3; i++)
		pass(ring);
	assert_int_equal(fake_nr_bios, 1);
	assert_true(fake_bio_first()->bi_opf & (REQ_PREFLUSH | REQ_FUA));
}

static void data_is_written_without_what_the_disk_refuses(void **state)
{
	unsigned int i, p;

	for (p = 0; p < ARRAY_SIZE(policies) * ARRAY_SIZE(flushing); p++) {
		struct xenvbd_ring *ring = up(policies[p / ARRAY_SIZE(flushing)]);
		u8 op = flushing[p % ARRAY_SIZE(flushing)];

		send_flushing(ring, op, 1 + p);
		/* Not by the completion: the thread does it. */
		fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
		assert_int_equal(fake_nr_submits, 1);
		pass(ring);
		guest_expect_none(ring);
		assert_true(reported(XENVBD_EVENT_NO_FLUSH));
		assert_int_equal(fake_nr_submits, 2);
		assert_int_equal(fake_bio_first()->bi_opf,
				 REQ_OP_WRITE | REQ_SYNC | REQ_IDLE);
		rig.vbd.events = 0;
		for (i = 0; i < 3; i++)
			passes(ring);
		guest_expect(ring, 1 + p, OKAY);
		/* That was said already. */
		assert_false(reported(XENVBD_EVENT_NO_FLUSH));
		expect_written(64, 1 + p, 2);
		expect_unmapped(ring);
		assert_int_equal(ring->stats.err_req, 0);

		/* The next one asks the disk once more, in the same memory. */
		send_flushing(ring, op, 100);
		passes(ring);
		guest_expect(ring, 100, OKAY);
		down();
	}
}

static void data_that_is_refused_twice_is_an_error(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flushing); i++) {
		struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

		send_flushing(ring, flushing[i], 1);
		fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
		pass(ring);
		fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
		pass(ring);
		guest_expect(ring, 1, ERROR);
		assert_int_equal(fake_nr_submits, 2);
		passes(ring);
		assert_int_equal(ring->stats.err_req, 1);
		expect_unmapped(ring);
		down();
	}
}

static void a_failed_flush_is_hidden_for_a_while(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 0, 0));
	pass(ring);
	fake_bio_end(fake_bio_first(), BLK_STS_IOERR);
	assert_false(pass(ring));
	guest_expect_none(ring);
	/* Reads and writes go on meanwhile. */
	send(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	assert_false(pass(ring));
	jiffies += HZ;
	pass(ring);
	assert_int_equal(fake_nr_bios, 1);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	assert_int_equal(ring->stats.err_req, 0);
	down();
}

static void a_request_is_no_failed_flush_from_before(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 0, 0));
	pass(ring);
	/* So it is shown at once. */
	ring->wake.draining = true;
	fake_bio_end(fake_bio_first(), BLK_STS_IOERR);
	pass(ring);
	guest_expect(ring, 1, ERROR);
	ring->wake.draining = false;

	/* In the same memory, a write that cannot be mapped. */
	send(ring, (struct guest_req) { .op = BLKIF_OP_WRITE, .id = 2, .nr_segs = 1,
					.gref = 3000 });
	pass(ring);
	guest_expect(ring, 2, ERROR);
	assert_int_equal(fake_nr_submits, 1);
	down();
}

static void a_barrier_orders_writes_and_not_reads(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	put(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	put(ring, rw(BLKIF_OP_WRITE_BARRIER, 2, 8, 1, 11));
	put(ring, rw(BLKIF_OP_WRITE, 3, 16, 1, 12));
	put(ring, rw(BLKIF_OP_READ, 4, 24, 1, 13));
	guest_push(ring);
	pass(ring);
	assert_int_equal(fake_nr_bios, 2);
	fake_bio_end_all();
	while (pass(ring))
		;
	pass(ring);
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 4, OKAY);
	guest_expect_none(ring);
	assert_int_equal(fake_nr_bios, 1);
	assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 8);
	assert_true(fake_bio_first()->bi_opf & REQ_FUA);
	fake_bio_end_all();
	while (pass(ring))
		;
	pass(ring);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(fake_nr_bios, 1);
	assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 16);
	passes(ring);
	guest_expect(ring, 3, OKAY);
	down();
}

static void discards_go_piece_by_piece(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	fake_disk.bdev.max_discard_sectors = 100;
	send(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 1, .sector = 8,
					.nr_sects = 250 });
	for (i = 0; i < 3; i++) {
		assert_true(pass(ring));
		guest_expect_none(ring);
		expect(fake_nr_submits == i + 1, "%lu", fake_nr_submits);
		fake_bio_end_all();
	}
	assert_true(pass(ring));
	guest_expect(ring, 1, OKAY);
	for (i = 8 * SECTOR_SIZE; i < 258 * SECTOR_SIZE; i++)
		assert_int_equal(fake_disk.data[i], 0);
	assert_int_equal(fake_disk.data[258 * SECTOR_SIZE],
			 disk_byte(258 * SECTOR_SIZE));
	assert_int_equal(ring->stats.ds_req, 1);
	down();
}

static void a_discard_is_cut_short_if_its_vbd_is_removed(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	fake_disk.bdev.max_secure_erase_sectors = 100;
	send(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 1,
					.flags = BLKIF_DISCARD_SECURE,
					.nr_sects = 250 });
	pass(ring);
	rig.vbd.removed = true;
	passes(ring);
	guest_expect(ring, 1, ERROR);
	assert_int_equal(fake_nr_submits, 1);
	down();
}

/* ---- the disk changes ----------------------------------------------------------------- */

static void the_ring_follows_the_disks_size(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	/* What nobody asks for is not looked at. */
	fake_disk.bdev.nr_sectors = 100;
	assert_false(pass(ring));
	assert_int_equal(ring->limits.nr_sects, FAKE_DISK_SECTS);

	send(ring, rw(BLKIF_OP_READ, 1, 96, 1, 10));
	pass(ring);
	guest_expect(ring, 1, ERROR);
	assert_int_equal(ring->limits.nr_sects, 100);
	assert_true(reported(XENVBD_EVENT_RESIZE));
	rig.vbd.events = 0;
	rig.nr_works = 0;
	send(ring, rw(BLKIF_OP_READ, 2, 92, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	/* Told once. */
	assert_int_equal(rig.nr_works, 0);
	down();
}

static void a_vanished_disk_is_no_small_one(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	fake_disk.bdev.nr_sectors = 0;
	set_bit(GD_DEAD, &fake_disk.gd.state);
	send(ring, rw(BLKIF_OP_READ, 1, 96, 1, 10));
	pass(ring);
	assert_true(ring->vanished);
	assert_true(reported(XENVBD_EVENT_RESIZE));
	assert_int_equal(ring->limits.nr_sects, FAKE_DISK_SECTS);
	/* It is the disk that fails it. */
	fake_bio_end(fake_bio_first(), BLK_STS_IOERR);
	pass(ring);
	guest_expect(ring, 1, ERROR);
	assert_false(fake_logged("refused"));

	rig.nr_works = 0;
	send(ring, rw(BLKIF_OP_READ, 2, 96, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(rig.nr_works, 0);
	down();
}

static void stable_writes_are_looked_for(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	fake_disk.bdev.stable_writes = true;
	send(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	assert_int_equal(fake_nr_maps, 0);
	assert_int_equal(fake_nr_copies, 1);
	fake_disk.bdev.stable_writes = false;
	send(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(fake_nr_maps, 1);
	down();
}

/* The block layer would build of it what the disk has not asked for. */
static void what_a_disk_has_become_is_looked_for(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	fake_disk.bdev.logical_block_size = 1024;
	send(ring, rw(BLKIF_OP_READ, 1, 1, 1, 10));
	passes(ring);
	guest_expect(ring, 1, ERROR);
	send(ring, rw(BLKIF_OP_READ, 2, 2, 1, 10));
	passes(ring);
	guest_expect(ring, 2, OKAY);
	fake_disk.bdev.read_only = true;
	send(ring, rw(BLKIF_OP_WRITE, 3, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 3, ERROR);
	fake_disk.bdev.read_only = false;
	fake_disk.bdev.logical_block_size = 512;
	send(ring, rw(BLKIF_OP_WRITE, 4, 1, 1, 10));
	passes(ring);
	guest_expect(ring, 4, OKAY);
	rig.vbd.disk.opened_readonly = true;
	send(ring, rw(BLKIF_OP_WRITE, 5, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 5, ERROR);
	rig.vbd.disk.opened_readonly = false;
	down();
}

static void an_empty_drive_answers(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	ring->bdev = NULL;
	ring->limits.nr_sects = U64_MAX;
	rig.vbd.disk = (struct xenvbd_disk) { .empty = true };
	put(ring, rw(BLKIF_OP_READ, 1, 1 << 20, 1, 10));
	put(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 2, 0, 0, 0));
	put(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 3, .nr_sects = 8 });
	guest_push(ring);
	passes(ring);
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, OKAY);
	guest_expect(ring, 3, ERROR);
	assert_int_equal(rig.nr_works, 0);
	down();
}

/* ---- the ring is broken, drained, starved ------------------------------------------------ */

static void a_broken_ring_takes_nothing_more(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	pass(ring);
	guest_sring(ring)->req_prod += 100;
	assert_true(pass(ring));
	assert_true(ring->broken);
	assert_true(reported(XENVBD_EVENT_BROKEN));
	assert_int_equal(rig.nr_works, 1);
	/* Not even if it looks well again. */
	guest_sring(ring)->req_prod = 2;
	assert_false(pass(ring));
	assert_int_equal(rig.nr_works, 1);
	/* What it has is answered. */
	passes(ring);
	guest_expect(ring, 1, OKAY);
	guest_expect_none(ring);
	down();
}

static void a_draining_ring_answers_what_it_has(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	pass(ring);
	send(ring, rw(BLKIF_OP_READ, 2, 0, 1, 11));
	ring->wake.draining = true;
	assert_false(pass(ring));
	assert_int_equal(fake_nr_submits, 1);
	assert_false(ring_drained(ring));
	fake_main.should_stop = true;
	assert_false(ring_drained(ring));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	guest_expect_none(ring);
	assert_true(ring_drained(ring));
	fake_main.should_stop = false;
	assert_false(ring_drained(ring));
	fake_main.should_park = true;
	assert_true(ring_drained(ring));
	fake_main.should_park = false;

	ring->wake.draining = false;
	passes(ring);
	guest_expect(ring, 2, OKAY);
	/* As for a vbd that was removed. */
	rig.vbd.removed = true;
	send(ring, rw(BLKIF_OP_READ, 3, 0, 1, 11));
	passes(ring);
	guest_expect_none(ring);
	down();
}

static void a_starved_ring_comes_again(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	put(ring, rw(BLKIF_OP_READ, 1, 0, 2, 10));
	put(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 2, 0, 0, 0));
	guest_push(ring);
	fake_fail_all(&fake_allocs);
	/* It was taken: that is work. */
	assert_true(pass(ring));
	assert_true(ring->starved);
	/* In order: the flush waits as well. */
	assert_int_equal(fake_nr_submits, 0);
	assert_false(pass(ring));
	fake_fail_at(&fake_allocs, 0);
	assert_true(pass(ring));
	assert_false(ring->starved);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	down();
}

static void pages_in_use_below_hold_a_response_up(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	struct page *page;

	put(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	put(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 11));
	guest_push(ring);
	pass(ring);
	page = fake_bio_first()->bi_io_vec[0].bv_page;
	page->refs++;
	fake_bio_end_all();
	assert_true(pass(ring));
	guest_expect(ring, 2, OKAY);
	guest_expect_none(ring);
	assert_int_equal(fake_grant_maps(10), 1);
	assert_false(pass(ring));
	page->refs--;
	assert_true(pass(ring));
	guest_expect(ring, 1, OKAY);
	expect_unmapped(ring);
	assert_null(ring->held.first);
	down();
}

static void a_kick_is_heard(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_PERSISTENT);

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	assert_int_equal(fake_nr_mappings, 1);
	rig.vbd.tunables.policy = XENVBD_POLICY_MAP;
	ring->wake.squeeze = true;
	assert_false(pass(ring));
	assert_int_equal(fake_nr_mappings, 1);
	ring->wake.kicked = true;
	assert_false(pass(ring));
	assert_false(ring->wake.kicked);
	assert_int_equal(fake_nr_mappings, 0);
	assert_int_equal(ring->stats.squeezes, 1);
	down();
}

/* ---- before it sleeps ---------------------------------------------------------------------- */

static void an_event_is_acknowledged_once(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	ring_eoi(ring);
	assert_int_equal(fake_nr_eois, 0);

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	xenvbd_wake_irq(ring->irq, ring);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	assert_int_equal(fake_nr_eois, 0);
	ring_eoi(ring);
	assert_int_equal(fake_nr_eois, 1);
	assert_int_equal(fake_nr_spurious, 0);
	assert_int_equal(ring->stats.events, 1);
	ring_eoi(ring);
	assert_int_equal(fake_nr_eois, 1);

	/* Nothing was found for this one. */
	xenvbd_wake_irq(ring->irq, ring);
	ring_eoi(ring);
	assert_int_equal(fake_nr_eois, 2);
	assert_int_equal(fake_nr_spurious, 1);
	down();
}

static bool slept;

static bool sleeps(void)
{
	slept = true;
	return true;
}

static bool idles(struct xenvbd_ring *ring, bool draining)
{
	slept = false;
	fake_idle = sleeps;
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_THREAD);
	ring_idle(ring, draining);
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_THREAD);
	assert_int_equal(fake_main.state, TASK_RUNNING);
	return slept;
}

static void a_ring_without_work_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	xenvbd_wake_irq(ring->irq, ring);
	/* The event is of before: acknowledged, and no reason to stay awake. */
	assert_true(idles(ring, false));
	assert_int_equal(fake_nr_eois, 1);
	assert_true(fake_timeout == MAX_SCHEDULE_TIMEOUT);
	/* It wants an event for the next request. */
	put(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	assert_true(guest_push(ring));
	assert_false(idles(ring, false));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	down();
}

static void a_ring_with_work_does_not_sleep(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	ring->wake.kicked = true;
	assert_false(idles(ring, false));
	ring->wake.kicked = false;

	/* It is not known yet that it shall drain, or shall not any more. */
	ring->wake.draining = true;
	assert_false(idles(ring, false));
	assert_true(idles(ring, true));
	ring->wake.draining = false;
	assert_false(idles(ring, true));

	/* All is answered, and somebody waits for that. */
	ring->wake.draining = true;
	fake_main.should_stop = true;
	assert_false(idles(ring, true));
	fake_main.should_stop = false;
	ring->wake.draining = false;

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	pass(ring);
	assert_true(idles(ring, false));
	fake_bio_end_all();
	assert_false(idles(ring, false));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	down();
}

static void the_event_channel_stays_masked_where_events_change_nothing(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);

	/* Broken: for as long as it takes. */
	ring->broken = true;
	xenvbd_wake_irq(ring->irq, ring);
	assert_true(idles(ring, false));
	assert_int_equal(fake_nr_eois, 0);
	assert_true(fake_timeout == MAX_SCHEDULE_TIMEOUT);
	ring->broken = false;

	/* Starved: for a while. */
	ring->starved = XENVBD_NO_PAGES;
	assert_true(idles(ring, false));
	assert_int_equal(fake_nr_eois, 0);
	assert_int_equal(fake_timeout, RETRY_JIFFIES);
	assert_int_equal(ring->stats.oo_req, 1);
	ring->starved = NULL;

	ring->wake.draining = true;
	assert_true(idles(ring, true));
	assert_int_equal(fake_nr_eois, 0);
	assert_true(fake_timeout == MAX_SCHEDULE_TIMEOUT);
	ring->wake.draining = false;
	assert_int_equal(ring->stats.oo_req, 1);

	assert_true(idles(ring, false));
	assert_int_equal(fake_nr_eois, 1);
	down();
}

static void a_ring_sleeps_as_long_as_it_may(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);
	struct page *page;

	send(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 1, OKAY);
	/* Pages to give back in a second. */
	assert_true(idles(ring, false));
	assert_int_equal(fake_timeout, HZ);

	/* Pages to look at soon. */
	rig.vbd.tunables.policy = XENVBD_POLICY_MAP;
	send(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 10));
	pass(ring);
	page = fake_bio_first()->bi_io_vec[0].bv_page;
	page->refs++;
	passes(ring);
	guest_expect_none(ring);
	assert_true(idles(ring, false));
	assert_int_equal(fake_timeout, RETRY_JIFFIES);
	page->refs--;
	passes(ring);
	guest_expect(ring, 2, OKAY);

	/* A flush to try again. */
	jiffies += HZ;
	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 3, 0, 0, 0));
	pass(ring);
	fake_bio_end(fake_bio_first(), BLK_STS_IOERR);
	pass(ring);
	jiffies += HZ / 5;
	assert_true(idles(ring, false));
	assert_int_equal(fake_timeout, HZ - HZ / 5);
	jiffies += HZ;
	passes(ring);
	guest_expect(ring, 3, OKAY);
	down();
}

/* ---- a guest that sends nonsense ------------------------------------------------------------ */

/* So many requests that are refused, one by one. */
static void send_bad(struct xenvbd_ring *ring, unsigned int nr)
{
	struct guest_req bad = { .op = 99 };

	for (bad.id = 0; bad.id < nr; bad.id++) {
		send(ring, bad);
		assert_true(pass(ring));
		guest_expect(ring, bad.id, UNKNOWN);
	}
}

static void a_ring_full_of_nonsense_pauses(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int nr = ring->sring.nr_ents;

	send_bad(ring, 2 * nr);
	/* Nothing more is looked at, and no event is wanted. */
	send(ring, rw(BLKIF_OP_READ, 7, 0, 1, 10));
	assert_false(pass(ring));
	xenvbd_wake_irq(ring->irq, ring);
	assert_true(idles(ring, false));
	assert_int_equal(fake_timeout, RETRY_JIFFIES);
	assert_int_equal(fake_nr_eois, 0);

	/* Then it is served again, as long as the requests are good. */
	jiffies += RETRY_JIFFIES;
	passes(ring);
	guest_expect(ring, 7, OKAY);
	assert_int_equal(ring->nr_refused, nr - 1);
	send_bad(ring, nr + 1);
	send(ring, rw(BLKIF_OP_READ, 8, 0, 1, 10));
	assert_false(pass(ring));
	jiffies += RETRY_JIFFIES;
	passes(ring);
	guest_expect(ring, 8, OKAY);
	down();
}

static void wrong_grants_and_segments_are_nonsense(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	struct guest_req bad = indirect(BLKIF_OP_READ, 2, 0, 1, 1000, 99);

	fake_fail_at(&fake_grants, 1);
	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	passes(ring);
	guest_expect(ring, 1, ERROR);
	fake_fail_at(&fake_grants, 0);
	assert_int_equal(ring->nr_refused, 2);
	bad.first_sect = 3;
	bad.last_sect = 2;
	send(ring, bad);
	passes(ring);
	guest_expect(ring, 2, ERROR);
	assert_int_equal(ring->nr_refused, 3);
	/* A page of descriptors that is none. */
	fake_fail_at(&fake_grants, 1);
	send(ring, indirect(BLKIF_OP_READ, 4, 0, 1, 1000, 99));
	passes(ring);
	guest_expect(ring, 4, ERROR);
	fake_fail_at(&fake_grants, 0);
	assert_int_equal(ring->nr_refused, 4);
	/* Good ones make up for it. */
	send(ring, rw(BLKIF_OP_READ, 3, 0, 1, 11));
	passes(ring);
	guest_expect(ring, 3, OKAY);
	assert_int_equal(ring->nr_refused, 3);
	down();
}

/* A guest goes by what it was told, whatever has become of its disk. */
static void what_a_guest_cannot_know_is_no_nonsense(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	const struct guest_req reqs[] = {
		rw(BLKIF_OP_WRITE, 1, 0, 1, 10),
		indirect(BLKIF_OP_WRITE, 2, 0, 20, 100, 99),
		{ .op = BLKIF_OP_READ, .id = 3, .nr_segs = 1, .gref = 10, .sector = 2,
		  .last_sect = 1 },
		indirect(BLKIF_OP_READ, 4, 1, 20, 100, 99),
		rw(BLKIF_OP_READ, 5, 104, 1, 10),
		{ .op = BLKIF_OP_DISCARD, .id = 6, .nr_sects = 8 },
	};
	unsigned int i, round;

	fake_disk.bdev.read_only = true;
	fake_disk.bdev.logical_block_size = 4096;
	fake_disk.bdev.nr_sectors = 100;
	ring->limits.discard = false;
	for (round = 0; round < ring->sring.nr_ents; round++) {
		for (i = 0; i < ARRAY_SIZE(reqs); i++) {
			send(ring, reqs[i]);
			passes(ring);
			guest_expect(ring, reqs[i].id, i == 5 ? UNKNOWN : ERROR);
		}
	}
	assert_int_equal(fake_nr_submits, 0);
	assert_int_equal(ring->nr_refused, 0);

	/* What is bad by any measure is, and what was told is told. */
	send(ring, rw(BLKIF_OP_WRITE, 7, FAKE_DISK_SECTS, 1, 10));
	passes(ring);
	guest_expect(ring, 7, ERROR);
	assert_int_equal(ring->nr_refused, 1);
	rig.vbd.advertised.sects = 100;
	rig.vbd.advertised.disk.readonly = true;
	rig.vbd.advertised.disk.block_size = 4096;
	rig.vbd.advertised.disk.discard = false;
	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		send(ring, reqs[i]);
		passes(ring);
		guest_expect(ring, reqs[i].id, i == 5 ? UNKNOWN : ERROR);
		assert_int_equal(ring->nr_refused, 2 + i);
	}
	down();
}

static void a_ring_full_of_wrong_grants_pauses(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	/* The first one does not make up for any. */
	unsigned int i, nr = 2 * ring->sring.nr_ents - 1;

	fake_fail_all(&fake_grants);
	for (i = 0; i < nr; i++) {
		send(ring, rw(BLKIF_OP_READ, i, 0, 1, 10));
		passes(ring);
		guest_expect(ring, i, ERROR);
	}
	fake_fail_at(&fake_grants, 0);
	send(ring, rw(BLKIF_OP_READ, 7, 0, 1, 10));
	assert_false(pass(ring));
	assert_true(idles(ring, false));
	assert_int_equal(fake_timeout, RETRY_JIFFIES);
	/* While it stops nobody takes, and nobody comes for that. */
	ring->wake.draining = true;
	assert_true(idles(ring, true));
	assert_true(fake_timeout == MAX_SCHEDULE_TIMEOUT);
	ring->wake.draining = false;
	jiffies += RETRY_JIFFIES;
	passes(ring);
	guest_expect(ring, 7, OKAY);
	down();
}

/* ---- completions, while the thread sleeps ----------------------------------------------------- */

/* As data/wake.c does it. */
static bool answer(struct xenvbd_ring *ring)
{
	bool all;

	/* Unless the test says otherwise, as the thread leaves it. */
	if (!ring->wake.budget)
		ring->wake.budget = XENVBD_WAKE_BUDGET;
	ring->wake.owner = XENVBD_OWNER_COMPLETION;
	shim_atomic++;
	all = xenvbd_answer_now(ring);
	shim_atomic--;
	ring->wake.owner = XENVBD_OWNER_THREAD;
	assert_int_equal(all, llist_empty(&ring->wake.done));
	return all;
}

static void a_completion_answers_reads_and_writes(void **state)
{
	unsigned int i, op;

	for (i = 0; i < 2 * ARRAY_SIZE(policies); i++) {
		unsigned int policy = policies[i / 2];
		struct xenvbd_ring *ring = up(policy);

		op = i % 2 ? BLKIF_OP_WRITE : BLKIF_OP_READ;
		guest_fill(10, 5, 3);
		send(ring, rw(op, 77, 40, 5, 10));
		pass(ring);
		fake_bio_end_all();
		/* What has to be unmapped is the thread's. */
		assert_int_equal(answer(ring), policy != XENVBD_POLICY_MAP);
		assert_int_equal(ring->stats.answers, policy != XENVBD_POLICY_MAP);
		if (policy == XENVBD_POLICY_MAP)
			passes(ring);
		guest_expect(ring, 77, OKAY);
		guest_expect_none(ring);
		if (op == BLKIF_OP_READ)
			expect_read(10, 40, 5);
		else
			expect_written(40, 3, 5);
		expect_unmapped(ring);
		assert_int_equal(fake_nr_notifies, 1);
		assert_int_equal(ring->pages.copy.nr_reqs, 0);
		assert_int_equal(ring->barrier.turn.order.nr_writes, 0);
		down();
	}
}

static void nothing_to_answer_is_all_answered(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);

	assert_true(answer(ring));
	assert_int_equal(fake_nr_notifies, 0);
	down();
}

static void a_completion_answers_what_the_budget_allows(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_PERSISTENT);
	unsigned int i;

	ring->wake.budget = 8;
	for (i = 0; i < 10; i++)
		put(ring, rw(BLKIF_OP_READ, i, 8 * i, 1, 10 + i));
	guest_push(ring);
	pass(ring);
	fake_bio_end_all();
	assert_false(answer(ring));
	assert_int_equal(ring->stats.answers, 8);
	assert_int_equal(ring->wake.budget, 0);
	/* In the order in which they were completed, the rest as well. */
	for (i = 0; i < 8; i++)
		guest_expect(ring, i, OKAY);
	guest_expect_none(ring);
	/* The thread has no budget. */
	passes(ring);
	for (; i < 10; i++)
		guest_expect(ring, i, OKAY);
	down();
}

static void a_completion_copies_what_the_budget_allows(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);
	unsigned int i;

	/* Two of eleven segments, and one more request. */
	ring->wake.budget = 2 * 12 + 1;
	for (i = 0; i < 3; i++)
		put(ring, rw(BLKIF_OP_READ, i, 88 * i, 11, 10 + 20 * i));
	/* The data of a write was copied before. */
	put(ring, rw(BLKIF_OP_WRITE, 3, 300, 11, 100));
	put(ring, rw(BLKIF_OP_READ, 4, 400, 1, 120));
	guest_push(ring);
	pass(ring);
	fake_bio_end_all();
	fake_nr_copies = fake_nr_copy_calls = 0;
	assert_false(answer(ring));
	assert_int_equal(ring->stats.answers, 3);
	assert_int_equal(fake_nr_copies, 22);
	assert_int_equal(fake_nr_copy_calls, 1);
	assert_int_equal(ring->wake.budget, 0);
	guest_expect(ring, 0, OKAY);
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 3, OKAY);
	passes(ring);
	guest_expect(ring, 2, OKAY);
	guest_expect(ring, 4, OKAY);
	expect_read(50, 176, 11);
	down();
}

static void a_completion_leaves_a_copy_that_fails_as_an_error(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);

	put(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	put(ring, rw(BLKIF_OP_READ, 2, 80, 1, 20));
	guest_push(ring);
	pass(ring);
	fake_bio_end_all();
	fake_fail_at(&fake_grants, 1);
	assert_true(answer(ring));
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(ring->stats.err_req, 1);
	down();
}

static void a_completion_waits_for_no_page(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);

	put(ring, rw(BLKIF_OP_READ, 1, 0, 2, 10));
	put(ring, rw(BLKIF_OP_READ, 2, 80, 1, 20));
	guest_push(ring);
	pass(ring);
	fake_bio_end_all();
	fake_grant_page_out(11);
	assert_false(answer(ring));
	guest_expect(ring, 2, OKAY);
	guest_expect_none(ring);
	passes(ring);
	guest_expect(ring, 1, OKAY);
	expect_read(10, 0, 2);
	down();
}

/* It may have granted the page for something else since. */
static void nothing_is_copied_to_a_guest_whose_vbd_is_gone(void **state)
{
	unsigned int now;

	for (now = 0; now < 2; now++) {
		struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);

		send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
		pass(ring);
		fake_bio_end_all();
		rig.vbd.abandoned = true;
		if (now)
			assert_true(answer(ring));
		else
			passes(ring);
		guest_expect(ring, 1, OKAY);
		assert_int_equal(fake_nr_copies, 0);
		down();
	}
}

/* The disk says what a copy says that would have to wait. */
static void a_completion_answers_no_error(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	pass(ring);
	fake_bio_end(fake_bio_first(), BLK_STS_AGAIN);
	assert_false(answer(ring));
	guest_expect_none(ring);
	passes(ring);
	guest_expect(ring, 1, ERROR);
	down();
}

static void a_completion_answers_nothing_that_is_ordered(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);
	struct guest_req flush = { .op = BLKIF_OP_FLUSH_DISKCACHE, .id = 1 };

	send(ring, flush);
	pass(ring);
	fake_bio_end_all();
	assert_false(answer(ring));
	guest_expect_none(ring);
	passes(ring);
	guest_expect(ring, 1, OKAY);

	/* A barrier waits for the write. */
	put(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 10));
	put(ring, rw(BLKIF_OP_WRITE_BARRIER, 3, 8, 1, 11));
	guest_push(ring);
	pass(ring);
	fake_bio_end_all();
	assert_false(answer(ring));
	guest_expect_none(ring);
	passes(ring);
	guest_expect(ring, 2, OKAY);
	/* It was kicked. */
	passes(ring);
	guest_expect(ring, 3, OKAY);
	down();
}

static void a_completion_leaves_alone_what_the_thread_waits_with(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_COPY);
	struct xenvbd_req waiting = {};

	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	pass(ring);
	fake_bio_end_all();

	ring->wake.draining = true;
	assert_false(answer(ring));
	ring->wake.draining = false;
	rig.vbd.removed = true;
	assert_false(answer(ring));
	rig.vbd.removed = false;
	ring->todo.first = &waiting;
	assert_false(answer(ring));
	ring->todo.first = NULL;
	ring->held.first = &waiting;
	assert_false(answer(ring));
	ring->held.first = NULL;
	guest_expect_none(ring);
	assert_true(answer(ring));
	guest_expect(ring, 1, OKAY);
	down();
}

/* ---- the thread ------------------------------------------------------------------------------ */

static struct xenvbd_ring *up_thread(unsigned int nr_rings)
{
	unsigned int i;

	rig_up(nr_rings, 1, false);
	rig.vbd.tunables.policy = XENVBD_POLICY_MAP;
	for (i = 0; i < nr_rings; i++) {
		expect(!xenvbd_thread_start(rig.rings[i], xenvbd_ring_serve), "%u", i);
		fake_task_run(rig.rings[i]->task);
		expect(rig.rings[i]->wake.owner == XENVBD_OWNER_NONE, "%u", i);
	}
	return rig.rings[0];
}

/* Let it run if it was woken. */
static bool run(struct xenvbd_ring *ring)
{
	if (ring->task->state != TASK_RUNNING)
		return false;
	fake_task_run(ring->task);
	return true;
}

static void the_thread_serves(void **state)
{
	struct xenvbd_ring *ring = up_thread(1);
	unsigned int i;

	for (i = 0; i < 100; i++) {
		struct guest_req req = rw(BLKIF_OP_READ, i, 0, 1, 10);

		guest_put(ring, &req);
		expect(guest_push(ring), "no event wanted");
		assert_false(run(ring));
		xenvbd_wake_irq(ring->irq, ring);
		assert_true(run(ring));
		/* It sleeps while the disk works. */
		assert_int_equal(ring->task->state, TASK_IDLE | TASK_FREEZABLE);
		assert_int_equal(fake_bio_end_all(), 1);
		assert_true(run(ring));
		guest_expect(ring, i, OKAY);
	}
	assert_int_equal(fake_nr_eois, 100);
	assert_int_equal(fake_nr_spurious, 0);
	assert_int_equal(ring->stats.passes, 200);
	rig_down();
}

static void the_thread_sleeps_on_while_completions_answer(void **state)
{
	struct xenvbd_ring *ring = up_thread(1);
	unsigned int i;

	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	for (i = 0; i < 100; i++) {
		send(ring, rw(BLKIF_OP_READ, i, 8 * i, 1, 10));
		xenvbd_wake_irq(ring->irq, ring);
		assert_true(run(ring));
		assert_int_equal(fake_bio_end_all(), 1);
		guest_expect(ring, i, OKAY);
		expect_read(10, 8 * i, 1);
		assert_false(run(ring));
	}
	assert_int_equal(ring->stats.passes, 100);
	assert_int_equal(ring->stats.answers, 100);
	rig_down();
}

static void the_thread_finds_what_was_there_before_it(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	fake_disk.at_once = true;
	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	assert_int_equal(xenvbd_thread_start(ring, xenvbd_ring_serve), 0);
	assert_true(run(ring));
	guest_expect(ring, 1, OKAY);
	rig_down();
}

static bool disk_works(void)
{
	return fake_bio_end_all();
}

static void a_thread_that_is_stopped_answers_all(void **state)
{
	struct xenvbd_ring *ring = up_thread(1);
	unsigned int i;

	for (i = 0; i < 20; i++)
		put(ring, rw(BLKIF_OP_WRITE, i, 8 * i, 2, 10 + 2 * i));
	guest_push(ring);
	xenvbd_wake_irq(ring->irq, ring);
	run(ring);
	assert_int_equal(fake_nr_bios, 20);
	/* This one comes too late. */
	send(ring, rw(BLKIF_OP_WRITE, 99, 0, 1, 99));
	fake_idle = disk_works;
	xenvbd_thread_drain(ring);
	xenvbd_thread_stop(ring);
	for (i = 0; i < 20; i++)
		guest_expect(ring, i, OKAY);
	guest_expect_none(ring);
	assert_int_equal(rig.vbd.barriers.order.rings, 0);
	put_task_struct(ring->task);
	ring->task = NULL;
	rig_down();
}

static void a_thread_pauses_and_goes_on(void **state)
{
	struct xenvbd_ring *ring = up_thread(2);

	send(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	xenvbd_wake_irq(ring->irq, ring);
	run(ring);
	fake_idle = disk_works;
	assert_int_equal(rig.vbd.barriers.order.rings, 3);
	xenvbd_thread_drain(ring);
	xenvbd_thread_pause(ring);
	guest_expect(ring, 1, OKAY);
	/* No barrier of another ring waits for it. */
	assert_int_equal(rig.vbd.barriers.order.rings, 2);
	send(ring, rw(BLKIF_OP_WRITE, 2, 0, 1, 10));
	xenvbd_wake_irq(ring->irq, ring);
	assert_int_equal(fake_nr_submits, 1);

	xenvbd_thread_resume(ring);
	run(ring);
	assert_int_equal(rig.vbd.barriers.order.rings, 3);
	assert_int_equal(fake_bio_end_all(), 1);
	run(ring);
	guest_expect(ring, 2, OKAY);
	rig_down();
}

static void a_removed_vbd_takes_nothing_more(void **state)
{
	struct xenvbd_ring *ring = up_thread(1);

	send(ring, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	rig.vbd.removed = true;
	xenvbd_wake_irq(ring->irq, ring);
	run(ring);
	assert_int_equal(fake_nr_submits, 0);
	guest_expect_none(ring);
	rig_down();
}

static void a_barrier_goes_over_threads(void **state)
{
	struct xenvbd_ring *ring = up_thread(2), *other = rig.rings[1];

	send(other, rw(BLKIF_OP_WRITE, 1, 0, 1, 10));
	xenvbd_wake_irq(other->irq, other);
	run(other);
	send(ring, rw(BLKIF_OP_WRITE_BARRIER, 2, 0, 1, 11));
	xenvbd_wake_irq(ring->irq, ring);
	while (run(ring) || run(other))
		;
	assert_int_equal(fake_nr_bios, 1);
	do
		fake_bio_end_all();
	while (run(other) || run(ring));
	guest_expect(other, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	rig_down();
}

static void a_thread_polls(void **state)
{
	struct xenvbd_ring *ring = up_thread(1);
	unsigned long missed;

	fake_disk.at_once = true;
	rig.vbd.tunables.polling_us = 100;
	send(ring, rw(BLKIF_OP_READ, 1, 0, 1, 10));
	xenvbd_wake_irq(ring->irq, ring);
	run(ring);
	guest_expect(ring, 1, OKAY);
	/* Once after each work, not again before there is other work. */
	missed = ring->stats.polls_missed;
	assert_int_equal(missed, 1);
	ring->wake.kicked = true;
	fake_task_run(ring->task);
	assert_int_equal(ring->stats.polls_missed, missed);
	/* Work has come: what polling has brought is judged. */
	assert_int_not_equal(ring->poll.begin, 0);
	rig.vbd.tunables.polling_us = 0;
	send(ring, rw(BLKIF_OP_READ, 2, 0, 1, 10));
	xenvbd_wake_irq(ring->irq, ring);
	run(ring);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(ring->poll.begin, 0);
	rig_down();
}

/* ---- all together ------------------------------------------------------------------------------ */

/* Requests that are in flight as the guest sees them, by id. */
static struct {
	bool sent;
	bool write;
	u64 sector;
	unsigned int nr_segs;
} flight[64];

static void storm_send(struct xenvbd_ring *ring, u32 *seed, unsigned int id)
{
	static const u8 ops[] = {
		BLKIF_OP_READ, BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE,
		BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_WRITE_BARRIER, BLKIF_OP_DISCARD, 77,
	};
	u8 op = ops[prng(seed) % ARRAY_SIZE(ops)];
	struct guest_req req = {
		.op = op, .id = id, .sector = prng(seed) % (FAKE_DISK_SECTS - 256),
		.nr_segs = 1 + prng(seed) % 11, .gref = 100 + id * 32,
		.nr_sects = prng(seed) % 256,
	};
	unsigned int i;

	if (op <= BLKIF_OP_WRITE && prng(seed) % 4 == 0) {
		req.nr_segs = 1 + prng(seed) % 32;
		req.desc = 10 + id;
	}
	for (i = 0; i < req.nr_segs; i++)
		fake_grant(req.gref + i);
	flight[id].sent = true;
	guest_put(ring, &req);
}

static unsigned int storm_receive(struct xenvbd_ring *ring)
{
	unsigned int nr = 0;
	s16 status;
	u64 id;

	for (; guest_get(ring, &id, &status); nr++) {
		expect(id < ARRAY_SIZE(flight) && flight[id].sent, "%llu answered twice",
		       (ull)id);
		expect(status != 1, "%d", status);
		flight[id].sent = false;
	}
	return nr;
}

/* Everything in any order, with errors: each request is answered once. */
static void storm(unsigned int policy, u32 seed)
{
	struct xenvbd_ring *ring = up(policy);
	unsigned int step, id, sent = 0, received = 0;
	struct bio *bio;

	memset(flight, 0, sizeof(flight));
	fake_disk.bdev.max_discard_sectors = 64;
	for (step = 0; step < 5000; step++) {
		for (id = prng(&seed) % 32; id < 32 && prng(&seed) % 4; id++) {
			if (flight[id].sent)
				continue;
			storm_send(ring, &seed, id);
			sent++;
		}
		guest_push(ring);
		if (prng(&seed) % 50 == 0)
			fake_fail_at(&fake_grants, 1 + prng(&seed) % 20);
		if (prng(&seed) % 50 == 0)
			fake_fail_at(&fake_allocs, 1 + prng(&seed) % 5);
		if (prng(&seed) % 100 == 0)
			rig.vbd.tunables.policy = prng(&seed) % 4;
		pass(ring);
		while ((bio = fake_bio_first()) && prng(&seed) % 3) {
			for (id = prng(&seed) % 4; id && bio->bi_next; id--)
				bio = bio->bi_next;
			fake_bio_end(bio, prng(&seed) % 16 ? BLK_STS_OK : BLK_STS_IOERR);
		}
		received += storm_receive(ring);
		jiffies += prng(&seed) % HZ;
	}
	for (step = 0; step < 1000 && received < sent; step++) {
		jiffies += HZ;
		passes(ring);
		received += storm_receive(ring);
	}
	expect(sent == received, "%u sent, %u answered", sent, received);
	expect(sent > 3000, "%u sent", sent);
	expect_unmapped(ring);
	down();
}

/* A disk of two tags, and a guest that looks for answers whenever the thread sleeps. */
static unsigned int nr_sleeps;

static void the_thread_sleeps(void)
{
	unsigned int nr = guest_sring(rig.rings[0])->rsp_prod;

	/* What was complete before the thread has slept last was answered after that. */
	expect(nr == nr_sleeps, "%u answers when it sleeps the %uth time", nr, nr_sleeps);
	nr_sleeps++;
}

static void try_two_tags(unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct xenvbd_ring *ring = up(policies[i]);

		fake_disk.nr_tags = 2;
		fake_disk.sleeps = the_thread_sleeps;
		nr_sleeps = 0;
		for (j = 0; j < nr; j++)
			put(ring, rw(BLKIF_OP_READ, j, 16 * j, 1, 100 + j));
		guest_push(ring);
		pass(ring);
		expect(nr_sleeps == nr - 2, "%u", nr_sleeps);
		passes(ring);
		for (j = 0; j < nr; j++) {
			guest_expect(ring, j, OKAY);
			expect_read(100 + j, 16 * j, 1);
		}
		down();
	}
}

static void an_answer_does_not_wait_for_the_queue(void **state)
{
	try_two_tags(PLUG_IOS);
	try_two_tags(PLUG_IOS + 2);
}

static void the_vbd_is_removed(void)
{
	/* Somebody looks after the requests however long it sleeps. */
	assert_true(rig.vbd.watchdog.armed);
	rig.vbd.removed = true;
}

/* The disk may be another vbd's when the thread wakes up. */
static void who_is_removed_takes_no_more(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_POLICY_MAP);
	unsigned int i;

	fake_disk.nr_tags = 2;
	fake_disk.sleeps = the_vbd_is_removed;
	for (i = 0; i < 6; i++)
		put(ring, rw(BLKIF_OP_WRITE, i, 16 * i, 1, 100 + i));
	guest_push(ring);
	pass(ring);
	assert_int_equal(ring->sring.req_cons, 3);
	passes(ring);
	assert_int_equal(ring->sring.req_cons, 3);
	rig.vbd.removed = false;
	fake_disk.sleeps = NULL;
	fake_disk.nr_tags = 0;
	passes(ring);
	for (i = 0; i < 6; i++)
		guest_expect(ring, i, OKAY);
	down();
}

static void each_request_is_answered_once(void **state)
{
	unsigned int policy;

	for (policy = XENVBD_POLICY_AUTO; policy <= XENVBD_POLICY_COPY; policy++)
		storm(policy, 12345 + policy);
}

/* Once, until somebody has found that all are back; see control/stall.c. */
static void requests_are_looked_after(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	rig.vbd.tunables.slow_seconds = 30;
	assert_int_equal(xenvbd_thread_start(ring, xenvbd_ring_serve), 0);
	fake_task_run(ring->task);
	assert_int_equal(rig.nr_watches, 0);
	guest_send(ring, &(struct guest_req){ .op = BLKIF_OP_FLUSH_DISKCACHE, .id = 1 });
	xenvbd_wake_irq(5, ring);
	fake_task_run(ring->task);
	assert_int_equal(rig.nr_watches, 1);
	assert_int_equal(rig.watch_delay, 30 * HZ);
	assert_true(rig.vbd.watchdog.armed);
	guest_send(ring, &(struct guest_req){ .op = BLKIF_OP_FLUSH_DISKCACHE, .id = 2 });
	xenvbd_wake_irq(5, ring);
	fake_task_run(ring->task);
	assert_int_equal(rig.nr_watches, 1);
	/* Nobody wants to know: no timer. */
	rig.vbd.watchdog.armed = false;
	rig.vbd.tunables.slow_seconds = 0;
	guest_send(ring, &(struct guest_req){ .op = BLKIF_OP_FLUSH_DISKCACHE, .id = 3 });
	xenvbd_wake_irq(5, ring);
	fake_task_run(ring->task);
	assert_int_equal(rig.nr_watches, 1);
	assert_true(rig.vbd.watchdog.armed);
	fake_bio_end_all();
	fake_task_run(ring->task);
	rig_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_reads),
		cmocka_unit_test(a_write_writes),
		cmocka_unit_test(parts_of_pages_are_read_and_written),
		cmocka_unit_test(what_comes_together_goes_together),
		cmocka_unit_test(of_a_disk_that_answers_at_once_the_rest_goes_together),
		cmocka_unit_test(a_disk_may_complete_at_once),
		cmocka_unit_test(an_answer_does_not_wait_for_the_queue),
		cmocka_unit_test(who_is_removed_takes_no_more),
		cmocka_unit_test(more_than_a_batch_takes_more_than_a_pass),
		cmocka_unit_test(a_few_go_to_the_disk_one_by_one),
		cmocka_unit_test(the_disk_fails),
		cmocka_unit_test(a_grant_that_is_none_fails_its_request_alone),
		cmocka_unit_test(without_map_handles_data_is_copied),
		cmocka_unit_test(without_map_handles_and_pages_a_ring_starves),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(a_ring_full_of_nonsense_pauses),
		cmocka_unit_test(wrong_grants_and_segments_are_nonsense),
		cmocka_unit_test(what_a_guest_cannot_know_is_no_nonsense),
		cmocka_unit_test(a_ring_full_of_wrong_grants_pauses),
		cmocka_unit_test(a_barrier_with_data_that_is_not_offered_is_an_error),
		cmocka_unit_test(a_read_only_disk_is_not_written),
		cmocka_unit_test(indirect_requests_are_executed),
		cmocka_unit_test(indirect_segments_are_checked),
		cmocka_unit_test(no_more_is_fetched_than_can_be_started),
		cmocka_unit_test(no_more_is_fetched_while_a_ring_starves),
		cmocka_unit_test(indirect_requests_wait_for_memory),
		cmocka_unit_test(a_flush_has_no_place),
		cmocka_unit_test(a_disk_without_flushes_is_reported),
		cmocka_unit_test(data_is_written_without_what_the_disk_refuses),
		cmocka_unit_test(data_that_is_refused_twice_is_an_error),
		cmocka_unit_test(a_failed_flush_is_hidden_for_a_while),
		cmocka_unit_test(a_request_is_no_failed_flush_from_before),
		cmocka_unit_test(a_barrier_orders_writes_and_not_reads),
		cmocka_unit_test(discards_go_piece_by_piece),
		cmocka_unit_test(a_discard_is_cut_short_if_its_vbd_is_removed),
		cmocka_unit_test(the_ring_follows_the_disks_size),
		cmocka_unit_test(a_vanished_disk_is_no_small_one),
		cmocka_unit_test(stable_writes_are_looked_for),
		cmocka_unit_test(what_a_disk_has_become_is_looked_for),
		cmocka_unit_test(an_empty_drive_answers),
		cmocka_unit_test(a_broken_ring_takes_nothing_more),
		cmocka_unit_test(a_draining_ring_answers_what_it_has),
		cmocka_unit_test(a_starved_ring_comes_again),
		cmocka_unit_test(pages_in_use_below_hold_a_response_up),
		cmocka_unit_test(a_kick_is_heard),
		cmocka_unit_test(an_event_is_acknowledged_once),
		cmocka_unit_test(a_ring_without_work_sleeps),
		cmocka_unit_test(a_ring_with_work_does_not_sleep),
		cmocka_unit_test(the_event_channel_stays_masked_where_events_change_nothing),
		cmocka_unit_test(a_ring_sleeps_as_long_as_it_may),
		cmocka_unit_test(a_completion_answers_reads_and_writes),
		cmocka_unit_test(nothing_to_answer_is_all_answered),
		cmocka_unit_test(a_completion_answers_what_the_budget_allows),
		cmocka_unit_test(a_completion_copies_what_the_budget_allows),
		cmocka_unit_test(a_completion_leaves_a_copy_that_fails_as_an_error),
		cmocka_unit_test(a_completion_waits_for_no_page),
		cmocka_unit_test(nothing_is_copied_to_a_guest_whose_vbd_is_gone),
		cmocka_unit_test(a_completion_answers_no_error),
		cmocka_unit_test(a_completion_answers_nothing_that_is_ordered),
		cmocka_unit_test(a_completion_leaves_alone_what_the_thread_waits_with),
		cmocka_unit_test(the_thread_serves),
		cmocka_unit_test(the_thread_sleeps_on_while_completions_answer),
		cmocka_unit_test(the_thread_finds_what_was_there_before_it),
		cmocka_unit_test(a_thread_that_is_stopped_answers_all),
		cmocka_unit_test(a_thread_pauses_and_goes_on),
		cmocka_unit_test(a_removed_vbd_takes_nothing_more),
		cmocka_unit_test(a_barrier_goes_over_threads),
		cmocka_unit_test(a_thread_polls),
		cmocka_unit_test(each_request_is_answered_once),
		cmocka_unit_test(requests_are_looked_after),
	};

	return RUN(tests);
}
