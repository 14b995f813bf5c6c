/* SPDX-License-Identifier: GPL-2.0-only */
/* How long requests take, measured while somebody wants to know. */
#ifndef XENVBD_DATA_LATENCY_H
#define XENVBD_DATA_LATENCY_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include "core/latency.h"
#include "data/req.h"

struct xenvbd_ring;

/* A ring's measurements: its owner's own. */
struct xenvbd_latency {
	/* When the owner looked at the clock last, in microseconds; never 0. */
	u32 now_us;
	struct xenvbd_latencies latencies;
};

/* On while the parameter latency is set. Otherwise nobody looks at a clock. */
DECLARE_STATIC_KEY_FALSE(xenvbd_latency_key);

void __xenvbd_latency_look(struct xenvbd_latency *latency);
void __xenvbd_latency_disk(struct xenvbd_req *req);
void __xenvbd_latency_count(struct xenvbd_latency *latency,
			    const struct xenvbd_req *req);

/* Look at the clock, for all requests that are taken or answered now. */
static inline void xenvbd_latency_look(struct xenvbd_latency *latency)
{
	if (static_branch_unlikely(&xenvbd_latency_key))
		__xenvbd_latency_look(latency);
}

/* A request was taken from the ring. */
static inline void xenvbd_latency_take(const struct xenvbd_latency *latency,
				       struct xenvbd_req *req)
{
	req->taken_us = 0;
	if (static_branch_unlikely(&xenvbd_latency_key)) {
		req->taken_us = latency->now_us;
		req->disk_us = 0;
	}
}

/* A request goes to the disk, or has come back; perhaps in several pieces. */
static inline void xenvbd_latency_disk(struct xenvbd_req *req)
{
	if (static_branch_unlikely(&xenvbd_latency_key))
		__xenvbd_latency_disk(req);
}

/* A request is answered: count it. */
static inline void xenvbd_latency_count(struct xenvbd_latency *latency,
					const struct xenvbd_req *req)
{
	if (static_branch_unlikely(&xenvbd_latency_key))
		__xenvbd_latency_count(latency, req);
}

#endif /* XENVBD_DATA_LATENCY_H */
