// SPDX-License-Identifier: GPL-2.0-only
/* Commands that go through all values of a field, and random I/O. */
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static struct fe_io_spec spec;

struct range_lock {
	uint64_t sector;
	uint64_t nr;
};

/* Values that matter for a byte, if there is no time for all 256. */
static const uint8_t edge_values[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 31, 32, 63, 64, 127, 128, 129,
	254, 255,
};

static unsigned int byte_values(struct fe_args *args, uint8_t *out)
{
	const char *which = fe_arg(args, "values");
	unsigned int i;

	if (which && !strcmp(which, "edge")) {
		memcpy(out, edge_values, sizeof(edge_values));
		return sizeof(edge_values);
	}
	for (i = 0; i < 256; i++)
		out[i] = (uint8_t)i;
	return 256;
}

static bool submit(struct fe *fe)
{
	/* Nothing is to be learnt from the ten thousandth failure. */
	return fe_failures() < 50 && !fe_io_submit(&fe->io, &spec);
}

static void finish(struct fe *fe)
{
	fe_io_push(&fe->io, FE_NOTIFY_AUTO);
	fe_io_wait(&fe->io, 0);
}

static uint8_t op_arg(struct fe_args *args, uint8_t absent)
{
	const char *op = fe_arg(args, "op");

	if (op && !strcmp(op, "read"))
		return FE_OP_READ;
	if (op && !strcmp(op, "write"))
		return FE_OP_WRITE;
	if (op && !strcmp(op, "flush"))
		return FE_OP_FLUSH;
	if (op && !strcmp(op, "barrier"))
		return FE_OP_BARRIER;
	return (uint8_t)fe_arg_num(args, "op", absent);
}

/* A read or write with the same segment in each position but one. */
static void sweep_sects_at(struct fe *fe, const uint8_t *values,
			   unsigned int nr, unsigned int pos, int good)
{
	unsigned int f, l;

	for (f = 0; f < nr; f++) {
		for (l = 0; l < nr; l++) {
			bool ok = values[f] <= values[l] && values[l] < 8;

			spec.ranges[pos].first = values[f];
			spec.ranges[pos].last = values[l];
			spec.status = ok ? good : FE_ERROR;
			/* Writes in flight must not overlap. */
			spec.sector = spec.sector + 8 * spec.nr_ranges <
				      fe->io.features.sectors / 2 ?
				      spec.sector + 8 * spec.nr_ranges : 0;
			if (!submit(fe))
				return;
		}
	}
}

static void cmd_sweep_sects(struct fe *fe, struct fe_args *args)
{
	uint8_t values[256];
	unsigned int nr = byte_values(args, values);
	unsigned int segs, pos, i;
	int good;

	fe_io_spec_init(&spec, op_arg(args, FE_OP_READ));
	spec.grants = FE_GRANTS_POOL;
	segs = (unsigned int)fe_arg_num(args, "nseg", 1);
	pos = (unsigned int)fe_arg_num(args, "at", segs - 1);
	if (!segs || segs > FE_MAX_DIRECT_SEGS || pos >= segs) {
		fe_fail("nseg is 1..%u, at is below nseg", FE_MAX_DIRECT_SEGS);
		return;
	}
	good = spec.op != FE_OP_READ && fe->io.read_only ? FE_ERROR : FE_OKAY;
	if (spec.op == FE_OP_BARRIER && !fe->io.features.barrier) {
		fe_note("no feature-barrier: nothing to sweep");
		return;
	}
	spec.nr_ranges = segs;
	for (i = 0; i < segs; i++) {
		spec.ranges[i].first = 0;
		spec.ranges[i].last = 7;
	}
	sweep_sects_at(fe, values, nr, pos, good);
	finish(fe);
}

/* nr_segments 0..255; slots hold eleven good segments whatever it says. */
static void cmd_sweep_nsegs(struct fe *fe, struct fe_args *args)
{
	uint8_t op = op_arg(args, FE_OP_READ);
	bool write = op != FE_OP_READ;
	uint64_t base = fe_arg_num(args, "sector", 0);
	unsigned int i, n;

	for (n = 0; n < 256; n++) {
		fe_io_spec_init(&spec, op);
		spec.grants = FE_GRANTS_POOL;
		spec.nr_segs = (int)n;
		spec.nr_ranges = n && n < FE_MAX_DIRECT_SEGS ? n :
				 FE_MAX_DIRECT_SEGS;
		for (i = 0; i < spec.nr_ranges; i++)
			spec.ranges[i] = (struct fe_range){ 0, 7 };
		spec.sector = base + n % 16 * 88;
		spec.status = n > FE_MAX_DIRECT_SEGS ||
			      (!n && op != FE_OP_FLUSH && op != FE_OP_BARRIER) ||
			      (write && fe->io.read_only && n) ? FE_ERROR :
			      FE_OKAY;
		if (!n && spec.status == FE_OKAY)
			spec.nr_ranges = 0;
		if (op == FE_OP_BARRIER && !fe->io.features.barrier)
			spec.status = n ? FE_ERROR : FE_EOPNOTSUPP;
		if (!submit(fe))
			break;
		/* The next round uses the same sectors. */
		if (write && n % 16 == 15)
			finish(fe);
	}
	finish(fe);
}

