/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * May this command be executed? Every check a request has to pass before a
 * grant or a bio is touched is made here, on private memory.
 *
 * Layer 0: pure.
 */
#ifndef XENVBD_VALIDATE_H
#define XENVBD_VALIDATE_H

#include <linux/blk_types.h>
#include <linux/types.h>
#include "core/proto.h"

/**
 * struct xenvbd_limits - what a device allows, as its ring knows it
 * @nr_sects: size of the disk in sectors of 512 bytes
 * @align_sects: logical block size in sectors of 512 bytes, a power of two
 * @max_indirect_segs: segments of an INDIRECT request, 0: not offered
 * @readonly: nothing may change the disk
 * @barrier: WRITE_BARRIER is offered
 * @flushes: the guest flushes a cache of the disk; of no concern to checks
 * @discard: DISCARD is offered
 * @stable_writes: data must not change while it is written
 * @emulate: the disk's own blocks are larger than @align_sects, perhaps
 */
struct xenvbd_limits {
	u64 nr_sects;
	u32 align_sects;
	u16 max_indirect_segs;
	bool readonly;
	bool barrier;
	bool flushes;
	bool discard;
	bool stable_writes;
	bool emulate;
};

/**
 * enum xenvbd_reason - what is wrong with a request
 * @XENVBD_REASON_NONE: nothing
 * @XENVBD_REASON_OP: operation unknown or not offered
 * @XENVBD_REASON_BARRIER: WRITE_BARRIER with data, not offered
 * @XENVBD_REASON_READONLY: would change a read-only disk
 * @XENVBD_REASON_NR_SEGS: no segment, or more than allowed (XSA-513)
 * @XENVBD_REASON_SEG: first sector after the last, or last sector beyond the
 *                     granted page (XSA-513)
 * @XENVBD_REASON_RANGE: beyond the end of the disk, or so large that the sum
 *                       overflows
 * @XENVBD_REASON_ALIGN: not a multiple of the logical block size
 */
enum xenvbd_reason {
	XENVBD_REASON_NONE,
	XENVBD_REASON_OP,
	XENVBD_REASON_BARRIER,
	XENVBD_REASON_READONLY,
	XENVBD_REASON_NR_SEGS,
	XENVBD_REASON_SEG,
	XENVBD_REASON_RANGE,
	XENVBD_REASON_ALIGN,
	/* private: */
	XENVBD_NR_REASONS
};

enum xenvbd_reason xenvbd_validate(struct xenvbd_cmd *cmd,
				   const struct xenvbd_limits *limits);
blk_status_t xenvbd_reason_status(enum xenvbd_reason reason);
const char *xenvbd_reason_str(enum xenvbd_reason reason);

#endif /* XENVBD_VALIDATE_H */
