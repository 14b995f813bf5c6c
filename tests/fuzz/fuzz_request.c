// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest against the pure core, driven the way blkback.c drives it:
 * the bytes say what the guest writes into the shared ring, and when the
 * driver takes requests, when the disk completes them, and how. What the
 * driver may rely on is checked after each step.
 */
#include <linux/errno.h>

#include "fuzz.h"
#include "core/sring.h"
#include "core/validate.h"

#define MAX_PAGES	4
#define MAX_ENTS	128
#define RING_BYTES	(MAX_PAGES * 4096)

struct owed {
	u64 id;
	u8 op;
};

struct harness {
	struct input in;
	struct xenvbd_sring sring;
	struct xenvbd_limits limits;
	u8 *ring;
	size_t bytes;
	/* The ring as it was before a step. */
	u8 before[RING_BYTES];
	/* What was taken and is not yet answered. */
	struct owed owed[MAX_ENTS];
	unsigned int nr_owed;
	u64 taken, answered;
	bool broken;
};

/* ---- the guest ---------------------------------------------------------- */

static u32 ring_word(const struct harness *h, unsigned int i)
{
	return ((const u32 *)h->ring)[i];
}

static void guest_scribbles(struct harness *h)
{
	size_t at = take(&h->in, 2) % h->bytes;
	size_t n = take(&h->in, 1) % 32;

	while (n-- && at < h->bytes)
		h->ring[at++] = take(&h->in, 1);
}

static void guest_moves_req_prod(struct harness *h)
{
	((u32 *)h->ring)[0] += (signed char)take(&h->in, 1);
}

/* A request that is not all nonsense, to get past the first checks. */
static void guest_sends_request(struct harness *h)
{
	u32 idx = ((u32 *)h->ring)[0]++;
	u8 *slot = h->ring + 64 + idx % h->sring.nr_ents * h->sring.slot_bytes;
	u8 *body = slot + (h->sring.abi == XENVBD_ABI_X86_32 ? 4 : 8);
	u64 sector;
	unsigned int i;

	slot[0] = take(&h->in, 1) % 8;
	slot[1] = take(&h->in, 1) % 16;
	slot[2] = take(&h->in, 1);
	slot[3] = 0;
	body[0] = idx;
	sector = take(&h->in, 2) * 8;
	/* Near the end of all 64-bit numbers, where sums wrap */
	if (slot[2] & 1)
		sector = -sector;
	memcpy(body + 8, &sector, sizeof(sector));
	for (i = 0; i < 11; i++) {
		u8 b = take(&h->in, 1);

		body[16 + 8 * i + 4] = b & 7;
		body[16 + 8 * i + 5] = b >> 4;
	}
	if (slot[0] == 5) {
		sector = slot[2] & 2 ? -sector : sector;
		memcpy(body + 16, &sector, sizeof(sector));
	}
}

/* ---- the rules, written down a second time ------------------------------ */

static bool segs_allowed(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits,
			 u64 *sum)
{
	unsigned int i;

	*sum = 0;
	for (i = 0; i < cmd->nr_segs; i++) {
		const struct xenvbd_seg *seg = &cmd->seg[i];

		if (seg->last_sect > 7 || seg->first_sect > seg->last_sect)
			return false;
		if ((seg->last_sect + 1 - seg->first_sect) % limits->align_sects)
			return false;
		*sum += seg->last_sect + 1 - seg->first_sect;
	}
	return true;
}

static bool extent_allowed(const struct xenvbd_limits *limits, u64 sector, u64 nr)
{
	return (unsigned __int128)sector + nr <= limits->nr_sects &&
	       !(sector % limits->align_sects) && !(nr % limits->align_sects);
}

static bool allowed(const struct xenvbd_cmd *cmd, const struct xenvbd_limits *limits)
{
	unsigned int max_segs = cmd->indirect ? limits->max_indirect_segs : 11;
	bool empty_ok = false;
	u64 sum;

	if (cmd->indirect && cmd->op > 1)
		return false;
	switch (cmd->op) {
	case 0:
		break;
	case 1:
		if (limits->readonly)
			return false;
		break;
	case 2:
		if (!limits->barrier)
			return false;
		/* fallthrough */
	case 3:
		if (limits->readonly && cmd->nr_segs)
			return false;
		empty_ok = true;
		break;
	case 5:
		return limits->discard && !limits->readonly &&
		       extent_allowed(limits, cmd->sector, cmd->nr_sects);
	default:
		return false;
	}
	if (!cmd->nr_segs)
		return empty_ok;
	return cmd->nr_segs <= max_segs && segs_allowed(cmd, limits, &sum) &&
	       extent_allowed(limits, cmd->sector, sum);
}

