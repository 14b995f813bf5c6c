// SPDX-License-Identifier: GPL-2.0-only
/* A virtual block device and its rings, up and down. */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <xen/events.h>

#include "common.h"
#include "control/disk.h"
#include "control/keys.h"
#include "control/queue.h"
#include "control/store.h"
#include "control/vbd.h"
#include "data/thread.h"

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

/* Undo xenvbd_cache_create(). */
void xenvbd_cache_destroy(void)
{
	kmem_cache_destroy(xenvbd_cache);
}

static void vbd_free(struct kref *ref)
{
	struct xenvbd *vbd = container_of(ref, struct xenvbd, ref);

	put_device(&vbd->xbdev->dev);
	xenvbd_cgroup_set(&vbd->cgroup, NULL);
	kfree(vbd->frontend);
	kfree(vbd->mode);
	if (vbd->wq)
		xenvbd_queue_put(vbd->wq);
	kmem_cache_free(xenvbd_cache, vbd);
}

/* Take a reference. */
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
	kref_put(&vbd->ref, vbd_free);
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
	xenvbd_cgroup_init(&vbd->cgroup);
	vbd->wq = xenvbd_queue_get();
	vbd->frontend = kstrdup(xbdev->otherend, GFP_KERNEL);
	if (!vbd->frontend || !vbd->wq) {
		xenvbd_put(vbd);
		return NULL;
	}
	vbd->domid = xbdev->otherend_id;
	mutex_init(&vbd->lock);
	mutex_init(&vbd->store_lock);
	spin_lock_init(&vbd->rings_lock);
	xenvbd_turns_init(&vbd->barriers);
	xenvbd_turns_init(&vbd->rmws);
	xenvbd_stall_init(vbd);
	xenvbd_error_init(&vbd->error);
	xenvbd_uevent_init(&vbd->uevents);
	vbd->reclaimed_at = jiffies - HZ;
	ratelimit_state_init(&vbd->refusals, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	return vbd;
}

/* ---- its rings ---------------------------------------------------------- */

/*
 * Undo vbd_ring_create(), from whatever point it has reached. Its thread has
 * ended, if there was one, and a grace period has passed since.
 */
static void vbd_ring_destroy(struct xenvbd_ring *ring)
{
	struct xenbus_device *xbdev = ring->vbd->xbdev;

	if (ring->irq >= 0)
		unbind_from_irqhandler(ring->irq, ring);
	if (ring->sring.page)
		xenbus_unmap_ring_vfree(xbdev, ring->sring.page);
	xenvbd_pages_exit(ring);
	xenvbd_rmw_exit(&ring->rmw);
	if (ring->task)
		put_task_struct(ring->task);
	xenvbd_reqs_exit(ring);
	xenvbd_put(ring->vbd);
	kfree(ring);
}

static int vbd_ring_map(struct xenvbd_ring *ring, struct xenvbd_ring_keys *keys,
			unsigned int nr_rings, enum xenvbd_abi abi,
			bool persistent)
{
	struct xenvbd *vbd = ring->vbd;
	void *page;
	int err;

	/* Reports a failure even of a removed vbd: see Documentation/upstream.rst. */
	err = xenbus_map_ring_valloc(vbd->xbdev, keys->gref, keys->nr_pages,
				     &page);
	if (err)
		return xenvbd_error(vbd, err, "mapping ring-ref %u",
				    keys->gref[0]);

	err = xenvbd_sring_attach(&ring->sring, page,
				  keys->nr_pages * XEN_PAGE_SIZE, abi);
	if (err)
		return xenvbd_error(vbd, err,
				    "ring %u: req_prod is out of range",
				    ring->index);

	err = xenvbd_reqs_init(ring);
	if (!err)
		err = xenvbd_pages_init(ring, nr_rings, persistent);
	if (!err && vbd->advertised.emulate)
		err = xenvbd_rmw_init(&ring->rmw);
	if (err)
		return xenvbd_error(vbd, err, "allocating requests of ring %u",
				    ring->index);
	return 0;
}

static int vbd_ring_bind(struct xenvbd_ring *ring,
			 const struct xenvbd_ring_keys *keys)
{
	struct xenvbd *vbd = ring->vbd;
	int irq;

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(vbd->xbdev,
							    keys->evtchn,
							    xenvbd_wake_irq, 0,
							    ring->name, ring);
	if (irq < 0)
		return xenvbd_error(vbd, irq, "binding event-channel %u",
				    keys->evtchn);
	ring->irq = irq;
	return 0;
}

