/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's pages: mapped and unmapped in batches, and kept mapped where the
 * frontend wants that.
 */
#ifndef XENVBD_GRANT_H
#define XENVBD_GRANT_H

#include "common.h"

/**
 * struct xenvbd_pgrant - a grant that stays mapped between requests
 * @hash: in ring->pgrants, by @gref
 * @lru: in ring->lru while no request uses it
 * @page: where it is mapped
 * @idle_since: jiffies when the last request let go of it
 * @gref: the grant
 * @handle: of the mapping
 * @users: requests that use it now
 */
struct xenvbd_pgrant {
	struct hlist_node hash;
	struct list_head lru;
	struct page *page;
	unsigned long idle_since;
	grant_ref_t gref;
	grant_handle_t handle;
	unsigned int users;
};

/**
 * xenvbd_req_segs - where a request keeps its segments until they are mapped
 * @req: with nr_segs set
 *
 * In the tail of its own vectors, which are larger: vector i is written when
 * segment i, and with it all that lies in the way, was read.
 *
 * Return: the segments, in private memory.
 */
static inline struct xenvbd_seg *xenvbd_req_segs(struct xenvbd_req *req)
{
	static_assert(sizeof(struct bio_vec) >= sizeof(struct xenvbd_seg));

	return (struct xenvbd_seg *)(req->bvec + req->nr_segs) - req->nr_segs;
}

int xenvbd_grants_init(struct xenvbd_ring *ring, unsigned int nr_rings, bool persistent);
void xenvbd_grants_exit(struct xenvbd_ring *ring);
bool xenvbd_grants_enlarge(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_grants_reserve(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_grants_add(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_grants_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
bool xenvbd_grants_held(const struct xenvbd_req *req);
void xenvbd_grants_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
long xenvbd_grants_trim(struct xenvbd_ring *ring);
bool xenvbd_grants_idle(const struct xenvbd_ring *ring);
void xenvbd_grants_heed(struct xenvbd_ring *ring);

#endif /* XENVBD_GRANT_H */
