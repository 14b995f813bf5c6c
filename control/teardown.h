/* SPDX-License-Identifier: GPL-2.0-only */
/* Teardown of a removed vbd. */
#ifndef XENVBD_TEARDOWN_H
#define XENVBD_TEARDOWN_H

#include <linux/completion.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct xenvbd;

/* What is left to do after a vbd's removal. */
struct xenvbd_teardown {
	struct work_struct work;
	/* Looks from time to time what a remnant still does. */
	struct delayed_work look;
	/* Rings and disk are no more. */
	struct completion done;
};

void xenvbd_teardown_init(struct xenvbd_teardown *teardown);
bool xenvbd_teardown_begin(struct xenvbd *vbd);
void xenvbd_teardown_run(struct xenvbd *vbd);

#endif /* XENVBD_TEARDOWN_H */
