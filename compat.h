/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver is written for the kernel's current interfaces; what older
 * kernels lack is supplied here. Taking the driver into a kernel tree means
 * deleting this file and its includes.
 */
#ifndef XENVBD_COMPAT_H
#define XENVBD_COMPAT_H

#include <linux/version.h>

/* Linux 6.9 made an open block device a file. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/slab.h>

#define BLK_OPEN_READ	FMODE_READ
#define BLK_OPEN_WRITE	FMODE_WRITE
#define blk_mode_t	fmode_t

/* Stands in for the file; nobody but the functions below looks inside. */
struct xenvbd_compat_file {
	struct block_device *bdev;
	fmode_t mode;
};

static inline struct file *bdev_file_open_by_dev(dev_t dev, fmode_t mode, void *holder,
						 const void *holder_ops)
{
	struct xenvbd_compat_file *file = kmalloc(sizeof(*file), GFP_KERNEL);
	struct block_device *bdev;

	if (!file)
		return ERR_PTR(-ENOMEM);

	bdev = blkdev_get_by_dev(dev, mode, holder);
	if (IS_ERR(bdev)) {
		kfree(file);
		return ERR_CAST(bdev);
	}
	file->bdev = bdev;
	file->mode = mode;
	return (struct file *)file;
}

static inline struct block_device *file_bdev(struct file *file)
{
	return ((struct xenvbd_compat_file *)file)->bdev;
}

static inline void xenvbd_compat_fput(struct file *file)
{
	struct xenvbd_compat_file *compat = (struct xenvbd_compat_file *)file;

	blkdev_put(compat->bdev, compat->mode);
	kfree(compat);
}

#define __fput_sync(file) xenvbd_compat_fput(file)

#endif /* 6.9 */

/* Linux 6.10 replaced the inode by the mapping. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define bd_mapping	bd_inode->i_mapping
#endif

/*
 * Linux 6.5 lets a slab cache be its own in slabinfo. Before, this is the flag
 * that keeps one from being merged and costs nothing.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define SLAB_NO_MERGE	SLAB_NOLEAKTRACE
#endif

#endif /* XENVBD_COMPAT_H */
