// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that are not whole blocks of the disk, through the rings' own passes. The
 * fake disk takes whole blocks only.
 */
#include "blkback.c"

#include "data/thread.h"
#include "rig.h"

#define OKAY	BLKIF_RSP_OKAY
#define ERROR	BLKIF_RSP_ERROR
#define BLOCK	4096U

static struct xenvbd_ring *up(unsigned int nr_rings, unsigned int block_size,
			      unsigned int policy)
{
	unsigned int i;

	rig_emulate(block_size);
	rig.vbd.tunables.policy = policy;
	for (i = 0; i < nr_rings; i++)
		expect(!rig_add_ring(1, policy == XENVBD_POLICY_PERSISTENT), "ring %u",
		       i);
	return rig.rings[0];
}

/* Without threads: the test passes over the rings. */
static struct xenvbd_ring *up_joined(unsigned int nr_rings)
{
	unsigned int i;

	up(nr_rings, BLOCK, XENVBD_POLICY_COPY);
	for (i = 0; i < nr_rings; i++)
		ring_join(rig.rings[i]);
	return rig.rings[0];
}

static void down(void)
{
	unsigned int i;

	for (i = 0; i < rig.vbd.nr_rings; i++) {
		struct xenvbd_ring *ring = rig.rings[i];

		expect(!xenvbd_sring_inflight(&ring->sring), "in flight");
		expect(xenvbd_rmw_idle(&ring->rmw), "ring %u is not idle", i);
		expect(!ring->rmw.turn.order.nr_writes, "ring %u has writes", i);
		if (!ring->task)
			ring_leave(ring);
	}
	rig_down();
}

/* Sectors of one page. */
static struct guest_req rw(u8 op, u64 id, u64 sector, unsigned int nr_sects,
			   grant_ref_t gref)
{
	fake_grant(gref);
	return (struct guest_req) {
		.op = op, .id = id, .sector = sector, .nr_segs = 1, .gref = gref,
		.last_sect = nr_sects - 1,
		/* 0, 0 would be the whole page. */
		.first_sect = nr_sects == 1 ? 1 : 0,
	};
}

static void send(struct xenvbd_ring *ring, struct guest_req req)
{
	if (req.first_sect > req.last_sect)
		req.last_sect = req.first_sect;
	guest_send(ring, &req);
}

static void send_write(struct xenvbd_ring *ring, u8 id, u64 sector,
		       unsigned int nr_sects)
{
	memset(fake_grant(100 + id), id, XEN_PAGE_SIZE);
	send(ring, rw(BLKIF_OP_WRITE, id, sector, nr_sects, 100 + id));
}

/* Until its thread would sleep. */
static void pass(struct xenvbd_ring *ring)
{
	while (ring_pass(ring, xenvbd_wake_draining(ring)) || ring->wake.kicked ||
	       !llist_empty(&ring->wake.done))
		;
}

static void end_first(enum req_op op, blk_status_t status)
{
	struct bio *bio = fake_bio_first();

	expect(bio, "nothing is at the disk");
	assert_int_equal(bio_op(bio), op);
	fake_bio_end(bio, status);
}

/* Until nothing happens any more; the disk completes what it gets. */
static void settle(void)
{
	unsigned int i;

	do
		for (i = 0; i < rig.vbd.nr_rings; i++)
			pass(rig.rings[i]);
	while (fake_bio_end_all());
}

static void expect_sector(u64 sector, u8 value)
{
	unsigned int i;

	for (i = 0; i < SECTOR_SIZE; i++)
		expect(fake_disk.data[sector * SECTOR_SIZE + i] == value,
		       "sector %llu, byte %u: %u, not %u", (ull)sector, i,
		       fake_disk.data[sector * SECTOR_SIZE + i], value);
}

static void expect_untouched(u64 sector)
{
	u64 i, pos = sector * SECTOR_SIZE;

	for (i = 0; i < SECTOR_SIZE; i++)
		expect(fake_disk.data[pos + i] == disk_byte(pos + i),
		       "sector %llu, byte %llu", (ull)sector, (ull)i);
}

/* ---- one request ----------------------------------------------------------- */

static void a_write_keeps_the_rest_of_its_block(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	send_write(ring, 7, 9, 1);
	pass(ring);
	assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 8);
	assert_int_equal(fake_bio_first()->bi_iter.bi_size, BLOCK);
	end_first(REQ_OP_READ, BLK_STS_OK);
	guest_expect_none(ring);
	pass(ring);
	assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 8);
	assert_int_equal(fake_bio_first()->bi_opf,
			 REQ_OP_WRITE | REQ_SYNC | REQ_IDLE);
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	pass(ring);
	guest_expect(ring, 7, OKAY);
	expect_untouched(8);
	expect_sector(9, 7);
	expect_untouched(10);
	assert_int_equal(ring->stats.unaligned, 1);
	assert_int_equal(ring->stats.wr_sect, 1);
	down();
}

