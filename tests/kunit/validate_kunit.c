// SPDX-License-Identifier: GPL-2.0-only
/* What a request may ask for. */
#include <kunit/test.h>
#include <xen/interface/io/blkif.h>

#include "core/validate.h"
#include "validate_rows.h"

static const u8 data_ops[] = {
	BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE_BARRIER, BLKIF_OP_FLUSH_DISKCACHE,
};

static void describe_range(const struct range_row *row, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu from %llu on a disk of %llu", row->nr,
		 row->sector, row->capacity);
}

KUNIT_ARRAY_PARAM(range, range_rows, describe_range);

static void stays_on_the_disk(struct kunit *test)
{
	const struct range_row *row = test->param_value;
	const struct xenvbd_seg seg = { .last_sect = row->nr - 1 };
	struct xenvbd_limits limits = open_limits;
	struct xenvbd_cmd cmd;
	unsigned int i;

	limits.nr_sects = row->capacity;
	for (i = 0; i < ARRAY_SIZE(data_ops); i++) {
		cmd = rw(data_ops[i], row->sector, &seg, 1);
		KUNIT_EXPECT_EQ_MSG(test, xenvbd_validate(&cmd, &limits), row->reason, "op %u",
				    data_ops[i]);
		KUNIT_EXPECT_EQ_MSG(test, cmd.nr_sects, row->nr, "op %u", data_ops[i]);
	}
	cmd = discard(row->sector, row->nr);
	KUNIT_EXPECT_EQ(test, xenvbd_validate(&cmd, &limits), row->reason);
}

static void describe_align(const struct align_row *row, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u..%u at %llu, blocks of %u", row->first,
		 row->last, row->sector, row->align);
}

KUNIT_ARRAY_PARAM(align, align_rows, describe_align);

static void keeps_to_logical_blocks(struct kunit *test)
{
	const struct align_row *row = test->param_value;
	const struct xenvbd_seg seg[] = {
		{ .first_sect = row->first, .last_sect = row->last },
		{ .first_sect = row->first, .last_sect = row->last },
	};
	struct xenvbd_limits limits = open_limits;
	unsigned int i;

	limits.align_sects = row->align;
	for (i = 0; i < ARRAY_SIZE(data_ops); i++) {
		struct xenvbd_cmd cmd = rw(data_ops[i], row->sector, seg, ARRAY_SIZE(seg));

		KUNIT_EXPECT_EQ_MSG(test, xenvbd_validate(&cmd, &limits), row->reason, "op %u",
				    data_ops[i]);
	}
}

static void describe_discard(const struct discard_row *row, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s, %llu from %llu, blocks of %u, flags %u",
		 row->offered ? "offered" : "not offered", row->readonly ? ", read-only" : "",
		 row->nr, row->sector, row->align, row->flags);
}

KUNIT_ARRAY_PARAM(discard, discard_rows, describe_discard);

static void discard_follows_its_rules(struct kunit *test)
{
	const struct discard_row *row = test->param_value;
	struct xenvbd_limits limits = discard_limits(row);
	struct xenvbd_cmd cmd = discard(row->sector, row->nr);

	cmd.flags = row->flags;
	KUNIT_EXPECT_EQ(test, xenvbd_validate(&cmd, &limits), row->reason);
	KUNIT_EXPECT_EQ(test, cmd.nr_sects, row->nr);
}

/* XSA-513 */
static void sectors_of_a_segment_lie_in_its_page(struct kunit *test)
{
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST] = {};
	unsigned int pair;

	for (pair = 0; pair < 65536; pair++) {
		struct xenvbd_seg *odd = &seg[pair % ARRAY_SIZE(seg)];
		struct xenvbd_cmd cmd = rw(BLKIF_OP_READ, 0, seg, ARRAY_SIZE(seg));
		bool good;

		odd->first_sect = pair & 255;
		odd->last_sect = pair >> 8;
		good = odd->first_sect <= odd->last_sect && odd->last_sect <= 7;
		KUNIT_ASSERT_EQ_MSG(test, xenvbd_validate(&cmd, &open_limits), good ? OK : SEG,
				    "%u..%u", odd->first_sect, odd->last_sect);
		*odd = (struct xenvbd_seg){};
	}
}

/* Not more than lie in a slot, not more than were offered. */
static void segments_are_counted(struct kunit *test)
{
	const unsigned int direct = BLKIF_MAX_SEGMENTS_PER_REQUEST;
	struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST] = {};
	unsigned int n;

	for (n = 0; n < 65536; n++) {
		struct xenvbd_cmd cmd = rw(BLKIF_OP_WRITE, 0, n <= direct ? seg : NULL, n);

		if (n < 256)
			KUNIT_ASSERT_EQ_MSG(test, xenvbd_validate(&cmd, &open_limits),
					    n && n <= direct ? OK : NR, "%u direct", n);
		/* Not fetched yet. */
		cmd.seg = NULL;
		cmd.indirect = true;
		KUNIT_ASSERT_EQ_MSG(test, xenvbd_validate(&cmd, &open_limits),
				    n && n <= open_limits.max_indirect_segs ? OK : NR,
				    "%u indirect", n);
	}
}

static void nothing_changes_a_read_only_disk(struct kunit *test)
{
	const struct xenvbd_seg seg = { .last_sect = 7 };
	struct xenvbd_limits limits = open_limits;
	unsigned int op;

	limits.readonly = true;
	for (op = 0; op < 256; op++) {
		struct xenvbd_cmd cmd = rw(op, 0, &seg, 1);

		KUNIT_EXPECT_EQ_MSG(test, xenvbd_validate(&cmd, &limits) == OK,
				    op == BLKIF_OP_READ, "op %u", op);
		cmd.indirect = true;
		KUNIT_EXPECT_EQ_MSG(test, xenvbd_validate(&cmd, &limits) == OK,
				    op == BLKIF_OP_READ, "indirect op %u", op);
	}
}

static struct kunit_case validate_cases[] = {
	KUNIT_CASE_PARAM(stays_on_the_disk, range_gen_params),
	KUNIT_CASE_PARAM(keeps_to_logical_blocks, align_gen_params),
	KUNIT_CASE_PARAM(discard_follows_its_rules, discard_gen_params),
	KUNIT_CASE(sectors_of_a_segment_lie_in_its_page),
	KUNIT_CASE(segments_are_counted),
	KUNIT_CASE(nothing_changes_a_read_only_disk),
	{}
};

static struct kunit_suite validate_suite = {
	.name = "xen_blkback_validate",
	.test_cases = validate_cases,
};

kunit_test_suite(validate_suite);
