// SPDX-License-Identifier: GPL-2.0-only
/* Our half of a ring, with this kernel's own macros as the other half. */
#include <kunit/test.h>
#include <xen/interface/io/blkif.h>
#include <xen/page.h>

#include "core/sring.h"
#include "sring_rows.h"

/* Both ends of one ring. */
struct ring_ends {
	struct blkif_front_ring front;
	struct xenvbd_sring back;
};

static void describe_size(const struct ring_size *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u pages", size->pages);
}

KUNIT_ARRAY_PARAM(size, ring_sizes, describe_size);

static struct ring_ends *ends_alloc(struct kunit *test)
{
	const struct ring_size *size = test->param_value;
	struct ring_ends *ends = kunit_kzalloc(test, sizeof(*ends), GFP_KERNEL);
	void *shared = kunit_kzalloc(test, size->pages * XEN_PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ends);
	KUNIT_ASSERT_NOT_NULL(test, shared);
	SHARED_RING_INIT((struct blkif_sring *)shared);
	FRONT_RING_INIT(&ends->front, (struct blkif_sring *)shared, size->pages * XEN_PAGE_SIZE);
	return ends;
}

/* A ring that ran up to @start. */
static void ends_start(struct kunit *test, struct ring_ends *ends, u32 start)
{
	const struct ring_size *size = test->param_value;
	struct blkif_sring *sring = ends->front.sring;

	sring->req_prod = start;
	sring->rsp_prod = start;
	sring->req_event = start + 1;
	sring->rsp_event = start + 1;
	ends->front.req_prod_pvt = start;
	ends->front.rsp_cons = start;
	KUNIT_ASSERT_EQ(test, xenvbd_sring_attach(&ends->back, sring, size->pages * XEN_PAGE_SIZE,
						  XENVBD_ABI_NATIVE), 0);
}

static bool front_send(struct ring_ends *ends, u32 nr)
{
	struct blkif_request *req;
	int notify;

	while (nr--) {
		req = RING_GET_REQUEST(&ends->front, ends->front.req_prod_pvt);
		req->u.rw.id = ends->front.req_prod_pvt++;
	}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ends->front, notify);
	return notify;
}

static void has_the_slots_of_the_public_macros(struct kunit *test)
{
	const struct ring_size *size = test->param_value;
	struct ring_ends *ends = ends_alloc(test);

	KUNIT_EXPECT_EQ(test, RING_SIZE(&ends->front), size->nr_ents);
	KUNIT_EXPECT_EQ(test, xenvbd_sring_nr_ents(size->pages * XEN_PAGE_SIZE, XENVBD_ABI_X86_32),
			size->nr_ents);
	KUNIT_EXPECT_EQ(test, xenvbd_sring_nr_ents(size->pages * XEN_PAGE_SIZE, XENVBD_ABI_X86_64),
			size->nr_ents);
}

