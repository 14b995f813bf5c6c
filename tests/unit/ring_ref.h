/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring as the public headers' own macros compute it, for both layouts. */
#ifndef RING_REF_H
#define RING_REF_H

#include <linux/types.h>

struct ring_ref {
	size_t slot_bytes;
	/* Slots of a ring of this size. */
	u32 (*nr_ents)(size_t bytes);
	/* Where slot @idx lies, from the start of the ring. */
	size_t (*slot_offset)(void *page, size_t bytes, u32 idx);
	/* RING_PUSH_RESPONSES_AND_CHECK_NOTIFY() from @old to @new. */
	bool (*push)(void *page, size_t bytes, u32 old, u32 new);
	/* RING_REQUEST_PROD_OVERFLOW() */
	bool (*overflow)(void *page, size_t bytes, u32 rsp_prod, u32 req_prod);
};

extern const struct ring_ref ring_ref_32, ring_ref_64;

#endif /* RING_REF_H */
