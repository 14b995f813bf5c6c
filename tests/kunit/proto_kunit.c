// SPDX-License-Identifier: GPL-2.0-only
/* Decoding and encoding, as this kernel's compiler and headers have them. */
#include <kunit/test.h>
#include <xen/interface/io/blkif.h>

#include "core/proto.h"
#include "proto_rows.h"

static void expect_segs(struct kunit *test, const struct xenvbd_cmd *cmd)
{
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, cmd->seg);
	for (i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++) {
		KUNIT_EXPECT_EQ(test, cmd->seg[i].gref, 0xc6543200 + i);
		KUNIT_EXPECT_EQ(test, cmd->seg[i].first_sect, 0x10 + i);
		KUNIT_EXPECT_EQ(test, cmd->seg[i].last_sect, 0x20 + i);
	}
}

static void expect_grefs(struct kunit *test, const struct xenvbd_cmd *cmd)
{
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, cmd->gref);
	for (i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++)
		KUNIT_EXPECT_EQ(test, cmd->gref[i], 0xff007f40 + i);
}

KUNIT_ARRAY_PARAM_DESC(decode, decode_rows, name);

static void decodes_from_bytes(struct kunit *test)
{
	const struct decode_row *row = test->param_value;
	struct xenvbd_slot slot, before;
	struct xenvbd_cmd cmd;

	/* A member that decoding forgets must not look right by chance. */
	memset(&cmd, 0xe5, sizeof(cmd));
	memcpy(slot.bytes, row->bytes, sizeof(slot.bytes));
	before = slot;
	xenvbd_cmd_decode(&cmd, &slot, row->abi);

	KUNIT_EXPECT_MEMEQ(test, &slot, &before, sizeof(slot));
	KUNIT_EXPECT_EQ(test, cmd.id, 0x1122334455667788);
	KUNIT_EXPECT_EQ(test, cmd.sector, 0xf1f2f3f4f5f6f7f8);
	KUNIT_EXPECT_EQ(test, cmd.op, row->op);
	KUNIT_EXPECT_EQ(test, cmd.nr_segs, row->nr_segs);
	KUNIT_EXPECT_EQ(test, cmd.flags, row->flags);
	KUNIT_EXPECT_EQ(test, cmd.indirect, row->kind == INDIRECT);
	KUNIT_EXPECT_EQ(test, cmd.nr_sects, row->kind == DISCARD ? 0xa1a2a3a4a5a6a7a8 : 0);
	if (row->kind == RW)
		expect_segs(test, &cmd);
	else
		KUNIT_EXPECT_NULL(test, cmd.seg);
	if (row->kind == INDIRECT)
		expect_grefs(test, &cmd);
	else
		KUNIT_EXPECT_NULL(test, cmd.gref);
}

/* What this kernel's own frontend puts into a slot. */
static void decodes_what_blkfront_writes(struct kunit *test)
{
	struct blkif_request req = {
		.operation = BLKIF_OP_WRITE,
		.u.rw = {
			.nr_segments = 2,
			.id = 0x1122334455667788,
			.sector_number = 0x10203040506070,
			.seg[1] = { .gref = 77, .first_sect = 3, .last_sect = 5 },
		},
	};
	struct xenvbd_slot slot;
	struct xenvbd_cmd cmd;

	KUNIT_ASSERT_EQ(test, sizeof(req), xenvbd_slot_bytes(XENVBD_ABI_NATIVE));
	memcpy(slot.bytes, &req, sizeof(req));
	xenvbd_cmd_decode(&cmd, &slot, XENVBD_ABI_NATIVE);
	KUNIT_EXPECT_EQ(test, cmd.op, BLKIF_OP_WRITE);
	KUNIT_EXPECT_EQ(test, cmd.nr_segs, 2);
	KUNIT_EXPECT_EQ(test, cmd.id, 0x1122334455667788);
	KUNIT_EXPECT_EQ(test, cmd.sector, 0x10203040506070);
	KUNIT_EXPECT_EQ(test, cmd.seg[1].gref, 77);
	KUNIT_EXPECT_EQ(test, cmd.seg[1].first_sect, 3);
	KUNIT_EXPECT_EQ(test, cmd.seg[1].last_sect, 5);
}

static const struct status_row {
	const char *name;
	blk_status_t status;
	s16 wire;
} status_rows[] = {
	{ "OK", BLK_STS_OK, BLKIF_RSP_OKAY },
	{ "not supported", BLK_STS_NOTSUPP, BLKIF_RSP_EOPNOTSUPP },
	{ "I/O error", BLK_STS_IOERR, BLKIF_RSP_ERROR },
	{ "timeout", BLK_STS_TIMEOUT, BLKIF_RSP_ERROR },
	{ "no space", BLK_STS_NOSPC, BLKIF_RSP_ERROR },
	{ "no memory", BLK_STS_RESOURCE, BLKIF_RSP_ERROR },
	{ "try again", BLK_STS_AGAIN, BLKIF_RSP_ERROR },
	{ "offline", BLK_STS_OFFLINE, BLKIF_RSP_ERROR },
};

KUNIT_ARRAY_PARAM_DESC(status, status_rows, name);

/* As blkfront reads it; and no byte of what was in the slot is left in it (XSA-216). */
static void encodes_for_blkfront(struct kunit *test)
{
	const struct status_row *row = test->param_value;
	struct blkif_response want = {
		.id = 0x1122334455667788,
		.operation = BLKIF_OP_READ,
		.status = row->wire,
	};
	u8 slot[XENVBD_SLOT_MAX], rest[XENVBD_SLOT_MAX];

	memset(slot, 0xa5, sizeof(slot));
	memset(rest, 0xa5, sizeof(rest));
	xenvbd_rsp_encode(slot, XENVBD_ABI_NATIVE, want.id, want.operation, row->status);
	KUNIT_EXPECT_MEMEQ(test, slot, &want, sizeof(want));
	KUNIT_EXPECT_MEMEQ(test, slot + sizeof(want), rest, sizeof(slot) - sizeof(want));

	memset(slot, 0xa5, sizeof(slot));
	xenvbd_rsp_encode(slot, XENVBD_ABI_X86_32, want.id, want.operation, row->status);
	KUNIT_EXPECT_MEMEQ(test, slot, &want, XENVBD_RSP_X86_32);
	KUNIT_EXPECT_MEMEQ(test, slot + XENVBD_RSP_X86_32, rest,
			   sizeof(slot) - XENVBD_RSP_X86_32);
}

static struct kunit_case proto_cases[] = {
	KUNIT_CASE_PARAM(decodes_from_bytes, decode_gen_params),
	KUNIT_CASE(decodes_what_blkfront_writes),
	KUNIT_CASE_PARAM(encodes_for_blkfront, status_gen_params),
	{}
};

static struct kunit_suite proto_suite = {
	.name = "xen_blkback_proto",
	.test_cases = proto_cases,
};

kunit_test_suite(proto_suite);
