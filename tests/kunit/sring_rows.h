/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings to try.
 * For the tests in user space and for KUnit, which include ring.h first.
 */
#ifndef XENVBD_RING_ROWS_H
#define XENVBD_RING_ROWS_H

/* Where the 32-bit indices start: most accidents happen at a wrap-around. */
static const u32 ring_starts[] = {
	0, 1, 31, 511, 0x7fffffff, 0x80000000, 0xfffffdff, 0xfffffff0, 0xfffffffe, 0xffffffff,
};

static const struct ring_size {
	unsigned int pages, nr_ents;
} ring_sizes[] = { { 1, 32 }, { 2, 64 }, { 4, 128 }, { 8, 256 }, { 16, 512 } };

#endif /* XENVBD_RING_ROWS_H */
