// SPDX-License-Identifier: GPL-2.0-only
/* Index arithmetic of one shared ring. Layer 0: pure. */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "core/sring.h"

/**
 * xenvbd_sring_nr_ents - number of slots of a ring
 * @bytes: size of the ring, a multiple of 4096
 * @abi: layout of the slots
 *
 * Return: the largest power of two that fits, as both sides compute it.
 */
u32 xenvbd_sring_nr_ents(size_t bytes, enum xenvbd_abi abi)
{
	return rounddown_pow_of_two((bytes - sizeof(struct xenvbd_sring_page)) /
				    xenvbd_slot_bytes(abi));
}

/* Distance from our last response to the guest's last request; see pending. */
static int sring_pending(const struct xenvbd_sring *sring, u32 req_prod)
{
	if (req_prod - sring->rsp_prod > sring->nr_ents)
		return -EPROTO;
	/* The guest may move req_prod back: then there is less than nothing. */
	if (req_prod - sring->rsp_prod < xenvbd_sring_inflight(sring))
		return -EPROTO;
	return req_prod - sring->req_cons;
}

/**
 * xenvbd_sring_attach - start to serve a ring
 * @sring: all members are set
 * @page: the shared memory
 * @bytes: its size, a multiple of 4096
 * @abi: layout of the slots
 *
 * Work goes on where the last backend of this ring left it, so that another
 * driver can be replaced under a running guest: what lies between the last
 * response and the last request is executed again.
 *
 * Return: 0, or -EPROTO if the guest's index is further from ours than the
 * ring is long.
 */
int xenvbd_sring_attach(struct xenvbd_sring *sring, void *page, size_t bytes,
			enum xenvbd_abi abi)
{
	u32 rsp_prod;

	sring->page = page;
	sring->nr_ents = xenvbd_sring_nr_ents(bytes, abi);
	sring->slot_bytes = xenvbd_slot_bytes(abi);
	sring->abi = abi;

	rsp_prod = READ_ONCE(sring->page->rsp_prod);
	sring->req_cons = rsp_prod;
	sring->rsp_prod = rsp_prod;
	sring->rsp_pushed = rsp_prod;

	return sring_pending(sring, READ_ONCE(sring->page->req_prod)) < 0
		       ? -EPROTO
		       : 0;
}

/**
 * xenvbd_sring_pending - count the requests that can be taken
 * @sring: the ring
 *
 * Return: their number, at most the number of slots, or -EPROTO if the
 * guest's index makes no sense (CVE-2010-4247): the ring must then not be
 * used any more.
 */
int xenvbd_sring_pending(const struct xenvbd_sring *sring)
{
	u32 req_prod = READ_ONCE(sring->page->req_prod);

	/*
	 * The slots must not be read before the index. Pairs with the write
	 * barrier of the frontend between filling slots and moving req_prod
	 * (RING_PUSH_REQUESTS).
	 */
	virt_rmb();

	return sring_pending(sring, req_prod);
}

static void *sring_slot(const struct xenvbd_sring *sring, u32 idx)
{
	return (u8 *)(sring->page + 1) +
	       (idx & (sring->nr_ents - 1)) * sring->slot_bytes;
}

/**
 * xenvbd_sring_fetch - take the next request
 * @sring: the ring; xenvbd_sring_pending() has said that there is one
 * @slot: private copy; the only read of the shared slot there is (XSA-155)
 */
void xenvbd_sring_fetch(struct xenvbd_sring *sring, struct xenvbd_slot *slot)
{
	const void *shared = sring_slot(sring, sring->req_cons);

	/* Of constant size, so that the compiler does without a call. */
	if (sring->abi == XENVBD_ABI_X86_64)
		memcpy(slot->bytes, shared, XENVBD_SLOT_X86_64);
	else
		memcpy(slot->bytes, shared, XENVBD_SLOT_X86_32);
	/*
	 * From here on the compiler must take the bytes from @slot: without
	 * this it may undo the copy and go to the shared memory once more.
	 */
	barrier_data(slot->bytes);
	sring->req_cons++;
}

/**
 * xenvbd_sring_respond - write a response, not yet visible to the guest
 * @sring: the ring
 * @id: cookie of the request
 * @op: operation of the request
 * @status: its result
 */
void xenvbd_sring_respond(struct xenvbd_sring *sring, u64 id, u8 op,
			  blk_status_t status)
{
	xenvbd_rsp_encode(sring_slot(sring, sring->rsp_prod), sring->abi, id,
			  op, status);
	sring->rsp_prod++;
}

/**
 * xenvbd_sring_push - show the guest all responses written so far
 * @sring: the ring
 *
 * Return: true if the guest asked to be notified of one of them.
 */
bool xenvbd_sring_push(struct xenvbd_sring *sring)
{
	u32 old = sring->rsp_pushed;
	u32 new = sring->rsp_prod;

	if (old == new)
		return false;

	/*
	 * Responses before the index. Pairs with the read barrier of the
	 * frontend between reading rsp_prod and the responses.
	 */
	virt_wmb();
	WRITE_ONCE(sring->page->rsp_prod, new);
	sring->rsp_pushed = new;

	/*
	 * The index before the question whether the guest wants an event. Pairs with
	 * the frontend's barrier between setting rsp_event and looking at
	 * rsp_prod a last time (RING_FINAL_CHECK_FOR_RESPONSES).
	 */
	virt_mb();

	return new - READ_ONCE(sring->page->rsp_event) < new - old;
}

/**
 * xenvbd_sring_rearm - ask for an event with the next request, then look again
 * @sring: the ring
 *
 * To be called before going to sleep.
 *
 * Return: as xenvbd_sring_pending(); 0 means that an event will come.
 */
int xenvbd_sring_rearm(struct xenvbd_sring *sring)
{
	WRITE_ONCE(sring->page->req_event, sring->req_cons + 1);
	/*
	 * The question before the last look. Pairs with the frontend's barrier
	 * between moving req_prod and reading req_event
	 * (RING_PUSH_REQUESTS_AND_CHECK_NOTIFY).
	 */
	virt_mb();

	return xenvbd_sring_pending(sring);
}
