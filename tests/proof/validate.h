/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a verdict means, written down a second time: not by the steps that come to
 * it, but by what is true of the request and of the disk.
 */
#ifndef VALIDATE_PROOF_H
#define VALIDATE_PROOF_H

#include "core/validate.c"
#include "proof.h"

/* Logical blocks of 512 bytes to 64 KiB: larger than a page, too. */
static struct xenvbd_limits any_limits(void)
{
	struct xenvbd_limits limits = any(struct xenvbd_limits);
	unsigned int shift = any(unsigned int);

	given(shift <= 7);
	limits.align_sects = 1U << shift;
	limits.readonly = any_bool();
	limits.barrier = any_bool();
	limits.discard = any_bool();
	return limits;
}

static bool is_multiple(u64 n, u32 power_of_two)
{
	return !(n & (power_of_two - 1));
}

static bool op_offered(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits)
{
	if (cmd->indirect)
		return limits->max_indirect_segs && cmd->op <= BLKIF_OP_WRITE;
	return cmd->op == BLKIF_OP_READ || cmd->op == BLKIF_OP_WRITE ||
	       cmd->op == BLKIF_OP_FLUSH_DISKCACHE ||
	       (cmd->op == BLKIF_OP_WRITE_BARRIER && limits->barrier) ||
	       (cmd->op == BLKIF_OP_DISCARD && limits->discard);
}

static bool may_be_empty(const struct xenvbd_cmd *cmd)
{
	return cmd->op == BLKIF_OP_FLUSH_DISKCACHE || cmd->op == BLKIF_OP_WRITE_BARRIER;
}

/* An empty flush or barrier. */
static bool is_empty(const struct xenvbd_cmd *cmd)
{
	return may_be_empty(cmd) && !cmd->nr_segs;
}

static bool changes_disk(const struct xenvbd_cmd *cmd)
{
	return cmd->op != BLKIF_OP_READ && !is_empty(cmd);
}

static bool nr_segs_in_range(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits)
{
	unsigned int max = cmd->indirect ? limits->max_indirect_segs : 11;

	return cmd->op == BLKIF_OP_DISCARD || is_empty(cmd) ||
	       (cmd->nr_segs >= 1 && cmd->nr_segs <= max);
}

static bool seg_in_page(const struct xenvbd_seg *seg)
{
	return seg->first_sect <= seg->last_sect && seg->last_sect < 8;
}

static bool seg_aligned(const struct xenvbd_seg *seg, const struct xenvbd_limits *limits)
{
	return is_multiple(seg->last_sect - seg->first_sect + 1, limits->align_sects);
}

static bool on_disk(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits)
{
	return (unsigned __int128)cmd->sector + cmd->nr_sects <= limits->nr_sects;
}

/* Of an accepted request; @i: any segment. */
static void require_good(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits,
			 unsigned int i)
{
	require(op_offered(cmd, limits));
	require(!(limits->readonly && changes_disk(cmd)));
	require(nr_segs_in_range(cmd, limits));
	if (is_empty(cmd) || (cmd->op != BLKIF_OP_DISCARD && !cmd->seg))
		return;
	require(on_disk(cmd, limits));
	require(is_multiple(cmd->sector, limits->align_sects));
	require(is_multiple(cmd->nr_sects, limits->align_sects));
	if (cmd->op == BLKIF_OP_DISCARD || i >= cmd->nr_segs)
		return;
	require(seg_in_page(&cmd->seg[i]));
	require(seg_aligned(&cmd->seg[i], limits));
}

static bool any_seg_is_bad(const struct xenvbd_cmd *cmd)
{
	bool bad = false;
	unsigned int i;

	for (i = 0; i < cmd->nr_segs; i++)
		bad |= !seg_in_page(&cmd->seg[i]);
	return bad;
}

static bool any_is_unaligned(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits)
{
	bool unaligned = !is_multiple(cmd->sector, limits->align_sects) ||
			 !is_multiple(cmd->nr_sects, limits->align_sects);
	unsigned int i;

	for (i = 0; cmd->op != BLKIF_OP_DISCARD && i < cmd->nr_segs; i++)
		unaligned |= !seg_aligned(&cmd->seg[i], limits);
	return unaligned;
}

/* Of a refused request: what its reason says is true. */
static void require_bad(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits,
			enum xenvbd_reason reason)
{
	switch (reason) {
	case XENVBD_REASON_OP:
		require(!op_offered(cmd, limits));
		/* Data would pass for written. */
		require(cmd->indirect || cmd->op != BLKIF_OP_WRITE_BARRIER || !cmd->nr_segs);
		break;
	case XENVBD_REASON_BARRIER:
		require(cmd->op == BLKIF_OP_WRITE_BARRIER && cmd->nr_segs && !limits->barrier);
		break;
	case XENVBD_REASON_READONLY:
		require(limits->readonly && changes_disk(cmd));
		break;
	case XENVBD_REASON_NR_SEGS:
		require(!nr_segs_in_range(cmd, limits));
		break;
	case XENVBD_REASON_SEG:
		require(any_seg_is_bad(cmd));
		break;
	case XENVBD_REASON_RANGE:
		require(!on_disk(cmd, limits));
		break;
	default:
		require(reason == XENVBD_REASON_ALIGN && any_is_unaligned(cmd, limits));
		break;
	}
}

/* The sum is all that validation writes. */
static bool same_but_sum(const struct xenvbd_cmd *a, const struct xenvbd_cmd *b)
{
	return a->id == b->id && a->sector == b->sector && a->seg == b->seg &&
	       a->gref == b->gref && a->nr_segs == b->nr_segs && a->op == b->op &&
	       a->flags == b->flags && a->indirect == b->indirect;
}

#endif /* VALIDATE_PROOF_H */
