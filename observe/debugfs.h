/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver is doing, for those who look after it. */
#ifndef XENVBD_DEBUGFS_H
#define XENVBD_DEBUGFS_H

struct xenvbd;

void xenvbd_debugfs_init(void);
void xenvbd_debugfs_exit(void);
void xenvbd_debugfs_add(struct xenvbd *vbd);
void xenvbd_debugfs_add_remnant(struct xenvbd *vbd);
void xenvbd_debugfs_remove(struct xenvbd *vbd);

#endif /* XENVBD_DEBUGFS_H */
