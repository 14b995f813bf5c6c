// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters with limits. Other drivers of the same name have other ones, or
 * none. A line in modprobe.d that was written for one of those must not keep the
 * module from loading: after the next boot no guest would have a disk.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "data/param.h"

/* Not by somebody who reads the error, and can try again. */
static bool param_is_loading(void)
{
#ifdef MODULE
	return THIS_MODULE->state != MODULE_STATE_LIVE;
#else
	return system_state < SYSTEM_RUNNING;
#endif
}

/**
 * xenvbd_param_set_uint - set a module parameter
 * @val: the text
 * @kp: the parameter, an unsigned int
 * @min: the least it may be
 * @max: the most
 *
 * What is out of range is refused while the module is in use, and replaced by the
 * nearest value when the module is loaded.
 *
 * Return: 0 or a negative errno.
 */
int xenvbd_param_set_uint(const char *val, const struct kernel_param *kp,
			  unsigned int min, unsigned int max)
{
	long long num;
	int err = kstrtoll(val, 0, &num);

	if (err)
		return err;
	if (num < min || num > max) {
		if (!param_is_loading())
			return -EINVAL;
		num = num < min ? min : max;
		pr_notice("xen-blkback: %s=%s is out of range, and counts as %lld\n",
			  kp->name, val, num);
	}
	WRITE_ONCE(*(unsigned int *)kp->arg, num);
	return 0;
}

static int param_set_count(const char *val, const struct kernel_param *kp)
{
	return xenvbd_param_set_uint(val, kp, 0, UINT_MAX);
}

/* Elsewhere it may be negative, and that is as much as none. */
const struct kernel_param_ops xenvbd_param_count_ops = {
	.set = param_set_count,
	.get = param_get_uint,
};
