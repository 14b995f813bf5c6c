// SPDX-License-Identifier: GPL-2.0-only
/*
 * INDIRECT requests, which are checked twice: before and after their segments are
 * fetched. With 32 segments at most, of the 256 that the driver offers: more take CBMC
 * too long.
 */
/* cbmc: --unwind 33 */
#include "validate.h"

#define MAX_SEGS	32

/* As decoded, before the fetch; max_indirect_segs of limits may be 0. */
static struct xenvbd_cmd any_indirect(const struct xenvbd_limits *limits)
{
	struct xenvbd_cmd cmd = any(struct xenvbd_cmd);

	given(limits->max_indirect_segs <= MAX_SEGS);
	cmd.indirect = true;
	cmd.seg = NULL;
	return cmd;
}

void nothing_is_fetched_for_a_bad_indirect_request(void)
{
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_indirect(&limits), before = cmd;
	enum xenvbd_reason reason = xenvbd_validate(&cmd, &limits);

	if (reason == XENVBD_REASON_NONE)
		require_good(&cmd, &limits, 0);
	else
		require_bad(&cmd, &limits, reason);
	require(same_but_sum(&cmd, &before) && cmd.nr_sects == before.nr_sects);
}

void an_accepted_indirect_request_is_good(void)
{
	struct xenvbd_seg seg[MAX_SEGS];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_indirect(&limits), before;

	cmd.seg = seg;
	before = cmd;
	given(xenvbd_validate(&cmd, &limits) == XENVBD_REASON_NONE);
	require_good(&cmd, &limits, any(unsigned int));
	require(same_but_sum(&cmd, &before));
}

void a_refused_indirect_request_is_bad(void)
{
	struct xenvbd_seg seg[MAX_SEGS];
	struct xenvbd_limits limits = any_limits();
	struct xenvbd_cmd cmd = any_indirect(&limits);
	enum xenvbd_reason reason;

	cmd.seg = seg;
	reason = xenvbd_validate(&cmd, &limits);
	given(reason != XENVBD_REASON_NONE);
	require_bad(&cmd, &limits, reason);
}
