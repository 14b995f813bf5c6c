/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a vbd that can be changed while it is in use. */
#ifndef XENVBD_CONTROL_TUNABLES_H
#define XENVBD_CONTROL_TUNABLES_H

#include <linux/sysfs.h>

struct xenvbd;
struct xenvbd_tunables;

extern const struct attribute_group xenvbd_tunables_group;

void xenvbd_tunables_init(struct xenvbd_tunables *tunables);
const char *xenvbd_tunables_policy(const struct xenvbd_tunables *tunables);
int xenvbd_tunables_read(struct xenvbd *vbd);

#endif /* XENVBD_CONTROL_TUNABLES_H */
