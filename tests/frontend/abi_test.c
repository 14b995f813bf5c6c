// SPDX-License-Identifier: GPL-2.0-only
/* Offline unit test of the wire layouts, TAP. Needs no Xen. */
#include "abi.h"

#include <stdio.h>
#include <string.h>

/* The 32-bit layouts once more, from the compiler this time. */
struct seg32 {
	uint32_t gref;
	uint8_t first, last;
	uint16_t pad;
} __attribute__((packed));

struct rw32 {
	uint8_t op, nr_segs;
	uint16_t handle;
	uint64_t id, sector;
	struct seg32 seg[11];
} __attribute__((packed));

struct discard32 {
	uint8_t op, flag;
	uint16_t handle;
	uint64_t id, sector, nr_sectors;
} __attribute__((packed));

struct indirect32 {
	uint8_t op, inner;
	uint16_t nr_segs;
	uint64_t id, sector;
	uint16_t handle, pad;
	uint32_t gref[8];
} __attribute__((packed));

static unsigned int nr_tests;
static unsigned int nr_failed;

static void check(int ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++nr_tests, what);
	nr_failed += !ok;
}

static void test_rw32(void)
{
	struct fe_wire_req req = {
		.op = FE_OP_WRITE, .nr_segs = 11, .handle = 0xca00,
		.id = 0x1122334455667788, .sector = 0x99aabbccddeeff01,
		.nr_wire_segs = 11,
	};
	uint8_t slot[FE_MAX_SLOT_SIZE];
	struct rw32 want;
	unsigned int i;

	memset(&want, 0xe5, sizeof(want));
	memset(slot, 0xe5, sizeof(slot));
	want.op = req.op;
	want.nr_segs = 11;
	want.handle = req.handle;
	want.id = req.id;
	want.sector = req.sector;
	for (i = 0; i < 11; i++) {
		req.segs[i].gref = want.seg[i].gref = 0xdead0000 + i;
		req.segs[i].first = want.seg[i].first = i;
		req.segs[i].last = want.seg[i].last = 0xf0 + i;
	}
	fe_abi_encode(&fe_abi_x86_32, &req, slot);
	check(sizeof(want) == fe_abi_x86_32.slot_size, "x86_32 slot size");
	check(!memcmp(slot, &want, sizeof(want)), "x86_32 read/write layout");
	check(slot[108] == 0xe5 && slot[111] == 0xe5,
	      "x86_32 encoder stays inside its 108 bytes");
}

static void test_discard32(void)
{
	struct fe_wire_req req = {
		.op = FE_OP_DISCARD, .flag = 1, .handle = 7, .id = ~0ull - 1,
		.sector = 1ull << 40, .nr_sectors = 1ull << 63,
	};
	struct discard32 want = {
		.op = FE_OP_DISCARD, .flag = 1, .handle = 7, .id = ~0ull - 1,
		.sector = 1ull << 40, .nr_sectors = 1ull << 63,
	};
	uint8_t slot[FE_MAX_SLOT_SIZE] = { 0 };

	fe_abi_encode(&fe_abi_x86_32, &req, slot);
	check(!memcmp(slot, &want, sizeof(want)), "x86_32 discard layout");
}

static void test_indirect32(void)
{
	struct fe_wire_req req = {
		.op = FE_OP_INDIRECT, .inner_op = FE_OP_WRITE, .nr_segs = 0x1234,
		.handle = 0x5678, .id = 42, .sector = 43, .nr_indirect = 8,
	};
	struct indirect32 want = {
		.op = FE_OP_INDIRECT, .inner = FE_OP_WRITE, .nr_segs = 0x1234,
		.handle = 0x5678, .id = 42, .sector = 43,
	};
	uint8_t slot[FE_MAX_SLOT_SIZE] = { 0 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		req.indirect[i] = want.gref[i] = 0x01020304 * (i + 1);
	fe_abi_encode(&fe_abi_x86_32, &req, slot);
	check(!memcmp(slot, &want, sizeof(want)), "x86_32 indirect layout");
}

static void test_ring_sizes(void)
{
	static const unsigned int want[][2] = {
		{ 1, 32 }, { 2, 64 }, { 4, 128 }, { 8, 256 }, { 16, 512 },
	};
	unsigned int i;
	int ok = 1;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ok &= fe_abi_ring_entries(&fe_abi_x86_32, want[i][0]) ==
		      want[i][1];
		ok &= fe_abi_ring_entries(&fe_abi_x86_64, want[i][0]) ==
		      want[i][1];
	}
	check(ok, "entries of 1, 2, 4, 8, 16 ring pages in both ABIs");
}

static void test_response(void)
{
	const uint8_t slot[16] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0xfe, 0xaa, 0xfe, 0xff,
		0xbb, 0xbb, 0xbb, 0xbb,
	};
	struct fe_wire_rsp rsp;
	unsigned int i;
	unsigned int pad32 = 0;
	unsigned int pad64 = 0;

	fe_abi_decode(&fe_abi_x86_32, slot, &rsp);
	check(rsp.id == 0x0807060504030201 && rsp.op == 0xfe &&
	      rsp.status == FE_EOPNOTSUPP, "response fields");
	for (i = 0; i < 12; i++)
		pad32 += fe_abi_is_padding(&fe_abi_x86_32, i);
	for (i = 0; i < 16; i++)
		pad64 += fe_abi_is_padding(&fe_abi_x86_64, i);
	check(pad32 == 1 && pad64 == 5, "response padding: 1 and 5 bytes");
}

static void test_names(void)
{
	check(fe_abi_find("x86_32-abi") == &fe_abi_x86_32 &&
	      fe_abi_find("x86_64-abi") == &fe_abi_x86_64 &&
	      fe_abi_find("native") == fe_abi_native() &&
	      !fe_abi_find("sparc-abi") && !fe_abi_find(""), "ABI names");
}

int main(void)
{
	test_rw32();
	test_discard32();
	test_indirect32();
	test_ring_sizes();
	test_response();
	test_names();
	printf("1..%u\n", nr_tests);
	return nr_failed != 0;
}
