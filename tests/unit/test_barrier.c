// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds writes up: parking around barriers, kicks from ring to ring, and
 * flushes that are tried again. The order itself is test_order.c's.
 */
#include "rig.h"

static struct xenvbd_ring *up(unsigned int nr_rings)
{
	struct xenvbd_ring *ring = rig_up(nr_rings, 1, false);
	unsigned int i;

	for (i = 0; i < nr_rings; i++)
		xenvbd_barrier_join(rig.rings[i]);
	return ring;
}

static void down(void)
{
	unsigned int i;

	for (i = 0; i < rig.vbd.nr_rings; i++)
		xenvbd_barrier_leave(rig.rings[i]);
	rig_down();
}

/* Take a request from the ring: true if it may start. */
static bool take(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	if (!xenvbd_barrier_admit(ring, req))
		return false;
	xenvbd_req_list_add(&ring->todo, req);
	return true;
}

static struct xenvbd_req *write_req(struct xenvbd_ring *ring)
{
	return rig_req(ring, BLKIF_OP_WRITE, 0, 0, 0);
}

static struct xenvbd_req *barrier_req(struct xenvbd_ring *ring)
{
	return rig_req(ring, BLKIF_OP_WRITE_BARRIER, 0, 0, 0);
}

static struct xenvbd_req *flush_req(struct xenvbd_ring *ring)
{
	return rig_req(ring, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
}

/* As a ring's thread does in a pass. */
static void pass(struct xenvbd_ring *ring)
{
	if (ring->wake.kicked) {
		ring->wake.kicked = false;
		xenvbd_barrier_look(ring);
	}
	if (!xenvbd_barrier_idle(&ring->barrier))
		xenvbd_barrier_pass(ring);
}

/* The next one to start, which is this. */
static void expect_start(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	assert_ptr_equal(ring->todo.first, req);
	xenvbd_req_list_pop(&ring->todo);
}

static void expect_no_start(struct xenvbd_ring *ring)
{
	assert_null(ring->todo.first);
}

static void writes_without_a_barrier_are_not_held_up(void **state)
{
	struct xenvbd_ring *ring = up(2);
	struct xenvbd_req *req = write_req(ring);

	assert_true(xenvbd_barrier_idle(&ring->barrier));
	assert_true(take(ring, req));
	expect_start(ring, req);
	assert_true(xenvbd_barrier_idle(&ring->barrier));
	assert_true(xenvbd_barrier_done(ring, req));
	assert_false(rig.rings[1]->wake.kicked);
	down();
}

static void a_barrier_comes_after_and_before_writes(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *before = write_req(ring);
	struct xenvbd_req *barrier = barrier_req(ring);
	struct xenvbd_req *after = write_req(ring);
	struct xenvbd_req *last = flush_req(ring);

	assert_true(take(ring, before));
	expect_start(ring, before);
	assert_false(take(ring, barrier));
	assert_false(xenvbd_barrier_idle(&ring->barrier));
	assert_false(take(ring, after));
	assert_false(take(ring, last));
	pass(ring);
	expect_no_start(ring);

	assert_true(xenvbd_barrier_done(ring, before));
	pass(ring);
	/* The ring kicks itself: it was the last that was busy. */
	assert_true(ring->wake.kicked);
	pass(ring);
	expect_start(ring, barrier);
	expect_no_start(ring);

	assert_true(xenvbd_barrier_done(ring, barrier));
	pass(ring);
	expect_start(ring, after);
	expect_start(ring, last);
	expect_no_start(ring);
	assert_true(xenvbd_barrier_idle(&ring->barrier));
	assert_true(xenvbd_barrier_done(ring, after));
	assert_true(xenvbd_barrier_done(ring, last));
	down();
}

static void a_barrier_waits_for_the_writes_of_other_rings(void **state)
{
	struct xenvbd_ring *ring = up(3), *other = rig.rings[1];
	struct xenvbd_req *before = write_req(other);
	struct xenvbd_req *after = write_req(other);
	struct xenvbd_req *barrier = barrier_req(ring);

	assert_true(take(other, before));
	expect_start(other, before);
	assert_false(take(ring, barrier));
	/* All have to look, and find that they have nothing, but for one. */
	assert_true(ring->wake.kicked);
	assert_true(other->wake.kicked);
	assert_true(rig.rings[2]->wake.kicked);
	pass(ring);
	pass(rig.rings[2]);
	pass(other);
	expect_no_start(ring);
	assert_false(take(other, after));

	assert_true(xenvbd_barrier_done(other, before));
	assert_false(ring->wake.kicked);
	pass(other);
	assert_true(ring->wake.kicked);
	pass(ring);
	expect_start(ring, barrier);
	pass(other);
	expect_no_start(other);

	assert_true(xenvbd_barrier_done(ring, barrier));
	assert_true(other->wake.kicked);
	assert_true(rig.rings[2]->wake.kicked);
	pass(other);
	expect_start(other, after);
	assert_true(xenvbd_barrier_done(other, after));
	pass(ring);
	pass(rig.rings[2]);
	assert_true(xenvbd_barrier_idle(&rig.rings[2]->barrier));
	down();
}

static void nobody_waits_for_a_ring_that_has_left(void **state)
{
	struct xenvbd_ring *ring = up(2);
	struct xenvbd_req *barrier = barrier_req(ring);

	assert_false(take(ring, barrier));
	pass(ring);
	expect_no_start(ring);
	ring->wake.kicked = false;
	/* It has heard of nothing, and goes. */
	xenvbd_barrier_leave(rig.rings[1]);
	assert_true(ring->wake.kicked);
	pass(ring);
	expect_start(ring, barrier);

	/* It comes again, and has to wait like all others. */
	xenvbd_barrier_join(rig.rings[1]);
	assert_false(take(rig.rings[1], write_req(rig.rings[1])));
	assert_true(xenvbd_barrier_done(ring, barrier));
	pass(rig.rings[1]);
	assert_non_null(rig.rings[1]->todo.first);
	assert_true(xenvbd_barrier_done(rig.rings[1], rig.rings[1]->todo.first));
	down();
}

static void barriers_are_executed_in_their_order(void **state)
{
	struct xenvbd_ring *ring = up(2), *other = rig.rings[1];
	struct xenvbd_req *first = barrier_req(ring);
	struct xenvbd_req *second = barrier_req(other);
	struct xenvbd_req *third = barrier_req(ring);
	unsigned int i;

	assert_false(take(ring, first));
	assert_false(take(other, second));
	assert_false(take(ring, third));
	for (i = 0; i < 3; i++) {
		pass(ring);
		pass(other);
	}
	expect_start(ring, first);
	expect_no_start(ring);
	expect_no_start(other);
	assert_true(xenvbd_barrier_done(ring, first));
	for (i = 0; i < 3; i++) {
		pass(ring);
		pass(other);
	}
	expect_start(other, second);
	expect_no_start(ring);
	assert_true(xenvbd_barrier_done(other, second));
	for (i = 0; i < 3; i++) {
		pass(ring);
		pass(other);
	}
	expect_start(ring, third);
	assert_true(xenvbd_barrier_done(ring, third));
	pass(ring);
	pass(other);
	assert_true(xenvbd_barrier_idle(&ring->barrier));
	assert_true(xenvbd_barrier_idle(&other->barrier));
	down();
}

/* ---- flushes that fail ------------------------------------------------------ */

/* At the disk, and failed there, or not. */
static void at_disk(struct xenvbd_ring *ring, struct xenvbd_req *req,
		    blk_status_t status)
{
	fake_bio_end(&req->bio, status);
	assert_int_equal(rig_take_done(ring), 1);
}

static struct xenvbd_req *start_flush(struct xenvbd_ring *ring)
{
	struct xenvbd_req *req = flush_req(ring);

