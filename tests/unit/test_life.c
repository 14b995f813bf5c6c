// SPDX-License-Identifier: GPL-2.0-only
/*
 * A life of a vbd, from probe to the end of its device, in which one thing fails: each
 * allocation in turn, and each call to xenstore. Whatever it was, somebody is told of it,
 * the next attempt works, and nothing is left behind.
 */
#include "xenbus.c"

#include "bus.h"
#include "control.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

#define ERROR_NODE	"error/" BE "/error"

static struct xenbus_device *xbdev;

static struct xenvbd *vbd(void)
{
	return dev_get_drvdata(&xbdev->dev);
}

static bool is(const char *path, const char *value)
{
	const char *found = xenstore_get(path);

	return found && !strcmp(found, value);
}

static void frontend(const char *state)
{
	xenstore_set(FE "/state", "%s", state);
	control_settle();
}

/* ---- the life ----------------------------------------------------------- */

static void probe(void)
{
	xbdev = bus_add(BE);
	control_settle();
}

static bool is_waiting(void)
{
	return is(BE "/state", "2") && is(BE "/opened", "1");
}

static void connect(void)
{
	frontend("3");
	frontend("4");
}

static bool is_connected(void)
{
	return is(BE "/state", "4") && vbd()->nr_rings == 1 && vbd()->rings[0]->task;
}

/* For want of memory a request waits a while. */
static void serve(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		fake_bio_end_all();
		jiffies += HZ / 10;
		fake_task_run(vbd()->rings[0]->task);
	}
	control_settle();
}

static void read_once(void)
{
	control_request(vbd()->rings[0], BLKIF_OP_READ);
	serve();
}

static bool has_read(void)
{
	return control_nr_responses(vbd()->rings[0], BLKIF_RSP_OKAY) == 1;
}

static void resize(void)
{
	fake_disk.bdev.nr_sectors = 4096;
	control_pass(3 * HZ);
}

static bool is_resized(void)
{
	return is(BE "/sectors", "4096");
}

static void flush_in_vain(void)
{
	control_request(vbd()->rings[0], BLKIF_OP_FLUSH_DISKCACHE);
	if (fake_bio_first())
		fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
	serve();
}

static bool is_without_flush(void)
{
	return is(BE "/feature-flush-cache", "0") && is(BE "/feature-barrier", "0");
}

static void exchange(void)
{
	disk_b->bdev.write_cache = false;
	xenstore_set(BE "/physical-device", "8:2");
	control_settle();
}

static bool is_exchanged(void)
{
	return disk_b->nr_opens == 1 && disk_a->nr_opens == 0 &&
	       is(BE "/oracle/active-physical-device", "8:2") && is(BE "/sectors", "8192");
}

static void close_disk(void)
{
	frontend("5");
}

static bool is_closing(void)
{
	return is(BE "/state", "5");
}

static void close_frontend(void)
{
	frontend("6");
}

static bool is_closed(void)
{
	return is(BE "/state", "6") && bus_nr_registered() && !bus_nr_maps();
}

static void start_again(void)
{
	frontend("1");
}

static void detach(void)
{
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	control_settle();
	frontend("5");
}

static bool is_unregistered(void)
{
	return !bus_nr_registered() && !disks_nr_opens();
}

static const struct step {
	const char *name;
	void (*act)(void);
	bool (*done)(void);
} life[] = {
	{ "probe", probe, is_waiting },
	{ "connect", connect, is_connected },
	{ "read", read_once, has_read },
	{ "resize", resize, is_resized },
	{ "flush in vain", flush_in_vain, is_without_flush },
	{ "exchange", exchange, is_exchanged },
	{ "close the disk", close_disk, is_closing },
	{ "close", close_frontend, is_closed },
	{ "start again", start_again, is_waiting },
	{ "connect again", connect, is_connected },
	{ "detach", detach, is_closing },
	{ "leave", close_frontend, is_unregistered },
};

/* ---- what may go wrong -------------------------------------------------- */

static bool has_failed(void)
{
	return fake_allocs.failures || xenstore_failed(NULL, NULL);
}

/*
 * xenbus does not tell these from an answer: what does not exist, who is not online, and
 * what stands in a state. What follows from that nobody is told of.
 */
static bool is_swallowed_by_xenbus(void)
{
	enum xenstore_op op;
	const char *path;

	if (!xenstore_failed(&op, &path))
		return false;
	return op == XENSTORE_EXISTS ||
	       (op == XENSTORE_READ && (!strcmp(path, BE "/online") || !strcmp(path, BE "/state")));
}

static bool is_told(void)
{
	return xenstore_get(ERROR_NODE) || fake_logged("warn: ") || fake_logged("err: ");
}

