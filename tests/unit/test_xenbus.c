// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a vbd, from probe to the end of its device, as xenwatch, toolstack, guest
 * and disk make it happen; and what goes wrong on the way.
 */
#include "xenbus.c"

#include <linux/cgroup.h>

#include "bus.h"
#include "control.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

static struct xenbus_device *xbdev;

static struct xenvbd *vbd(void)
{
	return dev_get_drvdata(&xbdev->dev);
}

static int xs_setup(void **state)
{
	control_setup(state);
	xbdev = NULL;
	xs_leaving = false;
	return shim_module_init();
}

/* The host goes down: what is left of devices goes first. */
static int xs_teardown(void **state)
{
	if (xbdev && bus_nr_registered()) {
		xenstore_remove(BE);
		bus_remove(xbdev);
	}
	control_settle();
	shim_module_exit();
	return control_teardown(state);
}

#define XS_TEST(f)	cmocka_unit_test_setup_teardown(f, xs_setup, xs_teardown)

#define ERROR_NODE	"error/" BE "/error"

static void expect_node(const char *path, const char *value, int line)
{
	const char *found = xenstore_get(path);

	if (!value)
		expect(!found, "line %d: %s is \"%s\"", line, path, found);
	else
		expect(found && !strcmp(found, value), "line %d: %s is \"%s\", not \"%s\"", line,
		       path, found, value);
}

#define expect_key(path, value)	expect_node(path, value, __LINE__)
#define expect_state(value)	expect_node(BE "/state", value, __LINE__)
#define expect_report(value)	expect_node(ERROR_NODE, value, __LINE__)

static void probe(void)
{
	xbdev = bus_add(BE);
	control_settle();
}

static void frontend(const char *state)
{
	xenstore_set(FE "/state", "%s", state);
	control_settle();
}

static void connect(void)
{
	probe();
	frontend("3");
	expect_state("4");
	frontend("4");
}

static void detach(void)
{
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	control_settle();
}

static void insert(const char *device)
{
	xenstore_set(BE "/physical-device", "%s", device);
	control_settle();
}

static struct xenvbd_ring *ring(void)
{
	assert_true(vbd()->nr_rings > 0);
	return vbd()->rings[0];
}

/* ---- a life ------------------------------------------------------------- */

static int opens_at_closed;

static void look_at_closed(enum xenstore_op op, const char *path)
{
	if (op == XENSTORE_WRITE && !strcmp(path, BE "/state") && xbdev->state != XenbusStateClosed)
		opens_at_closed = disks_nr_opens();
}

static void a_life_from_probe_to_the_end(void **state)
{
	probe();
	expect_state("2");
	expect_key(BE "/multi-queue-max-queues", "4");
	expect_key(BE "/opened", "1");
	/* Frontends look when they see InitWait. */
	assert_true(xenstore_log_find(BE "/max-ring-page-order=4") <
		    xenstore_log_find(BE "/state=2"));
	assert_true(xenstore_log_find(BE "/max-ring-page-order=4") >= 0);
	expect_key(BE "/sectors", NULL);

	xenstore_log_clear();
	frontend("3");
	expect_state("4");
	expect_key(BE "/sectors", "8192");
	assert_true(xenstore_log_find(BE "/sectors=8192") < xenstore_log_find(BE "/state=4"));
	assert_non_null(ring()->task);
	frontend("4");
	control_request(ring(), BLKIF_OP_READ);
	fake_bio_end_all();
	fake_task_run(ring()->task);
	assert_int_equal(control_nr_responses(ring(), BLKIF_RSP_OKAY), 1);

	/* A guest that closes may go on using its disk. */
	frontend("5");
	expect_state("5");
	assert_int_equal(vbd()->nr_rings, 1);
	assert_string_equal(control_uevents(), "connected");
	assert_true(fake_logged("info: connected: disk 8:1, 1 ring(s) of 1 page(s), x86_64-abi, single grants, policy auto\n"));
	frontend("6");
	expect_state("6");
	assert_string_equal(control_uevents(), "closed");
	assert_int_equal(vbd()->nr_rings, 0);
	assert_int_equal(disks_nr_opens(), 1);

	/* Its driver is loaded again. */
	frontend("1");
	expect_state("2");
	frontend("3");
	expect_state("4");
	frontend("4");
	assert_int_equal(vbd()->stats.rd_req, 1);

	detach();
	frontend("5");
	expect_state("5");
	opens_at_closed = -1;
	xenstore_hook = look_at_closed;
	frontend("6");
	expect_state("6");
	/* The toolstack takes the disk away as soon as it sees that. */
	assert_int_equal(opens_at_closed, 0);
	assert_int_equal(bus_nr_registered(), 0);
	assert_int_equal(bus_nr_devices(), 0);
	expect_report(NULL);
	/* Driver domains may have few transactions. */
	assert_int_equal(xenstore_peak_open, 1);
}

static void the_disk_may_come_last(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	expect_state("2");
	expect_key(BE "/opened", "0");
	frontend("3");
	expect_state("2");
	assert_int_equal(vbd()->nr_rings, 1);
	insert("8:1");
	expect_state("4");
	expect_key(BE "/opened", "1");
}

static void a_guest_may_come_again_without_a_word(void **state)
{
	connect();
	frontend("1");
	expect_state("2");
	assert_int_equal(vbd()->nr_rings, 0);
	frontend("3");
	expect_state("4");
	/* From Closing, too: with new rings. */
	frontend("5");
	expect_state("5");
	xenstore_set(FE "/ring-ref", "10");
	frontend("3");
	expect_state("4");
	assert_int_equal(bus_nr_maps(), 1);
}

static void a_guest_that_is_gone_is_let_go(void **state)
{
	connect();
	xenstore_remove(FE);
	xenstore_touch(FE "/state");
	control_settle();
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
	assert_int_equal(disks_nr_opens(), 0);
}

static void a_guest_without_a_driver_is_not_waited_for(void **state)
{
	probe();
	detach();
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

/* One without the other is not enough. */
static void only_both_keys_end_a_vbd(void **state)
{
	probe();
	xenstore_set(BE "/online", "0");
	control_settle();
	expect_state("2");
	xenstore_set(BE "/online", "1");
	xenstore_set(BE "/state", "5");
	control_settle();
	assert_int_equal(bus_nr_registered(), 1);
}

/* Of a vbd that is Closed already the toolstack writes nothing else. */
static void online_alone_ends_a_closed_vbd(void **state)
{
	connect();
	frontend("5");
	frontend("6");
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 1);
	xenstore_set(BE "/online", "0");
	control_settle();
	assert_int_equal(bus_nr_registered(), 0);
}

