// SPDX-License-Identifier: GPL-2.0-only
/* The checks a request has to pass. Layer 0: pure. */
#include <linux/array_size.h>

#include "core/validate.h"

/* Does [sector, sector + nr_sects) lie on the disk? Neither sum may wrap. */
static bool validate_fits_disk(const struct xenvbd_cmd *cmd,
			       const struct xenvbd_limits *limits)
{
	return cmd->sector <= limits->nr_sects &&
	       cmd->nr_sects <= limits->nr_sects - cmd->sector;
}

static enum xenvbd_reason validate_extent(const struct xenvbd_cmd *cmd,
					  const struct xenvbd_limits *limits)
{
	if (!validate_fits_disk(cmd, limits))
		return XENVBD_REASON_RANGE;
	if ((cmd->sector | cmd->nr_sects) & (limits->align_sects - 1))
		return XENVBD_REASON_ALIGN;
	return XENVBD_REASON_NONE;
}

/* Check each segment and add up their sectors. */
static enum xenvbd_reason validate_segs(struct xenvbd_cmd *cmd,
					const struct xenvbd_limits *limits)
{
	u32 unaligned = 0;
	u32 nr_sects = 0;
	u16 i;

	for (i = 0; i < cmd->nr_segs; i++) {
		const struct xenvbd_seg *seg = &cmd->seg[i];
		u32 nr;

		if (seg->last_sect >= XENVBD_SECTS_PER_GRANT ||
		    seg->first_sect > seg->last_sect)
			return XENVBD_REASON_SEG;
		nr = seg->last_sect - seg->first_sect + 1;
		unaligned |= nr;
		nr_sects += nr;
	}
	cmd->nr_sects = nr_sects;

	/* A segment that ends inside a logical block would split it in two. */
	if (unaligned & (limits->align_sects - 1))
		return XENVBD_REASON_ALIGN;
	return validate_extent(cmd, limits);
}

static enum xenvbd_reason validate_data(struct xenvbd_cmd *cmd,
					const struct xenvbd_limits *limits,
					bool may_be_empty)
{
	u16 max_segs = cmd->indirect ? limits->max_indirect_segs :
				       BLKIF_MAX_SEGMENTS_PER_REQUEST;

	/* Only a flush can do without data; what its sector says is then nothing. */
	if (!cmd->nr_segs)
		return may_be_empty ? XENVBD_REASON_NONE : XENVBD_REASON_NR_SEGS;
	if (cmd->nr_segs > max_segs)
		return XENVBD_REASON_NR_SEGS;
	/* Of an INDIRECT request they have to be fetched first. */
	if (!cmd->seg)
		return XENVBD_REASON_NONE;
	return validate_segs(cmd, limits);
}

static enum xenvbd_reason validate_write(struct xenvbd_cmd *cmd,
					 const struct xenvbd_limits *limits,
					 bool may_be_empty)
{
	/* Without data nothing is changed: a read-only disk can be flushed. */
	if (limits->readonly && (cmd->nr_segs || !may_be_empty))
		return XENVBD_REASON_READONLY;
	return validate_data(cmd, limits, may_be_empty);
}

/*
 * Of a barrier with data nobody may say that it is not supported: Linux frontends take
 * that for success, and the data would be lost.
 */
static enum xenvbd_reason validate_barrier(struct xenvbd_cmd *cmd,
					   const struct xenvbd_limits *limits)
{
	if (limits->barrier)
		return validate_write(cmd, limits, true);
	return cmd->nr_segs ? XENVBD_REASON_BARRIER : XENVBD_REASON_OP;
}

static enum xenvbd_reason validate_discard(struct xenvbd_cmd *cmd,
					   const struct xenvbd_limits *limits)
{
	if (!limits->discard)
		return XENVBD_REASON_OP;
	/* CVE-2013-2140: a discard is a write. */
	if (limits->readonly)
		return XENVBD_REASON_READONLY;
	return validate_extent(cmd, limits);
}

/**
 * xenvbd_validate - check a command against what the device allows
 * @cmd: decoded command; @cmd->nr_sects is set from the segments. An INDIRECT
 *       command is to be checked twice: before its segments are fetched, with
 *       @cmd->seg NULL, whether that may be done, and then again.
 * @limits: of the device
 *
 * Fields without meaning to us are ignored on purpose: the handle (the ring
 * belongs to one disk) and unknown bits of a discard's flags.
 *
 * Return: XENVBD_REASON_NONE if it may be executed.
 */
enum xenvbd_reason xenvbd_validate(struct xenvbd_cmd *cmd,
				   const struct xenvbd_limits *limits)
{
	if (cmd->indirect && (!limits->max_indirect_segs ||
			      (cmd->op != BLKIF_OP_READ && cmd->op != BLKIF_OP_WRITE)))
		return XENVBD_REASON_OP;

	switch (cmd->op) {
	case BLKIF_OP_READ:
		return validate_data(cmd, limits, false);
	case BLKIF_OP_WRITE:
		return validate_write(cmd, limits, false);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return validate_write(cmd, limits, true);
	case BLKIF_OP_WRITE_BARRIER:
		return validate_barrier(cmd, limits);
	case BLKIF_OP_DISCARD:
		return validate_discard(cmd, limits);
	default:
		return XENVBD_REASON_OP;
	}
}

/**
 * xenvbd_reason_status - the status a refused request ends with
 * @reason: why it was refused
 *
 * Return: BLK_STS_NOTSUPP only where the guest shall not try the operation
 * again, BLK_STS_IOERR for a wrong request, BLK_STS_OK for no reason.
 */
blk_status_t xenvbd_reason_status(enum xenvbd_reason reason)
{
	switch (reason) {
	case XENVBD_REASON_NONE:
		return BLK_STS_OK;
	case XENVBD_REASON_OP:
		return BLK_STS_NOTSUPP;
	default:
		return BLK_STS_IOERR;
	}
}

/**
 * xenvbd_reason_str - words for the log
 * @reason: why a request was refused
 *
 * Return: a constant string.
 */
const char *xenvbd_reason_str(enum xenvbd_reason reason)
{
	static const char * const str[] = {
		[XENVBD_REASON_NONE] = "no error",
		[XENVBD_REASON_OP] = "operation not offered",
		[XENVBD_REASON_BARRIER] = "barrier with data not offered",
		[XENVBD_REASON_READONLY] = "disk is read-only",
		[XENVBD_REASON_NR_SEGS] = "bad number of segments",
		[XENVBD_REASON_SEG] = "bad sectors in a segment",
		[XENVBD_REASON_RANGE] = "beyond the end of the disk",
		[XENVBD_REASON_ALIGN] = "not aligned to the logical block size",
	};

	static_assert(ARRAY_SIZE(str) == XENVBD_NR_REASONS);
	return reason < XENVBD_NR_REASONS ? str[reason] : "unknown";
}
