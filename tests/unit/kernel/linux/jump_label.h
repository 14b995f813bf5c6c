/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_JUMP_LABEL_H
#define KSHIM_LINUX_JUMP_LABEL_H

#include <linux/kernel.h>

struct static_key_false {
	bool on;
};

#define DECLARE_STATIC_KEY_FALSE(n)	extern struct static_key_false n
#define DEFINE_STATIC_KEY_FALSE(n)	struct static_key_false n
#define static_branch_unlikely(key)	((key)->on)
#define static_branch_enable(key)	((void)((key)->on = true))
#define static_branch_disable(key)	((void)((key)->on = false))

#endif /* KSHIM_LINUX_JUMP_LABEL_H */
