// SPDX-License-Identifier: GPL-2.0-only
/* A ring's thread from outside: started, drained, paused, resumed, stopped. */
#include "data/answer.h"
#include "data/thread.h"
#include "rig.h"

/* What the thread has seen, one letter each. */
static char seen[32];
static bool draining_when_told;

static void see(char c)
{
	seen[strlen(seen)] = c;
}

/* As the ring's own: sleeps, parks, ends; each when it is told so. */
static int serve(void *data)
{
	struct xenvbd_ring *ring = data;

	see('b');
	while (!kthread_should_stop()) {
		if (kthread_should_park()) {
			draining_when_told = ring->wake.draining;
			see('p');
			kthread_parkme();
			see('r');
			continue;
		}
		set_current_state(TASK_IDLE);
		schedule_timeout(MAX_SCHEDULE_TIMEOUT);
	}
	draining_when_told = ring->wake.draining;
	see('e');
	return 0;
}

static struct xenvbd_ring *up(void)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	memset(seen, 0, sizeof(seen));
	draining_when_told = false;
	return ring;
}

static void a_thread_lives_as_long_as_it_is_told(void **state)
{
	struct xenvbd_ring *ring = up();

	assert_int_equal(xenvbd_thread_start(ring, serve), 0);
	assert_string_equal(ring->task->comm, "7.xvda-0");
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_THREAD);
	assert_ptr_equal(ring->wake.answer, xenvbd_answer_now);
	assert_int_equal(ring->task->wakeups, 1);
	assert_int_equal(ring->task->usage, 2);
	fake_task_run(ring->task);
	assert_string_equal(seen, "b");

	/* The same task is not started twice. */
	assert_int_equal(xenvbd_thread_start(ring, serve), -EBUSY);

	xenvbd_thread_drain(ring);
	assert_true(ring->wake.draining);
	assert_true(ring->wake.kicked);
	xenvbd_thread_stop(ring);
	assert_string_equal(seen, "be");
	assert_true(draining_when_told);
	/* Interrupts may still look at it. */
	assert_int_equal(ring->task->usage, 1);
	put_task_struct(ring->task);
	ring->task = NULL;
	rig_down();
}

static void a_thread_pauses(void **state)
{
	struct xenvbd_ring *ring = up();

	assert_int_equal(xenvbd_thread_start(ring, serve), 0);
	fake_task_run(ring->task);
	xenvbd_thread_drain(ring);
	xenvbd_thread_pause(ring);
	assert_string_equal(seen, "bp");
	assert_true(draining_when_told);

	xenvbd_thread_resume(ring);
	assert_false(ring->wake.draining);
	fake_task_run(ring->task);
	assert_string_equal(seen, "bpr");
	rig_down();
	assert_string_equal(seen, "bpre");
}

static void without_a_thread_there_is_nothing_to_do(void **state)
{
	struct xenvbd_ring *ring = up();

	xenvbd_thread_drain(ring);
	assert_false(ring->wake.draining);
	assert_false(ring->wake.kicked);
	xenvbd_thread_pause(ring);
	xenvbd_thread_resume(ring);
	xenvbd_thread_stop(ring);
	rig_down();
}

static void no_memory_for_a_thread(void **state)
{
	struct xenvbd_ring *ring = up();

	fake_fail_at(&fake_allocs, 1);
	assert_int_equal(xenvbd_thread_start(ring, serve), -ENOMEM);
	assert_null(ring->task);
	assert_int_equal(xenvbd_thread_start(ring, serve), 0);
	rig_down();
}

static void requests_in_flight_are_counted(void **state)
{
	struct xenvbd_ring *ring = up();
	unsigned long oldest = 0;
	struct xenvbd_req *req;

	assert_int_equal(xenvbd_thread_in_flight(ring, &oldest), 0);
	assert_int_equal(oldest, 0);

	/* Jiffies wrap around meanwhile. */
	jiffies = -5UL;
	req = rig_req(ring, BLKIF_OP_READ, 0, 1, 1);
	jiffies = 2;
	rig_req(ring, BLKIF_OP_READ, 8, 1, 2);
	jiffies = 10;
	assert_int_equal(xenvbd_thread_in_flight(ring, &oldest), 2);
	assert_int_equal(oldest, 15);

	/* Somebody else's is older. */
	oldest = 100;
	assert_int_equal(xenvbd_thread_in_flight(ring, &oldest), 2);
	assert_int_equal(oldest, 100);

	oldest = 0;
	rig_req_put(req);
	assert_int_equal(xenvbd_thread_in_flight(ring, &oldest), 1);
	assert_int_equal(oldest, 7);

	/* One that was taken later than now has no age: jiffies | 1. */
	oldest = 0;
	jiffies = 2;
	assert_int_equal(xenvbd_thread_in_flight(ring, &oldest), 1);
	assert_int_equal(oldest, 0);
	rig_down();
}

static void writes_are_told_from_reads(void **state)
{
	static const u8 ops[] = {
		BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_WRITE_BARRIER, BLKIF_OP_DISCARD,
	};
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req;
	unsigned int i;

	assert_false(xenvbd_thread_has_writes(ring));
	rig_req(ring, BLKIF_OP_READ, 0, 1, 1);
	assert_false(xenvbd_thread_has_writes(ring));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		req = rig_req(ring, ops[i], 0, 0, 2);
		expect(xenvbd_thread_has_writes(ring), "operation %u", ops[i]);
		rig_req_put(req);
		assert_false(xenvbd_thread_has_writes(ring));
	}
	rig_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_lives_as_long_as_it_is_told),
		cmocka_unit_test(a_thread_pauses),
		cmocka_unit_test(without_a_thread_there_is_nothing_to_do),
		cmocka_unit_test(no_memory_for_a_thread),
		cmocka_unit_test(requests_in_flight_are_counted),
		cmocka_unit_test(writes_are_told_from_reads),
	};

	return RUN(tests);
}
