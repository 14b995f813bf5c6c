// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a request: granting, filling, verifying, letting go. */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static bool range_ok(const struct fe_range *r)
{
	return r->first <= r->last && r->last < FE_SECTORS_PER_PAGE;
}

static int get_pool(struct fe_io_ctx *ctx, struct fe_io *io)
{
	unsigned int i;

	io->pool_pages = calloc(io->nr_pages, sizeof(*io->pool_pages));
	if (!io->pool_pages)
		return -ENOMEM;
	for (i = 0; i < io->nr_pages; i++) {
		io->pool_pages[i] = fe_pool_get(&ctx->grants);
		if (!io->pool_pages[i])
			return -errno;
		io->va[i] = io->pool_pages[i]->va;
		io->refs[i] = io->pool_pages[i]->ref;
	}
	return 0;
}

static int get_fresh(struct fe_io_ctx *ctx, struct fe_io *io)
{
	/* A read must be able to write the page; else grant no more. */
	bool writable = io->is_read ||
			(ctx->use_persistent && ctx->features.persistent);
	unsigned int i;

	io->block = fe_grants_share(&ctx->grants, io->nr_pages, io->refs,
				    writable);
	if (!io->block)
		return -errno;
	for (i = 0; i < io->nr_pages; i++)
		io->va[i] = io->block + (size_t)i * FE_PAGE_SIZE;
	return 0;
}

/* Canary everywhere, then the data of a write into the named sectors. */
static void fill(struct fe_io_ctx *ctx, struct fe_io *io, int pattern)
{
	uint64_t sector = io->sector;
	unsigned int i, s;

	for (i = 0; i < io->nr_ranges; i++) {
		uint8_t *copy = io->copy + (size_t)i * FE_PAGE_SIZE;

		fe_fill(copy, FE_PAGE_SIZE, fe_random(&ctx->seed));
		if (io->is_write && range_ok(&io->ranges[i])) {
			for (s = io->ranges[i].first; s <= io->ranges[i].last;
			     s++)
				fe_shadow_make(&ctx->shadow, sector++, pattern,
					       copy + s * FE_SECTOR_SIZE);
		}
		memcpy(io->va[i], copy, FE_PAGE_SIZE);
	}
	io->nr_sectors = sector - io->sector;
}

static void count_sectors(struct fe_io *io)
{
	unsigned int i;

	io->nr_sectors = 0;
	for (i = 0; i < io->nr_ranges; i++)
		if (range_ok(&io->ranges[i]))
			io->nr_sectors += io->ranges[i].last -
					  io->ranges[i].first + 1;
}

static void fill_indirect(struct fe_io *io, const struct fe_io_spec *spec)
{
	unsigned int i;

	for (i = 0; i < io->nr_indirect; i++)
		memset(io->va[io->nr_ranges + i], 0xe5, FE_PAGE_SIZE);
	for (i = 0; i < io->nr_ranges; i++) {
		struct fe_wire_seg seg = {
			.gref = spec->has_gref ? spec->gref : io->refs[i],
			.first = spec->ranges[i].first,
			.last = spec->ranges[i].last,
		};
		uint8_t *page = io->va[io->nr_ranges + i / FE_SEGS_PER_PAGE];

		fe_abi_encode_seg(&seg, page + i % FE_SEGS_PER_PAGE *
				  FE_SEG_SIZE);
	}
}

/**
 * fe_iobuf_get() - grant and fill the pages of a request
 * @ctx: I/O context
 * @io: request with op, sector and ring set
 * @spec: what the script asked for
 *
 * Return: 0, or -errno; then fe_iobuf_put() is still to be called.
 */
int fe_iobuf_get(struct fe_io_ctx *ctx, struct fe_io *io,
		 const struct fe_io_spec *spec)
{
	int err;

	io->nr_ranges = spec->nr_ranges;
	if (io->op == FE_OP_INDIRECT)
		io->nr_indirect = io->nr_ranges ? (io->nr_ranges - 1) /
				  FE_SEGS_PER_PAGE + 1 : 1;
	io->nr_pages = io->nr_ranges + io->nr_indirect;
	if (!io->nr_pages)
		return 0;
	io->ranges = malloc(io->nr_pages * sizeof(*io->ranges));
	io->refs = calloc(io->nr_pages, sizeof(*io->refs));
	io->va = calloc(io->nr_pages, sizeof(*io->va));
	io->copy = malloc((size_t)io->nr_pages * FE_PAGE_SIZE);
	if (!io->ranges || !io->refs || !io->va || !io->copy)
		return -ENOMEM;
	memcpy(io->ranges, spec->ranges, io->nr_ranges * sizeof(*io->ranges));
	if (spec->grants == FE_GRANTS_POOL)
		err = get_pool(ctx, io);
	else
		err = get_fresh(ctx, io);
	if (err)
		return err;
	fill(ctx, io, spec->pattern);
	count_sectors(io);
	if (io->nr_indirect)
		fill_indirect(io, spec);
	return 0;
}

