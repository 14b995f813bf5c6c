/* SPDX-License-Identifier: GPL-2.0-only */
/* The backing disk. */
#ifndef XENVBD_BDEV_H
#define XENVBD_BDEV_H

#include "common.h"

int xenvbd_disk_open(struct xenvbd_disk *disk, dev_t devt, bool readonly);
void xenvbd_disk_close(struct xenvbd_disk *disk);
int xenvbd_disk_drop_cache(const struct xenvbd_disk *disk);
void xenvbd_disk_limits(const struct xenvbd_disk *disk, struct xenvbd_limits *limits);

#endif /* XENVBD_BDEV_H */