/* What a toolstack and a guest do that see an error. */
static void recover(const char *what, unsigned long nth)
{
	if (bus_nr_registered() && !bus_is_bound(xbdev))
		expect(!bus_bind(xbdev), "%s %lu", what, nth);
	if (!bus_nr_registered()) {
		control_write_backend();
		control_write_frontend();
		probe();
	}
	xenstore_set(BE "/online", "1");
	frontend("6");
	xenstore_set(BE "/physical-device", "8:1");
	control_settle();
	frontend("1");
	expect(is(BE "/state", "2"), "%s %lu: state %s", what, nth, xenstore_get(BE "/state"));
	connect();
	expect(is_connected(), "%s %lu: state %s, error \"%s\"", what, nth,
	       xenstore_get(BE "/state"), xenstore_get(ERROR_NODE));
	control_request(vbd()->rings[0], BLKIF_OP_READ);
	serve();
	expect(has_read(), "%s %lu", what, nth);
}

/* What failed is short, and comes back by itself. */
static bool heals;
/* No room is needed to read. */
static bool is_full;

static bool is_no_shortage(void)
{
	enum xenstore_op op;

	return is_swallowed_by_xenbus() ||
	       (is_full && xenstore_failed(&op, NULL) && op == XENSTORE_READ);
}

/*
 * It works from now on, and nobody does anything about it. Where it heals all is well in
 * the end, unless there is no device for it; or somebody was told that it is refused.
 */
static bool is_done_later(const struct step *step, const char *what, unsigned long nth)
{
	bool excused = is_no_shortage();

	fake_fail_at(&fake_allocs, 0);
	xenstore_fail_nth(0, 0);
	if (step->done())
		return true;
	if (heals && bus_nr_registered() && bus_is_bound(xbdev))
		control_pass(3 * HZ);
	expect(!heals || step->done() || !bus_nr_registered() || !bus_is_bound(xbdev) ||
	       excused,
	       "%s, %s %lu: state %s, \"%s\"", step->name, what, nth, xenstore_get(BE "/state"),
	       xenstore_get(ERROR_NODE));
	return step->done();
}

/* Returns whether something has failed. */
static bool live(const char *what, unsigned long nth)
{
	bool failed = false, gone = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(life) && !gone; i++) {
		fake_log_clear();
		life[i].act();
		if (!failed && has_failed()) {
			failed = true;
			expect(life[i].done() || is_told() || is_swallowed_by_xenbus(),
			       "%s, %s %lu: nobody was told", life[i].name, what, nth);
			gone = !is_done_later(&life[i], what, nth);
		} else if (!life[i].done()) {
			/* Only what was taken for offline ends here. */
			expect(failed && is_swallowed_by_xenbus(), "%s, %s %lu: state %s, \"%s\"",
			       life[i].name, what, nth, xenstore_get(BE "/state"),
			       xenstore_get(ERROR_NODE));
			gone = true;
		}
	}
	if (gone)
		recover(what, nth);
	return failed;
}

static void end(void)
{
	if (bus_nr_registered()) {
		xenstore_remove(BE);
		bus_remove(xbdev);
	}
	control_settle();
	shim_module_exit();
	control_check_clean();
}

static void begin(void)
{
	control_renew();
	xs_leaving = false;
	assert_int_equal(shim_module_init(), 0);
}

static void nothing_fails(void **state)
{
	begin();
	assert_false(live("nothing", 0));
	assert_null(xenstore_get(ERROR_NODE));
	end();
}

/* Of each life one allocation more succeeds, until all do. */
static void memory_is_short(void **state)
{
	unsigned long nth;
	bool failed = true;

	heals = true;
	is_full = false;
	for (nth = 1; failed; nth++) {
		begin();
		fake_fail_at(&fake_allocs, nth);
		failed = live("allocation", nth);
		end();
	}
	printf("# allocations: %lu\n", nth - 2);
	assert_true(nth > 100);
}

static void fail_each_call(int err)
{
	bool failed = true;
	unsigned int nth;

	heals = err != -EIO;
	is_full = err == -ENOSPC;
	for (nth = 1; failed; nth++) {
		begin();
		xenstore_fail_nth(nth, err);
		failed = live("call of xenstore", nth);
		end();
	}
	printf("# calls of xenstore: %u\n", nth - 2);
	assert_true(nth > 100);
}

static void xenstore_refuses(void **state)
{
	fail_each_call(-EIO);
}

/* As if there were no room any more, a limit of driver domains. */
static void xenstore_is_full(void **state)
{
	fail_each_call(-ENOSPC);
}

/* A call that is interrupted says that it should be made again. */
static void xenstore_is_busy(void **state)
{
	fail_each_call(-EAGAIN);
}

int main(void)
{
	const struct CMUnitTest lives[] = {
		CONTROL_TEST(nothing_fails),
		CONTROL_TEST(memory_is_short),
		CONTROL_TEST(xenstore_refuses),
		CONTROL_TEST(xenstore_is_full),
		CONTROL_TEST(xenstore_is_busy),
	};

	return RUN(lives);
}
