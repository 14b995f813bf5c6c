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
 * Control plane: everything of a vbd that is not said to belong to somebody
 * else is protected by vbd->lock, which only process context takes and which
 * may be held for as long as a disk takes to answer. xenwatch never takes it.
 *
 * Data plane: a ring belongs to its thread. Nobody else touches it but
 * interrupt handler, bio completion and whoever pokes it, which write the
 * members in the group named for them; a barrier takes the gate's lock. Else
 * there is no lock in the data path, and no reference count either: the thread
 * knows what is in flight because it hands out and takes back each request
 * itself, and does not end before all are back.
 */
#ifndef XENVBD_COMMON_H
#define XENVBD_COMMON_H

#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "data/bdev.h"
#include "compat.h"
#include "core/proto.h"
#include "data/req.h"
#include "core/sring.h"
#include "core/state.h"
#include "core/stats.h"
#include "core/validate.h"

/* Segments of an INDIRECT request: 1 MiB, and half a descriptor page. */
#define XENVBD_MAX_SEGS		256
/* Rings of a vbd. More no guest has ever asked for. */
#define XENVBD_MAX_RINGS	64
/* Pages of a vbd that grants are mapped to, in use or not; its rings share them. */
#define XENVBD_MAX_VBD_PAGES	65536
/* Longer than this no work is worth waiting for busily. */
#define XENVBD_MAX_POLLING_US	1000
/* Rings of 16 pages: the limit of xenbus_map_ring_valloc(). */
#define XENVBD_MAX_RING_PAGES	XENBUS_MAX_RING_GRANTS
/* Grants mapped, unmapped or copied with one hypercall; the largest request fits. */
#define XENVBD_BATCH_GRANTS	XENVBD_MAX_SEGS

struct xenvbd_pgrant;

/* What the administrator wants of the ways to the guest's pages; see tunables.c. */
enum xenvbd_policy {
	XENVBD_POLICY_AUTO,
	XENVBD_POLICY_PERSISTENT,
	XENVBD_POLICY_MAP,
	XENVBD_POLICY_COPY,
};

/**
 * xenvbd_policy_keeps - may grants stay mapped?
 * @policy: enum xenvbd_policy
 *
 * Return: true if so, where the frontend has agreed to it.
 */
static inline bool xenvbd_policy_keeps(unsigned int policy)
{
	return policy == XENVBD_POLICY_AUTO || policy == XENVBD_POLICY_PERSISTENT;
}

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

	/* The thread's own. */
	struct {
		struct xenvbd_sring sring;
		struct xenvbd_limits limits;
		struct xenvbd_req *free;
		/* Taken from the ring, not yet started, in order. */
		struct xenvbd_req *todo;
		struct xenvbd_req **todo_tail;
		/* Requests whose pages somebody below still holds. */
		struct xenvbd_req *held;
		/* Discards to give to the disk, in order, and how many it has. */
		struct xenvbd_req *discards;
		struct xenvbd_req **discards_tail;
		u32 nr_discards;
		/* Barriers, and what has to wait for one, in order. */
		struct xenvbd_req *parked;
		struct xenvbd_req **parked_tail;
		/* Flushes to try again at @retry_at, and how often that was done. */
		struct xenvbd_req *failed;
		unsigned long retry_at;
		u32 nr_retries;
		/* Requests that are not reads: in @todo, @discards or @failed, or with the disk. */
		u32 nr_writes;
		/* The barrier that has its turn, as far as the ring knows; 0: none. */
		u64 turn;
		/* Since when it waits for work, 0: never began to; and for how long busily. */
		u64 poll_begin;
		u64 poll_ns;
		/* The guest has made the ring unusable; see ring_break(). */
		bool broken;
		/* The disk has vanished: reported, and its size is of no more interest. */
		bool vanished;
		/* A request was found since the last EOI. */
		bool found;
		/* No page or no memory to start a request with; try again later. */
		bool starved;
		struct xenvbd_stats stats;
	} ____cacheline_aligned_in_smp;

	/* The thread's own, too: grant.c's part. */
	struct {
		/* Pages to map grants to, a stack. */
		struct page **pool;
		u32 nr_pool;
		u32 pool_size;
		/* In the pool or in use, and how many that may be. */
		u32 nr_pages;
		u32 max_pages;
		/* Operations of the hypercall in the making. */
		u32 nr_batch;
		union {
			struct page **batch_page;
			struct xenvbd_req **batch_req;
		};
		union {
			struct gnttab_map_grant_ref *map;
			struct gnttab_unmap_grant_ref *unmap;
			struct gnttab_copy *copy;
			void *ops;
		} batch;
		/* Persistent grants, NULL if not negotiated. */
		struct hlist_head *pgrants;
		struct list_head lru;
		u32 hash_bits;
		u32 nr_pgrants;
		/* Pages of our own to copy to, a stack; free ones, and all. */
		struct page **bufs;
		u32 nr_bufs;
		u32 nr_bufs_all;
		/* When one was last used, in jiffies. */
		unsigned long bufs_used_at;
		/* Requests in flight that copy. */
		u32 nr_copied;
		/* For an INDIRECT request, if there is no memory for another one. */
		void *spare;
		bool spare_used;
	} ____cacheline_aligned_in_smp;

	/* Written by completions, by the interrupt handler and by other rings. */
	struct {
		struct llist_head done;
		/* An event came in and has not been acknowledged. */
		bool event;
		/* No more requests are wanted; by the vbd's work item. */
		bool draining;
		/* Others have changed something that the thread has to look at. */
		bool poked;
		/* Memory is short: give back what is not in use. */
		bool squeeze;
		/* The thread will look at @done, @event and @poked before it sleeps. */
		bool awake;
	} ____cacheline_aligned_in_smp;

	/* Under vbd->gate.lock. */
	struct list_head gate_rings;
	/* Number of the first barrier in @parked, or of the one that is executed; 0: none. */
	u64 gate_turn;
	/* There may be writes from before the barrier whose turn it is. */
	bool gate_busy;
};

