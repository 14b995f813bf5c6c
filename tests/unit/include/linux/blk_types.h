/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BLK_TYPES_H
#define SHIM_LINUX_BLK_TYPES_H

#include <linux/types.h>

typedef u8 blk_status_t;

/* The numbers are those of Linux; only these have a meaning to the core. */
#define BLK_STS_OK	((blk_status_t)0)
#define BLK_STS_NOTSUPP	((blk_status_t)1)
#define BLK_STS_IOERR	((blk_status_t)10)
#define BLK_STS_RESOURCE	((blk_status_t)9)
#define BLK_STS_AGAIN	((blk_status_t)12)

#endif /* SHIM_LINUX_BLK_TYPES_H */
