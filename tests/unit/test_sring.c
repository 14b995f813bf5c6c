// SPDX-License-Identifier: GPL-2.0-only
/* Index arithmetic, for rings of all sizes, against the public macros. */
#include <linux/array_size.h>
#include <linux/errno.h>

#include "core/sring.h"
#include "kunit/sring_rows.h"
#include "ring_ref.h"
#include "unit.h"

#define MAX_PAGES	16

struct fixture {
	struct xenvbd_sring sring;
	const struct ring_ref *ref;
	u32 *idx;	/* the four words of the shared page */
	size_t bytes;
};

enum { REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT };

static const struct ring_ref *ref_of(enum xenvbd_abi abi)
{
	return abi == XENVBD_ABI_X86_32 ? &ring_ref_32 : &ring_ref_64;
}

/* A ring that ran up to @start, with as many requests pending as there are slots or less. */
static int attach(struct fixture *f, unsigned int pages, enum xenvbd_abi abi, u32 start,
		  u32 pending)
{
	f->bytes = pages * 4096;
	/* Of this very size, so that ASan sees a slot that lies outside. */
	f->idx = aligned_alloc(4096, f->bytes);
	assert_non_null(f->idx);
	memset(f->idx, 0xa5, f->bytes);
	f->ref = ref_of(abi);
	f->idx[REQ_PROD] = start + pending;
	f->idx[RSP_PROD] = start;
	memset(&f->sring, 0xe5, sizeof(f->sring));
	return xenvbd_sring_attach(&f->sring, f->idx, f->bytes, abi);
}

static void detach(struct fixture *f)
{
	free(f->idx);
}

static void attach_ok(struct fixture *f, unsigned int pages, enum xenvbd_abi abi, u32 start,
		      u32 pending)
{
	int err = attach(f, pages, abi, start, pending);

	expect(!err, "%d: %u pages, abi %d, start 0x%x, %u pending", err, pages, abi, start,
	       pending);
}

static void rings_have_as_many_slots_as_the_public_macros_say(void **state)
{
	unsigned int pages, i;

	for (i = 0; i < ARRAY_SIZE(ring_sizes); i++) {
		size_t bytes = ring_sizes[i].pages * 4096;

		assert_int_equal(xenvbd_sring_nr_ents(bytes, XENVBD_ABI_X86_32), ring_sizes[i].nr_ents);
		assert_int_equal(xenvbd_sring_nr_ents(bytes, XENVBD_ABI_X86_64), ring_sizes[i].nr_ents);
	}
	for (pages = 1; pages <= 32; pages++) {
		size_t bytes = pages * 4096;

		expect(xenvbd_sring_nr_ents(bytes, XENVBD_ABI_X86_32) == ring_ref_32.nr_ents(bytes),
		       "%u pages", pages);
		expect(xenvbd_sring_nr_ents(bytes, XENVBD_ABI_X86_64) == ring_ref_64.nr_ents(bytes),
		       "%u pages", pages);
	}
}

/* Calls @fn for each number of pages, layout and start. */
static void for_all(void (*fn)(unsigned int pages, enum xenvbd_abi abi, u32 start))
{
	unsigned int pages, abi, i;

	for (pages = 1; pages <= MAX_PAGES; pages++)
		for (abi = XENVBD_ABI_X86_32; abi <= XENVBD_ABI_X86_64; abi++)
			for (i = 0; i < ARRAY_SIZE(ring_starts); i++)
				fn(pages, abi, ring_starts[i]);
}

