/* SPDX-License-Identifier: GPL-2.0-only */
/* From requests to bios. */
#ifndef XENVBD_IO_H
#define XENVBD_IO_H

#include <linux/types.h>

struct bio_vec;
struct xenvbd_req;

/* What is read or written in the place of a request. */
struct xenvbd_blocks {
	u64 sector;
	u32 nr_sects;
	u16 nr_vecs;
	struct bio_vec *bvec;
};

void xenvbd_io_submit(struct xenvbd_req *req);
void xenvbd_io_submit_blocks(struct xenvbd_req *req,
			     const struct xenvbd_blocks *blocks, bool write);
void xenvbd_io_discard(struct xenvbd_req *req);

#endif /* XENVBD_IO_H */
