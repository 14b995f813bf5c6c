// SPDX-License-Identifier: GPL-2.0-only
/*
 * One scenario, from a ring's setup to its teardown, again and again: each time
 * another allocation, grant or hypercall fails, the first one, the second one, until
 * there is none left. Whatever fails, each request is answered once, the same request
 * works when it is sent again, and nothing leaks.
 */
#include "data/reserve.h"
#include "data/thread.h"
#include "rig.h"

#define OKAY	BLKIF_RSP_OKAY
#define ERROR	BLKIF_RSP_ERROR

/* What fails in this run. */
static struct {
	struct fake_fault *fault;
	unsigned long nth;
	bool for_ever;
	/* Sectors of 512 bytes on a disk of larger blocks, and nothing is whole ones. */
	bool emulate;
	/* It has failed, and was mended then. */
	bool mended;
} run;

static void arm(void)
{
	fake_fail_at(run.fault, run.nth);
	run.fault->for_ever = run.for_ever;
	run.mended = false;
}

static bool fault_is_due(void)
{
	return run.fault->fail_at;
}

/* Without pages to map to all goes on: nothing may have to be mended. */
static bool is_made_up_for(void)
{
	return run.fault == &fake_xen_pages;
}

/* It has had its effect: what comes next has to work. */
static void disarm(void)
{
	expect(!is_made_up_for(), "a request has waited or failed");
	run.mended |= run.fault->failures;
	fake_fail_at(run.fault, 0);
}

static bool has_failed(void)
{
	return run.fault->failures || run.mended;
}

/* ---- steps of the scenario ---------------------------------------------------- */

/* Set up the ring; if something fails, once more. */
static struct xenvbd_ring *connect(bool persistent)
{
	int err = rig_add_ring(1, persistent);

	if (err) {
		expect(err == -ENOMEM && has_failed(), "%d", err);
		expect(!fake_nr_objects, "%lu objects leaked", fake_nr_objects);
		disarm();
		err = rig_add_ring(1, persistent);
	}
	expect(!err, "%d", err);
	err = xenvbd_thread_start(rig.rings[0], xenvbd_ring_serve);
	if (err) {
		expect(err == -ENOMEM && has_failed(), "%d", err);
		disarm();
		err = xenvbd_thread_start(rig.rings[0], xenvbd_ring_serve);
	}
	expect(!err, "%d", err);
	fake_task_run(rig.rings[0]->task);
	return rig.rings[0];
}

/* Until nothing more happens by itself. */
static void settle(struct xenvbd_ring *ring)
{
	do
		while (ring->task->state == TASK_RUNNING)
			fake_task_run(ring->task);
	while (fake_bio_end_all());
}

/* So long passes. */
static void sleep_for(struct xenvbd_ring *ring, unsigned long timeout)
{
	jiffies += timeout;
	fake_task_run(ring->task);
	settle(ring);
}

/* The response to the only request there is. */
static s16 response(struct xenvbd_ring *ring, u64 id)
{
	unsigned int tries;
	s16 status;
	u64 got;

	settle(ring);
	/* For want of memory it may take a while, but not if there is some. */
	for (tries = 0; !guest_get(ring, &got, &status); tries++) {
		if (tries == 5 && has_failed() && fault_is_due())
			disarm();
		expect(tries < 10, "request %llu is not answered", (ull)id);
		sleep_for(ring, HZ / 100);
	}
	expect(got == id, "response to %llu, not %llu", (ull)got, (ull)id);
	guest_expect_none(ring);
	return status;
}

static s16 request(struct xenvbd_ring *ring, struct guest_req *req)
{
	static u64 id;

	req->id = ++id;
	guest_send(ring, req);
	xenvbd_wake_irq(ring->irq, ring);
	return response(ring, req->id);
}

/* A request that works; at the second attempt if something has failed. */
static void works(struct xenvbd_ring *ring, struct guest_req req)
{
	s16 status = request(ring, &req);

	if (status != OKAY) {
		expect(status == ERROR && has_failed(), "%d", status);
		if (fault_is_due())
			disarm();
		status = request(ring, &req);
	}
	expect(status == OKAY, "%d at the second attempt", status);
}

static struct guest_req rw(u8 op, u64 sector, unsigned int nr_segs, grant_ref_t gref)
{
	unsigned int i;

	for (i = 0; i < nr_segs; i++)
		fake_grant(gref + i);
	return (struct guest_req) {
		.op = op, .sector = sector + (run.emulate && nr_segs),
		.nr_segs = nr_segs, .gref = gref,
		.desc = nr_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST ? 5 : 0,
	};
}

