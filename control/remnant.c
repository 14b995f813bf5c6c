// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removed vbds whose disk may have requests of them. A remnant can be seen in
 * debugfs, and holds the module.
 */
#include <linux/module.h>

#include "common.h"

static DEFINE_SPINLOCK(remnants_lock);
static LIST_HEAD(remnants);

/**
 * xenvbd_remnant_init - prepare a new vbd
 * @remnant: the vbd's
 * @hide: removes the file of debugfs, and waits for its readers
 */
void xenvbd_remnant_init(struct xenvbd_remnant *remnant,
			 void (*hide)(struct xenvbd *vbd))
{
	INIT_LIST_HEAD(&remnant->remnants);
	remnant->hide = hide;
}

/**
 * xenvbd_remnant_add - a vbd becomes a remnant
 * @vbd: was removed
 */
void xenvbd_remnant_add(struct xenvbd *vbd)
{
	spin_lock(&remnants_lock);
	list_add(&vbd->remnant.remnants, &remnants);
	spin_unlock(&remnants_lock);
	__module_get(THIS_MODULE);
}

/**
 * xenvbd_remnant_remove - nothing is left of a remnant
 * @vbd: without rings and disk
 *
 * Context: the vbd's teardown.
 */
void xenvbd_remnant_remove(struct xenvbd *vbd)
{
	vbd->remnant.hide(vbd);
	spin_lock(&remnants_lock);
	list_del_init(&vbd->remnant.remnants);
	spin_unlock(&remnants_lock);
	/* Unloading waits for the workqueue, and so for the rest of this. */
	module_put(THIS_MODULE);
}

/* Is a vbd a remnant? */
bool xenvbd_is_remnant(const struct xenvbd *vbd)
{
	return !list_empty(&vbd->remnant.remnants);
}

/**
 * xenvbd_has_remnant - does a device's disk have requests from before it was
 * removed?
 * @xbdev: the device
 *
 * A second vbd on the same rings would do again what the first has in flight.
 *
 * Return: true if so.
 */
bool xenvbd_has_remnant(const struct xenbus_device *xbdev)
{
	const struct xenvbd *vbd;
	bool found = false;

	spin_lock(&remnants_lock);
	list_for_each_entry(vbd, &remnants, remnant.remnants)
		found |= vbd->xbdev == xbdev;
	spin_unlock(&remnants_lock);
	return found;
}