/* The toolstack waits to see Closed, and has written over the one there was. */
static void closed_is_written_again_for_who_waits(void **state)
{
	connect();
	frontend("5");
	frontend("6");
	xenstore_log_clear();
	detach();
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

static void a_toolstack_that_changes_its_mind_is_heard(void **state)
{
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	probe();
	assert_int_equal(xenstore_log_find(BE "/state=2"), -1);
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

static void a_directory_that_is_gone_before_it_began(void **state)
{
	xbdev = bus_add(BE);
	xenstore_remove(BE);
	control_settle();
	expect_state(NULL);
	expect_report(NULL);
	bus_remove(xbdev);
	control_settle();
	assert_int_equal(bus_nr_devices(), 0);
	expect_state(NULL);
}

/* ---- what guests do wrong ----------------------------------------------- */

static void states_that_no_guest_takes_are_reported(void **state)
{
	static const struct {
		const char *state;
		const char *report;
	} cases[] = {
		{ "2", "22 saw state 2 (InitWait) at frontend" },
		{ "7", "22 saw state 7 (Reconfiguring) at frontend" },
		{ "8", "22 saw state 8 (Reconfigured) at frontend" },
		{ "9", "22 saw state 9 (INVALID) at frontend" },
		{ "-1", "22 saw state 4294967295 (INVALID) at frontend" },
	};
	unsigned int i;

	probe();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		frontend(cases[i].state);
		expect_state("5");
		expect_report(cases[i].report);
		frontend("1");
		expect_state("2");
	}
	frontend("3");
	expect_state("4");
}

static void a_wrong_key_is_reported_and_may_be_mended(void **state)
{
	probe();
	xenstore_set(FE "/event-channel", "none");
	frontend("3");
	expect_state("5");
	expect_report("22 " FE "/event-channel: \"none\" is not a number");
	assert_int_equal(bus_nr_maps(), 0);
	/* Nothing happens by itself. */
	xenstore_log_clear();
	control_pass(60 * HZ);
	assert_int_equal(xenstore_log_nr, 0);
	xenstore_set(FE "/event-channel", "9");
	frontend("6");
	expect_state("6");
	frontend("1");
	expect_state("2");
	frontend("3");
	expect_state("4");
}

/* The toolstack's own keys: it writes physical-device once more. */
static void physical_device_ends_an_error(void **state)
{
	xenstore_remove(BE "/mode");
	probe();
	expect_state("5");
	expect_report("22 reading " BE "/mode");
	assert_int_equal(disks_nr_opens(), 0);
	xenstore_set(BE "/mode", "w");
	insert("8:1");
	expect_state("2");
	frontend("3");
	expect_state("4");
}

static void settings_are_read_when_a_frontend_connects(void **state)
{
	xenstore_set(BE "/grant-policy", "none");
	probe();
	expect_state("2");
	expect_report(NULL);
	frontend("3");
	expect_state("5");
	expect_report("22 " BE "/grant-policy: \"none\" is unknown");
	xenstore_set(BE "/grant-policy", "copy");
	frontend("1");
	frontend("3");
	expect_state("4");
	assert_int_equal(vbd()->tunables.policy, XENVBD_POLICY_COPY);
}

static void settings_decide_what_is_offered(void **state)
{
	xenstore_set(BE "/grant-policy", "copy");
	probe();
	expect_key(BE "/feature-persistent", "0");
}

/* ---- the cgroup --------------------------------------------------------- */

static void limit(const char *path)
{
	xenstore_set(BE "/cgroup", "%s", path);
	control_settle();
}

/* The vbd is in it, and so is the ring's thread. */
static void expect_cgroup(struct cgroup *cgroup)
{
	struct cgroup_subsys_state *css = cgroup ? fake_cgroup_io(cgroup) : NULL;

	assert_ptr_equal(vbd()->cgroup.css, css);
	if (!vbd()->nr_rings)
		return;
	fake_task_run(ring()->task);
	assert_ptr_equal(ring()->task->blkcg_css, css);
}

static void a_key_limits_a_guest_from_the_beginning(void **state)
{
	struct cgroup *a = fake_cgroup("/a", true);

	xenstore_set(BE "/cgroup", "/a");
	probe();
	expect_cgroup(a);
	frontend("3");
	frontend("4");
	expect_state("4");
	expect_cgroup(a);
	/* And the next guest; and the next driver. */
	frontend("5");
	frontend("6");
	frontend("1");
	frontend("3");
	expect_state("4");
	expect_cgroup(a);
	bus_unbind(xbdev);
	control_settle();
	assert_int_equal(fake_cgroup_io(a)->refs, 0);
	assert_int_equal(bus_bind(xbdev), 0);
	control_settle();
	expect_cgroup(a);
}

static void a_key_that_is_written_counts_at_once(void **state)
{
	struct cgroup *a = fake_cgroup("/a", true), *b = fake_cgroup("/b", true);

	connect();
	limit("/a");
	expect_cgroup(a);
	limit("/b");
	expect_cgroup(b);
	xenstore_remove(BE "/cgroup");
	control_settle();
	expect_cgroup(NULL);
	expect_state("4");
	expect_report(NULL);
}

static void nobody_connects_without_a_limit_that_is_wanted(void **state)
{
	xenstore_set(BE "/cgroup", "/a");
	probe();
	/* The toolstack may yet make it. */
	limit("/a");
	expect_state("2");
	expect_report(NULL);
	frontend("3");
	expect_state("5");
	expect_report("2 " BE "/cgroup: \"/a\" is no cgroup");
	fake_cgroup("/a", true);
	frontend("1");
	frontend("3");
	expect_state("4");
	expect_report(NULL);
}

static void a_guest_keeps_its_limit_if_another_is_wrong(void **state)
{
	struct cgroup *a = fake_cgroup("/a", true), *b = fake_cgroup("/b", true);

	connect();
	limit("/a");
	limit("/c");
	expect_state("4");
	expect_report("2 " BE "/cgroup: \"/c\" is no cgroup");
	expect_cgroup(a);
	limit("/b");
	expect_report(NULL);
	expect_cgroup(b);
	/* An error of something else is not ours to remove. */
	xenstore_set(ERROR_NODE, "5 something else");
	limit("/a");
	expect_report("5 something else");
	xenstore_remove("error");
}

static void a_file_in_sysfs_and_the_next_driver(void **state)
{
	struct cgroup *a = fake_cgroup("/a", true);

	connect();
	assert_int_equal(xenvbd_limit_store(vbd(), "/a\n"), 0);
	expect_cgroup(a);
	control_settle();
	expect_cgroup(a);
	bus_unbind(xbdev);
	control_settle();
	assert_int_equal(bus_bind(xbdev), 0);
	control_settle();
	expect_state("4");
	expect_cgroup(a);
}

static void a_ring_that_cannot_be_mapped_closes(void **state)
{
	probe();
	bus_map_err = -EINVAL;
	frontend("3");
	expect_state("5");
	expect_report("22 mapping ring-ref 8");
	bus_map_err = 0;
	frontend("1");
	frontend("3");
	expect_state("4");
}

static void a_broken_ring_is_dropped(void **state)
{
	connect();
	control_break(ring());
	control_settle();
	expect_state("5");
	expect_report("71 frontend has broken its ring");
	assert_int_equal(bus_nr_maps(), 0);
	assert_int_equal(vbd()->nr_rings, 0);
	frontend("1");
	expect_state("2");
	frontend("3");
	expect_state("4");
}

/* ---- the disk ----------------------------------------------------------- */

static void a_disk_that_cannot_be_opened_closes(void **state)
{
	disk_a->err[DISK_OPEN] = -EIO;
	probe();
	expect_state("5");
	expect_report("5 opening disk 8:1 for writing");
	expect_key(BE "/opened", "0");
	disk_a->err[DISK_OPEN] = 0;
	insert("8:1");
	expect_state("2");
	expect_key(BE "/opened", "1");
}

static void a_cache_that_cannot_be_written_back_closes(void **state)
{
	probe();
	disk_a->err[DISK_SYNC] = -EIO;
	frontend("3");
	expect_state("5");
	expect_report("5 writing back the cache of disk 8:1");
	assert_int_equal(vbd()->nr_rings, 0);
}

static void disks_are_exchanged_under_a_guest(void **state)
{
	connect();
	disk_b->bdev.nr_sectors = 4096;
	xenstore_log_clear();
	control_uevents();
	insert("8:2");
	assert_string_equal(control_uevents(), "exchanged");
	expect_state("4");
	expect_key(BE "/oracle/active-physical-device", "8:2");
	expect_key(BE "/oracle/physical-device-change-status", "");
	expect_key(BE "/sectors", "4096");
	assert_int_equal(xenstore_log_count(BE "/state"), 1);
	expect_report(NULL);
	assert_int_equal(disk_a->nr_opens, 0);
}

static void a_guest_keeps_its_disk_if_another_is_refused(void **state)
{
	connect();
	disk_b->bdev.read_only = true;
	control_uevents();
	insert("8:2");
	assert_string_equal(control_uevents(), "error new disk is read-only, the old one stays");
	expect_state("4");
	expect_report("124 new disk is read-only, the old one stays");
	expect_key(BE "/oracle/physical-device-change-status",
		   "new disk is read-only, the old one stays");
	expect_key(BE "/oracle/active-physical-device", NULL);
	assert_int_equal(disk_a->nr_opens, 1);
	control_request(ring(), BLKIF_OP_READ);
	fake_bio_end_all();
	fake_task_run(ring()->task);
	assert_int_equal(control_nr_responses(ring(), BLKIF_RSP_OKAY), 1);
}

static void an_empty_drive_connects(void **state)
{
	xenstore_set(BE "/device-type", "cdrom");
	xenstore_set(BE "/physical-device", "%s", "");
	connect();
	expect_key(BE "/sectors", "0");
	expect_key(BE "/opened", "0");
	insert("8:1");
	expect_state("4");
	expect_key(BE "/opened", "1");
	expect_key(BE "/sectors", "8192");
}

static void a_new_size_is_seen_within_a_second(void **state)
{
	connect();
	control_uevents();
	fake_disk.bdev.nr_sectors = 4096;
	control_pass(HZ + HZ / 4);
	expect_key(BE "/sectors", "4096");
	assert_string_equal(control_uevents(), "resized");
	control_pass(5 * HZ);
	assert_string_equal(control_uevents(), "");
	fake_disk.bdev.nr_sectors = 8192;
	control_pass(HZ + HZ / 4);
	expect_key(BE "/sectors", "8192");
	/* Not of a vbd that is not Connected. */
	frontend("6");
	fake_disk.bdev.nr_sectors = 4096;
	control_pass(5 * HZ);
	expect_key(BE "/sectors", "8192");
	assert_int_equal(work_nr_pending(), 0);
}

static void a_disk_that_vanishes_is_reported_once(void **state)
{
	connect();
	set_bit(GD_DEAD, &fake_disk.gd.state);
	fake_disk.bdev.nr_sectors = 0;
	control_uevents();
	control_pass(2 * HZ);
	expect_report("6 disk 8:1 has vanished");
	assert_string_equal(control_uevents(), "error disk 8:1 has vanished; vanished");
	expect_state("4");
	expect_key(BE "/sectors", "8192");
	xenstore_remove(ERROR_NODE);
	control_pass(10 * HZ);
	frontend("4");
	expect_report(NULL);
	assert_string_equal(control_uevents(), "");
	/* Nor does it connect. */
	frontend("1");
	frontend("3");
	expect_state("5");
	expect_report("6 disk 8:1 has vanished");
	assert_string_equal(control_uevents(), "error disk 8:1 has vanished");
}

static void flushes_that_the_disk_does_not_know_are_not_offered(void **state)
{
	connect();
	expect_key(BE "/feature-flush-cache", "1");
	control_request(ring(), BLKIF_OP_FLUSH_DISKCACHE);
	assert_int_equal(fake_nr_bios, 1);
	fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
	fake_task_run(ring()->task);
	control_settle();
	assert_int_equal(control_nr_responses(ring(), BLKIF_RSP_EOPNOTSUPP), 1);
	expect_key(BE "/feature-flush-cache", "0");
	expect_key(BE "/feature-barrier", "0");
	assert_false(vbd()->disk.flush);
	assert_false(xenvbd_frontend_flushes(&vbd()->advertised));
	expect_state("4");
}

static void refuse_a_flush(void)
{
	control_request(ring(), BLKIF_OP_FLUSH_DISKCACHE);
	assert_int_equal(fake_nr_bios, 1);
	fake_bio_end(fake_bio_first(), BLK_STS_NOTSUPP);
	fake_task_run(ring()->task);
	control_settle();
}

/* It has a cache all the same, for all that anybody knows. */
static void a_disk_that_does_not_know_flushes_is_named(void **state)
{
	connect();
	expect_report(NULL);
	refuse_a_flush();
	expect_report("95 disk 8:1 does not know flushes, and what it has cached may be lost");
	/* Said once. */
	xenstore_remove(ERROR_NODE);
	refuse_a_flush();
	control_pass(3 * HZ);
	expect_report(NULL);
	/* Another ring may have noted it, too. */
	xenvbd_wake_work(ring(), XENVBD_EVENT_NO_FLUSH);
	control_settle();
	expect_report(NULL);
	assert_true(vbd()->disk.no_flush);
	/* A guest that connects again does not have to suffer for it. */
	frontend("6");
	frontend("1");
	frontend("3");
	expect_state("4");
	expect_key(BE "/feature-flush-cache", "1");
	assert_false(vbd()->disk.no_flush);
	assert_true(xenvbd_frontend_flushes(&vbd()->advertised));
	expect_report(NULL);
	refuse_a_flush();
	expect_report("95 disk 8:1 does not know flushes, and what it has cached may be lost");
	expect_key(BE "/feature-flush-cache", "0");
}

/* A guest can connect as often as it likes. */
static void a_disk_that_does_not_know_flushes_does_not_fill_the_log(void **state)
{
	unsigned int i;

	connect();
	for (i = 0; i < 30; i++) {
		fake_log_clear();
		refuse_a_flush();
		frontend("6");
		frontend("1");
		frontend("3");
		expect_state("4");
	}
	refuse_a_flush();
	assert_false(fake_logged("does not know flushes"));
}

/* ---- a disk that takes its time ----------------------------------------- */

static const char *stalled;
static enum disk_op slow_op;

static void be_slow(const struct disk *disk, enum disk_op op)
{
	static char text[128];
	const char *waiting;

	if (op != slow_op)
		return;
	jiffies += 3 * HZ;
	/* Others go on: this vbd's reports among them. */
	while (work_run())
		;
	waiting = xenstore_get(BE "/waiting");
	snprintf(text, sizeof(text), "%s", waiting ? waiting : "nothing");
	stalled = text;
}

static void a_vbd_says_what_it_waits_for(void **state)
{
	stalled = NULL;
	disks_hook = be_slow;
	slow_op = DISK_OPEN;
	probe();
	assert_string_equal(stalled, "opening the disk, for 3 s");
	expect_key(BE "/waiting", "");
	slow_op = DISK_SYNC;
	frontend("3");
	assert_string_equal(stalled, "writing back the disk's cache, for 3 s");
	expect_key(BE "/waiting", "");
	slow_op = DISK_FLUSH;
	insert("8:2");
	assert_string_equal(stalled, "exchanging the disk, for 3 s");
	expect_key(BE "/waiting", "");
	frontend("6");
	slow_op = DISK_CLOSE;
	detach();
	assert_string_equal(stalled, "closing the disk, for 3 s");
	expect_state("6");
	expect_key(BE "/waiting", "");
}

/* The toolstack's script takes its time. */
static void a_frontend_that_waits_for_the_disks_number(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	/* Nobody waits who is not there. */
	control_pass(15 * HZ);
	expect_key(BE "/waiting", NULL);
	frontend("3");
	control_pass(10 * HZ - 1);
	expect_key(BE "/waiting", NULL);
	control_pass(1);
	expect_key(BE "/waiting", "waiting for physical-device, for 10 s");
	assert_true(fake_logged("warn: waiting for physical-device, for 10 s\n"));
	insert("8:1");
	expect_state("4");
	expect_key(BE "/waiting", "");
}

/* Its rings are there still, and the error says it all. */
static void an_error_is_no_wait_for_the_disks_number(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	frontend("3");
	insert("no number");
	expect_state("5");
	assert_int_equal(vbd()->nr_rings, 1);
	control_pass(15 * HZ);
	expect_key(BE "/waiting", NULL);
}

#define SHORT_TEXT	"waiting for memory or for room in xenstore, for "

static void expect_short_until_healed(const char *state)
{
	const char *text;

	control_pass(HZ / 2);
	expect_key(BE "/waiting", NULL);
	assert_false(fake_logged(SHORT_TEXT));
	control_pass(3 * HZ);
	text = xenstore_get(BE "/waiting");
	expect(text && !strncmp(text, SHORT_TEXT, strlen(SHORT_TEXT)), "%s", text);
	assert_true(fake_logged("warn: " SHORT_TEXT "1 s\n"));
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(2 * HZ);
	expect_state(state);
	expect_key(BE "/waiting", "");
	control_pass(20 * HZ);
	expect_key(BE "/waiting", "");
}

static void a_shortage_that_lasts_is_explained(void **state)
{
	probe();
	xenstore_fail_path(XENSTORE_READ, FE "/ring-ref", -ENOMEM);
	frontend("3");
	expect_short_until_healed("4");
}

/* Each second there is a short stall, as the disk is to be opened. */
static void a_shortage_with_a_disk_to_open_is_explained(void **state)
{
	xenstore_fail_path(XENSTORE_READ, BE "/physical-device", -ENOMEM);
	probe();
	expect_short_until_healed("2");
}

static void a_shortage_that_ends_is_nobodys_business(void **state)
{
	probe();
	xenstore_fail_path(XENSTORE_READ, FE "/ring-ref", -ENOMEM);
	frontend("3");
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(HZ / 2);
	frontend("3");
	expect_state("4");
	control_pass(5 * HZ);
	expect_key(BE "/waiting", NULL);
	assert_false(fake_logged(SHORT_TEXT));
}

static bool slow_requests(void)
{
	stalled = xenstore_get(BE "/waiting");
	if (time_before(jiffies, vbd()->stall.since + 5 * HZ)) {
		jiffies += HZ;
		while (work_run())
			;
		return true;
	}
	assert_string_equal(stalled,
			    "closing, for 1 s: 1 requests to disk 8:1, the oldest for 1 s");
	return fake_bio_end_all();
}

static void a_vbd_closes_when_its_requests_are_back(void **state)
{
	connect();
	/* The age of a request is off by one of these. */
	jiffies |= 1;
	control_request(ring(), BLKIF_OP_READ);
	stalled = NULL;
	fake_idle = slow_requests;
	frontend("6");
	assert_non_null(stalled);
	expect_state("6");
	expect_key(BE "/waiting", "");
	assert_int_equal(vbd()->stats.rd_req, 1);
}

/* As many as one workqueue has places, and one more. */
#define NR_STUCK	(WQ_UNBOUND_MAX_ACTIVE + 1)

static const char *state_meanwhile;

/* Each waits in its work item, and the others' work is done meanwhile, as far as it can be. */
static void open_never_ends(const struct disk *disk, enum disk_op op)
{
	static char text[8];

	if (disk != disk_b || op != DISK_OPEN)
		return;
	while (work_run())
		;
	if (!state_meanwhile)
		state_meanwhile = strcpy(text, xenstore_get(BE "/state"));
}

static struct xenbus_device *add_stuck(unsigned int i)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "backend/vbd/7/%u", 60000 + i);
	control_write_directory(dir, "8:2");
	return bus_add(dir);
}

