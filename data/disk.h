/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backing disk, as everybody may look at it. control/disk.c makes and ends
 * it.
 */
#ifndef XENVBD_DATA_DISK_H
#define XENVBD_DATA_DISK_H

#include <linux/blkdev.h>
#include <linux/math.h>
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
 * @opened_readonly: @file is for reading only
 * @no_flush: it has refused a flush; forgotten when a guest connects
 * @unflushed: has a cache that the guest does not know of, and that was not flushed
 * @no_discard: the toolstack forbids discards
 * @block_size: logical block size in bytes
 *
 * The rest is what xenvbd_disk_look() has seen last: @readonly, @flush, @discard,
 * @secure and @block_size.
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
	bool opened_readonly;
	bool no_flush;
	bool unflushed;
	bool no_discard;
	unsigned int block_size;
};

/* Can the disk be advertised to a guest? It is open, or an empty drive. */
static inline bool xenvbd_disk_ready(const struct xenvbd_disk *disk)
{
	return disk->file || disk->empty;
}

/*
 * The number that no other disk has had since boot, of a disk that is ready; 0
 * of an empty drive. A device number may be another disk's tomorrow; a diskseq is
 * never used again.
 */
static inline u64 xenvbd_disk_seq(const struct xenvbd_disk *disk)
{
	return disk->empty ? 0 : disk->bdev->bd_disk->diskseq;
}

/* The size of a disk in sectors of 512 bytes. A block that is not whole is of no use. */
static inline u64 xenvbd_bdev_sects(struct block_device *bdev)
{
	return round_down(bdev_nr_sectors(bdev),
			  bdev_logical_block_size(bdev) >> SECTOR_SHIFT);
}

/* The same of a disk that is ready. */
static inline u64 xenvbd_disk_sects(const struct xenvbd_disk *disk)
{
	return disk->empty ? 0 : xenvbd_bdev_sects(disk->bdev);
}

/**
 * xenvbd_disk_vanished - has the disk been taken away from under us?
 * @disk: in any state
 *
 * Its size reads as 0 then, which is not a new size: the block layer fails
 * all requests, whatever their sectors. There is no call that says so, see
 * Documentation/upstream.rst.
 *
 * Context: any.
 * Return: true if so. It does not come back.
 */
static inline bool xenvbd_disk_vanished(const struct xenvbd_disk *disk)
{
	/* The caller may come from a size of 0, which is set after the bit. */
	smp_rmb();
	return disk->bdev && test_bit(GD_DEAD, &disk->bdev->bd_disk->state);
}

/*
 * Are the blocks of a disk larger than those that a guest knows of? Then its requests may
 * be no whole ones, unless sectors are emulated.
 */
static inline bool
xenvbd_disk_has_larger_blocks(const struct xenvbd_disk *disk,
			      const struct xenvbd_disk *known, bool emulate)
{
	return disk->block_size > known->block_size && !emulate;
}

/**
 * xenvbd_disk_is_worse - has a disk vanished, or become worse than the guest knows?
 * @disk: as it was when it was looked at last
 * @known: as the guest knows it; block_size is 0 if there is none
 * @emulate: the guest has sectors of 512 bytes in any case
 *
 * What xenvbd_disk_follow() has reported, as long as it holds.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool xenvbd_disk_is_worse(const struct xenvbd_disk *disk,
					const struct xenvbd_disk *known,
					bool emulate)
{
	if (xenvbd_disk_vanished(disk))
		return true;
	if (disk->empty || !known->block_size)
		return false;
	return disk->unflushed || disk->no_flush ||
	       xenvbd_disk_has_larger_blocks(disk, known, emulate) ||
	       (disk->readonly && !known->readonly);
}

/*
 * Linux lets much of a disk change while it is open. By the next two the work item
 * and the rings follow most of it. Rings also look at the size for each batch of
 * requests, at the cache for some writes, and for each discard at what the disk
 * takes of them. When a disk is opened and when a guest connects, control/disk.c
 * looks for what no guest can use.
 */

/**
 * xenvbd_disk_look - see what a disk is like now
 * @disk: open
 *
 * Context: any, as the owner of @disk.
 */
static inline void xenvbd_disk_look(struct xenvbd_disk *disk)
{
	struct block_device *bdev = disk->bdev;

	disk->readonly = disk->opened_readonly || bdev_read_only(bdev);
	disk->flush = !disk->no_flush && bdev_write_cache(bdev);
	disk->discard = !disk->no_discard && !disk->readonly &&
			bdev_max_discard_sectors(bdev);
	disk->secure = disk->discard && bdev_max_secure_erase_sectors(bdev);
	disk->block_size = bdev_logical_block_size(bdev);
}

/**
 * xenvbd_disk_limit - follow what requests to a disk have to respect
 * @disk: open
 * @limits: of a ring, which its owner updates before it takes requests
 *
 * Context: any.
 */
static inline void xenvbd_disk_limit(const struct xenvbd_disk *disk,
				     struct xenvbd_limits *limits)
{
	struct block_device *bdev = disk->bdev;

	limits->stable_writes = bdev_stable_writes(bdev);
	limits->align_sects = limits->emulate ? 1 :
			      bdev_logical_block_size(bdev) >> SECTOR_SHIFT;
	limits->readonly = disk->opened_readonly || bdev_read_only(bdev);
}

#endif /* XENVBD_DATA_DISK_H */
