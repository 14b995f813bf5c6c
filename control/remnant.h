/* SPDX-License-Identifier: GPL-2.0-only */
/* Removed vbds whose disk may have requests of them. */
#ifndef XENVBD_REMNANT_H
#define XENVBD_REMNANT_H

#include <linux/list.h>
#include <linux/types.h>

struct xenbus_device;
struct xenvbd;
struct xenvbd_disk;

struct xenvbd_remnant {
	/* In the list of remnants, from removal until the disk is closed. */
	struct list_head remnants;
	/* In the list of those who wait for remnants. */
	struct list_head waiters;
	/* It has no writes, and who has waited for them was told. */
	bool written;
	/* Removes the remnant's file of debugfs, and waits for its readers. */
	void (*hide)(struct xenvbd *vbd);
};

void xenvbd_remnant_init(struct xenvbd_remnant *remnant,
			 void (*hide)(struct xenvbd *vbd));
void xenvbd_remnant_add(struct xenvbd *vbd);
void xenvbd_remnant_remove(struct xenvbd *vbd);
bool xenvbd_remnant_look(struct xenvbd *vbd);
bool xenvbd_is_remnant(const struct xenvbd *vbd);
bool xenvbd_has_remnant(const struct xenbus_device *xbdev);
bool xenvbd_remnant_blocks(struct xenvbd *vbd, const struct xenvbd_disk *disk);
void xenvbd_remnant_stop_waiting(struct xenvbd *vbd);

#endif /* XENVBD_REMNANT_H */
