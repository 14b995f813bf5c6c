/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a vbd that can be changed while it is in use. */
#ifndef XENVBD_TUNABLES_H
#define XENVBD_TUNABLES_H

#include <linux/sysfs.h>

struct xenvbd;

/* Any of these may change at any time. */
struct xenvbd_tunables {
	/*
	 * enum xenvbd_policy: which methods rings use to get at the guest's
	 * pages.
	 */
	unsigned int policy;
	/* Rings poll for so many microseconds before their threads sleep. */
	unsigned int polling_us;
	/* The disk is slow if it has a request for so long; 0: never. */
	unsigned int slow_seconds;
};

extern const struct attribute_group xenvbd_tunables_group;

void xenvbd_tunables_init(struct xenvbd_tunables *tunables);
const char *xenvbd_tunables_policy(const struct xenvbd_tunables *tunables);
int xenvbd_tunables_read(struct xenvbd *vbd);

#endif /* XENVBD_TUNABLES_H */