static void whole_blocks_go_as_they_are(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	send_write(ring, 7, 8, 8);
	send(ring, rw(BLKIF_OP_READ, 8, 16, 8, 200));
	pass(ring);
	assert_int_equal(fake_nr_bios, 2);
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	end_first(REQ_OP_READ, BLK_STS_OK);
	pass(ring);
	guest_expect(ring, 7, OKAY);
	guest_expect(ring, 8, OKAY);
	assert_int_equal(fake_nr_submits, 2);
	assert_int_equal(ring->stats.unaligned, 0);
	down();
}

/* Of a disk with blocks of 512 bytes all requests are whole blocks. */
static void a_disk_of_small_blocks_sees_no_difference(void **state)
{
	struct xenvbd_ring *ring = up(1, SECTOR_SIZE, XENVBD_POLICY_COPY);

	ring_join(ring);
	send_write(ring, 7, 9, 1);
	pass(ring);
	assert_int_equal(fake_bio_first()->bi_iter.bi_size, SECTOR_SIZE);
	settle();
	guest_expect(ring, 7, OKAY);
	assert_int_equal(fake_nr_submits, 1);
	assert_int_equal(ring->stats.unaligned, 0);
	down();
}

/* Two segments of half a block each, which together are one. */
static void a_block_in_two_segments_is_split(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);
	struct guest_req req = {
		.op = BLKIF_OP_WRITE, .id = 5, .sector = 8, .nr_segs = 2,
		.gref = 100, .last_sect = 3,
	};

	memset(fake_grant(100), 1, XEN_PAGE_SIZE);
	memset(fake_grant(101), 2, XEN_PAGE_SIZE);
	send(ring, req);
	pass(ring);
	/* Nothing of the block has to be kept. */
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	pass(ring);
	guest_expect(ring, 5, OKAY);
	assert_int_equal(fake_nr_submits, 1);
	assert_int_equal(ring->stats.unaligned, 1);
	expect_sector(11, 1);
	expect_sector(12, 2);
	down();
}

static const struct {
	/* What fails: the nth bio, from 0. */
	unsigned int nth;
	u8 op;
	/* Bios that there are all the same. */
	unsigned int nr_bios;
} errors[] = {
	{ 0, BLKIF_OP_READ, 1 },
	{ 0, BLKIF_OP_WRITE, 1 },
	{ 1, BLKIF_OP_WRITE, 2 },
};

/* And the next request works, and so does one that has waited for this one. */
static void an_error_fails_the_request(void **state)
{
	struct xenvbd_ring *ring;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ring = up_joined(1);
		memset(fake_grant(100), 9, XEN_PAGE_SIZE);
		send(ring, rw(errors[i].op, 1, 9, 2, 100));
		for (n = 0; n <= errors[i].nth; n++) {
			pass(ring);
			expect(fake_nr_bios == 1, "row %u", i);
			fake_bio_end(fake_bio_first(), n == errors[i].nth ?
							       BLK_STS_IOERR :
							       BLK_STS_OK);
		}
		send_write(ring, 2, 10, 1);
		pass(ring);
		guest_expect(ring, 1, ERROR);
		/* The next one's read. */
		expect(fake_nr_submits == errors[i].nr_bios + 1, "row %u: %lu", i,
		       fake_nr_submits);
		settle();
		guest_expect(ring, 2, OKAY);
		expect_untouched(9);
		expect_sector(10, 2);
		expect_untouched(11);
		down();
	}
}

/* The disk does not know the flush, or FUA, that a barrier goes with. */
static void what_is_refused_is_written_without(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);
	unsigned int i;

	memset(fake_grant(100), 9, XEN_PAGE_SIZE);
	send(ring, rw(BLKIF_OP_WRITE_BARRIER, 1, 9, 2, 100));
	for (i = 0; i < 2; i++) {
		pass(ring);
		end_first(REQ_OP_READ, BLK_STS_OK);
		pass(ring);
		assert_int_equal(fake_bio_first()->bi_opf,
				 REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
					 (i ? 0 : REQ_PREFLUSH | REQ_FUA));
		end_first(REQ_OP_WRITE, i ? BLK_STS_OK : BLK_STS_NOTSUPP);
	}
	send_write(ring, 2, 11, 1);
	settle();
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	expect_untouched(8);
	expect_sector(9, 9);
	expect_sector(10, 9);
	expect_sector(11, 2);
	down();
}

/* More than the buffer takes: an error of a later piece, too. */
static void a_large_request_is_done_in_pieces(void **state)
{
	static const blk_status_t last[] = { BLK_STS_OK, BLK_STS_IOERR };
	struct guest_req req = {
		.op = BLKIF_OP_READ, .id = 3, .sector = 9, .nr_segs = 20, .gref = 100,
		.desc = 5,
	};
	struct xenvbd_ring *ring;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(last); i++) {
		ring = up_joined(1);
		for (n = 0; n < req.nr_segs; n++)
			fake_grant(req.gref + n);
		send(ring, req);
		pass(ring);
		assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 8);
		assert_int_equal(fake_bio_first()->bi_iter.bi_size, SZ_64K);
		end_first(REQ_OP_READ, BLK_STS_OK);
		pass(ring);
		assert_int_equal(fake_bio_first()->bi_iter.bi_sector, 8 + 128);
		assert_int_equal(fake_bio_first()->bi_iter.bi_size, 5 * BLOCK);
		end_first(REQ_OP_READ, last[i]);
		pass(ring);
		guest_expect(ring, 3, i ? ERROR : OKAY);
		for (n = 0; !i && n < 20 * XEN_PAGE_SIZE; n++)
			expect(fake_grant(100 + n / BLOCK)[n % BLOCK] ==
				       disk_byte(9 * SECTOR_SIZE + n),
			       "byte %u", n);
		/* The next one begins at its beginning. */
		send_write(ring, 4, 1, 1);
		settle();
		guest_expect(ring, 4, OKAY);
		expect_sector(1, 4);
		down();
	}
}

