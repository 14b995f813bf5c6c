/* SPDX-License-Identifier: GPL-2.0-only */
/* Module parameters with limits. */
#ifndef XENVBD_PARAM_H
#define XENVBD_PARAM_H

#include <linux/moduleparam.h>

extern const struct kernel_param_ops xenvbd_param_count_ops;

int xenvbd_param_set_uint(const char *val, const struct kernel_param *kp,
			  unsigned int min, unsigned int max);

#endif /* XENVBD_PARAM_H */