static void disks_that_hang_hold_up_nobody_else(void **state)
{
	struct xenbus_device *stuck[NR_STUCK];
	unsigned int i;

	state_meanwhile = NULL;
	disks_hook = open_never_ends;
	for (i = 0; i < NR_STUCK; i++)
		stuck[i] = add_stuck(i);
	probe();
	assert_string_equal(state_meanwhile, "2");

	/* The places are for others, then. */
	for (i = 0; i < NR_STUCK; i++) {
		xenstore_remove(stuck[i]->nodename);
		bus_remove(stuck[i]);
	}
	control_settle();
	i = work_nr_queues();
	assert_in_range(i, 2, NR_STUCK / 2 + 1);
	bus_remove(add_stuck(0));
	control_settle();
	assert_int_equal(work_nr_queues(), i);
}

/* ---- several things at once --------------------------------------------- */

static void ring_and_disk_come_at_once(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	xenstore_set(FE "/state", "3");
	xenstore_set(BE "/physical-device", "8:1");
	control_settle();
	expect_state("4");
}

static void a_guest_is_faster_than_the_probe(void **state)
{
	xenstore_set(FE "/state", "3");
	probe();
	expect_state("4");
	assert_true(xenstore_log_find(BE "/state=2") < xenstore_log_find(BE "/state=4"));
	assert_true(xenstore_log_find(BE "/state=2") >= 0);
}

