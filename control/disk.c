// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backing disk, a block device of this domain: opened, exchanged under a
 * running guest, closed.
 */
#include <linux/cdrom.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "common.h"
#include "control/disk.h"
#include "control/keys.h"
#include "data/thread.h"

/* ---- a disk by itself --------------------------------------------------- */

/*
 * Open the disk of a number; @disk is closed, and knows of @no_discard. Not claimed,
 * for the toolstack may let guests share it. Takes as long as the disk does.
 */
static int disk_open(struct xenvbd_disk *disk, dev_t devt, bool readonly)
{
	struct file *file = ERR_PTR(-EROFS);
	struct gendisk *gd;

	if (!readonly)
		file = bdev_file_open_by_dev(devt,
					     BLK_OPEN_READ | BLK_OPEN_WRITE,
					     NULL, NULL);
	/* Some disks that are read-only say so when they are opened. */
	if (file == ERR_PTR(-EROFS) || file == ERR_PTR(-EACCES)) {
		readonly = true;
		file = bdev_file_open_by_dev(devt, BLK_OPEN_READ, NULL, NULL);
	}
	if (IS_ERR(file))
		return PTR_ERR(file);

	disk->file = file;
	disk->bdev = file_bdev(file);
	gd = disk->bdev->bd_disk;
	disk->opened_readonly = readonly;
	disk->no_flush = false;
	disk->removable = gd->flags & GENHD_FL_REMOVABLE;
	disk->cdrom = disk_to_cdi(gd);
	xenvbd_disk_look(disk);
	return 0;
}

/*
 * A CD drive without a medium, in the place of a disk. What the guest knows of
 * @old holds for the next medium, too; if @old is closed any medium will do.
 */
