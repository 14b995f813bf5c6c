/* SPDX-License-Identifier: GPL-2.0-only */
/* A ring's thread, from outside. */
#ifndef XENVBD_THREAD_H
#define XENVBD_THREAD_H

#include "common.h"

int xenvbd_ring_start(struct xenvbd_ring *ring);
void xenvbd_ring_drain(struct xenvbd_ring *ring);
void xenvbd_ring_pause(struct xenvbd_ring *ring);
void xenvbd_ring_resume(struct xenvbd_ring *ring);
void xenvbd_ring_stop(struct xenvbd_ring *ring);
unsigned int xenvbd_ring_in_flight(const struct xenvbd_ring *ring, unsigned long *oldest);

#endif /* XENVBD_THREAD_H */
