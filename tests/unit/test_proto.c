// SPDX-License-Identifier: GPL-2.0-only
/* Decoding and encoding against bytes written by hand. */
#include <linux/array_size.h>

#include "core/proto.h"
#include "kunit/proto_rows.h"
#include "ring_ref.h"
#include "unit.h"

static struct xenvbd_cmd decode(const struct xenvbd_slot *slot, enum xenvbd_abi abi)
{
	struct xenvbd_cmd cmd;

	/* A member that decoding forgets must not look right by chance. */
	memset(&cmd, 0xe5, sizeof(cmd));
	xenvbd_cmd_decode(&cmd, slot, abi);
	return cmd;
}

static void expect_segs(const char *name, const struct xenvbd_cmd *cmd)
{
	unsigned int i;

	for (i = 0; i < 11; i++) {
		const struct xenvbd_seg *seg = &cmd->seg[i];

		expect(seg->gref == 0xc6543200 + i, "%s, segment %u: 0x%x", name, i, seg->gref);
		expect(seg->first_sect == 0x10 + i, "%s, segment %u", name, i);
		expect(seg->last_sect == 0x20 + i, "%s, segment %u", name, i);
	}
}

static void expect_grefs(const char *name, const struct xenvbd_cmd *cmd)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		expect(cmd->gref[i] == 0xff007f40 + i, "%s, page %u: 0x%x", name, i, cmd->gref[i]);
}

static void decode_row(const struct decode_row *row, const struct xenvbd_slot *slot)
{
	struct xenvbd_cmd cmd = decode(slot, row->abi);
	const char *name = row->name;

	expect(cmd.id == 0x1122334455667788, "%s: 0x%llx", name, cmd.id);
	expect(cmd.sector == 0xf1f2f3f4f5f6f7f8, "%s: 0x%llx", name, cmd.sector);
	expect(cmd.op == row->op, "%s: %u", name, cmd.op);
	expect(cmd.nr_segs == row->nr_segs, "%s: %u", name, cmd.nr_segs);
	expect(cmd.flags == row->flags, "%s: %u", name, cmd.flags);
	expect(cmd.indirect == (row->kind == INDIRECT), "%s", name);
	expect(cmd.nr_sects == (row->kind == DISCARD ? 0xa1a2a3a4a5a6a7a8 : 0),
	       "%s: 0x%llx", name, cmd.nr_sects);
	expect(!cmd.seg == (row->kind != RW), "%s", name);
	expect(!cmd.gref == (row->kind != INDIRECT), "%s", name);
	if (row->kind == RW)
		expect_segs(name, &cmd);
	if (row->kind == INDIRECT)
		expect_grefs(name, &cmd);
}

static void each_operation_decodes_from_its_bytes(void **state)
{
	struct xenvbd_slot slot, before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(decode_rows); i++) {
		memcpy(slot.bytes, decode_rows[i].bytes, sizeof(slot.bytes));
		before = slot;
		decode_row(&decode_rows[i], &slot);
		assert_memory_equal(&slot, &before, sizeof(slot));
	}
}

/* The last four bytes of the copy belong to no x86_32 request. */
static void bytes_after_a_short_slot_do_not_matter(void **state)
{
	struct xenvbd_slot slot;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(decode_rows); i++) {
		if (decode_rows[i].abi != XENVBD_ABI_X86_32)
			continue;
		memcpy(slot.bytes, decode_rows[i].bytes, sizeof(slot.bytes));
		memset(slot.bytes + 108, 0x99, 4);
		decode_row(&decode_rows[i], &slot);
	}
}

/* Byte arrays again, for what is neither discard nor indirect: all like READ. */
static void every_operation_byte_decodes(void **state)
{
	static const struct decode_row tmpl[] = {
		{ "32", XENVBD_ABI_X86_32, RW, RW32(0, 0x5a), 0, 0x5a, 0 },
		{ "64", XENVBD_ABI_X86_64, RW, RW64(0, 0x5a), 0, 0x5a, 0 },
	};
	struct xenvbd_slot slot;
	struct decode_row row;
	unsigned int op, i;

	for (op = 0; op < 256; op++) {
		if (op == 5 || op == 6)
			continue;
		for (i = 0; i < ARRAY_SIZE(tmpl); i++) {
			row = tmpl[i];
			row.bytes[0] = op;
			row.op = op;
			memcpy(slot.bytes, row.bytes, sizeof(slot.bytes));
			decode_row(&row, &slot);
		}
	}
}

