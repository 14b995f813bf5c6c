/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_VERSION_H
#define KSHIM_LINUX_VERSION_H

/* As new as the driver is written for: compat.h has nothing to add. */
#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE	KERNEL_VERSION(7, 0, 0)

#endif /* KSHIM_LINUX_VERSION_H */
