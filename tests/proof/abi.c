// SPDX-License-Identifier: GPL-2.0-only
/*
 * What depends on the layout of slots: decoding, encoding, ring arithmetic. Of
 * x86_64; abi_x86_32.c has all this for the other layout. What both sides agree
 * on is taken from the public headers and their macros, by ring_ref.c.
 */
/* These macros put pointers into numbers. */
#pragma CPROVER check push
#pragma CPROVER check disable "conversion"
#include "ring_ref.c"
#pragma CPROVER check pop

#include "core/proto.c"
#include "core/sring.c"
#include "proof.h"

#ifdef REF_X86_32
#define ABI		XENVBD_ABI_X86_32
#define RSP_BYTES	XENVBD_RSP_X86_32
#else
#define ABI		XENVBD_ABI_X86_64
#define RSP_BYTES	XENVBD_RSP_X86_64
#endif

#define SLOT_BYTES	sizeof(union blkif_sring_entry)
#define MAX_RING_BYTES	(16 * 4096)

/* ---- requests ----------------------------------------------------------- */

/* No larger than a slot: what comes after it is not of this request. */
struct slot {
	u8 bytes[SLOT_BYTES];
};

static void decode(struct xenvbd_cmd *cmd, const void *slot)
{
	*cmd = any(struct xenvbd_cmd);
	xenvbd_cmd_decode(cmd, slot, ABI);
}

void a_read_or_write_has_what_the_slot_says(void)
{
	struct slot slot = any(struct slot);
	const blkif_request_t *req = (const void *)&slot;
	struct xenvbd_cmd cmd;

	given(req->operation != BLKIF_OP_INDIRECT && req->operation != BLKIF_OP_DISCARD);
	decode(&cmd, &slot);
	require(cmd.op == req->operation && cmd.nr_segs == req->nr_segments);
	require(cmd.id == req->id && cmd.sector == req->sector_number);
	require((const void *)cmd.seg == req->seg && may_read(cmd.seg, sizeof(req->seg)));
	require(!cmd.nr_sects && !cmd.gref && !cmd.flags && !cmd.indirect);
}

void a_discard_has_what_the_slot_says(void)
{
	struct slot slot = any(struct slot);
	const blkif_request_discard_t *req = (const void *)&slot;
	struct xenvbd_cmd cmd;

	given(req->operation == BLKIF_OP_DISCARD);
	decode(&cmd, &slot);
	require(cmd.op == BLKIF_OP_DISCARD && cmd.flags == req->flag);
	require(cmd.id == req->id && cmd.sector == req->sector_number);
	require(cmd.nr_sects == req->nr_sectors);
	require(!cmd.nr_segs && !cmd.seg && !cmd.gref && !cmd.indirect);
}

void an_indirect_request_has_what_the_slot_says(void)
{
	struct slot slot = any(struct slot);
	const blkif_request_indirect_t *req = (const void *)&slot;
	struct xenvbd_cmd cmd;

	given(req->operation == BLKIF_OP_INDIRECT);
	decode(&cmd, &slot);
	require(cmd.op == req->indirect_op && cmd.nr_segs == req->nr_segments);
	require(cmd.id == req->id && cmd.sector == req->sector_number);
	require((const void *)cmd.gref == req->indirect_grefs);
	require(may_read(cmd.gref, sizeof(req->indirect_grefs)));
	require(cmd.indirect && !cmd.seg && !cmd.nr_sects && !cmd.flags);
}

/* ---- a ring of one slot: where slots lie has a proof of its own ---------- */

struct shared {
	struct xenvbd_sring_page page;
	struct slot slot;
};

static struct xenvbd_sring one_slot(struct shared *shared)
{
	*shared = any(struct shared);
	return (struct xenvbd_sring){
		.page = &shared->page, .nr_ents = 1, .slot_bytes = SLOT_BYTES, .abi = ABI,
		.req_cons = any(u32), .rsp_prod = any(u32), .rsp_pushed = any(u32),
	};
}

static bool same_page(const struct xenvbd_sring_page *a, const struct xenvbd_sring_page *b)
{
	return a->req_prod == b->req_prod && a->req_event == b->req_event &&
	       a->rsp_prod == b->rsp_prod && a->rsp_event == b->rsp_event;
}

void a_fetch_copies_one_slot_and_moves_on(void)
{
	struct shared shared;
	struct xenvbd_sring sring = one_slot(&shared), before = sring;
	unsigned int i = any(unsigned int);
	struct xenvbd_slot slot;

	xenvbd_sring_fetch(&sring, &slot);
	require(sring.req_cons == before.req_cons + 1 && sring.rsp_prod == before.rsp_prod);
	given(i < SLOT_BYTES);
	require(slot.bytes[i] == shared.slot.bytes[i]);
}

static bool is_status(s16 wire, blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
		return wire == BLKIF_RSP_OKAY;
	case BLK_STS_NOTSUPP:
		return wire == BLKIF_RSP_EOPNOTSUPP;
	default:
		return wire == BLKIF_RSP_ERROR;
	}
}

