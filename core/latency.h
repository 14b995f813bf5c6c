/* SPDX-License-Identifier: GPL-2.0-only */
/* How long requests take: histograms, in powers of two of a microsecond. */
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

/* A set of histograms: written by the owner of a ring alone, read by anyone. */
struct xenvbd_latencies {
	u64 count[XENVBD_NR_LATENCIES][XENVBD_LATENCY_BUCKETS];
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

	xenvbd_stat_inc(&latencies->count[kind][xenvbd_latency_bucket(ring_us)]);
	kind += XENVBD_KIND_DISK;
	xenvbd_stat_inc(&latencies->count[kind][xenvbd_latency_bucket(disk_us)]);
}

/**
 * xenvbd_latencies_add - add a histogram to another
 * @sum: added to, XENVBD_LATENCY_BUCKETS counters
 * @part: as many; may be written at the same time
 */
static inline void xenvbd_latencies_add(u64 *sum, const u64 *part)
{
	unsigned int i;

	for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++)
		sum[i] += READ_ONCE(part[i]);
}

#endif /* XENVBD_LATENCY_H */
