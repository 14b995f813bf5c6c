/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in xenstore, and a state of ours written only over that. */
#ifndef XENVBD_STATES_H
#define XENVBD_STATES_H

#include <linux/types.h>
#include <xen/interface/io/xenbus.h>

#include "core/state.h"

struct xenbus_transaction;
struct xenvbd;

/* What others may write at any time, and the table decides on. */
struct xenvbd_picture {
	/* Our own state node, which the toolstack writes, too. */
	unsigned int own;
	unsigned int frontend;
	/* Of interest only if one of the two sides does not use the vbd. */
	bool online;
};

int xenvbd_picture_take(struct xenvbd *vbd, struct xenbus_transaction xbt,
			struct xenvbd_picture *now);
enum xenvbd_action xenvbd_picture_action(struct xenvbd *vbd,
					 const struct xenvbd_picture *now);
int xenvbd_switch_state(struct xenvbd *vbd, enum xenvbd_action action,
			enum xenbus_state state);

#endif /* XENVBD_STATES_H */