	expect(take(ring, req), "flush");
	expect_start(ring, req);
	return req;
}

/* The disk has failed a flush, as io_end() says it. */
static bool failed(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	req->status = BLK_STS_IOERR;
	req->failed_flush = true;
	return xenvbd_barrier_done(ring, req);
}

static void a_failed_flush_is_tried_again(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *req = start_flush(ring);
	struct xenvbd_req *later = start_flush(ring);

	assert_false(failed(ring, req));
	assert_false(xenvbd_barrier_idle(&ring->barrier));
	assert_int_equal(xenvbd_barrier_timeout(&ring->barrier,
						MAX_SCHEDULE_TIMEOUT), HZ);
	jiffies += HZ / 2;
	/* One that fails meanwhile is tried again at the same time. */
	assert_false(failed(ring, later));
	assert_int_equal(xenvbd_barrier_timeout(&ring->barrier,
						MAX_SCHEDULE_TIMEOUT), HZ / 2);
	jiffies += HZ / 2 - 1;
	pass(ring);
	assert_int_equal(fake_nr_submits, 0);
	jiffies++;
	pass(ring);
	assert_int_equal(fake_nr_submits, 2);
	assert_ptr_equal(fake_bio_first(), &req->bio);
	assert_int_equal(req->status, BLK_STS_OK);
	assert_false(req->failed_flush);
	assert_true(xenvbd_barrier_idle(&ring->barrier));

	/* One fails again, the other one succeeds: the time begins again. */
	at_disk(ring, req, BLK_STS_IOERR);
	assert_true(req->failed_flush);
	assert_false(xenvbd_barrier_done(ring, req));
	at_disk(ring, later, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, later));
	jiffies += 15 * HZ;
	pass(ring);
	at_disk(ring, req, BLK_STS_IOERR);
	assert_false(xenvbd_barrier_done(ring, req));
	jiffies += HZ;
	pass(ring);
	at_disk(ring, req, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, req));
	assert_int_equal(ring->barrier.turn.order.nr_writes, 0);
	down();
}

