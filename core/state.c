// SPDX-License-Identifier: GPL-2.0-only
/* The transition table. Layer 0: pure. Documentation/states.rst shows it too. */
#include <linux/array_size.h>

#include "core/state.h"

#define ST(name)	BIT(XenbusState##name)
#define ANY		0xffffffffu
/* Every state that a sane frontend does not take while a backend is there. */
#define ODD		(ANY & ~(ST(Unknown) | ST(Initialising) | ST(Initialised) | \
				 ST(Connected) | ST(Closing) | ST(Closed)))
#define OPENING		(ST(Initialised) | ST(Connected))
/* Our states in which no ring is of use. */
#define IDLE		(ST(Initialising) | ST(Closing) | ST(Closed))
/* What we have said, if it was not Closing. */
#define SAID		(ST(InitWait) | ST(Connected) | ST(Closed))

#define DISK		XENVBD_FACT_DISK
#define RINGS		XENVBD_FACT_RINGS
#define OFFLINE		XENVBD_FACT_OFFLINE
#define CLOSE		XENVBD_FACT_CLOSE
#define BROKEN		XENVBD_FACT_BROKEN
#define FAILED		XENVBD_FACT_FAILED
#define GONE		XENVBD_FACT_GONE
#define NAMED		XENVBD_FACT_NAMED
#define SYNCED		XENVBD_FACT_SYNCED
#define RENEWED		XENVBD_FACT_RENEWED
#define REMNANT		XENVBD_FACT_REMNANT
#define SHORT		XENVBD_FACT_SHORT

/*
 * A row applies if our state and the frontend's are in its sets, all facts
 * of @need hold and none of @lack. The first row that applies counts.
 */
struct xenvbd_transition {
	u32 own;
	u32 frontend;
	u16 need;
	u16 lack;
	enum xenvbd_action action;
};

static const struct xenvbd_transition table[] = {
	/* own			frontend	need		lack	action */

	/* Nothing happens to a device that only waits for its end. */
	{ ANY,			ANY,		GONE,		0,	XENVBD_ACT_NONE },

	/* The frontend's directory is gone: so is the guest. */
	{ ANY,			ST(Unknown),	0,		0,	XENVBD_ACT_UNREGISTER },

	/* Both sides close. A toolstack that waits for state 6 waits here. */
	{ ANY,			ST(Closed),	OFFLINE,	0,	XENVBD_ACT_UNREGISTER },

	/* The toolstack detaches from a guest that never had a driver. */
	{ ANY,			ST(Initialising), OFFLINE | CLOSE, 0,	XENVBD_ACT_UNREGISTER },

	/*
	 * Another disk, also for a guest that is not connected. What cannot be opened
	 * just now holds up nothing else.
	 */
	{ ANY,			ANY,		NAMED,		REMNANT | SHORT, XENVBD_ACT_OPEN },

	/* The toolstack waits for Closed, and has written over the one there was. */
	{ ST(Closed),		ST(Closed),	0,		CLOSE,	XENVBD_ACT_NONE },
	{ ANY,			ST(Closed),	0,		0,	XENVBD_ACT_CLOSED },

	{ ANY,			ANY,		BROKEN,		0,	XENVBD_ACT_BROKEN },

	{ ST(Closing),		ST(Closing),	0,		0,	XENVBD_ACT_NONE },
	{ ANY,			ST(Closing),	0,		0,	XENVBD_ACT_CLOSING },

	/* An error stands until somebody does something about it. */
	{ ST(Closing),		ANY,		FAILED,		0,	XENVBD_ACT_NONE },
	{ ANY,			ANY,		FAILED,		0,	XENVBD_ACT_CLOSING },

	/*
	 * The toolstack's Closing is not written over: the frontend has to
	 * answer it first.
	 */
	{ SAID,			ST(Initialising), CLOSE,	RINGS,	XENVBD_ACT_NONE },
	{ SAID,			OPENING,	CLOSE,		0,	XENVBD_ACT_NONE },
	{ ANY,			OPENING,	OFFLINE | CLOSE, 0,	XENVBD_ACT_NONE },

	/* The frontend starts, or starts again, perhaps without having closed. */
	{ ST(InitWait),		ST(Initialising), 0,		RINGS,	XENVBD_ACT_NONE },
	{ ANY,			ST(Initialising), 0,		0,	XENVBD_ACT_INITWAIT },

	/* Nothing from before a close is used again. */
	{ IDLE,			OPENING,	0,		0,	XENVBD_ACT_INITWAIT },
	/* The frontend may have come back with other rings. */
	{ ANY,			OPENING,	RINGS | RENEWED, 0,	XENVBD_ACT_COMPARE },
	{ ST(Connected),	OPENING,	RINGS,		0,	XENVBD_ACT_NONE },
	{ ST(Connected),	OPENING,	0,		0,	XENVBD_ACT_INITWAIT },
	/* Rings and disk become ready in either order. */
	{ ANY,			OPENING,	0,		RINGS,	XENVBD_ACT_MAP },
	{ ANY,			OPENING,	DISK,		REMNANT | SHORT | SYNCED,
	  XENVBD_ACT_SYNC },
	{ ANY,			OPENING,	DISK,		REMNANT | SHORT,
	  XENVBD_ACT_CONNECT },
	{ ANY,			OPENING,	0,		0,	XENVBD_ACT_NONE },

	{ ANY,			ODD,		0,		0,	XENVBD_ACT_BAD_STATE },
};

static bool state_row_applies(const struct xenvbd_transition *row,
			      unsigned int own, unsigned int frontend,
			      unsigned int facts)
{
	return row->own & BIT(own) && row->frontend & BIT(frontend) &&
	       (facts & row->need) == row->need && !(facts & row->lack);
}

/**
 * xenvbd_next_action - decide what a vbd does next
 * @own: our own state
 * @frontend: what the frontend's state node says, any number
 * @facts: XENVBD_FACT_*
 *
 * Called again after each action, until it says XENVBD_ACT_NONE.
 *
 * Return: the action. The table has one for everything.
 */
enum xenvbd_action xenvbd_next_action(enum xenbus_state own, unsigned int frontend,
				      unsigned int facts)
{
	unsigned int fe = frontend > XenbusStateReconfigured ?
			  XenbusStateReconfigured : frontend;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (state_row_applies(&table[i], own, fe, facts))
			return table[i].action;

	return XENVBD_ACT_NONE;
}
