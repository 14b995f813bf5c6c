// SPDX-License-Identifier: GPL-2.0-only
/* A vbd and its rings: mapped, started, kicked, dropped, and undone from any step. */
#include "control/vbd.c"

#include "bus.h"
#include "control.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int vbd_setup(void **state)
{
	control_setup(state);
	vbd = control_vbd();
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	return 0;
}

static int vbd_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define VBD_TEST(f)	cmocka_unit_test_setup_teardown(f, vbd_setup, vbd_teardown)

static void with_rings(unsigned int nr)
{
	char path[64];
	unsigned int i;

	xenstore_set(FE "/multi-queue-num-queues", "%u", nr);
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), FE "/queue-%u/ring-ref", i);
		xenstore_set(path, "%u", 8 + i);
		snprintf(path, sizeof(path), FE "/queue-%u/event-channel", i);
		xenstore_set(path, "%u", 18 + i);
	}
}

static void map(void)
{
	expect(!xenvbd_map_rings(vbd), "%s", vbd->error.text);
}

static void start(void)
{
	expect(!xenvbd_start_rings(vbd), "%s", vbd->error.text);
}

static void expect_no_rings(void)
{
	assert_null(vbd->rings);
	assert_int_equal(vbd->nr_rings, 0);
	assert_int_equal(bus_nr_maps(), 0);
	assert_int_equal(bus_nr_irqs(), 0);
	assert_int_equal(fake_nr_tasks, 0);
	assert_int_equal(vbd->ref.refcount, 1);
}

/* ---- up ----------------------------------------------------------------- */

static void a_vbd_begins_with_nothing(void **state)
{
	assert_int_equal(vbd->domid, 7);
	assert_string_equal(vbd->frontend, FE);
	assert_int_equal(vbd->xbdev->dev.refs, 2);
	expect_no_rings();
	/* Memory may be asked back at once. */
	assert_true(time_after_eq(jiffies, vbd->reclaimed_at + HZ));
}

/* xenbus frees the frontend's path when the device goes. */
static void the_path_is_a_copy(void **state)
{
	assert_ptr_not_equal(vbd->frontend, vbd->xbdev->otherend);
}

static void a_ring_is_mapped_bound_and_named(void **state)
{
	struct xenvbd_ring *ring;

	xenstore_set(BE "/dev", "/dev/xvda");
	xenstore_remove(FE "/protocol");
	map();
	assert_int_equal(vbd->nr_rings, 1);
	ring = vbd->rings[0];
	assert_string_equal(ring->name, "7.xvda-0");
	assert_int_equal(ring->irq, 9);
	assert_int_equal(ring->domid, 7);
	assert_int_equal(ring->sring.nr_ents, 32);
	assert_int_equal(ring->sring.abi, XENVBD_ABI_X86_32);
	assert_null(ring->task);
	assert_int_equal(vbd->ref.refcount, 2);
	xenvbd_disconnect(vbd);
	expect_no_rings();
}

static void several_rings_are_several(void **state)
{
	unsigned int i;

	with_rings(3);
	map();
	assert_int_equal(vbd->nr_rings, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vbd->rings[i]->index, i);
		assert_int_equal(vbd->rings[i]->irq, 18 + i);
		assert_int_equal(vbd->rings[i]->sring.abi, XENVBD_ABI_X86_64);
		assert_int_equal(vbd->rings[i]->name[strlen(vbd->rings[i]->name) - 1], '0' + i);
	}
	assert_int_equal(bus_nr_maps(), 3);
	assert_int_equal(bus_nr_irqs(), 3);
	assert_int_equal(vbd->ref.refcount, 4);
}

static void rings_of_before_are_dropped_first(void **state)
{
	with_rings(3);
	map();
	start();
	with_rings(2);
	map();
	assert_int_equal(vbd->nr_rings, 2);
	assert_int_equal(bus_nr_maps(), 2);
	assert_int_equal(bus_nr_irqs(), 2);
	assert_int_equal(fake_nr_tasks, 0);
}

/* Persistent grants only if both sides want them. */
static void persistent_grants_are_negotiated(void **state)
{
	map();
	assert_null(vbd->rings[0]->pages.persistent.hash);
	xenstore_set(FE "/feature-persistent", "1");
	map();
	assert_null(vbd->rings[0]->pages.persistent.hash);
	vbd->advertised.persistent = true;
	map();
	assert_non_null(vbd->rings[0]->pages.persistent.hash);
}

