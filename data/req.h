/* SPDX-License-Identifier: GPL-2.0-only */
/* One request between ring and disk, and lists of them. */
#ifndef XENVBD_REQ_H
#define XENVBD_REQ_H

#include <linux/bio.h>
#include <linux/llist.h>
#include <xen/grant_table.h>

#include "core/proto.h"

/* Segments whose bookkeeping is part of each request. */
#define XENVBD_INLINE_SEGS	BLKIF_MAX_SEGMENTS_PER_REQUEST
/* Segments of an INDIRECT request: 1 MiB, and half a descriptor page. */
#define XENVBD_MAX_SEGS		256

struct xenvbd_pgrant;
struct xenvbd_ring;

/* How a request gets at the guest's pages. */
enum xenvbd_method {
	/* Mapped for this request, some of its pages at least. */
	XENVBD_METHOD_MAP,
	/* Mapped, and kept so for later ones: persistent grants. */
	XENVBD_METHOD_PERSISTENT,
	/* Not mapped: the hypervisor copies the data. */
	XENVBD_METHOD_COPY,
};

/*
 * What is known of a request's segments. Those of an INDIRECT request come
 * last.
 */
enum xenvbd_segs {
	/* They are here, and checked. */
	XENVBD_SEGS_CHECKED,
	/* They are in a page of the guest still. */
	XENVBD_SEGS_WANTED,
	/* They are here. */
	XENVBD_SEGS_FETCHED,
	/* Checked, and not whole blocks of the disk; see data/rmw.c. */
	XENVBD_SEGS_SPLIT,
};

/*
 * One request between ring and disk. The block layer owns the request from
 * submission until xenvbd_wake_complete(), the ring's owner at all other times.
 * Sectors are of 512 bytes.
 */
struct xenvbd_req {
	union {
		/* In wake.done, from completion until the owner takes it. */
		struct llist_node done;
		/*
		 * While parked: the number of a barrier, or of the last one
		 * before a write.
		 */
		u64 turn;
	};
	/* On the free list or in a list of the thread. */
	struct xenvbd_req *next;
	struct xenvbd_ring *ring;

	/* Of each segment its page, offset and length. */
	struct bio_vec *bvec;
	/* Of each segment its persistent grant, or NULL. */
	struct xenvbd_pgrant **pgrant;
	union {
		/*
		 * Of each segment the handle of a mapping of its own, or
		 * INVALID_GRANT_HANDLE.
		 */
		grant_handle_t *handle;
		/* Of each segment its grant, if the data is copied. */
		grant_ref_t *gref;
	};
	/* Holds these three arrays if the inline ones are too short. */
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
	/* enum xenvbd_method */
	u8 method;
	/* enum xenvbd_segs */
	u8 segs;
	/* A flush or barrier, and the disk has failed it. */
	u8 failed_flush : 1;
	/* The disk does not know what it was asked for beside the data. */
	u8 refused_flush : 1;
	/* So the data is written without. */
	u8 plain : 1;
	/* See data/latency.c: when it was taken, 0 if that was not measured. */
	u32 taken_us;

	struct bio bio;
	struct bio_vec inline_bvec[XENVBD_INLINE_SEGS];
	struct xenvbd_pgrant *inline_pgrant[XENVBD_INLINE_SEGS];
	grant_handle_t inline_handle[XENVBD_INLINE_SEGS];
	/* How long it was at the disk, or since when; if taken_us is not 0. */
	u32 disk_us;
};

/* Requests in order, linked by their next member. All zeroes is an empty list. */
struct xenvbd_req_list {
	struct xenvbd_req *first;
	/* Means nothing while the list is empty. */
	struct xenvbd_req *last;
};

/* Add a request behind all others. */
static inline void xenvbd_req_list_add(struct xenvbd_req_list *list,
				       struct xenvbd_req *req)
{
	req->next = NULL;
	if (list->first)
		list->last->next = req;
	else
		list->first = req;
	list->last = req;
}

/* Take the first request; there is one. */
static inline struct xenvbd_req *
xenvbd_req_list_pop(struct xenvbd_req_list *list)
{
	struct xenvbd_req *req = list->first;

	list->first = req->next;
	return req;
}

/*
 * For an INDIRECT request, if there is no memory for the arrays of another one.
 */
struct xenvbd_spare {
	void *big;
	bool used;
};

int xenvbd_reqs_init(struct xenvbd_ring *ring);
void xenvbd_reqs_exit(struct xenvbd_ring *ring);
struct xenvbd_req *xenvbd_req_get(struct xenvbd_ring *ring,
				  const struct xenvbd_cmd *cmd);
void xenvbd_req_put(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_req_enlarge(struct xenvbd_req *req);
void xenvbd_req_shrink(struct xenvbd_req *req);

/* Does a frontend take an error of this request for "not supported"? */
static inline bool xenvbd_req_flushes(const struct xenvbd_req *req)
{
	return req->op == BLKIF_OP_FLUSH_DISKCACHE ||
	       req->op == BLKIF_OP_WRITE_BARRIER;
}

/**
 * xenvbd_req_segs - where a request keeps its segments until they are mapped
 * @req: with nr_segs set
 *
 * They lie in the tail of the request's own vectors, which are twice as large.
 * So vector i overwrites only segments that were read before, or segment i
 * itself:
 *
 *	vectors   |   0   |   1   |   2   |   3   |
 *	segments                  | 0 | 1 | 2 | 3 |
 *
 * Return: the segments, in private memory.
 */
static inline struct xenvbd_seg *xenvbd_req_segs(struct xenvbd_req *req)
{
	static_assert(sizeof(struct bio_vec) >= sizeof(struct xenvbd_seg));

	return (struct xenvbd_seg *)(req->bvec + req->nr_segs) - req->nr_segs;
}

#endif /* XENVBD_REQ_H */
