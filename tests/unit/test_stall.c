// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a vbd that waits for its disk, when, and for how long. */
#include "control/stall.c"

#include "control.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int stall_setup(void **state)
{
	control_setup(state);
	vbd = control_vbd();
	vbd->devt = MKDEV(7, 0x1f);
	return 0;
}

static int stall_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define STALL_TEST(f)	cmocka_unit_test_setup_teardown(f, stall_setup, stall_teardown)

static void expect_waiting(const char *text)
{
	const char *found = xenstore_get(BE "/waiting");

	if (!text)
		expect(!found, "waiting is \"%s\"", found);
	else
		expect(found && !strcmp(found, text), "waiting is \"%s\", not \"%s\"", found, text);
}

static void a_short_wait_is_nobodys_business(void **state)
{
	xenvbd_stall_enter(vbd, "opening the disk");
	control_pass(HZ - 1);
	xenvbd_stall_leave(vbd);
	control_pass(20 * HZ);
	expect_waiting(NULL);
	assert_string_equal(fake_log(), "");
}

static void a_long_wait_is_reported_and_ended(void **state)
{
	xenvbd_stall_enter(vbd, "opening the disk");
	control_pass(HZ);
	expect_waiting("opening the disk, for 1 s");
	assert_true(fake_logged("warn: opening the disk, for 1 s\n"));
	control_pass(5 * HZ - 1);
	expect_waiting("opening the disk, for 1 s");
	control_pass(1);
	expect_waiting("opening the disk, for 6 s");
	/* Less and less often, and at least once a minute. */
	control_pass(6 * HZ - 1);
	expect_waiting("opening the disk, for 6 s");
	control_pass(1);
	expect_waiting("opening the disk, for 12 s");
	control_pass(12 * HZ);
	control_pass(24 * HZ);
	control_pass(48 * HZ);
	expect_waiting("opening the disk, for 96 s");
	control_pass(60 * HZ);
	expect_waiting("opening the disk, for 156 s");
	/* The log has it once. */
	assert_false(fake_logged("for 6 s"));
	xenvbd_stall_leave(vbd);
	expect_waiting("");
	assert_true(fake_logged("notice: opening the disk: done after 156 s\n"));
	control_pass(20 * HZ);
	expect_waiting("");
	assert_int_equal(work_nr_pending(), 0);
}

static void each_wait_is_one_of_its_own(void **state)
{
	xenvbd_stall_enter(vbd, "closing");
	control_pass(2 * HZ);
	xenvbd_stall_leave(vbd);
	fake_log_clear();
	xenstore_remove(BE "/waiting");
	xenvbd_stall_enter(vbd, "closing the disk");
	control_pass(HZ / 2);
	xenvbd_stall_leave(vbd);
	expect_waiting(NULL);
	assert_string_equal(fake_log(), "");
	xenvbd_stall_enter(vbd, "closing the disk");
	control_pass(HZ);
	expect_waiting("closing the disk, for 1 s");
	assert_true(fake_logged("closing the disk, for 1 s"));
	xenvbd_stall_leave(vbd);
}

static void end_a_wait_unwritten(void)
{
	xenvbd_stall_enter(vbd, "closing");
	control_pass(HZ);
	expect_waiting("closing, for 1 s");
	xenstore_fail_path(XENSTORE_WRITE, BE "/waiting", -ENOSPC);
	xenvbd_stall_leave(vbd);
	expect_waiting("closing, for 1 s");
}

/* Or it would stand there for ever. */
static void the_end_of_a_wait_is_written_when_it_can_be(void **state)
{
	end_a_wait_unwritten();
	control_pass(3 * HZ);
	expect_waiting("closing, for 1 s");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(HZ);
	expect_waiting("");
	assert_int_equal(work_nr_pending(), 0);
}

static void a_short_wait_leaves_what_is_to_be_written(void **state)
{
	end_a_wait_unwritten();
	xenvbd_stall_enter(vbd, "closing the disk");
	control_pass(HZ / 2);
	xenvbd_stall_leave(vbd);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(HZ);
	expect_waiting("");
	assert_int_equal(work_nr_pending(), 0);
}

static void a_short_rest_leaves_what_is_to_be_written(void **state)
{
	end_a_wait_unwritten();
	xenvbd_stall_rest(vbd, "waiting for writes of a removed vbd", HZ);
	control_pass(HZ / 2);
	xenvbd_stall_rest(vbd, NULL, 0);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(HZ);
	expect_waiting("");
	assert_int_equal(work_nr_pending(), 0);
}

/* What is tried again each second may stall each time. */
static void a_rest_is_reported_between_stalls(void **state)
{
	unsigned int i;

	xenvbd_stall_rest(vbd, "waiting for writes of a removed vbd", HZ);
	for (i = 0; i < 11; i++) {
		control_pass(HZ / 2);
		xenvbd_stall_enter(vbd, "opening the disk");
		xenvbd_stall_leave(vbd);
	}
	control_settle();
	/* After a second, and then as seldom as ever. */
	assert_int_equal(xenstore_log_count(BE "/waiting"), 1);
	expect_waiting("waiting for writes of a removed vbd, for 1 s");
	control_pass(HZ);
	expect_waiting("waiting for writes of a removed vbd, for 6 s");
	xenvbd_stall_rest(vbd, NULL, 0);
}