static void vbd_ring_set_name(struct xenvbd_ring *ring)
{
	char dev[TASK_COMM_LEN];

	xenvbd_keys_name(ring->vbd, dev, sizeof(dev));
	snprintf(ring->name, sizeof(ring->name), "%u.%s-%u", ring->domid, dev,
		 ring->index);
}

static struct xenvbd_ring *vbd_ring_create(struct xenvbd *vbd,
					   unsigned int index,
					   unsigned int nr_rings,
					   enum xenvbd_abi abi, bool persistent,
					   struct xenvbd_ring_keys *keys)
{
	struct xenvbd_ring *ring;
	int err;

	err = xenvbd_keys_ring(vbd, index, nr_rings, keys);
	if (err)
		return ERR_PTR(err);

	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return ERR_PTR(xenvbd_error(vbd, -ENOMEM, "allocating ring %u",
					    index));

	xenvbd_get(vbd);
	ring->vbd = vbd;
	ring->domid = vbd->domid;
	ring->index = index;
	ring->irq = -1;
	init_llist_head(&ring->wake.done);
	vbd_ring_set_name(ring);

	err = vbd_ring_map(ring, keys, nr_rings, abi, persistent);
	if (!err)
		err = vbd_ring_bind(ring, keys);
	if (err) {
		vbd_ring_destroy(ring);
		return ERR_PTR(err);
	}
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
	struct xenvbd_ring_keys *keys;
	struct xenvbd_ring **rings;
	enum xenvbd_abi abi;
	unsigned int nr, i;
	bool persistent;
	int err;

	lockdep_assert_held(&vbd->lock);

	xenvbd_disconnect(vbd);

	err = xenvbd_keys_protocol(vbd, &abi) ?:
	      xenvbd_keys_nr_rings(vbd, &nr) ?:
	      xenvbd_keys_persistent(vbd, &persistent) ?:
	      xenvbd_keys_emulate(vbd, &vbd->advertised.emulate);
	if (err)
		return err;

	/* One allocation for both. */
	rings = kcalloc(nr, sizeof(*rings) + sizeof(*keys), GFP_KERNEL);
	if (!rings)
		return xenvbd_error(vbd, -ENOMEM, "allocating %u rings", nr);
	keys = (struct xenvbd_ring_keys *)(rings + nr);
	for (i = 0; i < nr; i++) {
		rings[i] = vbd_ring_create(vbd, i, nr, abi, persistent,
					   &keys[i]);
		if (IS_ERR(rings[i])) {
			err = PTR_ERR(rings[i]);
			goto out_destroy_rings;
		}
	}

	spin_lock(&vbd->rings_lock);
	vbd->rings = rings;
	vbd->nr_rings = nr;
	vbd->ring_keys = keys;
	spin_unlock(&vbd->rings_lock);
	return 0;

out_destroy_rings:
	while (i--)
		vbd_ring_destroy(rings[i]);
	kfree(rings);
	return err;
}

static bool vbd_keys_are_same(const struct xenvbd_ring_keys *a,
			      const struct xenvbd_ring_keys *b)
{
	return a->nr_pages == b->nr_pages && a->evtchn == b->evtchn &&
	       !memcmp(a->gref, b->gref, a->nr_pages * sizeof(*a->gref));
}

/**
 * xenvbd_has_other_rings - has the frontend made its rings anew?
 * @vbd: with mapped rings
 *
 * Keys that are missing or wrong are of no new rings.
 *
 * Context: process, vbd->lock held.
 * Return: 1 if what stands in xenstore are other rings than those mapped, 0 if not;
 * or a negative errno with an error text if it cannot be read for now.
 */
int xenvbd_has_other_rings(struct xenvbd *vbd)
{
	struct xenvbd_ring_keys keys;
	unsigned int nr, i;
	int err;

	err = xenvbd_keys_nr_rings(vbd, &nr);
	if (!err && nr != vbd->nr_rings)
		return 1;
	for (i = 0; !err && i < nr; i++) {
		err = xenvbd_keys_ring(vbd, i, nr, &keys);
		if (!err && !vbd_keys_are_same(&keys, &vbd->ring_keys[i]))
			return 1;
	}
	return xenvbd_store_is_short(err) ? err : 0;
}

