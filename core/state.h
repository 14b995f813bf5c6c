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
 * CLOSE: the toolstack has written Closing into our own state node.
 * BROKEN: the guest has made a ring unusable.
 * FAILED: an error was reported; nothing is retried until something happens.
 * GONE: everything is released, the device waits for being unregistered.
 */
#define XENVBD_FACT_DISK	BIT(0)
#define XENVBD_FACT_RINGS	BIT(1)
#define XENVBD_FACT_OFFLINE	BIT(2)
#define XENVBD_FACT_CLOSE	BIT(3)
#define XENVBD_FACT_BROKEN	BIT(4)
#define XENVBD_FACT_FAILED	BIT(5)
#define XENVBD_FACT_GONE	BIT(6)
#define XENVBD_FACTS_ALL	(BIT(7) - 1)

/**
 * enum xenvbd_action - what to do next, and the state it ends in
 *
 * To drop the rings ends RINGS and BROKEN. An action that fails drops the
 * rings it has mapped itself, and ends in Closing with FAILED.
 *
 * @XENVBD_ACT_NONE: nothing; wait for an event
 * @XENVBD_ACT_INITWAIT: drop the rings; InitWait
 * @XENVBD_ACT_MAP: drop the rings, read the frontend's keys, map its rings and
 *                  bind its event channels; the state stays
 * @XENVBD_ACT_CONNECT: publish the disk, start the ring threads; Connected
 * @XENVBD_ACT_CLOSING: Closing; rings in use keep running, for a frontend
 *                      whose disk is still open may go on using it
 * @XENVBD_ACT_CLOSED: drop the rings; Closed
 * @XENVBD_ACT_UNREGISTER: drop the rings, close the disk; Closed, then
 *                         unregister the device
 * @XENVBD_ACT_BROKEN: report the broken ring, drop the rings; Closing
 * @XENVBD_ACT_BAD_STATE: report the frontend's impossible state; Closing
 */
enum xenvbd_action {
	XENVBD_ACT_NONE,
	XENVBD_ACT_INITWAIT,
	XENVBD_ACT_MAP,
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
