/* SPDX-License-Identifier: GPL-2.0-only */
/* Discards, a few at a time and piece by piece. */
#ifndef XENVBD_DISCARD_H
#define XENVBD_DISCARD_H

#include "common.h"

void xenvbd_discard_add(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_discard_done(struct xenvbd_ring *ring, struct xenvbd_req *req);
bool xenvbd_discard_pass(struct xenvbd_ring *ring);

#endif /* XENVBD_DISCARD_H */
