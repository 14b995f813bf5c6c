/* SPDX-License-Identifier: GPL-2.0-only */
/* What is offered to frontends. */
#ifndef XENVBD_FEATURES_H
#define XENVBD_FEATURES_H

#include "common.h"

bool xenvbd_store_begin(struct xenvbd *vbd);
void xenvbd_store_end(struct xenvbd *vbd);

int xenvbd_publish_transport(struct xenvbd *vbd);
int xenvbd_publish_disk(struct xenvbd *vbd);
int xenvbd_publish_waiting(struct xenvbd *vbd);
int xenvbd_publish_opened(struct xenvbd *vbd);
int xenvbd_publish_exchange(struct xenvbd *vbd);
int xenvbd_publish_refusal(struct xenvbd *vbd);
int xenvbd_publish_flush(struct xenvbd *vbd);
int xenvbd_publish_size(struct xenvbd *vbd);

#endif /* XENVBD_FEATURES_H */
