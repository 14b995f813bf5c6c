/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Index arithmetic of one shared ring, seen from the backend.
 *
 * Layer 0: pure. The only memory touched is the ring page itself. Each word
 * of it that the guest can write is read once per call, into private memory.
 */
#ifndef XENVBD_SRING_H
#define XENVBD_SRING_H

#include <linux/types.h>
#include "core/proto.h"

/* Head of the first ring page, as Xen's public ring.h lays it out. */
struct xenvbd_sring_page {
	u32 req_prod;
	u32 req_event;
	u32 rsp_prod;
	u32 rsp_event;
	u8 pad[48];
};

static_assert(sizeof(struct xenvbd_sring_page) == 64);

/**
 * struct xenvbd_sring - our view of a shared ring
 * @page: the shared memory
 * @nr_ents: slots, a power of two
 * @slot_bytes: distance between two slots
 * @abi: layout of the slots
 * @req_cons: index of the next request to take
 * @rsp_prod: index of the next response to write; what the guest has been
 *            shown of it is in the shared page. @req_cons - @rsp_prod is the
 *            number of requests that are still owed an answer.
 * @rsp_pushed: @rsp_prod as of the last push
 *
 * Not locked: belongs to whoever runs the ring.
 */
struct xenvbd_sring {
	struct xenvbd_sring_page *page;
	u32 nr_ents;
	u32 slot_bytes;
	enum xenvbd_abi abi;
	u32 req_cons;
	u32 rsp_prod;
	u32 rsp_pushed;
};

/**
 * xenvbd_sring_inflight - requests taken and not yet answered
 * @sring: the ring
 *
 * Return: their number, never more than the ring has slots.
 */
static inline u32 xenvbd_sring_inflight(const struct xenvbd_sring *sring)
{
	return sring->req_cons - sring->rsp_prod;
}

u32 xenvbd_sring_nr_ents(size_t bytes, enum xenvbd_abi abi);
int xenvbd_sring_attach(struct xenvbd_sring *sring, void *page, size_t bytes,
			enum xenvbd_abi abi);
int xenvbd_sring_pending(const struct xenvbd_sring *sring);
void xenvbd_sring_fetch(struct xenvbd_sring *sring, struct xenvbd_slot *slot);
void xenvbd_sring_respond(struct xenvbd_sring *sring, u64 id, u8 op,
			  blk_status_t status);
bool xenvbd_sring_push(struct xenvbd_sring *sring);
int xenvbd_sring_rearm(struct xenvbd_sring *sring);

#endif /* XENVBD_SRING_H */
