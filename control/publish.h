/* SPDX-License-Identifier: GPL-2.0-only */
/* What is advertised to frontends, and reported to the toolstack. */
#ifndef XENVBD_PUBLISH_H
#define XENVBD_PUBLISH_H

#include "data/disk.h"

struct xenvbd;

/* What nobody waits for so long that it may not be written later, too. */
enum xenvbd_owed {
	XENVBD_OWED_OPENED,
	XENVBD_OWED_EXCHANGE,
	XENVBD_OWED_THREADS,
	XENVBD_OWED_FLUSH,
	/* private: */
	XENVBD_NR_OWED
};

/*
 * What a frontend knows of us. It does not look again, whatever becomes of
 * parameters and disk.
 */
struct xenvbd_advertised {
	unsigned int max_rings;
	unsigned int max_ring_page_order;
	bool persistent;
	/* Sectors of 512 bytes, though the blocks of the disk may be larger. */
	bool emulate;
	/* Size of the disk in sectors of 512 bytes. */
	u64 sects;
	/* So many threads stand in xenstore. Under store_lock. */
	unsigned int nr_threads;
	/* Bits of enum xenvbd_owed: could not be written, and is tried again. */
	unsigned int owed;
	/*
	 * As it was when the frontend connected; block_size is 0 if it has not.
	 */
	struct xenvbd_disk disk;
};

int xenvbd_publish_transport(struct xenvbd *vbd);
int xenvbd_publish_disk(struct xenvbd *vbd);
void xenvbd_publish_no_threads(struct xenvbd *vbd);
void __xenvbd_publish_no_threads(struct xenvbd *vbd);
int xenvbd_publish_waiting(struct xenvbd *vbd, const char *text);
int xenvbd_publish_cgroup(struct xenvbd *vbd, const char *path);
int xenvbd_publish_refusal(struct xenvbd *vbd);
int xenvbd_publish_size(struct xenvbd *vbd);
int xenvbd_publish_or_owe(struct xenvbd *vbd, enum xenvbd_owed what);
bool xenvbd_publish_owed(struct xenvbd *vbd);

#endif /* XENVBD_PUBLISH_H */
