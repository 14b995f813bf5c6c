// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is advertised, and how: all keys of a set or none, nothing for a vbd that was
 * removed or whose directory is gone, and our state only where it stands already.
 */
#include "control/publish.c"

#include "bus.h"
#include "control.h"
#include "control/disk.h"
#include "disks.h"
#include "fake.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int publish_setup(void **state)
{
	control_setup(state);
	max_queues = 0;
	max_ring_page_order = MAX_RING_PAGE_ORDER;
	feature_persistent = true;
	vbd = control_vbd();
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	xenstore_log_clear();
	return 0;
}

static int publish_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define PUBLISH_TEST(f)	cmocka_unit_test_setup_teardown(f, publish_setup, publish_teardown)

static void expect_key(const char *key, const char *value)
{
	char path[128];
	const char *found;

	snprintf(path, sizeof(path), BE "/%s", key);
	found = xenstore_get(path);
	if (!value)
		expect(!found, "%s is %s", key, found);
	else
		expect(found && !strcmp(found, value), "%s is %s, not %s", key, found, value);
}

static void as_connected(void)
{
	xenstore_set(BE "/state", "4");
	xenstore_set(FE "/state", "4");
	vbd->xbdev->state = XenbusStateConnected;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	vbd->advertised.disk = vbd->disk;
	xenstore_log_clear();
}

/* ---- sets of keys ------------------------------------------------------- */

static void the_transport_is_what_rings_may_be_like(void **state)
{
	xenstore_set(BE "/waiting", "left behind");
	assert_int_equal(xenvbd_publish_transport(vbd), 0);
	expect_key("multi-queue-max-queues", "4");
	expect_key("max-ring-page-order", "4");
	expect_key("max-ring-pages", "16");
	expect_key("feature-max-indirect-segments", "256");
	expect_key("feature-persistent", "1");
	expect_key("opened", "1");
	expect_key("waiting", NULL);
	assert_int_equal(vbd->advertised.max_rings, 4);
	assert_int_equal(vbd->advertised.max_ring_page_order, 4);
	assert_true(vbd->advertised.persistent);
	assert_int_equal(xenstore_nr_commits(), 1);
}

static void parameters_decide_the_transport(void **state)
{
	max_queues = 2;
	max_ring_page_order = 0;
	feature_persistent = false;
	assert_int_equal(xenvbd_publish_transport(vbd), 0);
	expect_key("multi-queue-max-queues", "2");
	expect_key("max-ring-page-order", "0");
	expect_key("max-ring-pages", "1");
	expect_key("feature-persistent", "0");
	assert_int_equal(vbd->advertised.max_rings, 2);
	assert_int_equal(vbd->advertised.max_ring_page_order, 0);
	assert_false(vbd->advertised.persistent);
}

