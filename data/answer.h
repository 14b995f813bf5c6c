/* SPDX-License-Identifier: GPL-2.0-only */
/* From the disk to the ring: what becomes of completed requests. */
#ifndef XENVBD_ANSWER_H
#define XENVBD_ANSWER_H

#include <linux/types.h>

struct xenvbd_ring;

bool xenvbd_answer_all(struct xenvbd_ring *ring);
bool xenvbd_answer_now(struct xenvbd_ring *ring);
void xenvbd_answer_push(struct xenvbd_ring *ring);

#endif /* XENVBD_ANSWER_H */