static void attach_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	struct fixture f;
	u32 nr_ents = xenvbd_sring_nr_ents(pages * 4096, abi);
	const u32 pending[] = { 0, 1, nr_ents - 1, nr_ents };
	const u32 bogus[] = { nr_ents + 1, nr_ents + 2, 2 * nr_ents, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pending); i++) {
		attach_ok(&f, pages, abi, start, pending[i]);
		expect(f.sring.page == (void *)f.idx, "%u pages", pages);
		expect(f.sring.nr_ents == nr_ents, "%u", f.sring.nr_ents);
		expect(f.sring.slot_bytes == f.ref->slot_bytes, "%u", f.sring.slot_bytes);
		expect(f.sring.abi == abi, "%d", f.sring.abi);
		expect(f.sring.req_cons == start && f.sring.rsp_prod == start &&
		       f.sring.rsp_pushed == start, "start 0x%x", start);
		expect(xenvbd_sring_pending(&f.sring) == (int)pending[i], "%u", pending[i]);
		expect(!xenvbd_sring_inflight(&f.sring), "start 0x%x", start);
		/* Looking at a ring changes nothing in it. */
		expect(f.idx[REQ_PROD] == start + pending[i] && f.idx[RSP_PROD] == start &&
		       f.idx[REQ_EVENT] == 0xa5a5a5a5 && f.idx[RSP_EVENT] == 0xa5a5a5a5,
		       "start 0x%x", start);
		detach(&f);
	}
	for (i = 0; i < ARRAY_SIZE(bogus); i++) {
		expect(attach(&f, pages, abi, start, bogus[i]) == -EPROTO,
		       "%u pages, start 0x%x, req_prod + 0x%x", pages, start, bogus[i]);
		detach(&f);
	}
}

/* A running ring: what lies between response and request is executed again. */
static void a_running_ring_can_be_attached_anywhere(void **state)
{
	for_all(attach_one);
}

/* Fill slots with their own index, as the public header finds them. */
static void put_requests(struct fixture *f, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		u32 idx = f->idx[REQ_PROD]++;
		u8 *slot = (u8 *)f->idx + f->ref->slot_offset(f->idx, f->bytes, idx);
		u32 k;

		for (k = 0; k < f->ref->slot_bytes; k++)
			slot[k] = idx * 7 + k;
	}
}

static void fetch_expect(struct fixture *f)
{
	struct xenvbd_slot slot;
	u32 idx = f->sring.req_cons;
	u32 k;

	memset(&slot, 0xe5, sizeof(slot));
	xenvbd_sring_fetch(&f->sring, &slot);
	expect(f->sring.req_cons == idx + 1, "0x%x", idx);
	for (k = 0; k < f->ref->slot_bytes; k++)
		expect(slot.bytes[k] == (u8)(idx * 7 + k), "request 0x%x, byte %u", idx, k);
	for (; k < sizeof(slot); k++)
		expect(slot.bytes[k] == 0xe5, "request 0x%x, byte %u", idx, k);
}

static void respond_expect(struct fixture *f)
{
	u32 idx = f->sring.rsp_prod;
	size_t offset = f->ref->slot_offset(f->idx, f->bytes, idx);
	u8 *slot = (u8 *)f->idx + offset;
	size_t rsp_bytes = f->ref == &ring_ref_32 ? 12 : 16;
	u8 before[112];
	size_t k;

	memcpy(before, slot, f->ref->slot_bytes);
	xenvbd_sring_respond(&f->sring, 0x1111111100000000 + idx, 1, BLK_STS_OK);
	expect(f->sring.rsp_prod == idx + 1, "0x%x", idx);
	expect(!memcmp(slot, &(u64){ 0x1111111100000000 + idx }, 8), "response 0x%x", idx);
	expect(slot[8] == 1, "response 0x%x", idx);
	for (k = 9; k < rsp_bytes; k++)
		expect(!slot[k], "response 0x%x, byte %zu", idx, k);
	for (; k < f->ref->slot_bytes; k++)
		expect(slot[k] == before[k], "response 0x%x, byte %zu", idx, k);
}

