/* SPDX-License-Identifier: GPL-2.0-only */
/* What is advertised to frontends, and reported to the toolstack. */
#ifndef XENVBD_PUBLISH_H
#define XENVBD_PUBLISH_H

#include <linux/types.h>

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

/* What stands in xenstore. */
struct xenvbd_publish {
	/* So many threads. Under store_lock. */
	unsigned int nr_threads;
	/* Bits of enum xenvbd_owed: could not be written, and is tried again. */
	unsigned int owed;
};

int xenvbd_publish_transport(struct xenvbd *vbd);
int xenvbd_publish_disk(struct xenvbd *vbd);
void xenvbd_publish_no_threads(struct xenvbd *vbd);
void __xenvbd_publish_no_more(struct xenvbd *vbd);
int xenvbd_publish_waiting(struct xenvbd *vbd, const char *text);
int xenvbd_publish_cgroup(struct xenvbd *vbd, const char *path);
int xenvbd_publish_refusal(struct xenvbd *vbd);
int xenvbd_publish_size(struct xenvbd *vbd);
int xenvbd_publish_or_owe(struct xenvbd *vbd, enum xenvbd_owed what);
bool xenvbd_publish_owed(struct xenvbd *vbd);

#endif /* XENVBD_PUBLISH_H */
