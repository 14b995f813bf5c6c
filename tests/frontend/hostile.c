// SPDX-License-Identifier: GPL-2.0-only
/* Commands that break the protocol on purpose. */
#include "script.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static void cmd_kick(struct fe *fe, struct fe_args *args)
{
	unsigned int queue = (unsigned int)fe_arg_num(args, "queue", 0);

	if (queue < fe->io.nr_rings)
		fe_ring_kick(&fe->io.rings[queue]);
	else
		fe_fail("queue %u does not exist", queue);
}

static void set_index(struct fe *fe, struct fe_args *args, const char *key,
		      unsigned int offset)
{
	unsigned int queue = (unsigned int)fe_arg_num(args, "queue", 0);
	const char *text = fe_arg(args, key);
	struct fe_ring *ring;
	uint64_t value = 0;

	if (!text)
		return;
	if (queue >= fe->io.nr_rings) {
		fe_fail("queue %u does not exist", queue);
		return;
	}
	ring = &fe->io.rings[queue];
	/* "size" is the number of slots; +N and -N are relative. */
	if (!strcmp(text, "pushed")) {
		value = ring->req_pushed;
	} else if (!strncmp(text, "+size", 5) &&
		   fe_parse_num(text[5] ? text + 5 : "0", 0, &value)) {
		value += ring->nr_entries + fe_ring_get(ring, offset);
	} else if ((*text == '+' || *text == '-') &&
		   fe_parse_num(text + 1, 0, &value)) {
		value = fe_ring_get(ring, offset) +
			(*text == '-' ? -value : value);
	} else if (!fe_parse_num(text, 0, &value)) {
		fe_fail("%s=%s: not a number", key, text);
		return;
	}
	fe_ring_set(ring, offset, (uint32_t)value);
}

static void cmd_set(struct fe *fe, struct fe_args *args)
{
	set_index(fe, args, "req_prod", FE_RING_REQ_PROD);
	set_index(fe, args, "req_event", FE_RING_REQ_EVENT);
	set_index(fe, args, "rsp_prod", FE_RING_RSP_PROD);
	set_index(fe, args, "rsp_event", FE_RING_RSP_EVENT);
}

static void cmd_storm(struct fe *fe, struct fe_args *args)
{
	unsigned long count = fe_arg_num(args, "count", 10000);
	unsigned int queue = (unsigned int)fe_arg_num(args, "queue", 0);
	uint64_t start = fe_io_now_us();
	unsigned long i;

	if (queue >= fe->io.nr_rings) {
		fe_fail("queue %u does not exist", queue);
		return;
	}
	for (i = 0; i < count; i++)
		fe_ring_kick(&fe->io.rings[queue]);
	fe_note("%lu events in %llu ms", count,
		(unsigned long long)(fe_io_now_us() - start) / 1000);
}

struct mutator {
	struct fe_ring *ring;
	/* descriptor page of INDIRECT requests; NULL: change slots */
	struct fe_page *desc;
	uint64_t rng;
	bool grefs;
	volatile bool stop;
	unsigned long flips;
};

/* May this byte of a slot change? Segment grefs name memory of this domain. */
static bool may_flip(const struct mutator *m, unsigned int b)
{
	unsigned int segs = m->ring->abi->segs;

	return m->grefs || b < segs ||
	       (b - segs) % FE_SEG_SIZE >= sizeof(uint32_t);
}

/* A byte of a slot, or NULL if it had better stay. */
static volatile uint8_t *slot_byte(const struct mutator *m, uint64_t r)
{
	const struct fe_ring *ring = m->ring;
	unsigned int slot = (unsigned int)r & (ring->nr_entries - 1);
	unsigned int b = (unsigned int)(r >> 16) % ring->abi->slot_size;

	if (!may_flip(m, b))
		return NULL;
	return ring->sring + fe_abi_slot_offset(ring->abi, slot) + b;
}

/* First or last sector of one of the segments. */
static volatile uint8_t *desc_byte(const struct mutator *m, uint64_t r)
{
	return m->desc->va + r % FE_MAX_DIRECT_SEGS * FE_SEG_SIZE +
	       sizeof(uint32_t) + (r >> 16) % 2;
}

