/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a request may ask for.
 * For the tests in user space and for KUnit, which include blkif.h and validate.h first.
 */
#ifndef XENVBD_VALIDATE_ROWS_H
#define XENVBD_VALIDATE_ROWS_H

#define P32	(1ULL << 32)
#define P41	(1ULL << 41)
#define P63	(1ULL << 63)
#define MAX64	(~0ULL)

#define OK	XENVBD_REASON_NONE
#define OP	XENVBD_REASON_OP
#define RO	XENVBD_REASON_READONLY
#define NR	XENVBD_REASON_NR_SEGS
#define SEG	XENVBD_REASON_SEG
#define RANGE	XENVBD_REASON_RANGE
#define UNALIGNED	XENVBD_REASON_ALIGN

/* Everything offered and a disk without end: each test narrows what it is about. */
static const struct xenvbd_limits open_limits = {
	.nr_sects = MAX64,
	.align_sects = 1,
	.max_indirect_segs = 256,
	.barrier = true,
	.discard = true,
};

static const struct range_row {
	u64 capacity, sector, nr;
	enum xenvbd_reason reason;
} range_rows[] = {
	/* An empty disk has no sector. */
	{ 0, 0, 1, RANGE },
	{ 0, 0, 8, RANGE },
	{ 1, 0, 1, OK },
	{ 1, 1, 1, RANGE },
	{ 1, 0, 2, RANGE },
	{ 8, 0, 8, OK },
	{ 8, 1, 8, RANGE },
	{ 8, 7, 1, OK },
	{ 8, 8, 1, RANGE },
	{ 8, MAX64, 1, RANGE },
	/* The sum is 0, and 7, in 64 bits. */
	{ 8, MAX64, 1, RANGE },
	{ 8, MAX64, 8, RANGE },
	{ 8, MAX64 - 7, 8, RANGE },
	/* It would be small in 32 bits. */
	{ 8, P32, 8, RANGE },
	{ 8, P32 - 1, 8, RANGE },
	{ P32, P32 - 8, 8, OK },
	{ P32, P32 - 7, 8, RANGE },
	{ P32, P32, 1, RANGE },
	{ P32 + 8, P32, 8, OK },
	{ P32 + 8, P32 + 1, 8, RANGE },
	/* 2^41 sectors are 1 PiB; in bytes such numbers pass 2^50. */
	{ P41, P41 - 8, 8, OK },
	{ P41, P41 - 1, 1, OK },
	{ P41, P41, 1, RANGE },
	{ P41, P41 + P32, 8, RANGE },
	/* From 2^55 sectors on a shift to bytes overflows. */
	{ 8, 1ULL << 55, 8, RANGE },
	{ 8, 1ULL << 56, 8, RANGE },
	{ P63, P63 - 8, 8, OK },
	{ P63, P63 - 7, 8, RANGE },
	{ P63, P63, 8, RANGE },
	{ P63, P63 + 8, 8, RANGE },
	{ 8, P63, 8, RANGE },
	{ MAX64, MAX64 - 8, 8, OK },
	{ MAX64, MAX64 - 7, 8, RANGE },
	{ MAX64, MAX64, 1, RANGE },
};

static const struct align_row {
	u32 align;
	u64 sector;
	u8 first, last;
	enum xenvbd_reason reason;
} align_rows[] = {
	{ 1, 0, 0, 0, OK },
	{ 1, 3, 5, 6, OK },
	{ 2, 2, 0, 1, OK },
	{ 2, 1, 0, 1, UNALIGNED },
	{ 2, 2, 0, 0, UNALIGNED },
	{ 2, 2, 0, 2, UNALIGNED },
	{ 8, 0, 0, 7, OK },
	{ 8, 8, 0, 7, OK },
	{ 8, 1, 0, 7, UNALIGNED },
	{ 8, 4, 0, 7, UNALIGNED },
	{ 8, 7, 0, 7, UNALIGNED },
	{ 8, 8, 0, 6, UNALIGNED },
	{ 8, 8, 1, 7, UNALIGNED },
	{ 8, 8, 0, 0, UNALIGNED },
};

static const struct discard_row {
	bool offered, readonly;
	u32 align;
	u64 sector, nr;
	u8 flags;
	enum xenvbd_reason reason;
} discard_rows[] = {
	{ true, false, 1, 0, 1000, 0, OK },
	{ true, false, 1, 1000, 1, 0, RANGE },
	{ true, false, 1, 999, 1, 0, OK },
	{ true, false, 1, 1, MAX64, 0, RANGE },
	{ true, false, 1, MAX64, MAX64, 0, RANGE },
	{ true, false, 8, 8, 8, 0, OK },
	{ true, false, 8, 8, 9, 0, UNALIGNED },
	{ true, false, 8, 9, 8, 0, UNALIGNED },
	/* Nothing to do, but nothing wrong either. */
	{ true, false, 1, 1000, 0, 0, OK },
	{ true, false, 1, 1001, 0, 0, RANGE },
	/* Flags, known or not, are for the executing side. */
	{ true, false, 1, 0, 1, 1, OK },
	{ true, false, 1, 0, 1, 255, OK },
	/* CVE-2013-2140 */
	{ true, true, 1, 0, 1, 0, RO },
	{ true, true, 1, 0, 0, 0, RO },
	{ false, false, 1, 0, 1, 0, OP },
	{ false, true, 1, 0, 1, 0, OP },
};

/* The disk that a row is about. */
static inline struct xenvbd_limits discard_limits(const struct discard_row *row)
{
	struct xenvbd_limits limits = open_limits;

	limits.nr_sects = 1000;
	limits.align_sects = row->align;
	limits.discard = row->offered;
	limits.readonly = row->readonly;
	return limits;
}

static inline struct xenvbd_cmd rw(u8 op, u64 sector, const struct xenvbd_seg *seg, u16 nr_segs)
{
	return (struct xenvbd_cmd){
		.op = op, .sector = sector, .seg = seg, .nr_segs = nr_segs,
	};
}

static inline struct xenvbd_cmd discard(u64 sector, u64 nr_sects)
{
	return (struct xenvbd_cmd){
		.op = BLKIF_OP_DISCARD, .sector = sector, .nr_sects = nr_sects,
	};
}

#endif /* XENVBD_VALIDATE_ROWS_H */
