// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vbd to which anything may happen at any time: toolstack, guest, disk, memory and
 * xenstore do what they like, work is done and watches fire in any order between, and
 * the device comes and goes. It is the same in every run. Whatever it was, when all are
 * sane again the vbd connects, and when it goes it leaves nothing.
 */
#include "xenbus.c"

#include "bus.h"
#include "control.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

#define NR_WALKS	300
#define NR_STEPS	120

static struct xenbus_device *xbdev;
static u32 seed;

static unsigned int any(unsigned int nr)
{
	return prng(&seed) % nr;
}

#define one_of(list)	(list)[any(ARRAY_SIZE(list))]

static struct xenvbd *vbd(void)
{
	return xbdev && bus_nr_registered() && bus_is_bound(xbdev) ?
		       dev_get_drvdata(&xbdev->dev) : NULL;
}

static struct xenvbd_ring *running_ring(void)
{
	if (!vbd() || !vbd()->nr_rings || !vbd()->rings[0]->task ||
	    vbd()->rings[0]->sring.abi != XENVBD_ABI_X86_64)
		return NULL;
	return vbd()->rings[0];
}

/* ---- what may happen ---------------------------------------------------- */

static void guest_writes_its_state(void)
{
	static const char *const states[] = {
		"1", "1", "3", "3", "3", "4", "4", "5", "6", "6", "0", "2", "7", "-1", "junk",
	};

	xenstore_set(FE "/state", "%s", one_of(states));
}

static void guest_writes_a_key(void)
{
	static const char *const keys[] = {
		FE "/ring-ref", FE "/event-channel", FE "/ring-page-order", FE "/protocol",
		FE "/multi-queue-num-queues", FE "/feature-persistent",
	};
	static const char *const values[] = { "1", "1", "0", "8", "junk", "", "x86_64-abi" };
	const char *key = one_of(keys);

	if (any(2))
		xenstore_set(key, "%s", one_of(values));
	else
		xenstore_remove(key);
}

static void guest_sends(void)
{
	static const u8 ops[] = { BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE };

	if (running_ring() && !running_ring()->task->should_park)
		control_request(running_ring(), one_of(ops));
}

static void guest_breaks_its_ring(void)
{
	if (running_ring())
		control_break(running_ring());
}

static void guest_is_gone(void)
{
	xenstore_remove(FE);
	xenstore_touch(FE "/state");
}

static void guest_is_new(void)
{
	control_write_frontend();
}

static void toolstack_writes_the_disk(void)
{
	static const char *const devices[] = { "8:1", "8:2", "b:0", "", "9:9", "junk" };

	if (any(5))
		xenstore_set(BE "/physical-device", "%s", one_of(devices));
	else
		xenstore_remove(BE "/physical-device");
}

static void toolstack_writes_a_key(void)
{
	static const char *const keys[] = { "mode", "device-type", "diskseq", "grant-policy", "online" };
	static const char *const values[] = { "w", "r", "cdrom", "2a", "101", "auto", "copy", "1", "0" };
	char path[64];

	snprintf(path, sizeof(path), BE "/%s", one_of(keys));
	if (any(2))
		xenstore_set(path, "%s", one_of(values));
	else
		xenstore_remove(path);
}

static void toolstack_closes(void)
{
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
}

static void disk_changes(void)
{
	struct block_device *bdev = any(2) ? &fake_disk.bdev : &disk_b->bdev;

	switch (any(5)) {
	case 0:
		bdev->nr_sectors = 4096 + any(2) * 4096;
		break;
	case 1:
		bdev->write_cache = any(2);
		break;
	case 2:
		bdev->read_only = any(2);
		break;
	case 3:
		bdev->logical_block_size = 512 << any(4);
		break;
	case 4:
		if (!any(4))
			set_bit(GD_DEAD, &bdev->bd_disk->state);
		break;
	}
}

static void disk_fails(void)
{
	disks[any(3)].err[any(DISK_NR_OPS)] = any(2) ? -EIO : 0;
}

static void disk_answers(void)
{
	static const blk_status_t statuses[] = {
		BLK_STS_OK, BLK_STS_OK, BLK_STS_IOERR, BLK_STS_NOTSUPP,
	};

	if (fake_bio_first())
		fake_bio_end(fake_bio_first(), one_of(statuses));
}