static void threads_serve_the_rings(void **state)
{
	unsigned int i;

	with_rings(2);
	map();
	start();
	for (i = 0; i < 2; i++) {
		struct xenvbd_ring *ring = vbd->rings[i];

		assert_non_null(ring->task);
		assert_string_equal(ring->task->comm, ring->name);
		assert_ptr_equal(ring->task->fn, xenvbd_ring_serve);
		assert_int_equal(ring->task->wakeups, 1);
		assert_ptr_equal(ring->bdev, &fake_disk.bdev);
	}
	/* What the guest has been told is remembered. */
	assert_ptr_equal(vbd->advertised.disk.bdev, &fake_disk.bdev);
	assert_int_equal(vbd->advertised.disk.block_size, 512);
	/* What takes time was done before. */
	assert_int_equal(disk_a->nr[DISK_SYNC], 0);
}

/* What the key says when the frontend connects holds for the connection. */
static void emulation_is_up_to_the_key(void **state)
{
	fake_disk.bdev.logical_block_size = 4096;
	map();
	start();
	assert_false(vbd->rings[0]->limits.emulate);
	assert_int_equal(vbd->rings[0]->limits.align_sects, 8);
	assert_null(vbd->rings[0]->rmw.buffer);
	xenstore_set(BE "/emulate-512e", "1");
	xenstore_set(FE "/feature-large-sector-size", "1");
	map();
	start();
	assert_true(vbd->advertised.emulate);
	assert_true(vbd->rings[0]->limits.emulate);
	assert_int_equal(vbd->rings[0]->limits.align_sects, 1);
	assert_non_null(vbd->rings[0]->rmw.buffer[XENVBD_RMW_PAGES - 1].bv_page);
	/* No guest sees the disk's own. */
	assert_false(fake_logged("feature-large-sector-size"));
	xenstore_set(BE "/emulate-512e", "2");
	expect_error(vbd, xenvbd_map_rings(vbd), -EINVAL,
		     BE "/emulate-512e: \"2\" is neither 0 nor 1");
	expect_no_rings();
	xenstore_remove(BE "/emulate-512e");
	map();
	start();
	assert_false(vbd->rings[0]->limits.emulate);
}

static void large_sectors_are_reported_once(void **state)
{
	fake_disk.bdev.logical_block_size = 4096;
	map();
	start();
	assert_false(fake_logged("feature-large-sector-size"));
	xenstore_set(FE "/feature-large-sector-size", "1");
	map();
	start();
	assert_true(fake_logged("notice: frontend has feature-large-sector-size: sectors are 512 bytes all the same, not 4096"));
	fake_log_clear();
	map();
	start();
	assert_false(fake_logged("feature-large-sector-size"));
	/* They are no matter where they are not larger. */
	vbd->large_sectors_reported = false;
	fake_disk.bdev.logical_block_size = 512;
	map();
	start();
	assert_false(fake_logged("feature-large-sector-size"));
}

/* ---- what may fail ------------------------------------------------------ */

static void a_ring_that_cannot_be_mapped_is_named(void **state)
{
	bus_map_err = -EINVAL;
	expect_error(vbd, xenvbd_map_rings(vbd), -EINVAL, "mapping ring-ref 8");
	expect_no_rings();
}

static void a_channel_that_cannot_be_bound_is_named(void **state)
{
	bus_bind_err = -ENOSPC;
	expect_error(vbd, xenvbd_map_rings(vbd), -ENOSPC, "binding event-channel 9");
	expect_no_rings();
}

static void a_ring_that_makes_no_sense_is_refused(void **state)
{
	bus_ring_rsp_prod = 100;
	bus_ring_req_prod = 133;
	expect_error(vbd, xenvbd_map_rings(vbd), -EPROTO, "ring 0: req_prod is out of range");
	expect_no_rings();
	bus_ring_req_prod = 99;
	expect_error(vbd, xenvbd_map_rings(vbd), -EPROTO, "ring 0: req_prod is out of range");
	expect_no_rings();
	bus_ring_req_prod = 132;
	map();
	assert_int_equal(vbd->rings[0]->sring.rsp_prod, 100);
}