static void disk_set_empty(struct xenvbd_disk *disk,
			   const struct xenvbd_disk *old, bool readonly)
{
	*disk = *old;
	disk->flush &= !disk->no_flush;
	if (!xenvbd_disk_ready(old)) {
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

/*
 * When it returns the disk really is closed, and not only about to be: the
 * toolstack removes it as soon as it sees state Closed. The block layer has no such
 * call, see Documentation/upstream.rst.
 */
static void disk_close(struct xenvbd_disk *disk)
{
	if (!disk->file)
		return;
	__fput_sync(disk->file);
	disk->file = NULL;
	disk->bdev = NULL;
}

/*
 * Forget what this domain has cached of the disk. What dom0 has written through
 * the page cache must reach the disk before the guest reads it, and dom0 must
 * not see its own old copy after the guest has written.
 */
static int disk_drop_cache(struct xenvbd *vbd, const struct xenvbd_disk *disk,
			   dev_t devt)
{
	int err = disk->empty ? 0 : sync_blockdev(disk->bdev);

	/*
	 * Fails for pages that somebody has mapped and keeps dirtying: not
	 * ours.
	 */
	if (!err && !disk->empty)
		invalidate_inode_pages2(disk->bdev->bd_mapping);
	if (!err && READ_ONCE(vbd->removed))
		err = -ENODEV;
	if (err)
		xenvbd_error(vbd, err, "writing back the cache of disk %x:%x",
			     MAJOR(devt), MINOR(devt));
	return err;
}

/*
 * What requests to the disk have to respect. Those to an empty drive pass, and
 * data/io.c fails them.
 */
static void disk_limits(const struct xenvbd *vbd, struct xenvbd_limits *limits)
{
	const struct xenvbd_disk *disk = &vbd->disk;
	bool emulate = vbd->advertised.emulate;

	*limits = (struct xenvbd_limits) {
		.nr_sects = disk->empty ? U64_MAX : xenvbd_bdev_sects(disk->bdev),
		.align_sects = emulate ? 1 : disk->block_size >> SECTOR_SHIFT,
		.max_indirect_segs = XENVBD_MAX_SEGS,
		.readonly = disk->readonly,
		/*
		 * A guest may go on with barriers for as long as it is connected,
		 * whatever the disk says. And a guest to which no cache was
		 * advertised never flushes, whatever the disk has now: see
		 * io_through_cache().
		 */
		.barrier = vbd->advertised.disk.flush,
		.flushes = xenvbd_frontend_flushes(&vbd->advertised),
		.discard = disk->discard || disk->empty,
		.emulate = emulate,
	};
	if (!disk->empty)
		xenvbd_disk_limit(disk, limits);
}

/* ---- the disk of a vbd -------------------------------------------------- */

/* A segment lies in one page, and guests write where they like. */
static int disk_check_kind(struct xenvbd *vbd, const struct xenvbd_disk *disk,
			   dev_t devt)
{
	const char *why = NULL;

	if (bdev_is_zoned(disk->bdev))
		why = "is zoned";
	else if (disk->block_size > XEN_PAGE_SIZE)
		why = "has logical blocks larger than a page";
	return why ? xenvbd_error(vbd, -EMEDIUMTYPE,
				  "disk %x:%x %s, and no guest can use it",
				  MAJOR(devt), MINOR(devt), why) :
		     0;
}

/* No other disk may have got the number of the one that is wanted. */
static int disk_check_seq(struct xenvbd *vbd, const struct xenvbd_disk *disk,
			  const struct xenvbd_disk_keys *keys)
{
	if (!keys->diskseq || keys->diskseq == xenvbd_disk_seq(disk))
		return 0;
	return xenvbd_error(vbd, -ESTALE,
			    "disk %x:%x has diskseq %llx, %llx is wanted",
			    MAJOR(keys->devt), MINOR(keys->devt),
			    xenvbd_disk_seq(disk), keys->diskseq);
}

/* The disk of the keys, or an empty drive. */
static int disk_open_named(struct xenvbd *vbd,
			   const struct xenvbd_disk_keys *keys,
			   struct xenvbd_disk *disk)
{
	const struct xenvbd_disk *advertised = &vbd->advertised.disk;
	bool readonly = !strchr(keys->mode, 'w');
	int err;

	if (keys->empty) {
		disk_set_empty(disk,
			       advertised->block_size ? advertised : &vbd->disk,
			       readonly);
		return 0;
	}
	disk->no_discard = !keys->discard;
	err = disk_open(disk, keys->devt, readonly);
	if (err)
		return xenvbd_error(vbd, err, "opening disk %x:%x for %s",
				    MAJOR(keys->devt), MINOR(keys->devt),
				    readonly ? "reading" : "writing");
	err = disk_check_seq(vbd, disk, keys) ?:
	      disk_check_kind(vbd, disk, keys->devt);
	if (err) {
		disk_close(disk);
		return err;
	}
	disk->cdrom |= keys->cdrom;
	if (disk->readonly && !readonly)
		dev_notice(&vbd->xbdev->dev,
			   "disk %x:%x is read-only, and so is the vbd\n",
			   MAJOR(keys->devt), MINOR(keys->devt));
	return 0;
}

/* sysfs shows these. Takes the string of @keys, and gives back the old one. */
static void disk_set_keys(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	spin_lock(&vbd->rings_lock);
	WRITE_ONCE(vbd->devt, keys->devt);
	vbd->diskseq = xenvbd_disk_seq(&vbd->disk);
	vbd->bdev = vbd->disk.bdev;
	swap(vbd->mode, keys->mode);
	spin_unlock(&vbd->rings_lock);
}

/*
 * Give a ring the vbd's disk, before its thread starts or while that is paused.
 */
void xenvbd_disk_attach(struct xenvbd_ring *ring)
{
	/* None in an empty drive. */
	ring->bdev = ring->vbd->disk.bdev;
	ring->vanished = false;
	disk_limits(ring->vbd, &ring->limits);
}

/* All that the rings have taken is answered, and they touch nothing. */
static void disk_pause_rings(struct xenvbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_thread_drain(vbd->rings[i]);
	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_thread_pause(vbd->rings[i]);
}

/* They go on with the vbd's disk, whichever it is now. */
static void disk_resume_rings(struct xenvbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->nr_rings; i++) {
		xenvbd_disk_attach(vbd->rings[i]);
		xenvbd_thread_resume(vbd->rings[i]);
	}
}

/*
 * A guest does not look again at what was advertised when it connected,
 * whatever disks it has had since. Called with the rings paused.
 */
static int disk_check_exchange(struct xenvbd *vbd,
			       const struct xenvbd_disk *disk)
{
	const struct xenvbd_disk *advertised = &vbd->advertised.disk;
	/* With the event pending the guest is about to learn that it cannot. */
	bool flushes = xenvbd_frontend_flushes(&vbd->advertised) &&
		       !test_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events);
	const char *why = NULL;

	if (disk->empty || !advertised->block_size)
		return 0;
	if (disk->block_size > advertised->block_size && !vbd->advertised.emulate)
		why = "has larger logical blocks";
	else if (disk->readonly && !advertised->readonly)
		why = "is read-only";
	else if (disk->flush && !flushes && !disk->readonly)
		why = "has a volatile cache, which the guest would not flush";
	return why ? xenvbd_error(vbd, -EMEDIUMTYPE,
				  "new disk %s, the old one stays", why) :
		     0;
}

