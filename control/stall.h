/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vbd is stalled by, and what its guest waits for: the disk, in one way or
 * another.
 */
#ifndef XENVBD_STALL_H
#define XENVBD_STALL_H

#include <linux/types.h>
#include <linux/workqueue.h>

/* Length of what xenvbd_stall_describe() says, in bytes. */
#define XENVBD_STALL_TEXT	128

struct xenvbd;

/* Requests that the disk does not answer, though nobody but the guest waits. */
struct xenvbd_slow {
	/* Some are older than slow_request_seconds. */
	bool slow;
	/* The log has it. */
	bool reported;
	/* In jiffies, when the oldest was taken, and when the log had it last. */
	unsigned long since;
	unsigned long logged;
	/* In jiffies, when the key is to be written again. */
	unsigned long next;
};

/* A vbd's work item may be stalled, and then somebody has to say so. */
struct xenvbd_stall {
	struct delayed_work work;
	/* What the work item is doing, NULL if nothing that could stall it. */
	const char *what;
	/* In jiffies, when it began to. */
	unsigned long since;
	/* The log has it. */
	bool reported;
	/* Why the work item has nothing to do; since when, and if the log has it. */
	const char *rest;
	unsigned long rest_since;
	/* In jiffies, when the key is to be written again for it. */
	unsigned long rest_next;
	bool rest_reported;
	/* The key could not be written, and is written again. */
	bool unpublished;
	struct xenvbd_slow slow;
};

void xenvbd_stall_init(struct xenvbd *vbd);
void xenvbd_stall_exit(struct xenvbd *vbd);
void xenvbd_stall_look(struct xenvbd *vbd);
void xenvbd_stall_enter(struct xenvbd *vbd, const char *what);
void xenvbd_stall_leave(struct xenvbd *vbd);
void xenvbd_stall_rest(struct xenvbd *vbd, const char *why,
		       unsigned long patience);
unsigned int xenvbd_stall_in_flight(struct xenvbd *vbd,
				    unsigned int *oldest_ms);
void xenvbd_stall_describe(struct xenvbd *vbd, char *text, size_t size);

#endif /* XENVBD_STALL_H */
