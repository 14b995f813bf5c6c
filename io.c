// SPDX-License-Identifier: GPL-2.0-only
/* From requests to bios, and back. */
#include "io.h"

static void xenvbd_io_end(struct bio *bio)
{
	struct xenvbd_req *req = container_of(bio, struct xenvbd_req, bio);

	/* Status first, then the bio: the request may be reused at once. */
	req->status = bio->bi_status;
	req->failed_flush = unlikely(req->status != BLK_STS_OK) && xenvbd_req_flushes(req) &&
			    req->status != BLK_STS_NOTSUPP;
	bio_uninit(bio);
	xenvbd_req_complete(req);
}

static blk_opf_t io_opf(const struct xenvbd_req *req)
{
	switch (req->op) {
	case BLKIF_OP_READ:
		return REQ_OP_READ;
	case BLKIF_OP_FLUSH_DISKCACHE:
		/* Perhaps with data, which is then written after the flush. */
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE;
	case BLKIF_OP_WRITE_BARRIER:
		/* All before it is on the disk then, and its own data. */
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE |
		       (req->nr_segs ? REQ_FUA : 0);
	default:
		/* A guest waits for it: as urgent as a direct write in dom0. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	}
}

/* In an empty drive there is nothing to flush, and nothing else that could be done. */
static void io_fail(struct xenvbd_req *req)
{
	req->status = req->nr_sects ? BLK_STS_IOERR : BLK_STS_OK;
	xenvbd_req_complete(req);
}

/**
 * xenvbd_io_submit - hand a request to the disk
 * @req: checked, its segments mapped
 *
 * xenvbd_req_complete() follows, perhaps before this function returns.
 *
 * Context: the ring's thread; sleeps while the disk's queue is full.
 */
void xenvbd_io_submit(struct xenvbd_req *req)
{
	struct bio *bio = &req->bio;

	if (unlikely(!req->ring->bdev)) {
		io_fail(req);
		return;
	}
	bio_init(bio, req->ring->bdev, req->bvec, req->nr_segs, io_opf(req));
	/*
	 * Each grant keeps a vector of its own. Neighbours in dom0's address
	 * space are not neighbours in the machine's (XSA-229).
	 */
	bio->bi_vcnt = req->nr_segs;
	bio->bi_iter.bi_size = req->nr_sects << SECTOR_SHIFT;
	bio->bi_iter.bi_sector = req->sector;
	bio->bi_end_io = xenvbd_io_end;
	submit_bio(bio);
}

static void io_discard_work(struct work_struct *work)
{
	struct xenvbd_req *req = container_of(work, struct xenvbd_req, work);
	struct block_device *bdev = req->ring->bdev;
	int err = 0;

	if (!req->nr_sects)
		; /* Nothing is soon discarded; the block layer would call it an error. */
	else if (req->flags & BLKIF_DISCARD_SECURE && req->ring->vbd->disk.secure)
		err = blkdev_issue_secure_erase(bdev, req->sector, req->nr_sects, GFP_NOIO);
	else
		err = blkdev_issue_discard(bdev, req->sector, req->nr_sects, GFP_NOIO);
	req->status = errno_to_blk_status(err);
	xenvbd_req_complete(req);
}

/**
 * xenvbd_io_discard - have a range of the disk discarded
 * @req: checked
 *
 * A discard may be many bios, and take long. It waits in a worker of its own
 * and in nobody's way.
 *
 * Context: the ring's thread.
 */
void xenvbd_io_discard(struct xenvbd_req *req)
{
	if (unlikely(!req->ring->bdev)) {
		io_fail(req);
		return;
	}
	INIT_WORK(&req->work, io_discard_work);
	queue_work(req->ring->vbd->discard_wq, &req->work);
}
