/* SPDX-License-Identifier: GPL-2.0-only */
/* One request between ring and disk. */
#ifndef XENVBD_REQ_H
#define XENVBD_REQ_H

#include <linux/bio.h>
#include <linux/llist.h>
#include <xen/grant_table.h>

#include "core/proto.h"

/* Segments whose bookkeeping is part of each request. */
#define XENVBD_INLINE_SEGS	BLKIF_MAX_SEGMENTS_PER_REQUEST

struct xenvbd_pgrant;
struct xenvbd_ring;

/* How a request gets at the guest's pages. */
enum xenvbd_way {
	/* Mapped for this request. */
	XENVBD_WAY_MAP,
	/* Mapped, and kept so for later ones. */
	XENVBD_WAY_KEEP,
	/* Not at all: its data is copied. */
	XENVBD_WAY_COPY,
};

/*
 * One request between ring and disk. Owned by the ring thread, but for the
 * time between submission and xenvbd_req_complete(), when the block layer has
 * it. Sectors are of 512 bytes.
 */
struct xenvbd_req {
	union {
		/* On ring->done, from completion until the thread takes it. */
		struct llist_node done;
		/* While parked: its own number if it is a barrier, or the last one's. */
		u64 turn;
	};
	/* On the free list or in a list of the thread. */
	struct xenvbd_req *next;
	struct xenvbd_ring *ring;

	/* Per segment: page, offset and length; its persistent grant, or NULL; */
	struct bio_vec *bvec;
	struct xenvbd_pgrant **pgrant;
	union {
		/* handle of a mapping of its own, or INVALID_GRANT_HANDLE; */
		grant_handle_t *handle;
		/* or, if the data is copied, its grant. */
		grant_ref_t *gref;
	};
	/* Holds these three if the inline ones are too short. */
	void *big;

	/* In jiffies, when it was taken; 0 on the free list. */
	unsigned long start;
	u64 id;
	/* Of a discard: what is left of it. */
	u64 sector;
	u64 nr_sects;
	/* The page with the segments of an INDIRECT request. */
	grant_ref_t desc_gref;
	u16 nr_segs;
	u8 op;
	u8 flags;
	blk_status_t status;
	/* To the guest's pages: enum xenvbd_way. */
	u8 way;
	/* The segments have not been fetched from desc_gref yet. */
	bool fetch;
	/* A flush or barrier, and the disk has failed it. */
	bool failed_flush;

	struct bio bio;
	struct bio_vec inline_bvec[XENVBD_INLINE_SEGS];
	struct xenvbd_pgrant *inline_pgrant[XENVBD_INLINE_SEGS];
	grant_handle_t inline_handle[XENVBD_INLINE_SEGS];
};

/* Does a frontend take an error of it for "not supported"? */
static inline bool xenvbd_req_flushes(const struct xenvbd_req *req)
{
	return req->op == BLKIF_OP_FLUSH_DISKCACHE || req->op == BLKIF_OP_WRITE_BARRIER;
}

/*
 * The one call upward: io.c gives a request back to blkback.c. Any context.
 */
void xenvbd_req_complete(struct xenvbd_req *req);

#endif /* XENVBD_REQ_H */
