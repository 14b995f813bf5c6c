/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup of a vbd, as people set it. */
#ifndef XENVBD_LIMIT_H
#define XENVBD_LIMIT_H

#include <linux/types.h>

struct xenvbd;

int xenvbd_limit_read(struct xenvbd *vbd);
int xenvbd_limit_follow(struct xenvbd *vbd);
ssize_t xenvbd_limit_show(struct xenvbd *vbd, char *buf);
int xenvbd_limit_store(struct xenvbd *vbd, const char *buf);

#endif /* XENVBD_LIMIT_H */
