/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of a ring: written by its owner alone, read by anyone. */
#ifndef XENVBD_STATS_H
#define XENVBD_STATS_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "core/proto.h"

/*
 * Generates the members, the sysfs files and the sums, so that they cannot
 * disagree. The first seven are the files that xentop and others know. The file stat
 * has them in this order: new ones come last.
 */
#define XENVBD_STATS(x) \
	x(oo_req)	/* passes that had to wait for pages or memory */ \
	x(rd_req)	/* reads */ \
	x(wr_req)	/* writes */ \
	x(f_req)	/* flushes and barriers */ \
	x(ds_req)	/* discards */ \
	x(rd_sect)	/* sectors (512 bytes) read */ \
	x(wr_sect)	/* sectors (512 bytes) written */ \
	x(err_req)	/* requests refused, and requests the disk failed */ \
	x(passes)	/* passes over the ring that found work */ \
	x(answers)	/* requests that completions answered, without the thread */ \
	x(events)	/* event channel interrupts */ \
	x(notifies)	/* events sent to the frontend */ \
	x(map_ops)	/* grants mapped */ \
	x(map_calls)	/* hypercalls that mapped grants */ \
	x(unmap_calls)	/* hypercalls that unmapped grants */ \
	x(copy_ops)	/* grants that data was copied from or to */ \
	x(copy_calls)	/* hypercalls that copied from or to grants */ \
	x(polls_hit)	/* times that work came while the ring polled */ \
	x(polls_missed)	/* times that none came */ \
	x(squeezes)	/* times that a ring gave back unused pages for lack of memory */ \
	x(unaligned)	/* requests that were not whole blocks of the disk */ \
	x(no_pages)	/* times that there was no page to map a request to */

struct xenvbd_stats {
#define XENVBD_STAT_MEMBER(name) u64 name;
	XENVBD_STATS(XENVBD_STAT_MEMBER)
#undef XENVBD_STAT_MEMBER
};

/*
 * One writer: the owner of the ring, or nobody. WRITE_ONCE() keeps readers
 * on 64-bit machines from seeing half a value.
 */
static inline void xenvbd_stat_add(u64 *counter, u64 n)
{
	WRITE_ONCE(*counter, *counter + n);
}

static inline void xenvbd_stat_inc(u64 *counter)
{
	xenvbd_stat_add(counter, 1);
}

/**
 * xenvbd_stats_count - count a request
 * @stats: the ring's
 * @op: BLKIF_OP_*, a good one
 * @nr_sects: sectors of data
 */
static inline void xenvbd_stats_count(struct xenvbd_stats *stats, u8 op, u64 nr_sects)
{
	switch (op) {
	case BLKIF_OP_READ:
		xenvbd_stat_inc(&stats->rd_req);
		xenvbd_stat_add(&stats->rd_sect, nr_sects);
		break;
	case BLKIF_OP_FLUSH_DISKCACHE:
	case BLKIF_OP_WRITE_BARRIER:
		xenvbd_stat_inc(&stats->f_req);
		xenvbd_stat_add(&stats->wr_sect, nr_sects);
		break;
	case BLKIF_OP_DISCARD:
		xenvbd_stat_inc(&stats->ds_req);
		break;
	default:
		xenvbd_stat_inc(&stats->wr_req);
		xenvbd_stat_add(&stats->wr_sect, nr_sects);
		break;
	}
}

/**
 * xenvbd_stats_add - add one set of counters to another
 * @sum: added to
 * @part: may be written at the same time
 */
static inline void xenvbd_stats_add(struct xenvbd_stats *sum,
				    const struct xenvbd_stats *part)
{
#define XENVBD_STAT_ADD(name) sum->name += READ_ONCE(part->name);
	XENVBD_STATS(XENVBD_STAT_ADD)
#undef XENVBD_STAT_ADD
}

#endif /* XENVBD_STATS_H */
