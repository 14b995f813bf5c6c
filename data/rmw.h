/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that are not whole blocks of the disk: read, modify, write. */
#ifndef XENVBD_RMW_H
#define XENVBD_RMW_H

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "data/io.h"
#include "data/req.h"
#include "data/turn.h"

/* A ring's buffer: no disk has larger blocks. */
#define XENVBD_RMW_PAGES	(SZ_64K / PAGE_SIZE)

/* A ring's part: its owner's own. */
struct xenvbd_rmw {
	struct xenvbd_turn turn;
	/* Those that may use the buffer, one by one; the first one does. */
	struct xenvbd_req_list queue;
	/* Of the first: sectors that are done, and those that are being done. */
	u32 nr_done;
	u32 nr_sects;
	/* The disk reads to the buffer, or writes from it. */
	bool at_disk;
	/* What the guest writes is in the buffer: next it is written. */
	bool merged;
	/* The blocks that are being done. */
	struct xenvbd_blocks blocks;
	/* XENVBD_RMW_PAGES of them; NULL where nothing is emulated. */
	struct bio_vec *buffer;
};

/* Has no request to do, and holds up no write? */
static inline bool xenvbd_rmw_idle(const struct xenvbd_rmw *rmw)
{
	return xenvbd_order_idle(&rmw->turn.order) && !rmw->queue.first;
}

/* Is the buffer in use below, so that it has to be tried again? */
static inline bool xenvbd_rmw_waits(const struct xenvbd_rmw *rmw)
{
	return rmw->queue.first && !rmw->at_disk;
}

int xenvbd_rmw_init(struct xenvbd_rmw *rmw);
void xenvbd_rmw_exit(struct xenvbd_rmw *rmw);
void xenvbd_rmw_join(struct xenvbd_ring *ring);
void xenvbd_rmw_leave(struct xenvbd_ring *ring);
void xenvbd_rmw_look(struct xenvbd_ring *ring);
bool xenvbd_rmw_admit(struct xenvbd_ring *ring, struct xenvbd_req *req);
unsigned int xenvbd_rmw_admit_all(struct xenvbd_ring *ring,
				  struct xenvbd_req_list *reqs);
unsigned int xenvbd_rmw_pass(struct xenvbd_ring *ring,
			     struct xenvbd_req_list *started);
bool xenvbd_rmw_done(struct xenvbd_ring *ring, struct xenvbd_req *req);

#endif /* XENVBD_RMW_H */
