// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transition table, walked through for every input there is: it is small
 * enough. Its source is included, for the rows themselves are checked too.
 */
#include "core/state.c"

#include "kunit/state_rows.h"
#include "state_model.h"
#include "unit.h"

static const unsigned int own_states[] = {
	XenbusStateInitialising, XenbusStateInitWait, XenbusStateConnected,
	XenbusStateClosing, XenbusStateClosed,
};

/* All that a guest can write that makes a difference, and much that should not. */
static const unsigned int frontend_states[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31, 32, 33, 36, 63, 64, 68, 100, 255, 256, 65536,
	0x7fffffff, 0x80000000, 0x80000004, 0xfffffffe, 0xffffffff,
};

static void for_all(void (*fn)(unsigned int own, unsigned int frontend, unsigned int facts))
{
	unsigned int o, f, facts;

	for (o = 0; o < ARRAY_SIZE(own_states); o++)
		for (f = 0; f < ARRAY_SIZE(frontend_states); f++)
			for (facts = 0; facts <= XENVBD_FACTS_ALL; facts++)
				fn(own_states[o], frontend_states[f], facts);
}

static unsigned int hits[ARRAY_SIZE(table)];

static void find_row(unsigned int own, unsigned int frontend, unsigned int facts)
{
	unsigned int fe = frontend > XenbusStateReconfigured ? XenbusStateReconfigured : frontend;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!state_row_applies(&table[i], own, fe, facts))
			continue;
		hits[i]++;
		expect(xenvbd_next_action(own, frontend, facts) == table[i].action,
		       "own %u, frontend %u, facts 0x%x, row %u", own, frontend, facts, i);
		return;
	}
	fail_msg("no row for own %u, frontend %u, facts 0x%x", own, frontend, facts);
}

/* The return after the loop is for the compiler, and no row is dead. */
static void there_is_a_row_for_everything_and_a_use_for_every_row(void **state)
{
	unsigned int i;

	for_all(find_row);
	for (i = 0; i < ARRAY_SIZE(table); i++)
		expect(hits[i], "row %u never applies first", i);
}

/* Follow the table to its NONE, whatever succeeds on the way. */
static void settle(struct model m, unsigned int frontend, unsigned int step)
{
	enum xenvbd_action action = xenvbd_next_action(m.own, frontend, m.facts);
	struct model ok = m, bad = m;

	if (action == XENVBD_ACT_NONE)
		return;
	expect(step < MODEL_MAX_STEPS, "own %u, frontend %u, facts 0x%x: still action %u",
	       m.own, frontend, m.facts, action);
	expect(model_act(&ok, action, true), "own %u, frontend %u, facts 0x%x: action %u",
	       m.own, frontend, m.facts, action);
	settle(ok, frontend, step + 1);
	if (model_can_fail(action)) {
		model_act(&bad, action, false);
		settle(bad, frontend, step + 1);
	}
}

static void settle_one(unsigned int own, unsigned int frontend, unsigned int facts)
{
	struct model m = { own, facts, own == XenbusStateConnected && facts & RINGS };

	settle(m, frontend, 0);
}

static void every_path_comes_to_rest(void **state)
{
	for_all(settle_one);
}

static void the_seed_rows_hold(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seed_rows); i++) {
		const struct seed_row *row = &seed_rows[i];
		enum xenvbd_action got = xenvbd_next_action(row->own, row->frontend, row->facts);

		expect(got == row->action, "%s: %u, not %u", row->name, got, row->action);
	}
}

/* Follow the table to its NONE, all goes well. */
static void run(struct model *m, unsigned int frontend)
{
	enum xenvbd_action action;
	unsigned int step = 0;

	while ((action = xenvbd_next_action(m->own, frontend, m->facts)) != XENVBD_ACT_NONE) {
		expect(step++ < MODEL_MAX_STEPS, "own %u, frontend %u, facts 0x%x", m->own,
		       frontend, m->facts);
		expect(model_act(m, action, true), "own %u, frontend %u, facts 0x%x: action %u",
		       m->own, frontend, m->facts, action);
	}
}

/* S8: the order in which ring and disk become ready does not matter. */
static void ring_and_disk_become_ready_in_either_order(void **state)
{
	struct model m = { XenbusStateInitWait };

	run(&m, XenbusStateInitialised);
	assert_int_equal(m.own, XenbusStateInitWait);
	m.facts |= DISK;
	run(&m, XenbusStateInitialised);
	assert_int_equal(m.own, XenbusStateConnected);

	m = (struct model){ XenbusStateInitWait, DISK };
	run(&m, XenbusStateInitialising);
	assert_int_equal(m.own, XenbusStateInitWait);
	run(&m, XenbusStateInitialised);
	assert_int_equal(m.own, XenbusStateConnected);
}

/* A guest reboots twice, then its domain goes. */
static void a_life_goes_through_the_states(void **state)
{
	static const struct {
		unsigned int frontend, own, rings;
	} life[] = {
		{ 1, 2, 0 }, { 3, 4, RINGS }, { 4, 4, RINGS }, { 5, 5, RINGS }, { 6, 6, 0 },
		{ 1, 2, 0 }, { 3, 4, RINGS }, { 4, 4, RINGS }, { 6, 6, 0 },
		{ 1, 2, 0 }, { 3, 4, RINGS }, { 1, 2, 0 }, { 3, 4, RINGS }, { 0, 6, 0 },
	};
	struct model m = { XenbusStateInitWait, DISK };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(life); i++) {
		run(&m, life[i].frontend);
		expect(m.own == life[i].own, "step %u: %u", i, m.own);
		expect((m.facts & RINGS) == life[i].rings, "step %u", i);
	}
	/* It would be opened again if something came of it. */
	assert_int_equal(m.facts, GONE | NAMED);
}

