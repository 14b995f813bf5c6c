/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a vbd. */
#ifndef XENVBD_REMNANT_H
#define XENVBD_REMNANT_H

#include "common.h"

void xenvbd_remnant_init(struct xenvbd *vbd);
bool xenvbd_has_remnant(const struct xenbus_device *xbdev);
void xenvbd_let_go(struct xenvbd *vbd);

#endif /* XENVBD_REMNANT_H */
