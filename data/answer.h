/* SPDX-License-Identifier: GPL-2.0-only */
/* From the disk to the ring: what becomes of completed requests. */
#ifndef XENVBD_ANSWER_H
#define XENVBD_ANSWER_H

#include <linux/types.h>

/* A completion answers so many requests at most, and copies so many segments. */
#define XENVBD_ANSWER_REQS	8
#define XENVBD_ANSWER_COPIES	32

struct xenvbd_ring;

bool xenvbd_answer_all(struct xenvbd_ring *ring);
bool xenvbd_answer_now(struct xenvbd_ring *ring);
void xenvbd_answer_push(struct xenvbd_ring *ring);

#endif /* XENVBD_ANSWER_H */
