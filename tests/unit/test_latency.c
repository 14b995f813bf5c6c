// SPDX-License-Identifier: GPL-2.0-only
/* How long requests take: what is counted where, and what is not. */
#include "data/latency.c"

#include "data/io.h"
#include "data/thread.h"
#include "rig.h"

#define US	NSEC_PER_USEC

static void switch_to(const char *val)
{
	assert_int_equal(shim_param_latency.ops->set(val, &shim_param_latency), 0);
}

static struct xenvbd_ring *up(void)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);

	switch_to("Y");
	/* All clocks are about to begin anew. */
	fake_clock = (1ULL << 32) * US - 2 * US;
	return ring;
}

static void down(void)
{
	switch_to("N");
	rig_down();
}

static u64 count(const struct xenvbd_ring *ring, unsigned int kind, unsigned int bucket)
{
	return ring->latency.latencies.of[kind].count[bucket];
}

static u64 sum_us(const struct xenvbd_ring *ring, unsigned int kind)
{
	return ring->latency.latencies.of[kind].sum_us;
}

/* All that was counted, of any kind. */
static u64 total(const struct xenvbd_ring *ring)
{
	u64 sum = 0;
	unsigned int kind, i;

	for (kind = 0; kind < XENVBD_NR_LATENCIES; kind++)
		for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++)
			sum += count(ring, kind, i);
	return sum;
}

static struct xenvbd_req *take(struct xenvbd_ring *ring, u8 op)
{
	struct xenvbd_req *req = rig_req(ring, op, 0, 0, 0);

	xenvbd_latency_look(&ring->latency);
	xenvbd_latency_take(&ring->latency, req);
	return req;
}

static void at_disk(struct xenvbd_req *req, u64 us)
{
	xenvbd_latency_disk(req);
	fake_clock += us * US;
	xenvbd_latency_disk(req);
}

static void answer(struct xenvbd_ring *ring, struct xenvbd_req *req)
{
	xenvbd_latency_look(&ring->latency);
	xenvbd_latency_count(&ring->latency, req);
	rig_req_put(req);
}

/* ---- histograms ---------------------------------------------------------- */

static void a_counter_has_what_is_less_than_its_power_of_two(void **state)
{
	unsigned int i;

	assert_int_equal(xenvbd_latency_bucket(0), 0);
	for (i = 1; i < XENVBD_LATENCY_BUCKETS; i++) {
		expect(xenvbd_latency_bucket((1U << i) - 1) == i, "%u", i);
		expect(xenvbd_latency_bucket(1U << (i - 1)) == i, "%u", i);
	}
	assert_int_equal(xenvbd_latency_bucket(1U << 27), 27);
	assert_int_equal(xenvbd_latency_bucket(U32_MAX), 27);
}

static void each_operation_has_histograms_of_its_own(void **state)
{
	static const struct {
		u8 op;
		unsigned int kind, disk;
	} rows[] = {
		{ BLKIF_OP_READ, XENVBD_KIND_latency_read, XENVBD_KIND_latency_disk_read },
		{ BLKIF_OP_WRITE, XENVBD_KIND_latency_write, XENVBD_KIND_latency_disk_write },
		{ BLKIF_OP_FLUSH_DISKCACHE, XENVBD_KIND_latency_flush,
		  XENVBD_KIND_latency_disk_flush },
		{ BLKIF_OP_WRITE_BARRIER, XENVBD_KIND_latency_flush,
		  XENVBD_KIND_latency_disk_flush },
		{ BLKIF_OP_DISCARD, XENVBD_KIND_latency_discard,
		  XENVBD_KIND_latency_disk_discard },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xenvbd_latencies latencies = {};

		xenvbd_latencies_count(&latencies, rows[i].op, 5, 2);
		xenvbd_latencies_count(&latencies, rows[i].op, 6, 3);
		expect(latencies.of[rows[i].kind].count[3] == 2, "row %u", i);
		expect(latencies.of[rows[i].disk].count[2] == 2, "row %u", i);
		expect(latencies.of[rows[i].kind].sum_us == 11, "row %u", i);
		expect(latencies.of[rows[i].disk].sum_us == 5, "row %u", i);
	}
}

static void sums_have_every_counter(void **state)
{
	struct xenvbd_histogram sum = { .sum_us = 1ULL << 33 };
	struct xenvbd_histogram part = { .sum_us = 1ULL << 32 };
	unsigned int i;

	for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++) {
		sum.count[i] = 1ULL << 40;
		part.count[i] = i + 1;
	}
	xenvbd_histogram_add(&sum, &part);
	for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++)
		expect(sum.count[i] == (1ULL << 40) + i + 1, "%u", i);
	assert_int_equal(sum.sum_us, 3ULL << 32);
}

/* ---- requests ------------------------------------------------------------ */

