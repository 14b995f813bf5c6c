// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removed vbds whose disk may have requests of them, and those who have to wait
 * for that: another driver for the same guest, another vbd on the same disk.
 *
 * A remnant can be seen in debugfs, and holds the module, which only xenbus should
 * have to do: see Documentation/upstream.rst.
 */
#include <linux/major.h>
#include <linux/module.h>

#include "common.h"
#include "data/thread.h"

static DEFINE_SPINLOCK(remnants_lock);
static LIST_HEAD(remnants);
static LIST_HEAD(waiters);

/**
 * xenvbd_remnant_init - prepare a new vbd
 * @remnant: the vbd's
 * @hide: removes the file of debugfs, and waits for its readers
 */
void xenvbd_remnant_init(struct xenvbd_remnant *remnant,
			 void (*hide)(struct xenvbd *vbd))
{
	INIT_LIST_HEAD(&remnant->remnants);
	INIT_LIST_HEAD(&remnant->waiters);
	remnant->hide = hide;
}

/**
 * xenvbd_remnant_add - a vbd becomes a remnant
 * @vbd: was removed
 */
void xenvbd_remnant_add(struct xenvbd *vbd)
{
	spin_lock(&remnants_lock);
	list_add(&vbd->remnant.remnants, &remnants);
	spin_unlock(&remnants_lock);
	__module_get(THIS_MODULE);
}

/* There may be another remnant: they look again, and then wait again. */
static void remnant_wake_waiters(void)
{
	struct xenvbd *waiter, *next;

	lockdep_assert_held(&remnants_lock);

	list_for_each_entry_safe(waiter, next, &waiters, remnant.waiters) {
		list_del_init(&waiter->remnant.waiters);
		queue_work(waiter->wq, &waiter->work);
	}
}

/**
 * xenvbd_remnant_remove - nothing is left of a remnant
 * @vbd: without rings and disk
 *
 * Context: the vbd's teardown.
 */
void xenvbd_remnant_remove(struct xenvbd *vbd)
{
	vbd->remnant.hide(vbd);
	spin_lock(&remnants_lock);
	list_del_init(&vbd->remnant.remnants);
	remnant_wake_waiters();
	spin_unlock(&remnants_lock);
	/* Unloading waits for the workqueue, and so for the rest of this. */
	module_put(THIS_MODULE);
}

/* Is a vbd a remnant? */
bool xenvbd_is_remnant(const struct xenvbd *vbd)
{
	return !list_empty(&vbd->remnant.remnants);
}

/**
 * xenvbd_has_remnant - does a device's disk have requests from before it was
 * removed?
 * @xbdev: the device
 *
 * A second vbd on the same rings would do again what the first has in flight.
 *
 * Return: true if so.
 */
bool xenvbd_has_remnant(const struct xenbus_device *xbdev)
{
	const struct xenvbd *vbd;
	bool found = false;

	spin_lock(&remnants_lock);
	list_for_each_entry(vbd, &remnants, remnant.remnants)
		found |= vbd->xbdev == xbdev;
	spin_unlock(&remnants_lock);
	return found;
}

/*
 * Does a disk lie on others? DRBD does not say so. Those that do have them in this
 * list, whose entries are the block layer's own.
 */
static bool remnant_is_stacked(const struct gendisk *gd)
{
#ifdef CONFIG_BLOCK_HOLDER_DEPRECATED
	if (!list_empty(&gd->slave_bdevs))
		return true;
#endif
	return gd->major == DRBD_MAJOR;
}

/*
 * May another disk lie on this one? Who stacks claims what is below. That counts for
 * the partitions of what is claimed, and for a disk of which a partition is claimed,
 * but not from one partition to the next.
 */
static bool remnant_is_claimed(struct block_device *bdev)
{
	struct block_device *part;
	unsigned long i;
	bool whole;

	if (READ_ONCE(bdev->bd_holder))
		return true;
	/* Has a holder for its partitions as well, but never for both. */
	whole = READ_ONCE(bdev_whole(bdev)->bd_holder);
	rcu_read_lock();
	xa_for_each_start(&bdev->bd_disk->part_tbl, i, part, 1)
		whole &= !READ_ONCE(part->bd_holder);
	rcu_read_unlock();
	return whole;
}

/* Are two disks one, or may one of them lie on the other? */
static bool remnant_may_share(struct block_device *a, struct block_device *b)
{
	return a->bd_disk == b->bd_disk ||
	       (remnant_is_stacked(a->bd_disk) && remnant_is_claimed(b)) ||
	       (remnant_is_stacked(b->bd_disk) && remnant_is_claimed(a));
}

/* Does a remnant have requests that change its disk? With its rings_lock held. */
static bool remnant_has_writes(const struct xenvbd *vbd)
{
	unsigned int i;

	lockdep_assert_held(&vbd->rings_lock);

	for (i = 0; i < vbd->nr_rings; i++)
		if (xenvbd_thread_has_writes(vbd->rings[i]))
			return true;
	return false;
}

static bool remnant_writes_to(struct xenvbd *vbd, struct block_device *bdev)
{
	bool writes;

	spin_lock(&vbd->rings_lock);
	/* A vbd with rings has a disk that is open, or an empty drive. */
	writes = vbd->nr_rings && vbd->bdev &&
		 remnant_may_share(vbd->bdev, bdev) && remnant_has_writes(vbd);
	spin_unlock(&vbd->rings_lock);
	return writes;
}

/**
 * xenvbd_remnant_look - see whether a remnant still has writes at its disk
 * @vbd: a remnant
 *
 * If not, those who wait for them are queued. They need not wait for what it reads.
 *
 * Context: process.
 * Return: true if it has.
 */
bool xenvbd_remnant_look(struct xenvbd *vbd)
{
	bool writes;

	spin_lock(&remnants_lock);
	spin_lock(&vbd->rings_lock);
	writes = remnant_has_writes(vbd);
	spin_unlock(&vbd->rings_lock);
	if (!writes && !vbd->remnant.written) {
		vbd->remnant.written = true;
		remnant_wake_waiters();
	}
	spin_unlock(&remnants_lock);
	return writes;
}

/**
 * xenvbd_remnant_blocks - does a vbd have to wait for those that were removed?
 * @vbd: lock held; if it has to, its work item is queued when it need not any more
 * @disk: that it is about to use
 *
 * What the disk has of a removed vbd cannot be called back: old data would get
 * over new. All partitions of a disk are the same disk. What a disk lies on cannot be
 * asked, see Documentation/upstream.rst; but there is something to be seen of it.
 *
 * Return: true if so.
 */
bool xenvbd_remnant_blocks(struct xenvbd *vbd, const struct xenvbd_disk *disk)
{
	struct xenvbd *remnant;
	bool blocks = false;

	if (!disk->bdev)
		return false;
	spin_lock(&remnants_lock);
	list_for_each_entry(remnant, &remnants, remnant.remnants)
		blocks |= remnant_writes_to(remnant, disk->bdev);
	if (blocks && list_empty(&vbd->remnant.waiters))
		list_add_tail(&vbd->remnant.waiters, &waiters);
	spin_unlock(&remnants_lock);
	return blocks;
}

/* A vbd waits for no remnant any more. */
void xenvbd_remnant_stop_waiting(struct xenvbd *vbd)
{
	spin_lock(&remnants_lock);
	list_del_init(&vbd->remnant.waiters);
	spin_unlock(&remnants_lock);
}
