// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks that requests pass, for any command at all: more than can be decoded
 * from a slot.
 */
/* cbmc: --unwind 12 --unsigned-overflow-check */
#include "validate.h"

/* Of as many segments as fit into a slot. */
static struct xenvbd_cmd any_direct(const struct xenvbd_seg *seg)
{
	struct xenvbd_cmd cmd = any(struct xenvbd_cmd);

	cmd.indirect = false;
	cmd.seg = cmd.op == BLKIF_OP_DISCARD ? NULL : seg;
	return cmd;
}

void an_accepted_request_is_good(void)
{
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_direct(seg);

	given(xenvbd_validate(&cmd, &limits) == XENVBD_REASON_NONE);
	require_good(&cmd, &limits, any(unsigned int));
}

void a_refused_request_is_bad(void)
{
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_direct(seg);
	enum xenvbd_reason reason = xenvbd_validate(&cmd, &limits);

	given(reason != XENVBD_REASON_NONE);
	require_bad(&cmd, &limits, reason);
}

void validation_changes_only_the_sum(void)
{
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_direct(seg), before = cmd;

	xenvbd_validate(&cmd, &limits);
	require(same_but_sum(&cmd, &before));
	require(implies(cmd.op == BLKIF_OP_DISCARD, cmd.nr_sects == before.nr_sects));
}

void the_sum_is_that_of_the_segments(void)
{
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_direct(seg);
	u32 sum = 0;
	u16 i;

	given(xenvbd_validate(&cmd, &limits) == XENVBD_REASON_NONE);
	given(cmd.op != BLKIF_OP_DISCARD && cmd.nr_segs);
	for (i = 0; i < cmd.nr_segs; i++) {
		u32 nr = seg[i].last_sect - seg[i].first_sect + 1;

		sum += nr;
	}
	require(cmd.nr_sects == sum);
}

void every_reason_has_a_status_and_words(void)
{
	enum xenvbd_reason reason = any(u8);
	blk_status_t status = xenvbd_reason_status(reason);

	require((status == BLK_STS_OK) == (reason == XENVBD_REASON_NONE));
	require((status == BLK_STS_NOTSUPP) == (reason == XENVBD_REASON_OP));
	require(may_read(xenvbd_reason_str(reason), 2) && *xenvbd_reason_str(reason));
}
