/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may write to xenstore, and when. */
#ifndef XENVBD_STORE_H
#define XENVBD_STORE_H

#include <linux/types.h>

struct xenvbd;

bool xenvbd_store_begin(struct xenvbd *vbd);
void xenvbd_store_end(struct xenvbd *vbd);

#endif /* XENVBD_STORE_H */
