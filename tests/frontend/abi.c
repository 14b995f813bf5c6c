// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of requests and responses, written into and read from the bytes
 * of a slot by tables of offsets, one for each ABI. The compiler compares the
 * table of this word size with the public header.
 */
#include "abi.h"

#include <assert.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

const struct fe_abi fe_abi_x86_32 = {
	.name		= XEN_IO_PROTO_ABI_X86_32,
	.slot_size	= 108,
	.rsp_size	= 12,
	.id		= 4,
	.sector		= 12,
	.segs		= 20,
	.nr_sectors	= 20,
	.ind_handle	= 20,
	.ind_grefs	= 24,
};

const struct fe_abi fe_abi_x86_64 = {
	.name		= XEN_IO_PROTO_ABI_X86_64,
	.slot_size	= 112,
	.rsp_size	= 16,
	.id		= 8,
	.sector		= 16,
	.segs		= 24,
	.nr_sectors	= 24,
	.ind_handle	= 24,
	.ind_grefs	= 28,
};

/*
 * The public header, compiled natively, must agree with the table of this
 * word size; the other table is checked against a packed twin in abi_test.c.
 */
#ifdef __i386__
#define NATIVE_ID	4
#define NATIVE_SECTOR	12
#define NATIVE_SEGS	20
#define NATIVE_HANDLE	20
#define NATIVE_GREFS	24
#define NATIVE_SLOT	108
#define NATIVE_RSP	12
#else
#define NATIVE_ID	8
#define NATIVE_SECTOR	16
#define NATIVE_SEGS	24
#define NATIVE_HANDLE	24
#define NATIVE_GREFS	28
#define NATIVE_SLOT	112
#define NATIVE_RSP	16
#endif

static_assert(offsetof(struct blkif_request, id) == NATIVE_ID, "id");
static_assert(offsetof(struct blkif_request, sector_number) == NATIVE_SECTOR,
	      "sector_number");
static_assert(offsetof(struct blkif_request, seg) == NATIVE_SEGS, "seg");
static_assert(sizeof(struct blkif_request) == NATIVE_SLOT, "slot");
static_assert(sizeof(struct blkif_response) == NATIVE_RSP, "response");
static_assert(sizeof(struct blkif_request_segment) == FE_SEG_SIZE, "segment");
static_assert(offsetof(struct blkif_request_discard, nr_sectors) ==
	      NATIVE_SEGS, "nr_sectors");
static_assert(offsetof(struct blkif_request_indirect, handle) ==
	      NATIVE_HANDLE, "indirect handle");
static_assert(offsetof(struct blkif_request_indirect, indirect_grefs) ==
	      NATIVE_GREFS, "indirect grefs");
static_assert(FE_OP_READ == BLKIF_OP_READ && FE_OP_WRITE == BLKIF_OP_WRITE &&
	      FE_OP_BARRIER == BLKIF_OP_WRITE_BARRIER &&
	      FE_OP_FLUSH == BLKIF_OP_FLUSH_DISKCACHE &&
	      FE_OP_DISCARD == BLKIF_OP_DISCARD &&
	      FE_OP_INDIRECT == BLKIF_OP_INDIRECT, "opcodes");
static_assert(FE_OKAY == BLKIF_RSP_OKAY && FE_ERROR == BLKIF_RSP_ERROR &&
	      FE_EOPNOTSUPP == BLKIF_RSP_EOPNOTSUPP, "status codes");
static_assert(FE_MAX_DIRECT_SEGS == BLKIF_MAX_SEGMENTS_PER_REQUEST, "segs");
static_assert(FE_MAX_INDIRECT_PAGES == BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
	      "indirect pages");

/**
 * fe_abi_native() - the ABI of the word size this program was built for
 */
const struct fe_abi *fe_abi_native(void)
{
	return sizeof(void *) == 4 ? &fe_abi_x86_32 : &fe_abi_x86_64;
}

/**
 * fe_abi_find() - find an ABI by its xenstore string, or "native"
 * @name: value of the protocol node
 *
 * Return: the ABI, NULL if @name is none of those this program speaks.
 */
const struct fe_abi *fe_abi_find(const char *name)
{
	if (!strcmp(name, fe_abi_x86_32.name))
		return &fe_abi_x86_32;
	if (!strcmp(name, fe_abi_x86_64.name))
		return &fe_abi_x86_64;
	if (!strcmp(name, "native"))
		return fe_abi_native();
	return NULL;
}