/*
 * The guest's later flushes go to the new disk, whatever it wrote to the old. That
 * may have become read-only since, or have got a cache. What is news here is still
 * news to xenvbd_disk_follow(), if the old disk stays: so it is not kept.
 */
static int disk_flush_old(struct xenvbd *vbd)
{
	struct xenvbd_disk disk = vbd->disk;
	int err = 0;

	if (disk.empty || disk.opened_readonly || xenvbd_disk_vanished(&disk))
		return 0;
	xenvbd_disk_look(&disk);
	if (disk.flush)
		err = blkdev_issue_flush(disk.bdev);
	if (err)
		xenvbd_error(vbd, err, "flushing disk %x:%x, which stays",
			     MAJOR(vbd->devt), MINOR(vbd->devt));
	return err;
}

/* On success @disk has the old one. */
static int disk_replace(struct xenvbd *vbd, struct xenvbd_disk_keys *keys,
			struct xenvbd_disk *disk)
{
	int err = disk_check_exchange(vbd, disk);

	if (!err)
		err = disk_flush_old(vbd);
	if (err)
		return err;
	swap(vbd->disk, *disk);
	disk_set_keys(vbd, keys);
	vbd->vanished_reported = false;
	/*
	 * The guest knows it, or finds out, and will not flush the next medium.
	 */
	if (test_and_clear_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events)) {
		vbd->advertised.disk.no_flush = true;
		vbd->disk.flush &= !vbd->disk.empty;
	}
	return 0;
}

/*
 * Another disk for the same guest. Requests that were taken go to the old one,
 * those that come later to the new one; meanwhile they wait in the rings.
 */
static int disk_exchange(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	struct xenvbd_disk disk = {};
	int err;

	err = disk_open_named(vbd, keys, &disk);
	if (err)
		return err;
	if (xenvbd_remnant_blocks(vbd, &disk))
		err = -EINPROGRESS;
	else
		err = disk_drop_cache(vbd, &disk, keys->devt);
	if (err)
		goto out_close;

	disk_pause_rings(vbd);
	err = disk_replace(vbd, keys, &disk);
	disk_resume_rings(vbd);
out_close:
	disk_close(&disk);
	return err;
}

static bool disk_is_same(const struct xenvbd *vbd,
			 const struct xenvbd_disk_keys *keys)
{
	if (keys->empty || vbd->disk.empty)
		return keys->empty == vbd->disk.empty;
	return keys->devt == vbd->devt && !xenvbd_disk_vanished(&vbd->disk) &&
	       (!keys->diskseq || keys->diskseq == vbd->diskseq);
}

/**
 * xenvbd_disk_open - open the disk that physical-device names
 * @vbd: the device
 *
 * If it has another one that is exchanged, under a running guest as well; in
 * case of an error the old one stays. A CD drive may be empty, before and after.
 *
 * Context: process, vbd->lock held, for as long as the disks take.
 * Return: 1 if there is a disk now that was not there before; 0 if nothing has
 * changed; -EINPROGRESS if a removed vbd has writes at the new disk, and then the
 * vbd is queued; or another negative errno with an error text.
 */
int xenvbd_disk_open(struct xenvbd *vbd)
{
	bool had_disk = xenvbd_disk_ready(&vbd->disk);
	struct xenvbd_disk_keys keys;
	int err;

	lockdep_assert_held(&vbd->lock);

	err = xenvbd_keys_disk(vbd, had_disk, &keys);
	if (err)
		return err == -ENOENT ? 0 : err;

	if (had_disk) {
		err = disk_is_same(vbd, &keys) ? 0 : disk_exchange(vbd, &keys) ?: 1;
	} else {
		err = xenvbd_keys_handle(vbd);
		if (!err)
			err = disk_open_named(vbd, &keys, &vbd->disk);
		if (!err) {
			disk_set_keys(vbd, &keys);
			err = 1;
		}
	}
	kfree(keys.mode);
	return err;
}

/**
 * xenvbd_disk_drop_cache - forget what this domain has cached of the vbd's disk
 * @vbd: with a disk that is ready
 *
 * Context: process, vbd->lock held, for as long as the disk takes.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_disk_drop_cache(struct xenvbd *vbd)
{
	return disk_drop_cache(vbd, &vbd->disk, vbd->devt);
}

/* Return 0, or -ENXIO with an error text if the disk of the vbd has vanished. */
int xenvbd_disk_check_vanished(struct xenvbd *vbd)
{
	if (!xenvbd_disk_vanished(&vbd->disk))
		return 0;
	return xenvbd_error(vbd, -ENXIO, "disk %x:%x has vanished",
			    MAJOR(vbd->devt), MINOR(vbd->devt));
}

