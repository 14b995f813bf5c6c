/* SPDX-License-Identifier: GPL-2.0-only */
/* How long requests take: histograms, in powers of two of a microsecond, and sums. */
#ifndef XENVBD_LATENCY_H
#define XENVBD_LATENCY_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "core/proto.h"
#include "core/stats.h"

/*
 * Counter i of a histogram is of what took less than 2^i microseconds, and no less
 * than half of that. The last counter has all that took longer, too: 67 seconds
 * and more.
 */
#define XENVBD_LATENCY_BUCKETS	28

/*
 * Generates the histograms and the sysfs files. First from the ring to the ring,
 * then at the disk; both have the same operations in the same order.
 */
#define XENVBD_LATENCIES(x) \
	x(latency_read) \
	x(latency_write) \
	x(latency_flush) \
	x(latency_discard) \
	x(latency_disk_read) \
	x(latency_disk_write) \
	x(latency_disk_flush) \
	x(latency_disk_discard)

enum xenvbd_latency_kind {
#define XENVBD_LATENCY_KIND(name) XENVBD_KIND_##name,
	XENVBD_LATENCIES(XENVBD_LATENCY_KIND)
#undef XENVBD_LATENCY_KIND
	XENVBD_NR_LATENCIES
};

/* From the kind that is ring to ring to the same one at the disk. */
#define XENVBD_KIND_DISK	XENVBD_KIND_latency_disk_read

/* Written by the owner of a ring alone, read by anyone. */
struct xenvbd_histogram {
	/* Of all that was counted: the mean is this by the sum of the counters. */
	u64 sum_us;
	u64 count[XENVBD_LATENCY_BUCKETS];
};

/* The histograms of a ring, by their kinds. */
struct xenvbd_latencies {
	struct xenvbd_histogram of[XENVBD_NR_LATENCIES];
};

/* The histogram of an operation, ring to ring. */
static inline unsigned int xenvbd_latency_kind(u8 op)
{
	switch (op) {
	case BLKIF_OP_READ:
		return XENVBD_KIND_latency_read;
	case BLKIF_OP_FLUSH_DISKCACHE:
	case BLKIF_OP_WRITE_BARRIER:
		return XENVBD_KIND_latency_flush;
	case BLKIF_OP_DISCARD:
		return XENVBD_KIND_latency_discard;
	default:
		return XENVBD_KIND_latency_write;
	}
}

/* The counter for so many microseconds. */
static inline unsigned int xenvbd_latency_bucket(u32 us)
{
	unsigned int bits = us ? 32 - __builtin_clz(us) : 0;

	return bits < XENVBD_LATENCY_BUCKETS ? bits : XENVBD_LATENCY_BUCKETS - 1;
}

static inline void xenvbd_histogram_count(struct xenvbd_histogram *histogram, u32 us)
{
	xenvbd_stat_inc(&histogram->count[xenvbd_latency_bucket(us)]);
	xenvbd_stat_add(&histogram->sum_us, us);
}

/**
 * xenvbd_latencies_count - count what a request has taken
 * @latencies: the ring's
 * @op: BLKIF_OP_*, a good one
 * @ring_us: from the ring to the ring, in microseconds
 * @disk_us: at the disk
 */
static inline void xenvbd_latencies_count(struct xenvbd_latencies *latencies,
					  u8 op, u32 ring_us, u32 disk_us)
{
	unsigned int kind = xenvbd_latency_kind(op);

	xenvbd_histogram_count(&latencies->of[kind], ring_us);
	xenvbd_histogram_count(&latencies->of[kind + XENVBD_KIND_DISK], disk_us);
}

/**
 * xenvbd_histogram_add - add a histogram to another
 * @sum: added to
 * @part: may be written at the same time
 */
static inline void xenvbd_histogram_add(struct xenvbd_histogram *sum,
					const struct xenvbd_histogram *part)
{
	unsigned int i;

	for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++)
		sum->count[i] += READ_ONCE(part->count[i]);
	sum->sum_us += READ_ONCE(part->sum_us);
}

#endif /* XENVBD_LATENCY_H */
