// SPDX-License-Identifier: GPL-2.0-only
/* A virtual block device and its rings, up and down. */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/events.h>

#include "blkback.h"
#include "data/barrier.h"
#include "data/pages.h"
#include "control/keys.h"
#include "data/thread.h"
#include "control/tunables.h"
#include "control/vbd.h"
#include "control/stall.h"

/* A guest can cause an error as often as it likes, but not a message. */
#define ERRORS_INTERVAL		(10 * HZ)
#define ERRORS_BURST		20

static struct kmem_cache *xenvbd_cache;

/* ---- the vbd ------------------------------------------------------------ */

/**
 * xenvbd_cache_create - prepare for xenvbd_alloc()
 *
 * Return: 0 or -ENOMEM.
 */
int xenvbd_cache_create(void)
{
	xenvbd_cache = KMEM_CACHE(xenvbd, SLAB_NO_MERGE);
	return xenvbd_cache ? 0 : -ENOMEM;
}

/**
 * xenvbd_cache_destroy - undo xenvbd_cache_create()
 */
void xenvbd_cache_destroy(void)
{
	kmem_cache_destroy(xenvbd_cache);
}

static void xenvbd_free(struct kref *ref)
{
	struct xenvbd *vbd = container_of(ref, struct xenvbd, ref);

	put_device(&vbd->xbdev->dev);
	kfree(vbd->frontend);
	kfree(vbd->mode);
	kmem_cache_free(xenvbd_cache, vbd);
}

/**
 * xenvbd_get - take a reference
 * @vbd: the device
 */
void xenvbd_get(struct xenvbd *vbd)
{
	kref_get(&vbd->ref);
}

/**
 * xenvbd_put - drop a reference
 * @vbd: freed with the last one; by then it has no rings and no disk
 */
void xenvbd_put(struct xenvbd *vbd)
{
	kref_put(&vbd->ref, xenvbd_free);
}

/**
 * xenvbd_alloc - make a vbd for a xenbus device
 * @xbdev: the device; the vbd holds a reference to it
 *
 * Return: the vbd with one reference, or NULL.
 */
struct xenvbd *xenvbd_alloc(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = kmem_cache_zalloc(xenvbd_cache, GFP_KERNEL);

	if (!vbd)
		return NULL;
	kref_init(&vbd->ref);
	get_device(&xbdev->dev);
	vbd->xbdev = xbdev;
	vbd->frontend = kstrdup(xbdev->otherend, GFP_KERNEL);
	if (!vbd->frontend) {
		xenvbd_put(vbd);
		return NULL;
	}
	vbd->domid = xbdev->otherend_id;
	vbd->fe_state = XenbusStateInitialising;
	mutex_init(&vbd->lock);
	mutex_init(&vbd->store_lock);
	spin_lock_init(&vbd->rings_lock);
	xenvbd_gate_init(&vbd->gate);
	ratelimit_state_init(&vbd->errors, ERRORS_INTERVAL, ERRORS_BURST);
	ratelimit_state_init(&vbd->refusals, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	return vbd;
}

/* ---- its disk ----------------------------------------------------------- */

/* The disk of the keys, and no other that has got its number since; or an empty drive. */
static int open_named_disk(struct xenvbd *vbd, const struct xenvbd_disk_keys *keys,
			   struct xenvbd_disk *disk)
{
	bool readonly = !strchr(keys->mode, 'w');
	int err;

	if (keys->empty) {
		xenvbd_disk_empty(disk, vbd->told.block_size ? &vbd->told : &vbd->disk, readonly);
		return 0;
	}
	err = xenvbd_disk_open(disk, keys->devt, readonly);
	if (err)
		return xenvbd_error(vbd, err, "opening disk %x:%x for %s", MAJOR(keys->devt),
				    MINOR(keys->devt), readonly ? "reading" : "writing");
	if (keys->diskseq && keys->diskseq != xenvbd_disk_seq(disk)) {
		err = xenvbd_error(vbd, -ESTALE, "disk %x:%x has diskseq %llx, %llx is wanted",
				   MAJOR(keys->devt), MINOR(keys->devt), xenvbd_disk_seq(disk),
				   keys->diskseq);
		xenvbd_disk_close(disk);
		return err;
	}
	disk->cdrom |= keys->cdrom;
	disk->discard &= keys->discard;
	disk->secure &= keys->discard;
	if (disk->readonly && !readonly)
		dev_notice(&vbd->xbdev->dev, "disk %x:%x is read-only, and so is the vbd\n",
			   MAJOR(keys->devt), MINOR(keys->devt));
	return 0;
}

/* sysfs shows these. Takes the string of @keys, and gives back the old one. */
static void set_disk_keys(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	spin_lock(&vbd->rings_lock);
	vbd->devt = keys->devt;
	vbd->diskseq = xenvbd_disk_seq(&vbd->disk);
	swap(vbd->mode, keys->mode);
	spin_unlock(&vbd->rings_lock);
}

static void set_ring_disk(struct xenvbd_ring *ring)
{
	/* None in an empty drive. */
	ring->bdev = ring->vbd->disk.bdev;
	ring->vanished = false;
	xenvbd_disk_limits(&ring->vbd->disk, &ring->limits);
	/* To refuse one as unknown would be for ever. */
	ring->limits.barrier |= ring->vbd->told.flush;
}

/*
 * A guest does not look again at what it was told when it connected, whatever
 * disks it has had since. Called with the rings paused.
 */
static int check_exchange(struct xenvbd *vbd, const struct xenvbd_disk *disk)
{
	const struct xenvbd_disk *told = &vbd->told;
	/* Or it will be told so as soon as the work item comes to it. */
	bool flushes = told->flush && !test_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events);
	const char *why = NULL;

	if (disk->empty || !told->block_size)
		return 0;
	if (disk->block_size > told->block_size)
		why = "has larger logical blocks";
	else if (disk->readonly && !told->readonly)
		why = "is read-only";
	else if (disk->flush && !flushes && !disk->readonly)
		why = "has a volatile cache, which the guest would not flush";
	return why ? xenvbd_error(vbd, -EMEDIUMTYPE, "new disk %s, the old one stays", why) : 0;
}

