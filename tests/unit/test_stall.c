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
	control_pass(5 * HZ);
	expect_waiting("opening the disk, for 11 s");
	/* The log has it once. */
	assert_false(fake_logged("for 6 s"));
	xenvbd_stall_leave(vbd);
	expect_waiting("");
	assert_true(fake_logged("notice: opening the disk: done after 11 s\n"));
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
			    "closing, for 6 s: 3 requests at disk 7:1f, the oldest for 9 s");
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

int main(void)
{
	const struct CMUnitTest stall[] = {
		STALL_TEST(a_short_wait_is_nobodys_business),
		STALL_TEST(a_long_wait_is_reported_and_ended),
		STALL_TEST(each_wait_is_one_of_its_own),
		STALL_TEST(the_log_is_limited),
		STALL_TEST(there_is_nothing_to_say_of_no_wait),
		STALL_TEST(requests_are_counted_over_all_rings),
		STALL_TEST(a_vbd_that_was_removed_is_reported_in_the_log_alone),
	};

	return RUN(stall);
}
