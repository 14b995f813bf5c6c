/* SPDX-License-Identifier: GPL-2.0-only */
/* The data path: the life of a request. */
#ifndef XENVBD_BLKBACK_H
#define XENVBD_BLKBACK_H

int xenvbd_ring_serve(void *data);

#endif /* XENVBD_BLKBACK_H */
