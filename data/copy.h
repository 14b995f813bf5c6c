/* SPDX-License-Identifier: GPL-2.0-only */
/* What is copied from or to the guest, and not mapped. */
#ifndef XENVBD_COPY_H
#define XENVBD_COPY_H

#include <linux/types.h>

#include "data/share.h"

struct page;
struct xenvbd_req;
struct xenvbd_ring;

/* Pages of our own to copy to. */
struct xenvbd_copy {
	/* Those that no request uses, a stack. */
	struct page **free;
	u32 nr_free;
	/* In use or not. */
	u32 nr_pages;
	/* Of these those that the domain is not charged for. */
	u32 nr_extra;
	/* Requests in flight that copy. */
	u32 nr_reqs;
	/* It was for want of memory that there were no more pages the last time. */
	bool no_memory;
	/* When a page was last used, in jiffies. */
	unsigned long used_at;
	struct xenvbd_share *share;
};

bool xenvbd_copy_add_fetch(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_copy_fetch(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
bool xenvbd_copy_reserve(struct xenvbd_ring *ring, unsigned int nr);
bool xenvbd_copy_reserve_last(struct xenvbd_ring *ring, unsigned int nr);
void xenvbd_copy_add(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_copy_in(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
void xenvbd_copy_out(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
void xenvbd_copy_out_now(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
void xenvbd_copy_release(struct xenvbd_copy *copy, struct xenvbd_req *req);
long xenvbd_copy_trim(struct xenvbd_copy *copy);
void xenvbd_copy_free(struct xenvbd_copy *copy);

#endif /* XENVBD_COPY_H */