static void an_error_that_stays_is_shown(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *req = start_flush(ring);
	struct xenvbd_req *write;
	unsigned int i;

	for (i = 0; i < 15; i++) {
		expect(!failed(ring, req), "try %u", i);
		jiffies += HZ;
		pass(ring);
		at_disk(ring, req, BLK_STS_IOERR);
	}
	assert_true(xenvbd_barrier_done(ring, req));
	assert_int_equal(req->status, BLK_STS_IOERR);

	/* And each further one at once, however much later. */
	req = start_flush(ring);
	assert_true(failed(ring, req));
	jiffies += ULONG_MAX / 2;
	req = start_flush(ring);
	assert_true(failed(ring, req));
	/* A write that succeeds says nothing of flushes. */
	write = write_req(ring);
	assert_true(take(ring, write));
	expect_start(ring, write);
	assert_true(xenvbd_barrier_done(ring, write));
	req = start_flush(ring);
	assert_true(failed(ring, req));
	/* Until one succeeds. */
	req = start_flush(ring);
	assert_true(xenvbd_barrier_done(ring, req));
	req = start_flush(ring);
	assert_false(failed(ring, req));
	ring->wake.draining = true;
	pass(ring);
	at_disk(ring, req, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, req));
	down();
}

/* The guest waits no longer because the disk takes its time. */
static void a_flush_that_fails_slowly_is_shown_as_soon(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *req = start_flush(ring);

	assert_false(failed(ring, req));
	jiffies += HZ;
	pass(ring);
	/* So long, the first time. */
	jiffies += 13 * HZ;
	at_disk(ring, req, BLK_STS_IOERR);
	assert_false(xenvbd_barrier_done(ring, req));
	jiffies += HZ;
	pass(ring);
	at_disk(ring, req, BLK_STS_IOERR);
	assert_true(xenvbd_barrier_done(ring, req));
	assert_int_equal(fake_nr_submits, 2);
	down();
}

/* Perhaps with another disk: that has a time of its own. */
static void a_ring_that_begins_anew_forgets_failures(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *req = start_flush(ring);

	assert_false(failed(ring, req));
	jiffies += 15 * HZ;
	pass(ring);
	at_disk(ring, req, BLK_STS_IOERR);
	assert_true(xenvbd_barrier_done(ring, req));
	xenvbd_barrier_leave(ring);
	xenvbd_barrier_join(ring);
	req = start_flush(ring);
	assert_false(failed(ring, req));
	jiffies += HZ;
	pass(ring);
	at_disk(ring, req, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, req));
	down();
}

/* ---- flushes that the disk does not know ------------------------------------ */

/* As io_end() says it. */
static bool refused(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	req->status = BLK_STS_NOTSUPP;
	req->refused_flush = true;
	return xenvbd_barrier_done(ring, req);
}