static void wrong_keys_leave_no_rings(void **state)
{
	xenstore_set(FE "/protocol", "none");
	expect_error(vbd, xenvbd_map_rings(vbd), -EINVAL, FE "/protocol: \"none\" is unknown");
	expect_no_rings();
	xenstore_set(FE "/protocol", "x86_64-abi");
	xenstore_set(FE "/multi-queue-num-queues", "5");
	expect_error(vbd, xenvbd_map_rings(vbd), -EINVAL,
		     FE "/multi-queue-num-queues: 5, not 1 to 4");
	expect_no_rings();
	with_rings(3);
	xenstore_set(FE "/feature-persistent", "yes");
	expect_error(vbd, xenvbd_map_rings(vbd), -EINVAL,
		     FE "/feature-persistent: \"yes\" is not a number");
	expect_no_rings();
	xenstore_remove(FE "/feature-persistent");
	/* Two rings were there already. */
	xenstore_remove(FE "/queue-2/event-channel");
	expect_error(vbd, xenvbd_map_rings(vbd), -ENOENT,
		     "reading " FE "/queue-2/event-channel");
	expect_no_rings();
	with_rings(3);
	map();
}

/* Each allocation on the way, and each has an error of its own. */
static void memory_may_be_short_at_each_step(void **state)
{
	static const char *const texts[] = {
		"allocating 3 rings", "allocating ring 1", "allocating requests of ring 2",
		"reading keys of ring 0",
	};
	bool seen[ARRAY_SIZE(texts)] = {};
	unsigned long nth, nr;
	unsigned int i;
	int err;

	with_rings(3);
	xenstore_set(BE "/emulate-512e", "1");
	fake_fail_at(&fake_allocs, 0);
	map();
	start();
	nr = fake_allocs.calls;
	xenvbd_disconnect(vbd);
	assert_true(nr > 20);
	for (nth = 1; nth <= nr; nth++) {
		vbd->error.text[0] = 0;
		fake_fail_at(&fake_allocs, nth);
		err = xenvbd_map_rings(vbd);
		if (err)
			expect_no_rings();
		else
			err = xenvbd_start_rings(vbd);
		expect(fake_allocs.failures == 1, "allocation %lu was not made", nth);
		fake_fail_at(&fake_allocs, 0);
		if (err)
			expect(err == -ENOMEM && vbd->error.text[0], "allocation %lu: %d, \"%s\"",
			       nth, err, vbd->error.text);
		else
			/* The name of a device has another one for want of memory. */
			expect(vbd->nr_rings == 3, "allocation %lu", nth);
		for (i = 0; i < ARRAY_SIZE(texts); i++)
			seen[i] |= !strcmp(vbd->error.text, texts[i]);
		xenvbd_disconnect(vbd);
		expect_no_rings();
	}
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		expect(seen[i], "there was no error \"%s\"", texts[i]);
	map();
	start();
}

static void a_thread_that_cannot_be_started_is_named(void **state)
{
	unsigned long before;

	with_rings(3);
	map();
	fake_fail_at(&fake_allocs, 0);
	start();
	before = fake_allocs.calls;
	map();
	fake_fail_at(&fake_allocs, before - 1);
	expect_error(vbd, xenvbd_start_rings(vbd), -ENOMEM, "starting the thread of ring 1");
	assert_non_null(vbd->rings[0]->task);
	assert_null(vbd->rings[1]->task);
	xenvbd_disconnect(vbd);
	expect_no_rings();
}

static void the_cache_may_not_be_written_back(void **state)
{
	disk_a->err[DISK_SYNC] = -EIO;
	expect_error(vbd, xenvbd_disk_drop_cache(vbd), -EIO, "writing back the cache of disk 8:1");
	disk_a->err[DISK_SYNC] = 0;
	assert_int_equal(xenvbd_disk_drop_cache(vbd), 0);
	assert_int_equal(disk_a->nr[DISK_INVALIDATE], 1);
}