/* Three times round, a full ring each time, across the wrap of the indices. */
static void cycle_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	struct fixture f;
	u32 round, i, nr_ents;

	attach_ok(&f, pages, abi, start, 0);
	nr_ents = f.sring.nr_ents;
	for (round = 0; round < 3; round++) {
		put_requests(&f, nr_ents);
		for (i = 0; i < nr_ents; i++) {
			expect(xenvbd_sring_pending(&f.sring) == (int)(nr_ents - i), "%u", i);
			fetch_expect(&f);
			expect(xenvbd_sring_inflight(&f.sring) == i + 1, "%u", i);
		}
		expect(!xenvbd_sring_pending(&f.sring), "start 0x%x", start);
		for (i = 0; i < nr_ents; i++) {
			respond_expect(&f);
			expect(f.idx[RSP_PROD] == start + round * nr_ents, "%u: seen early", i);
		}
		expect(!xenvbd_sring_inflight(&f.sring), "start 0x%x", start);
		xenvbd_sring_push(&f.sring);
		expect(f.idx[RSP_PROD] == start + (round + 1) * nr_ents, "round %u", round);
	}
	detach(&f);
}

static void a_full_ring_goes_round_and_over_the_wrap(void **state)
{
	for_all(cycle_one);
}

/* Every distance from taken and answered, in both directions. */
static void bogus_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	struct fixture f;
	u32 nr_ents, taken, answered, prod;
	int d;

	attach_ok(&f, pages, abi, start, 0);
	nr_ents = f.sring.nr_ents;
	taken = nr_ents / 2;
	answered = nr_ents / 4;
	put_requests(&f, taken);
	for (d = 0; d < (int)taken; d++)
		fetch_expect(&f);
	for (d = 0; d < (int)answered; d++)
		respond_expect(&f);

	for (d = -2 * (int)nr_ents; d <= 2 * (int)nr_ents; d++) {
		int ahead = (int)(taken - answered) + d;
		bool ok = d >= 0 && ahead <= (int)nr_ents;

		prod = start + taken + d;
		f.idx[REQ_PROD] = prod;
		expect(xenvbd_sring_pending(&f.sring) == (ok ? d : -EPROTO),
		       "%u pages, start 0x%x, %d from taken", pages, start, d);
		expect(xenvbd_sring_rearm(&f.sring) == (ok ? d : -EPROTO),
		       "%u pages, start 0x%x, %d from taken", pages, start, d);
		if (ok)
			expect(!f.ref->overflow(f.idx, f.bytes, start + answered, prod), "%d", d);
		else if (d > 0)
			expect(f.ref->overflow(f.idx, f.bytes, start + answered, prod), "%d", d);
	}
	detach(&f);
}

static void a_wrong_req_prod_is_seen(void **state)
{
	for_all(bogus_one);
}

static void far_away_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	static const u32 far[] = { 0x40000000, 0x7fffffff, 0x80000000, 0x80000001, 0xc0000000 };
	struct fixture f;
	unsigned int i;

	attach_ok(&f, pages, abi, start, 0);
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		f.idx[REQ_PROD] = start + far[i];
		expect(xenvbd_sring_pending(&f.sring) == -EPROTO, "0x%x from 0x%x", far[i], start);
	}
	detach(&f);
}

static void a_req_prod_far_away_is_seen(void **state)
{
	for_all(far_away_one);
}

/*
 * All positions of rsp_event around a batch of responses, against the macro
 * that other backends use.
 */
static void notify_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	struct fixture f, ref;
	u32 nr_ents, nr, i;
	int event;

	attach_ok(&ref, pages, abi, 0, 0);
	nr_ents = ref.sring.nr_ents;
	for (nr = 0; nr <= nr_ents; nr += nr < 3 ? 1 : nr_ents / 2 - 1) {
		for (event = -3; event <= (int)nr + 3; event++) {
			bool got, want;

			attach_ok(&f, pages, abi, start, nr);
			for (i = 0; i < nr; i++)
				f.sring.req_cons++;
			for (i = 0; i < nr; i++)
				xenvbd_sring_respond(&f.sring, i, 0, BLK_STS_OK);
			f.idx[RSP_EVENT] = start + event;
			ref.idx[RSP_EVENT] = start + event;

			got = xenvbd_sring_push(&f.sring);
			want = ref.ref->push(ref.idx, ref.bytes, start, start + nr);
			expect(got == want, "0x%x + %u, rsp_event + %d", start, nr, event);
			/* The rule itself, in words: is it among the new ones? */
			expect(got == (event >= 1 && event <= (int)nr), "%u, %d", nr, event);
			expect(f.idx[RSP_PROD] == start + nr, "0x%x + %u", start, nr);
			/* Nothing new: nothing to tell. */
			expect(!xenvbd_sring_push(&f.sring), "0x%x + %u", start, nr);
			detach(&f);
		}
	}
	detach(&ref);
}

