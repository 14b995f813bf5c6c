// SPDX-License-Identifier: GPL-2.0-only
/* What a request may ask for, against rules written down a second time. */
#include <linux/array_size.h>

#include "core/validate.h"
#include "kunit/validate_rows.h"
#include "unit.h"

enum { READ, WRITE, BARRIER, FLUSH, RESERVED, DISCARD, INDIRECT };

/* Exactly as many segments as there may be: ASan sees who looks at one more. */
static struct xenvbd_seg *alloc_segs(unsigned int nr, u8 first, u8 last)
{
	struct xenvbd_seg *seg = calloc(nr, sizeof(*seg));
	unsigned int i;

	assert_non_null(seg);
	for (i = 0; i < nr; i++) {
		seg[i].gref = i;
		seg[i].first_sect = first;
		seg[i].last_sect = last;
	}
	return seg;
}

static void requests_stay_on_the_disk(void **state)
{
	struct xenvbd_limits limits = open_limits;
	unsigned int i, op;

	for (i = 0; i < ARRAY_SIZE(range_rows); i++) {
		const struct range_row *row = &range_rows[i];
		struct xenvbd_seg *seg = alloc_segs(1, 0, row->nr - 1);
		struct xenvbd_cmd cmd;

		limits.nr_sects = row->capacity;
		for (op = READ; op <= FLUSH; op++) {
			cmd = rw(op, row->sector, seg, 1);
			expect(xenvbd_validate(&cmd, &limits) == row->reason, "row %u, op %u", i, op);
			expect(cmd.nr_sects == row->nr, "row %u, op %u", i, op);
		}
		cmd = discard(row->sector, row->nr);
		expect(xenvbd_validate(&cmd, &limits) == row->reason, "row %u, discard", i);
		free(seg);
	}
}

/* All pairs of odd numbers; the rule has 128 bits to be computed in. */
static void no_sum_overflows(void **state)
{
	static const u64 v[] = {
		0, 1, 7, 8, 9, 88, P32 - 1, P32, P32 + 1, P41 - 1, P41, P41 + 1,
		(1ULL << 54) - 1, 1ULL << 54, (1ULL << 55) + 1, P63 - 9, P63 - 1, P63,
		P63 + 1, MAX64 - 88, MAX64 - 8, MAX64 - 7, MAX64 - 1, MAX64,
	};
	struct xenvbd_limits limits = open_limits;
	unsigned int c, s, n;

	for (c = 0; c < ARRAY_SIZE(v); c++) {
		for (s = 0; s < ARRAY_SIZE(v); s++) {
			for (n = 0; n < ARRAY_SIZE(v); n++) {
				struct xenvbd_cmd cmd = discard(v[s], v[n]);
				bool fits = (unsigned __int128)v[s] + v[n] <= v[c];

				limits.nr_sects = v[c];
				expect(xenvbd_validate(&cmd, &limits) == (fits ? OK : RANGE),
				       "0x%llx + 0x%llx on 0x%llx", v[s], v[n], v[c]);
			}
		}
	}
}

/* One bad segment among good ones, at the start, in the middle and at the end. */
static void every_pair_of_first_and_last_sector(void **state)
{
	static const unsigned int place[] = { 0, 5, 10 };
	static const unsigned int align[] = { 1, 2, 4, 8 };
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(11, 0, 7);
	unsigned int pair, p, a;

	for (pair = 0; pair < 65536; pair++) {
		unsigned int first = pair & 255, last = pair >> 8;
		bool bad = first > last || last > 7;
		int nr = (int)last - (int)first + 1;

		p = place[pair % ARRAY_SIZE(place)];
		seg[p].first_sect = first;
		seg[p].last_sect = last;
		for (a = 0; a < ARRAY_SIZE(align); a++) {
			struct xenvbd_cmd cmd = rw(pair & 1, 0, seg, 11);
			enum xenvbd_reason want = bad ? SEG : nr % align[a] ? UNALIGNED : OK;

			limits.align_sects = align[a];
			expect(xenvbd_validate(&cmd, &limits) == want,
			       "segment %u is %u..%u, alignment %u", p, first, last, align[a]);
			if (!bad)
				expect(cmd.nr_sects == 80 + nr, "%u..%u", first, last);
		}
		seg[p].first_sect = 0;
		seg[p].last_sect = 7;
	}
	free(seg);
}

static void every_number_of_direct_segments(void **state)
{
	struct xenvbd_seg *seg = alloc_segs(11, 0, 7);
	unsigned int op, n;

	for (op = READ; op <= FLUSH; op++) {
		for (n = 0; n < 256; n++) {
			struct xenvbd_cmd cmd = rw(op, 0, seg, n);
			bool ok = n <= 11 && (n || op == FLUSH || op == BARRIER);

			expect(xenvbd_validate(&cmd, &open_limits) == (ok ? OK : NR),
			       "op %u, %u segments", op, n);
			if (ok)
				expect(cmd.nr_sects == 8 * n, "op %u, %u segments", op, n);
		}
	}
	free(seg);
}

