// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages to copy to for when this domain has no memory: enough for the largest request,
 * for all rings of all vbds together.
 *
 * Memory may come free only when a guest's data has reached the disk: this domain may
 * swap or write back by way of one of our vbds. So a ring that has nothing else takes
 * from here what one request needs, or nothing, and gives it back with the answer. Who
 * gets nothing tries again: one ring after the other goes on, as fast as the disks of
 * those before it. A disk that hangs keeps what its requests have.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "data/req.h"
#include "data/reserve.h"
#include "data/share.h"

/*
 * A domain that was given something gets no more for so long: twice the time after
 * which rings try again, so that those of others find what comes back.
 */
#define PAUSE_JIFFIES	max(HZ / 50, 2)

/* Protects all that follow, and a share's reserve_after. */
static DEFINE_SPINLOCK(reserve_lock);
static struct page *reserve_pages[XENVBD_MAX_SEGS];
/* How many there are, how many there should be, and how many of them are promised. */
static u32 reserve_nr, reserve_size, reserve_claimed;

/**
 * xenvbd_reserve_init - fill the reserve
 *
 * Context: process, when the module is loaded.
 * Return: 0, or -ENOMEM, and then nothing is left.
 */
int xenvbd_reserve_init(void)
{
	while (reserve_nr < XENVBD_MAX_SEGS) {
		reserve_pages[reserve_nr] = alloc_page(GFP_KERNEL);
		if (!reserve_pages[reserve_nr]) {
			xenvbd_reserve_exit();
			return -ENOMEM;
		}
		reserve_nr++;
	}
	reserve_size = reserve_nr;
	return 0;
}

/* Undo xenvbd_reserve_init(). No ring is left. */
void xenvbd_reserve_exit(void)
{
	reserve_size = 0;
	while (reserve_nr)
		put_page(reserve_pages[--reserve_nr]);
}

/**
 * xenvbd_reserve_claim - ask for the pages of a request
 * @share: of the ring's domain
 * @nr: how many
 *
 * Context: any.
 * Return: true if the caller may, and has to, take so many; false if there are fewer,
 * or it is others' turn.
 */
bool xenvbd_reserve_claim(struct xenvbd_share *share, u32 nr)
{
	unsigned long flags;
	bool pauses, granted;

	spin_lock_irqsave(&reserve_lock, flags);
	pauses = share->reserve_after &&
		 time_before(jiffies, share->reserve_after);
	granted = !pauses && nr <= reserve_nr - reserve_claimed;
	if (granted) {
		reserve_claimed += nr;
		/* Never 0, which means that it had nothing yet. */
		share->reserve_after = (jiffies + PAUSE_JIFFIES) | 1;
	}
	spin_unlock_irqrestore(&reserve_lock, flags);
	return granted;
}

/* One of the pages that were claimed. It is zeroed: another guest's data was there. */
struct page *xenvbd_reserve_take(void)
{
	unsigned long flags;
	struct page *page;

	spin_lock_irqsave(&reserve_lock, flags);
	page = reserve_pages[--reserve_nr];
	reserve_claimed--;
	spin_unlock_irqrestore(&reserve_lock, flags);
	clear_page(page_address(page));
	return page;
}

/**
 * xenvbd_reserve_put - let a page go, from wherever it comes
 * @page: that the caller needs no more
 *
 * The reserve is filled up first. So it recovers from pages that somebody below still
 * holds, for a retransmission, say: these cannot be used here.
 *
 * Context: any.
 */
void xenvbd_reserve_put(struct page *page)
{
	unsigned long flags;
	bool wanted = false;

	if (unlikely(READ_ONCE(reserve_nr) < READ_ONCE(reserve_size)) &&
	    page_count(page) == 1) {
		spin_lock_irqsave(&reserve_lock, flags);
		wanted = reserve_nr < reserve_size;
		if (wanted)
			reserve_pages[reserve_nr++] = page;
		spin_unlock_irqrestore(&reserve_lock, flags);
	}
	if (!wanted)
		put_page(page);
}