/* By which the rings of a vbd agree when a barrier is executed; see gate.c. */
struct xenvbd_gate {
	/* All of it, and what the rings have of it. */
	spinlock_t lock;
	/* The rings whose threads run. */
	struct list_head rings;
	/* The barrier whose turn it is, and its ring; 0: no barrier anywhere. */
	u64 turn;
	struct xenvbd_ring *owner;
	/* Barriers so far. */
	u64 nr_turns;
	/* Rings that are gate_busy. */
	u32 nr_busy;
};

/* Bits of vbd->events: what the work item has to look at. */
enum xenvbd_event {
	XENVBD_EVENT_FRONTEND,	/* the frontend's state node was written */
	XENVBD_EVENT_DISK,	/* physical-device was written */
	XENVBD_EVENT_TOOLSTACK,	/* our own state node or online was written */
	XENVBD_EVENT_BROKEN,	/* a ring was made unusable */
	XENVBD_EVENT_NO_FLUSH,	/* the disk turned out not to know flushes */
	XENVBD_EVENT_RESIZE,	/* the disk may have another size */
};

/* One virtual block device. */
struct xenvbd {
	/* Held, as the vbd may outlive its registration; see xenvbd_remove(). */
	struct xenbus_device *xbdev;
	/* The frontend's directory: xenbus frees its copy at removal. */
	char *frontend;
	struct kref ref;
	domid_t domid;
	unsigned int handle;
	/* As offered to the frontend. */
	unsigned int max_rings;
	unsigned int max_ring_page_order;
	bool feature_persistent;
	/* enum xenvbd_policy, of ring threads: may change any time. */
	unsigned int policy;
	/* Of ring threads, too: wait busily for so many microseconds before sleeping. */
	unsigned int polling_us;
	/* When memory was last asked back, in jiffies. */
	unsigned long reclaimed_at;

	/* Facts recorded by callbacks, evaluated by @work. */
	unsigned long events;
	unsigned int fe_state;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work size_work;
	/* Tells what @work is waiting for, and since when; see xenvbd_wait_begin(). */
	struct delayed_work wait_work;
	const char *waiting;
	unsigned long waiting_since;
	bool waiting_told;
	struct dentry *debugfs;
	/* What is left to do after removal, and that it is done. */
	struct work_struct end_work;
	struct completion ended;
	struct list_head remnants;
	struct xenbus_watch disk_watch;
	struct xenbus_watch state_watch;
	struct xenbus_watch online_watch;
	struct xenbus_watch reap_watch;

	/* Held while something is written to xenstore; see xenvbd_store_begin(). */
	struct mutex store_lock;
	/*
	 * The device is no more, or another driver's: nothing is written to
	 * xenstore, and nothing new begun. Set under @store_lock.
	 */
	bool removed;

	/* Everything below, and what xenbus knows of our state. */
	struct mutex lock;
	/* The features are published, watches registered, InitWait is written. */
	bool begun;
	struct xenvbd_disk disk;
	/* As the guest knows it since it connected; block_size is 0 if it did not. */
	struct xenvbd_disk told;
	/* A ring is unusable; see XENVBD_FACT_BROKEN. */
	bool broken;
	/* An error was reported; see XENVBD_FACT_FAILED. */
	bool failed;
	/* So was that the disk has vanished; */
	bool vanished;
	/* and what the frontend's feature-large-sector-size may lead to. */
	bool large_sectors_told;
	/* All is released; see XENVBD_FACT_GONE. */
	bool gone;
	/* Size of the disk as the frontend was told, in sectors of 512 bytes. */
	u64 told_sects;
	struct ratelimit_state errors;
	struct ratelimit_state refusals;
	char error[256];

	/* Has a lock of its own. */
	struct xenvbd_gate gate;

	/*
	 * Written under both locks: sysfs reads it and must not wait for
	 * @lock.
	 */
	spinlock_t rings_lock;
	dev_t devt;
	u64 diskseq;
	char *mode;
	struct xenvbd_ring **rings;
	unsigned int nr_rings;
	/* Counters of rings that are no more. */
	struct xenvbd_stats stats;
};

#endif /* XENVBD_COMMON_H */