static void every_number_of_indirect_segments(void **state)
{
	static const unsigned int max[] = { 0, 1, 11, 32, 256, 4096, 65535 };
	struct xenvbd_limits limits = open_limits;
	unsigned int m, n;

	for (m = 0; m < ARRAY_SIZE(max); m++) {
		/* One segment more would be outside of what was fetched. */
		struct xenvbd_seg *seg = alloc_segs(max[m], 0, 7);

		limits.max_indirect_segs = max[m];
		/* Beyond 4096 the sum over all is slow, and only the limit counts. */
		for (n = 0; n < 65536; n += n > 4097 && n <= max[m] ? 1021 : 1) {
			struct xenvbd_cmd cmd = rw(n & 1, 0, seg, n);
			enum xenvbd_reason want = !max[m] ? OP : n && n <= max[m] ? OK : NR;

			cmd.indirect = true;
			expect(xenvbd_validate(&cmd, &limits) == want, "%u of %u", n, max[m]);
			if (want == OK)
				expect(cmd.nr_sects == 8 * n, "%u of %u", n, max[m]);
		}
		free(seg);
	}
}

/* Asked before they are fetched: then the number is all there is to check. */
static void no_more_segments_are_fetched_than_allowed(void **state)
{
	struct xenvbd_limits limits = open_limits;
	unsigned int op, n;

	for (op = 0; op < 256; op++) {
		for (n = 0; n < 65536; n += n < 300 ? 1 : 1021) {
			struct xenvbd_cmd cmd = rw(op, MAX64, NULL, n);
			enum xenvbd_reason want = op > WRITE ? OP : n && n <= 256 ? OK : NR;

			cmd.indirect = true;
			limits.readonly = false;
			expect(xenvbd_validate(&cmd, &limits) == want, "op %u, %u", op, n);
			limits.readonly = true;
			if (op == WRITE)
				expect(xenvbd_validate(&cmd, &limits) == RO, "%u", n);
		}
	}
}

/* The sum of 65535 full segments is more than 16 bits hold. */
static void long_requests_end_on_the_disk(void **state)
{
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(65535, 0, 7);
	struct xenvbd_cmd cmd = rw(WRITE, 0, seg, 65535);

	cmd.indirect = true;
	limits.max_indirect_segs = 65535;
	limits.nr_sects = 65535 * 8 - 1;
	assert_int_equal(xenvbd_validate(&cmd, &limits), RANGE);
	limits.nr_sects = 65535 * 8;
	assert_int_equal(xenvbd_validate(&cmd, &limits), OK);
	free(seg);
}

static void every_inner_operation(void **state)
{
	struct xenvbd_seg *seg = alloc_segs(1, 0, 7);
	unsigned int op;

	for (op = 0; op < 256; op++) {
		struct xenvbd_cmd cmd = rw(op, 0, seg, 1);

		cmd.indirect = true;
		expect(xenvbd_validate(&cmd, &open_limits) == (op <= WRITE ? OK : OP), "op %u", op);
	}
	free(seg);
}

static void requests_keep_to_logical_blocks(void **state)
{
	struct xenvbd_limits limits = open_limits;
	unsigned int i, op;

	for (i = 0; i < ARRAY_SIZE(align_rows); i++) {
		const struct align_row *row = &align_rows[i];
		struct xenvbd_seg *seg = alloc_segs(2, row->first, row->last);

		limits.align_sects = row->align;
		for (op = READ; op <= FLUSH; op++) {
			struct xenvbd_cmd cmd = rw(op, row->sector, seg, 2);

			expect(xenvbd_validate(&cmd, &limits) == row->reason, "row %u, op %u", i, op);
		}
		free(seg);
	}
}

/* 4 + 4 sectors are a block of 4096 bytes, but not one that can be cut in two. */
static void blocks_are_not_split_over_segments(void **state)
{
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(2, 0, 3);
	struct xenvbd_cmd cmd = rw(WRITE, 0, seg, 2);

	limits.align_sects = 8;
	assert_int_equal(xenvbd_validate(&cmd, &limits), UNALIGNED);
	limits.align_sects = 4;
	assert_int_equal(xenvbd_validate(&cmd, &limits), OK);
	free(seg);
}

/* With data, without, and with too much of it. */
static void nothing_changes_a_read_only_disk(void **state)
{
	static const unsigned int nr_segs[] = { 0, 1, 11, 12, 255 };
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(11, 0, 7);
	unsigned int op, i, indirect;

	limits.readonly = true;
	for (op = 0; op < 256; op++) {
		for (i = 0; i < ARRAY_SIZE(nr_segs); i++) {
			unsigned int n = nr_segs[i];

			for (indirect = 0; indirect < 2; indirect++) {
				struct xenvbd_cmd cmd = rw(op, 0, seg, n);
				bool pass = op == READ ? n >= 1 && n <= 11 :
					    !indirect && (op == FLUSH || op == BARRIER) && !n;

				/* Only 11 segments lie in memory. */
				if (indirect && n > 11)
					continue;
				cmd.indirect = indirect;
				expect((xenvbd_validate(&cmd, &limits) == OK) == pass,
				       "op %u, %u segments, indirect %u", op, n, indirect);
			}
		}
	}
	free(seg);
}