/* All 256 opcodes, as a request of one page. */
static void cmd_sweep_ops(struct fe *fe, struct fe_args *args)
{
	uint64_t sector = fe_arg_num(args, "sector", 0);
	unsigned int op;

	for (op = 0; op < 256; op++) {
		/* Their fields lie elsewhere: other commands try them. */
		if ((op == FE_OP_DISCARD && fe->io.features.discard) ||
		    (op == FE_OP_INDIRECT && fe->io.features.max_indirect))
			continue;
		fe_io_spec_init(&spec, (uint8_t)op);
		fe_io_spec_full(&spec, 8);
		spec.sector = sector + op * 8 % 64;
		spec.status = FE_STATUS_AUTO;
		/* A flush that carries data is a write. */
		if (op == FE_OP_FLUSH && fe->io.read_only)
			spec.status = FE_ERROR;
		if (op == FE_OP_BARRIER && fe->io.read_only &&
		    fe->io.features.barrier)
			spec.status = FE_ERROR;
		if (!submit(fe))
			break;
	}
	finish(fe);
}

/* 1..11 segments, whole pages, then each first and last in turn. */
static void cmd_sweep_sizes(struct fe *fe, struct fe_args *args)
{
	uint8_t op = op_arg(args, FE_OP_READ);
	unsigned int n, f, l, i;

	for (n = 1; n <= FE_MAX_DIRECT_SEGS; n++) {
		for (f = 0; f < 8; f++) {
			for (l = f; l < 8; l++) {
				fe_io_spec_init(&spec, op);
				spec.grants = (f + l) & 1 ? FE_GRANTS_POOL :
					      FE_GRANTS_FRESH;
				spec.nr_ranges = n;
				for (i = 0; i < n; i++)
					spec.ranges[i] = (struct fe_range){
						(uint8_t)(i & 1 ? 0 : f),
						(uint8_t)(i & 1 ? 7 : l) };
				spec.sector = (f * 8 + l) * 88;
				spec.status = FE_STATUS_AUTO;
				if (!submit(fe))
					goto out;
			}
		}
		finish(fe);
	}
out:
	finish(fe);
}

/*
 * Read a range. What is known must be there; what is not is learnt, so that
 * the next scan finds whatever a refused request has written.
 */
static void cmd_scan(struct fe *fe, struct fe_args *args)
{
	uint64_t sector = fe_arg_num(args, "sector", 0);
	uint64_t nr = fe_arg_num(args, "n", fe->io.features.sectors - sector);
	const unsigned int max = FE_MAX_DIRECT_SEGS * FE_SECTORS_PER_PAGE;

	for (; nr; nr -= spec.nr_sectors, sector += spec.nr_sectors) {
		fe_io_spec_init(&spec, FE_OP_READ);
		spec.grants = FE_GRANTS_POOL;
		spec.sector = sector;
		spec.nr_sectors = nr < max ? nr : max;
		fe_io_spec_full(&spec, (unsigned int)spec.nr_sectors);
		if (!submit(fe))
			break;
	}
	finish(fe);
}

static bool overlaps(const struct range_lock *locks, unsigned int nr,
		     uint64_t sector, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (sector < locks[i].sector + locks[i].nr &&
		    locks[i].sector < sector + len)
			return true;
	return false;
}

static unsigned int list_locks(struct fe *fe, struct range_lock *locks,
			       unsigned int max)
{
	struct fe_io *io;
	unsigned int n = 0;

	for (io = fe->io.outstanding; io && n < max; io = io->next)
		if (io->nr_sectors)
			locks[n++] = (struct range_lock){ io->sector,
							  io->nr_sectors };
	return n;
}

struct stress {
	uint64_t rng;
	uint64_t base;
	uint64_t area;
	unsigned int depth;
	unsigned int max_segs;
	unsigned int align;
	unsigned int flush_percent;
	unsigned int fresh_percent;
	unsigned int write_percent;
};

static uint64_t random_segs(struct stress *s, unsigned int max)
{
	unsigned int n = 1 + fe_below(&s->rng, max);
	uint64_t total = 0;
	unsigned int i;

	spec.nr_ranges = n;
	for (i = 0; i < n; i++) {
		unsigned int blocks = 8 / s->align;
		unsigned int f = fe_below(&s->rng, blocks);
		unsigned int l = f + fe_below(&s->rng, blocks - f);

		spec.ranges[i].first = (uint8_t)(f * s->align);
		spec.ranges[i].last = (uint8_t)((l + 1) * s->align - 1);
		total += (l + 1 - f) * s->align;
	}
	return total;
}