static void the_policy_decides_on_persistent_grants(void **state)
{
	static const struct {
		enum xenvbd_policy policy;
		const char *value;
	} cases[] = {
		{ XENVBD_POLICY_AUTO, "1" }, { XENVBD_POLICY_PERSISTENT, "1" },
		{ XENVBD_POLICY_MAP, "0" }, { XENVBD_POLICY_COPY, "0" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vbd->tunables.policy = cases[i].policy;
		assert_int_equal(xenvbd_publish_transport(vbd), 0);
		expect_key("feature-persistent", cases[i].value);
	}
}

static void parameters_have_limits(void **state)
{
	const struct kernel_param *queues = &shim_param_max_queues;
	const struct kernel_param *order = &shim_param_max_ring_page_order;
	char buf[4096];

	assert_int_equal(queues->ops->set("64", queues), 0);
	assert_int_equal(max_queues, 64);
	queues->ops->get(buf, queues);
	assert_string_equal(buf, "64\n");
	assert_int_equal(order->ops->set("0", order), 0);
	assert_int_equal(max_ring_page_order, 0);
	assert_int_equal(order->ops->set("4", order), 0);
	assert_int_equal(max_ring_page_order, 4);
	/* Who sets it while the driver is in use sees the error. */
	assert_int_equal(queues->ops->set("65", queues), -EINVAL);
	assert_int_equal(queues->ops->set("-1", queues), -EINVAL);
	assert_int_equal(queues->ops->set("many", queues), -EINVAL);
	assert_int_equal(max_queues, 64);
	assert_int_equal(order->ops->set("5", order), -EINVAL);
	assert_int_equal(max_ring_page_order, 4);
}

/* Lines of modprobe.d that the stock module takes. */
static void parameters_do_not_keep_the_module_from_loading(void **state)
{
	const struct kernel_param *queues = &shim_param_max_queues;
	const struct kernel_param *order = &shim_param_max_ring_page_order;

	system_state = SYSTEM_BOOTING;
	assert_int_equal(queues->ops->set("8", queues), 0);
	assert_int_equal(max_queues, 8);
	assert_false(fake_logged("out of range"));
	assert_int_equal(queues->ops->set("128", queues), 0);
	assert_int_equal(max_queues, 64);
	assert_true(fake_logged("notice: xen-blkback: max_queues=128 is out of range, and counts as 64"));
	assert_int_equal(order->ops->set("5", order), 0);
	assert_int_equal(max_ring_page_order, 4);
	assert_int_equal(order->ops->set("-1", order), 0);
	assert_int_equal(max_ring_page_order, 0);
	/* This no module takes. */
	assert_int_equal(order->ops->set("", order), -EINVAL);
	assert_int_equal(order->ops->set("99999999999999999999", order), -ERANGE);
	system_state = SYSTEM_RUNNING;
}

static void a_disk_is_described(void **state)
{
	fake_disk.bdev.logical_block_size = 512;
	fake_disk.bdev.physical_block_size = 4096;
	fake_disk.bdev.discard_granularity = 65536;
	fake_disk.bdev.discard_alignment = 1024;
	vbd->advertised.persistent = true;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("feature-flush-cache", "1");
	expect_key("feature-barrier", "1");
	expect_key("feature-discard", "1");
	expect_key("feature-persistent", "1");
	expect_key("sectors", "8192");
	expect_key("info", "0");
	expect_key("sector-size", "512");
	expect_key("physical-sector-size", "4096");
	expect_key("discard-granularity", "65536");
	expect_key("discard-alignment", "1024");
	expect_key("discard-secure", "1");
	assert_int_equal(vbd->advertised.sects, 8192);
	assert_int_equal(xenstore_nr_commits(), 1);
}

static void emulated_sectors_are_described(void **state)
{
	vbd->advertised.emulate = true;
	vbd->disk.block_size = 4096;
	fake_disk.bdev.physical_block_size = 4096;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("sector-size", "512");
	expect_key("physical-sector-size", "4096");
	expect_key("sectors", "8192");
	expect_key("feature-discard", "1");
	expect_key("discard-secure", "0");
}

static void a_poor_disk_is_described(void **state)
{
	vbd->disk.flush = false;
	vbd->disk.discard = false;
	vbd->disk.secure = false;
	vbd->disk.readonly = true;
	vbd->disk.cdrom = true;
	vbd->disk.removable = true;
	vbd->disk.block_size = 4096;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("feature-flush-cache", "0");
	expect_key("feature-barrier", "0");
	expect_key("feature-discard", "0");
	expect_key("feature-persistent", "0");
	expect_key("info", "7");
	expect_key("sector-size", "4096");
	expect_key("discard-granularity", NULL);
	expect_key("discard-alignment", NULL);
	expect_key("discard-secure", NULL);
}

static void each_bit_of_info_has_a_meaning(void **state)
{
	vbd->disk.cdrom = true;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("info", "1");
	vbd->disk.cdrom = false;
	vbd->disk.removable = true;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("info", "2");
	vbd->disk.removable = false;
	vbd->disk.readonly = true;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("info", "4");
}

/* Linux says -1 of a disk whose partition is badly aligned. */
static void no_alignment_is_negative(void **state)
{
	fake_disk.bdev.discard_alignment = -1;
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("discard-alignment", "0");
}

static void an_empty_drive_is_described(void **state)
{
	xenvbd_disk_close(vbd);
	vbd->disk = (struct xenvbd_disk){
		.empty = true, .cdrom = true, .removable = true, .block_size = 2048,
	};
	assert_int_equal(xenvbd_publish_disk(vbd), 0);
	expect_key("sectors", "0");
	expect_key("sector-size", "2048");
	expect_key("physical-sector-size", "2048");
	expect_key("info", "3");
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_OPENED), 0);
	expect_key("opened", "0");
}