/* Flip to and fro: what the backend reads twice differs now and then. */
static void *mutate_thread(void *arg)
{
	struct mutator *m = arg;

	while (!m->stop) {
		uint64_t r = fe_random(&m->rng);
		volatile uint8_t *p = m->desc ? desc_byte(m, r) :
						slot_byte(m, r);
		unsigned int i;
		uint8_t old;

		if (!p)
			continue;
		old = *p;
		for (i = 0; i < 64; i++) {
			*p = (uint8_t)(r >> 32);
			*p = old;
		}
		m->flips++;
	}
	return NULL;
}

/* Fill the ring with reads and writes of our own pages; no bookkeeping. */
static void put_round(struct fe *fe, const struct mutator *m,
		      struct fe_page **pages, uint64_t *rng)
{
	struct fe_ring *ring = m->ring;
	uint8_t slot[FE_MAX_SLOT_SIZE];
	struct fe_wire_req req;
	unsigned int i;

	while (fe_ring_room(ring)) {
		memset(&req, 0, sizeof(req));
		req.op = fe_random(rng) & 1 ? FE_OP_READ : FE_OP_WRITE;
		if (fe->io.read_only)
			req.op = FE_OP_READ;
		req.nr_segs = FE_MAX_DIRECT_SEGS;
		req.nr_wire_segs = FE_MAX_DIRECT_SEGS;
		req.id = fe_random(rng);
		req.sector = fe_random(rng) % (fe->io.features.sectors - 88);
		for (i = 0; i < FE_MAX_DIRECT_SEGS; i++) {
			req.segs[i].gref = pages[i]->ref;
			req.segs[i].last = 7;
		}
		if (m->desc) {
			req.inner_op = req.op;
			req.op = FE_OP_INDIRECT;
			req.nr_indirect = 1;
			req.indirect[0] = m->desc->ref;
		}
		memset(slot, 0, sizeof(slot));
		fe_abi_encode(ring->abi, &req, slot);
		fe_ring_put(ring, slot);
	}
	fe_ring_push(ring, FE_NOTIFY_AUTO);
}

/* Statuses and ids are anybody's guess, but the number of responses is not. */
static bool drain_round(struct fe *fe, struct fe_ring *ring)
{
	uint64_t end = fe_io_now_us() + fe->io.timeout_ms * 1000ull;
	struct fe_wire_rsp rsp;

	while (ring->rsp_cons != ring->req_pushed) {
		if (fe_ring_take(ring, &rsp)) {
			end = fe_io_now_us() + fe->io.timeout_ms * 1000ull;
			continue;
		}
		if (fe_io_now_us() > end)
			return false;
		if (!fe_ring_arm(ring))
			fe_io_wait_event(&fe->io, 100);
	}
	return true;
}

/* The segments of all INDIRECT requests: whole pages, as in put_round(). */
static void fill_desc(struct mutator *m, struct fe_page **pages)
{
	unsigned int i;

	for (i = 0; i < FE_MAX_DIRECT_SEGS; i++) {
		struct fe_wire_seg seg = { .gref = pages[i]->ref, .last = 7 };

		fe_abi_encode_seg(&seg, m->desc->va + i * FE_SEG_SIZE);
	}
}

static void mutate(struct fe *fe, struct mutator *m, unsigned long rounds)
{
	struct fe_page *pages[FE_MAX_DIRECT_SEGS] = { NULL };
	unsigned long i;
	pthread_t thread;

	for (i = 0; i < FE_MAX_DIRECT_SEGS; i++) {
		pages[i] = fe_pool_get(&fe->io.grants);
		if (!pages[i]) {
			fe_fail("cannot grant pages");
			goto out;
		}
	}
	if (m->desc)
		fill_desc(m, pages);
	if (pthread_create(&thread, NULL, mutate_thread, m)) {
		fe_fail("cannot create a thread");
		goto out;
	}
	for (i = 0; i < rounds; i++) {
		put_round(fe, m, pages, &fe->io.seed);
		if (!drain_round(fe, m->ring)) {
			fe_fail("round %lu: %u of %u requests answered", i,
				m->ring->rsp_cons, m->ring->req_pushed);
			break;
		}
	}
	m->stop = true;
	pthread_join(thread, NULL);
	fe_note("%lu requests under %lu mutations", i * m->ring->nr_entries,
		m->flips);
out:
	for (i = 0; i < FE_MAX_DIRECT_SEGS; i++)
		if (pages[i])
			fe_pool_put(&fe->io.grants, pages[i]);
}

