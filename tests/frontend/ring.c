// SPDX-License-Identifier: GPL-2.0-only
/*
 * One ring: indices, slots and the event channel. What the backend writes is
 * compared with what was there before, byte by byte.
 */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/**
 * fe_ring_get() - read one of the four shared indices, once
 * @ring: ring
 * @index_offset: FE_RING_REQ_PROD and the like
 */
uint32_t fe_ring_get(const struct fe_ring *ring, unsigned int index_offset)
{
	return *(volatile uint32_t *)(ring->sring + index_offset);
}

/**
 * fe_ring_set() - write one of the four shared indices, whatever the value
 */
void fe_ring_set(struct fe_ring *ring, unsigned int index_offset,
		 uint32_t value)
{
	*(volatile uint32_t *)(ring->sring + index_offset) = value;
}

/**
 * fe_ring_alloc() - grant the pages of a ring and open its event channel
 *
 * Unused bytes of the shared pages are filled with a pattern: a backend must
 * not depend on zeroes there.
 *
 * Return: 0, or -errno.
 */
int fe_ring_alloc(struct fe_ring *ring, const struct fe_abi *abi,
		  unsigned int nr_pages, struct fe_grants *grants,
		  xenevtchn_handle *evtchn)
{
	unsigned int index = ring->index;
	enum fe_padding padding = ring->padding;
	size_t bytes = (size_t)nr_pages * FE_PAGE_SIZE;
	int port;

	memset(ring, 0, sizeof(*ring));
	ring->index = index;
	ring->padding = padding;
	ring->abi = abi;
	ring->nr_pages = nr_pages;
	ring->nr_entries = fe_abi_ring_entries(abi, nr_pages);
	ring->evtchn = evtchn;
	ring->image = malloc(bytes);
	if (!ring->image)
		return -ENOMEM;
	ring->sring = fe_grants_share(grants, nr_pages, ring->refs, true);
	if (!ring->sring)
		goto free_image;
	memset(ring->sring, 0xe5, bytes);
	fe_ring_set(ring, FE_RING_REQ_PROD, 0);
	fe_ring_set(ring, FE_RING_RSP_PROD, 0);
	fe_ring_set(ring, FE_RING_REQ_EVENT, 1);
	fe_ring_set(ring, FE_RING_RSP_EVENT, 1);
	memcpy(ring->image, ring->sring, bytes);
	port = xenevtchn_bind_unbound_port(evtchn, grants->domid);
	if (port < 0)
		goto end_grants;
	ring->port = port;
	return 0;

end_grants:
	fe_grants_end(grants, ring->sring, nr_pages, ring->refs);
	ring->sring = NULL;
free_image:
	free(ring->image);
	ring->image = NULL;
	return errno ? -errno : -EIO;
}

/**
 * fe_ring_free() - undo fe_ring_alloc()
 *
 * Return: false if the backend still has the ring mapped.
 */
bool fe_ring_free(struct fe_ring *ring, struct fe_grants *grants)
{
	bool ok;

	if (!ring->sring)
		return true;
	xenevtchn_unbind(ring->evtchn, ring->port);
	ok = fe_grants_end(grants, ring->sring, ring->nr_pages, ring->refs);
	free(ring->image);
	ring->image = NULL;
	ring->sring = NULL;
	return ok;
}

/**
 * fe_ring_room() - free slots
 */
unsigned int fe_ring_room(const struct fe_ring *ring)
{
	return ring->nr_entries - (ring->req_prod_pvt - ring->rsp_cons);
}

/**
 * fe_ring_put() - write the bytes of one request into the next slot
 * @ring: ring with room
 * @slot: exactly one slot of bytes
 *
 * The backend does not see it before fe_ring_push().
 */
void fe_ring_put(struct fe_ring *ring, const uint8_t *slot)
{
	unsigned int idx = ring->req_prod_pvt++ & (ring->nr_entries - 1);
	size_t offset = fe_abi_slot_offset(ring->abi, idx);

	memcpy(ring->sring + offset, slot, ring->abi->slot_size);
	memcpy(ring->image + offset, slot, ring->abi->slot_size);
}

/**
 * fe_ring_kick() - send the event unconditionally
 */