/**
 * fe_abi_ring_entries() - slots in a ring of @nr_pages, a power of two
 */
unsigned int fe_abi_ring_entries(const struct fe_abi *abi,
				 unsigned int nr_pages)
{
	unsigned int max = (nr_pages * FE_PAGE_SIZE - FE_RING_HEADER) /
			   abi->slot_size;
	unsigned int nr = 1;

	while (nr * 2 <= max)
		nr *= 2;
	return nr;
}

/**
 * fe_abi_slot_offset() - byte offset of slot @idx, already masked, in the ring
 */
size_t fe_abi_slot_offset(const struct fe_abi *abi, unsigned int idx)
{
	return FE_RING_HEADER + (size_t)idx * abi->slot_size;
}

/**
 * fe_abi_encode_seg() - encode one segment of eight bytes
 *
 * The two padding bytes of @out are left as they are: garbage there must not
 * disturb a backend.
 */
void fe_abi_encode_seg(const struct fe_wire_seg *seg, uint8_t *out)
{
	memcpy(out, &seg->gref, sizeof(seg->gref));
	out[4] = seg->first;
	out[5] = seg->last;
}

static void encode_rw(const struct fe_abi *abi, const struct fe_wire_req *req,
		      uint8_t *slot)
{
	unsigned int i;

	slot[1] = (uint8_t)req->nr_segs;
	memcpy(slot + 2, &req->handle, sizeof(req->handle));
	memcpy(slot + abi->sector, &req->sector, sizeof(req->sector));
	for (i = 0; i < req->nr_wire_segs && i < FE_MAX_DIRECT_SEGS; i++)
		fe_abi_encode_seg(&req->segs[i],
				  slot + abi->segs + i * FE_SEG_SIZE);
}

static void encode_discard(const struct fe_abi *abi,
			   const struct fe_wire_req *req, uint8_t *slot)
{
	slot[1] = req->flag;
	memcpy(slot + 2, &req->handle, sizeof(req->handle));
	memcpy(slot + abi->sector, &req->sector, sizeof(req->sector));
	memcpy(slot + abi->nr_sectors, &req->nr_sectors,
	       sizeof(req->nr_sectors));
}

static void encode_indirect(const struct fe_abi *abi,
			    const struct fe_wire_req *req, uint8_t *slot)
{
	unsigned int i;

	slot[1] = req->inner_op;
	memcpy(slot + 2, &req->nr_segs, sizeof(req->nr_segs));
	memcpy(slot + abi->sector, &req->sector, sizeof(req->sector));
	memcpy(slot + abi->ind_handle, &req->handle, sizeof(req->handle));
	for (i = 0; i < req->nr_indirect && i < FE_MAX_INDIRECT_PAGES; i++)
		memcpy(slot + abi->ind_grefs + i * sizeof(uint32_t),
		       &req->indirect[i], sizeof(uint32_t));
}

/**
 * fe_abi_encode() - encode a request
 * @abi: layout to use
 * @req: fields
 * @slot: at least @abi->slot_size bytes; bytes which are no field are kept
 */
void fe_abi_encode(const struct fe_abi *abi, const struct fe_wire_req *req,
		   uint8_t *slot)
{
	slot[0] = req->op;
	memcpy(slot + abi->id, &req->id, sizeof(req->id));
	switch (req->op) {
	case FE_OP_DISCARD:
		encode_discard(abi, req, slot);
		break;
	case FE_OP_INDIRECT:
		encode_indirect(abi, req, slot);
		break;
	default:
		encode_rw(abi, req, slot);
		break;
	}
}

/**
 * fe_abi_decode() - decode a response
 */
void fe_abi_decode(const struct fe_abi *abi, const uint8_t *slot,
		   struct fe_wire_rsp *rsp)
{
	(void)abi;
	memcpy(&rsp->id, slot, sizeof(rsp->id));
	rsp->op = slot[8];
	memcpy(&rsp->status, slot + 10, sizeof(rsp->status));
}

/**
 * fe_abi_is_padding() - is this byte of the response no field of it?
 * @abi: layout
 * @offset: byte offset in the response, below @abi->rsp_size
 */
bool fe_abi_is_padding(const struct fe_abi *abi, unsigned int offset)
{
	return offset == 9 || (offset >= 12 && offset < abi->rsp_size);
}
