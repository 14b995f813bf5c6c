/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests: build, submit, match with the response, verify all data.
 */
#ifndef BLKFE_IO_H
#define BLKFE_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "pages.h"
#include "ring.h"
#include "shadow.h"

#define FE_MAX_QUEUES		16u
/* Expected status: whatever comes, or what the feature nodes promise. */
#define FE_STATUS_ANY		100
#define FE_STATUS_AUTO		101

enum fe_grant_mode {
	FE_GRANTS_FRESH,
	FE_GRANTS_POOL,
};

struct fe_range {
	uint8_t first;
	uint8_t last;
};

/* What a script wants to send. */
struct fe_io_spec {
	uint8_t op;
	uint8_t inner_op;
	uint8_t flag;
	uint16_t handle;
	/* -1: as many as there are ranges */
	int nr_segs;
	int status;
	/* fill byte of written data, -1: unique content */
	int pattern;
	bool has_gref;
	bool has_id;
	/* of the first descriptor page of an INDIRECT request */
	bool has_desc;
	uint32_t gref;
	uint32_t desc;
	uint64_t id;
	uint64_t sector;
	uint64_t nr_sectors;
	unsigned int queue;
	enum fe_grant_mode grants;
	unsigned int nr_ranges;
	struct fe_range ranges[FE_MAX_INDIRECT_SEGS];
};

/* A request that waits for its response. */
struct fe_io {
	struct fe_io *next;
	struct fe_ring *ring;
	uint64_t id;
	uint8_t op;
	uint8_t inner_op;
	bool is_read;
	bool is_write;
	/* the backend may use the page addresses for data at all */
	bool pages_valid;
	int status;
	int got_status;
	uint64_t sector;
	uint64_t nr_sectors;
	unsigned int nr_ranges;
	struct fe_range *ranges;
	/* what the pages must hold; for reads outside of the ranges only */
	uint8_t *copy;
	/* fresh grants: one block of pages; pool: one by one */
	uint8_t *block;
	uint32_t *refs;
	uint8_t **va;
	struct fe_page **pool_pages;
	unsigned int nr_pages;
	unsigned int nr_indirect;
};

struct fe_features {
	bool barrier;
	bool flush;
	bool discard;
	bool persistent;
	unsigned int max_indirect;
	uint64_t sectors;
	unsigned int sector_size;
};

struct fe_iostat {
	unsigned long long requests;
	unsigned long long okay;
	unsigned long long error;
	unsigned long long notsupp;
	unsigned long long bytes;
};

/* All that is needed to do I/O on connected rings. */
struct fe_io_ctx {
	struct fe_ring rings[FE_MAX_QUEUES];
	unsigned int nr_rings;
	struct fe_grants grants;
	xenevtchn_handle *evtchn;
	struct fe_shadow shadow;
	struct fe_features features;
	struct fe_iostat stat;
	struct fe_io *outstanding;
	unsigned int nr_outstanding;
	struct fe_io *lost;
	unsigned int timeout_ms;
	bool use_persistent;
	bool check_grants;
	bool read_only;
	uint64_t seed;
	int last_status;
};

void fe_io_spec_init(struct fe_io_spec *spec, uint8_t op);
void fe_io_spec_full(struct fe_io_spec *spec, unsigned int nr_sectors);
int fe_io_submit(struct fe_io_ctx *ctx, const struct fe_io_spec *spec);
void fe_io_push(struct fe_io_ctx *ctx, enum fe_notify notify);
bool fe_io_wait(struct fe_io_ctx *ctx, unsigned int at_most);
bool fe_io_wait_event(struct fe_io_ctx *ctx, unsigned int timeout_ms);
unsigned int fe_io_collect(struct fe_io_ctx *ctx);
void fe_io_abandon(struct fe_io_ctx *ctx);
void fe_io_free_lost(struct fe_io_ctx *ctx);
uint64_t fe_io_now_us(void);

/* iobuf.c */
int fe_iobuf_get(struct fe_io_ctx *ctx, struct fe_io *io,
		 const struct fe_io_spec *spec);
void fe_iobuf_put(struct fe_io_ctx *ctx, struct fe_io *io, bool answered);
void fe_iobuf_verify(struct fe_io_ctx *ctx, struct fe_io *io);

#endif
