// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup that a vbd's I/O is charged to.
 *
 * The block layer charges a bio to the thread that makes it. A ring's bios are all
 * made by its thread, flushes and discards as well. So the thread joins the vbd's
 * cgroup when it begins, and again whenever it is kicked; a request costs nothing.
 */
#include <linux/cgroup.h>
#include <linux/kthread.h>

#include "common.h"

/* Prepare a new vbd: it is in no cgroup. */
void xenvbd_cgroup_init(struct xenvbd_cgroup *cgroup)
{
	spin_lock_init(&cgroup->lock);
	mutex_init(&cgroup->key_lock);
}

/**
 * xenvbd_cgroup_set - put a vbd into a cgroup
 * @cgroup: the vbd's
 * @css: io controller of the cgroup; takes over the caller's reference. NULL: none
 *
 * Rings that are to hear of it have to be kicked. What the disk was given stays
 * charged as it was.
 *
 * Context: process.
 */
void xenvbd_cgroup_set(struct xenvbd_cgroup *cgroup,
		       struct cgroup_subsys_state *css)
{
	struct cgroup_subsys_state *old;

	spin_lock(&cgroup->lock);
	old = cgroup->css;
	/* Rings look without the lock. */
	WRITE_ONCE(cgroup->css, css);
	spin_unlock(&cgroup->lock);
	if (old)
		css_put(old);
}

/**
 * xenvbd_cgroup_get - the cgroup of a vbd
 * @cgroup: the vbd's
 *
 * Context: process.
 * Return: its io controller, for css_put(); or NULL.
 */
struct cgroup_subsys_state *xenvbd_cgroup_get(struct xenvbd_cgroup *cgroup)
{
	struct cgroup_subsys_state *css;

	spin_lock(&cgroup->lock);
	css = cgroup->css;
	if (css)
		css_get(css);
	spin_unlock(&cgroup->lock);
	return css;
}

/**
 * xenvbd_cgroup_join - charge what a ring submits from now on to the vbd's cgroup
 * @ring: the ring
 *
 * Context: the ring's thread.
 */
void xenvbd_cgroup_join(struct xenvbd_ring *ring)
{
	struct cgroup_subsys_state *css;

	/* Barriers kick as well. It is no other one: the thread holds it. */
	if (READ_ONCE(ring->vbd->cgroup.css) == ring->joined)
		return;
	css = xenvbd_cgroup_get(&ring->vbd->cgroup);
	kthread_associate_blkcg(css);
	ring->joined = css;
	if (css)
		css_put(css);
}

/* Undo xenvbd_cgroup_join(), before the thread ends. */
void xenvbd_cgroup_leave(void)
{
	kthread_associate_blkcg(NULL);
}
