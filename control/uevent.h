/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a vbd, for udev. */
#ifndef XENVBD_UEVENT_H
#define XENVBD_UEVENT_H

#include <linux/ratelimit.h>

struct xenvbd;

/* A vbd announces so much at the most. */
struct xenvbd_uevents {
	struct ratelimit_state limit;
};

void xenvbd_uevent_init(struct xenvbd_uevents *uevents);
void xenvbd_uevent(struct xenvbd *vbd, const char *event, const char *text);

#endif /* XENVBD_UEVENT_H */
