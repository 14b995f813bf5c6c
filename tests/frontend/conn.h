/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One vbd as the scripts see it: settings, handshake, rings up and down.
 */
#ifndef BLKFE_CONN_H
#define BLKFE_CONN_H

#include "io.h"
#include "xsdev.h"

enum fe_ring_keys {
	/* ring-ref for one page, ring-page-order for more */
	FE_KEYS_DEFAULT,
	/* ring-page-order and ring-refN, even for one page */
	FE_KEYS_ORDER,
	/* num-ring-pages and ring-refN */
	FE_KEYS_NUM,
	/* both schemes at once, as SUSE's frontend does */
	FE_KEYS_BOTH,
};

struct fe {
	struct fe_dev dev;
	struct fe_io_ctx io;
	/* Those that were replaced while the backend used them. */
	struct fe_ring old_rings[FE_MAX_QUEUES];
	unsigned int nr_old_rings;
	const struct fe_abi *abi;
	/* value of the protocol node; NULL: absent */
	char *protocol;
	unsigned int nr_pages;
	unsigned int nr_queues;
	enum fe_ring_keys keys;
	unsigned int timeout_ms;
	unsigned int shadow_mib;
	/* any text satisfies a script that expects an error */
	bool any_error;
};

int fe_open(struct fe *fe);
void fe_close(struct fe *fe);
int fe_alloc(struct fe *fe);
int fe_renew(struct fe *fe);
void fe_free(struct fe *fe);
int fe_publish(struct fe *fe, const struct fe_kv *kv, size_t nr_kv);
bool fe_wait_be(struct fe *fe, unsigned int mask);
int fe_connect(struct fe *fe, const struct fe_kv *kv, size_t nr_kv);
int fe_disconnect(struct fe *fe);
int fe_destroy(struct fe *fe);
bool fe_is_registered(struct fe *fe);
bool fe_wait_unregistered(struct fe *fe);
void fe_read_features(struct fe *fe);

#endif
