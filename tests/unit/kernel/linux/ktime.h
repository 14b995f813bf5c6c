/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock is that of local_clock(). */
#ifndef KSHIM_LINUX_KTIME_H
#define KSHIM_LINUX_KTIME_H

#include <linux/sched.h>

typedef s64 ktime_t;

static inline ktime_t ktime_get(void)
{
	return local_clock();
}

static inline s64 ktime_to_us(ktime_t kt)
{
	return kt / NSEC_PER_USEC;
}

#endif /* KSHIM_LINUX_KTIME_H */
