/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a vbd, as rings read them. control/tunables.c sets them. */
#ifndef XENVBD_DATA_TUNABLES_H
#define XENVBD_DATA_TUNABLES_H

/* Any of these may change at any time. */
struct xenvbd_tunables {
	/*
	 * enum xenvbd_policy: which methods rings use to get at the guest's
	 * pages.
	 */
	unsigned int policy;
	/* Rings poll for so many microseconds before their threads sleep. */
	unsigned int polling_us;
	/* The disk is slow if it has a request for so long; 0: never. */
	unsigned int slow_seconds;
};

#endif /* XENVBD_DATA_TUNABLES_H */
