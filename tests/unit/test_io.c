// SPDX-License-Identifier: GPL-2.0-only
/* From requests to bios, and back: data, flushes, discards piece by piece. */
#include "data/io.h"
#include "rig.h"

/* Give a request memory of our own, which the disk may use. */
static void give_pages(struct xenvbd_req *req)
{
	req->method = XENVBD_METHOD_COPY;
	expect(xenvbd_copy_reserve(req->ring, req->nr_segs), "no pages");
	xenvbd_copy_add(req->ring, req);
}

static void take_pages(struct xenvbd_req *req)
{
	xenvbd_copy_release(&req->ring->pages.copy, req);
	xenvbd_req_shrink(req);
}

static void each_operation_has_its_flags(void **state)
{
	static const struct {
		u8 op;
		unsigned int nr_segs;
		blk_opf_t opf;
	} rows[] = {
		{ BLKIF_OP_READ, 1, REQ_OP_READ },
		{ BLKIF_OP_WRITE, 1, REQ_OP_WRITE | REQ_SYNC | REQ_IDLE },
		{ BLKIF_OP_FLUSH_DISKCACHE, 0,
		  REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE },
		{ BLKIF_OP_FLUSH_DISKCACHE, 1,
		  REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE },
		{ BLKIF_OP_WRITE_BARRIER, 0,
		  REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE },
		{ BLKIF_OP_WRITE_BARRIER, 1,
		  REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE | REQ_FUA },
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_req *req =
			rig_req(ring, rows[i].op, 16, rows[i].nr_segs, 1);

		give_pages(req);
		xenvbd_io_submit(req);
		expect(fake_bio_first() == &req->bio, "row %u", i);
		expect(req->bio.bi_opf == rows[i].opf, "row %u: %x", i,
		       req->bio.bi_opf);
		expect(req->bio.bi_vcnt == rows[i].nr_segs, "row %u", i);
		expect(llist_empty(&ring->wake.done), "row %u", i);
		fake_bio_end_all();
		expect(req->status == BLK_STS_OK, "row %u", i);
		assert_int_equal(rig_take_done(ring), 1);
		take_pages(req);
		rig_req_put(req);
	}
	rig_down();
}

/* The flags of an operation, as the disk gets it. */
static blk_opf_t submitted(struct xenvbd_ring *ring, u8 op, unsigned int nr_segs)
{
	struct xenvbd_req *req = rig_req(ring, op, 16, nr_segs, 1);
	blk_opf_t opf;

	give_pages(req);
	xenvbd_io_submit(req);
	opf = req->bio.bi_opf;
	fake_bio_end_all();
	assert_int_equal(rig_take_done(ring), 1);
	take_pages(req);
	rig_req_put(req);
	return opf;
}

/* A cache that has come under a guest that was told of none. */
static void a_cache_that_nobody_flushes_is_written_through(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	fake_disk.bdev.write_cache = true;
	assert_false(submitted(ring, BLKIF_OP_WRITE, 1) & REQ_FUA);
	ring->limits.flushes = false;
	assert_true(submitted(ring, BLKIF_OP_WRITE, 1) & REQ_FUA);
	assert_true(submitted(ring, BLKIF_OP_FLUSH_DISKCACHE, 1) & REQ_FUA);
	assert_false(submitted(ring, BLKIF_OP_FLUSH_DISKCACHE, 0) & REQ_FUA);
	assert_false(submitted(ring, BLKIF_OP_READ, 1) & REQ_FUA);
	/* Such a disk would refuse these writes. */
	rig.vbd.disk.no_flush = true;
	assert_false(submitted(ring, BLKIF_OP_WRITE, 1) & REQ_FUA);
	rig.vbd.disk.no_flush = false;
	fake_disk.bdev.write_cache = false;
	assert_false(submitted(ring, BLKIF_OP_WRITE, 1) & REQ_FUA);
	rig_down();
}

