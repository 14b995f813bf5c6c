// SPDX-License-Identifier: GPL-2.0-only
/* Polling before a ring's thread sleeps: when, how long, and what ends it. */
#include "rig.h"

#define US	NSEC_PER_USEC

static struct xenvbd_ring *up(unsigned int polling_us)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	rig.vbd.tunables.polling_us = polling_us;
	return ring;
}

/* What is polled for comes after so many times of cpu_relax(). */
static unsigned int relaxes, comes_at;
static void (*comes)(void);

static void relax(void)
{
	if (++relaxes == comes_at)
		comes();
}

static void comes_after(unsigned int nr, void (*what)(void))
{
	relaxes = 0;
	comes_at = nr;
	comes = what;
	fake_relax = relax;
}

static void a_request_comes(void)
{
	const struct guest_req req = { .op = BLKIF_OP_READ, .nr_segs = 1 };

	guest_send(rig.rings[0], &req);
}

static void a_completion_comes(void)
{
	xenvbd_wake_complete(rig.rings[0]->free);
}

static void a_kick_comes(void)
{
	rig.rings[0]->wake.kicked = true;
}

static void others_come(void)
{
	fake_others_run = true;
}

static void the_scheduler_comes(void)
{
	fake_need_resched = true;
}

static void nobody_polls_who_is_not_asked_to(void **state)
{
	struct xenvbd_ring *ring = up(0);

	assert_false(xenvbd_poll(ring));
	assert_int_equal(ring->poll.begin, 0);
	assert_int_equal(ring->stats.polls_missed, 0);
	rig_down();
}

static void polling_ends_with_its_time(void **state)
{
	struct xenvbd_ring *ring = up(50);
	u64 begin = fake_clock;

	/* At first the shortest time, a microsecond. */
	assert_false(xenvbd_poll(ring));
	assert_int_equal(ring->poll.begin, begin);
	assert_int_equal(fake_clock - begin, US);
	assert_int_equal(ring->stats.polls_missed, 1);
	assert_int_equal(ring->stats.polls_hit, 0);

	ring->poll.ns = 20 * US;
	begin = fake_clock;
	assert_false(xenvbd_poll(ring));
	assert_int_equal(fake_clock - begin, 20 * US);

	/* Never longer than the setting. */
	ring->poll.ns = 80 * US;
	begin = fake_clock;
	assert_false(xenvbd_poll(ring));
	assert_int_equal(fake_clock - begin, 50 * US);
	assert_int_equal(ring->stats.polls_missed, 3);
	rig_down();
}

static void work_ends_polling(void **state)
{
	static void (*const works[])(void) = {
		a_request_comes, a_completion_comes, a_kick_comes,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(works); i++) {
		struct xenvbd_ring *ring = up(1000);

		ring->poll.ns = 500 * US;
		comes_after(7, works[i]);
		expect(xenvbd_poll(ring), "work %u", i);
		assert_int_equal(relaxes, 7);
		assert_int_equal(ring->stats.polls_hit, 1);
		assert_int_equal(ring->stats.polls_missed, 0);
		rig_down();
	}
}

static void others_end_polling(void **state)
{
	static void (*const others[])(void) = { others_come, the_scheduler_comes };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct xenvbd_ring *ring = up(1000);

		ring->poll.ns = 500 * US;
		comes_after(7, others[i]);
		expect(!xenvbd_poll(ring), "work %u", i);
		assert_int_equal(relaxes, 7);
		assert_int_equal(ring->stats.polls_missed, 1);
		rig_down();
	}
}

static void the_disk_is_not_polled_for(void **state)
{
	struct xenvbd_ring *ring = up(1000);
	u64 begin = fake_clock;

	/* A request is at the disk. */
	ring->sring.req_cons++;
	assert_false(xenvbd_poll(ring));
	assert_int_equal(fake_clock, begin);
	assert_int_equal(ring->poll.begin, 0);
	ring->sring.req_cons--;
	rig_down();
}

static void what_pays_lasts_longer(void **state)
{
	struct xenvbd_ring *ring = up(50);

	ring->poll.ns = 4 * US;
	ring->poll.begin = fake_clock - 50 * US;
	xenvbd_poll_adjust(ring);
	assert_int_equal(ring->poll.ns, 8 * US);
	assert_int_equal(ring->poll.begin, 0);

	ring->poll.begin = fake_clock - 50 * US - 1;
	xenvbd_poll_adjust(ring);
	assert_int_equal(ring->poll.ns, 4 * US);
	assert_int_equal(ring->poll.begin, 0);

	/* Between a microsecond and a millisecond. */
	ring->poll.ns = 900 * US;
	ring->poll.begin = fake_clock;
	xenvbd_poll_adjust(ring);
	assert_int_equal(ring->poll.ns, 1000 * US);
	ring->poll.ns = 1 * US;
	ring->poll.begin = fake_clock - 51 * US;
	xenvbd_poll_adjust(ring);
	assert_int_equal(ring->poll.ns, 1 * US);
	rig_down();
}

static void a_frontend_in_this_domain_goes_first(void **state)
{
	static const struct {
		bool initial, others;
		domid_t domid;
		bool yields;
	} rows[] = {
		{ true, true, 0, true },
		{ true, false, 0, false },
		{ false, true, 0, false },
		{ true, true, FAKE_DOMID, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_ring *ring = up(0);

		fake_initial_domain = rows[i].initial;
		fake_others_run = rows[i].others;
		ring->domid = rows[i].domid;
		expect(xenvbd_poll(ring) == rows[i].yields, "row %u", i);
		expect(fake_nr_yields == rows[i].yields, "row %u", i);
		rig_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_polls_who_is_not_asked_to),
		cmocka_unit_test(polling_ends_with_its_time),
		cmocka_unit_test(work_ends_polling),
		cmocka_unit_test(others_end_polling),
		cmocka_unit_test(the_disk_is_not_polled_for),
		cmocka_unit_test(what_pays_lasts_longer),
		cmocka_unit_test(a_frontend_in_this_domain_goes_first),
	};

	return RUN(tests);
}