static void put_pool(struct fe_io_ctx *ctx, struct fe_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nr_pages; i++)
		if (io->pool_pages[i])
			fe_pool_put(&ctx->grants, io->pool_pages[i]);
	free(io->pool_pages);
}

/**
 * fe_iobuf_put() - end the grants of a request and free its memory
 * @ctx: I/O context
 * @io: request
 * @answered: the response is there, so the backend must have let go of the
 *	pages unless persistent grants were negotiated
 */
void fe_iobuf_put(struct fe_io_ctx *ctx, struct fe_io *io, bool answered)
{
	bool persistent = ctx->use_persistent && ctx->features.persistent;

	if (io->pool_pages)
		put_pool(ctx, io);
	if (io->block &&
	    !fe_grants_end(&ctx->grants, io->block, io->nr_pages, io->refs) &&
	    answered && !persistent && ctx->check_grants)
		fe_fail("request id %#llx: the backend still uses its grants after the response",
			(unsigned long long)io->id);
	free(io->copy);
	free(io->va);
	free(io->refs);
	free(io->ranges);
}

static void report_byte(const struct fe_io *io, unsigned int i,
			const char *what)
{
	const uint8_t *want = io->copy + (size_t)i * FE_PAGE_SIZE;
	const uint8_t *got = io->va[i];
	unsigned int b = 0;

	while (b < FE_PAGE_SIZE - 1 && want[b] == got[b])
		b++;
	fe_fail("request id %#llx segment %u (sectors %u-%u): byte %u of the page %s (0x%02x, was 0x%02x)",
		(unsigned long long)io->id, i, io->ranges[i].first,
		io->ranges[i].last, b, what, got[b], want[b]);
}

/* Everything but the named sectors must be as we left it. */
static void verify_canary(struct fe_io *io, unsigned int i)
{
	uint8_t *want = io->copy + (size_t)i * FE_PAGE_SIZE;
	struct fe_range *r = &io->ranges[i];

	if (io->is_read && io->got_status == FE_OKAY && range_ok(r))
		memcpy(want + r->first * FE_SECTOR_SIZE,
		       io->va[i] + r->first * FE_SECTOR_SIZE,
		       (r->last - r->first + 1) * FE_SECTOR_SIZE);
	if (memcmp(want, io->va[i], FE_PAGE_SIZE))
		report_byte(io, i, io->got_status ?
			    "changed although the request failed" :
			    "changed outside of what was asked for");
}

static void verify_read(struct fe_io_ctx *ctx, struct fe_io *io)
{
	uint64_t sector = io->sector;
	unsigned int i, s;
	int at;

	for (i = 0; i < io->nr_ranges; i++) {
		for (s = io->ranges[i].first; s <= io->ranges[i].last;
		     s++, sector++) {
			at = fe_shadow_check(&ctx->shadow, sector, io->va[i] +
					     s * FE_SECTOR_SIZE);
			if (at >= 0)
				fe_fail("request id %#llx: sector %llu read back wrong at byte %d",
					(unsigned long long)io->id,
					(unsigned long long)sector, at);
		}
	}
}

static void store_write(struct fe_io_ctx *ctx, struct fe_io *io)
{
	uint64_t sector = io->sector;
	unsigned int i, s;

	for (i = 0; i < io->nr_ranges; i++)
		for (s = io->ranges[i].first; s <= io->ranges[i].last; s++)
			fe_shadow_store(&ctx->shadow, sector++, io->copy +
					(size_t)i * FE_PAGE_SIZE +
					s * FE_SECTOR_SIZE);
}

/**
 * fe_iobuf_verify() - check the pages of an answered request
 *
 * Also keeps the shadow of the disk up to date.
 */
void fe_iobuf_verify(struct fe_io_ctx *ctx, struct fe_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nr_ranges; i++)
		verify_canary(io, i);
	if (io->op == FE_OP_DISCARD && io->got_status == FE_OKAY)
		fe_shadow_forget(&ctx->shadow, io->sector, io->nr_sectors);
	for (i = 0; i < io->nr_ranges; i++)
		if (!range_ok(&io->ranges[i]))
			return;
	if (io->got_status == FE_OKAY && io->is_read)
		verify_read(ctx, io);
	if (io->got_status == FE_OKAY && io->is_write)
		store_write(ctx, io);
	/* An error that was not asked for may have written some of it. */
	if (io->got_status && io->got_status != io->status && io->is_write)
		fe_shadow_forget(&ctx->shadow, io->sector, io->nr_sectors);
}
