/* SPDX-License-Identifier: GPL-2.0-only */
/* Xenstore keys in both directions. */
#ifndef XENVBD_FEATURES_H
#define XENVBD_FEATURES_H

#include "common.h"

/**
 * struct xenvbd_ring_keys - what a frontend tells of one ring
 * @gref: grant references of the ring's pages
 * @nr_pages: their number, a power of two
 * @evtchn: its event channel
 */
struct xenvbd_ring_keys {
	grant_ref_t gref[XENVBD_MAX_RING_PAGES];
	unsigned int nr_pages;
	evtchn_port_t evtchn;
};

/**
 * struct xenvbd_disk_keys - what the toolstack tells of the disk
 * @devt: physical-device
 * @mode: the string, owned by the caller
 * @cdrom: device-type is cdrom
 */
struct xenvbd_disk_keys {
	dev_t devt;
	char *mode;
	bool cdrom;
};

int xenvbd_read_disk_keys(struct xenvbd *vbd, struct xenvbd_disk_keys *keys);
int xenvbd_read_handle(struct xenvbd *vbd);
int xenvbd_read_protocol(struct xenvbd *vbd, enum xenvbd_abi *abi);
int xenvbd_read_ring_keys(struct xenvbd *vbd, struct xenvbd_ring_keys *keys);
void xenvbd_read_name(struct xenvbd *vbd, char *name, size_t size);
int xenvbd_publish_disk(struct xenvbd *vbd);
int xenvbd_publish_flush(struct xenvbd *vbd);

__printf(3, 4)
int xenvbd_error(struct xenvbd *vbd, int err, const char *fmt, ...);

#endif /* XENVBD_FEATURES_H */