static void a_bad_grant_fails_the_request(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);
	struct guest_req req = rw(BLKIF_OP_WRITE, 1, 9, 2, 100);

	req.gref = FAKE_MAX_GREFS;
	send(ring, req);
	settle();
	guest_expect(ring, 1, ERROR);
	assert_int_equal(fake_nr_submits, 0);
	down();
}

static void an_empty_drive_fails_all(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	ring->bdev = NULL;
	send_write(ring, 1, 9, 1);
	send_write(ring, 2, 8, 8);
	send(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 3, .sector = 1,
					.nr_sects = 9 });
	settle();
	guest_expect(ring, 1, ERROR);
	guest_expect(ring, 2, ERROR);
	guest_expect(ring, 3, ERROR);
	assert_int_equal(fake_nr_submits, 0);
	down();
}

/* What was removed by force writes nothing that was only read so far. */
static void who_was_removed_writes_no_more(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	send_write(ring, 1, 9, 1);
	pass(ring);
	rig.vbd.removed = rig.vbd.abandoned = true;
	end_first(REQ_OP_READ, BLK_STS_OK);
	settle();
	guest_expect(ring, 1, ERROR);
	assert_int_equal(fake_nr_submits, 1);
	expect_untouched(9);
	down();
}

/* But who was only unbound writes what was taken. */
static void who_was_unbound_goes_on(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	send_write(ring, 1, 9, 1);
	pass(ring);
	rig.vbd.removed = true;
	end_first(REQ_OP_READ, BLK_STS_OK);
	settle();
	guest_expect(ring, 1, OKAY);
	expect_sector(9, 1);
	down();
}

/* A page of the buffer is still in use below: another request waits for it. */
static void a_buffer_in_use_is_left_alone(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);
	struct page *page = ring->rmw.buffer[3].bv_page;

	page->refs++;
	send_write(ring, 1, 9, 1);
	send_write(ring, 2, 16, 8);
	send(ring, rw(BLKIF_OP_READ, 3, 16, 8, 200));
	pass(ring);
	/* That write waits for the first one, the read does not. */
	assert_int_equal(fake_nr_submits, 1);
	end_first(REQ_OP_READ, BLK_STS_OK);
	pass(ring);
	guest_expect(ring, 3, OKAY);
	assert_true(xenvbd_rmw_waits(&ring->rmw));
	page->refs--;
	settle();
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	expect_sector(9, 1);
	expect_sector(16, 2);
	down();
}

/* ---- flushes and barriers -------------------------------------------------- */

static void a_flush_is_one_when_it_writes(void **state)
{
	static const struct {
		u8 op;
		blk_opf_t opf;
	} rows[] = {
		{ BLKIF_OP_FLUSH_DISKCACHE, REQ_PREFLUSH },
		{ BLKIF_OP_WRITE_BARRIER, REQ_PREFLUSH | REQ_FUA },
	};
	struct xenvbd_ring *ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ring = up_joined(1);
		memset(fake_grant(100), 6, XEN_PAGE_SIZE);
		send(ring, rw(rows[i].op, 1, 9, 2, 100));
		pass(ring);
		assert_int_equal(fake_bio_first()->bi_opf, REQ_OP_READ);
		end_first(REQ_OP_READ, BLK_STS_OK);
		pass(ring);
		expect((fake_bio_first()->bi_opf & (REQ_PREFLUSH | REQ_FUA)) ==
			       rows[i].opf,
		       "row %u: %x", i, fake_bio_first()->bi_opf);
		settle();
		guest_expect(ring, 1, OKAY);
		expect_sector(10, 6);
		down();
	}
}

/* Meanwhile it holds up nobody. */
static void a_flush_that_failed_is_tried_again(void **state)
{
	unsigned int fails;

	/* Its read, its write. */
	for (fails = 0; fails < 2; fails++) {
		struct xenvbd_ring *ring = up_joined(1);

		memset(fake_grant(100), 6, XEN_PAGE_SIZE);
		send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 1, 9, 2, 100));
		pass(ring);
		if (fails) {
			end_first(REQ_OP_READ, BLK_STS_OK);
			pass(ring);
		}
		fake_bio_end(fake_bio_first(), BLK_STS_IOERR);
		settle();
		guest_expect_none(ring);
		send_write(ring, 2, 12, 1);
		settle();
		guest_expect(ring, 2, OKAY);
		jiffies += HZ;
		settle();
		guest_expect(ring, 1, OKAY);
		expect_sector(9, 6);
		expect_sector(12, 2);
		down();
	}
}

