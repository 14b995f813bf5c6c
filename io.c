// SPDX-License-Identifier: GPL-2.0-only
/* From requests to bios, and back. */
#include "io.h"

static void xenvbd_io_end(struct bio *bio)
{
	struct xenvbd_req *req = container_of(bio, struct xenvbd_req, bio);

	/* Status first, then the bio: the request may be reused at once. */
	req->status = bio->bi_status;
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
	default:
		/* A guest waits for it: as urgent as a direct write in dom0. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
	}
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

	bio_init(bio, req->ring->bdev, req->bvec, XENVBD_INLINE_SEGS, io_opf(req));
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
