/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_COMPILER_H
#define KSHIM_LINUX_COMPILER_H

#include_next <linux/compiler.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define __printf(fmt, args)	__attribute__((__format__(printf, fmt, args)))
#define __scanf(fmt, args)	__attribute__((__format__(scanf, fmt, args)))
#define __init
#define __exit
#undef __used
#define __used			__attribute__((__used__))
#define __must_check		__attribute__((__warn_unused_result__))

#endif /* KSHIM_LINUX_COMPILER_H */