/* A flush that is whole blocks is parked when it is tried again, if it has to be. */
static void a_flush_waits_its_turn_again(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	memset(fake_grant(100), 6, XEN_PAGE_SIZE);
	send(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 1, 8, 8, 100));
	pass(ring);
	end_first(REQ_OP_WRITE, BLK_STS_IOERR);
	pass(ring);
	send_write(ring, 2, 1, 1);
	pass(ring);
	jiffies += HZ;
	pass(ring);
	/* The read of the other one is still there, and nothing else. */
	assert_int_equal(fake_nr_bios, 1);
	settle();
	guest_expect(ring, 2, OKAY);
	guest_expect(ring, 1, OKAY);
	expect_sector(8, 6);
	expect_sector(1, 2);
	down();
}

/* ---- discards --------------------------------------------------------------- */

static void a_discard_is_cut_to_whole_blocks(void **state)
{
	static const struct {
		u64 sector, nr_sects;
		/* What is discarded. */
		u64 first, nr;
	} rows[] = {
		{ 8, 16, 8, 16 },
		{ 9, 16, 16, 8 },
		{ 7, 17, 8, 16 },
		{ 9, 14, 16, 0 },
		{ 9, 3, 0, 0 },
		{ 8, 0, 0, 0 },
	};
	struct xenvbd_ring *ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ring = up_joined(1);
		send(ring, (struct guest_req) {
			.op = BLKIF_OP_DISCARD, .id = 1, .sector = rows[i].sector,
			.nr_sects = rows[i].nr_sects, .flags = BLKIF_DISCARD_SECURE,
		});
		pass(ring);
		expect(fake_nr_bios == !!rows[i].nr, "row %u", i);
		if (rows[i].nr) {
			struct bio *bio = fake_bio_first();

			expect(bio->bi_iter.bi_sector == rows[i].first, "row %u", i);
			expect(bio->bi_iter.bi_size == rows[i].nr * SECTOR_SIZE,
			       "row %u", i);
			/* It is not offered. */
			expect(bio_op(bio) == REQ_OP_DISCARD, "row %u", i);
		}
		settle();
		guest_expect(ring, 1, OKAY);
		down();
	}
}

static void pieces_of_a_discard_are_whole_blocks(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);

	fake_disk.bdev.max_discard_sectors = 15;
	send(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 1, .sector = 8,
					.nr_sects = 24 });
	pass(ring);
	assert_int_equal(fake_bio_first()->bi_iter.bi_size, BLOCK);
	settle();
	assert_int_equal(fake_nr_submits, 3);
	guest_expect(ring, 1, OKAY);
	down();
}

/* A discard of the whole disk takes long. */
static void a_discard_holds_up_no_write(void **state)
{
	struct xenvbd_ring *ring = up_joined(1);
	struct bio *discard;

	send(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .id = 1, .sector = 8,
					.nr_sects = 64 });
	pass(ring);
	discard = fake_bio_first();
	send_write(ring, 2, 1, 1);
	pass(ring);
	fake_bio_end(discard->bi_next, BLK_STS_OK);
	pass(ring);
	fake_bio_end(discard->bi_next, BLK_STS_OK);
	pass(ring);
	guest_expect(ring, 2, OKAY);
	settle();
	guest_expect(ring, 1, OKAY);
	down();
}

/* ---- memory and threads ----------------------------------------------------- */

static void a_buffer_needs_memory(void **state)
{
	unsigned long nth;
	int err;

	for (nth = 1;; nth++) {
		rig_emulate(BLOCK);
		fake_fail_at(&fake_allocs, nth);
		err = rig_add_ring(1, false);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		rig_down();
	}
	/* Each page of it, and what every ring needs. */
	expect(nth > XENVBD_RMW_PAGES + 3, "%lu", nth);
	rig_down();
}

static void run_threads(void)
{
	unsigned int i;
	bool ran;

	do {
		ran = false;
		for (i = 0; i < rig.vbd.nr_rings; i++) {
			if (rig.rings[i]->task->state != TASK_RUNNING)
				continue;
			fake_task_run(rig.rings[i]->task);
			ran = true;
		}
	} while (ran);
}

static void start_threads(void)
{
	unsigned int i;

	for (i = 0; i < rig.vbd.nr_rings; i++)
		expect(!xenvbd_thread_start(rig.rings[i], xenvbd_ring_serve), "%u", i);
	run_threads();
}

/* Who sleeps is woken, for a completion cannot do what has to be done. */
static void the_thread_goes_on_with_a_write(void **state)
{
	struct xenvbd_ring *ring = up(1, BLOCK, XENVBD_POLICY_COPY);

	start_threads();
	send_write(ring, 1, 9, 1);
	xenvbd_wake_irq(ring->irq, ring);
	run_threads();
	end_first(REQ_OP_READ, BLK_STS_OK);
	assert_int_equal(ring->task->state, TASK_RUNNING);
	run_threads();
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	assert_int_equal(ring->task->state, TASK_RUNNING);
	run_threads();
	guest_expect(ring, 1, OKAY);
	/* But whole blocks are answered where they are completed. */
	send_write(ring, 2, 8, 8);
	xenvbd_wake_irq(ring->irq, ring);
	run_threads();
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	assert_int_not_equal(ring->task->state, TASK_RUNNING);
	guest_expect(ring, 2, OKAY);
	assert_int_equal(ring->rmw.turn.order.nr_writes, 0);
	down();
}