/* There is nothing to write, and a frontend may hear of it. */
static void a_flush_that_is_not_known_is_shown_at_once(void **state)
{
	struct xenvbd_ring *ring = up(1);

	assert_true(refused(ring, start_flush(ring)));
	assert_int_equal(fake_nr_submits, 0);
	assert_true(test_bit(XENVBD_EVENT_NO_FLUSH, &rig.vbd.events));
	assert_true(xenvbd_barrier_idle(&ring->barrier));
	/* The work item knows, and has other things to do. */
	rig.vbd.disk.no_flush = true;
	rig.vbd.events = 0;
	assert_true(refused(ring, start_flush(ring)));
	assert_int_equal(rig.vbd.events, 0);
	rig.vbd.disk.no_flush = false;
	down();
}

static void nothing_is_tried_again_while_draining(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *req = start_flush(ring);

	/* What was put aside before is tried at once, for the last time. */
	assert_false(failed(ring, req));
	ring->wake.draining = true;
	pass(ring);
	assert_int_equal(fake_nr_submits, 1);
	at_disk(ring, req, BLK_STS_IOERR);
	assert_true(xenvbd_barrier_done(ring, req));
	assert_int_equal(req->status, BLK_STS_IOERR);
	down();
}

static void nothing_is_tried_again_of_a_vanished_disk(void **state)
{
	struct xenvbd_ring *ring = up(1);

	set_bit(GD_DEAD, &fake_disk.gd.state);
	assert_true(failed(ring, start_flush(ring)));
	down();
}

static void a_failed_barrier_holds_up_what_comes_after(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_req *barrier = barrier_req(ring);
	struct xenvbd_req *after = write_req(ring);

	assert_false(take(ring, barrier));
	assert_false(take(ring, after));
	pass(ring);
	pass(ring);
	expect_start(ring, barrier);
	assert_false(failed(ring, barrier));
	pass(ring);
	expect_no_start(ring);
	jiffies += HZ;
	pass(ring);
	expect_no_start(ring);
	at_disk(ring, barrier, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, barrier));
	pass(ring);
	expect_start(ring, after);
	assert_true(xenvbd_barrier_done(ring, after));
	down();
}

static void a_ring_sleeps_no_longer_than_it_may(void **state)
{
	struct xenvbd_ring *ring = up(1);
	struct xenvbd_barrier *barrier = &ring->barrier;
	struct xenvbd_req *req;

	assert_int_equal(xenvbd_barrier_timeout(barrier, 7), 7);
	assert_true(xenvbd_barrier_timeout(barrier, MAX_SCHEDULE_TIMEOUT) ==
		    MAX_SCHEDULE_TIMEOUT);
	req = start_flush(ring);
	assert_false(failed(ring, req));
	assert_int_equal(xenvbd_barrier_timeout(barrier, 7), 7);
	assert_int_equal(xenvbd_barrier_timeout(barrier, 10 * HZ), HZ);
	/* Long due: soon, but not at once and not in a past without end. */
	jiffies += 5 * HZ;
	assert_int_equal(xenvbd_barrier_timeout(barrier, 10 * HZ), 1);
	pass(ring);
	at_disk(ring, req, BLK_STS_OK);
	assert_true(xenvbd_barrier_done(ring, req));
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_without_a_barrier_are_not_held_up),
		cmocka_unit_test(a_barrier_comes_after_and_before_writes),
		cmocka_unit_test(a_barrier_waits_for_the_writes_of_other_rings),
		cmocka_unit_test(nobody_waits_for_a_ring_that_has_left),
		cmocka_unit_test(barriers_are_executed_in_their_order),
		cmocka_unit_test(a_failed_flush_is_tried_again),
		cmocka_unit_test(an_error_that_stays_is_shown),
		cmocka_unit_test(a_flush_that_fails_slowly_is_shown_as_soon),
		cmocka_unit_test(a_ring_that_begins_anew_forgets_failures),
		cmocka_unit_test(a_flush_that_is_not_known_is_shown_at_once),
		cmocka_unit_test(nothing_is_tried_again_while_draining),
		cmocka_unit_test(nothing_is_tried_again_of_a_vanished_disk),
		cmocka_unit_test(a_failed_barrier_holds_up_what_comes_after),
		cmocka_unit_test(a_ring_sleeps_no_longer_than_it_may),
	};

	return RUN(tests);
}
