/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages to map grants to. */
#ifndef XENVBD_POOL_H
#define XENVBD_POOL_H

#include "common.h"

bool xenvbd_pool_grow(struct xenvbd_ring *ring, u32 nr);
void xenvbd_pool_trim(struct xenvbd_ring *ring);
void xenvbd_pool_free(struct xenvbd_ring *ring);

/**
 * xenvbd_pool_get - take a page
 * @ring: has one free
 *
 * Return: the page.
 */
static inline struct page *xenvbd_pool_get(struct xenvbd_ring *ring)
{
	return ring->pool[--ring->nr_pool];
}

/**
 * xenvbd_pool_put - give back a page
 * @ring: the ring it was taken from
 * @page: nothing is mapped to it any more
 */
static inline void xenvbd_pool_put(struct xenvbd_ring *ring, struct page *page)
{
	ring->pool[ring->nr_pool++] = page;
}

#endif /* XENVBD_POOL_H */
