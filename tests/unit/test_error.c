// SPDX-License-Identifier: GPL-2.0-only
/* How errors reach people, how often, and who may write at all. */
#include "control/error.c"
#include "control/store.c"

#include "bus.h"
#include "control.h"
#include "fake.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int error_setup(void **state)
{
	control_setup(state);
	vbd = control_vbd();
	xenvbd_error_init(&vbd->error);
	xenstore_set(BE "/state", "4");
	vbd->xbdev->state = XenbusStateConnected;
	return 0;
}

static int error_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define ERROR_TEST(f)	cmocka_unit_test_setup_teardown(f, error_setup, error_teardown)

#define NODE	"error/" BE "/error"

static void expect_node(const char *path, const char *value)
{
	const char *found = xenstore_get(path);

	if (!value)
		expect(!found, "%s is %s", path, found);
	else
		expect(found && !strcmp(found, value), "%s is %s, not %s", path, found, value);
}

static void an_error_is_remembered_in_words(void **state)
{
	assert_int_equal(xenvbd_error(vbd, -EIO, "reading %s/%u", "a", 1), -EIO);
	assert_string_equal(vbd->error.text, "reading a/1");
	assert_int_equal(xenvbd_error(vbd, -EINVAL, "%s", "b"), -EINVAL);
	assert_string_equal(vbd->error.text, "b");
	assert_null(xenstore_get(NODE));
}

static void a_long_error_is_cut(void **state)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	xenvbd_error(vbd, -EIO, "%s", text);
	assert_int_equal(strlen(vbd->error.text), sizeof(vbd->error.text) - 1);
}

static void a_fatal_error_is_told(void **state)
{
	xenvbd_error(vbd, -EINVAL, "it is wrong");
	xenvbd_error_fatal(vbd, -EINVAL);
	expect_node(NODE, "22 it is wrong");
	/* The state is the table's to say. */
	expect_node(BE "/state", "4");
	assert_true(fake_logged("it is wrong"));
	assert_int_equal(fake_nr_msleeps, 0);
}

static void a_reported_error_changes_no_state(void **state)
{
	xenvbd_error(vbd, -ENXIO, "it is gone");
	xenvbd_error_report(vbd, -ENXIO);
	expect_node(NODE, "6 it is gone");
	expect_node(BE "/state", "4");
	assert_true(fake_logged("it is gone"));
}

static unsigned int count_logged(const char *text)
{
	const char *at = fake_log();
	unsigned int nr = 0;

	while ((at = strstr(at, text))) {
		nr++;
		at++;
	}
	return nr;
}

/* A guest may err as often as it likes: the log is spared, the store has the last one. */
static void the_log_is_limited_and_the_store_is_not(void **state)
{
	char value[64];
	unsigned int i;

	for (i = 0; i < 30; i++) {
		fake_nr_msleeps = 0;
		xenvbd_error(vbd, -EINVAL, "error number %u.", i);
		xenvbd_error_fatal(vbd, -EINVAL);
		snprintf(value, sizeof(value), "22 error number %u.", i);
		expect_node(NODE, value);
		/* Who is beyond the limit waits. */
		expect(!fake_nr_msleeps == (i < 20), "error %u", i);
	}
	assert_int_equal(count_logged("error number"), 20);
	assert_int_equal(count_logged("error number 19."), 1);
	/* After ten seconds it is heard again. */
	jiffies += 11 * HZ;
	fake_nr_msleeps = 0;
	xenvbd_error(vbd, -EINVAL, "another error");
	xenvbd_error_fatal(vbd, -EINVAL);
	assert_int_equal(count_logged("another error"), 1);
	assert_int_equal(fake_nr_msleeps, 0);
}

static void a_quiet_error_may_find_no_memory(void **state)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		__ratelimit(&vbd->error.log);
	fake_fail_at(&fake_allocs, 1);
	xenvbd_error(vbd, -EINVAL, "it is wrong");
	xenvbd_error_fatal(vbd, -EINVAL);
	assert_int_equal(fake_allocs.failures, 1);
	assert_int_equal(fake_nr_msleeps, 1);
}

static void what_is_well_again_leaves_no_node(void **state)
{
	/* As xenbus makes directories. */
	xenstore_set("error/backend/vbd/7", "%s", "");
	xenvbd_error(vbd, -EINVAL, "it is wrong");
	xenvbd_error_fatal(vbd, -EINVAL);
	xenstore_set("error/backend/vbd/7/51728/error", "5 another vbd's");
	xenvbd_error_clear(vbd, XBT_NIL);
	expect_node(NODE, NULL);
	/* The guest's other disk has one. */
	expect_node("error/backend/vbd/7/51728/error", "5 another vbd's");
	expect_node("error/backend/vbd/7", "");
	xenstore_remove("error/backend/vbd/7/51728");
	xenvbd_error_report(vbd, -EINVAL);
	xenvbd_error_clear(vbd, XBT_NIL);
	expect_node("error/backend/vbd/7", NULL);
	/* And nothing is removed where there is nothing. */
	xenstore_log_clear();
	xenvbd_error_clear(vbd, XBT_NIL);
	assert_int_equal(xenstore_log_nr, 0);
}

static void what_was_removed_reports_nothing(void **state)
{
	unsigned int before = xenstore_nr_calls(), i;

	vbd->removed = true;
	xenvbd_error(vbd, -EINVAL, "too late");
	for (i = 0; i < 25; i++)
		xenvbd_error_fatal(vbd, -EINVAL);
	xenvbd_error_report(vbd, -EINVAL);
	assert_int_equal(xenstore_nr_calls(), before);
	assert_false(fake_logged("too late"));
	vbd->removed = false;
}

/* ---- who may write ------------------------------------------------------ */

static void one_writes_at_a_time(void **state)
{
	assert_true(xenvbd_store_begin(vbd));
	assert_true(transaction_lock.held);
	assert_true(vbd->store_lock.held);
	xenvbd_store_end(vbd);
	assert_false(transaction_lock.held);
	assert_false(vbd->store_lock.held);
}

static void what_was_removed_may_not_write(void **state)
{
	vbd->removed = true;
	assert_false(xenvbd_store_begin(vbd));
	assert_false(transaction_lock.held);
	assert_false(vbd->store_lock.held);
	vbd->removed = false;
}

int main(void)
{
	const struct CMUnitTest error[] = {
		ERROR_TEST(an_error_is_remembered_in_words),
		ERROR_TEST(a_long_error_is_cut),
		ERROR_TEST(a_fatal_error_is_told),
		ERROR_TEST(a_reported_error_changes_no_state),
		ERROR_TEST(the_log_is_limited_and_the_store_is_not),
		ERROR_TEST(a_quiet_error_may_find_no_memory),
		ERROR_TEST(what_is_well_again_leaves_no_node),
		ERROR_TEST(what_was_removed_reports_nothing),
		ERROR_TEST(one_writes_at_a_time),
		ERROR_TEST(what_was_removed_may_not_write),
	};

	return RUN(error);
}
