/* SPDX-License-Identifier: GPL-2.0-only */
/* The backing disk: opened, exchanged, closed. */
#ifndef XENVBD_CONTROL_DISK_H
#define XENVBD_CONTROL_DISK_H

struct xenvbd;
struct xenvbd_ring;

int xenvbd_disk_open(struct xenvbd *vbd);
void xenvbd_disk_close(struct xenvbd *vbd);
int xenvbd_disk_drop_cache(struct xenvbd *vbd);
void xenvbd_disk_attach(struct xenvbd_ring *ring);
int xenvbd_disk_check_vanished(struct xenvbd *vbd);
int xenvbd_disk_look_again(struct xenvbd *vbd);
void xenvbd_disk_follow(struct xenvbd *vbd);

#endif /* XENVBD_CONTROL_DISK_H */