static int drop_cache(struct xenvbd *vbd, const struct xenvbd_disk *disk, dev_t devt)
{
	int err = xenvbd_disk_drop_cache(disk);

	if (!err && READ_ONCE(vbd->removed))
		err = -ENODEV;
	if (err)
		xenvbd_error(vbd, err, "writing back the cache of disk %x:%x", MAJOR(devt),
			     MINOR(devt));
	return err;
}

/* What the guest has written so far it may later flush on the new disk only. */
static int flush_old_disk(struct xenvbd *vbd)
{
	int err = 0;

	if (vbd->disk.flush && !vbd->disk.readonly && !vbd->disk.empty &&
	    !xenvbd_disk_vanished(&vbd->disk))
		err = blkdev_issue_flush(vbd->disk.bdev);
	if (err)
		xenvbd_error(vbd, err, "flushing disk %x:%x, which stays", MAJOR(vbd->devt),
			     MINOR(vbd->devt));
	return err;
}

/* On success @disk has the old one. */
static int replace_disk(struct xenvbd *vbd, struct xenvbd_disk_keys *keys,
			struct xenvbd_disk *disk)
{
	int err = check_exchange(vbd, disk);

	if (!err)
		err = flush_old_disk(vbd);
	if (err)
		return err;
	swap(vbd->disk, *disk);
	set_disk_keys(vbd, keys);
	vbd->vanished = false;
	/* The guest knows it, or finds out, and will not flush the next medium. */
	if (test_and_clear_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events)) {
		vbd->told.flush = false;
		vbd->disk.flush &= !vbd->disk.empty;
	}
	return 0;
}

/*
 * Another disk for the same guest. Requests that were taken go to the old one,
 * those that come later to the new one; meanwhile they wait in the rings.
 */
static int exchange_disk(struct xenvbd *vbd, struct xenvbd_disk_keys *keys)
{
	struct xenvbd_disk disk = {};
	unsigned int i;
	int err;

	err = open_named_disk(vbd, keys, &disk);
	if (err)
		return err;
	err = drop_cache(vbd, &disk, keys->devt);
	if (err)
		goto out_close;

	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_ring_drain(vbd->rings[i]);
	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_ring_pause(vbd->rings[i]);
	err = replace_disk(vbd, keys, &disk);
	for (i = 0; i < vbd->nr_rings; i++) {
		set_ring_disk(vbd->rings[i]);
		xenvbd_ring_resume(vbd->rings[i]);
	}
out_close:
	xenvbd_disk_close(&disk);
	return err;
}

static bool is_same_disk(const struct xenvbd *vbd, const struct xenvbd_disk_keys *keys)
{
	if (keys->empty || vbd->disk.empty)
		return keys->empty == vbd->disk.empty;
	return keys->devt == vbd->devt && !xenvbd_disk_vanished(&vbd->disk) &&
	       (!keys->diskseq || keys->diskseq == vbd->diskseq);
}

/**
 * xenvbd_open_disk - open the disk that physical-device names
 * @vbd: the device
 *
 * If it has another one that is exchanged, under a running guest as well; in
 * case of an error the old one stays. A CD drive may be empty, before and after.
 *
 * Context: process, vbd->lock held, for as long as the disks take.
 * Return: 1 if there is a disk now that was not there before; 0 if nothing has
 * changed; or a negative errno with an error text.
 */
