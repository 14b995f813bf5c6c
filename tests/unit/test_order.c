// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ordering of barriers, walked through in every interleaving of a few rings
 * that take a few writes and barriers each, in whatever sequence. The model around
 * the core does what data/barrier.c does, but its steps may come in any order: a
 * kick is heard at any time after it was sent, a write is done at any time after
 * it was started, and a ring that has nothing left to do may leave at any time, and
 * join again.
 */
#include "core/order.h"

#include "unit.h"

#define MAX_RINGS	3
#define MAX_OPS		4

/* A write that was taken, perhaps a barrier. */
struct op {
	/* By the core. */
	u8 number;
	/* By the model: its own number if it is a barrier, or the last one's. */
	u8 order;
	/* The barrier whose turn it was when the ring last looked before taking it. */
	u8 heard;
	bool barrier;
};

struct model_ring {
	struct xenvbd_order_ring core;
	struct op parked[MAX_OPS];
	u8 nr_parked;
	/* At the disk. */
	u8 nr_writes;
	u8 nr_barriers;
	u8 heard;
	u8 nr_ops;
	u8 nr_lives;
	bool joined;
	bool kicked;
	/* Something has happened, so that a pass follows. */
	bool awake;
};

struct model {
	struct xenvbd_order core;
	struct model_ring ring[MAX_RINGS];
	u8 nr_taken;
	u8 nr_done;
};

/* What can happen to a ring. The first four happen by themselves, sooner or later. */
enum step {
	LOOK, PASS, WRITE_DONE, BARRIER_DONE,
	JOIN, TAKE_WRITE, TAKE_BARRIER, LEAVE, NEEDLESS_LOOK, NEEDLESS_PASS,
	NR_STEPS
};

static const char *const step_names[] = {
	"looks", "passes", "has a write done", "has its barrier done",
	"joins", "takes a write", "takes a barrier", "leaves",
	"looks without need", "passes without need",
};

/* A walk that has not come to all of these does not tell much. */
enum sight {
	LEFT_BUSY, JOINED_LATE, STARTED_OLDER, PASSED_UNHEARD, TURN_TO_TURN, LAST_BUSY_KICKS,
	NR_SIGHTS
};

static const char *const sight_names[] = {
	"a busy ring leaves", "a ring joins while a barrier has its turn",
	"a parked write is older than the barrier", "a write is taken before its ring hears",
	"a barrier follows another one", "a ring that is not busy any more kicks another one",
};

/* How far a walk goes: needless steps are those that nobody was kicked for. */
static unsigned int nr_rings, max_ops, max_lives;
static bool needless;

static unsigned int nr_states, depth;
static ull sights[NR_SIGHTS];
static struct { u8 step, ring; } path[256];

static void print_path(void)
{
	unsigned int i;

	for (i = 0; i < depth; i++)
		printf("# ring %u %s\n", path[i].ring, step_names[path[i].step]);
}