static void the_thread_looks_at_the_buffer_again(void **state)
{
	struct xenvbd_ring *ring = up(1, BLOCK, XENVBD_POLICY_COPY);

	start_threads();
	ring->rmw.buffer[0].bv_page->refs++;
	send_write(ring, 1, 9, 1);
	xenvbd_wake_irq(ring->irq, ring);
	run_threads();
	assert_int_equal(fake_nr_submits, 0);
	assert_int_equal(fake_timeout, RETRY_JIFFIES);
	ring->rmw.buffer[0].bv_page->refs--;
	fake_task_run(ring->task);
	end_first(REQ_OP_READ, BLK_STS_OK);
	run_threads();
	end_first(REQ_OP_WRITE, BLK_STS_OK);
	run_threads();
	guest_expect(ring, 1, OKAY);
	down();
}

static bool disk_works(void)
{
	return fake_bio_end_all();
}

/* With one that has its turn, one that waits for it, and whole blocks. */
static void a_ring_stops_when_all_is_written(void **state)
{
	struct xenvbd_ring *ring = up(2, BLOCK, XENVBD_POLICY_COPY);
	struct xenvbd_ring *other = rig.rings[1];

	start_threads();
	send_write(ring, 1, 9, 1);
	send_write(ring, 2, 16, 8);
	send_write(other, 3, 10, 1);
	xenvbd_wake_irq(ring->irq, ring);
	xenvbd_wake_irq(other->irq, other);
	run_threads();
	assert_int_equal(fake_nr_bios, 1);
	xenvbd_thread_drain(ring);
	xenvbd_thread_drain(other);
	/* The one that is not stopped is only woken. */
	while (fake_nr_bios) {
		disk_works();
		run_threads();
	}
	guest_expect(ring, 1, OKAY);
	guest_expect(ring, 2, OKAY);
	guest_expect(other, 3, OKAY);
	expect_sector(9, 1);
	expect_sector(10, 3);
	expect_sector(16, 2);
	assert_int_equal(rig.vbd.rmws.order.rings, 3);
	down();
	assert_int_equal(rig.vbd.rmws.order.rings, 0);
}

/* ---- as if the disk had small blocks ----------------------------------------- */

static u8 model[sizeof(fake_disk.data)];

/* One that is under way, and the sectors it has; no two have the same. */
static struct sent {
	struct xenvbd_ring *ring;
	struct guest_req req;
	u64 nr_sects;
	bool answered;
} sents[12];
static unsigned int nr_sents;
static u32 seed;

static bool overlaps(const struct sent *a, const struct sent *b)
{
	return a->req.sector < b->req.sector + b->nr_sects &&
	       b->req.sector < a->req.sector + a->nr_sects;
}

static struct sent random_request(unsigned int n)
{
	struct sent sent = {};
	struct guest_req *req = &sent.req;

	sent.ring = rig.rings[prng(&seed) % rig.vbd.nr_rings];
	req->op = prng(&seed) % 3 ? BLKIF_OP_WRITE : BLKIF_OP_READ;
	req->id = n;
	/* All together near each other, in many a block. */
	req->nr_segs = prng(&seed) % 4 ? 1 + prng(&seed) % 2 : 1 + prng(&seed) % 40;
	req->desc = req->nr_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST ||
				    !(prng(&seed) % 4) ?
			    50 + n :
			    0;
	req->gref = 100 + 64 * n;
	req->first_sect = prng(&seed) % 8;
	req->last_sect = req->first_sect + prng(&seed) % (8 - req->first_sect);
	sent.nr_sects = 8 * req->nr_segs;
	if (req->first_sect || req->last_sect)
		sent.nr_sects = (req->last_sect - req->first_sect + 1) * req->nr_segs;
	else
		req->last_sect = 7;
	req->sector = prng(&seed) % (prng(&seed) % 2 ? 64 : 1024);
	if (!(prng(&seed) % 4))
		req->sector &= ~7ULL;
	return sent;
}

/* The place in the model, and in the guest's pages, of each byte. */
static void each_sector(const struct sent *sent, bool from_model)
{
	const struct guest_req *req = &sent->req;
	u64 pos = req->sector * SECTOR_SIZE;
	unsigned int i, sect;

	for (i = 0; i < req->nr_segs; i++) {
		for (sect = req->first_sect; sect <= req->last_sect; sect++) {
			u8 *page = fake_grant(req->gref + i) + sect * SECTOR_SIZE;

			if (!from_model)
				memcpy(model + pos, page, SECTOR_SIZE);
			else if (memcmp(model + pos, page, SECTOR_SIZE))
				fail_msg("sector %llu was read wrong",
					 (ull)pos / SECTOR_SIZE);
			pos += SECTOR_SIZE;
		}
	}
}