void fe_ring_kick(struct fe_ring *ring)
{
	xenevtchn_notify(ring->evtchn, ring->port);
	ring->nr_notified++;
}

/**
 * fe_ring_push() - show the backend all requests put so far
 * @ring: ring
 * @notify: AUTO sends an event only if the backend asked for one (req_event)
 */
void fe_ring_push(struct fe_ring *ring, enum fe_notify notify)
{
	uint32_t old = ring->req_pushed;
	uint32_t new = ring->req_prod_pvt;
	uint32_t event;
	bool wanted;

	/* Slots before index; pairs with the backend's read barrier. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	fe_ring_set(ring, FE_RING_REQ_PROD, new);
	ring->req_pushed = new;
	/* Index before req_event; pairs with the backend's final check. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = fe_ring_get(ring, FE_RING_REQ_EVENT);
	wanted = new - event < new - old;
	if (notify == FE_NOTIFY_ALWAYS || (notify == FE_NOTIFY_AUTO && wanted))
		fe_ring_kick(ring);
	else
		ring->nr_suppressed++;
}

/**
 * fe_ring_arm() - ask for an event at the next response
 *
 * Return: true if a response is there already: do not sleep.
 */
bool fe_ring_arm(struct fe_ring *ring)
{
	fe_ring_set(ring, FE_RING_RSP_EVENT, ring->rsp_cons + 1);
	/* rsp_event before rsp_prod; pairs with the backend's push. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return fe_ring_get(ring, FE_RING_RSP_PROD) != ring->rsp_cons;
}

static bool padding_ok(const struct fe_ring *ring, uint8_t got, uint8_t had)
{
	switch (ring->padding) {
	case FE_PADDING_ZERO:
		return got == 0;
	case FE_PADDING_ANY:
		return true;
	case FE_PADDING_NO_LEAK:
	default:
		return got == 0 || got == had;
	}
}

/*
 * Padding must not leak, and bytes beyond the response must still be what the
 * slot held before. The slot's last content is ours: each response slot has
 * been a request slot, and earlier responses are recorded in the image too.
 */
static void check_slot_bytes(struct fe_ring *ring, const uint8_t *slot,
			     size_t offset)
{
	const uint8_t *had = ring->image + offset;
	unsigned int i;

	for (i = 0; i < ring->abi->slot_size; i++) {
		if (i >= ring->abi->rsp_size) {
			if (slot[i] != had[i])
				fe_fail("byte %u beyond the response changed from 0x%02x to 0x%02x",
					i, had[i], slot[i]);
		} else if (fe_abi_is_padding(ring->abi, i) &&
			   !padding_ok(ring, slot[i], had[i])) {
			fe_fail("padding byte %u of the response is 0x%02x (request had 0x%02x)",
				i, slot[i], had[i]);
		}
	}
}

/**
 * fe_ring_take() - consume one response
 * @ring: ring
 * @rsp: the response
 *
 * Checks the index and each byte of the slot.
 *
 * Return: true if there was one.
 */
bool fe_ring_take(struct fe_ring *ring, struct fe_wire_rsp *rsp)
{
	uint32_t prod = fe_ring_get(ring, FE_RING_RSP_PROD);
	uint8_t slot[FE_MAX_SLOT_SIZE];
	size_t offset;

	if (ring->broken || prod == ring->rsp_cons)
		return false;
	if (prod - ring->rsp_cons > ring->req_pushed - ring->rsp_cons &&
	    !ring->loose) {
		fe_fail("ring %u: rsp_prod %u is beyond the %u requests ever pushed",
			ring->index, prod, ring->req_pushed);
		ring->broken = true;
		return false;
	}
	/* Index before slots; pairs with the backend's write barrier. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	offset = fe_abi_slot_offset(ring->abi,
				    ring->rsp_cons & (ring->nr_entries - 1));
	memcpy(slot, ring->sring + offset, ring->abi->slot_size);
	if (!ring->loose)
		check_slot_bytes(ring, slot, offset);
	memcpy(ring->image + offset, slot, ring->abi->slot_size);
	ring->rsp_cons++;
	fe_abi_decode(ring->abi, slot, rsp);
	return true;
}