#define must(cond, fmt, ...)						\
	do {								\
		if (!(cond)) {						\
			print_path();					\
			fail_msg("%s: " fmt, #cond, ##__VA_ARGS__);	\
		}							\
	} while (0)

/* ---- states that were seen ---------------------------------------------- */

/*
 * Of each state its hash is kept. That two of a million states share 63 bits has a
 * chance of one in ten million. Bit 0 tells whether the state is on the path.
 */
#define TABLE_SIZE	(1U << 22)

static u64 *table;

static u64 mix(u64 h, u64 value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* All members of the two structs of the core go into the hash. */
_Static_assert(sizeof(struct xenvbd_order) == 40, "struct xenvbd_order");
_Static_assert(sizeof(struct xenvbd_order_ring) == 24, "struct xenvbd_order_ring");

#define NO_TURN	100

static unsigned int heard(const struct model *m, u8 turn)
{
	return turn > m->nr_done ? turn - m->nr_done : 0;
}

static u64 hash_ring(const struct model *m, unsigned int r)
{
	const struct model_ring *ring = &m->ring[r];
	u64 h = mix(m->core.rings >> r & 1, m->core.busy >> r & 1);
	unsigned int i;

	h = mix(h, m->core.waiting >> r & 1);
	/* To the core no turn is not the same as one that is over, to the model it is. */
	h = mix(h, ring->core.turn ? ring->core.turn - m->nr_done : NO_TURN);
	h = mix(h, heard(m, ring->heard));
	h = mix(h, ring->core.nr_writes | (u64)ring->core.nr_parked << 32);
	h = mix(h, ring->nr_writes | ring->nr_barriers << 8 | ring->nr_ops << 16 |
		   (u64)ring->nr_lives << 24 | (u64)ring->joined << 32 |
		   (u64)ring->kicked << 33 | (u64)ring->awake << 34);
	for (i = 0; i < ring->nr_parked; i++) {
		const struct op *op = &ring->parked[i];

		h = mix(h, op->number - m->nr_done);
		h = mix(h, op->order - m->nr_done);
		h = mix(h, heard(m, op->heard) << 1 | op->barrier);
	}
	return mix(h, i);
}

/*
 * The same for states that differ only in which ring is which, or in how many
 * barriers have been done.
 */
static u64 hash(const struct model *m)
{
	u64 h = mix(m->core.nr_taken - m->nr_done, m->core.nr_done - m->nr_done);
	unsigned int r;

	h = mix(h, m->nr_taken - m->nr_done);
	for (r = 0; r < nr_rings; r++)
		h += hash_ring(m, r);
	return mix(h, 0) | 2;
}

/* Its place in the table, or the one that is free for it. */
static u64 *find(u64 h)
{
	u64 *entry = &table[h >> 40 & (TABLE_SIZE - 1)];

	while (*entry && (*entry | 1) != (h | 1))
		if (++entry == table + TABLE_SIZE)
			entry = table;
	return entry;
}

/* ---- what must hold ----------------------------------------------------- */

static u8 turn(const struct model *m)
{
	return m->nr_done < m->nr_taken ? m->nr_done + 1 : 0;
}

static unsigned int at_disk(const struct model *m)
{
	unsigned int r, nr = 0;

	for (r = 0; r < nr_rings; r++)
		nr += m->ring[r].nr_writes + m->ring[r].nr_barriers;
	return nr;
}

static void check_barrier_starts(const struct model *m, const struct op *op)
{
	unsigned int r, i;

	must(!at_disk(m), "a barrier is executed alone");
	must(op->order == turn(m), "barrier %u is executed before %u", op->order, turn(m));
	for (r = 0; r < nr_rings; r++)
		for (i = 0; i < m->ring[r].nr_parked; i++)
			must(m->ring[r].parked[i].order >= op->order,
			     "a write of ring %u was taken before barrier %u", r, op->order);
}

static void check_write_starts(const struct model *m, const struct op *op)
{
	unsigned int r;

	for (r = 0; r < nr_rings; r++)
		must(!m->ring[r].nr_barriers, "a write starts while a barrier is executed");
	must(m->nr_done >= op->heard, "a write starts before barrier %u, which was heard of",
	     op->heard);
}

static void check_state(const struct model *m)
{
	unsigned int r;

	for (r = 0; r < nr_rings; r++) {
		const struct model_ring *ring = &m->ring[r];

		must(ring->core.nr_parked == ring->nr_parked, "ring %u", r);
		must(ring->core.nr_writes == ring->nr_writes + ring->nr_barriers, "ring %u", r);
		must(!!(m->core.rings & 1 << r) == ring->joined, "ring %u", r);
	}
}

/* Nothing more will happen by itself. */
static void check_rest(const struct model *m)
{
	unsigned int r;

	must(!at_disk(m), "this is not rest");
	must(m->nr_done == m->nr_taken, "barrier %u is never executed", turn(m));
	for (r = 0; r < nr_rings; r++)
		must(!m->ring[r].nr_parked, "what ring %u has parked is never executed", r);
}

/* ---- what happens ------------------------------------------------------- */

static void kick(struct model *m, u64 rings)
{
	unsigned int r;

	for (r = 0; r < 64; r++) {
		if (!(rings >> r & 1))
			continue;
		must(r < nr_rings && m->ring[r].joined, "ring %u is kicked and not there", r);
		m->ring[r].kicked = true;
	}
}

static void start(struct model *m, struct model_ring *ring, const struct op *op)
{
	if (op->barrier) {
		check_barrier_starts(m, op);
		ring->nr_barriers++;
	} else {
		check_write_starts(m, op);
		ring->nr_writes++;
	}
}

static void look(struct model *m, struct model_ring *ring)
{
	xenvbd_order_look(&m->core, &ring->core);
	ring->heard = turn(m);
}

static void pass(struct model *m, struct model_ring *ring)
{
	u64 kicks;

	while (ring->nr_parked) {
		struct op op = ring->parked[0];

		if (!xenvbd_order_try(&m->core, &ring->core, op.barrier, op.number))
			break;
		memmove(ring->parked, ring->parked + 1, --ring->nr_parked * sizeof(op));
		memset(ring->parked + ring->nr_parked, 0, sizeof(op));
		sights[STARTED_OLDER] += !op.barrier && turn(m);
		start(m, ring, &op);
		ring->awake = true;
	}
	kicks = xenvbd_order_settle(&m->core, &ring->core);
	sights[LAST_BUSY_KICKS] += kicks & ~(1 << ring->core.index);
	kick(m, kicks);
}

static void take(struct model *m, struct model_ring *ring, bool barrier)
{
	struct op op = { .heard = ring->heard, .barrier = barrier };
	u64 number;

	m->nr_taken += barrier;
	op.order = m->nr_taken;
	ring->nr_ops++;
	ring->awake = true;
	sights[PASSED_UNHEARD] += !barrier && !ring->heard && turn(m);
	if (xenvbd_order_admit(&ring->core, barrier)) {
		must(!ring->nr_parked, "a write passes those that were taken before it");
		start(m, ring, &op);
		return;
	}
	kick(m, xenvbd_order_park(&m->core, &ring->core, barrier, &number));
	op.number = number;
	ring->parked[ring->nr_parked++] = op;
}

static void barrier_done(struct model *m, struct model_ring *ring)
{
	ring->nr_barriers--;
	ring->awake = true;
	m->nr_done++;
	sights[TURN_TO_TURN] += !!turn(m);
	kick(m, xenvbd_order_barrier_done(&m->core, &ring->core));
}

static void join(struct model *m, struct model_ring *ring)
{
	u64 busy;

	ring->joined = true;
	ring->awake = true;
	ring->nr_lives++;
	ring->heard = turn(m);
	sights[JOINED_LATE] += !!turn(m);
	busy = m->core.busy;
	xenvbd_order_join(&m->core, &ring->core, ring - m->ring);
	must(m->core.busy == busy, "a ring that joins holds up nobody");
}

static void leave(struct model *m, struct model_ring *ring)
{
	ring->joined = false;
	ring->awake = false;
	sights[LEFT_BUSY] += m->core.busy >> ring->core.index & 1;
	kick(m, xenvbd_order_leave(&m->core, &ring->core));
}

static bool may(const struct model *m, const struct model_ring *ring, enum step step)
{
	switch (step) {
	case LOOK:
		return ring->joined && ring->kicked;
	case PASS:
		return ring->joined && ring->awake;
	case WRITE_DONE:
		return ring->nr_writes;
	case BARRIER_DONE:
		return ring->nr_barriers;
	case JOIN:
		return !ring->joined && ring->nr_lives < max_lives;
	case TAKE_WRITE:
	case TAKE_BARRIER:
		return ring->joined && ring->nr_ops < max_ops;
	case LEAVE:
		return ring->joined && !ring->nr_parked && !ring->nr_writes && !ring->nr_barriers;
	default:
		return ring->joined && needless;
	}
}

static void act(struct model *m, struct model_ring *ring, enum step step)
{
	switch (step) {
	case LOOK:
		ring->kicked = false;
		ring->awake = true;
		look(m, ring);
		break;
	case PASS:
		ring->awake = false;
		pass(m, ring);
		break;
	case WRITE_DONE:
		ring->nr_writes--;
		ring->awake = true;
		xenvbd_order_write_done(&ring->core);
		break;
	case BARRIER_DONE:
		barrier_done(m, ring);
		break;
	case JOIN:
		join(m, ring);
		break;
	case TAKE_WRITE:
	case TAKE_BARRIER:
		take(m, ring, step == TAKE_BARRIER);
		break;
	case LEAVE:
		leave(m, ring);
		break;
	case NEEDLESS_LOOK:
		look(m, ring);
		break;
	default:
		pass(m, ring);
		break;
	}
}

/* ---- the walk ----------------------------------------------------------- */

static void walk(const struct model *from, u64 *entry);

static void go(const struct model *from, u64 here, unsigned int r, enum step step)
{
	struct model m;
	u64 h, *entry;

	memcpy(&m, from, sizeof(m));
	path[depth].step = step;
	path[depth].ring = r;
	depth++;
	act(&m, &m.ring[r], step);
	check_state(&m);
	h = hash(&m);
	entry = find(h);
	if (!*entry)
		walk(&m, entry);
	else if ((h | 1) != (here | 1))
		must(!(*entry & 1), "this may go on for ever");
	depth--;
}

static void walk(const struct model *from, u64 *entry)
{
	u64 h = hash(from);
	bool rest = true;
	unsigned int r;
	enum step step;

	*entry = h | 1;
	nr_states++;
	must(nr_states < TABLE_SIZE / 4 * 3, "too many states");
	for (r = 0; r < nr_rings; r++) {
		for (step = 0; step < NR_STEPS; step++) {
			if (!may(from, &from->ring[r], step))
				continue;
			if (step <= BARRIER_DONE)
				rest = false;
			go(from, h, r, step);
		}
	}
	if (rest)
		check_rest(from);
	*entry = h & ~1ull;
}

static void walk_all(void)
{
	struct model m;
	unsigned int i;

	nr_states = 0;
	depth = 0;
	memset(sights, 0, sizeof(sights));
	memset(&m, 0, sizeof(m));
	free(table);
	table = calloc(TABLE_SIZE, sizeof(*table));
	assert_non_null(table);
	walk(&m, find(hash(&m)));
	printf("# rings: %u, writes each: %u, lives each: %u, states: %u\n", nr_rings, max_ops,
	       max_lives, nr_states);
	for (i = 0; nr_rings > 1 && i < NR_SIGHTS; i++)
		expect(sights[i], "%s: never seen", sight_names[i]);
}

static void one_ring_keeps_the_order(void **state)
{
	nr_rings = 1, max_ops = 4, max_lives = 2, needless = true;
	walk_all();
}

static void two_rings_keep_the_order(void **state)
{
	nr_rings = 2, max_ops = 3, max_lives = 2, needless = false;
	walk_all();
}

static void two_rings_bear_needless_kicks(void **state)
{
	nr_rings = 2, max_ops = 3, max_lives = 1, needless = true;
	walk_all();
}

static void three_rings_keep_the_order(void **state)
{
	nr_rings = 3, max_ops = 2, max_lives = 1, needless = false;
	walk_all();
}

static void three_rings_bear_needless_kicks(void **state)
{
	nr_rings = 3, max_ops = 1, max_lives = 2, needless = true;
	walk_all();
}

int main(void)
{
	const struct CMUnitTest orders[] = {
		cmocka_unit_test(one_ring_keeps_the_order),
		cmocka_unit_test(two_rings_keep_the_order),
		cmocka_unit_test(two_rings_bear_needless_kicks),
		cmocka_unit_test(three_rings_keep_the_order),
		cmocka_unit_test(three_rings_bear_needless_kicks),
	};

	return RUN(orders);
}
