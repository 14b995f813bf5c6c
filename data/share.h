/* SPDX-License-Identifier: GPL-2.0-only */
/* What a domain has of the pages that all may copy to. */
#ifndef XENVBD_SHARE_H
#define XENVBD_SHARE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <xen/grant_table.h>

/* A domain's, of all rings of all its vbds. */
struct xenvbd_share {
	struct list_head list;
	domid_t domid;
	unsigned int nr_rings;
	/* Written by all these rings, and read for each request. */
	atomic_long_t nr_pages;
	/* In jiffies: before that it gets nothing of data/reserve.c. Under reserve_lock. */
	unsigned long reserve_after;
};

struct xenvbd_share *xenvbd_share_get(domid_t domid);
void xenvbd_share_put(struct xenvbd_share *share);
u32 xenvbd_share_room(const struct xenvbd_share *share);
void xenvbd_share_charge(struct xenvbd_share *share, u32 nr);
void xenvbd_share_uncharge(struct xenvbd_share *share, u32 nr);
unsigned long xenvbd_share_all(void);
unsigned long xenvbd_share_max(void);

#endif /* XENVBD_SHARE_H */
