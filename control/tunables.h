/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a vbd that can be changed while it is in use. */
#ifndef XENVBD_TUNABLES_H
#define XENVBD_TUNABLES_H

#include <linux/sysfs.h>

#include "common.h"

extern const struct attribute_group xenvbd_tunables_group;

void xenvbd_reclaim_memory(struct xenbus_device *xbdev);
void xenvbd_tunables_init(struct xenvbd *vbd);
int xenvbd_tunables_read(struct xenvbd *vbd);

#endif /* XENVBD_TUNABLES_H */
