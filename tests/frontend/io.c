// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests in flight: each is put into a ring with a new id, and its response
 * is found by that id and compared with what was expected.
 */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

/**
 * fe_io_now_us() - monotonic time in microseconds
 */
uint64_t fe_io_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

/**
 * fe_io_spec_init() - a plain request: defaults for all fields
 */
void fe_io_spec_init(struct fe_io_spec *spec, uint8_t op)
{
	memset(spec, 0, offsetof(struct fe_io_spec, ranges));
	spec->op = op;
	spec->nr_segs = -1;
	spec->pattern = -1;
	spec->status = FE_OKAY;
}

/**
 * fe_io_spec_full() - let the segments of a request cover whole pages
 * @spec: request
 * @nr_sectors: length; the last segment may be shorter than a page
 */
void fe_io_spec_full(struct fe_io_spec *spec, unsigned int nr_sectors)
{
	spec->nr_ranges = 0;
	while (nr_sectors && spec->nr_ranges < FE_MAX_INDIRECT_SEGS) {
		unsigned int n = nr_sectors < FE_SECTORS_PER_PAGE ?
				 nr_sectors : FE_SECTORS_PER_PAGE;

		spec->ranges[spec->nr_ranges].first = 0;
		spec->ranges[spec->nr_ranges++].last = (uint8_t)(n - 1);
		nr_sectors -= n;
	}
}

/* Of data that was not written nobody may say "not supported". */
static int barrier_status(const struct fe_io_ctx *ctx,
			  const struct fe_io_spec *spec)
{
	bool data = spec->nr_segs < 0 ? spec->nr_ranges > 0 : spec->nr_segs > 0;

	if (ctx->features.barrier)
		return FE_OKAY;
	return data ? FE_ERROR : FE_EOPNOTSUPP;
}

/* What a conforming backend answers to a well-formed request. */
static int auto_status(const struct fe_io_ctx *ctx,
		       const struct fe_io_spec *spec)
{
	switch (spec->op) {
	case FE_OP_READ:
	case FE_OP_FLUSH:
		return FE_OKAY;
	case FE_OP_WRITE:
		return ctx->read_only ? FE_ERROR : FE_OKAY;
	case FE_OP_BARRIER:
		return barrier_status(ctx, spec);
	case FE_OP_DISCARD:
		if (!ctx->features.discard)
			return FE_EOPNOTSUPP;
		return ctx->read_only ? FE_ERROR : FE_OKAY;
	case FE_OP_INDIRECT:
		if (!ctx->features.max_indirect)
			return FE_EOPNOTSUPP;
		return ctx->read_only && spec->inner_op != FE_OP_READ ?
		       FE_ERROR : FE_OKAY;
	default:
		return FE_EOPNOTSUPP;
	}
}

static void classify(struct fe_io *io, const struct fe_io_spec *spec)
{
	uint8_t op = spec->op == FE_OP_INDIRECT ? spec->inner_op : spec->op;

	io->op = spec->op;
	io->inner_op = spec->inner_op;
	io->is_read = op == FE_OP_READ;
	io->is_write = op == FE_OP_WRITE || op == FE_OP_BARRIER ||
		       op == FE_OP_FLUSH;
	io->sector = spec->sector;
	if (spec->op == FE_OP_DISCARD)
		io->nr_sectors = spec->nr_sectors;
}

static void encode(struct fe_io_ctx *ctx, const struct fe_io *io,
		   const struct fe_io_spec *spec, uint8_t *slot)
{
	struct fe_wire_req req = {
		.op = spec->op, .inner_op = spec->inner_op,
		.flag = spec->flag, .handle = spec->handle, .id = io->id,
		.sector = spec->sector, .nr_sectors = spec->nr_sectors,
	};
	unsigned int i;

	req.nr_segs = spec->nr_segs < 0 ? (uint16_t)spec->nr_ranges :
		      (uint16_t)spec->nr_segs;
	if (spec->op == FE_OP_INDIRECT) {
		req.nr_indirect = io->nr_indirect;
		for (i = 0; i < io->nr_indirect; i++)
			req.indirect[i] = io->refs[io->nr_ranges + i];
		if (spec->has_desc)
			req.indirect[0] = spec->desc;
	} else {
		req.nr_wire_segs = io->nr_ranges < FE_MAX_DIRECT_SEGS ?
				   io->nr_ranges : FE_MAX_DIRECT_SEGS;
		for (i = 0; i < req.nr_wire_segs; i++) {
			req.segs[i].gref = spec->has_gref ? spec->gref :
					   io->refs[i];
			req.segs[i].first = io->ranges[i].first;
			req.segs[i].last = io->ranges[i].last;
		}
	}
	/* Garbage in all bytes that are no field: they must not matter. */
	fe_fill(slot, FE_MAX_SLOT_SIZE, fe_random(&ctx->seed));
	fe_abi_encode(io->ring->abi, &req, slot);
}

