/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_ARRAY_SIZE_H
#define SHIM_LINUX_ARRAY_SIZE_H

#define ARRAY_SIZE(arr)	(sizeof(arr) / sizeof((arr)[0]))

#endif /* SHIM_LINUX_ARRAY_SIZE_H */