static void a_push_notifies_as_the_public_macro_does(void **state)
{
	unsigned int abi, i;

	for (abi = XENVBD_ABI_X86_32; abi <= XENVBD_ABI_X86_64; abi++) {
		for (i = 0; i < ARRAY_SIZE(ring_starts); i++) {
			notify_one(1, abi, ring_starts[i]);
			notify_one(2, abi, ring_starts[i]);
		}
	}
}

static void rearm_one(unsigned int pages, enum xenvbd_abi abi, u32 start)
{
	struct fixture f;

	attach_ok(&f, pages, abi, start, 0);
	expect(xenvbd_sring_rearm(&f.sring) == 0, "start 0x%x", start);
	expect(f.idx[REQ_EVENT] == start + 1, "0x%x: 0x%x", start, f.idx[REQ_EVENT]);

	/* A request that came before the question is found at the last look. */
	put_requests(&f, 2);
	expect(xenvbd_sring_rearm(&f.sring) == 2, "start 0x%x", start);
	expect(f.idx[REQ_EVENT] == start + 1, "0x%x: 0x%x", start, f.idx[REQ_EVENT]);

	/* It is the next one to take that counts, answered or not. */
	fetch_expect(&f);
	fetch_expect(&f);
	expect(xenvbd_sring_rearm(&f.sring) == 0, "start 0x%x", start);
	expect(f.idx[REQ_EVENT] == start + 3, "0x%x: 0x%x", start, f.idx[REQ_EVENT]);
	expect(f.idx[RSP_PROD] == start && f.idx[RSP_EVENT] == 0xa5a5a5a5, "start 0x%x", start);
	detach(&f);
}

static void rearm_asks_for_the_next_request_and_looks_again(void **state)
{
	for_all(rearm_one);
}

/* A frontend by the public rules and the driver: nobody sleeps on work. */
static void no_wakeup_is_lost(void **state)
{
	struct fixture f;
	u32 seed = 1, sent = 0, taken = 0;
	bool event = false;
	unsigned int i;

	attach_ok(&f, 1, XENVBD_ABI_X86_64, 0xffffff00, 0);
	assert_int_equal(xenvbd_sring_rearm(&f.sring), 0);
	for (i = 0; i < 100000; i++) {
		u32 old = f.idx[REQ_PROD];
		u32 room = f.sring.nr_ents - (old - f.sring.rsp_prod);
		u32 nr = room ? prng(&seed) % (room + 1) : 0;

		put_requests(&f, nr);
		sent += nr;
		event |= f.idx[REQ_PROD] - f.idx[REQ_EVENT] < f.idx[REQ_PROD] - old;
		if (!event) {
			expect(sent == taken, "%u sent, %u taken, and no event", sent, taken);
			continue;
		}
		event = false;
		do {
			while (xenvbd_sring_pending(&f.sring) > 0) {
				fetch_expect(&f);
				respond_expect(&f);
				taken++;
			}
			xenvbd_sring_push(&f.sring);
		} while (xenvbd_sring_rearm(&f.sring));
	}
	detach(&f);
}

int main(void)
{
	const struct CMUnitTest ring[] = {
		cmocka_unit_test(rings_have_as_many_slots_as_the_public_macros_say),
		cmocka_unit_test(a_running_ring_can_be_attached_anywhere),
		cmocka_unit_test(a_full_ring_goes_round_and_over_the_wrap),
		cmocka_unit_test(a_wrong_req_prod_is_seen),
		cmocka_unit_test(a_req_prod_far_away_is_seen),
		cmocka_unit_test(a_push_notifies_as_the_public_macro_does),
		cmocka_unit_test(rearm_asks_for_the_next_request_and_looks_again),
		cmocka_unit_test(no_wakeup_is_lost),
	};

	return RUN(ring);
}
