// SPDX-License-Identifier: GPL-2.0-only
/* The transition table. */
#include <kunit/test.h>

#include "core/state.h"
#include "state_rows.h"

KUNIT_ARRAY_PARAM_DESC(seed, seed_rows, name);

static void takes_the_step(struct kunit *test)
{
	const struct seed_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, xenvbd_next_action(row->own, row->frontend, row->facts),
			row->action);
}

/* Whatever a guest writes. */
static void no_action_without_its_reason(struct kunit *test)
{
	unsigned int own, fe, facts;

	for (own = XenbusStateInitialising; own <= XenbusStateClosed; own++) {
		for (fe = 0; fe <= 64; fe++) {
			bool opening = fe == XenbusStateInitialised || fe == XenbusStateConnected;

			for (facts = 0; facts <= XENVBD_FACTS_ALL; facts++) {
				enum xenvbd_action act = xenvbd_next_action(own, fe, facts);

				KUNIT_ASSERT_LT(test, (unsigned int)act, XENVBD_NR_ACTIONS);
				if (facts & GONE)
					KUNIT_ASSERT_EQ(test, act, XENVBD_ACT_NONE);
				if (act == XENVBD_ACT_CONNECT)
					KUNIT_ASSERT_TRUE(test, opening && facts & DISK &&
							  facts & RINGS && facts & SYNCED &&
							  !(facts & (BROKEN | FAILED | REMNANT | SHORT |
								     CLOSE)));
				if (act == XENVBD_ACT_MAP)
					KUNIT_ASSERT_TRUE(test, opening &&
							  !(facts & (BROKEN | FAILED)));
				if (act == XENVBD_ACT_UNREGISTER)
					KUNIT_ASSERT_TRUE(test, !fe || facts & OFFLINE);
				if (act == XENVBD_ACT_BROKEN)
					KUNIT_ASSERT_TRUE(test, facts & BROKEN);
			}
		}
	}
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(takes_the_step, seed_gen_params),
	KUNIT_CASE(no_action_without_its_reason),
	{}
};

static struct kunit_suite state_suite = {
	.name = "xen_blkback_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
