/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting awake for more work. */
#ifndef XENVBD_LINGER_H
#define XENVBD_LINGER_H

#include "common.h"

bool xenvbd_ring_linger(struct xenvbd_ring *ring);
void xenvbd_ring_waited(struct xenvbd_ring *ring);

#endif /* XENVBD_LINGER_H */
