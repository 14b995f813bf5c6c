/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Request slots as bytes, written by hand from blkif.h: a test that used the
 * driver's own structs could not see that they are wrong.
 * For the tests in user space and for KUnit, which include proto.h first.
 */
#ifndef XENVBD_PROTO_ROWS_H
#define XENVBD_PROTO_ROWS_H

#define ID	0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11
#define SECTOR	0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1
#define NR	0xa8, 0xa7, 0xa6, 0xa5, 0xa4, 0xa3, 0xa2, 0xa1
#define PAD4	0xee, 0xee, 0xee, 0xee
#define SEG(n)	(n), 0x32, 0x54, 0xc6, 0x10 + (n), 0x20 + (n), 0xbb, 0xcc
#define SEGS	SEG(0), SEG(1), SEG(2), SEG(3), SEG(4), SEG(5), \
		SEG(6), SEG(7), SEG(8), SEG(9), SEG(10)
#define GREF(n)	0x40 + (n), 0x7f, 0x00, 0xff
#define GREFS	GREF(0), GREF(1), GREF(2), GREF(3), GREF(4), GREF(5), GREF(6), GREF(7)

/* operation, nr_segments, handle, [hole], id, sector, segments */
#define RW32(op, nr)	{ (op), (nr), 0x34, 0x12, ID, SECTOR, SEGS }
#define RW64(op, nr)	{ (op), (nr), 0x34, 0x12, PAD4, ID, SECTOR, SEGS }
/* operation, flag, handle, [hole], id, sector, nr_sectors */
#define DISCARD32(flag)	{ 5, (flag), 0x34, 0x12, ID, SECTOR, NR }
#define DISCARD64(flag)	{ 5, (flag), 0x34, 0x12, PAD4, ID, SECTOR, NR }
/* operation, inner operation, nr_segments, [hole], id, sector, handle, [hole], references */
#define IND32(op, l, h)	{ 6, (op), (l), (h), ID, SECTOR, 0x34, 0x12, 0xdd, 0xdd, GREFS }
#define IND64(op, l, h)	{ 6, (op), (l), (h), PAD4, ID, SECTOR, 0x34, 0x12, 0xdd, 0xdd, GREFS }

enum kind { RW, DISCARD, INDIRECT };

static const struct decode_row {
	const char *name;
	enum xenvbd_abi abi;
	enum kind kind;
	u8 bytes[112];
	u8 op;
	u16 nr_segs;
	u8 flags;
} decode_rows[] = {
	{ "read 32", XENVBD_ABI_X86_32, RW, RW32(0, 1), 0, 1, 0 },
	{ "read 64", XENVBD_ABI_X86_64, RW, RW64(0, 1), 0, 1, 0 },
	{ "read, no segment 32", XENVBD_ABI_X86_32, RW, RW32(0, 0), 0, 0, 0 },
	{ "read, 255 segments 64", XENVBD_ABI_X86_64, RW, RW64(0, 255), 0, 255, 0 },
	{ "write 32", XENVBD_ABI_X86_32, RW, RW32(1, 11), 1, 11, 0 },
	{ "write 64", XENVBD_ABI_X86_64, RW, RW64(1, 11), 1, 11, 0 },
	{ "barrier 32", XENVBD_ABI_X86_32, RW, RW32(2, 2), 2, 2, 0 },
	{ "barrier 64", XENVBD_ABI_X86_64, RW, RW64(2, 0), 2, 0, 0 },
	{ "flush 32", XENVBD_ABI_X86_32, RW, RW32(3, 0), 3, 0, 0 },
	{ "flush 64", XENVBD_ABI_X86_64, RW, RW64(3, 3), 3, 3, 0 },
	{ "reserved 32", XENVBD_ABI_X86_32, RW, RW32(4, 1), 4, 1, 0 },
	{ "reserved 64", XENVBD_ABI_X86_64, RW, RW64(4, 1), 4, 1, 0 },
	{ "discard 32", XENVBD_ABI_X86_32, DISCARD, DISCARD32(0), 5, 0, 0 },
	{ "discard 64", XENVBD_ABI_X86_64, DISCARD, DISCARD64(0), 5, 0, 0 },
	{ "secure discard 32", XENVBD_ABI_X86_32, DISCARD, DISCARD32(1), 5, 0, 1 },
	{ "discard, all flags 64", XENVBD_ABI_X86_64, DISCARD, DISCARD64(255), 5, 0, 255 },
	{ "indirect read 32", XENVBD_ABI_X86_32, INDIRECT, IND32(0, 32, 0), 0, 32, 0 },
	{ "indirect write 64", XENVBD_ABI_X86_64, INDIRECT, IND64(1, 0, 16), 1, 4096, 0 },
	{ "indirect, 65535 64", XENVBD_ABI_X86_64, INDIRECT, IND64(0, 255, 255), 0, 65535, 0 },
	{ "indirect discard 32", XENVBD_ABI_X86_32, INDIRECT, IND32(5, 1, 0), 5, 1, 0 },
	{ "indirect indirect 64", XENVBD_ABI_X86_64, INDIRECT, IND64(6, 1, 0), 6, 1, 0 },
	{ "unknown 32", XENVBD_ABI_X86_32, RW, RW32(7, 9), 7, 9, 0 },
	{ "unknown 64", XENVBD_ABI_X86_64, RW, RW64(255, 9), 255, 9, 0 },
};

#endif /* XENVBD_PROTO_ROWS_H */
