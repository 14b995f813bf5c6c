// SPDX-License-Identifier: GPL-2.0-only
/* Discards, a few at a time, in turns, and what is cut short. */
#include "rig.h"

static struct xenvbd_req *add(struct xenvbd_ring *ring, u64 sector, u64 nr_sects,
			      u8 flags)
{
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_DISCARD, sector, 0, 0);

	req->nr_sects = nr_sects;
	req->flags = flags;
	xenvbd_discard_add(&ring->discards, req);
	return req;
}

static struct xenvbd_req *end_first(struct xenvbd_ring *ring, blk_status_t status)
{
	struct bio *bio = fake_bio_first();
	struct xenvbd_req *req = container_of(bio, struct xenvbd_req, bio);

	fake_bio_end(bio, status);
	assert_int_equal(rig_take_done(ring), 1);
	return req;
}

static void the_disk_has_a_few_at_a_time(void **state)
{
	static const struct {
		unsigned int nr_rings, nr_at_disk;
	} rows[] = { { 1, 4 }, { 2, 2 }, { 3, 1 }, { 8, 1 } };
	struct xenvbd_ring *ring;
	unsigned int row, i;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		ring = rig_up(rows[row].nr_rings, 1, false);
		assert_false(xenvbd_discard_pass(ring));
		for (i = 0; i < 6; i++)
			add(ring, i * 8, 8, 0);
		assert_true(xenvbd_discard_pass(ring));
		expect(fake_nr_bios == rows[row].nr_at_disk, "row %u: %lu", row,
		       fake_nr_bios);
		expect(ring->discards.nr_at_disk == fake_nr_bios, "row %u", row);
		/* Not one more. */
		assert_false(xenvbd_discard_pass(ring));

		for (i = 0; i < 6; i++) {
			assert_true(xenvbd_discard_done(
				ring, end_first(ring, BLK_STS_OK)));
			xenvbd_discard_pass(ring);
		}
		assert_int_equal(fake_nr_submits, 6);
		assert_int_equal(ring->discards.nr_at_disk, 0);
		rig_down();
	}
}

static void large_ones_take_turns(void **state)
{
	struct xenvbd_ring *ring = rig_up(8, 1, false);
	struct xenvbd_req *first = add(ring, 0, 24, 0);
	struct xenvbd_req *second = add(ring, 100, 16, 0);
	struct xenvbd_req *order[] = { first, second, first, second, first };
	static const u64 sectors[] = { 0, 100, 8, 108, 16 };
	unsigned int i;

	fake_disk.bdev.max_discard_sectors = 8;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		assert_true(xenvbd_discard_pass(ring));
		assert_int_equal(fake_nr_bios, 1);
		assert_int_equal(fake_bio_first()->bi_iter.bi_sector, sectors[i]);
		assert_ptr_equal(end_first(ring, BLK_STS_OK), order[i]);
		expect(xenvbd_discard_done(ring, order[i]) == (i >= 3), "step %u",
		       i);
	}
	assert_false(xenvbd_discard_pass(ring));
	rig_down();
}

static void an_error_ends_a_discard(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = add(ring, 0, 24, 0);

	fake_disk.bdev.max_discard_sectors = 8;
	xenvbd_discard_pass(ring);
	assert_ptr_equal(end_first(ring, BLK_STS_IOERR), req);
	assert_true(xenvbd_discard_done(ring, req));
	assert_int_equal(req->status, BLK_STS_IOERR);
	assert_int_equal(req->nr_sects, 16);
	assert_null(ring->discards.queue.first);
	assert_int_equal(ring->discards.nr_at_disk, 0);
	rig_down();
}

/* What is left of a discard when the vbd is removed, and how it ends. */
static const struct {
	u8 flags;
	u64 left;
	blk_status_t status;
} removed_rows[] = {
	{ 0, 16, BLK_STS_OK },
	{ BLKIF_DISCARD_SECURE, 16, BLK_STS_IOERR },
	{ BLKIF_DISCARD_SECURE, 0, BLK_STS_OK },
};

static void removal_cuts_short_what_the_disk_has(void **state)
{
	struct xenvbd_req *req;
	struct xenvbd_ring *ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(removed_rows); i++) {
		ring = rig_up(1, 1, false);
		fake_disk.bdev.max_discard_sectors = 8;
		fake_disk.bdev.max_secure_erase_sectors = 8;
		req = add(ring, 0, 8 + removed_rows[i].left,
			  removed_rows[i].flags);
		xenvbd_discard_pass(ring);
		rig.vbd.removed = true;
		assert_ptr_equal(end_first(ring, BLK_STS_OK), req);
		expect(xenvbd_discard_done(ring, req), "row %u", i);
		expect(req->status == removed_rows[i].status, "row %u", i);
		assert_null(ring->discards.queue.first);
		rig_down();
	}
}

static void removal_cuts_short_what_waits(void **state)
{
	struct xenvbd_req *req;
	struct xenvbd_ring *ring;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(removed_rows); i++) {
		ring = rig_up(1, 1, false);
		req = add(ring, 0, removed_rows[i].left, removed_rows[i].flags);
		rig.vbd.removed = true;
		assert_true(xenvbd_discard_pass(ring));
		assert_int_equal(fake_nr_submits, 0);
		assert_int_equal(rig_take_done(ring), 1);
		expect(req->status == removed_rows[i].status, "row %u", i);
		/* It counts as one that was at the disk. */
		assert_int_equal(ring->discards.nr_at_disk, 1);
		assert_true(xenvbd_discard_done(ring, req));
		assert_int_equal(ring->discards.nr_at_disk, 0);
		rig_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_disk_has_a_few_at_a_time),
		cmocka_unit_test(large_ones_take_turns),
		cmocka_unit_test(an_error_ends_a_discard),
		cmocka_unit_test(removal_cuts_short_what_the_disk_has),
		cmocka_unit_test(removal_cuts_short_what_waits),
	};

	return RUN(tests);
}
