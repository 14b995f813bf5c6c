// SPDX-License-Identifier: GPL-2.0-only
/* From requests to bios, and back. */
#include "common.h"
#include "data/io.h"

/* The most that is discarded with one bio, in sectors of 512 bytes. */
#define MAX_PIECE	(SZ_128M >> SECTOR_SHIFT)

/* What data/barrier.c has to know of a request that the disk has failed. */
static void io_mark_failed(struct xenvbd_req *req)
{
	/* What data/rmw.c reads before it writes says nothing of flushes. */
	bool refused = req->status == BLK_STS_NOTSUPP &&
		       bio_op(&req->bio) != REQ_OP_READ;

	req->failed_flush = xenvbd_req_flushes(req) && !refused;
	/* A disk of many parts may have taken some flags away by now. */
	req->refused_flush = refused && (xenvbd_req_flushes(req) ||
					 req->bio.bi_opf & REQ_FUA);
}

static void io_end(struct bio *bio)
{
	struct xenvbd_req *req = container_of(bio, struct xenvbd_req, bio);

	/* Status first, then the bio: the request may be reused at once. */
	req->status = bio->bi_status;
	if (unlikely(req->status != BLK_STS_OK))
		io_mark_failed(req);
	bio_uninit(bio);
	xenvbd_latency_disk(req);
	xenvbd_wake_complete(req);
}

/*
 * A guest that does not flush takes what is written for safe, though the disk has
 * got a cache since. Each write looks: none may get into the cache unseen.
 */
static blk_opf_t io_through_cache(const struct xenvbd_ring *ring)
{
	if (likely(ring->limits.flushes || !bdev_write_cache(ring->bdev)))
		return 0;
	return READ_ONCE(ring->vbd->disk.no_flush) ? 0 : REQ_FUA;
}

