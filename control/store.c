// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may write to xenstore, and when: one vbd at a time, and none that was
 * removed. What is written is written all at once or not at all.
 */
#include "common.h"
#include "control/store.h"

/*
 * xenstored allows a driver domain few transactions at a time: one here. xenbus
 * does not count them, see Documentation/upstream.rst.
 */
static DEFINE_MUTEX(transaction_lock);

/* A transaction collides with others; it cannot do so for ever. */
#define MAX_TRANSACTION_TRIES	64

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

/**
 * xenvbd_store_transaction - write all that belongs together, or nothing
 * @vbd: between xenvbd_store_begin() and xenvbd_store_end()
 * @write: writes it; called again if somebody else has written meanwhile what
 *         it has read
 * @arg: for @write
 *
 * Return: 0 or a negative errno, of @write or of xenstored.
 */
int xenvbd_store_transaction(struct xenvbd *vbd, xenvbd_write_t *write,
			     void *arg)
{
	struct xenbus_transaction xbt;
	unsigned int tries;
	int err;

	for (tries = 0; tries < MAX_TRANSACTION_TRIES; tries++) {
		err = xenbus_transaction_start(&xbt);
		if (err)
			break;
		err = write(vbd, xbt, arg);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			break;
		}
		err = xenbus_transaction_end(xbt, 0);
		if (err != -EAGAIN)
			break;
	}
	return xenvbd_store_error(err);
}
