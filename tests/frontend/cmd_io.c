// SPDX-License-Identifier: GPL-2.0-only
/* Commands that send requests one by one or in batches. */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static struct fe_io_spec spec;

/* "0-7,3-4", "11x0-7" (eleven times), "none" */
static bool parse_segs(const char *text, struct fe_io_spec *out)
{
	out->nr_ranges = 0;
	if (!strcmp(text, "none"))
		return true;
	while (*text) {
		unsigned long count = 1;
		unsigned long first, last;
		char *p;

		first = strtoul(text, &p, 0);
		if (p > text && *p == 'x') {
			count = first;
			text = p + 1;
			first = strtoul(text, &p, 0);
		}
		last = first;
		if (*p == '-')
			last = strtoul(p + 1, &p, 0);
		if (p == text || first > 255 || last > 255 ||
		    out->nr_ranges + count > FE_MAX_INDIRECT_SEGS)
			return false;
		while (count--) {
			out->ranges[out->nr_ranges].first = (uint8_t)first;
			out->ranges[out->nr_ranges++].last = (uint8_t)last;
		}
		text = p + (*p == ',');
		if (*p && *p != ',')
			return false;
	}
	return true;
}

static void parse_status(struct fe_args *args, struct fe_io_spec *out)
{
	const char *status = fe_arg(args, "status");

	if (!status)
		return;
	if (!strcmp(status, "any"))
		out->status = FE_STATUS_ANY;
	else if (!strcmp(status, "auto"))
		out->status = FE_STATUS_AUTO;
	else
		out->status = atoi(status);
}

/* How many segments to send if the line does not say. */
static unsigned int default_sectors(uint8_t op)
{
	switch (op) {
	case FE_OP_READ:
	case FE_OP_WRITE:
	case FE_OP_INDIRECT:
		return FE_SECTORS_PER_PAGE;
	default:
		return 0;
	}
}

static void parse_spec(struct fe_args *args, uint8_t op,
		       struct fe_io_spec *out)
{
	const char *segs, *text;

	fe_io_spec_init(out, (uint8_t)fe_arg_num(args, "op", op));
	out->inner_op = (uint8_t)fe_arg_num(args, "inner", 0);
	out->flag = (uint8_t)fe_arg_num(args, "flag", 0);
	out->handle = (uint16_t)fe_arg_num(args, "handle", 0);
	out->nr_segs = (int)fe_arg_num(args, "nseg", (uint64_t)-1);
	out->sector = fe_arg_num(args, "sector", 0);
	out->nr_sectors = fe_arg_num(args, "nr", 0);
	out->queue = (unsigned int)fe_arg_num(args, "queue", 0);
	out->pattern = (int)fe_arg_num(args, "pattern", (uint64_t)-1);
	out->has_gref = fe_arg(args, "gref");
	out->gref = (uint32_t)fe_arg_num(args, "gref", 0);
	out->has_desc = fe_arg(args, "desc");
	out->desc = (uint32_t)fe_arg_num(args, "desc", 0);
	out->has_id = fe_arg(args, "id");
	out->id = fe_arg_num(args, "id", 0);
	text = fe_arg(args, "grants");
	if (text && !strcmp(text, "pool"))
		out->grants = FE_GRANTS_POOL;
	segs = fe_arg(args, "segs");
	if (!segs)
		fe_io_spec_full(out, (unsigned int)fe_arg_num(args, "n",
						default_sectors(out->op)));
	else if (!parse_segs(segs, out))
		fe_fail("segs=%s: FIRST-LAST,... or COUNTxFIRST-LAST", segs);
	parse_status(args, out);
}

static void run_request(struct fe *fe, struct fe_args *args, uint8_t op)
{
	parse_spec(args, op, &spec);
	if (args->nr_pos && !strcmp(args->pos[0], "queued")) {
		fe_io_submit(&fe->io, &spec);
		return;
	}
	if (!fe_io_submit(&fe->io, &spec)) {
		fe_io_push(&fe->io, FE_NOTIFY_AUTO);
		fe_io_wait(&fe->io, 0);
	}
}

static void cmd_read(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_READ);
}

static void cmd_write(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_WRITE);
}

static void cmd_flush(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_FLUSH);
}

