/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_SIZES_H
#define KSHIM_LINUX_SIZES_H

#define SZ_64K	0x00010000

#endif /* KSHIM_LINUX_SIZES_H */
