/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup that a vbd's I/O is charged to. */
#ifndef XENVBD_CGROUP_H
#define XENVBD_CGROUP_H

#include <linux/mutex.h>
#include <linux/spinlock.h>

struct cgroup_subsys_state;
struct xenvbd_ring;

struct xenvbd_cgroup {
	/* Protects @css. */
	spinlock_t lock;
	/* Held. NULL: what the rings' threads are in, the root as a rule. */
	struct cgroup_subsys_state *css;
	/*
	 * Held from reading or writing the key until @css is what it says: of two
	 * who write the key, the last one counts. After vbd->lock.
	 */
	struct mutex key_lock;
	/* The key is, and the guest goes on. Protected by vbd->lock. */
	bool wrong;
	/* Something was short when the key was to be read. */
	bool unread;
};

void xenvbd_cgroup_init(struct xenvbd_cgroup *cgroup);
void xenvbd_cgroup_set(struct xenvbd_cgroup *cgroup,
		       struct cgroup_subsys_state *css);
struct cgroup_subsys_state *xenvbd_cgroup_get(struct xenvbd_cgroup *cgroup);
void xenvbd_cgroup_join(struct xenvbd_ring *ring);
void xenvbd_cgroup_leave(void);

#endif /* XENVBD_CGROUP_H */
