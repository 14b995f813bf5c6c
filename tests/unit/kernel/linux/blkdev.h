/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks and bios. A disk is what the test writes into its members. */
#ifndef KSHIM_LINUX_BLKDEV_H
#define KSHIM_LINUX_BLKDEV_H

#include <linux/blk_types.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>

/* ---- disks -------------------------------------------------------------- */

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	512
#define SZ_128M		0x08000000
#define CD_FRAMESIZE	2048

/* The C library's dev_t is wider, and has room for these. */
#define MINORBITS	20
#define MINORMASK	((1U << MINORBITS) - 1)
#define MAJOR(dev)	((unsigned int)((dev) >> MINORBITS))
#define MINOR(dev)	((unsigned int)((dev) & MINORMASK))
#define MKDEV(ma, mi)	((dev_t)(ma) << MINORBITS | (mi))

/* What sector_div() does in Linux: the quotient stays, the rest is returned. */
#define sector_div(n, base)	({ u32 rest_ = (n) % (base); (n) /= (base); rest_; })

#define GD_DEAD			2
#define GENHD_FL_REMOVABLE	1

struct cdrom_device_info;
struct address_space;

#define CONFIG_BLOCK_HOLDER_DEPRECATED	1

/* Partitions by their number; 0 is the disk. */
struct xarray {
	void *entries[4];
};

#define xa_for_each_start(xa, index, entry, start)			\
	for ((index) = (start); (index) < ARRAY_SIZE((xa)->entries); (index)++) \
		if (((entry) = (xa)->entries[index]))

struct gendisk {
	int major;
	struct xarray part_tbl;
	struct block_device *part0;
	struct list_head slave_bdevs;
	u64 diskseq;
	unsigned long state;
	int flags;
	struct cdrom_device_info *cdi;
};

struct block_device {
	struct gendisk *bd_disk;
	struct address_space *bd_mapping;
	void *bd_holder;
	/* For the tests: what the functions below return. */
	dev_t devt;
	u64 nr_sectors;
	bool read_only;
	bool write_cache;
	bool zoned;
	bool stable_writes;
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int max_discard_sectors;
	unsigned int max_secure_erase_sectors;
	unsigned int discard_granularity;
	int discard_alignment;
};

#define bdev_whole(bdev)	((bdev)->bd_disk->part0)

static inline u64 bdev_nr_sectors(struct block_device *bdev)
{
	return bdev->nr_sectors;
}

static inline bool bdev_read_only(struct block_device *bdev)
{
	return bdev->read_only;
}

static inline bool bdev_is_zoned(struct block_device *bdev)
{
	return bdev->zoned;
}

static inline bool bdev_write_cache(struct block_device *bdev)
{
	return bdev->write_cache;
}

static inline bool bdev_stable_writes(struct block_device *bdev)
{
	return bdev->stable_writes;
}

static inline unsigned int bdev_logical_block_size(struct block_device *bdev)
{
	return bdev->logical_block_size;
}

static inline unsigned int bdev_physical_block_size(struct block_device *bdev)
{
	return bdev->physical_block_size;
}

static inline unsigned int bdev_max_discard_sectors(struct block_device *bdev)
{
	return bdev->max_discard_sectors;
}

static inline unsigned int bdev_max_secure_erase_sectors(struct block_device *bdev)
{
	return bdev->max_secure_erase_sectors;
}

static inline unsigned int bdev_discard_granularity(struct block_device *bdev)
{
	return bdev->discard_granularity;
}

static inline int bdev_discard_alignment(struct block_device *bdev)
{
	return bdev->discard_alignment;
}

static inline struct cdrom_device_info *disk_to_cdi(struct gendisk *disk)
{
	return disk->cdi;
}

typedef unsigned int blk_mode_t;

#define BLK_OPEN_READ	1U
#define BLK_OPEN_WRITE	2U

struct file;

struct file *bdev_file_open_by_dev(dev_t dev, blk_mode_t mode, void *holder,
				   const void *holder_ops);
struct block_device *file_bdev(struct file *file);
void __fput_sync(struct file *file);
int sync_blockdev(struct block_device *bdev);
int blkdev_issue_flush(struct block_device *bdev);
int invalidate_inode_pages2(struct address_space *mapping);

int blk_status_to_errno(blk_status_t status);

/* ---- bios --------------------------------------------------------------- */

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	blk_status_t bi_status;
	unsigned short bi_vcnt;
	unsigned short bi_max_vecs;
	struct {
		sector_t bi_sector;
		unsigned int bi_size;
	} bi_iter;
	struct bio_vec *bi_io_vec;
	void (*bi_end_io)(struct bio *bio);
	/* For the tests: what it is charged to, and where it is. */
	struct cgroup_subsys_state *css;
	enum {
		SHIM_BIO_UNUSED,
		SHIM_BIO_READY,
		SHIM_BIO_SUBMITTED,
		SHIM_BIO_ENDED,
	} stage;
};

struct blk_plug {
	unsigned short nr_ios;
	/* Submitted under it. */
	unsigned int nr_bios;
};

static inline void bvec_set_page(struct bio_vec *bvec, struct page *page,
				 unsigned int len, unsigned int offset)
{
	bvec->bv_page = page;
	bvec->bv_len = len;
	bvec->bv_offset = offset;
}

static inline enum req_op bio_op(const struct bio *bio)
{
	return bio->bi_opf & REQ_OP_MASK;
}

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vecs,
	      unsigned short max_vecs, blk_opf_t opf);
void bio_uninit(struct bio *bio);
void submit_bio(struct bio *bio);
void blk_start_plug(struct blk_plug *plug);
void blk_finish_plug(struct blk_plug *plug);

#endif /* KSHIM_LINUX_BLKDEV_H */