static void memory_gets_short(void)
{
	fake_fail_at(&fake_allocs, 1 + any(20));
}

static void xenstore_gets_worse(void)
{
	static const int errs[] = { -EIO, -EAGAIN, -ENOSPC, -ENOENT };

	xenstore_fail_nth(1 + any(20), one_of(errs));
}

static void work_is_done(void)
{
	work_run();
}

static void watch_fires(void)
{
	xenstore_fire();
}

static void all_is_done(void)
{
	control_settle();
}

static void time_passes(void)
{
	jiffies += any(3 * HZ);
}

static void thread_runs(void)
{
	if (running_ring() && running_ring()->task->state == TASK_RUNNING)
		fake_task_run(running_ring()->task);
}

static void reclaim(void)
{
	if (xbdev && bus_nr_registered())
		bus_driver->reclaim_memory(xbdev);
}

static void device_is_unbound_and_bound(void)
{
	if (!xbdev || !bus_nr_registered())
		return;
	if (bus_is_bound(xbdev))
		bus_unbind(xbdev);
	else
		bus_bind(xbdev);
}

static void device_goes(void)
{
	if (!bus_nr_registered())
		return;
	xenstore_remove(BE);
	bus_remove(xbdev);
}

static void device_comes(void)
{
	if (!bus_nr_registered()) {
		control_write_backend();
		xbdev = bus_add(BE);
	} else if (!bus_is_bound(xbdev)) {
		bus_bind(xbdev);
	}
}

/* Two who know what they do, so that the others find a vbd that is in use. */
static void guest_connects(void)
{
	static const char *const states[] = { "6", "1", "3", "4" };
	unsigned int i, nr;

	xenstore_remove(FE);
	control_write_frontend();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		xenstore_set(FE "/state", "%s", states[i]);
		for (nr = 0; nr < 10 && (xenstore_fire() || work_run()); nr++)
			;
	}
}

static void toolstack_repairs(void)
{
	if (!xenstore_get(BE "/frontend"))
		return;
	xenstore_set(BE "/online", "1");
	xenstore_set(BE "/mode", "w");
	xenstore_remove(BE "/device-type");
	xenstore_remove(BE "/diskseq");
	xenstore_remove(BE "/grant-policy");
	xenstore_set(BE "/physical-device", "%s", any(2) ? "8:1" : "8:2");
}

static const struct {
	void (*happen)(void);
	/* How often, beside the others. */
	unsigned int weight;
} happenings[] = {
	{ guest_writes_its_state, 12 },
	{ guest_writes_a_key, 3 },
	{ guest_sends, 8 },
	{ guest_breaks_its_ring, 1 },
	{ guest_is_gone, 1 },
	{ guest_is_new, 4 },
	{ toolstack_writes_the_disk, 4 },
	{ toolstack_writes_a_key, 3 },
	{ toolstack_closes, 1 },
	{ disk_changes, 2 },
	{ disk_fails, 1 },
	{ disk_answers, 4 },
	{ memory_gets_short, 2 },
	{ xenstore_gets_worse, 2 },
	{ work_is_done, 15 },
	{ watch_fires, 15 },
	{ all_is_done, 6 },
	{ time_passes, 3 },
	{ thread_runs, 6 },
	{ reclaim, 1 },
	{ device_is_unbound_and_bound, 1 },
	{ device_goes, 1 },
	{ device_comes, 4 },
	{ guest_connects, 6 },
	{ toolstack_repairs, 3 },
};

static void step(void)
{
	unsigned int i, at, sum = 0;

	for (i = 0; i < ARRAY_SIZE(happenings); i++)
		sum += happenings[i].weight;
	at = any(sum);
	for (i = 0; at >= happenings[i].weight; i++)
		at -= happenings[i].weight;
	happenings[i].happen();
}

/* ---- what holds --------------------------------------------------------- */

