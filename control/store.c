// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may write to xenstore, and when: one vbd at a time, and none that was
 * removed.
 */
#include "common.h"
#include "control/store.h"

/* xenstored allows a driver domain few transactions at a time: one here. */
static DEFINE_MUTEX(transaction_lock);

/**
 * xenvbd_store_begin - ask to write something to xenstore
 * @vbd: the device
 *
 * Removal waits for this vbd's current writer only, not for those queued on
 * transaction_lock.
 *
 * Context: process.
 * Return: false if the device was removed; true if not, and it is not before
 *         xenvbd_store_end().
 */
bool xenvbd_store_begin(struct xenvbd *vbd)
{
	mutex_lock(&transaction_lock);
	mutex_lock(&vbd->store_lock);
	if (!vbd->removed)
		return true;
	xenvbd_store_end(vbd);
	return false;
}

/* What xenvbd_store_begin() allowed is written. */
void xenvbd_store_end(struct xenvbd *vbd)
{
	mutex_unlock(&vbd->store_lock);
	mutex_unlock(&transaction_lock);
}
