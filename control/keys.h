/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading of xenstore keys. */
#ifndef XENVBD_KEYS_H
#define XENVBD_KEYS_H

#include "common.h"

/**
 * struct xenvbd_ring_keys - a frontend's keys of one ring
 * @gref: grant references of the ring's pages
 * @nr_pages: their number, a power of two
 * @has_order: there is a ring-page-order
 * @evtchn: its event channel
 */
struct xenvbd_ring_keys {
	grant_ref_t gref[XENVBD_MAX_RING_PAGES];
	unsigned int nr_pages;
	bool has_order;
	evtchn_port_t evtchn;
};

/**
 * struct xenvbd_disk_keys - the toolstack's keys of the disk
 * @devt: physical-device
 * @mode: the string, owned by the caller
 * @diskseq: physical-device-uid, diskseq, or 0 if there is neither
 * @cdrom: device-type is cdrom
 * @discard: discard-enable is not 0
 * @empty: the toolstack has taken the medium out of a CD drive: @devt is 0
 */
struct xenvbd_disk_keys {
	dev_t devt;
	u64 diskseq;
	char *mode;
	bool cdrom;
	bool empty;
	bool discard;
};

int xenvbd_keys_read(struct xenvbd *vbd, const char *dir, const char *key,
		     unsigned int *val,
		     int (*parse)(const char *str, unsigned int *val),
		     const char *wrong);
int xenvbd_keys_disk(struct xenvbd *vbd, bool had_disk,
		     struct xenvbd_disk_keys *keys);
int xenvbd_keys_emulate(struct xenvbd *vbd, bool *on);
int xenvbd_keys_handle(struct xenvbd *vbd);
int xenvbd_keys_protocol(struct xenvbd *vbd, enum xenvbd_abi *abi);
int xenvbd_keys_persistent(struct xenvbd *vbd, bool *persistent);
int xenvbd_keys_nr_rings(struct xenvbd *vbd, unsigned int *nr);
int xenvbd_keys_ring(struct xenvbd *vbd, unsigned int index,
		     unsigned int nr_rings, struct xenvbd_ring_keys *keys);
bool xenvbd_keys_large_sectors(struct xenvbd *vbd);
void xenvbd_keys_name(struct xenvbd *vbd, char *name, size_t size);

#endif /* XENVBD_KEYS_H */
