// SPDX-License-Identifier: GPL-2.0-only
/* The backing disk: a block device of this domain. */
#include <linux/cdrom.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "common.h"

/**
 * xenvbd_disk_open - open the backing disk
 * @disk: closed; all members but @disk->cdrom, which the toolstack decides,
 *        are set on success
 * @devt: its number
 * @readonly: the toolstack forbids writing
 *
 * The disk is not claimed: the toolstack may let guests share it.
 *
 * Context: process, for as long as the disk takes.
 * Return: 0 or a negative errno.
 */
int xenvbd_disk_open(struct xenvbd_disk *disk, dev_t devt, bool readonly)
{
	struct gendisk *gd;
	struct file *file;

	file = bdev_file_open_by_dev(devt, readonly ? BLK_OPEN_READ :
				     BLK_OPEN_READ | BLK_OPEN_WRITE, NULL, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);

	disk->file = file;
	disk->bdev = file_bdev(file);
	gd = disk->bdev->bd_disk;
	disk->readonly = readonly || bdev_read_only(disk->bdev);
	disk->removable = gd->flags & GENHD_FL_REMOVABLE;
	disk->flush = bdev_write_cache(disk->bdev);
	disk->cdrom = disk_to_cdi(gd);
	disk->discard = !disk->readonly && bdev_max_discard_sectors(disk->bdev);
	disk->secure = disk->discard && bdev_max_secure_erase_sectors(disk->bdev);
	disk->block_size = bdev_logical_block_size(disk->bdev);
	return 0;
}

/**
 * xenvbd_disk_empty - a CD drive without a medium, in the place of a disk
 * @disk: set; there is nothing to close
 * @old: the disk that a guest may know, or closed: what it was told of that one holds
 *       for the next medium, too
 * @readonly: the toolstack forbids writing
 */
void xenvbd_disk_empty(struct xenvbd_disk *disk, const struct xenvbd_disk *old, bool readonly)
{
	*disk = *old;
	if (!xenvbd_disk_ready(old)) {
		/* Any medium will do. */
		disk->readonly = readonly;
		disk->removable = true;
		disk->flush = !readonly;
		disk->block_size = CD_FRAMESIZE;
	}
	disk->file = NULL;
	disk->bdev = NULL;
	disk->empty = true;
	disk->cdrom = true;
	disk->discard = false;
	disk->secure = false;
}

/**
 * xenvbd_disk_ready - can a guest be told of the disk?
 * @disk: any
 *
 * Return: true if it is open, or an empty drive.
 */
bool xenvbd_disk_ready(const struct xenvbd_disk *disk)
{
	return disk->file || disk->empty;
}

/**
 * xenvbd_disk_close - close the backing disk
 * @disk: may be closed already
 *
 * When it returns the disk really is closed, and not only about to be: the
 * toolstack removes it as soon as it sees state Closed.
 *
 * Context: process, for as long as the disk takes.
 */
void xenvbd_disk_close(struct xenvbd_disk *disk)
{
	if (!disk->file)
		return;
	__fput_sync(disk->file);
	disk->file = NULL;
	disk->bdev = NULL;
}

/**
 * xenvbd_disk_drop_cache - forget what this domain has cached of the disk
 * @disk: open, or an empty drive
 *
 * What dom0 has written through the page cache must reach the disk before
 * the guest reads it, and dom0 must not see its own old copy after the guest
 * has written.
 *
 * Context: process, for as long as the disk takes.
 * Return: 0 or a negative errno.
 */
int xenvbd_disk_drop_cache(const struct xenvbd_disk *disk)
{
	int err;

	if (disk->empty)
		return 0;
	err = sync_blockdev(disk->bdev);
	if (err)
		return err;
	/* Fails for pages that somebody has mapped and keeps dirtying: not ours. */
	invalidate_inode_pages2(disk->bdev->bd_mapping);
	return 0;
}

/**
 * xenvbd_disk_seq - what tells a disk from all others since boot
 * @disk: open, or an empty drive
 *
 * A device number may be another disk's tomorrow; this is never used again.
 *
 * Return: its diskseq, or 0 if the drive is empty.
 */
u64 xenvbd_disk_seq(const struct xenvbd_disk *disk)
{
	return disk->empty ? 0 : disk->bdev->bd_disk->diskseq;
}

/**
 * xenvbd_disk_sects - the size of the disk
 * @disk: open, or an empty drive
 *
 * Return: sectors of 512 bytes.
 */
u64 xenvbd_disk_sects(const struct xenvbd_disk *disk)
{
	return disk->empty ? 0 : bdev_nr_sectors(disk->bdev);
}

/**
 * xenvbd_disk_vanished - has the disk been taken away from under us?
 * @disk: open, or an empty drive
 *
 * Its size reads as 0 then, which is not a new size: the block layer fails
 * all requests, whatever their sectors.
 *
 * Context: any.
 * Return: true if so. It does not come back.
 */
bool xenvbd_disk_vanished(const struct xenvbd_disk *disk)
{
	/* The caller may come from a size of 0, which is set after the bit. */
	smp_rmb();
	return !disk->empty && test_bit(GD_DEAD, &disk->bdev->bd_disk->state);
}

/**
 * xenvbd_disk_limits - what requests to the disk have to respect
 * @disk: open, or an empty drive, where io.c fails what passes
 * @limits: all members are set
 */
void xenvbd_disk_limits(const struct xenvbd_disk *disk, struct xenvbd_limits *limits)
{
	*limits = (struct xenvbd_limits) {
		.nr_sects = disk->empty ? U64_MAX : bdev_nr_sectors(disk->bdev),
		.align_sects = disk->block_size >> SECTOR_SHIFT,
		.max_indirect_segs = XENVBD_MAX_SEGS,
		.readonly = disk->readonly,
		.barrier = disk->flush,
		/* To refuse one as unknown would be for ever. */
		.discard = disk->discard || disk->empty,
		.stable_writes = disk->bdev && bdev_stable_writes(disk->bdev),
	};
}
