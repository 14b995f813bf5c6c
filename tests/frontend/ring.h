/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One shared ring with its event channel, seen from the frontend. Checks each
 * byte the backend writes into it.
 */
#ifndef BLKFE_RING_H
#define BLKFE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <xenevtchn.h>

#include "abi.h"
#include "pages.h"

/* What the bytes of a response which are no field may hold. */
enum fe_padding {
	/* zero, or what the request had there: nothing of the backend's */
	FE_PADDING_NO_LEAK,
	FE_PADDING_ZERO,
	FE_PADDING_ANY,
};

enum fe_notify {
	FE_NOTIFY_AUTO,
	FE_NOTIFY_ALWAYS,
	FE_NOTIFY_NEVER,
};

struct fe_ring {
	const struct fe_abi *abi;
	unsigned int index;
	unsigned int nr_pages;
	unsigned int nr_entries;
	uint32_t refs[FE_MAX_RING_PAGES];
	uint8_t *sring;
	uint8_t *image;
	xenevtchn_handle *evtchn;
	evtchn_port_t port;
	uint32_t req_prod_pvt;
	uint32_t req_pushed;
	uint32_t rsp_cons;
	/* The slots are being mutated, or indices lie: no check makes sense. */
	bool loose;
	bool broken;
	enum fe_padding padding;
	unsigned long nr_notified;
	unsigned long nr_suppressed;
	unsigned long nr_events;
};

int fe_ring_alloc(struct fe_ring *ring, const struct fe_abi *abi,
		  unsigned int nr_pages, struct fe_grants *grants,
		  xenevtchn_handle *evtchn);
bool fe_ring_free(struct fe_ring *ring, struct fe_grants *grants);
uint32_t fe_ring_get(const struct fe_ring *ring, unsigned int index_offset);
void fe_ring_set(struct fe_ring *ring, unsigned int index_offset,
		 uint32_t value);
unsigned int fe_ring_room(const struct fe_ring *ring);
void fe_ring_put(struct fe_ring *ring, const uint8_t *slot);
void fe_ring_push(struct fe_ring *ring, enum fe_notify notify);
void fe_ring_kick(struct fe_ring *ring);
bool fe_ring_arm(struct fe_ring *ring);
bool fe_ring_take(struct fe_ring *ring, struct fe_wire_rsp *rsp);

#endif
