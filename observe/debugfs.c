// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/xen-blkback/: a file for each vbd, another one to kick it, and
 * one in remnants/ for each that was removed while the disk still had requests of
 * it. To read a file changes nothing.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <xen/events.h>

#include "common.h"
#include "control/vbd.h"
#include "data/thread.h"
#include "observe/debugfs.h"

static struct dentry *debugfs_root;
static struct dentry *debugfs_remnants;
/* Two remnants may be of devices of the same name. */
static atomic_t remnant_serial;

static const char * const debugfs_owners[] = {
	[XENVBD_OWNER_NONE] = "nobody",
	[XENVBD_OWNER_THREAD] = "its thread",
	[XENVBD_OWNER_COMPLETION] = "a completion",
};

/* Where both sides are, and who has to do something next. */
static void debugfs_show_sides(struct seq_file *m,
			       const struct xenvbd_ring *ring)
{
	const struct xenvbd_sring *sring = &ring->sring;
	/* The guest may write any of these meanwhile: each is read once. */
	u32 req_prod = READ_ONCE(sring->page->req_prod);
	u32 req_event = READ_ONCE(sring->page->req_event);
	u32 shown = READ_ONCE(sring->page->rsp_prod);
	u32 rsp_event = READ_ONCE(sring->page->rsp_event);
	const char *starved = READ_ONCE(ring->starved);

	seq_printf(m,
		   "ring %u: req_prod %u, req_event %u, rsp_prod shown %u, rsp_event %u\n",
		   ring->index, req_prod, req_event, shown, rsp_event);
	seq_printf(m, "ring %u: owned by %s%s%s%s%s\n", ring->index,
		   debugfs_owners[READ_ONCE(ring->wake.owner)],
		   READ_ONCE(ring->wake.event) ? ", event pending" : "",
		   READ_ONCE(ring->wake.kicked) ? ", kicked" : "",
		   starved ? ", " : "", starved ?: "");
	seq_printf(m,
		   "ring %u: driver owes: %u to take, %u answers to show%s\n",
		   ring->index, req_prod - READ_ONCE(sring->req_cons),
		   READ_ONCE(sring->rsp_prod) - shown,
		   llist_empty(&ring->wake.done) ? "" : ", some to answer");
}

static void debugfs_show_ring(struct seq_file *m,
			      const struct xenvbd_ring *ring)
{
	const struct xenvbd_sring *sring = &ring->sring;
	unsigned long oldest = 0;
	unsigned int nr = xenvbd_thread_in_flight(ring, &oldest);

	seq_printf(m, "ring %u: %u slots, req_cons %u, rsp_prod %u%s%s\n",
		   ring->index, sring->nr_ents, READ_ONCE(sring->req_cons),
		   READ_ONCE(sring->rsp_prod),
		   READ_ONCE(ring->broken) ? ", broken" : "",
		   READ_ONCE(ring->wake.draining) ? ", draining" : "");
	debugfs_show_sides(m, ring);
	seq_printf(m, "ring %u: %u in flight, oldest %u ms\n", ring->index, nr,
		   jiffies_to_msecs(oldest));
	seq_printf(m,
		   "ring %u: %u pages, %u of them free, %u persistent grants\n",
		   ring->index, READ_ONCE(ring->pages.pool.nr_pages),
		   READ_ONCE(ring->pages.pool.nr_free),
		   READ_ONCE(ring->pages.persistent.nr));
	seq_printf(m, "ring %u: %u pages to copy to, %u of them free\n",
		   ring->index, READ_ONCE(ring->pages.copy.nr_pages),
		   READ_ONCE(ring->pages.copy.nr_free));
}

/* What the domain's vbds and all others copy to. */
static void debugfs_show_share(struct seq_file *m,
			       const struct xenvbd_share *share)
{
	seq_printf(m,
		   "domain %u: %ld pages to copy to, may have %u more; all domains: %lu of %lu\n",
		   share->domid, atomic_long_read(&share->nr_pages),
		   xenvbd_share_room(share), xenvbd_share_all(),
		   xenvbd_share_max());
}

static int debugfs_state_show(struct seq_file *m, void *unused)
{
	struct xenvbd *vbd = m->private;
	dev_t devt = READ_ONCE(vbd->devt);
	char waiting[XENVBD_STALL_TEXT];
	unsigned int i;

	xenvbd_stall_describe(vbd, waiting, sizeof(waiting));
	seq_printf(m, "disk %x:%x\n", MAJOR(devt), MINOR(devt));
	seq_printf(m, "waiting %s\n", waiting[0] ? waiting : "for nothing");
	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++)
		debugfs_show_ring(m, vbd->rings[i]);
	if (vbd->nr_rings)
		debugfs_show_share(m, vbd->rings[0]->pages.copy.share);
	spin_unlock(&vbd->rings_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(debugfs_state);

/*
 * Something was lost on the way, it seems: have both sides look at their rings.
 * It does no harm where nothing was.
 */
static int debugfs_kick(void *data, u64 val)
{
	struct xenvbd *vbd = data;
	unsigned int i;

	xenvbd_kick_rings(vbd);
	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++)
		notify_remote_via_irq(vbd->rings[i]->irq);
	spin_unlock(&vbd->rings_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(debugfs_kick_fops, NULL, debugfs_kick, "%llu\n");

/**
 * xenvbd_debugfs_init - make the driver's directories
 */
void xenvbd_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("xen-blkback", NULL);
	debugfs_remnants = debugfs_create_dir("remnants", debugfs_root);
}

/**
 * xenvbd_debugfs_exit - undo xenvbd_debugfs_init()
 */
void xenvbd_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}

/**
 * xenvbd_debugfs_add - make a vbd's files
 * @vbd: has to stay until xenvbd_debugfs_remove()
 */
void xenvbd_debugfs_add(struct xenvbd *vbd)
{
	char name[48];

	snprintf(name, sizeof(name), "%s.kick", dev_name(&vbd->xbdev->dev));
	vbd->debugfs_kick = debugfs_create_file(name, 0200, debugfs_root, vbd,
						&debugfs_kick_fops);
	vbd->debugfs = debugfs_create_file(dev_name(&vbd->xbdev->dev), 0400,
					   debugfs_root, vbd,
					   &debugfs_state_fops);
}

/**
 * xenvbd_debugfs_add_remnant - make a removed vbd's file in remnants/
 * @vbd: has to stay until xenvbd_debugfs_remove()
 */
void xenvbd_debugfs_add_remnant(struct xenvbd *vbd)
{
	char name[48];

	snprintf(name, sizeof(name), "%s.%d", dev_name(&vbd->xbdev->dev),
		 atomic_inc_return(&remnant_serial));
	vbd->debugfs = debugfs_create_file(name, 0400, debugfs_remnants, vbd,
					   &debugfs_state_fops);
}

/**
 * xenvbd_debugfs_remove - take away a vbd's files
 * @vbd: with or without one
 *
 * Waits for its readers, who wait for nobody.
 */
void xenvbd_debugfs_remove(struct xenvbd *vbd)
{
	debugfs_remove(vbd->debugfs_kick);
	debugfs_remove(vbd->debugfs);
	vbd->debugfs_kick = NULL;
	vbd->debugfs = NULL;
}
