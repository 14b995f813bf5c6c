// SPDX-License-Identifier: GPL-2.0-only
#include "disks.h"

#include <linux/err.h>
#include <linux/file.h>

#include "fake.h"
#include "unit.h"

struct address_space {
	struct disk *disk;
};

struct file {
	struct disk *disk;
};

struct disk disks[3];
void (*disks_hook)(const struct disk *disk, enum disk_op op);

static struct address_space mappings[ARRAY_SIZE(disks)];

/* Requests go to fake_disk's block device, and to no other. */
static struct block_device *bdev_of(struct disk *disk)
{
	return disk == disk_a ? &fake_disk.bdev : &disk->bdev;
}

static struct disk *disk_of(const struct block_device *bdev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(disks); i++)
		if (bdev_of(&disks[i]) == bdev)
			return &disks[i];
	shim_bug("not a disk");
}

void disks_reset(void)
{
	unsigned int i;

	memset(disks, 0, sizeof(disks));
	fake_disk.bdev.nr_sectors = DISK_SECTS;
	for (i = 0; i < ARRAY_SIZE(disks); i++) {
		mappings[i].disk = &disks[i];
		disks[i].gd.diskseq = 0x100 + i;
		disks[i].gd.part0 = &disks[i].bdev;
		INIT_LIST_HEAD(&disks[i].gd.slave_bdevs);
		disks[i].bdev = fake_disk.bdev;
		disks[i].bdev.bd_disk = &disks[i].gd;
		disks[i].bdev.devt = MKDEV(8, 1 + i);
	}
	fake_disk.bdev.bd_mapping = &mappings[0];
	disk_b->bdev.bd_mapping = &mappings[1];
	disk_cd->bdev.bd_mapping = &mappings[2];
	disk_cd->bdev.devt = MKDEV(0xb, 0);
	disk_cd->bdev.logical_block_size = CD_FRAMESIZE;
	disk_cd->bdev.physical_block_size = CD_FRAMESIZE;
	disk_cd->bdev.write_cache = false;
	disk_cd->bdev.read_only = true;
	disk_cd->gd.flags = GENHD_FL_REMOVABLE;
	disk_cd->gd.cdi = (struct cdrom_device_info *)1;
	disks_hook = NULL;
}

unsigned int disks_nr_opens(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(disks); i++)
		nr += disks[i].nr_opens;
	return nr;
}

static int disk_do(struct disk *disk, enum disk_op op)
{
	might_sleep();
	disk->nr[op]++;
	if (disks_hook)
		disks_hook(disk, op);
	return disk->err[op];
}

/* Like the kernel's, which allocates the file. */
struct file *bdev_file_open_by_dev(dev_t dev, blk_mode_t mode, void *holder,
				   const void *holder_ops)
{
	struct file *file;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(disks); i++)
		if (bdev_of(&disks[i])->devt == dev)
			break;
	if (i == ARRAY_SIZE(disks))
		return ERR_PTR(-ENXIO);
	/* Shared disks are opened by several vbds. */
	shim_bug_on(holder);
	err = disk_do(&disks[i], DISK_OPEN);
	if (!err && mode & BLK_OPEN_WRITE)
		err = disks[i].err_write;
	if (err)
		return ERR_PTR(err);
	file = kmalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return ERR_PTR(-ENOMEM);
	file->disk = &disks[i];
	disks[i].nr_opens++;
	disks[i].mode = mode;
	return file;
}

struct block_device *file_bdev(struct file *file)
{
	return bdev_of(file->disk);
}

void __fput_sync(struct file *file)
{
	struct disk *disk = file->disk;

	disk_do(disk, DISK_CLOSE);
	shim_bug_on(!disk->nr_opens);
	disk->nr_opens--;
	kfree(file);
}

int sync_blockdev(struct block_device *bdev)
{
	shim_bug_on(!disk_of(bdev)->nr_opens);
	return disk_do(disk_of(bdev), DISK_SYNC);
}

int invalidate_inode_pages2(struct address_space *mapping)
{
	shim_bug_on(!mapping->disk->nr_opens);
	return disk_do(mapping->disk, DISK_INVALIDATE);
}

int blkdev_issue_flush(struct block_device *bdev)
{
	shim_bug_on(!disk_of(bdev)->nr_opens);
	return disk_do(disk_of(bdev), DISK_FLUSH);
}