static void every_inner_operation_byte_decodes(void **state)
{
	static const struct decode_row tmpl[] = {
		{ "32", XENVBD_ABI_X86_32, INDIRECT, IND32(0, 0xfe, 0xca), 0, 0xcafe, 0 },
		{ "64", XENVBD_ABI_X86_64, INDIRECT, IND64(0, 0xfe, 0xca), 0, 0xcafe, 0 },
	};
	struct xenvbd_slot slot;
	struct decode_row row;
	unsigned int op, i;

	for (op = 0; op < 256; op++) {
		for (i = 0; i < ARRAY_SIZE(tmpl); i++) {
			row = tmpl[i];
			row.bytes[1] = op;
			row.op = op;
			memcpy(slot.bytes, row.bytes, sizeof(slot.bytes));
			decode_row(&row, &slot);
		}
	}
}

/* Pointers of the command stay inside the slot, to the last byte. */
static void nothing_outside_the_slot_is_pointed_at(void **state)
{
	struct xenvbd_slot *slot = malloc(sizeof(*slot));
	unsigned int op, abi;

	assert_non_null(slot);
	for (op = 0; op < 256; op++) {
		for (abi = XENVBD_ABI_X86_32; abi <= XENVBD_ABI_X86_64; abi++) {
			struct xenvbd_cmd cmd;
			const u8 *end = slot->bytes + xenvbd_slot_bytes(abi);

			memset(slot, op, sizeof(*slot));
			cmd = decode(slot, abi);
			if (cmd.seg)
				expect((const u8 *)(cmd.seg + 11) == end, "op %u", op);
			if (cmd.gref)
				expect((const u8 *)(cmd.gref + 8) <= end, "op %u", op);
		}
	}
	free(slot);
}

static void slots_are_as_long_as_the_public_header_says(void **state)
{
	assert_int_equal(xenvbd_slot_bytes(XENVBD_ABI_X86_32), 108);
	assert_int_equal(xenvbd_slot_bytes(XENVBD_ABI_X86_64), 112);
	assert_int_equal(xenvbd_slot_bytes(XENVBD_ABI_X86_32), ring_ref_32.slot_bytes);
	assert_int_equal(xenvbd_slot_bytes(XENVBD_ABI_X86_64), ring_ref_64.slot_bytes);
	assert_int_equal(xenvbd_slot_bytes(XENVBD_ABI_NATIVE), 112);
}

/* 0, -1 and -2: the only statuses of the protocol. */
static u16 wire_status(unsigned int status)
{
	switch (status) {
	case BLK_STS_OK:
		return 0;
	case BLK_STS_NOTSUPP:
		return 0xfffe;
	default:
		return 0xffff;
	}
}

static void encode_one(enum xenvbd_abi abi, u8 op, u8 status, u8 old)
{
	u8 want[112], got[112];
	u16 wire = wire_status(status);

	memset(want, old, sizeof(want));
	memcpy(want, (u8[]){ ID, op, 0, wire & 0xff, wire >> 8 }, 12);
	if (abi == XENVBD_ABI_X86_64)
		memset(want + 12, 0, 4);

	memset(got, old, sizeof(got));
	xenvbd_rsp_encode(got, abi, 0x1122334455667788, op, status);
	expect(!memcmp(got, want, sizeof(want)), "abi %d, op %u, status %u", abi, op, status);
}

/* Slots full of ones and of zeros: no byte may come from what was there. */
static void every_byte_of_a_response_is_written_and_no_other(void **state)
{
	unsigned int op, status, abi;

	for (abi = XENVBD_ABI_X86_32; abi <= XENVBD_ABI_X86_64; abi++) {
		for (op = 0; op < 256; op++) {
			for (status = 0; status < 256; status++) {
				encode_one(abi, op, status, 0xff);
				encode_one(abi, op, status, 0x00);
			}
		}
	}
}

/* ASan would see a byte too many: the last slot of a ring ends with the page. */
static void a_response_fits_into_its_bytes(void **state)
{
	u8 *rsp32 = malloc(12), *rsp64 = malloc(16);

	assert_non_null(rsp32);
	assert_non_null(rsp64);
	xenvbd_rsp_encode(rsp32, XENVBD_ABI_X86_32, 1, 0, BLK_STS_OK);
	xenvbd_rsp_encode(rsp64, XENVBD_ABI_X86_64, 1, 0, BLK_STS_OK);
	free(rsp32);
	free(rsp64);
}

int main(void)
{
	const struct CMUnitTest proto[] = {
		cmocka_unit_test(each_operation_decodes_from_its_bytes),
		cmocka_unit_test(bytes_after_a_short_slot_do_not_matter),
		cmocka_unit_test(every_operation_byte_decodes),
		cmocka_unit_test(every_inner_operation_byte_decodes),
		cmocka_unit_test(nothing_outside_the_slot_is_pointed_at),
		cmocka_unit_test(slots_are_as_long_as_the_public_header_says),
		cmocka_unit_test(every_byte_of_a_response_is_written_and_no_other),
		cmocka_unit_test(a_response_fits_into_its_bytes),
	};

	return RUN(proto);
}
