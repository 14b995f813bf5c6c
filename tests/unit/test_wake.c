// SPDX-License-Identifier: GPL-2.0-only
/* Who wakes a ring's thread, and when that is not needed. */
#include "rig.h"

static struct task_struct sleeper;

/* How often a completion answered, and what it does. */
static unsigned int nr_answers;
static bool (*answers)(struct xenvbd_ring *ring);

static bool answer(struct xenvbd_ring *ring)
{
	nr_answers++;
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_COMPLETION);
	/* It is not to be preempted. */
	assert_int_equal(shim_atomic, 1);
	return answers(ring);
}

static bool answers_all(struct xenvbd_ring *ring)
{
	rig_take_done(ring);
	return true;
}

static bool answers_nothing(struct xenvbd_ring *ring)
{
	return false;
}

static struct xenvbd_ring *up(enum xenvbd_owner owner)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	sleeper = (struct task_struct) { .state = TASK_IDLE, .usage = 1 };
	ring->task = &sleeper;
	ring->wake.owner = owner;
	ring->wake.answer = answer;
	nr_answers = 0;
	answers = answers_all;
	return ring;
}

static void down(void)
{
	rig.rings[0]->task = NULL;
	rig_down();
}

static void an_event_wakes_a_thread_that_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);

	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	assert_int_equal(sleeper.wakeups, 1);

	/* A completion does not look at events. */
	ring->wake.owner = XENVBD_OWNER_COMPLETION;
	xenvbd_wake_irq(5, ring);
	assert_int_equal(sleeper.wakeups, 2);
	down();
}

static void an_event_does_not_wake_a_thread_that_will_look(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_THREAD);

	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	assert_int_equal(sleeper.wakeups, 0);
	down();
}

static void an_event_before_there_is_a_thread_is_kept(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);

	ring->task = NULL;
	assert_int_equal(xenvbd_wake_irq(5, ring), IRQ_HANDLED);
	assert_true(ring->wake.event);
	down();
}

static void a_kick_wakes_a_thread_that_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);

	xenvbd_wake_kick(ring);
	assert_true(ring->wake.kicked);
	assert_int_equal(sleeper.wakeups, 1);

	ring->wake.owner = XENVBD_OWNER_THREAD;
	ring->wake.kicked = false;
	xenvbd_wake_kick(ring);
	assert_true(ring->wake.kicked);
	assert_int_equal(sleeper.wakeups, 1);
	down();
}

static void a_completion_answers_while_the_thread_sleeps(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);

	xenvbd_wake_complete(rig_req(ring, BLKIF_OP_READ, 0, 1, 1));
	assert_int_equal(nr_answers, 1);
	assert_int_equal(sleeper.wakeups, 0);
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_NONE);
	assert_int_equal(shim_atomic, 0);
	down();
}

static void only_the_first_completion_wakes(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);
	struct xenvbd_req *first = rig_req(ring, BLKIF_OP_READ, 0, 1, 1);
	struct xenvbd_req *second = rig_req(ring, BLKIF_OP_READ, 8, 1, 2);

	answers = answers_nothing;
	xenvbd_wake_complete(first);
	assert_int_equal(nr_answers, 1);
	assert_int_equal(sleeper.wakeups, 1);
	xenvbd_wake_complete(second);
	assert_int_equal(nr_answers, 1);
	assert_int_equal(sleeper.wakeups, 1);
	/* Last in, first out: whoever takes them turns them round. */
	assert_ptr_equal(ring->wake.done.first, &second->done);
	assert_ptr_equal(ring->wake.done.first->next, &first->done);
	assert_int_equal(rig_take_done(ring), 2);
	down();
}

static void a_completion_leaves_the_request_to_the_owner(void **state)
{
	static const enum xenvbd_owner owners[] = {
		XENVBD_OWNER_THREAD, XENVBD_OWNER_COMPLETION,
	};
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 1, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		ring->wake.owner = owners[i];
		xenvbd_wake_complete(req);
		assert_int_equal(ring->wake.owner, owners[i]);
		assert_int_equal(nr_answers, 0);
		assert_int_equal(sleeper.wakeups, 0);
		assert_int_equal(rig_take_done(ring), 1);
	}
	down();
}

static struct xenvbd_req *late;

/* While it answers, another completion comes, and finds an owner. */
static bool answers_but_one(struct xenvbd_ring *ring)
{
	rig_take_done(ring);
	if (late)
		xenvbd_wake_complete(late);
	late = NULL;
	return true;
}

static void a_completion_answers_what_comes_meanwhile(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_NONE);

	answers = answers_but_one;
	late = rig_req(ring, BLKIF_OP_READ, 8, 1, 2);
	xenvbd_wake_complete(rig_req(ring, BLKIF_OP_READ, 0, 1, 1));
	assert_int_equal(nr_answers, 2);
	assert_int_equal(sleeper.wakeups, 0);
	assert_int_equal(rig_take_done(ring), 0);
	down();
}

static struct xenvbd_ring *to_let_go;

static void lets_go(void)
{
	to_let_go->wake.owner = XENVBD_OWNER_NONE;
}

static void the_thread_waits_for_a_completion_that_answers(void **state)
{
	struct xenvbd_ring *ring = up(XENVBD_OWNER_COMPLETION);

	to_let_go = ring;
	fake_relax = lets_go;
	xenvbd_wake_own(ring);
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_THREAD);
	ring->wake.budget = 3;
	xenvbd_wake_disown(ring);
	assert_int_equal(ring->wake.owner, XENVBD_OWNER_NONE);
	/* Completions may do something again. */
	assert_int_equal(ring->wake.budget, XENVBD_WAKE_BUDGET);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_wakes_a_thread_that_sleeps),
		cmocka_unit_test(an_event_does_not_wake_a_thread_that_will_look),
		cmocka_unit_test(an_event_before_there_is_a_thread_is_kept),
		cmocka_unit_test(a_kick_wakes_a_thread_that_sleeps),
		cmocka_unit_test(a_completion_answers_while_the_thread_sleeps),
		cmocka_unit_test(only_the_first_completion_wakes),
		cmocka_unit_test(a_completion_leaves_the_request_to_the_owner),
		cmocka_unit_test(a_completion_answers_what_comes_meanwhile),
		cmocka_unit_test(the_thread_waits_for_a_completion_that_answers),
	};

	return RUN(tests);
}
