// SPDX-License-Identifier: GPL-2.0-only
/*
 * Built twice. Packing to four bytes is all that tells x86_32's layout from
 * x86_64's, so the public header itself serves as the reference for both.
 */
#include "ring_ref.h"

/* Since this version of the interface the barriers are ours to define. */
#define __XEN_INTERFACE_VERSION__	0x00030208
#define xen_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)

#ifdef REF_X86_32
#pragma pack(push, 4)
#include <xen/io/blkif.h>
#pragma pack(pop)
#define RING_REF	ring_ref_32
#else
#include <xen/io/blkif.h>
#define RING_REF	ring_ref_64
#endif

static blkif_back_ring_t back_ring(void *page, size_t bytes)
{
	blkif_back_ring_t ring;
	blkif_sring_t *sring = page;

	BACK_RING_ATTACH(&ring, sring, 0, bytes);
	return ring;
}

static u32 nr_ents(size_t bytes)
{
	return __CONST_RING_SIZE(blkif, bytes);
}

static size_t slot_offset(void *page, size_t bytes, u32 idx)
{
	blkif_back_ring_t ring = back_ring(page, bytes);

	return (char *)RING_GET_REQUEST(&ring, idx) - (char *)page;
}

static bool push(void *page, size_t bytes, u32 old, u32 new)
{
	blkif_back_ring_t ring = back_ring(page, bytes);
	bool notify;

	ring.sring->rsp_prod = old;
	ring.rsp_prod_pvt = new;
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&ring, notify);
	return notify;
}

static bool overflow(void *page, size_t bytes, u32 rsp_prod, u32 req_prod)
{
	blkif_back_ring_t ring = back_ring(page, bytes);

	ring.rsp_prod_pvt = rsp_prod;
	return RING_REQUEST_PROD_OVERFLOW(&ring, req_prod);
}

const struct ring_ref RING_REF = {
	.slot_bytes = sizeof(union blkif_sring_entry),
	.nr_ents = nr_ents,
	.slot_offset = slot_offset,
	.push = push,
	.overflow = overflow,
};