static void what_could_not_be_written_goes_with_the_vbd(void **state)
{
	end_a_wait_unwritten();
	assert_int_equal(work_nr_pending(), 1);
	xenvbd_stall_exit(vbd);
	assert_int_equal(work_nr_pending(), 0);
}

/* A guest that has vbds closed again and again does not fill the log. */
static void the_log_is_limited(void **state)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		__ratelimit(&vbd->error.log);
	xenvbd_stall_enter(vbd, "closing");
	control_pass(HZ);
	xenvbd_stall_leave(vbd);
	expect_waiting("");
	assert_string_equal(fake_log(), "");
}

static void there_is_nothing_to_say_of_no_wait(void **state)
{
	char text[XENVBD_STALL_TEXT] = "x";

	xenvbd_stall_describe(vbd, text, sizeof(text));
	assert_string_equal(text, "");
}

/* ---- requests ----------------------------------------------------------- */

static struct xenvbd_req reqs[2][4];
static struct xenvbd_ring rings[2];

static void with_rings(void)
{
	static struct xenvbd_ring *list[] = { &rings[0], &rings[1] };
	unsigned int i;

	memset(reqs, 0, sizeof(reqs));
	memset(rings, 0, sizeof(rings));
	for (i = 0; i < 2; i++) {
		rings[i].vbd = vbd;
		rings[i].reqs = reqs[i];
		rings[i].sring.nr_ents = 4;
	}
	vbd->rings = list;
	vbd->nr_rings = 2;
}

static void without_rings(void)
{
	vbd->rings = NULL;
	vbd->nr_rings = 0;
}

static void requests_are_counted_over_all_rings(void **state)
{
	char text[XENVBD_STALL_TEXT];
	unsigned int oldest = 99;

	with_rings();
	assert_int_equal(xenvbd_stall_in_flight(vbd, &oldest), 0);
	assert_int_equal(oldest, 0);
	reqs[0][3].start = jiffies - 2 * HZ;
	reqs[1][0].start = jiffies - 9 * HZ;
	reqs[1][1].start = jiffies;
	assert_int_equal(xenvbd_stall_in_flight(vbd, &oldest), 3);
	assert_int_equal(oldest, 9000);

	vbd->stall.what = "closing";
	vbd->stall.since = jiffies - 6 * HZ;
	xenvbd_stall_describe(vbd, text, sizeof(text));
	assert_string_equal(text,
			    "closing, for 6 s: 3 requests to disk 7:1f, the oldest for 9 s");
	xenvbd_stall_describe(vbd, text, 20);
	assert_string_equal(text, "closing, for 6 s: 3");
	/* It is not the disk's fault. */
	rings[1].starved = XENVBD_NO_MEMORY;
	xenvbd_stall_describe(vbd, text, sizeof(text));
	assert_string_equal(text,
			    "closing, for 6 s: 3 requests to disk 7:1f, the oldest for 9 s, no memory");
	xenvbd_stall_describe(vbd, text, 20);
	assert_string_equal(text, "closing, for 6 s: 3");
	vbd->stall.what = NULL;
	without_rings();
}

static void a_vbd_that_was_removed_is_reported_in_the_log_alone(void **state)
{
	xenvbd_stall_enter(vbd, "closing");
	vbd->removed = true;
	control_pass(2 * HZ);
	assert_true(fake_logged("closing, for 1 s"));
	expect_waiting(NULL);
	xenvbd_stall_leave(vbd);
	expect_waiting(NULL);
	vbd->removed = false;
}

/* ---- requests that only the guest waits for ------------------------------ */

/* As a ring does when it takes a request. */
static void take(struct xenvbd_req *req)
{
	WRITE_ONCE(req->start, jiffies | 1);
	if (vbd->watchdog.armed)
		return;
	vbd->watchdog.armed = true;
	queue_delayed_work(vbd->wq, &vbd->watchdog.work, vbd->tunables.slow_seconds * HZ);
}

static void a_slow_disk_is_reported_once_a_minute(void **state)
{
	char text[XENVBD_STALL_TEXT];

	with_rings();
	take(&reqs[0][1]);
	control_pass(10 * HZ);
	take(&reqs[1][0]);
	control_pass(19 * HZ);
	expect_waiting(NULL);
	assert_string_equal(fake_log(), "");
	assert_string_equal(control_uevents(), "");
	control_pass(3 * HZ);
	assert_true(fake_logged("warn: slow: 2 requests to disk 7:1f, the oldest for 30 s\n"));
	assert_string_equal(control_uevents(),
			    "slow slow: 2 requests to disk 7:1f, the oldest for 30 s");
	assert_non_null(strstr(xenstore_get(BE "/waiting"), "slow: 2 requests to disk 7:1f"));
	xenvbd_stall_describe(vbd, text, sizeof(text));
	assert_string_equal(text, "slow: 2 requests to disk 7:1f, the oldest for 31 s");
	fake_log_clear();
	control_pass(57 * HZ);
	assert_string_equal(fake_log(), "");
	assert_non_null(strstr(xenstore_get(BE "/waiting"), "the oldest for 6"));
	control_pass(4 * HZ);
	assert_true(fake_logged("warn: slow: 2 requests to disk 7:1f, the oldest for 90 s\n"));
	/* The younger one may have been forgotten as well, but is not. */
	reqs[0][1].start = 0;
	fake_log_clear();
	control_pass(2 * HZ);
	assert_string_equal(fake_log(), "");
	control_uevents();
	reqs[1][0].start = 0;
	control_pass(2 * HZ);
	assert_true(fake_logged("notice: slow: done after 9"));
	assert_string_equal(control_uevents(), "recovered slow");
	expect_waiting("");
	without_rings();
}

