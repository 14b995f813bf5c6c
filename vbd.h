/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual block device and its rings, up and down. */
#ifndef XENVBD_VBD_H
#define XENVBD_VBD_H

#include "common.h"

/* Length of what xenvbd_describe_wait() says, in bytes. */
#define XENVBD_WAIT_TEXT	128

int xenvbd_cache_create(void);
void xenvbd_cache_destroy(void);
struct xenvbd *xenvbd_alloc(struct xenbus_device *xbdev);
void xenvbd_get(struct xenvbd *vbd);
void xenvbd_put(struct xenvbd *vbd);

int xenvbd_open_disk(struct xenvbd *vbd);
int xenvbd_map_rings(struct xenvbd *vbd);
int xenvbd_start_rings(struct xenvbd *vbd);
void xenvbd_disconnect(struct xenvbd *vbd);
unsigned int xenvbd_in_flight(struct xenvbd *vbd, unsigned int *oldest_ms);
void xenvbd_describe_wait(struct xenvbd *vbd, char *text, size_t size);

#endif /* XENVBD_VBD_H */