static void cmd_mutate(struct fe *fe, struct fe_args *args)
{
	unsigned int queue = (unsigned int)fe_arg_num(args, "queue", 0);
	unsigned long rounds = fe_arg_num(args, "rounds", 100);
	const char *fields = fe_arg(args, "fields");
	struct mutator m = {
		.rng = fe_arg_num(args, "seed", 1),
		.grefs = fields && !strcmp(fields, "all"),
	};

	if (queue >= fe->io.nr_rings || fe->io.nr_outstanding ||
	    fe->io.features.sectors <= 88) {
		fe_fail("needs an idle, connected queue and a disk of 89 sectors");
		return;
	}
	if (fields && !strcmp(fields, "descriptors")) {
		m.desc = fe_pool_get(&fe->io.grants);
		if (!m.desc) {
			fe_fail("cannot grant a page");
			return;
		}
	}
	m.ring = &fe->io.rings[queue];
	m.ring->loose = true;
	mutate(fe, &m, rounds);
	m.ring->loose = false;
	if (m.desc)
		fe_pool_put(&fe->io.grants, m.desc);
	/* Mutated writes went who knows where. */
	fe_shadow_forget(&fe->io.shadow, 0, UINT64_MAX);
}

static const char *random_text(uint64_t r)
{
	static const char * const texts[] = {
		"", "0", "1", "-1", "4294967295", "4294967296",
		"18446744073709551616", "0x10", "junk", "1 2", " 7", "%s%n",
		"\xc3\xa4", "99999999999999999999999999999999999999999999",
	};

	return texts[r % (sizeof(texts) / sizeof(texts[0]))];
}

/* A random walk over frontend states and keys; then the caller recovers. */
static void cmd_toggle(struct fe *fe, struct fe_args *args)
{
	static const char * const keys[] = {
		"ring-ref", "ring-ref0", "event-channel", "ring-page-order",
		"num-ring-pages", "protocol", "multi-queue-num-queues",
		"feature-persistent",
	};
	unsigned long count = fe_arg_num(args, "count", 100);
	uint64_t rng = fe_arg_num(args, "seed", 1);
	uint64_t delay_us = fe_arg_num(args, "delay", 2000);
	/* State 0 ends the vbd for good: not by default. */
	uint64_t lowest = fe_arg_num(args, "lowest", 1);
	struct fe_kv kv;
	unsigned long i;

	for (i = 0; i < count; i++) {
		uint64_t r = fe_random(&rng);

		if (r & 1) {
			fe_dev_set_state(&fe->dev, (unsigned int)(lowest +
					 (r >> 8) % (10 - lowest)));
		} else {
			kv.key = keys[(r >> 8) % 8];
			kv.value = r & 2 ? random_text(r >> 16) : NULL;
			fe_xs_write_all(&fe->dev, fe->dev.fe_path, &kv, 1);
		}
		if (r & 4)
			usleep((useconds_t)((r >> 32) % (delay_us + 1)));
	}
}

const struct fe_cmd fe_hostile_cmds[] = {
	{ "kick", false, cmd_kick, "[queue=0]" },
	{ "set", false, cmd_set, "[req_prod|req_event|rsp_prod|rsp_event=N|+N|-N|+size[N]|pushed] [queue=0]" },
	{ "storm", true, cmd_storm, "[count=10000] [queue=0]" },
	{ "mutate", true, cmd_mutate, "[rounds=100] [seed=1] [fields=safe|all|descriptors] [queue=0]" },
	{ "toggle", true, cmd_toggle, "[count=100] [seed=1] [delay=2000] [lowest=1]" },
	{ NULL, false, NULL, NULL },
};
