// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages that grants are mapped to: taken from Xen, kept on a stack of the
 * ring, and given back to Xen.
 *
 * All of it runs in the ring's thread, or after it has ended.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <xen/grant_table.h>

#include "data/pool.h"

/* Pages are taken from Xen so many at a time. */
#define POOL_GROWTH	32

static unsigned int max_buffer_pages = 1024;
module_param(max_buffer_pages, uint, 0644);
MODULE_PARM_DESC(max_buffer_pages,
		 "Pages an idle ring keeps to map grants to. Default 1024");

static bool pool_make_room(struct xenvbd_ring *ring, u32 size)
{
	struct page **pool;

	if (size <= ring->pool_size)
		return true;
	pool = kvmalloc_array(size, sizeof(*pool), GFP_NOIO | __GFP_NOWARN);
	if (!pool)
		return false;
	memcpy(pool, ring->pool, ring->nr_pool * sizeof(*pool));
	kvfree(ring->pool);
	ring->pool = pool;
	ring->pool_size = size;
	return true;
}

/**
 * xenvbd_pool_grow - get more pages
 * @ring: the ring; its stack has room for all pages it ever has
 * @nr: as many are to be free then
 *
 * Context: process, may allocate.
 * Return: false if there is no memory, or the ring has as many as it may have.
 */
bool xenvbd_pool_grow(struct xenvbd_ring *ring, u32 nr)
{
	u32 want = min_t(u32, max_t(u32, nr - ring->nr_pool, POOL_GROWTH),
			 ring->max_pages - ring->nr_pages);

	if (!want || ring->nr_pool + want < nr ||
	    !pool_make_room(ring, roundup_pow_of_two(ring->nr_pages + want)) ||
	    gnttab_alloc_pages(want, ring->pool + ring->nr_pool))
		return false;
	ring->nr_pool += want;
	ring->nr_pages += want;
	return true;
}

static void pool_shrink(struct xenvbd_ring *ring, u32 keep)
{
	u32 nr;

	if (ring->nr_pool <= keep)
		return;
	nr = ring->nr_pool - keep;
	gnttab_free_pages(nr, ring->pool + keep);
	ring->nr_pool -= nr;
	ring->nr_pages -= nr;
}

/**
 * xenvbd_pool_trim - give back the free pages beyond max_buffer_pages
 * @ring: idle
 */
void xenvbd_pool_trim(struct xenvbd_ring *ring)
{
	pool_shrink(ring, READ_ONCE(max_buffer_pages));
}

/**
 * xenvbd_pool_free - give back all free pages
 * @ring: the ring
 */
void xenvbd_pool_free(struct xenvbd_ring *ring)
{
	pool_shrink(ring, 0);
}
