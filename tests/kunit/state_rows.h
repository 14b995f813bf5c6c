/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vbd does next.
 * For the tests in user space and for KUnit, which include state.h first.
 */
#ifndef XENVBD_STATE_ROWS_H
#define XENVBD_STATE_ROWS_H

#define DISK	XENVBD_FACT_DISK
#define RINGS	XENVBD_FACT_RINGS
#define OFFLINE	XENVBD_FACT_OFFLINE
#define BROKEN	XENVBD_FACT_BROKEN
#define FAILED	XENVBD_FACT_FAILED
#define GONE	XENVBD_FACT_GONE
#define CLOSE	XENVBD_FACT_CLOSE
#define NAMED	XENVBD_FACT_NAMED
#define SYNCED	XENVBD_FACT_SYNCED
#define RENEWED	XENVBD_FACT_RENEWED
#define REMNANT	XENVBD_FACT_REMNANT
#define SHORT	XENVBD_FACT_SHORT

static const struct seed_row {
	const char *name;
	unsigned int own, frontend, facts;
	enum xenvbd_action action;
} seed_rows[] = {
	{ "probe, no frontend yet", 2, 1, 0, XENVBD_ACT_NONE },
	{ "probe, no frontend yet, disk", 2, 1, DISK, XENVBD_ACT_NONE },

	{ "S7 reconnect", 6, 1, 0, XENVBD_ACT_INITWAIT },
	{ "S7 reconnect, disk open", 6, 1, DISK, XENVBD_ACT_INITWAIT },
	{ "frontend starts anew while connected", 4, 1, DISK | RINGS, XENVBD_ACT_INITWAIT },
	{ "frontend starts anew while closing", 5, 1, DISK | RINGS, XENVBD_ACT_INITWAIT },

	{ "S8 Initialised, no disk", 2, 3, 0, XENVBD_ACT_MAP },
	{ "S8 Connected, no disk", 2, 4, 0, XENVBD_ACT_MAP },
	{ "S8 Initialised, disk", 2, 3, DISK, XENVBD_ACT_MAP },
	{ "S8 Connected, disk", 2, 4, DISK, XENVBD_ACT_MAP },
	{ "S8 from Initialising, through InitWait", 1, 3, DISK, XENVBD_ACT_INITWAIT },
	{ "S8 from Closed, through InitWait", 6, 3, DISK, XENVBD_ACT_INITWAIT },
	{ "S8 from Closing, through InitWait", 5, 4, DISK, XENVBD_ACT_INITWAIT },
	{ "S8 from Closing, old rings go", 5, 4, RINGS | DISK, XENVBD_ACT_INITWAIT },
	{ "S8 ring first, waits for the disk", 2, 3, RINGS, XENVBD_ACT_NONE },
	{ "S8 then the disk", 2, 3, RINGS | DISK, XENVBD_ACT_SYNC },
	{ "S8 then all is ready", 2, 3, RINGS | DISK | SYNCED, XENVBD_ACT_CONNECT },
	{ "S8 the same, frontend Connected", 2, 4, RINGS | DISK | SYNCED, XENVBD_ACT_CONNECT },
	{ "a removed vbd has writes there", 2, 3, RINGS | DISK | REMNANT, XENVBD_ACT_NONE },
	{ "rings that were dropped while connected", 4, 3, DISK, XENVBD_ACT_INITWAIT },
	{ "a frontend says 3 again", 4, 3, RINGS | DISK | RENEWED, XENVBD_ACT_COMPARE },
	{ "a frontend says 4 again, no disk", 2, 4, RINGS | RENEWED, XENVBD_ACT_COMPARE },
	{ "S8 already connected", 4, 3, RINGS | DISK, XENVBD_ACT_NONE },
	{ "S8 both connected", 4, 4, RINGS | DISK, XENVBD_ACT_NONE },

	{ "S12 Closing", 4, 5, RINGS | DISK, XENVBD_ACT_CLOSING },
	{ "S12 Closing before it connected", 2, 5, DISK, XENVBD_ACT_CLOSING },
	{ "S12 Closing again", 5, 5, RINGS | DISK, XENVBD_ACT_NONE },
	{ "S12 Closing, going offline", 4, 5, RINGS | DISK | OFFLINE, XENVBD_ACT_CLOSING },
	{ "S12 Closed", 5, 6, RINGS | DISK, XENVBD_ACT_CLOSED },
	{ "S12 Closed at once", 4, 6, RINGS | DISK, XENVBD_ACT_CLOSED },
	{ "S12 Closed again", 6, 6, DISK, XENVBD_ACT_NONE },
	{ "S12 Closed, offline", 5, 6, RINGS | DISK | OFFLINE, XENVBD_ACT_UNREGISTER },
	{ "S12 Closed, offline later", 6, 6, DISK | OFFLINE, XENVBD_ACT_UNREGISTER },
	{ "S12 Unknown", 4, 0, RINGS | DISK, XENVBD_ACT_UNREGISTER },
	{ "S12 Unknown before it connected", 2, 0, 0, XENVBD_ACT_UNREGISTER },
	{ "S12 Unknown, ring broken", 4, 0, RINGS | DISK | BROKEN, XENVBD_ACT_UNREGISTER },
	{ "S12 Unknown, failed", 5, 0, FAILED, XENVBD_ACT_UNREGISTER },
	{ "S12 InitWait is no state of a frontend", 2, 2, DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 Reconfiguring", 4, 7, RINGS | DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 Reconfigured", 4, 8, RINGS | DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 9", 4, 9, RINGS | DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 2^32 - 1", 4, 0xffffffff, RINGS | DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 32 is not 0", 4, 32, RINGS | DISK, XENVBD_ACT_BAD_STATE },
	{ "S12 36 is not 4", 2, 36, DISK, XENVBD_ACT_BAD_STATE },

	{ "a disk is named", 2, 1, NAMED, XENVBD_ACT_OPEN },
	{ "another disk is named", 4, 4, NAMED | RINGS | DISK, XENVBD_ACT_OPEN },
	{ "another one, to which a removed vbd writes", 4, 4, NAMED | RINGS | DISK | REMNANT,
	  XENVBD_ACT_NONE },
	{ "a disk that cannot be opened yet", 2, 3, NAMED, XENVBD_ACT_OPEN },
	{ "it cannot, and the frontend comes", 2, 3, NAMED | SHORT, XENVBD_ACT_MAP },
	{ "it cannot, and the frontend closes", 4, 6, NAMED | RINGS | DISK | SHORT,
	  XENVBD_ACT_CLOSED },
	{ "a disk is named too late", 2, 0, NAMED, XENVBD_ACT_UNREGISTER },

	{ "Closing stands, frontend ready", 2, 3, RINGS | DISK | SYNCED | CLOSE, XENVBD_ACT_NONE },
	{ "Closing stands, frontend starts", 2, 1, DISK | CLOSE, XENVBD_ACT_NONE },
	{ "Closing stands, rings of before", 4, 1, RINGS | DISK | CLOSE, XENVBD_ACT_INITWAIT },
	{ "Closing stands, an error of before, offline", 5, 3, DISK | CLOSE | OFFLINE,
	  XENVBD_ACT_NONE },
	{ "Closing over Closed", 6, 6, DISK | CLOSE, XENVBD_ACT_CLOSED },

	{ "broken ring", 4, 4, RINGS | DISK | BROKEN, XENVBD_ACT_BROKEN },
	{ "closing a broken ring", 4, 6, RINGS | DISK | BROKEN, XENVBD_ACT_CLOSED },
	{ "error", 2, 3, DISK | FAILED, XENVBD_ACT_CLOSING },
	{ "error stands", 5, 3, DISK | FAILED | CLOSE, XENVBD_ACT_NONE },
	{ "error does not stop closing", 5, 6, DISK | FAILED, XENVBD_ACT_CLOSED },
	{ "toolstack detaches, no driver in the guest", 2, 1, OFFLINE | XENVBD_FACT_CLOSE,
	  XENVBD_ACT_UNREGISTER },
	{ "gone is gone", 6, 4, GONE | DISK | RINGS, XENVBD_ACT_NONE },
};

#endif /* XENVBD_STATE_ROWS_H */
