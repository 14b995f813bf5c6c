/* SPDX-License-Identifier: GPL-2.0-only */
/* From requests to bios. */
#ifndef XENVBD_IO_H
#define XENVBD_IO_H

struct xenvbd_req;

void xenvbd_io_submit(struct xenvbd_req *req);
void xenvbd_io_discard(struct xenvbd_req *req);

#endif /* XENVBD_IO_H */
