/* SPDX-License-Identifier: GPL-2.0-only */
/* A vbd as far as the transition table knows it, for tests and the fuzzer. */
#ifndef STATE_MODEL_H
#define STATE_MODEL_H

#include "core/state.h"

/* More actions than this in a row, and the table runs in circles. */
#define MODEL_MAX_STEPS	10

struct model {
	unsigned int own;
	unsigned int facts;
	/* The rings' threads run: CONNECT must not start them again. */
	bool running;
};

static inline void model_drop_rings(struct model *m)
{
	m->facts &= ~(XENVBD_FACT_RINGS | XENVBD_FACT_BROKEN | XENVBD_FACT_SYNCED |
		      XENVBD_FACT_RENEWED);
	m->running = false;
}

/* Our state node says no more what the toolstack has written. */
static inline void model_say(struct model *m, unsigned int state)
{
	m->own = state;
	m->facts &= ~XENVBD_FACT_CLOSE;
	if (state == XenbusStateClosing)
		m->facts |= XENVBD_FACT_CLOSE;
}

static inline void model_drop_or_say(struct model *m, unsigned int state)
{
	if (m->facts & XENVBD_FACT_RINGS)
		model_drop_rings(m);
	else
		model_say(m, state);
}

static inline void model_open(struct model *m, bool success)
{
	m->facts &= ~(XENVBD_FACT_NAMED | XENVBD_FACT_SYNCED);
	if (success)
		m->facts |= XENVBD_FACT_DISK;
	else if (!(m->facts & XENVBD_FACT_DISK))
		m->facts |= XENVBD_FACT_FAILED;
}

static inline void model_map(struct model *m, bool success)
{
	model_drop_rings(m);
	m->facts |= success ? XENVBD_FACT_RINGS : XENVBD_FACT_FAILED;
}

static inline void model_sync(struct model *m, bool success)
{
	if (success) {
		m->facts |= XENVBD_FACT_SYNCED;
	} else {
		model_drop_rings(m);
		m->facts |= XENVBD_FACT_FAILED;
	}
}

static inline bool model_connect(struct model *m, bool success)
{
	if (m->running || !(m->facts & XENVBD_FACT_RINGS) || !(m->facts & XENVBD_FACT_DISK) ||
	    !(m->facts & XENVBD_FACT_SYNCED))
		return false;
	m->facts &= ~XENVBD_FACT_SYNCED;
	if (success) {
		m->running = true;
		model_say(m, XenbusStateConnected);
	} else {
		model_drop_rings(m);
		m->facts |= XENVBD_FACT_FAILED;
	}
	return true;
}

static inline void model_unregister(struct model *m)
{
	if (m->facts & XENVBD_FACT_RINGS) {
		model_drop_rings(m);
	} else if (m->facts & XENVBD_FACT_DISK) {
		m->facts &= ~XENVBD_FACT_DISK;
		m->facts |= XENVBD_FACT_NAMED;
	} else {
		m->facts |= XENVBD_FACT_GONE;
		model_say(m, XenbusStateClosed);
	}
}

/* That may go one way or the other. */
static inline bool model_can_fail(enum xenvbd_action action)
{
	return action == XENVBD_ACT_OPEN || action == XENVBD_ACT_COMPARE ||
	       action == XENVBD_ACT_MAP || action == XENVBD_ACT_SYNC ||
	       action == XENVBD_ACT_CONNECT;
}

/*
 * What state.h says an action does. COMPARE fails if the keys are others.
 * Returns false if the action is none, or one that must not happen now.
 */
static inline bool model_act(struct model *m, enum xenvbd_action action, bool success)
{
	switch (action) {
	case XENVBD_ACT_OPEN:
		model_open(m, success);
		return true;
	case XENVBD_ACT_INITWAIT:
		model_drop_or_say(m, XenbusStateInitWait);
		return true;
	case XENVBD_ACT_COMPARE:
		m->facts &= ~XENVBD_FACT_RENEWED;
		if (!success)
			model_drop_rings(m);
		return true;
	case XENVBD_ACT_MAP:
		model_map(m, success);
		return true;
	case XENVBD_ACT_SYNC:
		model_sync(m, success);
		return true;
	case XENVBD_ACT_CONNECT:
		return model_connect(m, success);
	case XENVBD_ACT_CLOSING:
		model_say(m, XenbusStateClosing);
		return true;
	case XENVBD_ACT_CLOSED:
		model_drop_or_say(m, XenbusStateClosed);
		return true;
	case XENVBD_ACT_UNREGISTER:
		model_unregister(m);
		return true;
	case XENVBD_ACT_BROKEN:
		model_drop_rings(m);
		m->facts |= XENVBD_FACT_FAILED;
		return true;
	case XENVBD_ACT_BAD_STATE:
		m->facts |= XENVBD_FACT_FAILED;
		return true;
	default:
		return false;
	}
}

#endif /* STATE_MODEL_H */
