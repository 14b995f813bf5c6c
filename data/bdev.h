/* SPDX-License-Identifier: GPL-2.0-only */
/* The backing disk. */
#ifndef XENVBD_BDEV_H
#define XENVBD_BDEV_H

#include <linux/blkdev.h>
#include <linux/types.h>

#include "core/validate.h"

/**
 * struct xenvbd_disk - the backing disk
 * @file: the open block device, NULL while there is none
 * @bdev: the same
 * @readonly: the toolstack or the disk itself forbids writing
 * @cdrom: to be shown to the guest as a CD-ROM
 * @removable: to be shown to the guest as removable
 * @flush: has a volatile write cache, or the next medium may have one
 * @discard: discards are offered
 * @secure: the disk knows secure discards
 * @empty: not a disk but a CD drive without a medium; @file is NULL
 * @block_size: logical block size in bytes
 */
struct xenvbd_disk {
	struct file *file;
	struct block_device *bdev;
	bool readonly;
	bool cdrom;
	bool removable;
	bool flush;
	bool discard;
	bool secure;
	bool empty;
	unsigned int block_size;
};

int xenvbd_disk_open(struct xenvbd_disk *disk, dev_t devt, bool readonly);
void xenvbd_disk_empty(struct xenvbd_disk *disk, const struct xenvbd_disk *old, bool readonly);
bool xenvbd_disk_ready(const struct xenvbd_disk *disk);
void xenvbd_disk_close(struct xenvbd_disk *disk);
int xenvbd_disk_drop_cache(const struct xenvbd_disk *disk);
u64 xenvbd_disk_seq(const struct xenvbd_disk *disk);
u64 xenvbd_disk_sects(const struct xenvbd_disk *disk);
bool xenvbd_disk_vanished(const struct xenvbd_disk *disk);
void xenvbd_disk_limits(const struct xenvbd_disk *disk, struct xenvbd_limits *limits);

#endif /* XENVBD_BDEV_H */
