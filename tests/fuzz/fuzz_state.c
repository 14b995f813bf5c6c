// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lives of a vbd: the bytes say what frontend, toolstack and disk do, in any
 * order, and which of the driver's actions fail.
 */
#include "fuzz.h"
#include "state_model.h"

/* What the toolstack writes. */
#define TOOLSTACK	(XENVBD_FACT_OFFLINE | XENVBD_FACT_CLOSE)

static void settle(struct model *m, unsigned int frontend, unsigned int outcomes)
{
	enum xenvbd_action action;
	unsigned int step = 0;

	while ((action = xenvbd_next_action(m->own, frontend, m->facts)) != XENVBD_ACT_NONE) {
		require(action < XENVBD_NR_ACTIONS);
		require(step < MODEL_MAX_STEPS);
		require(model_act(m, action, outcomes & (1 << step)));
		step++;
	}
}

/* At rest, what is running and what is said must agree. */
static void check_rest(const struct model *m, unsigned int frontend)
{
	if (m->facts & XENVBD_FACT_GONE) {
		require(!(m->facts & (XENVBD_FACT_RINGS | XENVBD_FACT_DISK)));
		require(m->own == XenbusStateClosed);
		return;
	}
	require(frontend != XenbusStateUnknown);
	require(!m->running || m->facts & XENVBD_FACT_RINGS);
	/* The toolstack's Closing is answered by the frontend. */
	require(m->own != XenbusStateConnected || m->running || m->facts & XENVBD_FACT_CLOSE);
	if (frontend == XenbusStateClosed)
		require(m->own == XenbusStateClosed);
	if (frontend == XenbusStateInitialising &&
	    !(m->facts & (XENVBD_FACT_FAILED | XENVBD_FACT_CLOSE)))
		require(m->own == XenbusStateInitWait);
	if (m->facts & XENVBD_FACT_BROKEN)
		require(frontend == XenbusStateClosing);
}

static unsigned int frontend_event(struct input *in)
{
	u8 b = take(in, 1);

	return b < 240 ? b % 10 : take(in, 4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct model m = { .own = XenbusStateInitWait };
	struct input in = { data, len };
	unsigned int frontend = XenbusStateInitialising;

	while (in.len) {
		u8 b = take(&in, 1);

		switch (b & 7) {
		case 0:
		case 1:
		case 2:
			frontend = frontend_event(&in);
			m.facts &= ~XENVBD_FACT_FAILED;
			m.facts |= XENVBD_FACT_RENEWED;
			break;
		case 3:
			m.facts &= ~XENVBD_FACT_FAILED;
			m.facts |= XENVBD_FACT_NAMED;
			break;
		case 4:
			/* A removed vbd has writes at the disk, or has not any more. */
			m.facts ^= XENVBD_FACT_REMNANT;
			if (take(&in, 1) & 1)
				m.facts ^= XENVBD_FACT_SHORT;
			break;
		case 5:
			if (m.running)
				m.facts |= XENVBD_FACT_BROKEN;
			break;
		default:
			m.facts ^= take(&in, 1) & TOOLSTACK;
			break;
		}
		/* Most things succeed, most of the time. */
		settle(&m, frontend, b & 0x80 ? take(&in, 1) : ~0u);
		check_rest(&m, frontend);
	}
	return 0;
}
