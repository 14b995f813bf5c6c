/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_PREEMPT_H
#define KSHIM_LINUX_PREEMPT_H

#include <linux/lock.h>

static inline void preempt_disable(void)
{
	shim_atomic++;
}

static inline void preempt_enable(void)
{
	shim_atomic--;
}

#endif /* KSHIM_LINUX_PREEMPT_H */
