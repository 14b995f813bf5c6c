/* SPDX-License-Identifier: GPL-2.0-only */
/* The actions of the table. */
#ifndef XENVBD_ACTIONS_H
#define XENVBD_ACTIONS_H

#include "core/state.h"

struct xenvbd;

int xenvbd_act(struct xenvbd *vbd, enum xenvbd_action action,
	       unsigned int fe_state);

bool xenvbd_act_is_short(enum xenvbd_action action, int err);

#endif /* XENVBD_ACTIONS_H */