/* The disk has refused them once. */
static void a_plain_request_has_no_flags(void **state)
{
	static const u8 ops[] = {
		BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_WRITE_BARRIER,
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i, refused;

	fake_disk.bdev.write_cache = true;
	ring->limits.flushes = false;
	for (i = 0; i < 2 * ARRAY_SIZE(ops); i++) {
		struct xenvbd_req *req = rig_req(ring, ops[i / 2], 16, 1, 1);

		give_pages(req);
		req->plain = i % 2;
		xenvbd_io_submit(req);
		expect(req->plain == !(req->bio.bi_opf & (REQ_PREFLUSH | REQ_FUA)),
		       "row %u: %x", i, req->bio.bi_opf);
		expect(bio_op(&req->bio) == REQ_OP_WRITE, "row %u", i);
		/* So it is not them that are refused; of a flush nobody knows. */
		refused = !req->plain || req->op != BLKIF_OP_WRITE;
		fake_bio_end(&req->bio, BLK_STS_NOTSUPP);
		expect(req->refused_flush == refused, "row %u", i);
		assert_int_equal(rig_take_done(ring), 1);
		take_pages(req);
		rig_req_put(req);
	}
	rig_down();
}

static void data_goes_where_it_belongs(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 24, 3, 1);
	struct xenvbd_seg *segs = xenvbd_req_segs(req);
	unsigned int i;

	segs[1].first_sect = 2;
	segs[1].last_sect = 4;
	req->nr_sects = 8 + 3 + 8;
	give_pages(req);
	xenvbd_io_submit(req);
	assert_int_equal(req->bio.bi_iter.bi_sector, 24);
	assert_int_equal(req->bio.bi_iter.bi_size, 19 * SECTOR_SIZE);
	assert_ptr_equal(req->bio.bi_bdev, &fake_disk.bdev);
	fake_bio_end_all();
	for (i = 0; i < 3 * SECTOR_SIZE; i++)
		assert_int_equal(req->bvec[1].bv_page->memory[2 * SECTOR_SIZE + i],
				 disk_byte((24 + 8) * SECTOR_SIZE + i));
	for (i = 0; i < XEN_PAGE_SIZE; i++)
		assert_int_equal(req->bvec[2].bv_page->memory[i],
				 disk_byte((24 + 11) * SECTOR_SIZE + i));
	rig_take_done(ring);
	take_pages(req);
	rig_down();
}

static void a_failed_flush_is_marked(void **state)
{
	static const struct {
		u8 op;
		blk_status_t status;
		bool failed_flush, refused_flush;
	} rows[] = {
		{ BLKIF_OP_READ, BLK_STS_IOERR, false, false },
		{ BLKIF_OP_READ, BLK_STS_NOTSUPP, false, false },
		{ BLKIF_OP_WRITE, BLK_STS_IOERR, false, false },
		{ BLKIF_OP_WRITE, BLK_STS_NOTSUPP, false, false },
		{ BLKIF_OP_FLUSH_DISKCACHE, BLK_STS_OK, false, false },
		{ BLKIF_OP_FLUSH_DISKCACHE, BLK_STS_IOERR, true, false },
		{ BLKIF_OP_FLUSH_DISKCACHE, BLK_STS_NOTSUPP, false, true },
		{ BLKIF_OP_WRITE_BARRIER, BLK_STS_IOERR, true, false },
		{ BLKIF_OP_WRITE_BARRIER, BLK_STS_NOTSUPP, false, true },
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_req *req = rig_req(ring, rows[i].op, 0, 0, 0);

		xenvbd_io_submit(req);
		fake_bio_end(&req->bio, rows[i].status);
		expect(req->status == rows[i].status, "row %u", i);
		expect(req->failed_flush == rows[i].failed_flush, "row %u", i);
		expect(req->refused_flush == rows[i].refused_flush, "row %u", i);
		/* The bio may be used again. */
		expect(req->bio.stage == SHIM_BIO_UNUSED, "row %u", i);
		assert_int_equal(rig_take_done(ring), 1);
		rig_req_put(req);
	}
	rig_down();
}