/* ---- the driver --------------------------------------------------------- */

/* The descriptor pages of an INDIRECT request, as big as the request says. */
static struct xenvbd_seg *fetch_indirect(struct harness *h, const struct xenvbd_cmd *cmd)
{
	struct xenvbd_seg *seg = calloc(cmd->nr_segs, sizeof(*seg));
	unsigned int i;

	require(seg);
	for (i = 0; i < cmd->nr_segs; i++) {
		u8 b = i < 16 ? take(&h->in, 1) : 0x70;

		seg[i].first_sect = b & 15;
		seg[i].last_sect = b >> 4;
	}
	return seg;
}

static void check(struct harness *h, struct xenvbd_cmd *cmd)
{
	struct xenvbd_seg *indirect = NULL;
	struct xenvbd_cmd old;
	enum xenvbd_reason reason;
	u64 sum = 0;

	/* Whether the descriptor pages may be fetched is asked first. */
	if (cmd->indirect && xenvbd_validate(cmd, &h->limits) == XENVBD_REASON_NONE) {
		require(cmd->op <= 1 && !(cmd->op == 1 && h->limits.readonly));
		require(cmd->nr_segs && cmd->nr_segs <= h->limits.max_indirect_segs);
		indirect = fetch_indirect(h, cmd);
		cmd->seg = indirect;
	}
	old = *cmd;
	reason = xenvbd_validate(cmd, &h->limits);
	require((reason == XENVBD_REASON_NONE) == allowed(&old, &h->limits));
	require(reason < XENVBD_NR_REASONS && *xenvbd_reason_str(reason));
	require((xenvbd_reason_status(reason) == BLK_STS_OK) == (reason == XENVBD_REASON_NONE));

	/* Nothing but the sum has changed. */
	require(cmd->id == old.id && cmd->op == old.op && cmd->nr_segs == old.nr_segs &&
		cmd->sector == old.sector && cmd->seg == old.seg && cmd->flags == old.flags);
	if (reason == XENVBD_REASON_NONE && cmd->op != 5) {
		require(segs_allowed(cmd, &h->limits, &sum));
		require(cmd->nr_sects == sum);
	}
	free(indirect);
}

static void step_take(struct harness *h)
{
	u32 cons = h->sring.req_cons;
	const u8 *shared = h->ring + 64 + cons % h->sring.nr_ents * h->sring.slot_bytes;
	struct xenvbd_slot *slot = malloc(sizeof(*slot));
	struct xenvbd_cmd cmd;

	require(slot);
	memcpy(h->before, h->ring, h->bytes);
	xenvbd_sring_fetch(&h->sring, slot);
	require(h->sring.req_cons == cons + 1);
	require(!memcmp(slot->bytes, shared, h->sring.slot_bytes));

	xenvbd_cmd_decode(&cmd, slot, h->sring.abi);
	require(cmd.op == slot->bytes[slot->bytes[0] == 6]);
	check(h, &cmd);
	require(!memcmp(h->before, h->ring, h->bytes));

	h->owed[h->nr_owed++] = (struct owed){ cmd.id, cmd.op };
	h->taken++;
	require(h->nr_owed <= h->sring.nr_ents);
	require(xenvbd_sring_inflight(&h->sring) == h->nr_owed);
	free(slot);
}

static void step_pass(struct harness *h)
{
	int nr;

	if (h->broken)
		return;
	nr = xenvbd_sring_pending(&h->sring);
	if (nr < 0) {
		require(nr == -EPROTO);
		require(ring_word(h, 0) - h->sring.rsp_prod > h->sring.nr_ents ||
			ring_word(h, 0) - h->sring.rsp_prod < h->nr_owed);
		h->broken = true;
		return;
	}
	require((u32)nr + h->nr_owed <= h->sring.nr_ents);
	while (nr--)
		step_take(h);
}

