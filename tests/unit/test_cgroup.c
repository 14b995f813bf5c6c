// SPDX-License-Identifier: GPL-2.0-only
/* Whom a ring's bios are charged to, and who holds what for how long. */
#include "data/thread.h"
#include "fake.h"
#include "rig.h"

#include <linux/cgroup.h>

static struct cgroup_subsys_state *a, *b;

/* One ring, whose thread has not run yet. */
static struct xenvbd_ring *up(void)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	a = fake_cgroup_io(fake_cgroup("/a", true));
	b = fake_cgroup_io(fake_cgroup("/b", true));
	assert_int_equal(xenvbd_thread_start(ring, xenvbd_ring_serve), 0);
	return ring;
}

static void down(void)
{
	xenvbd_cgroup_set(&rig.vbd.cgroup, NULL);
	rig_down();
}

/* As control/limit.c does it. */
static void set(struct xenvbd_ring *ring, struct cgroup_subsys_state *css)
{
	if (css)
		css_get(css);
	xenvbd_cgroup_set(&rig.vbd.cgroup, css);
	xenvbd_wake_kick(ring);
}

/* What the next bio of an operation is charged to. */
static struct cgroup_subsys_state *charged(struct xenvbd_ring *ring, u8 op)
{
	const struct guest_req req = {
		.op = op,
		.nr_segs = op == BLKIF_OP_READ || op == BLKIF_OP_WRITE,
		.gref = 1,
		.nr_sects = 8,
	};
	struct cgroup_subsys_state *css;

	fake_grant(req.gref);
	guest_send(ring, &req);
	xenvbd_wake_irq(ring->irq, ring);
	fake_task_run(ring->task);
	assert_non_null(fake_bio_first());
	css = fake_bio_first()->css;
	fake_bio_end_all();
	fake_task_run(ring->task);
	return css;
}

static void without_a_cgroup_nobody_is_charged(void **state)
{
	struct xenvbd_ring *ring = up();

	assert_null(xenvbd_cgroup_get(&rig.vbd.cgroup));
	assert_null(charged(ring, BLKIF_OP_READ));
	down();
}

static void all_operations_are_charged_from_the_first_on(void **state)
{
	static const u8 ops[] = {
		BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE,
		BLKIF_OP_WRITE_BARRIER, BLKIF_OP_DISCARD,
	};
	struct xenvbd_ring *ring = up();
	unsigned int i;

	set(ring, a);
	ring->wake.kicked = false;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		expect(charged(ring, ops[i]) == a, "operation %u", ops[i]);
	down();
	assert_int_equal(a->refs, 0);
}

static void a_running_ring_changes_its_cgroup(void **state)
{
	struct xenvbd_ring *ring = up();

	assert_null(charged(ring, BLKIF_OP_READ));
	set(ring, a);
	assert_ptr_equal(charged(ring, BLKIF_OP_READ), a);
	set(ring, b);
	/* The thread holds its own until it hears of that. */
	assert_int_equal(a->refs, 1);
	assert_ptr_equal(charged(ring, BLKIF_OP_READ), b);
	assert_int_equal(a->refs, 0);
	set(ring, NULL);
	assert_null(charged(ring, BLKIF_OP_READ));
	assert_int_equal(b->refs, 0);
	down();
}

/* Barriers of other rings kick as well. */
static void a_kick_alone_changes_nothing(void **state)
{
	struct xenvbd_ring *ring = up();

	set(ring, a);
	assert_ptr_equal(charged(ring, BLKIF_OP_READ), a);
	xenvbd_wake_kick(ring);
	assert_ptr_equal(charged(ring, BLKIF_OP_READ), a);
	assert_int_equal(a->refs, 2);
	down();
}

static void a_cgroup_lives_as_long_as_somebody_uses_it(void **state)
{
	struct cgroup_subsys_state *css;
	struct xenvbd_ring *ring = up();

	set(ring, a);
	assert_ptr_equal(charged(ring, BLKIF_OP_WRITE), a);
	css = xenvbd_cgroup_get(&rig.vbd.cgroup);
	assert_ptr_equal(css, a);
	assert_int_equal(a->refs, 3);
	css_put(css);
	xenvbd_thread_drain(ring);
	xenvbd_thread_stop(ring);
	put_task_struct(ring->task);
	ring->task = NULL;
	/* The vbd's own is left for the thread of the next frontend. */
	assert_int_equal(a->refs, 1);
	down();
	assert_int_equal(a->refs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_cgroup_nobody_is_charged),
		cmocka_unit_test(all_operations_are_charged_from_the_first_on),
		cmocka_unit_test(a_running_ring_changes_its_cgroup),
		cmocka_unit_test(a_kick_alone_changes_nothing),
		cmocka_unit_test(a_cgroup_lives_as_long_as_somebody_uses_it),
	};

	return RUN(tests);
}