static blk_opf_t io_opf(const struct xenvbd_req *req)
{
	if (unlikely(req->plain))
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	switch (req->op) {
	case BLKIF_OP_READ:
		return REQ_OP_READ;
	case BLKIF_OP_FLUSH_DISKCACHE:
		/* Perhaps with data, which is then written after the flush. */
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE |
		       (req->nr_segs ? io_through_cache(req->ring) : 0);
	case BLKIF_OP_WRITE_BARRIER:
		/* All before it is on the disk then, and its own data. */
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE |
		       (req->nr_segs ? REQ_FUA : 0);
	default:
		/* A guest waits for it: as urgent as a direct write in dom0. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
		       io_through_cache(req->ring);
	}
}

/*
 * In an empty drive there is nothing to flush, and nothing else that could be
 * done. Of a vbd that the toolstack has deleted nobody waits for an answer, and
 * the disk may be somebody else's soon.
 */
static bool io_is_futile(struct xenvbd_req *req)
{
	const struct xenvbd_ring *ring = req->ring;

	if (likely(ring->bdev && !READ_ONCE(ring->vbd->abandoned)))
		return false;
	req->status = ring->bdev || req->nr_sects ? BLK_STS_IOERR : BLK_STS_OK;
	xenvbd_wake_complete(req);
	return true;
}

/**
 * xenvbd_io_submit - hand a request to the disk
 * @req: checked, its segments mapped
 *
 * xenvbd_wake_complete() follows, perhaps before this function returns.
 *
 * Context: the ring's thread; sleeps while the disk's queue is full.
 */
void xenvbd_io_submit(struct xenvbd_req *req)
{
	struct bio *bio = &req->bio;

	if (unlikely(io_is_futile(req)))
		return;
	bio_init(bio, req->ring->bdev, req->bvec, req->nr_segs, io_opf(req));
	/*
	 * Each grant keeps a vector of its own. Neighbours in dom0's address
	 * space are not neighbours in the machine's (XSA-229).
	 */
	bio->bi_vcnt = req->nr_segs;
	bio->bi_iter.bi_size = req->nr_sects << SECTOR_SHIFT;
	bio->bi_iter.bi_sector = req->sector;
	bio->bi_end_io = io_end;
	xenvbd_latency_disk(req);
	submit_bio(bio);
}

/**
 * xenvbd_io_submit_blocks - hand the disk other data in the place of a request
 * @req: checked
 * @blocks: where on the disk, and the memory
 * @write: as @req would be written; otherwise read, whatever @req is
 *
 * xenvbd_wake_complete() follows, perhaps before this function returns.
 *
 * Context: the ring's thread; sleeps while the disk's queue is full.
 */
void xenvbd_io_submit_blocks(struct xenvbd_req *req,
			     const struct xenvbd_blocks *blocks, bool write)
{
	struct bio *bio = &req->bio;

	if (unlikely(io_is_futile(req)))
		return;
	bio_init(bio, req->ring->bdev, blocks->bvec, blocks->nr_vecs,
		 write ? io_opf(req) : REQ_OP_READ);
	bio->bi_vcnt = blocks->nr_vecs;
	bio->bi_iter.bi_size = blocks->nr_sects << SECTOR_SHIFT;
	bio->bi_iter.bi_sector = blocks->sector;
	bio->bi_end_io = io_end;
	xenvbd_latency_disk(req);
	submit_bio(bio);
}

/*
 * Where a disk of many parts has one that knows no discards, the hint is lost
 * there.
 */
static void io_discard_end(struct bio *bio)
{
	if (bio->bi_status == BLK_STS_NOTSUPP && bio_op(bio) == REQ_OP_DISCARD)
		bio->bi_status = BLK_STS_OK;
	io_end(bio);
}

/*
 * How much of a discard one bio takes. If more is left it ends where the disk's
 * granularity does: what lies across a seam would be discarded by neither side.
 */
static u32 io_piece(const struct xenvbd_req *req, u32 max_sects)
{
	struct block_device *bdev = req->ring->bdev;
	u32 granularity =
		max(bdev_discard_granularity(bdev) >> SECTOR_SHIFT, 1U);
	u32 alignment = bdev_discard_alignment(bdev) >> SECTOR_SHIFT;
	sector_t end =
		req->sector + max_sects + granularity - alignment % granularity;
	u32 excess;

	if (req->nr_sects <= max_sects)
		return req->nr_sects;
	excess = sector_div(end, granularity);
	return max_sects - (excess < max_sects ? excess : 0);
}

/*
 * Ignored if the disk does not know it, says blkif.h. But a guest to which secure erase
 * was advertised takes for erased what was not refused. (What was advertised changes
 * only while no ring is served.)
 */
static bool io_erases(const struct xenvbd_req *req)
{
	return req->flags & BLKIF_DISCARD_SECURE && !req->ring->limits.emulate &&
	       (bdev_max_secure_erase_sectors(req->ring->bdev) ||
		req->ring->vbd->advertised.disk.secure);
}

/**
 * xenvbd_io_discard - hand the next piece of a discard to the disk
 * @req: checked; its sectors are those that are left
 *
 * Not more than the disk takes with one request, so that none waits for several
 * to be handed over, nor so much that it would take long where submit_bio()
 * itself does the work. xenvbd_wake_complete() follows, perhaps before this
 * function returns.
 *
 * Context: the ring's thread; sleeps while the disk's queue is full.
 */
void xenvbd_io_discard(struct xenvbd_req *req)
{
	struct block_device *bdev = req->ring->bdev;
	struct bio *bio = &req->bio;
	bool secure;
	u32 max, nr;

	if (unlikely(io_is_futile(req)))
		return;
	secure = io_erases(req);
	max = secure ? bdev_max_secure_erase_sectors(bdev) :
		       bdev_max_discard_sectors(bdev);
	max = min_t(u32, max, MAX_PIECE);
	max -= max % (bdev_logical_block_size(bdev) >> SECTOR_SHIFT);
	nr = io_piece(req, max);
	if (unlikely(!nr)) {
		/*
		 * Nothing is soon discarded; or the disk does not know discards
		 * any more.
		 */
		req->status = req->nr_sects ? BLK_STS_NOTSUPP : BLK_STS_OK;
		xenvbd_wake_complete(req);
		return;
	}
	bio_init(bio, bdev, NULL, 0,
		 secure ? REQ_OP_SECURE_ERASE : REQ_OP_DISCARD);
	bio->bi_iter.bi_size = nr << SECTOR_SHIFT;
	bio->bi_iter.bi_sector = req->sector;
	bio->bi_end_io = io_discard_end;
	req->sector += nr;
	req->nr_sects -= nr;
	xenvbd_latency_disk(req);
	submit_bio(bio);
}