static void send_some(void)
{
	unsigned int i, n;

	nr_sents = 0;
	for (n = 0; n < ARRAY_SIZE(sents); n++) {
		struct sent sent = random_request(n);

		for (i = 0; i < nr_sents && !overlaps(&sents[i], &sent); i++)
			;
		if (i < nr_sents)
			continue;
		sents[nr_sents++] = sent;
		fake_grant(sent.req.desc);
		guest_fill(sent.req.gref, sent.req.nr_segs, prng(&seed));
		if (sent.req.op == BLKIF_OP_WRITE)
			each_sector(&sent, false);
		guest_put(sent.ring, &sent.req);
	}
	for (i = 0; i < rig.vbd.nr_rings; i++) {
		guest_push(rig.rings[i]);
		xenvbd_wake_irq(rig.rings[i]->irq, rig.rings[i]);
	}
}

/* Any bio is complete, or any thread runs. False if none can. */
static bool any_step(void)
{
	struct task_struct *task = rig.rings[prng(&seed) % rig.vbd.nr_rings]->task;
	struct bio *bio = fake_bio_first();
	unsigned int n;

	if (task->state == TASK_RUNNING && prng(&seed) % 2) {
		fake_task_run(task);
		return true;
	}
	if (!bio) {
		run_threads();
		return fake_nr_bios;
	}
	for (n = prng(&seed) % fake_nr_bios; n; n--)
		bio = bio->bi_next;
	fake_bio_end(bio, BLK_STS_OK);
	return true;
}

static void receive_all(void)
{
	unsigned int i, n;
	s16 status;
	u64 id;

	for (i = 0; i < rig.vbd.nr_rings; i++) {
		while (guest_get(rig.rings[i], &id, &status)) {
			for (n = 0; n < nr_sents && sents[n].req.id != id; n++)
				;
			expect(n < nr_sents && !sents[n].answered, "response to %llu",
			       (ull)id);
			expect(status == OKAY, "request %llu: %d", (ull)id, status);
			sents[n].answered = true;
			if (sents[n].req.op == BLKIF_OP_READ)
				each_sector(&sents[n], true);
		}
	}
	for (n = 0; n < nr_sents; n++)
		expect(sents[n].answered, "request %llu is not answered",
		       (ull)sents[n].req.id);
}

static void the_guest_sees_small_blocks(void **state)
{
	static const unsigned int sizes[] = { 1024, 2048, 4096 };
	static const unsigned int policies[] = {
		XENVBD_POLICY_COPY, XENVBD_POLICY_MAP, XENVBD_POLICY_PERSISTENT,
	};
	unsigned int size, policy, round, unaligned;

	for (size = 0; size < ARRAY_SIZE(sizes); size++) {
		for (policy = 0; policy < ARRAY_SIZE(policies); policy++) {
			seed = 4711 + size * 16 + policy;
			up(2, sizes[size], policies[policy]);
			memcpy(model, fake_disk.data, sizeof(model));
			start_threads();
			for (round = 0; round < 40; round++) {
				send_some();
				while (any_step())
					;
				receive_all();
				expect(!memcmp(model, fake_disk.data, sizeof(model)),
				       "round %u, blocks of %u, policy %u", round,
				       sizes[size], policy);
			}
			unaligned = rig.rings[0]->stats.unaligned;
			expect(unaligned > 20, "only %u are unaligned", unaligned);
			down();
		}
	}
}

/* ---- every interleaving ------------------------------------------------------ */

#define MAX_WRITES	6
#define WALK_SECTS	16
#define MAX_DEPTH	200

/* A write is in the air from when it is sent until its response is seen. */
struct walk_write {
	u8 ring;
	u8 sector;
	u8 nr_sects;
};

static struct {
	const struct walk_write *writes;
	unsigned int nr_writes;
	/* Of each ring, how many it has sent. */
	unsigned int sent[RIG_MAX_RINGS];
	/* Of each write, at which step; 0: not yet. */
	unsigned int began[MAX_WRITES], ended[MAX_WRITES];
	unsigned int step;
	/* What was chosen at each step of this run, and of how many. */
	u8 path[MAX_DEPTH], nr[MAX_DEPTH];
	bool dirty[RIG_MAX_RINGS];
	unsigned long nr_runs;
} walk;

#define MAX_STATES	(1 << 20)
static u64 states[MAX_STATES];
static unsigned int nr_states;

static u64 mix(u64 hash, u64 value)
{
	return (hash ^ value) * 0x100000001b3ULL + (hash >> 29);
}

static u64 mix_reqs(u64 hash, const struct xenvbd_req *req)
{
	for (; req; req = req->next)
		hash = mix(hash, req->id + 1);
	return mix(hash, 0);
}