int xenvbd_open_disk(struct xenvbd *vbd)
{
	struct xenvbd_disk_keys keys;
	int err;

	lockdep_assert_held(&vbd->lock);

	err = xenvbd_read_disk_keys(vbd, &keys);
	if (err)
		return err == -ENOENT ? 0 : err;

	if (xenvbd_disk_ready(&vbd->disk)) {
		err = is_same_disk(vbd, &keys) ? 0 : exchange_disk(vbd, &keys) ?: 1;
	} else {
		err = xenvbd_read_handle(vbd);
		if (!err)
			err = open_named_disk(vbd, &keys, &vbd->disk);
		if (!err) {
			set_disk_keys(vbd, &keys);
			err = 1;
		}
	}
	kfree(keys.mode);
	return err;
}

/* ---- its rings ---------------------------------------------------------- */

/*
 * Undo ring_create(), from whatever point it has reached. Its thread has ended,
 * if there was one, and a grace period has passed since.
 */
static void ring_destroy(struct xenvbd_ring *ring)
{
	struct xenbus_device *xbdev = ring->vbd->xbdev;

	if (ring->irq >= 0)
		unbind_from_irqhandler(ring->irq, ring);
	if (ring->sring.page)
		xenbus_unmap_ring_vfree(xbdev, ring->sring.page);
	xenvbd_grants_exit(ring);
	if (ring->task)
		put_task_struct(ring->task);
	vfree(ring->reqs);
	xenvbd_put(ring->vbd);
	kfree(ring);
}

static int ring_map(struct xenvbd_ring *ring, struct xenvbd_ring_keys *keys,
		    unsigned int nr_rings, enum xenvbd_abi abi, bool persistent)
{
	struct xenvbd *vbd = ring->vbd;
	void *page;
	int err;

	err = xenbus_map_ring_valloc(vbd->xbdev, keys->gref, keys->nr_pages, &page);
	if (err)
		return xenvbd_error(vbd, err, "mapping ring-ref %u", keys->gref[0]);

	err = xenvbd_sring_attach(&ring->sring, page, keys->nr_pages * XEN_PAGE_SIZE, abi);
	if (err)
		return xenvbd_error(vbd, err, "ring %u: requests are further ahead than it is long",
				    ring->index);

	err = xenvbd_ring_init_reqs(ring);
	if (!err)
		err = xenvbd_grants_init(ring, nr_rings, persistent);
	if (err)
		return xenvbd_error(vbd, err, "allocating requests of ring %u", ring->index);
	return 0;
}

static int ring_bind(struct xenvbd_ring *ring, const struct xenvbd_ring_keys *keys)
{
	struct xenvbd *vbd = ring->vbd;
	int irq;

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(vbd->xbdev, keys->evtchn,
							    xenvbd_ring_irq, 0, ring->name,
							    ring);
	if (irq < 0)
		return xenvbd_error(vbd, irq, "binding event-channel %u", keys->evtchn);
	ring->irq = irq;
	return 0;
}

static void ring_set_name(struct xenvbd_ring *ring)
{
	char dev[TASK_COMM_LEN];

	xenvbd_read_name(ring->vbd, dev, sizeof(dev));
	snprintf(ring->name, sizeof(ring->name), "%u.%s-%u", ring->domid, dev, ring->index);
}

static void ring_log(const struct xenvbd_ring *ring, const struct xenvbd_ring_keys *keys)
{
	struct xenvbd *vbd = ring->vbd;

	if (__ratelimit(&vbd->errors))
		dev_info(&vbd->xbdev->dev,
			 "ring %u: ring-ref %u, %u page(s), event-channel %u, protocol %s\n",
			 ring->index, keys->gref[0], keys->nr_pages, keys->evtchn,
			 ring->sring.abi == XENVBD_ABI_X86_32 ? "x86_32-abi" : "x86_64-abi");
}

static struct xenvbd_ring *ring_create(struct xenvbd *vbd, unsigned int index,
				       unsigned int nr_rings, enum xenvbd_abi abi,
				       bool persistent)
{
	struct xenvbd_ring_keys keys;
	struct xenvbd_ring *ring;
	int err;

	err = xenvbd_read_ring_keys(vbd, index, nr_rings, &keys);
	if (err)
		return ERR_PTR(err);

	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(xenvbd_error(vbd, -ENOMEM, "allocating ring %u", index));

	xenvbd_get(vbd);
	ring->vbd = vbd;
	ring->domid = vbd->domid;
	ring->index = index;
	ring->irq = -1;
	init_llist_head(&ring->done);
	ring_set_name(ring);

	err = ring_map(ring, &keys, nr_rings, abi, persistent);
	if (!err)
		err = ring_bind(ring, &keys);
	if (err) {
		ring_destroy(ring);
		return ERR_PTR(err);
	}
	ring_log(ring, &keys);
	return ring;
}

