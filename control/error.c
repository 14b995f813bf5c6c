// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an error reaches people: in words, in the vbd's error node in xenstore,
 * and in the log, there not too often.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "common.h"
#include "control/store.h"

/* A guest can cause an error as often as it likes, but not a message. */
#define ERROR_INTERVAL		(10 * HZ)
#define ERROR_BURST		20
/* How long a guest waits that has caused too many errors. */
#define ERROR_PAUSE_MS		500
/* The toolstack does not know yet of the disk that there is. */
#define ERROR_OWED		(BIT(XENVBD_OWED_OPENED) | BIT(XENVBD_OWED_EXCHANGE))

/* Prepare a new vbd for errors. */
void xenvbd_error_init(struct xenvbd_error *error)
{
	ratelimit_state_init(&error->log, ERROR_INTERVAL, ERROR_BURST);
	error->node = true;
}

/**
 * xenvbd_error - remember what went wrong, in words
 * @vbd: the device
 * @err: negative errno
 * @fmt: says which key or device it is about, and what stood there
 *
 * The caller passes the errno on. xenvbd_error_fatal() or xenvbd_error_report()
 * brings both to people.
 *
 * Return: @err.
 */
int xenvbd_error(struct xenvbd *vbd, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(vbd->error.text, sizeof(vbd->error.text), fmt, args);
	va_end(args);
	return err;
}

/* As xenbus_dev_error(), but for the log. */
static void error_report_quietly(struct xenvbd *vbd, int err)
{
	char *dir = kasprintf(GFP_KERNEL, "error/%s", vbd->xbdev->nodename);

	if (dir)
		xenbus_printf(XBT_NIL, dir, "error", "%d %s", -err,
			      vbd->error.text);
	kfree(dir);
	vbd->error.node = dir;
}

/* The same, and for the log, too. */
static void error_report_loudly(struct xenvbd *vbd, int err)
{
	xenbus_dev_error(vbd->xbdev, err, "%s", vbd->error.text);
	vbd->error.node = true;
}

/**
 * xenvbd_error_fatal - report the last error, for which the frontend has to close
 * @vbd: the device
 * @err: negative errno, with an error text
 *
 * A guest can come again as often as it likes, so the log is limited; in
 * xenstore there always stands the last error. Beyond the limit the guest has
 * to wait, too, for xenbus itself logs a ring that cannot be mapped.
 *
 * Context: process, vbd->lock held.
 */
void xenvbd_error_fatal(struct xenvbd *vbd, int err)
{
	bool loud = __ratelimit(&vbd->error.log);

	if (xenvbd_store_begin(vbd)) {
		if (loud)
			error_report_loudly(vbd, err);
		else
			error_report_quietly(vbd, err);
		xenvbd_store_end(vbd);
	}
	xenvbd_uevent(vbd, "error", vbd->error.text);
	if (!loud)
		msleep(ERROR_PAUSE_MS);
}

/* Report an error for which a running guest need not close. */
void xenvbd_error_report(struct xenvbd *vbd, int err)
{
	if (!xenvbd_store_begin(vbd))
		return;
	error_report_loudly(vbd, err);
	xenvbd_store_end(vbd);
	xenvbd_uevent(vbd, "error", vbd->error.text);
}

/* What the log has had, and the error node has not any more. */
void xenvbd_error_note(struct xenvbd *vbd, int err)
{
	if (vbd->error.node || !xenvbd_store_begin(vbd))
		return;
	error_report_quietly(vbd, err);
	xenvbd_store_end(vbd);
}

/* What only the log needs to know, if it is an error. */
void xenvbd_error_warn(struct xenvbd *vbd, int err)
{
	if (err)
		dev_warn(&vbd->xbdev->dev, "%s: %d\n", vbd->error.text, err);
}

/* Remove a directory that is empty. */
static void error_remove_empty(struct xenbus_transaction xbt, const char *dir)
{
	unsigned int nr;
	char **names = xenbus_directory(xbt, dir, "", &nr);

	if (IS_ERR(names))
		return;
	kfree(names);
	if (!nr)
		xenbus_rm(xbt, dir, "");
}

/**
 * xenvbd_error_stands - is anything wrong now, of what is reported?
 * @vbd: the device
 *
 * The one rule for how long there is an error node. What has gone wrong while a guest
 * connected stands until the guest starts again, or somebody has corrected it: people
 * have to find it, though the guest has closed.
 *
 * Context: process, vbd->lock held.
 * Return: true if so.
 */
bool xenvbd_error_stands(const struct xenvbd *vbd)
{
	bool is_worse = xenvbd_disk_is_worse(&vbd->disk, &vbd->advertised.disk,
					     vbd->advertised.emulate);
	enum xenbus_state state = vbd->xbdev->state;

	if (state != XenbusStateInitWait && state != XenbusStateConnected)
		return true;
	return vbd->facts & XENVBD_FACT_FAILED || vbd->error.is_short ||
	       vbd->error.refused || vbd->cgroup.wrong ||
	       vbd->publish.owed & ERROR_OWED || is_worse;
}

/**
 * xenvbd_error_clear - remove the error node
 * @vbd: the device
 * @xbt: what is written along with it
 *
 * Toolstacks take a node that is left for an error. In a driver domain it also
 * takes room, and so does the directory of a guest that is no more. xenbus removes
 * neither, see Documentation/upstream.rst.
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int xenvbd_error_clear(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	const char *node = vbd->xbdev->nodename;
	unsigned int nr;
	char **names;
	char *dir;
	int err;

	names = xenbus_directory(xbt, "error", node, &nr);
	if (IS_ERR(names))
		return PTR_ERR(names) == -ENOENT ? 0 : PTR_ERR(names);
	kfree(names);
	dir = kasprintf(GFP_KERNEL, "error/%s", node);
	if (!dir)
		return -ENOMEM;
	err = xenbus_rm(xbt, dir, "");
	*strrchr(dir, '/') = 0;
	error_remove_empty(xbt, dir);
	kfree(dir);
	return err;
}

/**
 * xenvbd_error_settle - nothing is wrong any more? Then remove the error node
 * @vbd: lock held
 *
 * Context: process, at the end of what the work item does.
 * Return: true if it has to be tried once more.
 */
bool xenvbd_error_settle(struct xenvbd *vbd)
{
	int err;

	if (!vbd->error.node || xenvbd_error_stands(vbd) ||
	    !xenvbd_store_begin(vbd))
		return false;
	err = xenvbd_error_clear(vbd, XBT_NIL);
	xenvbd_store_end(vbd);
	vbd->error.node = xenvbd_store_is_short(err);
	return vbd->error.node;
}