static void check_action(unsigned int own, unsigned int frontend, unsigned int facts)
{
	enum xenvbd_action action = xenvbd_next_action(own, frontend, facts);
	bool opening = frontend == 3 || frontend == 4;

	if (action == XENVBD_ACT_CONNECT)
		expect(opening && facts & DISK && facts & RINGS && facts & SYNCED &&
		       !(facts & (BROKEN | FAILED | GONE | REMNANT | SHORT | CLOSE)) &&
		       own == XenbusStateInitWait,
		       "own %u, frontend %u, facts 0x%x", own, frontend, facts);
	if (action == XENVBD_ACT_OPEN)
		expect(facts & NAMED && !(facts & (REMNANT | SHORT | GONE)),
		       "own %u, frontend %u, facts 0x%x", own, frontend, facts);
	if (action == XENVBD_ACT_COMPARE)
		expect(opening && facts & RINGS && facts & RENEWED,
		       "own %u, frontend %u, facts 0x%x", own, frontend, facts);
	if (action == XENVBD_ACT_MAP)
		expect(opening && !(facts & (BROKEN | FAILED | GONE)),
		       "own %u, frontend %u, facts 0x%x", own, frontend, facts);
	if (action == XENVBD_ACT_UNREGISTER)
		expect(!frontend || facts & OFFLINE, "own %u, frontend %u, facts 0x%x",
		       own, frontend, facts);
	if (action == XENVBD_ACT_BROKEN)
		expect(facts & BROKEN, "own %u, frontend %u, facts 0x%x", own, frontend, facts);
	if (facts & GONE)
		expect(action == XENVBD_ACT_NONE, "own %u, frontend %u, facts 0x%x",
		       own, frontend, facts);
	expect((unsigned int)action < XENVBD_NR_ACTIONS, "own %u, frontend %u, facts 0x%x",
	       own, frontend, facts);
}

static void no_action_without_its_reason(void **state)
{
	for_all(check_action);
}

/*
 * S8: while we are not Connected an old ring is dropped first. CLOSING keeps
 * the rings, and a frontend that comes back from there must not have their
 * threads started a second time.
 */
static void rings_from_before_a_close_are_not_connected_again(void **state)
{
	static const unsigned int back[] = { XenbusStateInitialised, XenbusStateConnected };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(back); i++) {
		struct model m = { XenbusStateConnected, DISK | RINGS, true };

		run(&m, XenbusStateClosing);
		run(&m, back[i]);
		assert_int_equal(m.own, XenbusStateConnected);

		m = (struct model){ XenbusStateConnected, DISK | RINGS, true };
		run(&m, XenbusStateReconfiguring);
		/* The frontend's next state is what an error waits for. */
		m.facts &= ~FAILED;
		run(&m, back[i]);
		assert_int_equal(m.own, XenbusStateConnected);
	}
}

static bool is_said(unsigned int own)
{
	return own == XenbusStateInitWait || own == XenbusStateConnected ||
	       own == XenbusStateClosed;
}

/* InitWait and Connected would be news to a frontend that is to answer Closing. */
static void check_closing(unsigned int own, unsigned int frontend, unsigned int facts)
{
	enum xenvbd_action action = xenvbd_next_action(own, frontend, facts);
	bool says = (action == XENVBD_ACT_INITWAIT && !(facts & RINGS)) ||
		    action == XENVBD_ACT_CONNECT;

	if (facts & CLOSE && (is_said(own) || (facts & OFFLINE && frontend != 1)))
		expect(!says, "own %u, frontend %u, facts 0x%x: action %u", own, frontend, facts,
		       action);
}

static void the_toolstacks_closing_is_not_lost(void **state)
{
	for_all(check_closing);
}

/* A guest that has resumed in place says no more than that its state is 3. */
static void other_rings_are_a_new_start(void **state)
{
	struct model m = { XenbusStateConnected, DISK | RINGS | RENEWED, true };

	assert_int_equal(xenvbd_next_action(m.own, 3, m.facts), XENVBD_ACT_COMPARE);
	model_act(&m, XENVBD_ACT_COMPARE, false);
	assert_int_equal(xenvbd_next_action(m.own, 3, m.facts), XENVBD_ACT_INITWAIT);
	run(&m, XenbusStateInitialised);
	assert_int_equal(m.own, XenbusStateConnected);
	assert_true(m.running);

	/* The same ones are not. */
	m.facts |= RENEWED;
	model_act(&m, XENVBD_ACT_COMPARE, true);
	assert_int_equal(xenvbd_next_action(m.own, 3, m.facts), XENVBD_ACT_NONE);

	/* Nor is a disk needed. */
	m = (struct model){ XenbusStateInitWait, RINGS | RENEWED };
	model_act(&m, xenvbd_next_action(m.own, 4, m.facts), false);
	assert_int_equal(xenvbd_next_action(m.own, 4, m.facts), XENVBD_ACT_MAP);
}

int main(void)
{
	const struct CMUnitTest transitions[] = {
		cmocka_unit_test(there_is_a_row_for_everything_and_a_use_for_every_row),
		cmocka_unit_test(every_path_comes_to_rest),
		cmocka_unit_test(the_seed_rows_hold),
		cmocka_unit_test(ring_and_disk_become_ready_in_either_order),
		cmocka_unit_test(a_life_goes_through_the_states),
		cmocka_unit_test(no_action_without_its_reason),
		cmocka_unit_test(the_toolstacks_closing_is_not_lost),
		cmocka_unit_test(other_rings_are_a_new_start),
		cmocka_unit_test(rings_from_before_a_close_are_not_connected_again),
	};

	return RUN(transitions);
}