/* Frontends disagree on what the key means, and the wrong ones destroy data. */
static void vbd_report_large_sectors(struct xenvbd *vbd)
{
	unsigned int size = vbd->disk.block_size;

	if (size == SECTOR_SIZE || vbd->advertised.emulate ||
	    vbd->large_sectors_reported || !xenvbd_keys_large_sectors(vbd))
		return;
	vbd->large_sectors_reported = true;
	dev_notice(&vbd->xbdev->dev,
		   "frontend has feature-large-sector-size: sectors are 512 bytes all the same, not %u\n",
		   size);
}

/**
 * xenvbd_start_rings - begin to serve requests
 * @vbd: with an open disk, or an empty drive, and mapped rings
 *
 * Context: process, vbd->lock held.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_start_rings(struct xenvbd *vbd)
{
	unsigned int i;
	int err;

	lockdep_assert_held(&vbd->lock);

	err = xenvbd_disk_look_again(vbd);
	if (err)
		return err;
	vbd_report_large_sectors(vbd);
	vbd->advertised.disk = vbd->disk;
	for (i = 0; i < vbd->nr_rings; i++) {
		xenvbd_disk_attach(vbd->rings[i]);
		err = xenvbd_thread_start(vbd->rings[i], xenvbd_ring_serve);
		if (err)
			return xenvbd_error(vbd, err,
					    "starting the thread of ring %u",
					    i);
	}
	return 0;
}

/* sysfs shows them for as long as there is a vbd. */
static void vbd_keep_counters(struct xenvbd *vbd, const struct xenvbd_ring *ring)
{
	unsigned int i;

	xenvbd_stats_add(&vbd->stats, &ring->stats);
	for (i = 0; i < XENVBD_NR_LATENCIES; i++)
		xenvbd_histogram_add(&vbd->latencies.of[i],
				     &ring->latency.latencies.of[i]);
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
	xenvbd_stall_enter(vbd, "closing");
	/*
	 * First all of them, so that none takes requests while we wait for
	 * another.
	 */
	for (i = 0; i < nr; i++)
		xenvbd_thread_drain(rings[i]);
	/* One that has ended leaves its PID to others while we wait for the next. */
	xenvbd_publish_no_threads(vbd);
	for (i = 0; i < nr; i++)
		xenvbd_thread_stop(rings[i]);

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < nr; i++)
		vbd_keep_counters(vbd, rings[i]);
	vbd->rings = NULL;
	vbd->nr_rings = 0;
	vbd->ring_keys = NULL;
	spin_unlock(&vbd->rings_lock);
	vbd->advertised.disk = (struct xenvbd_disk) {};

	/* A completion may still be on its way out of xenvbd_wake_complete(). */
	synchronize_rcu();
	for (i = 0; i < nr; i++)
		vbd_ring_destroy(rings[i]);
	kfree(rings);
	xenvbd_stall_leave(vbd);
	clear_bit(XENVBD_EVENT_BROKEN, &vbd->events);
	vbd->facts &= ~(XENVBD_FACT_BROKEN | XENVBD_FACT_SYNCED |
			XENVBD_FACT_RENEWED);
}

/* With @squeeze only those rings that have something to give back. */
static void vbd_kick_rings(struct xenvbd *vbd, bool squeeze)
{
	struct xenvbd_ring *ring;
	unsigned int i;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++) {
		ring = vbd->rings[i];
		/* Pairs with the release in xenvbd_thread_start(). */
		if (!smp_load_acquire(&ring->task))
			continue;
		if (squeeze && !xenvbd_pages_idle(&ring->pages))
			continue;
		if (squeeze)
			WRITE_ONCE(ring->wake.squeeze, true);
		xenvbd_wake_kick(ring);
	}
	spin_unlock(&vbd->rings_lock);
}

/**
 * xenvbd_kick_rings - have the rings look at what has changed, also those that
 * are idle
 * @vbd: in any state
 *
 * Context: any but interrupts.
 */
void xenvbd_kick_rings(struct xenvbd *vbd)
{
	vbd_kick_rings(vbd, false);
}

/**
 * xenvbd_reclaim_memory - memory is short: have the rings give back what they
 * do not use
 * @vbd: in any state
 *
 * The rings' threads do it, soon; once a second, for a shrinker is called far
 * more often than that.
 *
 * Context: of a shrinker.
 */
void xenvbd_reclaim_memory(struct xenvbd *vbd)
{
	if (time_before(jiffies, READ_ONCE(vbd->reclaimed_at) + HZ))
		return;
	WRITE_ONCE(vbd->reclaimed_at, jiffies);
	vbd_kick_rings(vbd, true);
}
