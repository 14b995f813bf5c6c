/* SPDX-License-Identifier: GPL-2.0-only */
/* What a frontend was told. control/publish.c tells it. */
#ifndef XENVBD_ADVERTISED_H
#define XENVBD_ADVERTISED_H

#include <linux/types.h>

#include "data/disk.h"

/*
 * What a frontend knows of us. It does not look again, whatever becomes of
 * parameters and disk.
 */
struct xenvbd_advertised {
	unsigned int max_rings;
	unsigned int max_ring_page_order;
	bool persistent;
	/* Sectors of 512 bytes, though the blocks of the disk may be larger. */
	bool emulate;
	/* Size of the disk in sectors of 512 bytes. */
	u64 sects;
	/*
	 * As it was when the frontend connected; block_size is 0 if it has not. But
	 * no_flush: since then a disk has refused a flush.
	 */
	struct xenvbd_disk disk;
};

/* Does the frontend flush? Not if it was told of no cache, or if a flush was refused. */
static inline bool xenvbd_frontend_flushes(const struct xenvbd_advertised *advertised)
{
	return advertised->disk.flush && !advertised->disk.no_flush;
}

#endif /* XENVBD_ADVERTISED_H */