static void an_empty_drive_does_nothing(void **state)
{
	static const struct {
		u8 op;
		u64 nr_sects;
		blk_status_t status;
	} rows[] = {
		{ BLKIF_OP_READ, 8, BLK_STS_IOERR },
		{ BLKIF_OP_WRITE, 8, BLK_STS_IOERR },
		{ BLKIF_OP_FLUSH_DISKCACHE, 0, BLK_STS_OK },
		{ BLKIF_OP_FLUSH_DISKCACHE, 8, BLK_STS_IOERR },
		{ BLKIF_OP_DISCARD, 8, BLK_STS_IOERR },
		{ BLKIF_OP_DISCARD, 0, BLK_STS_OK },
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i;

	ring->bdev = NULL;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_req *req = rig_req(ring, rows[i].op, 0, 0, 0);

		req->nr_sects = rows[i].nr_sects;
		if (req->op == BLKIF_OP_DISCARD)
			xenvbd_io_discard(req);
		else
			xenvbd_io_submit(req);
		expect(rig_take_done(ring) == 1, "row %u", i);
		expect(req->status == rows[i].status, "row %u", i);
		expect(!fake_nr_submits, "row %u", i);
		rig_req_put(req);
	}
	rig_down();
}

/* ---- discards -------------------------------------------------------------- */

static struct xenvbd_req *discard_req(struct xenvbd_ring *ring, u64 sector,
				      u64 nr_sects, u8 flags)
{
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_DISCARD, sector, 0, 0);

	req->nr_sects = nr_sects;
	req->flags = flags;
	return req;
}

/* Hand over the next piece: so many sectors. The fake disk is not that large. */
static u64 piece(struct xenvbd_req *req)
{
	u64 sector = req->sector, nr_sects = req->nr_sects, nr;
	struct bio *bio = &req->bio;

	xenvbd_io_discard(req);
	assert_ptr_equal(fake_bio_first(), bio);
	assert_int_equal(bio->bi_iter.bi_sector, sector);
	assert_int_equal(bio->bi_vcnt, 0);
	nr = bio->bi_iter.bi_size / SECTOR_SIZE;
	assert_int_equal(req->sector, sector + nr);
	assert_int_equal(req->nr_sects, nr_sects - nr);
	bio->bi_iter.bi_size = 0;
	bio->bi_iter.bi_sector = 0;
	fake_bio_end(bio, BLK_STS_OK);
	assert_int_equal(rig_take_done(req->ring), 1);
	return nr;
}

static void a_discard_is_executed(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = discard_req(ring, 100, 50, 0);
	unsigned int i;

	xenvbd_io_discard(req);
	assert_int_equal(req->bio.bi_opf, REQ_OP_DISCARD);
	fake_bio_end_all();
	for (i = 100 * SECTOR_SIZE; i < 150 * SECTOR_SIZE; i++)
		assert_int_equal(fake_disk.data[i], 0);
	assert_int_equal(fake_disk.data[100 * SECTOR_SIZE - 1],
			 disk_byte(100 * SECTOR_SIZE - 1));
	assert_int_equal(fake_disk.data[150 * SECTOR_SIZE],
			 disk_byte(150 * SECTOR_SIZE));
	assert_int_equal(req->nr_sects, 0);
	assert_int_equal(rig_take_done(ring), 1);
	rig_down();
}

