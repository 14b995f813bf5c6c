/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * blkif wire layouts by explicit offsets.
 *
 * Nothing here depends on how the compiler lays out a struct: a 64-bit build
 * of this program speaks the 32-bit ABI and the other way round. Pure code,
 * unit-tested by abi_test.c.
 */
#ifndef BLKFE_ABI_H
#define BLKFE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FE_PAGE_SIZE		4096u
#define FE_SECTOR_SIZE		512u
#define FE_SECTORS_PER_PAGE	(FE_PAGE_SIZE / FE_SECTOR_SIZE)
#define FE_MAX_RING_PAGES	16u
#define FE_MAX_DIRECT_SEGS	11u
#define FE_MAX_INDIRECT_PAGES	8u
#define FE_SEG_SIZE		8u
#define FE_SEGS_PER_PAGE	(FE_PAGE_SIZE / FE_SEG_SIZE)
#define FE_MAX_INDIRECT_SEGS	(FE_MAX_INDIRECT_PAGES * FE_SEGS_PER_PAGE)
#define FE_MAX_SLOT_SIZE	112u
#define FE_MAX_ENTRIES		512u

/* Ring header: four indices, then padding up to the first slot. */
#define FE_RING_REQ_PROD	0u
#define FE_RING_REQ_EVENT	4u
#define FE_RING_RSP_PROD	8u
#define FE_RING_RSP_EVENT	12u
#define FE_RING_HEADER		64u

enum fe_op {
	FE_OP_READ = 0,
	FE_OP_WRITE = 1,
	FE_OP_BARRIER = 2,
	FE_OP_FLUSH = 3,
	FE_OP_RESERVED_1 = 4,
	FE_OP_DISCARD = 5,
	FE_OP_INDIRECT = 6,
};

enum fe_status {
	FE_OKAY = 0,
	FE_ERROR = -1,
	FE_EOPNOTSUPP = -2,
};

/* One ABI: sizes, and the offsets which differ between word sizes. */
struct fe_abi {
	const char *name;
	uint8_t slot_size;
	uint8_t rsp_size;
	uint8_t id;
	uint8_t sector;
	uint8_t segs;
	uint8_t nr_sectors;
	uint8_t ind_handle;
	uint8_t ind_grefs;
};

struct fe_wire_seg {
	uint32_t gref;
	uint8_t first;
	uint8_t last;
};

/* The fields of any request; the opcode says which of them are encoded. */
struct fe_wire_req {
	uint8_t op;
	uint8_t inner_op;
	uint8_t flag;
	uint16_t nr_segs;
	uint16_t handle;
	uint64_t id;
	uint64_t sector;
	uint64_t nr_sectors;
	unsigned int nr_wire_segs;
	struct fe_wire_seg segs[FE_MAX_DIRECT_SEGS];
	unsigned int nr_indirect;
	uint32_t indirect[FE_MAX_INDIRECT_PAGES];
};

struct fe_wire_rsp {
	uint64_t id;
	uint8_t op;
	int16_t status;
};

extern const struct fe_abi fe_abi_x86_32;
extern const struct fe_abi fe_abi_x86_64;

const struct fe_abi *fe_abi_find(const char *name);
const struct fe_abi *fe_abi_native(void);
unsigned int fe_abi_ring_entries(const struct fe_abi *abi,
				 unsigned int nr_pages);
size_t fe_abi_slot_offset(const struct fe_abi *abi, unsigned int idx);
void fe_abi_encode(const struct fe_abi *abi, const struct fe_wire_req *req,
		   uint8_t *slot);
void fe_abi_encode_seg(const struct fe_wire_seg *seg, uint8_t *out);
void fe_abi_decode(const struct fe_abi *abi, const uint8_t *slot,
		   struct fe_wire_rsp *rsp);
bool fe_abi_is_padding(const struct fe_abi *abi, unsigned int offset);

#endif
