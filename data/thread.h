/* SPDX-License-Identifier: GPL-2.0-only */
/* A ring's thread, from outside. */
#ifndef XENVBD_THREAD_H
#define XENVBD_THREAD_H

#include <linux/types.h>

struct xenvbd_ring;

int xenvbd_thread_start(struct xenvbd_ring *ring, int (*serve)(void *ring));
void xenvbd_thread_drain(struct xenvbd_ring *ring);
void xenvbd_thread_pause(struct xenvbd_ring *ring);
void xenvbd_thread_resume(struct xenvbd_ring *ring);
void xenvbd_thread_stop(struct xenvbd_ring *ring);
unsigned int xenvbd_thread_in_flight(const struct xenvbd_ring *ring,
				     unsigned long *oldest);
bool xenvbd_thread_has_writes(const struct xenvbd_ring *ring);

#endif /* XENVBD_THREAD_H */
