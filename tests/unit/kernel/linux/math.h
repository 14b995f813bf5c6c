/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_MATH_H
#define KSHIM_LINUX_MATH_H

#include <linux/kernel.h>

/* To powers of two. */
#define round_down(x, y)	((x) & ~(typeof(x))((y) - 1))
#define round_up(x, y)		((((x) - 1) | (typeof(x))((y) - 1)) + 1)

#endif /* KSHIM_LINUX_MATH_H */
