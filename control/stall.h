/* SPDX-License-Identifier: GPL-2.0-only */
/* What a vbd waits for. */
#ifndef XENVBD_WAIT_H
#define XENVBD_WAIT_H

#include "common.h"

/* Length of what xenvbd_describe_wait() says, in bytes. */
#define XENVBD_WAIT_TEXT	128

void xenvbd_wait_init(struct xenvbd *vbd);
void xenvbd_wait_begin(struct xenvbd *vbd, const char *what);
void xenvbd_wait_end(struct xenvbd *vbd);
unsigned int xenvbd_in_flight(struct xenvbd *vbd, unsigned int *oldest_ms);
void xenvbd_describe_wait(struct xenvbd *vbd, char *text, size_t size);

#endif /* XENVBD_WAIT_H */
