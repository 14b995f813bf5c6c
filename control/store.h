/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may write to xenstore, and when. */
#ifndef XENVBD_STORE_H
#define XENVBD_STORE_H

#include <linux/errno.h>
#include <linux/types.h>

struct xenbus_transaction;
struct xenvbd;

/* Reads and writes in a transaction. Returns 0 or a negative errno. */
typedef int xenvbd_write_t(struct xenvbd *vbd, struct xenbus_transaction xbt,
			   void *arg);

bool xenvbd_store_begin(struct xenvbd *vbd);
void xenvbd_store_end(struct xenvbd *vbd);
int xenvbd_store_transaction(struct xenvbd *vbd, xenvbd_write_t *write,
			     void *arg);

/*
 * Is it this domain that is short of something: memory, nodes, watches, turns? Then
 * the same works later, without that anybody does anything about it.
 */
static inline bool xenvbd_store_is_short(int err)
{
	return err == -ENOMEM || err == -EAGAIN || err == -ENOSPC ||
	       err == -E2BIG;
}

/*
 * What xenstored means by an error. oxenstored says EQUOTA if a quota of this domain is
 * used up, and xenbus makes EINVAL of what it does not know: see
 * Documentation/upstream.rst. What the driver writes and watches is never invalid.
 */
static inline int xenvbd_store_error(int err)
{
	return err == -EINVAL ? -ENOSPC : err;
}

#endif /* XENVBD_STORE_H */