static void rings_are_known_by_their_keys(void **state)
{
	static const struct {
		const char *key, *value;
		bool other;
	} cases[] = {
		{ "queue-1/ring-ref", "99", true },
		{ "queue-1/event-channel", "99", true },
		{ "queue-0/ring-ref", "99", true },
		{ "multi-queue-num-queues", "3", true },
		{ "state", "3", false },
		{ "feature-persistent", "1", false },
		/* Who has removed it does not begin anew. */
		{ "queue-1/ring-ref", NULL, false },
		{ "queue-1/event-channel", "junk", false },
		{ "multi-queue-num-queues", "99", false },
	};
	unsigned int i;
	char path[128], *before;

	with_rings(3);
	xenstore_set(FE "/multi-queue-num-queues", "2");
	map();
	assert_false(xenvbd_has_other_rings(vbd));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(path, sizeof(path), FE "/%s", cases[i].key);
		before = xenstore_get(path) ? strdup(xenstore_get(path)) : NULL;
		if (cases[i].value)
			xenstore_set(path, "%s", cases[i].value);
		else
			xenstore_remove(path);
		expect(xenvbd_has_other_rings(vbd) == cases[i].other, "%s = %s", cases[i].key,
		       cases[i].value);
		if (before)
			xenstore_set(path, "%s", before);
		free(before);
	}
	assert_false(xenvbd_has_other_rings(vbd));
}

static void a_larger_ring_is_another(void **state)
{
	xenstore_set(FE "/ring-page-order", "1");
	xenstore_set(FE "/ring-ref0", "8");
	xenstore_set(FE "/ring-ref1", "9");
	map();
	assert_false(xenvbd_has_other_rings(vbd));
	xenstore_set(FE "/ring-ref1", "10");
	assert_true(xenvbd_has_other_rings(vbd));
	xenstore_set(FE "/ring-page-order", "0");
	assert_true(xenvbd_has_other_rings(vbd));
}

static void there_may_be_no_memory_for_a_vbd(void **state)
{
	struct xenbus_device *xbdev = vbd->xbdev;
	unsigned long nth;

	for (nth = 1; nth <= 2; nth++) {
		fake_fail_at(&fake_allocs, nth);
		assert_null(xenvbd_alloc(xbdev));
		assert_int_equal(xbdev->dev.refs, 2);
	}
}

/* ---- down --------------------------------------------------------------- */

static void what_rings_have_counted_stays(void **state)
{
	with_rings(2);
	map();
	start();
	vbd->rings[0]->stats.passes = 3;
	vbd->rings[1]->stats.passes = 4;
	vbd->rings[1]->stats.err_req = 1;
	xenvbd_disconnect(vbd);
	expect_no_rings();
	assert_true(vbd->stats.passes >= 7);
	assert_int_equal(vbd->stats.err_req, 1);
	map();
	vbd->rings[0]->stats.err_req = 10;
	xenvbd_disconnect(vbd);
	assert_int_equal(vbd->stats.err_req, 11);
}

static void without_rings_there_is_nothing_to_drop(void **state)
{
	unsigned long before = fake_nr_synchronizes;

	vbd->facts = XENVBD_FACT_FAILED;
	xenvbd_disconnect(vbd);
	assert_int_equal(fake_nr_synchronizes, before);
	assert_int_equal(vbd->facts, XENVBD_FACT_FAILED);
	assert_int_equal(work_nr_pending(), 0);
}

/* A completion may be on its way out of xenvbd_wake_complete() yet. */
static void a_grace_period_goes_before_the_memory(void **state)
{
	unsigned long before = fake_nr_synchronizes;

	map();
	start();
	xenvbd_disconnect(vbd);
	assert_int_equal(fake_nr_synchronizes, before + 1);
}

static void what_was_wrong_with_the_rings_goes_with_them(void **state)
{
	map();
	start();
	vbd->facts = XENVBD_FACT_BROKEN | XENVBD_FACT_FAILED;
	vbd->events = BIT(XENVBD_EVENT_BROKEN) | BIT(XENVBD_EVENT_DISK);
	xenvbd_disconnect(vbd);
	assert_int_equal(vbd->facts, XENVBD_FACT_FAILED);
	assert_int_equal(vbd->events, BIT(XENVBD_EVENT_DISK));
	/* The next frontend is told anew. */
	assert_int_equal(vbd->advertised.disk.block_size, 0);
	assert_null(vbd->stall.what);
	assert_int_equal(work_nr_pending(), 0);
}

static bool looked;