static void the_toolstack_is_told_in_its_own_keys(void **state)
{
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_OPENED), 0);
	expect_key("opened", "1");
	assert_int_equal(xenvbd_publish_waiting(vbd, "closing, for 1 s"), 0);
	expect_key("waiting", "closing, for 1 s");
	assert_int_equal(xenvbd_publish_waiting(vbd, ""), 0);
	expect_key("waiting", "");
	assert_int_equal(xenvbd_publish_cgroup(vbd, "/guests/a"), 0);
	expect_key("cgroup", "/guests/a");
	xenvbd_error(vbd, -EINVAL, "it is %d%% wrong", 100);
	assert_int_equal(xenvbd_publish_refusal(vbd), 0);
	expect_key("oracle/physical-device-change-status", "it is 100% wrong");
	/* Nobody else's keys were touched. */
	assert_int_equal(xenstore_log_nr, 5);
}

static void flushes_are_rewritten(void **state)
{
	vbd->disk.flush = false;
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_FLUSH), 0);
	expect_key("feature-flush-cache", "0");
	expect_key("feature-barrier", "0");
	assert_int_equal(xenstore_log_nr, 2);
}

/* ---- another size, another disk ----------------------------------------- */

static void a_new_size_comes_with_our_state(void **state)
{
	as_connected();
	fake_disk.bdev.nr_sectors = 4096;
	assert_int_equal(xenvbd_publish_size(vbd), 0);
	expect_key("sectors", "4096");
	assert_int_equal(xenstore_log_nr, 2);
	/* In one transaction, and the size first. */
	assert_int_equal(xenstore_log_find(BE "/sectors=4096"), 0);
	assert_int_equal(xenstore_log_find(BE "/state=4"), 1);
	assert_int_equal(vbd->advertised.sects, 4096);
	assert_true(fake_logged("disk resized from 8192 to 4096 sectors"));
}

static void the_same_size_is_no_news(void **state)
{
	as_connected();
	assert_int_equal(xenvbd_publish_size(vbd), 0);
	assert_int_equal(xenstore_log_nr, 0);
}

static void a_disk_that_has_vanished_keeps_its_size(void **state)
{
	as_connected();
	set_bit(GD_DEAD, &fake_disk.gd.state);
	fake_disk.bdev.nr_sectors = 0;
	assert_int_equal(xenvbd_publish_size(vbd), 0);
	assert_int_equal(xenstore_log_nr, 0);
	assert_int_equal(vbd->advertised.sects, 8192);
}

/* The toolstack has written there: whatever it wants, the size does not matter. */
static void the_state_of_others_is_not_overwritten(void **state)
{
	static const char *const theirs[] = { "5", "6", "", "junk" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(theirs); i++) {
		as_connected();
		xenstore_set(BE "/state", "%s", theirs[i]);
		fake_disk.bdev.nr_sectors--;
		xenvbd_publish_size(vbd);
		expect_key("state", theirs[i]);
		expect(!xenstore_log_count(BE "/sectors"), "%s", theirs[i]);
	}
}

static const char *between_state;

static void write_between(enum xenstore_op op, const char *path)
{
	if (op != XENSTORE_WRITE || strcmp(path, BE "/sectors") || !between_state)
		return;
	xenstore_set(BE "/state", "%s", between_state);
	between_state = NULL;
}

/* Linux's frontend would connect anew, and wait for ever. */
static void a_frontend_that_closes_does_not_see_our_state(void **state)
{
	static const char *const theirs[] = { "1", "5", "6", "", "junk" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(theirs); i++) {
		as_connected();
		xenstore_set(FE "/state", "%s", theirs[i]);
		fake_disk.bdev.nr_sectors--;
		fake_log_clear();
		assert_int_equal(xenvbd_publish_size(vbd), 0);
		expect(!xenstore_log_nr, "%s: %s", theirs[i], xenstore_log[0]);
		expect(!fake_logged("resized"), "%s", theirs[i]);
		expect(vbd->advertised.sects != fake_disk.bdev.nr_sectors, "%s", theirs[i]);
		/* The toolstack hears of another disk, the frontend when it connects. */
		assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), 0);
		expect_key("oracle/active-physical-device", "8:1");
		expect(!xenstore_log_count(BE "/state"), "%s", theirs[i]);
	}
}

