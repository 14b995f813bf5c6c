// SPDX-License-Identifier: GPL-2.0-only
/* Counters and histograms. */
#include <linux/array_size.h>

#include "core/latency.h"
#include "proof.h"

#define NR_STATS	(sizeof(struct xenvbd_stats) / sizeof(u64))

void a_time_is_in_the_bucket_of_its_power_of_two(void)
{
	u32 us = any(u32);
	unsigned int bucket = xenvbd_latency_bucket(us);

	require(bucket < XENVBD_LATENCY_BUCKETS);
	require(bucket == XENVBD_LATENCY_BUCKETS - 1 || us < 1U << bucket);
	require(!bucket || us >= 1U << (bucket - 1));
}

void a_time_counts_once_in_a_histogram(void)
{
	struct xenvbd_histogram histogram = any(struct xenvbd_histogram), before = histogram;
	unsigned int bucket = any(unsigned int);
	u32 us = any(u32);

	xenvbd_histogram_count(&histogram, us);
	require(histogram.sum_us == before.sum_us + us);
	given(bucket < XENVBD_LATENCY_BUCKETS);
	require(histogram.count[bucket] ==
		before.count[bucket] + (bucket == xenvbd_latency_bucket(us)));
}

/* All operations, good or not. The sums alone are compared: they tell what was counted. */
void a_request_counts_in_a_histogram_of_the_ring_and_one_of_the_disk(void)
{
	struct xenvbd_latencies latencies = any(struct xenvbd_latencies), before = latencies;
	u32 ring_us = any(u32), disk_us = any(u32);
	unsigned int kind, ring_kind;
	u8 op = any(u8);

	xenvbd_latencies_count(&latencies, op, ring_us, disk_us);
	ring_kind = xenvbd_latency_kind(op);
	require(ring_kind < XENVBD_KIND_DISK);
	for (kind = 0; kind < XENVBD_NR_LATENCIES; kind++)
		require(latencies.of[kind].sum_us == before.of[kind].sum_us +
			(kind == ring_kind ? ring_us :
			 kind == ring_kind + XENVBD_KIND_DISK ? disk_us : 0));
}

void histograms_are_added_counter_by_counter(void)
{
	struct xenvbd_histogram sum = any(struct xenvbd_histogram), before = sum;
	struct xenvbd_histogram part = any(struct xenvbd_histogram);
	unsigned int i = any(unsigned int);

	xenvbd_histogram_add(&sum, &part);
	require(sum.sum_us == before.sum_us + part.sum_us);
	given(i < XENVBD_LATENCY_BUCKETS);
	require(sum.count[i] == before.count[i] + part.count[i]);
}

void a_request_counts_in_one_class_with_its_sectors(void)
{
	struct xenvbd_stats stats = any(struct xenvbd_stats), before = stats;
	u64 nr_sects = any(u64), nr_reqs, sects;
	u8 op = any(u8);

	xenvbd_stats_count(&stats, op, nr_sects);
	nr_reqs = (stats.rd_req - before.rd_req) + (stats.wr_req - before.wr_req) +
		  (stats.f_req - before.f_req) + (stats.ds_req - before.ds_req);
	sects = (stats.rd_sect - before.rd_sect) + (stats.wr_sect - before.wr_sect);
	require(nr_reqs == 1);
	require(sects == (op == BLKIF_OP_DISCARD ? 0 : nr_sects));
	require((stats.rd_req != before.rd_req) == (op == BLKIF_OP_READ));
	require((stats.ds_req != before.ds_req) == (op == BLKIF_OP_DISCARD));
}

void statistics_are_added_member_by_member(void)
{
	struct xenvbd_stats sum = any(struct xenvbd_stats), part = any(struct xenvbd_stats);
	const u64 *member = (const u64 *)&sum, *added = (const u64 *)&part;
	unsigned int i = any(unsigned int);
	u64 before;

	given(i < NR_STATS);
	before = member[i];
	xenvbd_stats_add(&sum, &part);
	require(member[i] == before + added[i]);
}
