/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_MAJOR_H
#define KSHIM_LINUX_MAJOR_H

#define DRBD_MAJOR	147

#endif /* KSHIM_LINUX_MAJOR_H */
