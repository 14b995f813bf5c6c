/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_BLK_TYPES_H
#define KSHIM_LINUX_BLK_TYPES_H

#include_next <linux/blk_types.h>

typedef u64 sector_t;
typedef u32 blk_opf_t;

/* The numbers are of no importance, but each bit has to be one of its own. */
enum req_op {
	REQ_OP_READ,
	REQ_OP_WRITE,
	REQ_OP_FLUSH,
	REQ_OP_DISCARD,
	REQ_OP_SECURE_ERASE = 5,
};

#define REQ_OP_MASK	0xffU
#define REQ_SYNC	(1U << 11)
#define REQ_IDLE	(1U << 16)
#define REQ_FUA		(1U << 17)
#define REQ_PREFLUSH	(1U << 18)

#endif /* KSHIM_LINUX_BLK_TYPES_H */
