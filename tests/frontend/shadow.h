/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the disk must contain, kept in memory sector by sector.
 */
#ifndef BLKFE_SHADOW_H
#define BLKFE_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

struct fe_shadow {
	uint64_t nr_sectors;
	uint8_t *data;
	uint8_t *known;
	uint32_t generation;
};

int fe_shadow_open(struct fe_shadow *sh, uint64_t nr_sectors,
		   unsigned int max_mib);
void fe_shadow_close(struct fe_shadow *sh);
void fe_shadow_forget(struct fe_shadow *sh, uint64_t sector, uint64_t nr);
void fe_shadow_store(struct fe_shadow *sh, uint64_t sector,
		     const uint8_t *data);
int fe_shadow_check(struct fe_shadow *sh, uint64_t sector,
		    const uint8_t *data);
void fe_shadow_make(struct fe_shadow *sh, uint64_t sector, int pattern,
		    uint8_t *out);
void fe_fill(uint8_t *out, unsigned int len, uint64_t seed);
uint64_t fe_random(uint64_t *state);
unsigned int fe_below(uint64_t *state, unsigned int n);

#endif
