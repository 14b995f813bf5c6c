// SPDX-License-Identifier: GPL-2.0-only
/* Who wakes a ring's thread, and when that is not needed. */
#include "rig.h"

static struct task_struct sleeper;

static struct xenvbd_ring *up(bool awake)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	sleeper = (struct task_struct) { .state = TASK_IDLE, .usage = 1 };
	ring->task = &sleeper;
	ring->wake.awake = awake;
	return ring;
}

static void down(void)
{
	rig.rings[0]->task = NULL;
	rig_down();
}

static void an_event_wakes_a_thread_that_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(false);

	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	assert_int_equal(sleeper.wakeups, 1);
	down();
}

static void an_event_does_not_wake_a_thread_that_will_look(void **state)
{
	struct xenvbd_ring *ring = up(true);

	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	assert_int_equal(sleeper.wakeups, 0);
	down();
}

static void an_event_before_there_is_a_thread_is_kept(void **state)
{
	struct xenvbd_ring *ring = up(false);

	ring->task = NULL;
	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	down();
}

static void a_kick_wakes_a_thread_that_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(false);

	xenvbd_wake_kick(ring);
	assert_true(ring->wake.kicked);
	assert_int_equal(sleeper.wakeups, 1);

	ring->wake.awake = true;
	ring->wake.kicked = false;
	xenvbd_wake_kick(ring);
	assert_true(ring->wake.kicked);
	assert_int_equal(sleeper.wakeups, 1);
	down();
}

static void only_the_first_completion_wakes(void **state)
{
	struct xenvbd_ring *ring = up(false);
	struct xenvbd_req *first = rig_req(ring, BLKIF_OP_READ, 0, 1, 1);
	struct xenvbd_req *second = rig_req(ring, BLKIF_OP_READ, 8, 1, 2);

	xenvbd_wake_complete(first);
	assert_int_equal(sleeper.wakeups, 1);
	xenvbd_wake_complete(second);
	assert_int_equal(sleeper.wakeups, 1);
	/* Last in, first out: whoever takes them turns them round. */
	assert_ptr_equal(ring->wake.done.first, &second->done);
	assert_ptr_equal(ring->wake.done.first->next, &first->done);
	assert_int_equal(rig_take_done(ring), 2);

	ring->wake.awake = true;
	xenvbd_wake_complete(first);
	assert_int_equal(sleeper.wakeups, 1);
	assert_int_equal(rig_take_done(ring), 1);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_wakes_a_thread_that_sleeps),
		cmocka_unit_test(an_event_does_not_wake_a_thread_that_will_look),
		cmocka_unit_test(an_event_before_there_is_a_thread_is_kept),
		cmocka_unit_test(a_kick_wakes_a_thread_that_sleeps),
		cmocka_unit_test(only_the_first_completion_wakes),
	};

	return RUN(tests);
}
