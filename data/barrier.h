/* SPDX-License-Identifier: GPL-2.0-only */
/* What holds writes up: barriers, and flushes that failed. */
#ifndef XENVBD_GATE_H
#define XENVBD_GATE_H

#include "common.h"

/**
 * xenvbd_gate_idle - has the gate no business with a ring?
 * @ring: the ring
 *
 * Return: if not, xenvbd_gate_pass() is due in each pass.
 */
static inline bool xenvbd_gate_idle(const struct xenvbd_ring *ring)
{
	return likely(!ring->turn && !ring->parked && !ring->failed);
}

void xenvbd_gate_init(struct xenvbd_gate *gate);
void xenvbd_gate_join(struct xenvbd_ring *ring);
void xenvbd_gate_leave(struct xenvbd_ring *ring);
bool xenvbd_gate_admit(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_gate_heed(struct xenvbd_ring *ring);
void xenvbd_gate_pass(struct xenvbd_ring *ring);
bool xenvbd_gate_done(struct xenvbd_ring *ring, struct xenvbd_req *req);
long xenvbd_gate_timeout(const struct xenvbd_ring *ring, long timeout);

#endif /* XENVBD_GATE_H */
