/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blkif wire protocol: from the bytes of a ring slot to a command, and
 * from a result to the bytes of a response.
 *
 * Layer 0: pure. Everything here works on private memory and calls nothing.
 */
#ifndef XENVBD_PROTO_H
#define XENVBD_PROTO_H

#include <linux/blk_types.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <xen/interface/io/blkif.h>

/* All that blkif counts is in units of 512 bytes, whatever the disk uses. */
#define XENVBD_SECTOR_SHIFT	9
/* Grants are 4 KiB on every architecture, so a segment has eight sectors. */
#define XENVBD_SECTS_PER_GRANT	8

/* SLES packet command and other numbers of the protocol without a name in Linux. */
#define XENVBD_OP_RESERVED_1	4

/**
 * enum xenvbd_abi - layout of the ring slots the frontend has chosen
 * @XENVBD_ABI_X86_32: 64-bit members aligned to 4 bytes, slots of 108 bytes
 * @XENVBD_ABI_X86_64: 64-bit members aligned to 8 bytes, slots of 112 bytes;
 *                     also every Arm guest
 */
enum xenvbd_abi {
	XENVBD_ABI_X86_32,
	XENVBD_ABI_X86_64,
};

/* Whichever of the two this kernel's own frontend uses. */
#ifdef CONFIG_X86_32
#define XENVBD_ABI_NATIVE XENVBD_ABI_X86_32
#else
#define XENVBD_ABI_NATIVE XENVBD_ABI_X86_64
#endif

/* One data segment as it lies in a slot or in an indirect page. */
struct xenvbd_seg {
	u32 gref;
	u8 first_sect;
	u8 last_sect;
	u16 pad;
};

static_assert(sizeof(struct xenvbd_seg) == 8);

/*
 * A request slot is a head of 4 (x86_32) or 8 (x86_64) bytes followed by a
 * body that is the same for both: alignment is the only difference between
 * the two layouts and it is spent before the first 64-bit member.
 */
struct xenvbd_slot_head {
	u8 op;
	/* READ, WRITE, ...: nr_segments; DISCARD: flag; INDIRECT: inner op */
	u8 arg;
	/* INDIRECT: nr_segments; others: handle, which says nothing we need */
	u16 arg16;
} __packed;

struct xenvbd_slot_body {
	u64 id;
	u64 sector;
	union {
		struct xenvbd_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
		u64 discard_nr_sects;
		struct {
			u16 handle;
			u16 pad;
			u32 gref[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
		} indirect;
	};
} __packed;

#define XENVBD_HEAD_X86_32	4
#define XENVBD_HEAD_X86_64	8
#define XENVBD_SLOT_X86_32	108
#define XENVBD_SLOT_X86_64	112
#define XENVBD_SLOT_MAX		XENVBD_SLOT_X86_64

static_assert(XENVBD_HEAD_X86_32 + sizeof(struct xenvbd_slot_body) == XENVBD_SLOT_X86_32);
static_assert(XENVBD_HEAD_X86_64 + sizeof(struct xenvbd_slot_body) == XENVBD_SLOT_X86_64);
static_assert(offsetof(struct xenvbd_slot_body, indirect.gref) == 20);

/* A private copy of one request slot; see xenvbd_sring_fetch(). */
struct xenvbd_slot {
	u8 bytes[XENVBD_SLOT_MAX] __aligned(8);
};

/* A response; x86_32 ends after the status, x86_64 has four bytes of padding. */
struct xenvbd_slot_rsp {
	u64 id;
	u8 op;
	u8 pad;
	s16 status;
	u32 tail;
} __packed __aligned(4);

#define XENVBD_RSP_X86_32	12
#define XENVBD_RSP_X86_64	16
static_assert(offsetof(struct xenvbd_slot_rsp, tail) == XENVBD_RSP_X86_32);
static_assert(sizeof(struct xenvbd_slot_rsp) == XENVBD_RSP_X86_64);

/**
 * struct xenvbd_cmd - a request, decoded but not yet checked
 * @id: guest's cookie, to be echoed
 * @sector: first sector (512 bytes) on the disk
 * @nr_sects: number of sectors (512 bytes); from the wire for DISCARD, summed
 *            up by xenvbd_validate() for the others
 * @seg: the segments, in private memory; NULL for DISCARD, and for INDIRECT
 *       until its descriptor pages have been fetched
 * @gref: descriptor pages of an INDIRECT request, in private memory
 * @nr_segs: number of segments the guest claims, any 16-bit value
 * @op: what is to be done, BLKIF_OP_* or any other byte; for an INDIRECT
 *      request the inner operation. It is also what the response echoes.
 * @flags: BLKIF_DISCARD_* of a DISCARD
 * @indirect: the segments are in descriptor pages
 */
struct xenvbd_cmd {
	u64 id;
	u64 sector;
	u64 nr_sects;
	const struct xenvbd_seg *seg;
	const u32 *gref;
	u16 nr_segs;
	u8 op;
	u8 flags;
	bool indirect;
};

unsigned int xenvbd_slot_bytes(enum xenvbd_abi abi);
void xenvbd_cmd_decode(struct xenvbd_cmd *cmd, const struct xenvbd_slot *slot,
		       enum xenvbd_abi abi);
void xenvbd_rsp_encode(void *slot, enum xenvbd_abi abi, u64 id, u8 op,
		       blk_status_t status);

#endif /* XENVBD_PROTO_H */