static u64 mix_ring(u64 hash, const struct xenvbd_ring *ring)
{
	const struct xenvbd_order *order = &rig.vbd.rmws.order;
	const struct xenvbd_rmw *rmw = &ring->rmw;
	struct llist_node *node;
	unsigned int i;

	hash = mix(hash, walk.sent[ring->index] * 64 + ring->wake.kicked * 32 +
				 walk.dirty[ring->index] * 16 + rmw->at_disk * 8 +
				 rmw->merged);
	hash = mix(hash, rmw->turn.order.turn ?
				 order->nr_taken - rmw->turn.order.turn + 1 :
				 0);
	hash = mix(hash, rmw->turn.order.nr_writes * 16 + rmw->turn.order.nr_parked);
	hash = mix(hash, xenvbd_sring_inflight(&ring->sring));
	hash = mix_reqs(hash, rmw->queue.first);
	hash = mix_reqs(hash, rmw->turn.parked.first);
	for (node = ring->wake.done.first; node; node = node->next)
		hash = mix(hash, container_of(node, struct xenvbd_req, done)->id + 1);
	for (i = 0; rmw->queue.first && i < WALK_SECTS; i++)
		hash = mix(hash, ((u8 *)page_address(rmw->buffer[i / 8].bv_page))
					 [i % 8 * SECTOR_SIZE]);
	return hash;
}

/* All on which the rest of a run depends, and what the checks ask. */
static u64 walk_hash(void)
{
	const struct xenvbd_order *order = &rig.vbd.rmws.order;
	const struct bio *bio;
	unsigned int i, j;
	u64 hash = 1;

	for (i = 0; i < rig.vbd.nr_rings; i++)
		hash = mix_ring(hash, rig.rings[i]);
	hash = mix(hash, order->busy * 256 + order->waiting * 16 + order->nr_taken -
				 order->nr_done);
	for (bio = fake_bio_first(); bio; bio = bio->bi_next)
		hash = mix(hash, container_of(bio, struct xenvbd_req, bio)->id * 8 +
					 bio_op(bio));
	for (i = 0; i < WALK_SECTS; i++)
		hash = mix(hash, fake_disk.data[i * SECTOR_SIZE]);
	for (i = 0; i < walk.nr_writes; i++)
		for (j = 0; j < walk.nr_writes; j++)
			hash = mix(hash, (walk.ended[i] &&
					  walk.began[j] > walk.ended[i]) +
						 2 * !!walk.ended[i]);
	return hash | 1;
}

/* False if it was known. */
static bool state_is_new(u64 hash)
{
	u64 at = hash % MAX_STATES;

	for (; states[at]; at = (at + 1) % MAX_STATES)
		if (states[at] == hash)
			return false;
	expect(++nr_states < MAX_STATES / 2, "too many states");
	states[at] = hash;
	return true;
}

/* May the sector have what this write has written, or if NULL, what it had before? */
static bool walk_may_have(unsigned int sector, unsigned int writer)
{
	const struct walk_write *other;
	unsigned int i;

	for (i = 0; i < walk.nr_writes; i++) {
		other = &walk.writes[i];
		if (i == writer || sector < other->sector ||
		    sector >= other->sector + other->nr_sects || !walk.ended[i])
			continue;
		if (writer == walk.nr_writes ||
		    (walk.ended[writer] && walk.began[i] > walk.ended[writer]))
			return false;
	}
	return true;
}

/* At any time: what was answered is on the disk, and nothing else has changed. */
static void walk_check_disk(void)
{
	unsigned int sector, writer;

	for (sector = 0; sector < WALK_SECTS; sector++) {
		u8 value = fake_disk.data[sector * SECTOR_SIZE];

		writer = value ? value - 1U : walk.nr_writes;
		expect(writer <= walk.nr_writes, "sector %u: %u", sector, value);
		if (value)
			expect(walk.began[writer] &&
				       sector >= walk.writes[writer].sector &&
				       sector < walk.writes[writer].sector +
							walk.writes[writer].nr_sects,
			       "sector %u has what is of %u", sector, writer);
		expect(walk_may_have(sector, writer), "sector %u has old data: %u",
		       sector, value);
	}
}

static void walk_receive(void)
{
	unsigned int i;
	s16 status;
	u64 id;

	for (i = 0; i < rig.vbd.nr_rings; i++) {
		while (guest_get(rig.rings[i], &id, &status)) {
			expect(status == OKAY, "write %llu: %d", (ull)id, status);
			walk.ended[id - 1] = walk.step;
		}
	}
}

/* The next write of a ring, or NULL. */
static const struct walk_write *walk_next(unsigned int ring)
{
	unsigned int i, nr = 0;

	for (i = 0; i < walk.nr_writes; i++)
		if (walk.writes[i].ring == ring && nr++ == walk.sent[ring])
			return &walk.writes[i];
	return NULL;
}

static bool walk_may_pass(const struct xenvbd_ring *ring)
{
	return ring->wake.kicked || !llist_empty(&ring->wake.done) ||
	       walk.dirty[ring->index];
}

/* Do the nth thing that can happen now; or tell how many there are. */
static unsigned int walk_do(unsigned int n)
{
	const struct walk_write *next;
	struct xenvbd_ring *ring;
	unsigned int i, nr = 0;
	struct bio *bio;

	for (i = 0; i < rig.vbd.nr_rings; i++) {
		ring = rig.rings[i];
		next = walk_next(i);
		if (next && nr++ == n) {
			u8 id = next - walk.writes + 1;

			walk.began[id - 1] = walk.step;
			walk.sent[i]++;
			walk.dirty[i] = true;
			send_write(ring, id, next->sector, next->nr_sects);
		}
		if (walk_may_pass(ring) && nr++ == n) {
			walk.dirty[i] = ring_pass(ring, false);
			walk_receive();
		}
	}
	for (bio = fake_bio_first(); bio; bio = bio->bi_next) {
		if (nr++ != n)
			continue;
		fake_bio_end(bio, BLK_STS_OK);
		walk_check_disk();
		break;
	}
	return nr;
}