/**
 * fe_io_submit() - put a request into its ring, without pushing it
 * @ctx: I/O context
 * @spec: the request
 *
 * A full ring is pushed and waited for.
 *
 * Return: 0, or -errno after reporting a failure.
 */
int fe_io_submit(struct fe_io_ctx *ctx, const struct fe_io_spec *spec)
{
	uint8_t slot[FE_MAX_SLOT_SIZE];
	struct fe_ring *ring;
	struct fe_io *io;
	int err;

	if (spec->queue >= ctx->nr_rings || !ctx->rings[spec->queue].sring) {
		fe_fail("queue %u does not exist", spec->queue);
		return -ENODEV;
	}
	ring = &ctx->rings[spec->queue];
	if (!fe_ring_room(ring)) {
		fe_io_push(ctx, FE_NOTIFY_AUTO);
		while (!fe_ring_room(ring))
			if (!fe_io_wait(ctx, ctx->nr_outstanding - 1))
				return -ETIMEDOUT;
	}
	io = calloc(1, sizeof(*io));
	if (!io)
		return -ENOMEM;
	io->ring = ring;
	io->id = spec->has_id ? spec->id : fe_random(&ctx->seed);
	io->status = spec->status == FE_STATUS_AUTO ? auto_status(ctx, spec) :
		     spec->status;
	classify(io, spec);
	err = fe_iobuf_get(ctx, io, spec);
	if (err) {
		fe_fail("cannot grant %u pages: %s", io->nr_pages,
			strerror(-err));
		fe_iobuf_put(ctx, io, false);
		free(io);
		return err;
	}
	encode(ctx, io, spec, slot);
	fe_ring_put(ring, slot);
	io->next = ctx->outstanding;
	ctx->outstanding = io;
	ctx->nr_outstanding++;
	ctx->stat.requests++;
	return 0;
}

/**
 * fe_io_push() - show all submitted requests to the backend
 */
void fe_io_push(struct fe_io_ctx *ctx, enum fe_notify notify)
{
	unsigned int i;

	for (i = 0; i < ctx->nr_rings; i++)
		if (ctx->rings[i].sring &&
		    ctx->rings[i].req_prod_pvt != ctx->rings[i].req_pushed)
			fe_ring_push(&ctx->rings[i], notify);
}

static struct fe_io *find(struct fe_io_ctx *ctx, struct fe_ring *ring,
			  uint64_t id)
{
	struct fe_io **p;

	for (p = &ctx->outstanding; *p; p = &(*p)->next) {
		struct fe_io *io = *p;

		if (io->ring == ring && io->id == id) {
			*p = io->next;
			ctx->nr_outstanding--;
			return io;
		}
	}
	return NULL;
}

static bool op_ok(const struct fe_io *io, const struct fe_wire_rsp *rsp)
{
	if (io->op != FE_OP_INDIRECT)
		return rsp->op == io->op;
	/* The inner op is echoed; a backend which refuses may know op 6 only. */
	return rsp->op == io->inner_op ||
	       (rsp->status == FE_EOPNOTSUPP && rsp->op == FE_OP_INDIRECT) ||
	       (io->inner_op > FE_OP_WRITE && rsp->op == FE_OP_INDIRECT);
}

static void complete(struct fe_io_ctx *ctx, struct fe_io *io,
		     const struct fe_wire_rsp *rsp)
{
	io->got_status = rsp->status;
	ctx->last_status = rsp->status;
	if (!op_ok(io, rsp))
		fe_fail("request op %u (inner %u) answered with op %u", io->op,
			io->inner_op, rsp->op);
	switch (rsp->status) {
	case FE_OKAY:
		ctx->stat.okay++;
		ctx->stat.bytes += io->nr_sectors * FE_SECTOR_SIZE;
		break;
	case FE_ERROR:
		ctx->stat.error++;
		break;
	case FE_EOPNOTSUPP:
		ctx->stat.notsupp++;
		break;
	default:
		fe_fail("status %d is none the protocol knows", rsp->status);
	}
	if (io->status != FE_STATUS_ANY && io->status != rsp->status)
		fe_fail("op %u sector %llu, %u segments: status %d, expected %d",
			io->op, (unsigned long long)io->sector, io->nr_ranges,
			rsp->status, io->status);
	if (!io->ring->loose)
		fe_iobuf_verify(ctx, io);
	else if (io->is_write)
		fe_shadow_forget(&ctx->shadow, 0, UINT64_MAX);
	fe_iobuf_put(ctx, io, true);
	free(io);
}

