/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: the life of each request, and how many grants share a hypercall. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_blkback

#if !defined(XENVBD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XENVBD_TRACE_H

#include <linux/tracepoint.h>

#include "common.h"

#define xenvbd_show_op(op)					\
	__print_symbolic(op,					\
		{ BLKIF_OP_READ,		"read" },	\
		{ BLKIF_OP_WRITE,		"write" },	\
		{ BLKIF_OP_WRITE_BARRIER,	"barrier" },	\
		{ BLKIF_OP_FLUSH_DISKCACHE,	"flush" },	\
		{ BLKIF_OP_DISCARD,		"discard" })

DECLARE_EVENT_CLASS(xenvbd_req_class,
	TP_PROTO(const struct xenvbd_ring *ring, const struct xenvbd_req *req),
	TP_ARGS(ring, req),
	TP_STRUCT__entry(
		__field(const void *, req)
		__field(u64, id)
		__field(u64, sector)
		__field(u64, nr_sects)
		__field(u32, vdev)
		__field(int, error)
		__field(u16, domid)
		__field(u16, ring)
		__field(u16, nr_segs)
		__field(u8, op)
	),
	TP_fast_assign(
		__entry->req = req;
		__entry->id = req->id;
		__entry->sector = req->sector;
		__entry->nr_sects = req->nr_sects;
		__entry->vdev = ring->vbd->handle;
		__entry->error = blk_status_to_errno(req->status);
		__entry->domid = ring->domid;
		__entry->ring = ring->index;
		__entry->nr_segs = req->nr_segs;
		__entry->op = req->op;
	),
	TP_printk("domid=%u vdev=%u ring=%u id=%llu %s sector=%llu nr_sects=%llu nr_segs=%u error=%d req=%p",
		  __entry->domid, __entry->vdev, __entry->ring, __entry->id,
		  xenvbd_show_op(__entry->op), __entry->sector, __entry->nr_sects,
		  __entry->nr_segs, __entry->error, __entry->req)
);

/* Taken from the ring. The sectors of an INDIRECT request are not known yet. */
DEFINE_EVENT(xenvbd_req_class, xenvbd_take,
	TP_PROTO(const struct xenvbd_ring *ring, const struct xenvbd_req *req),
	TP_ARGS(ring, req)
);

/* The guest's pages are at hand. Next is the disk, or after an error the response. */
DEFINE_EVENT(xenvbd_req_class, xenvbd_submit,
	TP_PROTO(const struct xenvbd_ring *ring, const struct xenvbd_req *req),
	TP_ARGS(ring, req)
);

/* About to be answered. Of a discard what is left is shown. */
DEFINE_EVENT(xenvbd_req_class, xenvbd_respond,
	TP_PROTO(const struct xenvbd_ring *ring, const struct xenvbd_req *req),
	TP_ARGS(ring, req)
);

/* A command that is wrong is answered without becoming a request. */
TRACE_EVENT(xenvbd_refuse,
	TP_PROTO(const struct xenvbd_ring *ring, const struct xenvbd_cmd *cmd,
		 enum xenvbd_reason reason),
	TP_ARGS(ring, cmd, reason),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, sector)
		__field(u32, vdev)
		__field(u32, reason)
		__field(u16, domid)
		__field(u16, ring)
		__field(u16, nr_segs)
		__field(u8, op)
	),
	TP_fast_assign(
		__entry->id = cmd->id;
		__entry->sector = cmd->sector;
		__entry->vdev = ring->vbd->handle;
		__entry->reason = reason;
		__entry->domid = ring->domid;
		__entry->ring = ring->index;
		__entry->nr_segs = cmd->nr_segs;
		__entry->op = cmd->op;
	),
	TP_printk("domid=%u vdev=%u ring=%u id=%llu op=%u sector=%llu nr_segs=%u reason=%u",
		  __entry->domid, __entry->vdev, __entry->ring, __entry->id, __entry->op,
		  __entry->sector, __entry->nr_segs, __entry->reason)
);

/* One hypercall for so many grants, whatever the number of requests. */
DECLARE_EVENT_CLASS(xenvbd_batch_class,
	TP_PROTO(const struct xenvbd_ring *ring, unsigned int nr),
	TP_ARGS(ring, nr),
	TP_STRUCT__entry(
		__field(u32, vdev)
		__field(u32, nr)
		__field(u16, domid)
		__field(u16, ring)
	),
	TP_fast_assign(
		__entry->vdev = ring->vbd->handle;
		__entry->nr = nr;
		__entry->domid = ring->domid;
		__entry->ring = ring->index;
	),
	TP_printk("domid=%u vdev=%u ring=%u nr=%u", __entry->domid, __entry->vdev,
		  __entry->ring, __entry->nr)
);

DEFINE_EVENT(xenvbd_batch_class, xenvbd_map,
	TP_PROTO(const struct xenvbd_ring *ring, unsigned int nr),
	TP_ARGS(ring, nr)
);

DEFINE_EVENT(xenvbd_batch_class, xenvbd_unmap,
	TP_PROTO(const struct xenvbd_ring *ring, unsigned int nr),
	TP_ARGS(ring, nr)
);

DEFINE_EVENT(xenvbd_batch_class, xenvbd_copy,
	TP_PROTO(const struct xenvbd_ring *ring, unsigned int nr),
	TP_ARGS(ring, nr)
);

#endif /* XENVBD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
