/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual block device and its rings, up and down. */
#ifndef XENVBD_VBD_H
#define XENVBD_VBD_H

struct xenbus_device;
struct xenvbd;

int xenvbd_cache_create(void);
void xenvbd_cache_destroy(void);
struct xenvbd *xenvbd_alloc(struct xenbus_device *xbdev);
void xenvbd_get(struct xenvbd *vbd);
void xenvbd_put(struct xenvbd *vbd);

int xenvbd_map_rings(struct xenvbd *vbd);
int xenvbd_has_other_rings(struct xenvbd *vbd);
int xenvbd_start_rings(struct xenvbd *vbd);
void xenvbd_disconnect(struct xenvbd *vbd);
void xenvbd_kick_rings(struct xenvbd *vbd);
void xenvbd_reclaim_memory(struct xenvbd *vbd);

#endif /* XENVBD_VBD_H */