/* While the first thread is waited for, no ring takes requests. */
static bool look_at_draining(void)
{
	unsigned int i;

	assert_int_equal(vbd->nr_rings, 3);
	for (i = 0; i < 3; i++)
		expect(vbd->rings[i]->wake.draining, "ring %u", i);
	assert_string_equal(vbd->stall.what, "closing");
	looked = true;
	return fake_bio_end_all();
}

static void all_rings_drain_before_one_is_waited_for(void **state)
{
	with_rings(3);
	map();
	start();
	control_request(vbd->rings[0], BLKIF_OP_READ);
	assert_int_equal(fake_nr_bios, 1);
	looked = false;
	fake_idle = look_at_draining;
	xenvbd_disconnect(vbd);
	assert_true(looked);
	expect_no_rings();
	assert_int_equal(vbd->stats.rd_req, 1);
}

/* ---- from outside ------------------------------------------------------- */

static void kicks_reach_rings_that_run(void **state)
{
	with_rings(2);
	map();
	xenvbd_kick_rings(vbd);
	assert_false(vbd->rings[0]->wake.kicked);
	start();
	xenvbd_kick_rings(vbd);
	assert_true(vbd->rings[0]->wake.kicked);
	assert_true(vbd->rings[1]->wake.kicked);
	xenvbd_disconnect(vbd);
	xenvbd_kick_rings(vbd);
}

static void memory_is_asked_of_those_that_have_it(void **state)
{
	with_rings(3);
	map();
	vbd->rings[2]->pages.pool.nr_free = 1;
	/* None runs yet. */
	xenvbd_reclaim_memory(vbd);
	assert_false(vbd->rings[2]->wake.squeeze);
	vbd->rings[2]->pages.pool.nr_free = 0;
	start();
	jiffies += 2 * HZ;
	vbd->rings[1]->pages.copy.nr_free = 1;
	xenvbd_reclaim_memory(vbd);
	assert_false(vbd->rings[0]->wake.squeeze);
	assert_true(vbd->rings[1]->wake.squeeze);
	assert_true(vbd->rings[1]->wake.kicked);
	assert_false(vbd->rings[2]->wake.squeeze);
	/* A shrinker asks far more often than is of use. */
	vbd->rings[1]->wake.squeeze = false;
	jiffies += HZ - 1;
	xenvbd_reclaim_memory(vbd);
	assert_false(vbd->rings[1]->wake.squeeze);
	jiffies += 1;
	xenvbd_reclaim_memory(vbd);
	assert_true(vbd->rings[1]->wake.squeeze);
	vbd->rings[1]->pages.copy.nr_free = 0;
	vbd->rings[1]->wake.squeeze = false;
}

int main(void)
{
	const struct CMUnitTest vbds[] = {
		VBD_TEST(a_vbd_begins_with_nothing),
		VBD_TEST(the_path_is_a_copy),
		VBD_TEST(a_ring_is_mapped_bound_and_named),
		VBD_TEST(several_rings_are_several),
		VBD_TEST(rings_of_before_are_dropped_first),
		VBD_TEST(persistent_grants_are_negotiated),
		VBD_TEST(threads_serve_the_rings),
		VBD_TEST(emulation_is_up_to_the_key),
		VBD_TEST(large_sectors_are_reported_once),
		VBD_TEST(a_ring_that_cannot_be_mapped_is_named),
		VBD_TEST(a_channel_that_cannot_be_bound_is_named),
		VBD_TEST(a_ring_that_makes_no_sense_is_refused),
		VBD_TEST(wrong_keys_leave_no_rings),
		VBD_TEST(memory_may_be_short_at_each_step),
		VBD_TEST(a_thread_that_cannot_be_started_is_named),
		VBD_TEST(the_cache_may_not_be_written_back),
		VBD_TEST(rings_are_known_by_their_keys),
		VBD_TEST(a_larger_ring_is_another),
		VBD_TEST(there_may_be_no_memory_for_a_vbd),
		VBD_TEST(what_rings_have_counted_stays),
		VBD_TEST(without_rings_there_is_nothing_to_drop),
		VBD_TEST(a_grace_period_goes_before_the_memory),
		VBD_TEST(what_was_wrong_with_the_rings_goes_with_them),
		VBD_TEST(all_rings_drain_before_one_is_waited_for),
		VBD_TEST(kicks_reach_rings_that_run),
		VBD_TEST(memory_is_asked_of_those_that_have_it),
	};

	return RUN(vbds);
}