/* Write, and read what was written into other pages. */
static void write_and_read(struct xenvbd_ring *ring, unsigned int nr_segs, u8 seed)
{
	unsigned int i;

	fake_grant(5);
	for (i = 0; i < nr_segs; i++)
		memset(fake_grant(100 + i), seed + 17 * i, XEN_PAGE_SIZE);
	works(ring, rw(BLKIF_OP_WRITE, 8 * seed, nr_segs, 100));
	works(ring, rw(BLKIF_OP_READ, 8 * seed, nr_segs, 500));
	for (i = 0; i < nr_segs; i++)
		expect(!memcmp(fake_grant(100 + i), fake_grant(500 + i), XEN_PAGE_SIZE),
		       "page %u differs", i);
}

/* Many at a time: each is answered once, and errors are excused. */
static void crowd(struct xenvbd_ring *ring)
{
	bool answered[16] = {};
	unsigned int i, tries, nr = 0;
	s16 status;
	u64 id;

	for (i = 0; i < ARRAY_SIZE(answered); i++) {
		struct guest_req req = rw(i % 2 ? BLKIF_OP_WRITE : BLKIF_OP_READ, 8 * i,
					  i % 5 ? 2 : 12, 1000 + 32 * i);

		req.id = i;
		req.desc = req.desc ? 10 + i : 0;
		guest_put(ring, &req);
	}
	guest_push(ring);
	xenvbd_wake_irq(ring->irq, ring);
	settle(ring);
	for (tries = 0; nr < ARRAY_SIZE(answered); tries++) {
		while (guest_get(ring, &id, &status)) {
			expect(id < ARRAY_SIZE(answered) && !answered[id], "%llu",
			       (ull)id);
			expect(status == OKAY || has_failed(), "%d", status);
			answered[id] = true;
			nr++;
		}
		if (tries == 50 && has_failed() && fault_is_due())
			disarm();
		expect(tries < 100, "%u are answered", nr);
		sleep_for(ring, HZ / 100);
	}
	guest_expect_none(ring);
}

static bool disk_works(void)
{
	return fake_bio_end_all();
}

/* Stopped with requests at the disk: all are answered. */
static void stop_with_requests(struct xenvbd_ring *ring, bool (*idle)(void))
{
	struct guest_req req = rw(BLKIF_OP_WRITE, 0, 3, 100);
	unsigned int i, nr;
	s16 status;
	u64 id;

	for (i = 0; i < 3; i++) {
		req.id = i;
		guest_put(ring, &req);
	}
	guest_push(ring);
	xenvbd_wake_irq(ring->irq, ring);
	fake_task_run(ring->task);
	fake_idle = idle;
	xenvbd_thread_drain(ring);
	xenvbd_thread_stop(ring);
	for (nr = 0; guest_get(ring, &id, &status); nr++)
		expect(status == OKAY || has_failed(), "%d", status);
	expect(nr == 3, "%u are answered", nr);
	put_task_struct(ring->task);
	ring->task = NULL;
}

static void teardown(struct xenvbd_ring *ring)
{
	/* What starves goes on trying until there is memory. */
	if (fault_is_due() && run.for_ever && !is_made_up_for())
		disarm();
	stop_with_requests(ring, disk_works);
}

/* ---- no memory at all ---------------------------------------------------------- */

static unsigned int nr_moments;

static bool disk_works_in_time(void)
{
	jiffies += HZ / 100;
	fake_bio_end_all();
	return ++nr_moments < 1000;
}

/* From the moment on that the ring is connected, and for ever. */
static void scenario_without_memory(unsigned int policy, bool persistent)
{
	struct xenvbd_ring *ring;

	rig_init();
	rig.vbd.tunables.policy = policy;
	assert_int_equal(xenvbd_reserve_init(), 0);
	run.fault = &fake_allocs;
	run.nth = 0;
	run.for_ever = run.mended = false;
	ring = connect(persistent);
	fake_fail_all(&fake_allocs);

	write_and_read(ring, 5, 1);
	write_and_read(ring, 33, 2);
	write_and_read(ring, 200, 3);
	works(ring, rw(BLKIF_OP_WRITE_BARRIER, 16, 2, 100));
	crowd(ring);
	/* Write data that must be copied; and none can be mapped. */
	fake_disk.bdev.stable_writes = true;
	write_and_read(ring, 12, 4);
	fake_fail_all(&fake_handles);
	write_and_read(ring, 12, 5);
	crowd(ring);

	expect(fake_allocs.failures && !run.mended, "there was memory");
	/* It is stopped with requests that were not started. */
	nr_moments = 0;
	stop_with_requests(ring, disk_works_in_time);
	xenvbd_reserve_exit();
	rig_down();
}

