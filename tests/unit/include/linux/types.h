/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

/* The C library's headers come here too, and want the exported half. */
#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef short s16;

/* In the kernel these need no include. */
#undef __packed
#define __packed	__attribute__((__packed__))
#undef __aligned
#define __aligned(x)	__attribute__((__aligned__(x)))

#endif /* SHIM_LINUX_TYPES_H */
