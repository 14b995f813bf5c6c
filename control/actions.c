// SPDX-License-Identifier: GPL-2.0-only
/*
 * The actions of the table, one function each. core/state.h says what they do.
 *
 * While one waits for the disk, toolstack and guest write what they like. So none
 * waits and then writes a state, without that the table is asked in between.
 */
#include "common.h"
#include "control/actions.h"
#include "control/disk.h"
#include "control/limit.h"
#include "control/keys.h"
#include "control/states.h"
#include "control/store.h"
#include "control/tunables.h"
#include "control/vbd.h"

/**
 * xenvbd_act_is_short - did an action fail because something is short?
 * @action: the action
 * @err: that it failed with
 *
 * A disk that is full is short of nothing that comes back by itself.
 *
 * Return: true if it is to be tried again.
 */
bool xenvbd_act_is_short(enum xenvbd_action action, int err)
{
	if (action == XENVBD_ACT_OPEN || action == XENVBD_ACT_SYNC)
		return err == -ENOMEM || err == -EAGAIN;
	return xenvbd_store_is_short(err);
}

/*
 * What the toolstack is to know of the disk: also that it is the old one, if another
 * was refused and is not wanted any more.
 */
static void act_publish_disk(struct xenvbd *vbd, bool had_disk)
{
	int err = xenvbd_publish_or_owe(vbd, had_disk ? XENVBD_OWED_EXCHANGE :
							XENVBD_OWED_OPENED);

	if (err)
		xenvbd_error_report(vbd, err);
	vbd->error.refused = err && !xenvbd_store_is_short(err);
}

static int act_open(struct xenvbd *vbd)
{
	bool had_disk = xenvbd_disk_ready(&vbd->disk);
	int err;

	vbd->facts &= ~(XENVBD_FACT_NAMED | XENVBD_FACT_SYNCED);
	xenvbd_stall_enter(vbd, had_disk ? "exchanging the disk" :
					   "opening the disk");
	err = xenvbd_disk_open(vbd);
	xenvbd_stall_leave(vbd);
	if (err == -EINPROGRESS) {
		vbd->facts |= XENVBD_FACT_NAMED | XENVBD_FACT_REMNANT;
		return 0;
	}
	if (xenvbd_act_is_short(XENVBD_ACT_OPEN, err)) {
		vbd->facts |= XENVBD_FACT_NAMED | XENVBD_FACT_SHORT;
		return err;
	}
	if (err < 0 && !had_disk)
		return err;
	if (err < 0) {
		/* A guest that has a good disk keeps it. */
		vbd->error.refused = true;
		xenvbd_error_report(vbd, err);
		xenvbd_publish_refusal(vbd);
	} else if (err || vbd->error.refused) {
		act_publish_disk(vbd, had_disk);
	}
	if (err > 0 && had_disk)
		xenvbd_uevent(vbd, "exchanged", NULL);
	return 0;
}

/* The frontend has written 3 or 4 once more, with the same rings or with others. */
static int act_compare(struct xenvbd *vbd)
{
	int others = xenvbd_has_other_rings(vbd);

	if (others < 0)
		return others;
	vbd->facts &= ~XENVBD_FACT_RENEWED;
	if (others)
		xenvbd_disconnect(vbd);
	return 0;
}

static int act_map(struct xenvbd *vbd)
{
	vbd->facts &= ~XENVBD_FACT_RENEWED;
	return xenvbd_tunables_read(vbd) ?: xenvbd_limit_read(vbd) ?:
	       xenvbd_map_rings(vbd);
}

static int act_sync(struct xenvbd *vbd)
{
	int err = xenvbd_disk_check_vanished(vbd);

	if (!err) {
		xenvbd_stall_enter(vbd, "writing back the disk's cache");
		err = xenvbd_disk_drop_cache(vbd);
		xenvbd_stall_leave(vbd);
	}
	if (err)
		xenvbd_disconnect(vbd);
	else
		vbd->facts |= XENVBD_FACT_SYNCED;
	return err;
}

/* What a connection is like: the first question when something goes wrong. */
static void act_report_connection(struct xenvbd *vbd)
{
	const struct xenvbd_ring *ring = vbd->rings[0];

	if (__ratelimit(&vbd->error.log))
		dev_info(&vbd->xbdev->dev,
			 "connected: disk %x:%x, %u ring(s) of %u page(s), %s, %s grants, policy %s\n",
			 MAJOR(vbd->devt), MINOR(vbd->devt), vbd->nr_rings,
			 vbd->ring_keys[0].nr_pages,
			 ring->sring.abi == XENVBD_ABI_X86_32 ? "x86_32-abi" :
								"x86_64-abi",
			 ring->pages.persistent.hash ? "persistent" :
						       "single",
			 xenvbd_tunables_policy(&vbd->tunables));
	xenvbd_uevent(vbd, "connected", NULL);
}

