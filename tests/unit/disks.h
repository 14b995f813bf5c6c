/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks by their number: opened, flushed, closed. What they are like is in their members. */
#ifndef UNIT_DISKS_H
#define UNIT_DISKS_H

#include <linux/blkdev.h>

/* What is done to a disk as a whole. */
enum disk_op {
	DISK_OPEN,
	DISK_SYNC,
	DISK_INVALIDATE,
	DISK_FLUSH,
	DISK_CLOSE,
	/* private: */
	DISK_NR_OPS
};

struct disk {
	struct block_device bdev;
	struct gendisk gd;
	/* How it is open now. */
	unsigned int nr_opens;
	blk_mode_t mode;
	/* Done so often, and failing with. */
	unsigned int nr[DISK_NR_OPS];
	int err[DISK_NR_OPS];
	/* If it is open for writing. */
	int err_write;
};

/*
 * 8:1 is the disk that requests go to, fake_disk: read and write, with a volatile cache
 * and discards. 8:2 is another one like it. b:0 is a CD drive. There are no others.
 */
extern struct disk disks[3];
#define disk_a	(&disks[0])
#define disk_b	(&disks[1])
#define disk_cd	(&disks[2])

/* Of each, to begin with. Requests have to stay below FAKE_DISK_SECTS. */
#define DISK_SECTS	8192

void disks_reset(void);
/* Opens of all disks. */
unsigned int disks_nr_opens(void);
/* Called before each operation. */
extern void (*disks_hook)(const struct disk *disk, enum disk_op op);

#endif /* UNIT_DISKS_H */