void a_response_has_id_operation_and_status_and_no_stale_byte(void)
{
	struct shared shared, before;
	struct xenvbd_sring sring = one_slot(&shared);
	const blkif_response_t *rsp = (const void *)&shared.slot;
	blk_status_t status = any(blk_status_t);
	unsigned int i = any(unsigned int);
	u32 rsp_prod = sring.rsp_prod;
	u8 op = any(u8);
	u64 id = any(u64);

	before = shared;
	xenvbd_sring_respond(&sring, id, op, status);
	require(rsp->id == id && rsp->operation == op && is_status(rsp->status, status));
	/* The guest does not see it yet. */
	require(same_page(&shared.page, &before.page) && sring.rsp_prod == rsp_prod + 1);
	/* Padding is zero, and the rest of the slot is not touched. */
	require(!shared.slot.bytes[9]);
	given(i >= 12 && i < SLOT_BYTES);
	require(shared.slot.bytes[i] == (i < RSP_BYTES ? 0 : before.slot.bytes[i]));
}

/* ---- the ring ----------------------------------------------------------- */

static u8 ring[MAX_RING_BYTES];

/* The words of the first page are any, and so are our indices, if they agree. */
static struct xenvbd_sring any_sring(struct xenvbd_sring_page *page)
{
	struct xenvbd_sring sring = any(struct xenvbd_sring);
	unsigned int shift = any(unsigned int);

	*page = any(struct xenvbd_sring_page);
	sring.page = page;
	given(shift <= 9);
	sring.nr_ents = 1U << shift;
	given(xenvbd_sring_inflight(&sring) <= sring.nr_ents);
	return sring;
}

void rings_of_all_sizes_have_the_slots_of_the_public_macros(void)
{
	size_t bytes;
	u32 idx = any(u32);

	for (bytes = 4096; bytes <= MAX_RING_BYTES; bytes *= 2) {
		struct xenvbd_sring sring = any(struct xenvbd_sring);
		u8 *slot;

		xenvbd_sring_attach(&sring, ring, bytes, ABI);
		require(sring.nr_ents == RING_REF.nr_ents(bytes));
		require(sring.slot_bytes == RING_REF.slot_bytes);
		slot = sring_slot(&sring, idx);
		require(slot - ring == RING_REF.slot_offset(ring, bytes, idx));
		require(slot - ring >= 64 && slot + SLOT_BYTES <= ring + bytes);
	}
}

void a_ring_is_attached_only_if_its_indices_agree(void)
{
	u32 *words = (u32 *)ring;
	u32 req_prod = any(u32), rsp_prod = any(u32);
	struct xenvbd_sring sring = any(struct xenvbd_sring);
	int err;

	words[0] = req_prod;
	words[2] = rsp_prod;
	err = xenvbd_sring_attach(&sring, ring, 4096, ABI);
	require(err == (RING_REF.overflow(ring, 4096, rsp_prod, req_prod) ? -EPROTO : 0));
	require(sring.req_cons == rsp_prod && sring.rsp_prod == rsp_prod);
	require(sring.rsp_pushed == rsp_prod && words[0] == req_prod && words[2] == rsp_prod);
}

void pending_is_at_most_the_ring_or_else_the_ring_is_broken(void)
{
	struct xenvbd_sring_page page, before;
	struct xenvbd_sring sring = any_sring(&page);
	u32 inflight = xenvbd_sring_inflight(&sring);
	u32 ahead;
	int nr;

	before = page;
	nr = xenvbd_sring_pending(&sring);
	ahead = page.req_prod - sring.rsp_prod;
	if (ahead > sring.nr_ents || ahead < inflight) {
		require(nr == -EPROTO);
	} else {
		require(nr >= 0 && (u32)nr == ahead - inflight);
		require((u32)nr + inflight <= sring.nr_ents);
	}
	require(same_page(&page, &before));
}

void a_push_tells_the_guest_as_the_public_macro_does(void)
{
	struct xenvbd_sring_page page, before, ref;
	struct xenvbd_sring sring = any_sring(&page);
	u32 old = page.rsp_prod;
	bool notify;

	sring.rsp_pushed = old;
	before = ref = page;
	notify = xenvbd_sring_push(&sring);
	require(notify == RING_REF.push(&ref, 4096, old, sring.rsp_prod));
	require(sring.rsp_pushed == sring.rsp_prod);
	before.rsp_prod = sring.rsp_prod;
	require(same_page(&page, &before));
}

/* The guest asks RING_PUSH_REQUESTS_AND_CHECK_NOTIFY() whether to send an event. */
void a_ring_that_sleeps_gets_an_event_with_the_next_request(void)
{
	struct xenvbd_sring_page page, before;
	struct xenvbd_sring sring = any_sring(&page);
	u32 req_prod = any(u32);
	int nr;

	before = page;
	nr = xenvbd_sring_rearm(&sring);
	require(nr == xenvbd_sring_pending(&sring));
	given(nr == 0 && req_prod != page.req_prod);
	given(req_prod - page.req_prod <= sring.nr_ents);
	require(req_prod - page.req_event < req_prod - page.req_prod);
	before.req_event = page.req_event;
	require(same_page(&page, &before));
}
