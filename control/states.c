// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of both sides, as they stand in xenstore, and our own one written.
 *
 * Toolstack and guest write whenever they like. So the table is asked about what
 * stands in xenstore, and a state is written in a transaction in which the table
 * still says so. xenbus has no such call: see Documentation/upstream.rst.
 */
#include "common.h"
#include "control/states.h"
#include "control/store.h"

/* What is no number is 0. */
static int states_read(struct xenvbd *vbd, struct xenbus_transaction xbt,
		       const char *dir, const char *key, unsigned int *val)
{
	int err = xenbus_scanf(xbt, dir, key, "%d", val);

	if (err == 1)
		return 0;
	*val = 0;
	return err == -ERANGE ?
		       0 :
		       xenvbd_error(vbd, err, "reading %s/%s", dir, key);
}

/* A state that is missing, or that a guest does not let us read, is 0, too. */
static int states_read_opt(struct xenvbd *vbd, struct xenbus_transaction xbt,
			   const char *dir, const char *key, unsigned int *val)
{
	int err = states_read(vbd, xbt, dir, key, val);

	return err == -ENOENT || err == -EACCES ? 0 : err;
}

static bool states_want_online(const struct xenvbd_picture *now)
{
	return now->own == XenbusStateClosing ||
	       now->frontend == XenbusStateClosed ||
	       now->frontend == XenbusStateInitialising;
}

/**
 * xenvbd_picture_take - read what a decision is made on
 * @vbd: the device
 * @xbt: a transaction, or XBT_NIL
 * @now: set on success
 *
 * Return: 0 or a negative errno with an error text; -ENOENT if our directory was
 * deleted.
 */
int xenvbd_picture_take(struct xenvbd *vbd, struct xenbus_transaction xbt,
			struct xenvbd_picture *now)
{
	const char *dir = vbd->xbdev->nodename;
	unsigned int online = 1;
	int err;

	err = states_read(vbd, xbt, dir, "state", &now->own) ?:
	      states_read_opt(vbd, xbt, vbd->frontend, "state", &now->frontend);
	if (!err && states_want_online(now))
		err = states_read_opt(vbd, xbt, dir, "online", &online);
	now->online = online;
	return err;
}

/**
 * xenvbd_picture_action - ask the table
 * @vbd: lock held
 * @now: what stands in xenstore
 *
 * Return: what to do.
 */
enum xenvbd_action xenvbd_picture_action(struct xenvbd *vbd,
					 const struct xenvbd_picture *now)
{
	unsigned int facts = vbd->facts;

	if (xenvbd_disk_ready(&vbd->disk))
		facts |= XENVBD_FACT_DISK;
	if (vbd->nr_rings)
		facts |= XENVBD_FACT_RINGS;
	if (!now->online)
		facts |= XENVBD_FACT_OFFLINE;
	if (now->own == XenbusStateClosing)
		facts |= XENVBD_FACT_CLOSE;
	return xenvbd_next_action(vbd->xbdev->state, now->frontend, facts);
}

struct states_switch {
	enum xenvbd_action action;
	enum xenbus_state state;
};

static int states_write(struct xenvbd *vbd, struct xenbus_transaction xbt,
			void *arg)
{
	const struct states_switch *want = arg;
	struct xenvbd_picture now;
	int err = xenvbd_picture_take(vbd, xbt, &now);

	if (err)
		return err;
	if (xenvbd_picture_action(vbd, &now) != want->action)
		return -ESTALE;
	/* Not later: a toolstack may look as soon as it sees the state. */
	if (want->action == XENVBD_ACT_UNREGISTER ||
	    (want->state == XenbusStateConnected && !xenvbd_error_stands(vbd)))
		xenvbd_error_clear(vbd, xbt);
	return xenbus_printf(xbt, vbd->xbdev->nodename, "state", "%d",
			     want->state);
}

/* xenwatch may look, see xs_is_over(), as soon as the state is written. */
static void states_written(struct xenvbd *vbd, const struct states_switch *want)
{
	vbd->xbdev->state = want->state;
	if (want->action == XENVBD_ACT_UNREGISTER)
		vbd->facts |= XENVBD_FACT_GONE;
}

/**
 * xenvbd_switch_state - write our state
 * @vbd: lock held
 * @action: that it belongs to
 * @state: the state
 *
 * It is not written if the table does not say @action any more, or if our directory
 * was deleted. The caller has to look again.
 *
 * Return: 0, written or not; or a negative errno with an error text.
 */
int xenvbd_switch_state(struct xenvbd *vbd, enum xenvbd_action action,
			enum xenbus_state state)
{
	struct states_switch want = { action, state };
	int err;

	lockdep_assert_held(&vbd->lock);

	if (!xenvbd_store_begin(vbd))
		return 0;
	err = xenvbd_store_transaction(vbd, states_write, &want);
	if (!err)
		states_written(vbd, &want);
	xenvbd_store_end(vbd);
	if (!err || err == -ESTALE || err == -ENOENT)
		return 0;
	return xenvbd_error(vbd, err, "switching to state %s",
			    xenbus_strstate(state));
}
