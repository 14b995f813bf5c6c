/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of a vbd under /sys/bus/xen-backend/devices/. */
#ifndef XENVBD_SYSFS_H
#define XENVBD_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *xenvbd_dev_groups[];

#endif /* XENVBD_SYSFS_H */