static void a_request_is_measured_on_both_ways(void **state)
{
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req = take(ring, BLKIF_OP_WRITE);

	fake_clock += 3 * US;
	at_disk(req, 100);
	fake_clock += 30 * US;
	answer(ring, req);
	assert_int_equal(count(ring, XENVBD_KIND_latency_write, 8), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_disk_write, 7), 1);
	assert_int_equal(sum_us(ring, XENVBD_KIND_latency_write), 133);
	assert_int_equal(sum_us(ring, XENVBD_KIND_latency_disk_write), 100);
	assert_int_equal(total(ring), 2);
	down();
}

/* Its pieces add up; what lies between them is not the disk's. */
static void a_request_may_go_to_the_disk_in_pieces(void **state)
{
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req = take(ring, BLKIF_OP_DISCARD);

	at_disk(req, 20);
	fake_clock += 1000 * US;
	at_disk(req, 20);
	answer(ring, req);
	assert_int_equal(count(ring, XENVBD_KIND_latency_discard, 11), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_disk_discard, 6), 1);
	assert_int_equal(sum_us(ring, XENVBD_KIND_latency_disk_discard), 40);
	down();
}

static void nothing_is_measured_until_it_is_wanted(void **state)
{
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req;
	char buf[4096];

	switch_to("N");
	shim_param_latency.ops->get(buf, &shim_param_latency);
	assert_string_equal(buf, "N\n");
	assert_int_equal(shim_param_latency.ops->set("maybe", &shim_param_latency), -EINVAL);
	req = take(ring, BLKIF_OP_READ);
	at_disk(req, 20);
	answer(ring, req);
	/* Those that are under way are not measured in part. */
	req = take(ring, BLKIF_OP_READ);
	switch_to("Y");
	at_disk(req, 20);
	answer(ring, req);
	assert_int_equal(total(ring), 0);
	down();
}

static void a_request_that_was_measured_in_part_is_not_counted(void **state)
{
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req;

	fake_clock = 1000000 * US;
	req = take(ring, BLKIF_OP_READ);
	fake_clock += 50 * US;
	xenvbd_latency_disk(req);
	switch_to("N");
	fake_clock += 50 * US;
	xenvbd_latency_disk(req);
	switch_to("Y");
	answer(ring, req);
	assert_int_equal(total(ring), 0);
	down();
}

/* The clock that counts to 71 minutes has it as young. */
static void what_takes_hours_is_in_the_last_counter(void **state)
{
	struct xenvbd_ring *ring = up();
	struct xenvbd_req *req = take(ring, BLKIF_OP_READ);

	xenvbd_latency_disk(req);
	fake_clock += (1ULL << 32) * US + 7 * US;
	jiffies += 4294 * HZ;
	xenvbd_latency_disk(req);
	answer(ring, req);
	assert_int_equal(count(ring, XENVBD_KIND_latency_read, 27), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_disk_read, 27), 1);
	/* The sum has as much as the clock can count. */
	assert_int_equal(sum_us(ring, XENVBD_KIND_latency_read), U32_MAX);
	assert_int_equal(sum_us(ring, XENVBD_KIND_latency_disk_read), U32_MAX);
	down();
}

/* ---- in the data path ---------------------------------------------------- */

static void requests_of_a_guest_are_counted(void **state)
{
	struct xenvbd_ring *ring = up();

	assert_int_equal(xenvbd_thread_start(ring, xenvbd_ring_serve), 0);
	fake_task_run(ring->task);
	guest_put(ring, &(struct guest_req){ .op = BLKIF_OP_READ, .id = 1, .nr_segs = 1,
					     .gref = 1 });
	guest_send(ring, &(struct guest_req){ .op = BLKIF_OP_FLUSH_DISKCACHE, .id = 2 });
	xenvbd_wake_irq(5, ring);
	fake_task_run(ring->task);
	fake_clock += 200 * US;
	fake_bio_end_all();
	fake_clock += 100 * US;
	fake_task_run(ring->task);
	assert_int_equal(count(ring, XENVBD_KIND_latency_read, 9) +
			 count(ring, XENVBD_KIND_latency_read, 8), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_disk_read, 8), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_flush, 9), 1);
	assert_int_equal(count(ring, XENVBD_KIND_latency_disk_flush, 8), 1);
	assert_int_equal(total(ring), 4);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_has_what_is_less_than_its_power_of_two),
		cmocka_unit_test(each_operation_has_histograms_of_its_own),
		cmocka_unit_test(sums_have_every_counter),
		cmocka_unit_test(a_request_is_measured_on_both_ways),
		cmocka_unit_test(a_request_may_go_to_the_disk_in_pieces),
		cmocka_unit_test(nothing_is_measured_until_it_is_wanted),
		cmocka_unit_test(a_request_that_was_measured_in_part_is_not_counted),
		cmocka_unit_test(what_takes_hours_is_in_the_last_counter),
		cmocka_unit_test(requests_of_a_guest_are_counted),
	};

	return RUN(tests);
}
