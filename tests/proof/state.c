// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transition table. What actions do is taken from state_model.h, which the unit
 * tests and the fuzzer have, too.
 */
#include "core/state.c"

#include "proof.h"
#include "state_model.h"

static struct model any_vbd(void)
{
	struct model m = any(struct model);

	given(m.own <= XenbusStateReconfigured && m.facts <= XENVBD_FACTS_ALL);
	m.running = m.own == XenbusStateConnected && m.facts & RINGS;
	return m;
}

void every_picture_has_a_row(void)
{
	unsigned int frontend = any(unsigned int), i;
	unsigned int fe = frontend > XenbusStateReconfigured ? XenbusStateReconfigured : frontend;
	struct model m = any_vbd();
	bool found = false;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		found |= state_row_applies(&table[i], m.own, fe, m.facts);
	require(found);
	require((unsigned int)xenvbd_next_action(m.own, frontend, m.facts) < XENVBD_NR_ACTIONS);
}

/* Whatever fails on the way, and no action comes at a time when it must not. */
void from_every_picture_actions_come_to_an_end(void)
{
	unsigned int frontend = any(unsigned int), step;
	struct model m = any_vbd();
	enum xenvbd_action action;

	for (step = 0; step < MODEL_MAX_STEPS; step++) {
		action = xenvbd_next_action(m.own, frontend, m.facts);
		if (action == XENVBD_ACT_NONE)
			return;
		require(model_act(&m, action, any_bool()));
	}
	require(xenvbd_next_action(m.own, frontend, m.facts) == XENVBD_ACT_NONE);
}