/* One run, along the path as far as it goes. Returns its length. */
static unsigned int walk_run(unsigned int known)
{
	unsigned int depth, nr;
	bool old = false;

	walk.step = 0;
	memset(walk.sent, 0, sizeof(walk.sent));
	memset(walk.began, 0, sizeof(walk.began));
	memset(walk.ended, 0, sizeof(walk.ended));
	memset(fake_disk.data, 0, WALK_SECTS * SECTOR_SIZE);
	for (depth = 0; (nr = walk_do(-1)); depth++) {
		expect(depth < MAX_DEPTH, "no end of a run");
		if (depth >= known) {
			/* Beyond a state that is known there is nothing to find. */
			old |= !state_is_new(walk_hash());
			walk.path[depth] = 0;
			walk.nr[depth] = old ? 1 : nr;
		}
		walk.step++;
		walk_do(walk.path[depth]);
	}
	walk.nr_runs++;
	for (nr = 0; nr < walk.nr_writes; nr++)
		expect(walk.ended[nr], "write %u is not answered", nr);
	walk_check_disk();
	return depth;
}

static const struct {
	unsigned int nr_rings, nr_writes;
	struct walk_write writes[MAX_WRITES];
} walks[] = {
	/* Different sectors of one block. */
	{ 2, 2, { { 0, 1, 1 }, { 1, 2, 1 } } },
	{ 2, 4, { { 0, 1, 1 }, { 1, 2, 1 }, { 0, 3, 1 }, { 1, 1, 2 } } },
	/* With the whole block, from the other ring or the same. */
	{ 2, 2, { { 0, 1, 1 }, { 1, 0, 8 } } },
	{ 2, 3, { { 0, 1, 1 }, { 0, 0, 8 }, { 1, 6, 4 } } },
	{ 3, 3, { { 0, 1, 1 }, { 1, 2, 2 }, { 2, 0, 8 } } },
	{ 3, 3, { { 0, 0, 3 }, { 1, 3, 3 }, { 2, 6, 4 } } },
	{ 3, 4, { { 0, 1, 1 }, { 1, 0, 8 }, { 2, 8, 8 }, { 2, 7, 2 } } },
};

static void no_interleaving_loses_a_write(void **state)
{
	unsigned int row, depth;

	for (row = 0; row < ARRAY_SIZE(walks); row++) {
		memset(&walk, 0, sizeof(walk));
		memset(states, 0, sizeof(states));
		nr_states = 0;
		walk.writes = walks[row].writes;
		walk.nr_writes = walks[row].nr_writes;
		up_joined(walks[row].nr_rings);
		depth = walk_run(0);
		for (;;) {
			/* The last choice that was not the last one. */
			while (depth && walk.path[depth - 1] + 1 >= walk.nr[depth - 1])
				depth--;
			if (!depth)
				break;
			walk.path[depth - 1]++;
			depth = walk_run(depth);
		}
		print_message("# walk %u: %lu runs, %u states\n", row, walk.nr_runs,
			      nr_states);
		expect(walk.nr_runs > 10, "row %u: only %lu runs", row, walk.nr_runs);
		down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_keeps_the_rest_of_its_block),
		cmocka_unit_test(whole_blocks_go_as_they_are),
		cmocka_unit_test(a_disk_of_small_blocks_sees_no_difference),
		cmocka_unit_test(a_block_in_two_segments_is_split),
		cmocka_unit_test(an_error_fails_the_request),
		cmocka_unit_test(what_is_refused_is_written_without),
		cmocka_unit_test(a_large_request_is_done_in_pieces),
		cmocka_unit_test(a_bad_grant_fails_the_request),
		cmocka_unit_test(an_empty_drive_fails_all),
		cmocka_unit_test(who_was_removed_writes_no_more),
		cmocka_unit_test(who_was_unbound_goes_on),
		cmocka_unit_test(a_buffer_in_use_is_left_alone),
		cmocka_unit_test(a_flush_is_one_when_it_writes),
		cmocka_unit_test(a_flush_that_failed_is_tried_again),
		cmocka_unit_test(a_flush_waits_its_turn_again),
		cmocka_unit_test(a_discard_is_cut_to_whole_blocks),
		cmocka_unit_test(pieces_of_a_discard_are_whole_blocks),
		cmocka_unit_test(a_discard_holds_up_no_write),
		cmocka_unit_test(a_buffer_needs_memory),
		cmocka_unit_test(the_thread_goes_on_with_a_write),
		cmocka_unit_test(the_thread_looks_at_the_buffer_again),
		cmocka_unit_test(a_ring_stops_when_all_is_written),
		cmocka_unit_test(the_guest_sees_small_blocks),
		cmocka_unit_test(no_interleaving_loses_a_write),
	};

	return RUN(tests);
}