/**
 * xenvbd_map_rings - map the frontend's rings and bind their event channels
 * @vbd: any rings it has are dropped first
 *
 * Context: process, vbd->lock held.
 * Return: 0 or a negative errno with an error text; then there are no rings.
 */
int xenvbd_map_rings(struct xenvbd *vbd)
{
	struct xenvbd_ring **rings;
	enum xenvbd_abi abi;
	unsigned int nr, i;
	bool persistent;
	int err;

	lockdep_assert_held(&vbd->lock);

	xenvbd_disconnect(vbd);

	err = xenvbd_read_protocol(vbd, &abi);
	if (!err)
		err = xenvbd_read_nr_rings(vbd, &nr);
	if (!err)
		err = xenvbd_read_persistent(vbd, &persistent);
	if (!err)
		err = xenvbd_tunables_read(vbd);
	if (err)
		return err;

	rings = kcalloc(nr, sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return xenvbd_error(vbd, -ENOMEM, "allocating %u rings", nr);
	for (i = 0; i < nr; i++) {
		rings[i] = ring_create(vbd, i, nr, abi, persistent);
		if (IS_ERR(rings[i])) {
			err = PTR_ERR(rings[i]);
			goto out_destroy_rings;
		}
	}

	spin_lock(&vbd->rings_lock);
	vbd->rings = rings;
	vbd->nr_rings = nr;
	spin_unlock(&vbd->rings_lock);
	return 0;

out_destroy_rings:
	while (i--)
		ring_destroy(rings[i]);
	kfree(rings);
	return err;
}

/* Frontends disagree on what the key means, and the wrong ones destroy data. */
static void tell_large_sectors(struct xenvbd *vbd)
{
	unsigned int size = vbd->disk.block_size;

	if (size == SECTOR_SIZE || vbd->large_sectors_told || !xenvbd_has_large_sectors(vbd))
		return;
	vbd->large_sectors_told = true;
	dev_notice(&vbd->xbdev->dev,
		   "frontend has feature-large-sector-size: sectors are 512 bytes all the same, not %u\n",
		   size);
}

/**
 * xenvbd_start_rings - begin to serve requests
 * @vbd: with an open disk, or an empty drive, and mapped rings
 *
 * Context: process, vbd->lock held, for as long as the disk takes.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_start_rings(struct xenvbd *vbd)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&vbd->lock);

	err = drop_cache(vbd, &vbd->disk, vbd->devt);
	if (err)
		return err;

	tell_large_sectors(vbd);
	vbd->told = vbd->disk;
	for (i = 0; i < vbd->nr_rings; i++) {
		set_ring_disk(vbd->rings[i]);
		err = xenvbd_ring_start(vbd->rings[i]);
		if (err)
			return xenvbd_error(vbd, err, "starting the thread of ring %u", i);
	}
	return 0;
}

/**
 * xenvbd_disconnect - drop the rings
 * @vbd: with rings in whatever state, or none
 *
 * Requests that were taken are answered first.
 *
 * Context: process, vbd->lock held, for as long as the disk takes.
 */
void xenvbd_disconnect(struct xenvbd *vbd)
{
	struct xenvbd_ring **rings = vbd->rings;
	unsigned int nr = vbd->nr_rings;
	unsigned int i;

	lockdep_assert_held(&vbd->lock);

	if (!nr)
		return;
	xenvbd_wait_begin(vbd, "closing");
	/* First all of them, so that none takes requests while we wait for another. */
	for (i = 0; i < nr; i++)
		xenvbd_ring_drain(rings[i]);
	for (i = 0; i < nr; i++)
		xenvbd_ring_stop(rings[i]);

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < nr; i++)
		xenvbd_stats_add(&vbd->stats, &rings[i]->stats);
	vbd->rings = NULL;
	vbd->nr_rings = 0;
	spin_unlock(&vbd->rings_lock);
	vbd->told = (struct xenvbd_disk) {};

	/* A completion may still be on its way out of xenvbd_req_complete(). */
	synchronize_rcu();
	for (i = 0; i < nr; i++)
		ring_destroy(rings[i]);
	kfree(rings);
	xenvbd_wait_end(vbd);
	clear_bit(XENVBD_EVENT_BROKEN, &vbd->events);
	vbd->broken = false;
}

/**
 * xenvbd_close_disk - close the backing disk
 * @vbd: without rings; the disk may be closed already
 *
 * Context: process, vbd->lock held, for as long as the disk takes.
 */
void xenvbd_close_disk(struct xenvbd *vbd)
{
	lockdep_assert_held(&vbd->lock);

	xenvbd_wait_begin(vbd, "closing the disk");
	xenvbd_disk_close(&vbd->disk);
	xenvbd_wait_end(vbd);
}
