/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's pages: mapped in batches, kept mapped, or copied. */
#ifndef XENVBD_PAGES_H
#define XENVBD_PAGES_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include "data/batch.h"
#include "data/copy.h"
#include "data/persistent.h"

/*
 * Pages of a vbd that grants are mapped to, in use or not; its rings share
 * them.
 */
#define XENVBD_MAX_VBD_PAGES	65536

/* What there is not enough of to start a request: for people, see control/stall.c. */
#define XENVBD_NO_MEMORY	"no memory"
#define XENVBD_NO_PAGES		"no pages to map to"
/* Requests in flight have what the ring, or its domain, may have. */
#define XENVBD_NO_SHARE		"its share of pages in use"

struct page;
struct xenvbd_req;
struct xenvbd_ring;

/* Which methods the administrator allows; see control/tunables.c. */
enum xenvbd_policy {
	XENVBD_POLICY_AUTO,
	XENVBD_POLICY_PERSISTENT,
	XENVBD_POLICY_MAP,
	XENVBD_POLICY_COPY,
};

/* May grants stay mapped, where the frontend has agreed to it? */
static inline bool xenvbd_policy_persists(unsigned int policy)
{
	return policy == XENVBD_POLICY_AUTO ||
	       policy == XENVBD_POLICY_PERSISTENT;
}

/* What a ring gets at the guest's pages with. */
struct xenvbd_pages {
	struct xenvbd_batch batch;
	struct xenvbd_pool pool;
	struct xenvbd_persistent persistent;
	struct xenvbd_copy copy;
	/* In jiffies: until then no map handles are wanted; 0: there are enough. */
	unsigned long short_until;
};

int xenvbd_pages_init(struct xenvbd_ring *ring, unsigned int nr_rings,
		      bool persistent);
void xenvbd_pages_exit(struct xenvbd_ring *ring);
bool xenvbd_pages_reserve(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_pages_add(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_pages_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
bool xenvbd_pages_held(const struct xenvbd_req *req);
void xenvbd_pages_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
long xenvbd_pages_trim(struct xenvbd_ring *ring);
void xenvbd_pages_kicked(struct xenvbd_ring *ring);

/* Has a ring had anything to give back? Its thread may be at work. */
static inline bool xenvbd_pages_idle(const struct xenvbd_pages *pages)
{
	return READ_ONCE(pages->pool.nr_free) || READ_ONCE(pages->copy.nr_free) ||
	       READ_ONCE(pages->persistent.nr);
}

#endif /* XENVBD_PAGES_H */
