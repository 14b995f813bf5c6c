/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Granted pages: a fresh grant per request, or a pool that is used again and
 * again; and the check that the backend has let go of a grant we end.
 */
#ifndef BLKFE_PAGES_H
#define BLKFE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include <xengnttab.h>

struct fe_page {
	uint8_t *va;
	uint32_t ref;
	struct fe_page *next;
};

struct fe_grants {
	xengntshr_handle *gs;
	unsigned int domid;
	int kmsg_fd;
	bool detects;
	struct fe_page *pool;
	unsigned int nr_pool;
};

int fe_grants_open(struct fe_grants *g);
void fe_grants_close(struct fe_grants *g);
bool fe_grants_selftest(struct fe_grants *g, unsigned int own_domid);
void *fe_grants_share(struct fe_grants *g, unsigned int nr, uint32_t *refs,
		      bool writable);
bool fe_grants_end(struct fe_grants *g, void *va, unsigned int nr,
		   const uint32_t *refs);
struct fe_page *fe_pool_get(struct fe_grants *g);
void fe_pool_put(struct fe_grants *g, struct fe_page *page);
bool fe_pool_release(struct fe_grants *g);

#endif