static void pieces_are_as_large_as_the_disk_takes(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = discard_req(ring, 0, 2500, 0);

	fake_disk.bdev.max_discard_sectors = 1000;
	assert_int_equal(piece(req), 1000);
	assert_int_equal(piece(req), 1000);
	assert_int_equal(piece(req), 500);
	assert_int_equal(req->nr_sects, 0);

	/* And never more than 128 MiB. */
	fake_disk.bdev.max_discard_sectors = UINT_MAX;
	req->sector = 0;
	req->nr_sects = 300000;
	assert_int_equal(piece(req), 262144);
	assert_int_equal(piece(req), 300000 - 262144);

	/* Whole logical blocks. */
	fake_disk.bdev.logical_block_size = 4096;
	fake_disk.bdev.max_discard_sectors = 1003;
	req->sector = 0;
	req->nr_sects = 2000;
	assert_int_equal(piece(req), 1000);
	rig_down();
}

static void seams_are_where_the_granularity_has_them(void **state)
{
	static const struct {
		unsigned int granularity, max;
		int alignment;
		u64 sector, nr_sects, piece;
	} rows[] = {
		/* From 10 on: the piece ends at 960. */
		{ 64, 1000, 0, 10, 5000, 950 },
		{ 64, 1000, 0, 0, 5000, 960 },
		{ 64, 960, 0, 0, 5000, 960 },
		/* The last one ends where the discard does. */
		{ 64, 1000, 0, 10, 1000, 1000 },
		{ 64, 1000, 0, 10, 1001, 950 },
		/* Granules begin at 16, 80, ...: the piece ends at 976. */
		{ 64, 1000, 16, 0, 5000, 976 },
		{ 64, 1000, 16 + 64, 0, 5000, 976 },
		{ 64, 1000, 16, 20, 5000, 956 },
		/* A granule is more than a piece: then it has to be cut. */
		{ 4096, 1000, 0, 10, 5000, 1000 },
		{ 1000, 1000, 0, 1, 5000, 999 },
		{ 0, 1000, 0, 10, 5000, 1000 },
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i;
	u64 nr;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_req *req = discard_req(ring, rows[i].sector,
						     rows[i].nr_sects, 0);

		fake_disk.bdev.max_discard_sectors = rows[i].max;
		fake_disk.bdev.discard_granularity =
			rows[i].granularity * SECTOR_SIZE;
		fake_disk.bdev.discard_alignment =
			rows[i].alignment * SECTOR_SIZE;
		nr = piece(req);
		expect(nr == rows[i].piece, "row %u: %llu", i, (ull)nr);
		rig_req_put(req);
	}
	rig_down();
}

static void secure_discards_erase(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req =
		discard_req(ring, 0, 500, BLKIF_DISCARD_SECURE);

	fake_disk.bdev.max_secure_erase_sectors = 200;
	xenvbd_io_discard(req);
	assert_int_equal(req->bio.bi_opf, REQ_OP_SECURE_ERASE);
	assert_int_equal(req->bio.bi_iter.bi_size, 200 * SECTOR_SIZE);
	fake_bio_end_all();
	rig_take_done(ring);

	/* Without the flag, or a disk that knows it, it is a hint. */
	rig.vbd.advertised.disk.secure = false;
	fake_disk.bdev.max_secure_erase_sectors = 0;
	xenvbd_io_discard(req);
	assert_int_equal(req->bio.bi_opf, REQ_OP_DISCARD);
	assert_int_equal(req->bio.bi_iter.bi_size, 300 * SECTOR_SIZE);
	fake_bio_end_all();
	rig_take_done(ring);

	fake_disk.bdev.max_secure_erase_sectors = 200;
	req = discard_req(ring, 0, 500, 0);
	xenvbd_io_discard(req);
	assert_int_equal(req->bio.bi_opf, REQ_OP_DISCARD);
	fake_bio_end_all();
	rig_take_done(ring);
	rig_down();
}

/* Who was told that it erases would take a hint for more than it is. */
static void a_disk_may_not_erase_any_more(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = discard_req(ring, 0, 8, BLKIF_DISCARD_SECURE);

	fake_disk.bdev.max_secure_erase_sectors = 0;
	rig.vbd.disk.secure = false;
	xenvbd_io_discard(req);
	assert_int_equal(rig_take_done(ring), 1);
	assert_int_equal(req->status, BLK_STS_NOTSUPP);
	assert_int_equal(fake_nr_submits, 0);
	rig_down();
}