static void a_broken_ring_of_a_guest_that_closes(void **state)
{
	connect();
	control_break(ring());
	xenstore_set(FE "/state", "6");
	while (xenstore_fire())
		;
	control_settle();
	expect_state("6");
	expect_report(NULL);
	assert_int_equal(bus_nr_maps(), 0);
	frontend("1");
	frontend("3");
	expect_state("4");
}

/* The ring that was broken is not the one that is there when the work item hears of it. */
static void a_broken_ring_of_before_is_forgotten(void **state)
{
	connect();
	control_break(ring());
	xenstore_set(FE "/state", "1");
	while (xenstore_fire())
		;
	control_settle();
	frontend("1");
	frontend("3");
	expect_state("4");
}

static void another_disk_for_a_guest_that_closes(void **state)
{
	connect();
	xenstore_set(FE "/state", "6");
	xenstore_set(BE "/physical-device", "8:2");
	control_settle();
	expect_state("6");
	assert_int_equal(disk_b->nr_opens, 1);
	assert_int_equal(disk_a->nr_opens, 0);
	frontend("1");
	frontend("3");
	expect_state("4");
}

static void detached_while_it_connects(void **state)
{
	probe();
	xenstore_set(FE "/state", "3");
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	control_settle();
	frontend("5");
	frontend("6");
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

static unsigned int nr_flips;

/* A guest that is as fast as the driver: it writes another state after each look. */
static void flip(enum xenstore_op op, const char *path)
{
	if (op != XENSTORE_READ || strcmp(path, BE "/state") || xenstore_nr_open() ||
	    nr_flips == 150)
		return;
	xenstore_set(FE "/state", nr_flips++ % 2 ? "1" : "6");
}

static void a_guest_that_is_never_done_keeps_no_work_item_busy(void **state)
{
	probe();
	nr_flips = 0;
	xenstore_hook = flip;
	xs_record(vbd(), XENVBD_EVENT_FRONTEND);
	assert_true(work_run());
	assert_in_range(nr_flips, 10, 100);
	/* But nobody forgets it. */
	assert_true(vbd()->work.pending);
	control_settle();
	assert_int_equal(nr_flips, 150);
	xenstore_hook = NULL;
	frontend("1");
	expect_state("2");
	frontend("3");
	expect_state("4");
}

/* ---- while the disk is waited for --------------------------------------- */

static void (*meanwhile)(void);

/* Once. */
static void others_are_faster(const struct disk *disk, enum disk_op op)
{
	void (*act)(void) = meanwhile;

	if (op != slow_op || !act)
		return;
	meanwhile = NULL;
	act();
	while (xenstore_fire())
		;
}

/* The frontend writes a state, and others act while the disk is slow with @op. */
static void frontend_and_others(const char *state, enum disk_op op, void (*act)(void))
{
	disks_hook = others_are_faster;
	slow_op = op;
	meanwhile = act;
	frontend(state);
	assert_null(meanwhile);
}

static void toolstack_detaches(void)
{
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
}

static void frontend_closes(void)
{
	xenstore_set(FE "/state", "6");
}

static void all_close(void)
{
	toolstack_detaches();
	frontend_closes();
}

/*
 * A frontend that has closed takes Connected for a new beginning, and waits for ever
 * inside its xenwatch.
 */
static void nobody_connects_who_has_closed(void **state)
{
	probe();
	frontend_and_others("3", DISK_SYNC, all_close);
	assert_int_equal(xenstore_log_find(BE "/state=4"), -1);
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
	assert_int_equal(disks_nr_opens(), 0);
}

static void nobody_connects_who_is_to_close(void **state)
{
	probe();
	frontend_and_others("3", DISK_SYNC, toolstack_detaches);
	assert_int_equal(xenstore_log_find(BE "/state=4"), -1);
	expect_state("5");
	frontend("6");
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

/* The last moment: all has been read, and our state is about to be written. */
static void close_before_connected(enum xenstore_op op, const char *path)
{
	void (*act)(void) = meanwhile;

	if (op != XENSTORE_WRITE || strcmp(path, BE "/state") || !act || !vbd()->nr_rings)
		return;
	meanwhile = NULL;
	act();
}

static void each_may_be_faster_to_the_last(void **state)
{
	void (*const acts[])(void) = { frontend_closes, toolstack_detaches, all_close };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		probe();
		xenstore_hook = close_before_connected;
		meanwhile = acts[i];
		frontend("3");
		xenstore_hook = NULL;
		assert_null(meanwhile);
		expect(xenstore_log_find(BE "/state=4") == -1, "case %u", i);
		assert_int_equal(bus_nr_maps(), 0);
		frontend("6");
		expect_state("6");
		if (bus_nr_registered()) {
			toolstack_detaches();
			control_settle();
		}
		assert_int_equal(bus_nr_registered(), 0);
		xenstore_log_clear();
		control_write_backend();
		control_write_frontend();
	}
}

static unsigned int calls_at_removal;

static void be_removed(void)
{
	vbd()->removed = true;
	calls_at_removal = xenstore_nr_calls();
}

static void who_is_removed_asks_no_more(void **state)
{
	probe();
	frontend_and_others("3", DISK_SYNC, be_removed);
	assert_in_range(xenstore_nr_calls() - calls_at_removal, 0, 5);
	vbd()->removed = false;
}

/* While the guest comes again, and the old requests are waited for. */
static bool detach_and_answer(void)
{
	if (meanwhile) {
		meanwhile();
		meanwhile = NULL;
	}
	return fake_bio_end_all();
}

static void closing_is_not_lost_while_rings_drain(void **state)
{
	connect();
	control_request(ring(), BLKIF_OP_READ);
	meanwhile = toolstack_detaches;
	fake_idle = detach_and_answer;
	xenstore_log_clear();
	frontend("1");
	assert_null(meanwhile);
	assert_int_equal(xenstore_log_find(BE "/state=2"), -1);
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

/* The toolstack changes its mind while the disk is closed for it. */
static void stay(void)
{
	xenstore_set(BE "/online", "1");
	xenstore_set(FE "/state", "1");
}

static void a_vbd_stays_if_its_end_is_taken_back(void **state)
{
	connect();
	xenstore_set(BE "/online", "0");
	frontend_and_others("6", DISK_CLOSE, stay);
	assert_int_equal(bus_nr_registered(), 1);
	expect_state("2");
	frontend("3");
	expect_state("4");
	assert_int_equal(disk_a->nr_opens, 1);
}

/* Nor by a driver that was bound later, and has not heard of the frontend yet. */
static void a_frontend_in_use_is_not_let_go_unheard(void **state)
{
	connect();
	bus_unbind(xbdev);
	toolstack_detaches();
	xenstore_log_clear();
	assert_int_equal(bus_bind(xbdev), 0);
	/* The work item is faster than xenwatch. */
	while (work_run())
		;
	assert_int_equal(bus_nr_registered(), 1);
	assert_int_equal(xenstore_log_find(BE "/state=6"), -1);
	assert_int_equal(xenstore_log_find(BE "/state=2"), -1);
	control_settle();
	expect_state("5");
	frontend("6");
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
}

/* What the toolstack writes over Closed is answered, whoever is online. */
static void closed_is_the_answer_to_closing(void **state)
{
	connect();
	frontend("6");
	expect_state("6");
	xenstore_set(BE "/state", "5");
	control_settle();
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 1);
	frontend("1");
	expect_state("2");
}

/* ---- rings that are published again ------------------------------------- */

static void a_guest_that_resumes_in_place_is_heard(void **state)
{
	static const char *const states[] = { "3", "4" };
	unsigned int i;

	connect();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		control_request(ring(), BLKIF_OP_READ);
		xenstore_set(FE "/ring-ref", "%u", 20 + i);
		xenstore_set(FE "/event-channel", "%u", 30 + i);
		xenstore_log_clear();
		frontend(states[i]);
		expect_state("4");
		assert_int_equal(ring()->irq, 30 + i);
		assert_int_equal(bus_nr_maps(), 1);
		assert_int_equal(bus_nr_irqs(), 1);
		/* What the old ring had is done. */
		assert_int_equal(vbd()->stats.rd_req, 1 + i);
		control_request(ring(), BLKIF_OP_READ);
		fake_bio_end_all();
		fake_task_run(ring()->task);
		assert_int_equal(control_nr_responses(ring(), BLKIF_RSP_OKAY), 1);
		vbd()->stats.rd_req--;
	}
	expect_report(NULL);
}