static void no_memory_for_ever(void **state)
{
	unsigned int policy;

	for (policy = XENVBD_POLICY_AUTO; policy <= XENVBD_POLICY_COPY; policy++) {
		scenario_without_memory(policy, false);
		scenario_without_memory(policy, true);
	}
}

/* ---- the scenario --------------------------------------------------------------- */

static void scenario(unsigned int policy)
{
	struct xenvbd_ring *ring;

	if (run.emulate)
		rig_emulate(4096);
	else
		rig_init();
	rig.vbd.tunables.policy = policy;
	fake_disk.bdev.max_discard_sectors = 100;
	arm();
	ring = connect(policy == XENVBD_POLICY_PERSISTENT);

	write_and_read(ring, 5, 1);
	write_and_read(ring, 33, 2);
	/* The same again, when there is all that it needs. */
	write_and_read(ring, 12, 3);
	works(ring, rw(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0));
	works(ring, rw(BLKIF_OP_WRITE_BARRIER, 16, 2, 100));
	works(ring, (struct guest_req) { .op = BLKIF_OP_DISCARD, .nr_sects = 250 });
	crowd(ring);

	/* Another policy, data that has to be copied, memory that is short. */
	rig.vbd.tunables.policy = XENVBD_POLICY_COPY;
	xenvbd_wake_kick(ring);
	settle(ring);
	write_and_read(ring, 3, 4);
	rig.vbd.tunables.policy = policy;
	fake_disk.bdev.stable_writes = true;
	write_and_read(ring, 3, 5);
	ring->wake.squeeze = true;
	xenvbd_wake_kick(ring);
	settle(ring);
	write_and_read(ring, 12, 6);
	/* Nothing to do for long. */
	sleep_for(ring, 100 * HZ);
	write_and_read(ring, 3, 7);

	teardown(ring);
	rig_down();
}

/* Each run until nothing failed any more. Returns their number. */
static unsigned long each(struct fake_fault *fault, bool for_ever)
{
	unsigned int policy;
	unsigned long sum = 0;

	run.fault = fault;
	run.for_ever = for_ever;
	for (policy = XENVBD_POLICY_AUTO; policy <= XENVBD_POLICY_COPY; policy++) {
		for (run.nth = 1; ; run.nth++) {
			scenario(policy);
			if (!has_failed())
				break;
		}
		sum += run.nth - 1;
	}
	return sum;
}

/* So many at least: or the scenario does not do what it should. */
static void each_at_least(struct fake_fault *fault, unsigned long nr)
{
	unsigned long once = each(fault, false);

	print_message("# %lu faults, one at a time\n", once);
	expect(once >= nr, "%lu", once);
}

static void without_a_fault_all_works(void **state)
{
	unsigned int policy;

	run.fault = &fake_allocs;
	run.nth = 0;
	for (policy = XENVBD_POLICY_AUTO; policy <= XENVBD_POLICY_COPY; policy++)
		scenario(policy);
}

static void no_memory_once(void **state)
{
	each_at_least(&fake_allocs, 400);
}

static void no_memory_for_long(void **state)
{
	expect(each(&fake_allocs, true) >= 100, "too few");
}

static void no_page_to_map_to(void **state)
{
	each_at_least(&fake_xen_pages, 5);
	expect(each(&fake_xen_pages, true) >= 5, "too few");
}

static void a_grant_fails(void **state)
{
	each_at_least(&fake_grants, 800);
}

static void a_map_handle_is_missing(void **state)
{
	each_at_least(&fake_handles, 100);
}

static void an_unmapping_fails(void **state)
{
	each_at_least(&fake_unmaps, 300);
}

static void a_hypercall_fails(void **state)
{
	each_at_least(&fake_hypercalls, 30);
}

/* What else can fail where all is read, modified and written. */
static void sectors_are_emulated(void **state)
{
	run.emulate = true;
	without_a_fault_all_works(state);
	each_at_least(&fake_allocs, 400);
	each_at_least(&fake_grants, 800);
	run.emulate = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_fault_all_works),
		cmocka_unit_test(no_memory_once),
		cmocka_unit_test(no_memory_for_long),
		cmocka_unit_test(no_page_to_map_to),
		cmocka_unit_test(no_memory_for_ever),
		cmocka_unit_test(a_grant_fails),
		cmocka_unit_test(a_map_handle_is_missing),
		cmocka_unit_test(an_unmapping_fails),
		cmocka_unit_test(a_hypercall_fails),
		cmocka_unit_test(sectors_are_emulated),
	};

	return RUN(tests);
}