static void random_request(struct fe *fe, struct stress *s)
{
	static struct range_lock locks[FE_MAX_ENTRIES * FE_MAX_QUEUES];
	unsigned int max = s->max_segs;
	uint64_t len;
	bool write;

	if (fe_below(&s->rng, 100) < s->flush_percent) {
		fe_io_spec_init(&spec, FE_OP_FLUSH);
		spec.queue = fe_below(&s->rng, fe->io.nr_rings);
		return;
	}
	write = fe_below(&s->rng, 100) < s->write_percent;
	fe_io_spec_init(&spec, write ? FE_OP_WRITE : FE_OP_READ);
	if (max > FE_MAX_DIRECT_SEGS && !fe_below(&s->rng, 2)) {
		spec.inner_op = spec.op;
		spec.op = FE_OP_INDIRECT;
	} else if (max > FE_MAX_DIRECT_SEGS) {
		max = FE_MAX_DIRECT_SEGS;
	}
	spec.queue = fe_below(&s->rng, fe->io.nr_rings);
	spec.grants = fe_below(&s->rng, 100) < s->fresh_percent ? FE_GRANTS_FRESH :
		      FE_GRANTS_POOL;
	for (;;) {
		unsigned int nr = list_locks(fe, locks, FE_MAX_ENTRIES *
					     FE_MAX_QUEUES);
		unsigned int tries;

		for (tries = 0; tries < 20; tries++) {
			len = random_segs(s, max);
			spec.sector = s->base + fe_random(&s->rng) %
				      (s->area - len + 1);
			spec.sector -= spec.sector % s->align;
			if (!overlaps(locks, nr, spec.sector, len))
				return;
		}
		fe_io_push(&fe->io, FE_NOTIFY_AUTO);
		if (!nr || !fe_io_wait(&fe->io, fe->io.nr_outstanding - 1))
			return;
	}
}

/* For @count requests, or as long as there is @file; a look at it costs time. */
static bool goes_on(const char *file, unsigned long i, unsigned long count)
{
	static bool there;

	if (!file)
		return i < count;
	if (!(i % 64))
		there = !access(file, F_OK);
	return there;
}

static void cmd_stress(struct fe *fe, struct fe_args *args)
{
	unsigned long count = fe_arg_num(args, "count", 1000);
	struct stress s = {
		.rng = fe_arg_num(args, "seed", 1),
		.base = fe_arg_num(args, "sector", 0),
		.depth = (unsigned int)fe_arg_num(args, "depth", 32),
		.max_segs = (unsigned int)fe_arg_num(args, "maxsegs", 11),
		.flush_percent = (unsigned int)fe_arg_num(args, "flush", 2),
		.fresh_percent = (unsigned int)fe_arg_num(args, "fresh", 50),
		.write_percent = (unsigned int)fe_arg_num(args, "write", 50),
		.align = fe->io.features.sector_size / FE_SECTOR_SIZE,
	};
	unsigned int batch = (unsigned int)fe_arg_num(args, "batch", 4);
	const char *file = fe_arg(args, "while");
	unsigned long i;

	s.area = fe_arg_num(args, "area", fe->io.features.sectors - s.base);
	if (s.align < 1 || s.align > 8)
		s.align = 1;
	if (s.max_segs > FE_MAX_DIRECT_SEGS &&
	    s.max_segs > fe->io.features.max_indirect)
		s.max_segs = fe->io.features.max_indirect;
	if (s.max_segs < 1)
		s.max_segs = 1;
	if (s.area < s.max_segs * 8ull || !fe->io.nr_rings || !batch) {
		fe_fail("the disk is too small, or nothing is connected");
		return;
	}
	for (i = 0; goes_on(file, i, count) && !fe_failures(); i++) {
		random_request(fe, &s);
		if (!submit(fe))
			break;
		if (i % batch)
			continue;
		fe_io_push(&fe->io, FE_NOTIFY_AUTO);
		if (fe->io.nr_outstanding >= s.depth)
			fe_io_wait(&fe->io, s.depth / 2);
	}
	if (file)
		fe_note("%lu requests", i);
	finish(fe);
}

const struct fe_cmd fe_sweep_cmds[] = {
	{ "sweep-ops", true, cmd_sweep_ops, "[sector=0]" },
	{ "sweep-nsegs", true, cmd_sweep_nsegs, "[op=read|write|flush|barrier] [sector=0]" },
	{ "sweep-sects", true, cmd_sweep_sects, "[op=read] [nseg=1] [at=nseg-1] [values=full|edge]" },
	{ "sweep-sizes", true, cmd_sweep_sizes, "[op=read|write]" },
	{ "scan", true, cmd_scan, "[sector=0] [n=SECTORS]" },
	{ "stress", true, cmd_stress, "[seed=1] [count=1000|while=FILE] [depth=32] [batch=4] [maxsegs=11] [write=50] [flush=2] [fresh=50] [sector=0] [area=SECTORS]" },
	{ NULL, false, NULL, NULL },
};
