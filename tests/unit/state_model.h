/* SPDX-License-Identifier: GPL-2.0-only */
/* A vbd as far as the transition table knows it, for tests and the fuzzer. */
#ifndef STATE_MODEL_H
#define STATE_MODEL_H

#include "core/state.h"

/* More actions than this in a row, and the table runs in circles. */
#define MODEL_MAX_STEPS	4

struct model {
	unsigned int own;
	unsigned int facts;
	/* The rings' threads run: CONNECT must not start them again. */
	bool running;
};

static inline void model_drop_rings(struct model *m)
{
	m->facts &= ~(XENVBD_FACT_RINGS | XENVBD_FACT_BROKEN);
	m->running = false;
}

/* An error is reported, which also switches to Closing. */
static inline void model_fail(struct model *m)
{
	m->facts |= XENVBD_FACT_FAILED;
	m->own = XenbusStateClosing;
}

/*
 * What state.h says an action does. MAP and CONNECT can fail.
 * Returns false if the action is none, or one that must not happen now.
 */
static inline bool model_act(struct model *m, enum xenvbd_action action, bool success)
{
	switch (action) {
	case XENVBD_ACT_INITWAIT:
		model_drop_rings(m);
		m->own = XenbusStateInitWait;
		return true;
	case XENVBD_ACT_MAP:
		model_drop_rings(m);
		if (success)
			m->facts |= XENVBD_FACT_RINGS;
		else
			model_fail(m);
		return true;
	case XENVBD_ACT_CONNECT:
		if (m->running || !(m->facts & XENVBD_FACT_RINGS) ||
		    !(m->facts & XENVBD_FACT_DISK))
			return false;
		if (success) {
			m->running = true;
			m->own = XenbusStateConnected;
		} else {
			model_drop_rings(m);
			model_fail(m);
		}
		return true;
	case XENVBD_ACT_CLOSING:
		m->own = XenbusStateClosing;
		return true;
	case XENVBD_ACT_CLOSED:
		model_drop_rings(m);
		m->own = XenbusStateClosed;
		return true;
	case XENVBD_ACT_UNREGISTER:
		model_drop_rings(m);
		m->facts &= ~XENVBD_FACT_DISK;
		m->facts |= XENVBD_FACT_GONE;
		m->own = XenbusStateClosed;
		return true;
	case XENVBD_ACT_BROKEN:
		model_drop_rings(m);
		model_fail(m);
		return true;
	case XENVBD_ACT_BAD_STATE:
		model_fail(m);
		return true;
	default:
		return false;
	}
}

#endif /* STATE_MODEL_H */