/* Between two steps nobody is at work. */
static void check_step(unsigned int walk, unsigned int nr)
{
	struct xenvbd *v = vbd();

	expect(!shim_atomic, "walk %u, step %u", walk, nr);
	expect(!xenstore_nr_open(), "walk %u, step %u: %u transactions", walk, nr,
	       xenstore_nr_open());
	expect(disks_nr_opens() <= 2, "walk %u, step %u: %u disks", walk, nr, disks_nr_opens());
	if (!v)
		return;
	expect(!v->lock.held && !v->store_lock.held, "walk %u, step %u", walk, nr);
	expect(!v->nr_rings == !v->rings, "walk %u, step %u", walk, nr);
	expect(!v->stall.what, "walk %u, step %u: %s", walk, nr, v->stall.what);
	expect(!v->nr_rings || !(v->facts & XENVBD_FACT_GONE), "walk %u, step %u", walk, nr);
	if (v->nr_rings && v->rings[0]->task)
		expect(xenvbd_disk_ready(&v->disk), "walk %u, step %u", walk, nr);
}

static void all_are_sane(void)
{
	unsigned int i;

	fake_fail_at(&fake_allocs, 0);
	xenstore_fail_nth(0, 0);
	for (i = 0; i < ARRAY_SIZE(disks); i++)
		memset(disks[i].err, 0, sizeof(disks[i].err));
	fake_disk.gd.state = 0;
	fake_disk.bdev.read_only = false;
	fake_disk.bdev.logical_block_size = 512;
	fake_disk.bdev.nr_sectors = DISK_SECTS;
	fake_disk.bdev.write_cache = true;
	control_settle();
}

static void frontend(const char *state)
{
	xenstore_set(FE "/state", "%s", state);
	control_settle();
}

static void check_sanity(unsigned int walk)
{
	all_are_sane();
	if (bus_nr_registered()) {
		xenstore_remove(BE);
		bus_remove(xbdev);
		control_settle();
	}
	expect(!bus_nr_devices(), "walk %u: a device is left", walk);
	expect(!disks_nr_opens(), "walk %u: a disk is open", walk);
	xenstore_remove(FE);
	xenstore_remove(BE);
	control_write_backend();
	control_write_frontend();
	xbdev = bus_add(BE);
	control_settle();
	frontend("3");
	expect(!strcmp(xenstore_get(BE "/state"), "4"), "walk %u: state %s, error %s", walk,
	       xenstore_get(BE "/state"), xenstore_get("error/" BE "/error"));
}

/* The same device, from wherever it is. */
static void check_recovery(unsigned int walk)
{
	all_are_sane();
	if (!bus_nr_registered() || !bus_is_bound(xbdev) ||
	    vbd()->facts & XENVBD_FACT_GONE)
		return;
	xenstore_remove(FE);
	control_write_frontend();
	xenstore_set(BE "/online", "1");
	xenstore_set(BE "/mode", "w");
	xenstore_remove(BE "/device-type");
	xenstore_remove(BE "/diskseq");
	xenstore_remove(BE "/grant-policy");
	frontend("6");
	xenstore_set(BE "/physical-device", "8:1");
	control_settle();
	frontend("1");
	frontend("3");
	expect(!strcmp(xenstore_get(BE "/state"), "4"), "walk %u: state %s, error %s", walk,
	       xenstore_get(BE "/state"), xenstore_get("error/" BE "/error"));
}

static void a_vbd_bears_anything(void **state)
{
	unsigned int walk, nr, connects = 0;

	fake_any_disk = true;
	for (walk = 1; walk <= NR_WALKS; walk++) {
		seed = walk * 2654435761u;
		all_are_sane();
		control_renew();
		xs_leaving = false;
		assert_int_equal(shim_module_init(), 0);
		xbdev = bus_add(BE);
		for (nr = 0; nr < NR_STEPS; nr++) {
			step();
			check_step(walk, nr);
			connects += !!running_ring();
		}
		check_recovery(walk);
		check_sanity(walk);
		xenstore_remove(BE);
		bus_remove(xbdev);
		control_settle();
		shim_module_exit();
		control_check_clean();
	}
	printf("# steps: %u, connected in %u\n", NR_WALKS * NR_STEPS, connects);
	assert_true(connects > NR_WALKS * NR_STEPS / 5);
}

int main(void)
{
	const struct CMUnitTest walks[] = {
		CONTROL_TEST(a_vbd_bears_anything),
	};

	return RUN(walks);
}