/* Answer any one of those that are owed an answer. */
static void step_answer(struct harness *h, unsigned int which, u8 status)
{
	u8 *slot = h->ring + 64 + h->sring.rsp_prod % h->sring.nr_ents * h->sring.slot_bytes;
	unsigned int rsp_bytes = h->sring.abi == XENVBD_ABI_X86_32 ? 12 : 16;
	u16 wire = status == BLK_STS_OK ? 0 : status == BLK_STS_NOTSUPP ? -2 : -1;
	struct owed owed;
	u8 want[16] = {};

	if (!h->nr_owed)
		return;
	which %= h->nr_owed;
	owed = h->owed[which];
	h->owed[which] = h->owed[--h->nr_owed];

	memcpy(h->before, h->ring, h->bytes);
	xenvbd_sring_respond(&h->sring, owed.id, owed.op, status);
	h->answered++;

	memcpy(want, &owed.id, 8);
	want[8] = owed.op;
	memcpy(want + 10, &wire, 2);
	require(!memcmp(slot, want, rsp_bytes));
	/* And no other byte of the ring, above all not rsp_prod. */
	memcpy(h->before + (slot - h->ring), want, rsp_bytes);
	require(!memcmp(h->before, h->ring, h->bytes));
	require(xenvbd_sring_inflight(&h->sring) == h->nr_owed);
}

static void step_push(struct harness *h)
{
	u32 old = h->sring.rsp_pushed, new = h->sring.rsp_prod, event = ring_word(h, 3), i;
	bool asked = false;
	bool notify;

	/* Is the index that the guest asked to hear of among the new ones? */
	for (i = old + 1; i != new + 1; i++)
		asked |= i == event;

	memcpy(h->before, h->ring, h->bytes);
	notify = xenvbd_sring_push(&h->sring);
	require(notify == asked);
	if (old != new) {
		require(ring_word(h, 2) == new);
		memcpy(h->before + 8, &new, 4);
	}
	require(!memcmp(h->before, h->ring, h->bytes));
	require(h->sring.rsp_pushed == new);
}

static void step_rearm(struct harness *h)
{
	u32 event = h->sring.req_cons + 1;

	if (h->broken)
		return;
	memcpy(h->before, h->ring, h->bytes);
	require(xenvbd_sring_rearm(&h->sring) == xenvbd_sring_pending(&h->sring));
	memcpy(h->before + 4, &event, 4);
	require(!memcmp(h->before, h->ring, h->bytes));
}

/* ---- the run ------------------------------------------------------------ */

static void set_up(struct harness *h)
{
	unsigned int flags = take(&h->in, 1);
	unsigned int limits = take(&h->in, 1);
	enum xenvbd_abi abi = flags & 1 ? XENVBD_ABI_X86_64 : XENVBD_ABI_X86_32;
	u32 start = take(&h->in, 4);

	h->bytes = 4096 << (flags >> 1) % 3;
	/* Of this very size, so that ASan sees who leaves it. */
	h->ring = aligned_alloc(4096, h->bytes);
	require(h->ring);
	memset(h->ring, 0, h->bytes);
	((u32 *)h->ring)[0] = start + (u32)(signed char)take(&h->in, 1);
	((u32 *)h->ring)[2] = start;

	h->limits.readonly = limits & 1;
	h->limits.barrier = limits & 2;
	h->limits.discard = limits & 4;
	h->limits.align_sects = 1 << (limits >> 3) % 4;
	h->limits.max_indirect_segs = limits & 32 ? take(&h->in, 2) % 4097 : 0;
	h->limits.nr_sects = take(&h->in, limits & 64 ? 8 : 2);

	h->broken = xenvbd_sring_attach(&h->sring, h->ring, h->bytes, abi);
	require(h->broken == (ring_word(h, 0) - start > h->sring.nr_ents));
	require(h->sring.nr_ents <= MAX_ENTS);
	require(64 + h->sring.nr_ents * h->sring.slot_bytes <= h->bytes);
	require(!xenvbd_sring_inflight(&h->sring));
}

static void step(struct harness *h)
{
	unsigned int which;

	switch (take(&h->in, 1) % 8) {
	case 0:
		guest_scribbles(h);
		break;
	case 1:
		guest_moves_req_prod(h);
		break;
	case 2:
	case 3:
		guest_sends_request(h);
		break;
	case 4:
		step_pass(h);
		break;
	case 5:
		which = take(&h->in, 1);
		step_answer(h, which, take(&h->in, 1));
		break;
	case 6:
		step_push(h);
		break;
	case 7:
		step_rearm(h);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct harness *h = calloc(1, sizeof(*h));

	require(h);
	h->in = (struct input){ data, len };
	set_up(h);
	while (h->in.len)
		step(h);

	/* Disconnect: whatever the guest did, all that was taken is answered. */
	while (h->nr_owed)
		step_answer(h, 0, BLK_STS_OK);
	step_push(h);
	require(h->taken == h->answered);
	require(!xenvbd_sring_inflight(&h->sring));
	free(h->ring);
	free(h);
	return 0;
}