/* Between our look and our write. */
static void the_state_of_others_wins_the_race(void **state)
{
	as_connected();
	between_state = "5";
	xenstore_hook = write_between;
	fake_disk.bdev.nr_sectors = 4096;
	xenvbd_publish_size(vbd);
	expect_key("state", "5");
	assert_int_equal(xenstore_log_count(BE "/state"), 0);
}

static void a_size_that_could_not_be_written_is_not_advertised(void **state)
{
	static const struct {
		enum xenstore_op op;
		const char *path;
		const char *text;
	} cases[] = {
		{ XENSTORE_START, "", "transaction on " BE },
		{ XENSTORE_WRITE, BE "/sectors", "writing " BE "/sectors" },
		{ XENSTORE_WRITE, BE "/state", "writing " BE "/state" },
		{ XENSTORE_END, "", "transaction on " BE },
	};
	unsigned int i;
	u64 before;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		as_connected();
		before = vbd->advertised.sects;
		fake_log_clear();
		fake_disk.bdev.nr_sectors = 4096 + i;
		xenstore_fail_path(cases[i].op, cases[i].path, -EIO);
		err = xenvbd_publish_size(vbd);
		xenstore_fail_path(cases[i].op, NULL, 0);
		expect_error(vbd, err, -EIO, cases[i].text);
		expect(vbd->advertised.sects == before, "case %u: %llu", i,
		       vbd->advertised.sects);
		expect(!xenstore_log_nr, "case %u: %s", i, xenstore_log[0]);
		expect(!fake_logged("resized"), "case %u", i);
		/* The next look finds it. */
		expect(!xenvbd_publish_size(vbd), "case %u", i);
		expect(vbd->advertised.sects == 4096 + i, "case %u", i);
	}
}

static void an_exchange_tells_both_sides(void **state)
{
	as_connected();
	vbd->devt = MKDEV(0xfd, 0x1f);
	fake_disk.bdev.nr_sectors = 4096;
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), 0);
	expect_key("oracle/active-physical-device", "fd:1f");
	expect_key("oracle/physical-device-change-status", "");
	expect_key("opened", "1");
	expect_key("sectors", "4096");
	assert_true(xenstore_log_find(BE "/sectors=4096") < xenstore_log_find(BE "/state=4"));
	assert_true(xenstore_log_find(BE "/sectors=4096") >= 0);
	assert_int_equal(xenstore_log_count(BE "/state"), 1);
}

static void an_exchange_that_cannot_be_written_is_an_error(void **state)
{
	as_connected();
	xenstore_fail_path(XENSTORE_WRITE, BE "/oracle/active-physical-device", -EIO);
	expect_error(vbd, xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), -EIO,
		     "writing " BE "/oracle");
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), 0);
}

/* A frontend that is not there yet will read all that when it is. */
static void an_exchange_before_connected_is_the_toolstacks_business(void **state)
{
	xenstore_set(BE "/state", "2");
	vbd->xbdev->state = XenbusStateInitWait;
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), 0);
	expect_key("oracle/active-physical-device", "8:1");
	assert_int_equal(xenstore_log_count(BE "/sectors"), 0);
	assert_int_equal(xenstore_log_count(BE "/state"), 0);
}

static void an_emptied_drive_has_no_number(void **state)
{
	as_connected();
	xenvbd_disk_close(vbd);
	vbd->disk.empty = true;
	vbd->disk.discard = false;
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), 0);
	expect_key("oracle/active-physical-device", "");
	expect_key("opened", "0");
	expect_key("sectors", "0");
}

/* ---- all or nothing ----------------------------------------------------- */

static int publish_text(struct xenvbd *vbd)
{
	return xenvbd_publish_waiting(vbd, "closing");
}

static int publish_path(struct xenvbd *vbd)
{
	return xenvbd_publish_cgroup(vbd, "/guests/a");
}

