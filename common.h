/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The four objects of the driver, how long they live and who may touch them.
 *
 *  object              lives from .. to                      found through
 *  struct xenvbd       probe .. removal and last request     xenbus device
 *  struct xenvbd_disk  physical-device seen .. vbd closed    embedded in vbd
 *  struct xenvbd_ring  frontend ready .. disconnect          vbd->rings
 *  struct xenvbd_req   as long as its ring                   ring->reqs
 *
 * What belongs to one file stands in a struct of that file's header, and is
 * embedded here by the file's name.
 *
 * Control plane: vbd->lock protects all of a vbd that has no other owner here.
 * Only process context takes the lock, and may hold it for as long as a disk
 * takes to answer. xenwatch never takes it.
 *
 * Data plane: a ring belongs to its owner, see data/wake.c: its thread, or while
 * that sleeps a bio completion. All others write ring->wake, and nothing else.
 * Barriers have a lock of their own. Otherwise the data path has no lock and no
 * reference count: the owner hands out and takes back each request itself, so it
 * knows what is in flight, and the thread does not end before all are back.
 *
 * Documentation/locking.rst has the rest.
 */
#ifndef XENVBD_COMMON_H
#define XENVBD_COMMON_H

#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "compat.h"
#include "control/error.h"
#include "control/publish.h"
#include "control/remnant.h"
#include "control/stall.h"
#include "control/teardown.h"
#include "control/uevent.h"
#include "core/proto.h"
#include "core/sring.h"
#include "core/state.h"
#include "core/stats.h"
#include "core/validate.h"
#include "data/advertised.h"
#include "data/barrier.h"
#include "data/cgroup.h"
#include "data/discard.h"
#include "data/disk.h"
#include "data/latency.h"
#include "data/pages.h"
#include "data/poll.h"
#include "data/req.h"
#include "data/rmw.h"
#include "data/tunables.h"
#include "data/wake.h"
#include "data/watchdog.h"

/* Rings of a vbd. No guest has ever asked for more. */
#define XENVBD_MAX_RINGS	64
/* Rings of 16 pages: the limit of xenbus_map_ring_valloc(). */
#define XENVBD_MAX_RING_PAGES	XENBUS_MAX_RING_GRANTS

/* One ring of a vbd, its thread and its grants. */
struct xenvbd_ring {
	/* Read-mostly: set before the thread starts. */
	struct xenvbd *vbd;
	struct task_struct *task;
	struct block_device *bdev;
	struct xenvbd_req *reqs;
	int irq;
	domid_t domid;
	u16 index;
	char name[TASK_COMM_LEN + 16];

	/* These belong to the owner of the ring. */
	struct {
		struct xenvbd_sring sring;
		struct xenvbd_limits limits;
		/* Of @reqs those that are not in flight. */
		struct xenvbd_req *free;
		struct xenvbd_spare spare;
		/* Taken from the ring, not yet started, in order. */
		struct xenvbd_req_list todo;
		/* Completed, and somebody below still holds their pages. */
		struct xenvbd_req_list held;
		struct xenvbd_discards discards;
		struct xenvbd_barrier barrier;
		struct xenvbd_poll poll;
		/* The guest has made the ring unusable; see ring_break(). */
		bool broken;
		/* The disk has vanished, and its size is of no more interest. */
		bool vanished;
		/* A request was found since the last EOI. */
		bool found;
		/* What there is not enough of to start a request, or NULL. */
		const char *starved;
		/* Bad requests, less the good ones since; see ring_pauses(). */
		u32 nr_refused;
		/* In jiffies, while the ring pauses. */
		unsigned long pause_until;
		/* What the thread joined; it holds it. See data/cgroup.c. */
		const struct cgroup_subsys_state *joined;
		struct xenvbd_stats stats;
	} ____cacheline_aligned_in_smp;

	/* These belong to the owner of the ring. */
	struct xenvbd_pages pages ____cacheline_aligned_in_smp;
	struct xenvbd_latency latency;
	struct xenvbd_rmw rmw;

	/* Written by completions, by the interrupt handler and by other rings. */
	struct xenvbd_wake wake ____cacheline_aligned_in_smp;
};

/* One virtual block device. */
struct xenvbd {
	/* Held: the vbd may outlive its registration, see control/teardown.c. */
	struct xenbus_device *xbdev;
	/* The frontend's directory: xenbus frees its copy at removal. */
	char *frontend;
	struct kref ref;
	domid_t domid;
	unsigned int handle;

	/* Bits of enum xenvbd_event, set by callbacks and rings for @work. */
	unsigned long events;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work size_work;
	/* Our own directory. */
	struct xenbus_watch watch;

	struct xenvbd_tunables tunables;
	struct xenvbd_cgroup cgroup;
	struct xenvbd_watchdog watchdog;
	struct xenvbd_stall stall;
	struct xenvbd_uevents uevents;
	struct xenvbd_remnant remnant;
	struct xenvbd_teardown teardown;
	struct dentry *debugfs, *debugfs_kick;
	/* When memory was last asked back, in jiffies. */
	unsigned long reclaimed_at;

	/* Held while something is written to xenstore; see control/store.c. */
	struct mutex store_lock;
	/*
	 * The device is no more, or another driver's: nothing is written to
	 * xenstore, and nothing new begun. Set under @store_lock.
	 */
	bool removed;
	/* Nobody waits for an answer: what the disk never had it does not get. */
	bool abandoned;
	/* Closed is about to be written for the last time, or was. */
	bool ending;

	/* Everything below, and what xenbus knows of our state. */
	struct mutex lock;
	/* The features are published, the directory is watched. */
	bool begun;
	/* XENVBD_FACT_*, but those of control/states.c. GONE: @store_lock, too. */
	unsigned int facts;
	struct xenvbd_disk disk;
	/* The log has the vanished disk, the frontend's feature-large-sector-size. */
	bool vanished_reported, large_sectors_reported;
	struct xenvbd_advertised advertised;
	struct xenvbd_publish publish;
	struct xenvbd_error error;

	/* Rings log refused requests so often at most. */
	struct ratelimit_state refusals;
	/* Have locks of their own. */
	struct xenvbd_turns barriers, rmws;

	/* The rest is written under both locks: sysfs must not take @lock. */
	spinlock_t rings_lock;
	dev_t devt;
	u64 diskseq;
	/* Open while there are rings; NULL: an empty drive. */
	struct block_device *bdev;
	char *mode;
	struct xenvbd_ring **rings;
	unsigned int nr_rings;
	/* The frontend's keys of each, as they were when it was mapped. */
	struct xenvbd_ring_keys *ring_keys;
	/* Counters of rings that are no more. */
	struct xenvbd_stats stats;
	struct xenvbd_latencies latencies;
};

/* What a ring's thread does: the entry of the data path, in blkback.c. */
int xenvbd_ring_serve(void *data);

#endif /* XENVBD_COMMON_H */