static void the_same_rings_are_no_new_start(void **state)
{
	struct xenvbd_ring *before;

	connect();
	before = ring();
	xenstore_log_clear();
	frontend("3");
	frontend("4");
	/* A key that is gone says nothing of a new ring. */
	xenstore_remove(FE "/event-channel");
	frontend("4");
	assert_ptr_equal(ring(), before);
	assert_int_equal(xenstore_log_nr, 0);
}

static void rings_may_change_before_the_disk_is_there(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	frontend("3");
	xenstore_set(FE "/ring-ref", "10");
	xenstore_set(FE "/event-channel", "11");
	frontend("3");
	assert_int_equal(ring()->irq, 11);
	insert("8:1");
	expect_state("4");
	assert_int_equal(ring()->irq, 11);
	assert_int_equal(bus_nr_maps(), 1);
}

/* ---- errors that have ended --------------------------------------------- */

static void an_error_stands_though_the_guest_has_closed(void **state)
{
	probe();
	xenstore_set(FE "/event-channel", "none");
	frontend("3");
	expect_state("5");
	frontend("6");
	expect_state("6");
	expect_report("22 " FE "/event-channel: \"none\" is not a number");
	/* It ends with its vbd. */
	detach();
	assert_int_equal(bus_nr_registered(), 0);
	expect_report(NULL);
}

static void an_error_goes_when_all_is_well(void **state)
{
	probe();
	xenstore_set(FE "/event-channel", "none");
	frontend("3");
	expect_report("22 " FE "/event-channel: \"none\" is not a number");
	xenstore_set(FE "/event-channel", "9");
	frontend("1");
	frontend("3");
	expect_state("4");
	expect_report(NULL);
	/* Before Closed, too: a toolstack would take it for a failure to close. */
	disk_b->bdev.read_only = true;
	insert("8:2");
	expect_report("124 new disk is read-only, the old one stays");
	detach();
	frontend("6");
	expect_state("6");
	expect_report(NULL);
}

/* Where the node is removed along with a state: before it in the log. */
static void expect_together(const char *state)
{
	expect(xenstore_log_find(ERROR_NODE) >= 0 &&
	       xenstore_log_find(ERROR_NODE) < xenstore_log_find(state), "%s", state);
}

/* A toolstack looks as soon as it sees the state. */
static void an_error_goes_along_with_a_state(void **state)
{
	/* Of a driver that was bound before. */
	xenstore_set(ERROR_NODE, "16 xenbus_dev_probe on " BE);
	xenstore_fail_path(XENSTORE_DIRECTORY, "error/" BE, -ENOMEM);
	probe();
	expect_state("2");
	expect_report("16 xenbus_dev_probe on " BE);
	xenstore_fail_path(XENSTORE_DIRECTORY, NULL, 0);
	xenstore_log_clear();
	frontend("3");
	expect_together(BE "/state=4");
	disk_b->bdev.read_only = true;
	insert("8:2");
	toolstack_detaches();
	xenstore_log_clear();
	frontend("6");
	expect_together(BE "/state=6");
	assert_int_equal(bus_nr_registered(), 0);
}

static void an_error_of_before_goes_when_all_is_well(void **state)
{
	xenstore_set(ERROR_NODE, "16 xenbus_dev_probe on " BE);
	xenstore_fail_path(XENSTORE_DIRECTORY, "error/" BE, -ENOMEM);
	probe();
	expect_state("2");
	expect_report("16 xenbus_dev_probe on " BE);
	/* It is tried again. */
	xenstore_fail_path(XENSTORE_DIRECTORY, NULL, 0);
	control_pass(2 * HZ);
	expect_report(NULL);
	assert_int_equal(work_nr_pending(), 0);
}

static void a_guest_that_starts_again_finds_no_error(void **state)
{
	probe();
	xenstore_set(FE "/event-channel", "none");
	frontend("3");
	expect_report("22 " FE "/event-channel: \"none\" is not a number");
	frontend("1");
	expect_state("2");
	expect_report(NULL);
	frontend("3");
	expect_report("22 " FE "/event-channel: \"none\" is not a number");
}

#define WORSE_BLOCKS	"124 disk 8:1 has larger logical blocks now, and requests for less fail"
#define WORSE_READONLY	"30 disk 8:1 is read-only now, and the guest's writes fail"

static void a_disk_that_is_itself_again_is_no_error(void **state)
{
	connect();
	fake_disk.bdev.logical_block_size = 4096;
	control_pass(2 * HZ);
	expect_report(WORSE_BLOCKS);
	fake_disk.bdev.read_only = true;
	control_pass(2 * HZ);
	expect_report(WORSE_READONLY);
	/* The other one holds. */
	fake_disk.bdev.read_only = false;
	control_pass(2 * HZ);
	expect_report(WORSE_READONLY);
	fake_disk.bdev.logical_block_size = 512;
	control_pass(2 * HZ);
	expect_report(NULL);
	fake_disk.bdev.read_only = true;
	control_pass(2 * HZ);
	expect_report(WORSE_READONLY);
	fake_disk.bdev.read_only = false;
	control_pass(2 * HZ);
	expect_report(NULL);
	expect_state("4");
}

static void a_flush_that_succeeds_later_ends_an_error(void **state)
{
	fake_disk.bdev.write_cache = false;
	connect();
	fake_disk.bdev.write_cache = true;
	disk_a->err[DISK_FLUSH] = -EIO;
	control_pass(3 * HZ);
	expect_report("5 flushing the new cache of disk 8:1");
	disk_a->err[DISK_FLUSH] = 0;
	control_pass(2 * HZ);
	expect_report(NULL);
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

static void a_shortage_that_ends_is_no_error(void **state)
{
	connect();
	xenstore_fail_path(XENSTORE_READ, BE "/state", -ENOMEM);
	frontend("4");
	expect_report("12 reading " BE "/state");
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(2 * HZ);
	expect_report(NULL);
	/* Another disk; it is said once. */
	xenstore_fail_path(XENSTORE_READ, BE "/physical-device", -ENOMEM);
	insert("8:2");
	control_pass(5 * HZ);
	expect_report("12 reading " BE "/physical-device");
	assert_int_equal(count_logged("err: 12 reading " BE "/physical-device"), 1);
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(2 * HZ);
	expect_report(NULL);
	expect_key(BE "/oracle/active-physical-device", "8:2");
}

/* The toolstack takes back what was refused. */
static void a_disk_that_is_not_wanted_any_more_is_no_error(void **state)
{
	connect();
	disk_b->bdev.read_only = true;
	insert("8:2");
	expect_report("124 new disk is read-only, the old one stays");
	control_pass(2 * HZ);
	expect_report("124 new disk is read-only, the old one stays");
	/* The next guest has the old one, too. */
	frontend("6");
	frontend("1");
	frontend("3");
	expect_state("4");
	expect_report("124 new disk is read-only, the old one stays");
	control_uevents();
	insert("8:1");
	expect_report(NULL);
	expect_key(BE "/oracle/physical-device-change-status", "");
	expect_key(BE "/oracle/active-physical-device", "8:1");
	assert_string_equal(control_uevents(), "");
	/* The same number once more is nothing new. */
	xenstore_log_clear();
	insert("8:1");
	assert_int_equal(xenstore_log_nr, 0);
	/* Or the disk is made to fit. */
	insert("8:2");
	expect_report("124 new disk is read-only, the old one stays");
	disk_b->bdev.read_only = false;
	insert("8:2");
	expect_report(NULL);
	expect_key(BE "/oracle/physical-device-change-status", "");
}

static void a_toolstack_that_does_not_know_of_the_disk_has_an_error(void **state)
{
	connect();
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -ENOSPC);
	insert("8:2");
	expect_report("28 writing " BE "/opened");
	control_pass(3 * HZ);
	expect_report("28 writing " BE "/opened");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(2 * HZ);
	expect_report(NULL);
	/* What is not tried again stays. */
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -EIO);
	insert("8:1");
	control_pass(3 * HZ);
	expect_report("5 writing " BE "/opened");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	insert("8:1");
	expect_report(NULL);
}

