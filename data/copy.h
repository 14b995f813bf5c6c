/* SPDX-License-Identifier: GPL-2.0-only */
/* What is copied from or to the guest, and not mapped. */
#ifndef XENVBD_COPY_H
#define XENVBD_COPY_H

#include "common.h"

bool xenvbd_copy_add_fetch(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_copy_fetch(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
bool xenvbd_copy_reserve(struct xenvbd_ring *ring, unsigned int nr);
void xenvbd_copy_add(struct xenvbd_ring *ring, struct xenvbd_req *req);
void xenvbd_copy_in(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
void xenvbd_copy_out(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
void xenvbd_copy_release(struct xenvbd_ring *ring, struct xenvbd_req *req);
long xenvbd_copy_trim(struct xenvbd_ring *ring);
void xenvbd_copy_free(struct xenvbd_ring *ring);

#endif /* XENVBD_COPY_H */
