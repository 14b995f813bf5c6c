/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's pages: mapping and unmapping of grants, in batches. */
#ifndef XENVBD_GRANT_H
#define XENVBD_GRANT_H

#include "common.h"

int xenvbd_grants_init(struct xenvbd_ring *ring);
void xenvbd_grants_exit(struct xenvbd_ring *ring);
bool xenvbd_grants_reserve(struct xenvbd_ring *ring, unsigned int nr);
void xenvbd_grants_add(struct xenvbd_ring *ring, struct xenvbd_req *req,
		       const struct xenvbd_cmd *cmd);
void xenvbd_grants_map(struct xenvbd_ring *ring, struct xenvbd_req *reqs);
bool xenvbd_grants_held(const struct xenvbd_req *req);
void xenvbd_grants_release(struct xenvbd_ring *ring, struct xenvbd_req *reqs);

#endif /* XENVBD_GRANT_H */