static int publish_resized(struct xenvbd *vbd)
{
	fake_disk.bdev.nr_sectors = 4096;
	return xenvbd_publish_size(vbd);
}

static int opened(struct xenvbd *vbd)
{
	return xenvbd_publish_or_owe(vbd, XENVBD_OWED_OPENED);
}

static int exchange(struct xenvbd *vbd)
{
	return xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE);
}

static int flush(struct xenvbd *vbd)
{
	return xenvbd_publish_or_owe(vbd, XENVBD_OWED_FLUSH);
}

static const struct {
	const char *name;
	int (*publish)(struct xenvbd *vbd);
} sets[] = {
	{ "transport", xenvbd_publish_transport },
	{ "disk", xenvbd_publish_disk },
	{ "waiting", publish_text },
	{ "cgroup", publish_path },
	{ "opened", opened },
	{ "exchange", exchange },
	{ "refusal", xenvbd_publish_refusal },
	{ "flush", flush },
	{ "size", publish_resized },
};

static void what_is_owed_is_tried_until_it_is_written(void **state)
{
	as_connected();
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -ENOSPC);
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_OPENED), -ENOSPC);
	assert_true(xenvbd_publish_owed(vbd));
	assert_int_equal(xenstore_log_nr, 0);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	assert_false(xenvbd_publish_owed(vbd));
	expect_key("opened", "1");
	assert_false(xenvbd_publish_owed(vbd));
	assert_int_equal(xenstore_log_nr, 1);
}

/* Not even its size, and nobody could say what that is. */
static void of_a_closed_disk_nothing_is_owed(void **state)
{
	as_connected();
	xenstore_fail_path(XENSTORE_WRITE, BE "/opened", -ENOSPC);
	assert_int_equal(xenvbd_publish_or_owe(vbd, XENVBD_OWED_EXCHANGE), -ENOSPC);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	xenvbd_disk_close(vbd);
	assert_false(xenvbd_publish_owed(vbd));
	/* Nor of the next one. */
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_false(xenvbd_publish_owed(vbd));
	assert_int_equal(xenstore_log_nr, 0);
}

/* The next ones have no threads at first. */
static void of_rings_that_end_no_pids_are_owed(void **state)
{
	as_connected();
	vbd->publish.owed = BIT(XENVBD_OWED_THREADS);
	xenvbd_publish_no_threads(vbd);
	assert_int_equal(vbd->publish.owed, 0);
}

static void each_set_is_written_whole_or_not_at_all(void **state)
{
	unsigned int i, nth, nr;
	enum xenstore_op op;
	int err;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		fake_disk.bdev.nr_sectors = 8000;
		nr = xenstore_nr_calls();
		assert_int_equal(sets[i].publish(vbd), 0);
		nr = xenstore_nr_calls() - nr;
		assert_true(nr >= 4);
		for (nth = 1; nth <= nr; nth++) {
			fake_disk.bdev.nr_sectors = 8192;
			as_connected();
			xenstore_fail_nth(nth, -EIO);
			vbd->error.text[0] = 0;
			err = sets[i].publish(vbd);
			/* Of an old error node nobody need know whether it is there. */
			if (xenstore_failed(&op, NULL) && op != XENSTORE_RM &&
			    op != XENSTORE_EXISTS)
				expect(err, "%s, call %u: no error", sets[i].name, nth);
			if (err)
				expect(!xenstore_log_nr, "%s, call %u: %s", sets[i].name, nth,
				       xenstore_log[0]);
			expect(!xenstore_nr_open(), "%s, call %u", sets[i].name, nth);
			xenstore_fail_nth(0, 0);
			err = sets[i].publish(vbd);
			expect(!err, "%s after call %u: %d", sets[i].name, nth, err);
		}
	}
}

static void what_collides_is_tried_again(void **state)
{
	unsigned int i, before;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		before = xenstore_nr_commits();
		xenstore_collide(63);
		expect(!sets[i].publish(vbd), "%s", sets[i].name);
		expect(xenstore_nr_commits() == before + 1, "%s", sets[i].name);
	}
}

