/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtual block device does next, as a function of its own xenbus
 * state, the frontend's, and a few facts.
 *
 * Layer 0: pure.
 */
#ifndef XENVBD_STATE_H
#define XENVBD_STATE_H

#include <linux/bits.h>
#include <linux/types.h>
#include <xen/interface/io/xenbus.h>

/*
 * Facts about a vbd, a bit mask.
 * DISK: the backing disk is open.
 * RINGS: the frontend's rings are mapped.
 * OFFLINE: the toolstack has written online = 0: no reconnect will follow.
 * CLOSE: Closing stands in our own state node, as the toolstack writes it.
 * BROKEN: the guest has made a ring unusable.
 * FAILED: an error was reported; nothing is retried until something happens.
 * GONE: everything is released, the device waits for being unregistered.
 * NAMED: the toolstack has named a disk, which is yet to be opened.
 * SYNCED: what this domain had cached of the disk is written back.
 * RENEWED: the frontend's state was written since its keys were read.
 * REMNANT: a vbd that was removed has writes at the disk.
 * SHORT: something is short, and the disk was not opened for that.
 */
#define XENVBD_FACT_DISK	BIT(0)
#define XENVBD_FACT_RINGS	BIT(1)
#define XENVBD_FACT_OFFLINE	BIT(2)
#define XENVBD_FACT_CLOSE	BIT(3)
#define XENVBD_FACT_BROKEN	BIT(4)
#define XENVBD_FACT_FAILED	BIT(5)
#define XENVBD_FACT_GONE	BIT(6)
#define XENVBD_FACT_NAMED	BIT(7)
#define XENVBD_FACT_SYNCED	BIT(8)
#define XENVBD_FACT_RENEWED	BIT(9)
#define XENVBD_FACT_REMNANT	BIT(10)
#define XENVBD_FACT_SHORT	BIT(11)
#define XENVBD_FACTS_ALL	(BIT(12) - 1)

/**
 * enum xenvbd_action - what to do next, and the state it ends in
 *
 * An action waits for the disk once at most, and then it is over: others have
 * had time to write, so the table is asked again. INITWAIT, CLOSED and
 * UNREGISTER drop the rings if there are any, UNREGISTER then closes the disk if
 * it is open, and only the next time they write a state.
 *
 * To drop the rings ends RINGS, BROKEN, SYNCED and RENEWED. An action that fails
 * drops the rings it has mapped itself, and ends in FAILED.
 *
 * @XENVBD_ACT_NONE: nothing; wait for an event
 * @XENVBD_ACT_OPEN: open the disk that is named, or exchange the one that is
 *                   open; ends NAMED and SYNCED
 * @XENVBD_ACT_INITWAIT: drop the rings; InitWait
 * @XENVBD_ACT_COMPARE: read the frontend's keys, and drop the rings if they are
 *                      of others; ends RENEWED
 * @XENVBD_ACT_MAP: read the frontend's keys, map its rings and bind its event
 *                  channels; the state stays
 * @XENVBD_ACT_SYNC: write back what this domain has cached of the disk
 * @XENVBD_ACT_CONNECT: publish the disk, start the ring threads; Connected
 * @XENVBD_ACT_CLOSING: Closing; rings in use keep running, for a frontend
 *                      whose disk is still open may go on using it
 * @XENVBD_ACT_CLOSED: drop the rings; Closed
 * @XENVBD_ACT_UNREGISTER: drop the rings, close the disk; Closed, then
 *                         unregister the device
 * @XENVBD_ACT_BROKEN: report the broken ring, drop the rings
 * @XENVBD_ACT_BAD_STATE: report the frontend's impossible state
 */
enum xenvbd_action {
	XENVBD_ACT_NONE,
	XENVBD_ACT_OPEN,
	XENVBD_ACT_INITWAIT,
	XENVBD_ACT_COMPARE,
	XENVBD_ACT_MAP,
	XENVBD_ACT_SYNC,
	XENVBD_ACT_CONNECT,
	XENVBD_ACT_CLOSING,
	XENVBD_ACT_CLOSED,
	XENVBD_ACT_UNREGISTER,
	XENVBD_ACT_BROKEN,
	XENVBD_ACT_BAD_STATE,
	/* private: */
	XENVBD_NR_ACTIONS
};

enum xenvbd_action xenvbd_next_action(enum xenbus_state own,
				      unsigned int frontend,
				      unsigned int facts);

#endif /* XENVBD_STATE_H */