static void a_read_only_disk_says_so(void **state)
{
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(1, 0, 7);
	unsigned int op;

	limits.readonly = true;
	for (op = WRITE; op <= FLUSH; op++) {
		struct xenvbd_cmd cmd = rw(op, 0, seg, 1);

		expect(xenvbd_validate(&cmd, &limits) == RO, "op %u", op);
	}
	free(seg);
}

static void discard_follows_its_rules(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(discard_rows); i++) {
		const struct discard_row *row = &discard_rows[i];
		struct xenvbd_limits limits = discard_limits(row);
		struct xenvbd_cmd cmd = discard(row->sector, row->nr);

		cmd.flags = row->flags;
		expect(xenvbd_validate(&cmd, &limits) == row->reason, "row %u", i);
		expect(cmd.nr_sects == row->nr, "row %u", i);
	}
}

/* Data is never said to be "not supported": it would pass for written. */
static void a_barrier_must_be_offered(void **state)
{
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_seg *seg = alloc_segs(1, 0, 7);
	unsigned int n;

	for (n = 0; n < 2; n++) {
		struct xenvbd_cmd cmd = rw(BARRIER, 0, seg, n);

		limits.barrier = true;
		assert_int_equal(xenvbd_validate(&cmd, &limits), OK);
		limits.barrier = false;
		assert_int_equal(xenvbd_validate(&cmd, &limits),
				 n ? XENVBD_REASON_BARRIER : OP);
	}
	free(seg);
}

/* Linux sends a random sector number with a flush without data. */
static void an_empty_flush_ignores_its_sector(void **state)
{
	static const u64 sector[] = { 0, 1, 8, P32, P63, MAX64 };
	struct xenvbd_limits limits = open_limits;
	unsigned int i;

	limits.nr_sects = 8;
	limits.align_sects = 8;
	for (i = 0; i < ARRAY_SIZE(sector); i++) {
		struct xenvbd_cmd cmd = rw(FLUSH, sector[i], NULL, 0);

		expect(xenvbd_validate(&cmd, &limits) == OK, "0x%llx", sector[i]);
		expect(!cmd.nr_sects, "0x%llx", sector[i]);
	}
}

static void unknown_operations_are_not_offered(void **state)
{
	struct xenvbd_seg *seg = alloc_segs(1, 0, 7);
	unsigned int op;

	for (op = 0; op < 256; op++) {
		struct xenvbd_cmd cmd = rw(op, 0, seg, 1);
		bool known = op <= DISCARD && op != RESERVED;

		expect(xenvbd_validate(&cmd, &open_limits) == (known ? OK : OP), "op %u", op);
	}
	free(seg);
}

/* "Not supported" makes a frontend stop using an operation for good. */
static void only_what_is_not_offered_is_not_supported(void **state)
{
	unsigned int r;

	for (r = 0; r < 1000; r++) {
		blk_status_t want = r == OK ? BLK_STS_OK : r == OP ? BLK_STS_NOTSUPP :
				    BLK_STS_IOERR;

		expect(xenvbd_reason_status(r) == want, "reason %u", r);
	}
}

static void every_reason_has_words_of_its_own(void **state)
{
	unsigned int a, b;

	for (a = 0; a < XENVBD_NR_REASONS; a++) {
		expect(xenvbd_reason_str(a) && *xenvbd_reason_str(a), "reason %u", a);
		for (b = 0; b < a; b++)
			expect(strcmp(xenvbd_reason_str(a), xenvbd_reason_str(b)),
			       "reasons %u and %u", a, b);
	}
	assert_string_equal(xenvbd_reason_str(XENVBD_NR_REASONS), "unknown");
	assert_string_equal(xenvbd_reason_str(-1), "unknown");
}

int main(void)
{
	const struct CMUnitTest validate[] = {
		cmocka_unit_test(requests_stay_on_the_disk),
		cmocka_unit_test(no_sum_overflows),
		cmocka_unit_test(every_pair_of_first_and_last_sector),
		cmocka_unit_test(every_number_of_direct_segments),
		cmocka_unit_test(every_number_of_indirect_segments),
		cmocka_unit_test(no_more_segments_are_fetched_than_allowed),
		cmocka_unit_test(long_requests_end_on_the_disk),
		cmocka_unit_test(every_inner_operation),
		cmocka_unit_test(requests_keep_to_logical_blocks),
		cmocka_unit_test(blocks_are_not_split_over_segments),
		cmocka_unit_test(nothing_changes_a_read_only_disk),
		cmocka_unit_test(a_read_only_disk_says_so),
		cmocka_unit_test(discard_follows_its_rules),
		cmocka_unit_test(a_barrier_must_be_offered),
		cmocka_unit_test(an_empty_flush_ignores_its_sector),
		cmocka_unit_test(unknown_operations_are_not_offered),
		cmocka_unit_test(only_what_is_not_offered_is_not_supported),
		cmocka_unit_test(every_reason_has_words_of_its_own),
	};

	return RUN(validate);
}