/**
 * fe_io_collect() - take all responses that are there, without waiting
 *
 * Return: number of responses taken.
 */
unsigned int fe_io_collect(struct fe_io_ctx *ctx)
{
	struct fe_wire_rsp rsp;
	unsigned int nr = 0;
	unsigned int i;

	for (i = 0; i < ctx->nr_rings; i++) {
		struct fe_ring *ring = &ctx->rings[i];

		while (ring->sring && fe_ring_take(ring, &rsp)) {
			struct fe_io *io = find(ctx, ring, rsp.id);

			nr++;
			if (io)
				complete(ctx, io, &rsp);
			else if (!ring->loose)
				fe_fail("ring %u: response with id %#llx, op %u, status %d answers no outstanding request",
					ring->index, (unsigned long long)rsp.id,
					rsp.op, rsp.status);
			else if (nr > ring->nr_entries)
				break;
		}
	}
	return nr;
}

/**
 * fe_io_wait_event() - sleep until an event channel fires
 *
 * Return: false on timeout.
 */
bool fe_io_wait_event(struct fe_io_ctx *ctx, unsigned int timeout_ms)
{
	struct pollfd pfd = {
		.fd = xenevtchn_fd(ctx->evtchn), .events = POLLIN,
	};
	unsigned int i;
	int port;

	if (poll(&pfd, 1, (int)timeout_ms) <= 0)
		return false;
	port = xenevtchn_pending(ctx->evtchn);
	if (port < 0)
		return false;
	xenevtchn_unmask(ctx->evtchn, (evtchn_port_t)port);
	for (i = 0; i < ctx->nr_rings; i++)
		if (ctx->rings[i].port == (evtchn_port_t)port)
			ctx->rings[i].nr_events++;
	return true;
}

static bool arm_all(struct fe_io_ctx *ctx)
{
	bool more = false;
	unsigned int i;

	for (i = 0; i < ctx->nr_rings; i++)
		if (ctx->rings[i].sring && !ctx->rings[i].broken)
			more |= fe_ring_arm(&ctx->rings[i]);
	return more;
}

/**
 * fe_io_wait() - wait until few requests are left unanswered
 * @ctx: I/O context
 * @at_most: how many may be left
 *
 * The time-out restarts with each response. After a time-out the unanswered
 * requests are given up: their pages stay granted until the rings are freed.
 *
 * Return: false on timeout, which is reported as a failure.
 */
bool fe_io_wait(struct fe_io_ctx *ctx, unsigned int at_most)
{
	uint64_t end = fe_io_now_us() + ctx->timeout_ms * 1000ull;

	for (;;) {
		uint64_t now;

		if (fe_io_collect(ctx))
			end = fe_io_now_us() + ctx->timeout_ms * 1000ull;
		if (ctx->nr_outstanding <= at_most)
			return true;
		if (arm_all(ctx))
			continue;
		now = fe_io_now_us();
		if (now < end) {
			fe_io_wait_event(ctx, (unsigned int)((end - now) /
							     1000 + 1));
			continue;
		}
		if (fe_io_collect(ctx)) {
			fe_fail("responses came without an event: lost notification");
			continue;
		}
		fe_fail("no response to %u requests in %u ms",
			ctx->nr_outstanding, ctx->timeout_ms);
		fe_io_abandon(ctx);
		return false;
	}
}

/**
 * fe_io_abandon() - do not wait for the outstanding requests any longer
 *
 * Their pages may still be in use by the backend; fe_io_free_lost() ends
 * their grants once the backend is gone.
 */
void fe_io_abandon(struct fe_io_ctx *ctx)
{
	struct fe_io *io;

	while ((io = ctx->outstanding)) {
		ctx->outstanding = io->next;
		if (io->is_write)
			fe_shadow_forget(&ctx->shadow, io->sector,
					 io->nr_sectors);
		io->next = ctx->lost;
		ctx->lost = io;
	}
	ctx->nr_outstanding = 0;
}

/**
 * fe_io_free_lost() - free abandoned requests after the rings are gone
 */
void fe_io_free_lost(struct fe_io_ctx *ctx)
{
	struct fe_io *io;

	while ((io = ctx->lost)) {
		ctx->lost = io->next;
		fe_iobuf_put(ctx, io, false);
		free(io);
	}
}