/* One of two that is mended. */
static void an_error_of_something_else_stays(void **state)
{
	fake_cgroup("/a", true);
	connect();
	fake_disk.bdev.read_only = true;
	control_pass(2 * HZ);
	limit("/c");
	expect_report("2 " BE "/cgroup: \"/c\" is no cgroup");
	limit("/a");
	expect_report("2 " BE "/cgroup: \"/c\" is no cgroup");
	limit("/c");
	fake_disk.bdev.read_only = false;
	control_pass(2 * HZ);
	expect_report("2 " BE "/cgroup: \"/c\" is no cgroup");
	limit("/a");
	expect_report(NULL);
}

static void a_removed_vbd_leaves_no_error(void **state)
{
	connect();
	disk_b->bdev.read_only = true;
	insert("8:2");
	expect_report("124 new disk is read-only, the old one stays");
	bus_unbind(xbdev);
	expect_report(NULL);
	assert_int_equal(bus_bind(xbdev), 0);
	control_settle();
	expect_state("4");
	disk_b->bdev.logical_block_size = 4096;
	control_pass(2 * HZ);
	expect_report("124 disk 8:2 has larger logical blocks now, and requests for less fail");
	/* By force. */
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_settle();
	assert_int_equal(bus_nr_devices(), 0);
	expect_report(NULL);
	expect_key("error/backend/vbd/7", NULL);
}

/* ---- the end ------------------------------------------------------------ */

static void a_vbd_has_one_watch(void **state)
{
	connect();
	/* xenbus has another one, on the frontend. */
	assert_int_equal(xenstore_nr_watches(), 2);
	assert_true(xenstore_is_watched(BE));
}

/* An event of something else, while Closed is about to be written. */
static void only_closed_ends_a_vbd(void **state)
{
	connect();
	vbd()->ending = true;
	xenstore_touch(BE "/online");
	control_settle();
	assert_int_equal(bus_nr_registered(), 1);
	vbd()->ending = false;
}

/* A toolstack that has seen Closed makes the directory anew, all at once. */
static void replace_directory(enum xenstore_op op, const char *path)
{
	const char *seen = xenstore_get(BE "/state");

	if (!seen || strcmp(seen, "6"))
		return;
	xenstore_hook = NULL;
	xenstore_remove(BE);
	control_write_backend();
	control_write_frontend();
}

static void a_directory_that_is_replaced_is_not_ours(void **state)
{
	connect();
	toolstack_detaches();
	xenstore_set(FE "/state", "6");
	xenstore_hook = replace_directory;
	control_settle();
	if (xenstore_hook)
		replace_directory(XENSTORE_READ, "");
	control_settle();
	/* xenbus finds it, since there is no device of that name any more. */
	assert_int_equal(bus_nr_registered(), 0);
	expect_state("1");
	probe();
	expect_state("2");
	frontend("3");
	expect_state("4");
}

/* As in a driver domain that has used up its watches. */
static void nothing_flips_without_a_watch(void **state)
{
	unsigned int before;

	xenstore_fail_path(XENSTORE_WATCH, "*", -ENOSPC);
	probe();
	expect_state("1");
	expect_report("28 watching " BE);
	toolstack_detaches();
	control_pass(5 * HZ);
	expect_state("6");
	xenstore_log_clear();
	before = xenstore_nr_commits();
	control_pass(60 * HZ);
	expect_state("6");
	assert_int_equal(xenstore_log_nr, 0);
	assert_int_equal(xenstore_nr_commits(), before);
	/* There is one again. */
	xenstore_fail_path(XENSTORE_WATCH, NULL, 0);
	control_pass(2 * HZ);
	assert_int_equal(bus_nr_registered(), 0);
}

static void a_vbd_ends_without_a_further_watch(void **state)
{
	connect();
	xenstore_fail_path(XENSTORE_WATCH, "*", -ENOSPC);
	detach();
	frontend("6");
	expect_state("6");
	assert_int_equal(bus_nr_registered(), 0);
	expect_report(NULL);
}

/* ---- xenstore refuses --------------------------------------------------- */

/* What could not be read is not what is not there. */
static void a_state_that_cannot_be_read_is_no_reason_to_end(void **state)
{
	static const char *const paths[] = { BE "/state", FE "/state", BE "/online" };
	unsigned int i;

	connect();
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		xenstore_fail_path(XENSTORE_READ, paths[i], -ENOMEM);
		frontend("6");
		expect_state("4");
		assert_int_equal(bus_nr_registered(), 1);
		assert_true(fake_logged("err: 12 reading"));
		/* It is read again after a while. */
		xenstore_fail_path(XENSTORE_READ, NULL, 0);
		control_pass(2 * HZ);
		expect_state("6");
		assert_int_equal(bus_nr_registered(), 1);
		frontend("1");
		frontend("3");
		frontend("4");
		expect_state("4");
	}
}

static void a_vbd_begins_when_xenstore_can(void **state)
{
	xenstore_fail_path(XENSTORE_READ, BE "/state", -ENOMEM);
	probe();
	expect_state("1");
	assert_true(fake_logged("reading " BE "/state"));
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(2 * HZ);
	expect_state("2");
	frontend("3");
	expect_state("4");
}

static void a_state_that_was_not_written_is_an_error(void **state)
{
	probe();
	frontend("5");
	expect_state("5");
	xenstore_fail_path(XENSTORE_START, "", -EIO);
	frontend("6");
	expect_state("5");
	expect_report("5 switching to state Closed");
	xenstore_fail_path(XENSTORE_START, NULL, 0);
	frontend("6");
	expect_state("6");
	frontend("1");
	frontend("3");
	expect_state("4");
}

static void features_that_were_not_written_close(void **state)
{
	probe();
	xenstore_fail_path(XENSTORE_WRITE, BE "/info", -EIO);
	frontend("3");
	expect_state("5");
	expect_report("5 writing " BE "/info");
	assert_int_equal(vbd()->nr_rings, 0);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	frontend("1");
	frontend("3");
	expect_state("4");
}

static void a_vbd_that_could_not_begin_begins_later(void **state)
{
	xenstore_fail_path(XENSTORE_WRITE, BE "/max-ring-pages", -EIO);
	probe();
	expect_report("5 writing " BE "/max-ring-pages");
	expect_state("5");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	frontend("1");
	expect_state("2");
	expect_key(BE "/max-ring-pages", "16");
	frontend("3");
	expect_state("4");
}

static void a_key_that_cannot_be_watched_is_an_error(void **state)
{
	const char *report;

	xenstore_fail_path(XENSTORE_WATCH, "*", -ENOSPC);
	probe();
	report = xenstore_get(ERROR_NODE);
	assert_non_null(report);
	assert_memory_equal(report, "28 watching " BE, strlen("28 watching " BE));
	/* It is nobody's fault: nobody has to close, and it is said once. */
	expect_state("1");
	fake_log_clear();
	control_pass(5 * HZ);
	expect_state("1");
	assert_false(fake_logged("watching " BE));
	xenstore_fail_path(XENSTORE_WATCH, NULL, 0);
	control_pass(2 * HZ);
	expect_state("2");
	frontend("3");
	expect_state("4");
	insert("8:2");
	expect_key(BE "/oracle/active-physical-device", "8:2");
}

/* What oxenstored says of a quota is EINVAL when xenbus has read it. */
static void a_quota_of_oxenstored_is_a_shortage(void **state)
{
	xenstore_fail_path(XENSTORE_WATCH, "*", -EINVAL);
	probe();
	expect_state("1");
	expect_report("28 watching " BE);
	xenstore_fail_path(XENSTORE_WATCH, NULL, 0);
	control_pass(2 * HZ);
	expect_state("2");
	xenstore_fail_path(XENSTORE_START, "", -EINVAL);
	frontend("3");
	expect_state("2");
	expect_report("28 transaction on " BE);
	xenstore_fail_path(XENSTORE_START, NULL, 0);
	control_pass(2 * HZ);
	expect_state("4");
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -EINVAL);
	insert("8:2");
	expect_report("28 writing " BE "/opened");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(2 * HZ);
	expect_report(NULL);
	expect_key(BE "/oracle/active-physical-device", "8:2");
}

/* ---- the module --------------------------------------------------------- */

static int module_setup(void **state)
{
	return control_setup(state);
}