/* Zero timers while a vbd is idle. */
static void nothing_looks_at_a_vbd_that_is_idle(void **state)
{
	unsigned int i;

	with_rings();
	for (i = 0; i < 5; i++) {
		take(&reqs[0][0]);
		control_pass(20 * HZ);
		reqs[0][0].start = 0;
		assert_int_equal(work_nr_pending(), 1);
		control_pass(31 * HZ);
		assert_int_equal(work_nr_pending(), 0);
		assert_false(vbd->watchdog.armed);
	}
	assert_string_equal(fake_log(), "");
	expect_waiting(NULL);
	without_rings();
}

/* A ring has seen that somebody looks, and its request was not seen yet. */
static void a_request_of_the_last_moment_is_looked_after(void **state)
{
	with_rings();
	take(&reqs[0][0]);
	reqs[0][0].start = 0;
	control_pass(30 * HZ);
	assert_int_equal(work_nr_pending(), 1);
	reqs[0][1].start = jiffies | 1;
	control_pass(32 * HZ);
	assert_true(fake_logged("warn: slow: 1 requests to disk 7:1f, the oldest for 3"));
	reqs[0][1].start = 0;
	control_pass(5 * HZ);
	without_rings();
}

static void nobody_has_to_hear_of_slow_disks(void **state)
{
	with_rings();
	vbd->tunables.slow_seconds = 0;
	take(&reqs[0][0]);
	control_pass(100 * HZ);
	assert_string_equal(fake_log(), "");
	assert_int_equal(work_nr_pending(), 0);
	/* Whoever wants to hears of what is there already. */
	vbd->tunables.slow_seconds = 5;
	xenvbd_stall_look(vbd);
	control_pass(HZ);
	assert_true(fake_logged("warn: slow: 1 requests to disk 7:1f, the oldest for 100 s\n"));
	vbd->tunables.slow_seconds = 0;
	xenvbd_stall_look(vbd);
	control_pass(HZ);
	assert_true(fake_logged("notice: slow: done"));
	assert_int_equal(work_nr_pending(), 0);
	without_rings();
}

/* The work item's own wait has a report, and is what people have to know. */
static void a_detach_that_waits_is_not_reported_twice(void **state)
{
	with_rings();
	take(&reqs[0][0]);
	xenvbd_stall_enter(vbd, "closing");
	control_pass(2 * HZ);
	assert_true(fake_logged("warn: closing, for 1 s"));
	assert_non_null(strstr(control_uevents(), "slow closing, for 1 s"));
	fake_log_clear();
	control_pass(40 * HZ);
	assert_string_equal(fake_log(), "");
	assert_string_equal(control_uevents(), "");
	assert_non_null(strstr(xenstore_get(BE "/waiting"), "closing, for "));
	reqs[0][0].start = 0;
	xenvbd_stall_leave(vbd);
	expect_waiting("");
	control_pass(2 * HZ);
	expect_waiting("");
	assert_false(fake_logged("slow: done"));
	assert_non_null(strstr(control_uevents(), "recovered closing"));
	without_rings();
}

int main(void)
{
	const struct CMUnitTest stall[] = {
		STALL_TEST(a_short_wait_is_nobodys_business),
		STALL_TEST(a_long_wait_is_reported_and_ended),
		STALL_TEST(each_wait_is_one_of_its_own),
		STALL_TEST(the_end_of_a_wait_is_written_when_it_can_be),
		STALL_TEST(a_short_wait_leaves_what_is_to_be_written),
		STALL_TEST(a_short_rest_leaves_what_is_to_be_written),
		STALL_TEST(a_rest_is_reported_between_stalls),
		STALL_TEST(what_could_not_be_written_goes_with_the_vbd),
		STALL_TEST(the_log_is_limited),
		STALL_TEST(there_is_nothing_to_say_of_no_wait),
		STALL_TEST(requests_are_counted_over_all_rings),
		STALL_TEST(a_slow_disk_is_reported_once_a_minute),
		STALL_TEST(nothing_looks_at_a_vbd_that_is_idle),
		STALL_TEST(a_request_of_the_last_moment_is_looked_after),
		STALL_TEST(nobody_has_to_hear_of_slow_disks),
		STALL_TEST(a_detach_that_waits_is_not_reported_twice),
		STALL_TEST(a_vbd_that_was_removed_is_reported_in_the_log_alone),
	};

	return RUN(stall);
}