/* A full ring, taken, answered and read; then the same again. */
static void ends_round(struct kunit *test, struct ring_ends *ends)
{
	struct xenvbd_slot slot;
	struct xenvbd_cmd cmd;
	u32 nr = ends->back.nr_ents, first = ends->back.req_cons, i;
	int more;

	KUNIT_EXPECT_TRUE(test, front_send(ends, nr));
	KUNIT_ASSERT_EQ(test, xenvbd_sring_pending(&ends->back), (int)nr);
	for (i = 0; i < nr; i++) {
		xenvbd_sring_fetch(&ends->back, &slot);
		xenvbd_cmd_decode(&cmd, &slot, XENVBD_ABI_NATIVE);
		KUNIT_ASSERT_EQ(test, cmd.id, first + i);
	}
	KUNIT_EXPECT_EQ(test, xenvbd_sring_inflight(&ends->back), nr);
	KUNIT_EXPECT_EQ(test, xenvbd_sring_rearm(&ends->back), 0);
	for (i = 0; i < nr; i++)
		xenvbd_sring_respond(&ends->back, first + i, BLKIF_OP_READ, BLK_STS_OK);
	KUNIT_EXPECT_FALSE(test, RING_HAS_UNCONSUMED_RESPONSES(&ends->front));
	KUNIT_EXPECT_TRUE(test, xenvbd_sring_push(&ends->back));
	KUNIT_EXPECT_FALSE(test, xenvbd_sring_push(&ends->back));
	KUNIT_EXPECT_EQ(test, ends->front.sring->rsp_prod - ends->front.rsp_cons, nr);
	KUNIT_EXPECT_TRUE(test, RING_HAS_UNCONSUMED_RESPONSES(&ends->front));
	for (i = 0; i < nr; i++) {
		struct blkif_response *rsp = RING_GET_RESPONSE(&ends->front,
							       ends->front.rsp_cons++);

		KUNIT_ASSERT_EQ(test, rsp->id, first + i);
		KUNIT_ASSERT_EQ(test, rsp->status, BLKIF_RSP_OKAY);
	}
	RING_FINAL_CHECK_FOR_RESPONSES(&ends->front, more);
	KUNIT_EXPECT_EQ(test, more, 0);
}

static void goes_round_and_over_the_wrap(struct kunit *test)
{
	struct ring_ends *ends = ends_alloc(test);
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(ring_starts); i++) {
		ends_start(test, ends, ring_starts[i]);
		for (round = 0; round < 3; round++)
			ends_round(test, ends);
	}
}

/* CVE-2010-4247 */
static void a_wrong_req_prod_is_seen(struct kunit *test)
{
	struct ring_ends *ends = ends_alloc(test);
	unsigned int i;
	int d, nr;

	for (i = 0; i < ARRAY_SIZE(ring_starts); i++) {
		ends_start(test, ends, ring_starts[i]);
		nr = ends->back.nr_ents;
		for (d = -2 * nr; d <= 2 * nr; d++) {
			ends->front.sring->req_prod = ring_starts[i] + d;
			KUNIT_ASSERT_EQ(test, xenvbd_sring_pending(&ends->back),
					d >= 0 && d <= nr ? d : -EPROTO);
		}
	}
}

/* Each asks for an event only with what is new, and gets it. */
static void events_come_when_asked_for(struct kunit *test)
{
	struct ring_ends *ends = ends_alloc(test);
	struct xenvbd_slot slot;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(ring_starts); i++) {
		ends_start(test, ends, ring_starts[i]);
		KUNIT_EXPECT_EQ(test, xenvbd_sring_rearm(&ends->back), 0);
		KUNIT_EXPECT_TRUE(test, front_send(ends, 1));
		KUNIT_EXPECT_FALSE(test, front_send(ends, 1));
		KUNIT_EXPECT_EQ(test, xenvbd_sring_rearm(&ends->back), 2);
		for (n = 0; n < 2; n++)
			xenvbd_sring_fetch(&ends->back, &slot);
		KUNIT_EXPECT_EQ(test, xenvbd_sring_rearm(&ends->back), 0);
		KUNIT_EXPECT_TRUE(test, front_send(ends, 1));
		xenvbd_sring_fetch(&ends->back, &slot);

		/* It wants to hear of the second response. */
		ends->front.sring->rsp_event = ring_starts[i] + 2;
		for (n = 1; n <= 3; n++) {
			xenvbd_sring_respond(&ends->back, n, BLKIF_OP_READ, BLK_STS_OK);
			KUNIT_EXPECT_EQ(test, xenvbd_sring_push(&ends->back), n == 2);
		}
	}
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE_PARAM(has_the_slots_of_the_public_macros, size_gen_params),
	KUNIT_CASE_PARAM(goes_round_and_over_the_wrap, size_gen_params),
	KUNIT_CASE_PARAM(a_wrong_req_prod_is_seen, size_gen_params),
	KUNIT_CASE_PARAM(events_come_when_asked_for, size_gen_params),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "xen_blkback_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
