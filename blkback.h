/* SPDX-License-Identifier: GPL-2.0-only */
/* The data path: the life of a request. */
#ifndef XENVBD_BLKBACK_H
#define XENVBD_BLKBACK_H

#include <linux/interrupt.h>

#include "common.h"

int xenvbd_ring_init_reqs(struct xenvbd_ring *ring);
int xenvbd_ring_thread(void *data);
irqreturn_t xenvbd_ring_irq(int irq, void *data);
void xenvbd_ring_poke(struct xenvbd_ring *ring);

#endif /* XENVBD_BLKBACK_H */