static void a_module_that_cannot_be_loaded_leaves_nothing(void **state)
{
	fake_fail_at(&fake_allocs, 1);
	assert_int_equal(shim_module_init(), -ENOMEM);
	control_check_clean();
	fake_fail_at(&fake_allocs, 200);
	assert_int_equal(shim_module_init(), -ENOMEM);
	control_check_clean();
	bus_register_err = -EBUSY;
	assert_int_equal(shim_module_init(), -EBUSY);
	control_check_clean();
	bus_register_err = 0;
	assert_int_equal(shim_module_init(), 0);
	shim_module_exit();
}

/* Another driver has left it connected; it is as it was, and soon has a driver again. */
static void a_probe_without_memory_closes_nobody(void **state)
{
	unsigned long nth;

	xbdev = bus_new(BE);
	xenstore_set(BE "/state", "4");
	xenstore_set(FE "/state", "4");
	/* The vbd, the first workqueue and what stands for it, the frontend's path. */
	for (nth = 1; nth <= 4; nth++) {
		fake_fail_at(&fake_allocs, nth);
		assert_int_equal(bus_bind(xbdev), -ENOMEM);
		assert_true(fake_logged("err: 12 allocating backend structure\n"));
		expect_report("12 xenbus_dev_probe on " BE);
		expect_state("4");
		control_settle();
		assert_false(bus_is_bound(xbdev));
	}
	/* Nor is there any a second later. */
	fake_fail_at(&fake_allocs, 1);
	control_pass(HZ);
	assert_false(bus_is_bound(xbdev));
	fake_fail_at(&fake_allocs, 0);
	control_pass(HZ);
	assert_true(bus_is_bound(xbdev));
	expect_state("4");
	assert_int_equal(vbd()->nr_rings, 1);
	expect_report(NULL);
}

static void a_new_vbd_waits_for_memory(void **state)
{
	fake_fail_at(&fake_allocs, 1);
	probe();
	expect_state("1");
	control_pass(HZ);
	expect_state("2");
	expect_report(NULL);
	assert_int_equal(work_nr_pending(), 0);
}

/* Who goes probes no more. */
static void a_driver_that_goes_probes_no_more(void **state)
{
	fake_fail_at(&fake_allocs, 1);
	probe();
	assert_int_equal(work_nr_pending(), 1);
	shim_module_exit();
	assert_int_equal(work_nr_pending(), 0);
	xs_leaving = true;
	xs_probe_again(NULL);
	xs_leaving = false;
	assert_int_equal(shim_module_init(), 0);
	control_pass(2 * HZ);
	assert_false(bus_is_bound(xbdev));
}

static void memory_is_given_back_when_asked(void **state)
{
	connect();
	ring()->pages.copy.nr_free = 1;
	jiffies += 2 * HZ;
	bus_driver->reclaim_memory(xbdev);
	assert_true(ring()->wake.squeeze);
	ring()->pages.copy.nr_free = 0;
	ring()->wake.squeeze = false;
	bus_unbind(xbdev);
	/* It is nobody's now. */
	bus_driver->reclaim_memory(xbdev);
}

/* ---- removal ------------------------------------------------------------ */

static void another_driver_may_go_on(void **state)
{
	connect();
	xenstore_log_clear();
	bus_unbind(xbdev);
	/* The guest is not to notice: its requests wait in the ring. */
	assert_int_equal(xenstore_log_nr, 1);
	/* But the next driver's threads are others. */
	assert_string_equal(xenstore_log[0], BE "/kthread-pid");
	expect_key(BE "/kthread-pid", NULL);
	assert_int_equal(disks_nr_opens(), 0);
	assert_int_equal(bus_nr_maps(), 0);
	control_settle();
	assert_int_equal(xenstore_nr_watches(), 0);
	expect_state("4");
	assert_int_equal(bus_bind(xbdev), 0);
	control_settle();
	expect_state("4");
	expect_report(NULL);
	assert_int_equal(control_nr_files("xen-blkback"), 1);
}

static void a_deleted_directory_does_not_come_back(void **state)
{
	connect();
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_settle();
	assert_int_equal(bus_nr_devices(), 0);
	expect_state(NULL);
	expect_key(BE "/opened", NULL);
	expect_key(BE "/waiting", NULL);
	expect_key(BE "/kthread-pid", NULL);
}

/* Events that were on their way when the device went. */
static void late_events_find_nobody(void **state)
{
	connect();
	xenstore_set(BE "/physical-device", "8:2");
	xenstore_set(FE "/state", "6");
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_settle();
	assert_int_equal(disk_b->nr[DISK_OPEN], 0);
	assert_int_equal(bus_nr_devices(), 0);
}

/* ---- threads -------------------------------------------------------------- */

static const char *pid(unsigned int i)
{
	static char text[12];

	snprintf(text, sizeof(text), "%d", vbd()->rings[i]->task->pid);
	return text;
}

static void the_thread_of_a_ring_is_told(void **state)
{
	probe();
	expect_key(BE "/kthread-pid", NULL);
	xenstore_log_clear();
	frontend("3");
	expect_state("4");
	expect_key(BE "/kthread-pid", pid(0));
	expect_key(BE "/queue-0", NULL);
	/* Toolstacks look when they see Connected. */
	assert_true(xenstore_log_find(BE "/sectors=8192") < xenstore_log_find(BE "/state=4"));
	frontend("6");
	expect_state("6");
	expect_key(BE "/kthread-pid", NULL);
}

static void the_threads_of_several_rings_are_told(void **state)
{
	unsigned int i;
	char key[64];

	xenstore_set(FE "/multi-queue-num-queues", "2");
	for (i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), FE "/queue-%u/ring-ref", i);
		xenstore_set(key, "%u", 8 + i);
		snprintf(key, sizeof(key), FE "/queue-%u/event-channel", i);
		xenstore_set(key, "%u", 9 + i);
	}
	connect();
	assert_int_equal(vbd()->nr_rings, 2);
	expect_key(BE "/kthread-pid", NULL);
	expect_key(BE "/queue-0/kthread-pid", pid(0));
	expect_key(BE "/queue-1/kthread-pid", pid(1));
	frontend("6");
	expect_key(BE "/queue-0/kthread-pid", NULL);
	expect_key(BE "/queue-1/kthread-pid", NULL);
}

/* In a driver domain there may be no room for it. */
static void a_guest_does_without_the_threads_pids(void **state)
{
	probe();
	xenstore_fail_path(XENSTORE_WRITE, BE "/kthread-pid", -ENOSPC);
	frontend("3");
	expect_state("4");
	expect_key(BE "/kthread-pid", NULL);
	expect_key(BE "/sectors", "8192");
	expect_report(NULL);
	assert_true(fake_logged("warn: writing " BE "/kthread-pid: -28\n"));
	frontend("6");
	expect_state("6");
}

/* A disk that cannot be opened just now is in nobody's way. It is tried again. */
static void closes_while_memory_is_short(void)
{
	xenstore_fail_path(XENSTORE_READ, BE "/physical-device", -ENOMEM);
	insert("8:1");
	assert_true(fake_logged("reading " BE "/physical-device"));
	frontend("6");
	expect_state("6");
	control_pass(HZ / 2);
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	frontend("1");
	frontend("3");
	control_pass(2 * HZ);
	expect_state("4");
	expect_key(BE "/waiting", NULL);
}

static void a_guest_without_a_disk_may_close_while_memory_is_short(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	closes_while_memory_is_short();
}

static void a_guest_may_close_while_memory_is_short_for_another_disk(void **state)
{
	connect();
	closes_while_memory_is_short();
}

static void a_guest_that_comes_again_does_not_fill_the_log(void **state)
{
	unsigned int i;

	probe();
	xenstore_fail_path(XENSTORE_READ, FE "/ring-ref", -ENOMEM);
	frontend("3");
	expect_state("2");
	assert_true(fake_logged("reading " FE "/ring-ref"));
	fake_log_clear();
	control_uevents();
	for (i = 0; i < 3; i++) {
		frontend("1");
		expect_report(NULL);
		/* But the error node has it. */
		frontend("3");
		expect_report("12 reading " FE "/ring-ref");
	}
	assert_false(fake_logged("reading"));
	assert_string_equal(control_uevents(), "");
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	control_pass(2 * HZ);
	expect_state("4");
}

/* No guest waits for it, and nothing else would have the work item look again. */
static void what_the_toolstack_waits_for_is_written_later(void **state)
{
	xenstore_remove(BE "/physical-device");
	probe();
	expect_state("2");
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -ENOSPC);
	insert("8:1");
	expect_key(BE "/opened", "0");
	control_pass(3 * HZ);
	expect_key(BE "/opened", "0");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	control_pass(2 * HZ);
	expect_key(BE "/opened", "1");
	/* And that is all. */
	assert_int_equal(work_nr_pending(), 0);
	expect_state("2");
}

