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

/* Prepare a new vbd for errors. */
void xenvbd_error_init(struct xenvbd_error *error)
{
	ratelimit_state_init(&error->log, ERROR_INTERVAL, ERROR_BURST);
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
			xenbus_dev_error(vbd->xbdev, err, "%s",
					 vbd->error.text);
		else
			error_report_quietly(vbd, err);
		xenvbd_store_end(vbd);
	}
	xenvbd_uevent(vbd, "error", vbd->error.text);
	if (!loud)
		msleep(ERROR_PAUSE_MS);
}

/* The same for what a running guest need not close for. */
void xenvbd_error_report(struct xenvbd *vbd, int err)
{
	if (!xenvbd_store_begin(vbd))
		return;
	xenbus_dev_error(vbd->xbdev, err, "%s", vbd->error.text);
	xenvbd_store_end(vbd);
	xenvbd_uevent(vbd, "error", vbd->error.text);
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
 * xenvbd_error_clear - nothing is wrong any more: remove the error node
 * @vbd: the device
 * @xbt: what is written along with it
 *
 * Toolstacks take a node that is left for an error. In a driver domain it also
 * takes room, and so does the directory of a guest that is no more. xenbus removes
 * neither, see Documentation/upstream.rst.
 *
 * Context: process.
 */
void xenvbd_error_clear(struct xenvbd *vbd, struct xenbus_transaction xbt)
{
	const char *node = vbd->xbdev->nodename;
	char *dir;

	if (!xenbus_exists(xbt, "error", node))
		return;
	dir = kasprintf(GFP_KERNEL, "error/%s", node);
	if (!dir)
		return;
	xenbus_rm(xbt, dir, "");
	*strrchr(dir, '/') = 0;
	error_remove_empty(xbt, dir);
	kfree(dir);
}