/**
 * xenvbd_disk_look_again - see what a disk is like that is about to be advertised
 * @vbd: with a disk that is ready, and rings that have not started
 *
 * It may have changed since it was opened. Whether it knows flushes it is asked anew.
 *
 * Context: process, vbd->lock held.
 * Return: 0, or -EMEDIUMTYPE with an error text if no guest can use it any more.
 */
int xenvbd_disk_look_again(struct xenvbd *vbd)
{
	lockdep_assert_held(&vbd->lock);

	if (vbd->disk.empty)
		return 0;
	vbd->disk.no_flush = false;
	xenvbd_disk_look(&vbd->disk);
	return disk_check_kind(vbd, &vbd->disk, vbd->devt);
}

/*
 * The guest does not flush, for no cache was advertised to it. What the guest has
 * written is in the new cache, perhaps: what the disk had before a ring saw the
 * cache. What it writes later goes through the cache; see io_through_cache(). If the
 * disk fails the flush that is said the @first time, and each look tries again:
 * without a pause, for by then rings have seen the cache.
 */
static void disk_flush_new_cache(struct xenvbd *vbd, bool first)
{
	int err;

	if (first)
		dev_notice(&vbd->xbdev->dev,
			   "disk %x:%x has a volatile cache now, and each write of the guest waits for the medium\n",
			   MAJOR(vbd->devt), MINOR(vbd->devt));
	xenvbd_stall_enter(vbd, "flushing the disk");
	if (first)
		disk_pause_rings(vbd);
	err = blkdev_issue_flush(vbd->disk.bdev);
	if (err == -EOPNOTSUPP) {
		/* Then it would not write through its cache either. */
		WRITE_ONCE(vbd->disk.no_flush, true);
		vbd->disk.flush = false;
	}
	if (first)
		disk_resume_rings(vbd);
	xenvbd_stall_leave(vbd);
	vbd->disk.unflushed = err && vbd->disk.flush;
	if (err && first)
		xenvbd_error_report(vbd,
				    xenvbd_error(vbd, err,
						 "flushing the new cache of disk %x:%x",
						 MAJOR(vbd->devt),
						 MINOR(vbd->devt)));
}

/* What is worse now than the guest knows, and than it was at the last look. */
static void disk_report_worse(struct xenvbd *vbd, const struct xenvbd_disk *was)
{
	const struct xenvbd_disk *known = &vbd->advertised.disk;
	const struct xenvbd_disk *disk = &vbd->disk;

	if (disk->block_size > was->block_size &&
	    xenvbd_disk_has_larger_blocks(disk, known, vbd->advertised.emulate))
		xenvbd_error_report(vbd,
				    xenvbd_error(vbd, -EMEDIUMTYPE,
						 "disk %x:%x has larger logical blocks now, and requests for less fail",
						 MAJOR(vbd->devt),
						 MINOR(vbd->devt)));
	if (disk->readonly && !was->readonly && !known->readonly)
		xenvbd_error_report(vbd,
				    xenvbd_error(vbd, -EROFS,
						 "disk %x:%x is read-only now, and the guest's writes fail",
						 MAJOR(vbd->devt),
						 MINOR(vbd->devt)));
}

/**
 * xenvbd_disk_follow - see what the disk of a connected guest is like now
 * @vbd: with rings that have started
 *
 * The guest knows what was advertised when it connected. What is worse now is
 * reported once; a cache that it does not know of is flushed, if the disk was opened
 * for writing.
 *
 * Context: process, vbd->lock held; for as long as the disk takes if a cache is new.
 */
void xenvbd_disk_follow(struct xenvbd *vbd)
{
	struct xenvbd_disk *disk = &vbd->disk, was = *disk;

	lockdep_assert_held(&vbd->lock);

	if (disk->empty)
		return;
	xenvbd_disk_look(disk);
	disk_report_worse(vbd, &was);
	/* A disk that has become read-only has what was written before. */
	disk->unflushed = disk->flush &&
			  !xenvbd_frontend_flushes(&vbd->advertised) &&
			  !disk->opened_readonly &&
			  (was.unflushed || !was.flush);
	if (disk->unflushed)
		disk_flush_new_cache(vbd, !was.unflushed);
}

/**
 * xenvbd_disk_close - close the disk of a vbd
 * @vbd: without rings; the disk may be closed already
 *
 * Context: process, vbd->lock held, for as long as the disk takes.
 */
void xenvbd_disk_close(struct xenvbd *vbd)
{
	lockdep_assert_held(&vbd->lock);

	xenvbd_stall_enter(vbd, "closing the disk");
	disk_close(&vbd->disk);
	vbd->disk.empty = false;
	xenvbd_stall_leave(vbd);
}