/* A toolstack can do without PIDs, and so a guest has its disk without them. */
static void act_publish_threads(struct xenvbd *vbd)
{
	int err = xenvbd_publish_or_owe(vbd, XENVBD_OWED_THREADS);

	if (err && err != -ENODEV && err != -ENOENT &&
	    __ratelimit(&vbd->error.log))
		xenvbd_error_warn(vbd, err);
}

static int act_connect(struct xenvbd *vbd)
{
	int err;

	/* Once only: it may be long until the next try. */
	vbd->facts &= ~XENVBD_FACT_SYNCED;
	if (xenvbd_remnant_blocks(vbd, &vbd->disk)) {
		vbd->facts |= XENVBD_FACT_REMNANT;
		return 0;
	}
	err = xenvbd_start_rings(vbd) ?: xenvbd_publish_disk(vbd);
	if (!err) {
		act_publish_threads(vbd);
		/* The table looks at the same facts again. */
		vbd->facts |= XENVBD_FACT_SYNCED;
		err = xenvbd_switch_state(vbd, XENVBD_ACT_CONNECT,
					  XenbusStateConnected);
		vbd->facts &= ~XENVBD_FACT_SYNCED;
	}
	if (err || vbd->xbdev->state != XenbusStateConnected)
		xenvbd_disconnect(vbd);
	else
		act_report_connection(vbd);
	return err;
}

/*
 * These two wait for the disk, and others write to xenstore meanwhile. False if
 * there was nothing to wait for.
 */
static bool act_drop_rings(struct xenvbd *vbd)
{
	if (!vbd->nr_rings)
		return false;
	xenvbd_disconnect(vbd);
	return true;
}

static bool act_close_disk(struct xenvbd *vbd)
{
	if (!xenvbd_disk_ready(&vbd->disk))
		return false;
	xenvbd_disk_close(vbd);
	/* It is opened again if the vbd stays after all. */
	vbd->facts |= XENVBD_FACT_NAMED;
	return true;
}

/* A state in which there are no rings. */
static int act_switch_without_rings(struct xenvbd *vbd,
				    enum xenvbd_action action,
				    enum xenbus_state state)
{
	int err;

	if (act_drop_rings(vbd))
		return 0;
	err = xenvbd_switch_state(vbd, action, state);
	if (!err && state == XenbusStateClosed && vbd->xbdev->state == state)
		xenvbd_uevent(vbd, "closed", NULL);
	return err;
}

static int act_unregister(struct xenvbd *vbd)
{
	int err;

	if (act_drop_rings(vbd) || act_close_disk(vbd))
		return 0;
	WRITE_ONCE(vbd->ending, true);
	err = xenvbd_switch_state(vbd, XENVBD_ACT_UNREGISTER,
				  XenbusStateClosed);
	if (!(vbd->facts & XENVBD_FACT_GONE))
		WRITE_ONCE(vbd->ending, false);
	return err;
}

static int act_broken(struct xenvbd *vbd)
{
	xenvbd_disconnect(vbd);
	return xenvbd_error(vbd, -EPROTO, "frontend has broken its ring");
}

static int act_bad_state(struct xenvbd *vbd, unsigned int fe_state)
{
	return xenvbd_error(vbd, -EINVAL, "saw state %u (%s) at frontend",
			    fe_state, xenbus_strstate(fe_state));
}

/**
 * xenvbd_act - do what the table says, or the part of it until the disk was waited for
 * @vbd: lock held
 * @action: what it says
 * @fe_state: the frontend's state, whatever it is
 *
 * Context: process, for as long as the disk takes.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_act(struct xenvbd *vbd, enum xenvbd_action action,
	       unsigned int fe_state)
{
	switch (action) {
	case XENVBD_ACT_OPEN:
		return act_open(vbd);
	case XENVBD_ACT_INITWAIT:
		return act_switch_without_rings(vbd, action,
						XenbusStateInitWait);
	case XENVBD_ACT_COMPARE:
		return act_compare(vbd);
	case XENVBD_ACT_MAP:
		return act_map(vbd);
	case XENVBD_ACT_SYNC:
		return act_sync(vbd);
	case XENVBD_ACT_CONNECT:
		return act_connect(vbd);
	case XENVBD_ACT_CLOSING:
		return xenvbd_switch_state(vbd, action, XenbusStateClosing);
	case XENVBD_ACT_CLOSED:
		return act_switch_without_rings(vbd, action,
						XenbusStateClosed);
	case XENVBD_ACT_UNREGISTER:
		return act_unregister(vbd);
	case XENVBD_ACT_BROKEN:
		return act_broken(vbd);
	case XENVBD_ACT_BAD_STATE:
		return act_bad_state(vbd, fe_state);
	default:
		return 0;
	}
}
