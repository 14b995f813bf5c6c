// SPDX-License-Identifier: GPL-2.0-only
/* Decoding of blkif requests and encoding of responses. Layer 0: pure. */
#include "core/proto.h"

#ifdef __KERNEL__
/* The public header describes this kernel's own frontend: native. */
#define NATIVE_HEAD \
	(IS_ENABLED(CONFIG_X86_32) ? XENVBD_HEAD_X86_32 : XENVBD_HEAD_X86_64)
static_assert(offsetof(struct blkif_request, u.rw.id) == NATIVE_HEAD);
static_assert(offsetof(struct blkif_request, u.rw.seg) ==
	      NATIVE_HEAD + offsetof(struct xenvbd_slot_body, seg));
static_assert(offsetof(struct blkif_request, u.discard.nr_sectors) ==
	      NATIVE_HEAD +
		      offsetof(struct xenvbd_slot_body, discard_nr_sects));
static_assert(offsetof(struct blkif_request, u.indirect.indirect_grefs) ==
	      NATIVE_HEAD + offsetof(struct xenvbd_slot_body, indirect.gref));
static_assert(sizeof(struct blkif_request_segment) ==
	      sizeof(struct xenvbd_seg));
static_assert(offsetof(struct blkif_response, status) ==
	      offsetof(struct xenvbd_slot_rsp, status));
#endif

/**
 * xenvbd_slot_bytes - distance between two slots of a ring
 * @abi: layout of the slots
 *
 * Return: bytes.
 */
unsigned int xenvbd_slot_bytes(enum xenvbd_abi abi)
{
	return abi == XENVBD_ABI_X86_32 ? XENVBD_SLOT_X86_32
					: XENVBD_SLOT_X86_64;
}

/**
 * xenvbd_cmd_decode - make a command of a request slot
 * @cmd: all members are set
 * @slot: private copy of the slot; must live as long as @cmd, which points
 *        into it
 * @abi: layout of the slot
 *
 * Any bytes at all decode to a command: nothing is checked here, that is
 * xenvbd_validate()'s business.
 */
void xenvbd_cmd_decode(struct xenvbd_cmd *cmd, const struct xenvbd_slot *slot,
		       enum xenvbd_abi abi)
{
	const struct xenvbd_slot_head *head = (const void *)slot->bytes;
	const struct xenvbd_slot_body *body = (const void *)
		(slot->bytes + (abi == XENVBD_ABI_X86_32 ?
				XENVBD_HEAD_X86_32 : XENVBD_HEAD_X86_64));

	cmd->id = body->id;
	cmd->sector = body->sector;
	cmd->nr_sects = 0;
	cmd->seg = NULL;
	cmd->gref = NULL;
	cmd->nr_segs = 0;
	cmd->op = head->op;
	cmd->flags = 0;
	cmd->indirect = false;

	switch (head->op) {
	case BLKIF_OP_INDIRECT:
		cmd->op = head->arg;
		cmd->nr_segs = head->arg16;
		cmd->gref = (const void *)((const u8 *)body +
			    offsetof(struct xenvbd_slot_body, indirect.gref));
		cmd->indirect = true;
		break;
	case BLKIF_OP_DISCARD:
		cmd->flags = head->arg;
		cmd->nr_sects = body->discard_nr_sects;
		break;
	default:
		cmd->nr_segs = head->arg;
		cmd->seg = (const void *)((const u8 *)body +
			   offsetof(struct xenvbd_slot_body, seg));
		break;
	}
}

/* The one place where a result of the block layer becomes a wire status. */
static s16 proto_rsp_status(blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
		return BLKIF_RSP_OKAY;
	case BLK_STS_NOTSUPP:
		return BLKIF_RSP_EOPNOTSUPP;
	default:
		return BLKIF_RSP_ERROR;
	}
}

/**
 * xenvbd_rsp_encode - write a response into a ring slot
 * @slot: the slot, in memory that the guest may see
 * @abi: layout of the slot
 * @id: cookie of the request
 * @op: operation of the request
 * @status: its result
 *
 * Every byte of the response is written, padding included, and no byte of
 * our own memory gets into it (XSA-216). Nothing is read.
 */
void xenvbd_rsp_encode(void *slot, enum xenvbd_abi abi, u64 id, u8 op,
		       blk_status_t status)
{
	struct xenvbd_slot_rsp *rsp = slot;

	rsp->id = id;
	rsp->op = op;
	rsp->pad = 0;
	rsp->status = proto_rsp_status(status);
	if (abi == XENVBD_ABI_X86_64)
		rsp->tail = 0;
}