static void what_the_disk_says_of_a_discard(void **state)
{
	static const struct {
		u8 flags;
		blk_status_t status, shown;
	} rows[] = {
		{ 0, BLK_STS_OK, BLK_STS_OK },
		{ 0, BLK_STS_IOERR, BLK_STS_IOERR },
		/* The hint is lost. */
		{ 0, BLK_STS_NOTSUPP, BLK_STS_OK },
		/* Data that had to be erased must not seem to be. */
		{ BLKIF_DISCARD_SECURE, BLK_STS_NOTSUPP, BLK_STS_NOTSUPP },
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_req *req = discard_req(ring, 0, 8, rows[i].flags);

		xenvbd_io_discard(req);
		fake_bio_end(&req->bio, rows[i].status);
		expect(req->status == rows[i].shown, "row %u", i);
		expect(!req->failed_flush, "row %u", i);
		rig_take_done(ring);
		rig_req_put(req);
	}
	rig_down();
}

static void a_disk_may_not_know_discards_any_more(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = discard_req(ring, 0, 8, 0);

	fake_disk.bdev.max_discard_sectors = 0;
	xenvbd_io_discard(req);
	assert_int_equal(rig_take_done(ring), 1);
	assert_int_equal(req->status, BLK_STS_NOTSUPP);
	assert_int_equal(fake_nr_submits, 0);

	/* Nothing is soon discarded. */
	req->status = BLK_STS_OK;
	req->nr_sects = 0;
	xenvbd_io_discard(req);
	assert_int_equal(rig_take_done(ring), 1);
	assert_int_equal(req->status, BLK_STS_OK);
	assert_int_equal(fake_nr_submits, 0);
	rig_down();
}

/* The disk may be somebody else's by now. */
static void an_abandoned_vbd_does_nothing(void **state)
{
	static const u8 ops[] = {
		BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_WRITE_BARRIER,
	};
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req;
	unsigned int i;

	ring->vbd->abandoned = true;
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		req = rig_req(ring, ops[i], 0, ops[i] != BLKIF_OP_FLUSH_DISKCACHE, 1);
		xenvbd_io_submit(req);
		expect(req->status == BLK_STS_IOERR, "operation %u", ops[i]);
		/* It is not tried again either. */
		expect(!req->failed_flush, "operation %u", ops[i]);
		assert_int_equal(rig_take_done(ring), 1);
		rig_req_put(req);
	}
	req = rig_req(ring, BLKIF_OP_DISCARD, 0, 0, 1);
	req->nr_sects = 8;
	xenvbd_io_discard(req);
	assert_int_equal(req->status, BLK_STS_IOERR);
	assert_int_equal(rig_take_done(ring), 1);
	rig_req_put(req);
	assert_int_equal(fake_nr_bios, 0);
	ring->vbd->abandoned = false;
	rig_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operation_has_its_flags),
		cmocka_unit_test(a_cache_that_nobody_flushes_is_written_through),
		cmocka_unit_test(a_plain_request_has_no_flags),
		cmocka_unit_test(data_goes_where_it_belongs),
		cmocka_unit_test(a_failed_flush_is_marked),
		cmocka_unit_test(an_empty_drive_does_nothing),
		cmocka_unit_test(an_abandoned_vbd_does_nothing),
		cmocka_unit_test(a_discard_is_executed),
		cmocka_unit_test(pieces_are_as_large_as_the_disk_takes),
		cmocka_unit_test(seams_are_where_the_granularity_has_them),
		cmocka_unit_test(secure_discards_erase),
		cmocka_unit_test(a_disk_may_not_erase_any_more),
		cmocka_unit_test(what_the_disk_says_of_a_discard),
		cmocka_unit_test(a_disk_may_not_know_discards_any_more),
	};

	return RUN(tests);
}