static void but_not_for_ever(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		xenstore_collide(1000);
		expect_error(vbd, sets[i].publish(vbd), -EAGAIN, "transaction on " BE);
		expect(!xenstore_log_nr, "%s", sets[i].name);
		xenstore_collide(0);
		fake_disk.bdev.nr_sectors = 8192;
	}
}

/* A directory that the toolstack has deleted must not come back. */
static void what_is_gone_stays_gone(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		xenstore_remove(BE);
		expect_error(vbd, sets[i].publish(vbd), -ENOENT, BE " is gone");
		expect(!xenstore_log_nr, "%s", sets[i].name);
		expect(!xenstore_get(BE "/sectors"), "%s", sets[i].name);
		control_write_backend();
		fake_disk.bdev.nr_sectors = 8192;
	}
}

static void remove_between(enum xenstore_op op, const char *path)
{
	if (op == XENSTORE_WRITE)
		xenstore_remove(BE);
}

static void what_goes_meanwhile_stays_gone(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		xenstore_hook = remove_between;
		expect_error(vbd, sets[i].publish(vbd), -ENOENT, BE " is gone");
		xenstore_hook = NULL;
		expect(!xenstore_log_nr, "%s: %s", sets[i].name, xenstore_log[0]);
		control_write_backend();
		fake_disk.bdev.nr_sectors = 8192;
	}
}

static void a_vbd_that_was_removed_writes_nothing(void **state)
{
	unsigned int i, before;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		as_connected();
		vbd->removed = true;
		before = xenstore_nr_calls();
		expect(sets[i].publish(vbd) == -ENODEV, "%s", sets[i].name);
		expect(xenstore_nr_calls() == before, "%s", sets[i].name);
		vbd->removed = false;
		fake_disk.bdev.nr_sectors = 8192;
	}
}

int main(void)
{
	const struct CMUnitTest publish[] = {
		PUBLISH_TEST(the_transport_is_what_rings_may_be_like),
		PUBLISH_TEST(parameters_decide_the_transport),
		PUBLISH_TEST(the_policy_decides_on_persistent_grants),
		PUBLISH_TEST(parameters_have_limits),
		PUBLISH_TEST(parameters_do_not_keep_the_module_from_loading),
		PUBLISH_TEST(a_disk_is_described),
		PUBLISH_TEST(emulated_sectors_are_described),
		PUBLISH_TEST(a_poor_disk_is_described),
		PUBLISH_TEST(each_bit_of_info_has_a_meaning),
		PUBLISH_TEST(no_alignment_is_negative),
		PUBLISH_TEST(an_empty_drive_is_described),
		PUBLISH_TEST(the_toolstack_is_told_in_its_own_keys),
		PUBLISH_TEST(flushes_are_rewritten),
		PUBLISH_TEST(a_new_size_comes_with_our_state),
		PUBLISH_TEST(the_same_size_is_no_news),
		PUBLISH_TEST(a_disk_that_has_vanished_keeps_its_size),
		PUBLISH_TEST(the_state_of_others_is_not_overwritten),
		PUBLISH_TEST(a_frontend_that_closes_does_not_see_our_state),
		PUBLISH_TEST(the_state_of_others_wins_the_race),
		PUBLISH_TEST(a_size_that_could_not_be_written_is_not_advertised),
		PUBLISH_TEST(an_exchange_tells_both_sides),
		PUBLISH_TEST(an_exchange_that_cannot_be_written_is_an_error),
		PUBLISH_TEST(an_exchange_before_connected_is_the_toolstacks_business),
		PUBLISH_TEST(an_emptied_drive_has_no_number),
		PUBLISH_TEST(what_is_owed_is_tried_until_it_is_written),
		PUBLISH_TEST(of_a_closed_disk_nothing_is_owed),
		PUBLISH_TEST(of_rings_that_end_no_pids_are_owed),
		PUBLISH_TEST(each_set_is_written_whole_or_not_at_all),
		PUBLISH_TEST(what_collides_is_tried_again),
		PUBLISH_TEST(but_not_for_ever),
		PUBLISH_TEST(what_is_gone_stays_gone),
		PUBLISH_TEST(what_goes_meanwhile_stays_gone),
		PUBLISH_TEST(a_vbd_that_was_removed_writes_nothing),
	};

	return RUN(publish);
}