static void cmd_barrier(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_BARRIER);
}

static void cmd_discard(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_DISCARD);
}

static void cmd_indirect(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, FE_OP_INDIRECT);
}

static void cmd_raw(struct fe *fe, struct fe_args *args)
{
	run_request(fe, args, 0xff);
}

static void cmd_push(struct fe *fe, struct fe_args *args)
{
	const char *notify = fe_arg(args, "notify");

	fe_io_push(&fe->io, !notify || !strcmp(notify, "auto") ?
		   FE_NOTIFY_AUTO : !strcmp(notify, "always") ?
		   FE_NOTIFY_ALWAYS : FE_NOTIFY_NEVER);
}

static void cmd_wait(struct fe *fe, struct fe_args *args)
{
	fe_io_wait(&fe->io, (unsigned int)fe_arg_num(args, "left", 0));
}

static void cmd_abandon(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_io_abandon(&fe->io);
}

static void cmd_expect(struct fe *fe, struct fe_args *args)
{
	int status = (int)fe_arg_num(args, "status", FE_STATUS_ANY);

	if (status != FE_STATUS_ANY && status != fe->io.last_status)
		fe_fail("last status was %d, expected %d", fe->io.last_status,
			status);
}

static void cmd_no_response(struct fe *fe, struct fe_args *args)
{
	uint64_t end = fe_io_now_us() + fe_arg_num(args, "ms", 500) * 1000;
	uint32_t before[FE_MAX_QUEUES];
	uint64_t now;
	unsigned int i;

	for (i = 0; i < fe->io.nr_rings; i++)
		before[i] = fe->io.rings[i].rsp_cons;
	while ((now = fe_io_now_us()) < end)
		fe_io_wait_event(&fe->io, (unsigned int)((end - now) / 1000 +
							 1));
	for (i = 0; i < fe->io.nr_rings; i++) {
		uint32_t prod = fe_ring_get(&fe->io.rings[i],
					    FE_RING_RSP_PROD);

		if (prod != before[i])
			fe_fail("ring %u: rsp_prod is %u, expected %u", i,
				prod, before[i]);
	}
}

static void cmd_stat(struct fe *fe, struct fe_args *args)
{
	struct fe_iostat *s = &fe->io.stat;
	unsigned int i;

	(void)args;
	fe_note("%llu requests: %llu ok, %llu error, %llu not supported; %llu bytes",
		s->requests, s->okay, s->error, s->notsupp, s->bytes);
	for (i = 0; i < fe->io.nr_rings; i++)
		fe_note("ring %u: %lu events sent, %lu suppressed, %lu received",
			i, fe->io.rings[i].nr_notified,
			fe->io.rings[i].nr_suppressed,
			fe->io.rings[i].nr_events);
}

#define REQUEST_USAGE "[queued] [sector=0] [n=SECTORS | segs=FIRST-LAST,...|CNTxFIRST-LAST|none] [nseg=N] [status=0|-1|-2|any|auto] [pattern=BYTE] [grants=fresh|pool] [gref=N] [id=N] [handle=N] [queue=0]"

const struct fe_cmd fe_io_cmds[] = {
	{ "read", true, cmd_read, REQUEST_USAGE },
	{ "write", true, cmd_write, REQUEST_USAGE },
	{ "flush", true, cmd_flush, REQUEST_USAGE },
	{ "barrier", true, cmd_barrier, REQUEST_USAGE },
	{ "discard", true, cmd_discard, "[queued] [sector=0] [nr=SECTORS] [flag=0] [status=...]" },
	{ "indirect", true, cmd_indirect, REQUEST_USAGE " [inner=0] [desc=N]" },
	{ "raw", true, cmd_raw, "op=N " REQUEST_USAGE " [inner=N] [flag=N] [nr=N]" },
	{ "push", false, cmd_push, "[notify=auto|always|never]" },
	{ "wait", true, cmd_wait, "[left=0]" },
	{ "abandon", false, cmd_abandon, "" },
	{ "expect", true, cmd_expect, "status=N" },
	{ "no-response", true, cmd_no_response, "[ms=500]" },
	{ "stat", false, cmd_stat, "" },
	{ NULL, false, NULL, NULL },
};
