/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages to copy to for when this domain has no memory. */
#ifndef XENVBD_RESERVE_H
#define XENVBD_RESERVE_H

#include <linux/types.h>

struct page;
struct xenvbd_share;

int xenvbd_reserve_init(void);
void xenvbd_reserve_exit(void);
bool xenvbd_reserve_claim(struct xenvbd_share *share, u32 nr);
struct page *xenvbd_reserve_take(void);
void xenvbd_reserve_put(struct page *page);

#endif /* XENVBD_RESERVE_H */