static void what_debugfs_shows(void **state)
{
	const char *text;

	probe();
	assert_string_equal(control_show("xen-blkback"), "disk 8:1\nwaiting for nothing\n");
	frontend("3");
	jiffies |= 1;
	control_request(ring(), BLKIF_OP_READ);
	jiffies += HZ;
	text = control_show("xen-blkback");
	assert_non_null(strstr(text, "ring 0: 32 slots, req_cons 1, rsp_prod 0\n"));
	assert_non_null(strstr(text, "ring 0: 1 in flight, oldest 1000 ms\n"));
	assert_non_null(strstr(text, "ring 0: req_prod 1, req_event 2, rsp_prod shown 0, rsp_event 0\n"));
	assert_non_null(strstr(text, "ring 0: owned by nobody\n"));
	assert_non_null(strstr(text, "ring 0: driver owes: 0 to take, 0 answers to show\n"));
	/* A request of one page, and 10 % of 1048576 in all. */
	assert_non_null(strstr(text, "ring 0: 1 pages to copy to, 0 of them free\n"));
	assert_non_null(strstr(text, "domain 7: 1 pages to copy to, may have 52424 more; "
				     "all domains: 1 of 104850\n"));
	fake_bio_end_all();
}

/* The guest has sent a request, and its event was lost. */
static void a_kick_helps_who_has_lost_an_event(void **state)
{
	struct xenvbd_sring_page *page;
	unsigned long nr_notifies;

	connect();
	page = ring()->sring.page;
	control_request(ring(), BLKIF_OP_READ);
	fake_bio_end_all();
	fake_task_run(ring()->task);
	/* The same slot once more. */
	page->req_prod = 33;
	ring()->sring.req_cons = 32;
	ring()->sring.rsp_prod = 32;
	ring()->sring.rsp_pushed = 32;
	assert_non_null(strstr(control_show("xen-blkback"), "ring 0: driver owes: 1 to take"));
	nr_notifies = fake_nr_notifies;
	control_kick(BE ".kick");
	assert_int_equal(fake_nr_notifies, nr_notifies + 1);
	assert_true(ring()->wake.kicked);
	fake_task_run(ring()->task);
	assert_non_null(strstr(control_show("xen-blkback"), "ring 0: driver owes: 0 to take"));
	fake_bio_end_all();
}

int main(void)
{
	const struct CMUnitTest xs[] = {
		XS_TEST(a_life_from_probe_to_the_end),
		XS_TEST(the_disk_may_come_last),
		XS_TEST(a_guest_may_come_again_without_a_word),
		XS_TEST(a_guest_that_is_gone_is_let_go),
		XS_TEST(a_guest_without_a_driver_is_not_waited_for),
		XS_TEST(only_both_keys_end_a_vbd),
		XS_TEST(online_alone_ends_a_closed_vbd),
		XS_TEST(closed_is_written_again_for_who_waits),
		XS_TEST(a_toolstack_that_changes_its_mind_is_heard),
		XS_TEST(a_directory_that_is_gone_before_it_began),
		XS_TEST(states_that_no_guest_takes_are_reported),
		XS_TEST(a_wrong_key_is_reported_and_may_be_mended),
		XS_TEST(physical_device_ends_an_error),
		XS_TEST(settings_are_read_when_a_frontend_connects),
		XS_TEST(settings_decide_what_is_offered),
		XS_TEST(a_key_limits_a_guest_from_the_beginning),
		XS_TEST(a_key_that_is_written_counts_at_once),
		XS_TEST(nobody_connects_without_a_limit_that_is_wanted),
		XS_TEST(a_guest_keeps_its_limit_if_another_is_wrong),
		XS_TEST(a_file_in_sysfs_and_the_next_driver),
		XS_TEST(a_ring_that_cannot_be_mapped_closes),
		XS_TEST(a_broken_ring_is_dropped),
		XS_TEST(a_disk_that_cannot_be_opened_closes),
		XS_TEST(a_cache_that_cannot_be_written_back_closes),
		XS_TEST(disks_are_exchanged_under_a_guest),
		XS_TEST(a_guest_keeps_its_disk_if_another_is_refused),
		XS_TEST(an_empty_drive_connects),
		XS_TEST(a_new_size_is_seen_within_a_second),
		XS_TEST(a_disk_that_vanishes_is_reported_once),
		XS_TEST(flushes_that_the_disk_does_not_know_are_not_offered),
		XS_TEST(a_disk_that_does_not_know_flushes_is_named),
		XS_TEST(a_disk_that_does_not_know_flushes_does_not_fill_the_log),
		XS_TEST(a_vbd_says_what_it_waits_for),
		XS_TEST(a_frontend_that_waits_for_the_disks_number),
		XS_TEST(an_error_is_no_wait_for_the_disks_number),
		XS_TEST(a_shortage_that_lasts_is_explained),
		XS_TEST(a_shortage_with_a_disk_to_open_is_explained),
		XS_TEST(a_shortage_that_ends_is_nobodys_business),
		XS_TEST(a_vbd_closes_when_its_requests_are_back),
		XS_TEST(disks_that_hang_hold_up_nobody_else),
		XS_TEST(ring_and_disk_come_at_once),
		XS_TEST(a_guest_is_faster_than_the_probe),
		XS_TEST(a_broken_ring_of_a_guest_that_closes),
		XS_TEST(a_broken_ring_of_before_is_forgotten),
		XS_TEST(another_disk_for_a_guest_that_closes),
		XS_TEST(detached_while_it_connects),
		XS_TEST(a_guest_that_is_never_done_keeps_no_work_item_busy),
		XS_TEST(nobody_connects_who_has_closed),
		XS_TEST(nobody_connects_who_is_to_close),
		XS_TEST(each_may_be_faster_to_the_last),
		XS_TEST(who_is_removed_asks_no_more),
		XS_TEST(closing_is_not_lost_while_rings_drain),
		XS_TEST(a_vbd_stays_if_its_end_is_taken_back),
		XS_TEST(a_frontend_in_use_is_not_let_go_unheard),
		XS_TEST(closed_is_the_answer_to_closing),
		XS_TEST(a_guest_that_resumes_in_place_is_heard),
		XS_TEST(the_same_rings_are_no_new_start),
		XS_TEST(rings_may_change_before_the_disk_is_there),
		XS_TEST(an_error_stands_though_the_guest_has_closed),
		XS_TEST(an_error_goes_when_all_is_well),
		XS_TEST(an_error_goes_along_with_a_state),
		XS_TEST(an_error_of_before_goes_when_all_is_well),
		XS_TEST(a_guest_that_starts_again_finds_no_error),
		XS_TEST(a_disk_that_is_itself_again_is_no_error),
		XS_TEST(a_flush_that_succeeds_later_ends_an_error),
		XS_TEST(a_shortage_that_ends_is_no_error),
		XS_TEST(a_disk_that_is_not_wanted_any_more_is_no_error),
		XS_TEST(a_toolstack_that_does_not_know_of_the_disk_has_an_error),
		XS_TEST(an_error_of_something_else_stays),
		XS_TEST(a_removed_vbd_leaves_no_error),
		XS_TEST(a_vbd_has_one_watch),
		XS_TEST(only_closed_ends_a_vbd),
		XS_TEST(a_directory_that_is_replaced_is_not_ours),
		XS_TEST(nothing_flips_without_a_watch),
		XS_TEST(a_vbd_ends_without_a_further_watch),
		XS_TEST(a_state_that_cannot_be_read_is_no_reason_to_end),
		XS_TEST(a_vbd_begins_when_xenstore_can),
		XS_TEST(a_state_that_was_not_written_is_an_error),
		XS_TEST(features_that_were_not_written_close),
		XS_TEST(a_vbd_that_could_not_begin_begins_later),
		XS_TEST(a_key_that_cannot_be_watched_is_an_error),
		XS_TEST(a_quota_of_oxenstored_is_a_shortage),
		cmocka_unit_test_setup_teardown(a_module_that_cannot_be_loaded_leaves_nothing,
						module_setup, control_teardown),
		XS_TEST(a_probe_without_memory_closes_nobody),
		XS_TEST(a_new_vbd_waits_for_memory),
		XS_TEST(a_driver_that_goes_probes_no_more),
		XS_TEST(memory_is_given_back_when_asked),
		XS_TEST(another_driver_may_go_on),
		XS_TEST(a_deleted_directory_does_not_come_back),
		XS_TEST(late_events_find_nobody),
		XS_TEST(the_thread_of_a_ring_is_told),
		XS_TEST(the_threads_of_several_rings_are_told),
		XS_TEST(a_guest_does_without_the_threads_pids),
		XS_TEST(a_guest_without_a_disk_may_close_while_memory_is_short),
		XS_TEST(a_guest_may_close_while_memory_is_short_for_another_disk),
		XS_TEST(a_guest_that_comes_again_does_not_fill_the_log),
		XS_TEST(what_the_toolstack_waits_for_is_written_later),
		XS_TEST(what_debugfs_shows),
		XS_TEST(a_kick_helps_who_has_lost_an_event),
	};

	return RUN(xs);
}
