// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy of the disk in memory, as far as it is known, and the random data
 * that is written to it.
 */
#include "shadow.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi.h"

/**
 * fe_random() - next number of a small deterministic generator (splitmix64)
 */
uint64_t fe_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/**
 * fe_below() - the same, from 0 to @n - 1
 */
unsigned int fe_below(uint64_t *state, unsigned int n)
{
	return (unsigned int)(fe_random(state) % n);
}

/**
 * fe_fill() - fill a buffer with bytes that depend on a seed
 * @out: buffer
 * @len: bytes, a multiple of 8
 * @seed: seed
 */
void fe_fill(uint8_t *out, unsigned int len, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t v = fe_random(&seed);

		memcpy(out + i, &v, sizeof(v));
	}
}

/**
 * fe_shadow_open() - remember nothing of a disk
 * @sh: shadow
 * @nr_sectors: size of the disk
 * @max_mib: remember at most the first so many MiB
 *
 * Return: 0, or -errno.
 */
int fe_shadow_open(struct fe_shadow *sh, uint64_t nr_sectors,
		   unsigned int max_mib)
{
	uint64_t max = (uint64_t)max_mib * (1024 * 1024 / FE_SECTOR_SIZE);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (nr_sectors > max)
		nr_sectors = max;
	if (sh->data && sh->nr_sectors == nr_sectors)
		return 0;
	fe_shadow_close(sh);
	if (!nr_sectors)
		return 0;
	sh->data = mmap(NULL, nr_sectors * FE_SECTOR_SIZE,
			PROT_READ | PROT_WRITE, flags, -1, 0);
	if (sh->data == MAP_FAILED) {
		sh->data = NULL;
		return -errno;
	}
	sh->known = mmap(NULL, nr_sectors, PROT_READ | PROT_WRITE, flags, -1,
			 0);
	if (sh->known == MAP_FAILED) {
		munmap(sh->data, nr_sectors * FE_SECTOR_SIZE);
		sh->data = NULL;
		sh->known = NULL;
		return -ENOMEM;
	}
	sh->nr_sectors = nr_sectors;
	return 0;
}

/**
 * fe_shadow_close() - free a shadow
 */
void fe_shadow_close(struct fe_shadow *sh)
{
	if (!sh->data)
		return;
	munmap(sh->data, sh->nr_sectors * FE_SECTOR_SIZE);
	munmap(sh->known, sh->nr_sectors);
	sh->data = NULL;
	sh->known = NULL;
	sh->nr_sectors = 0;
}

/**
 * fe_shadow_forget() - the content of these sectors is unknown from now on
 */
void fe_shadow_forget(struct fe_shadow *sh, uint64_t sector, uint64_t nr)
{
	if (sector >= sh->nr_sectors)
		return;
	if (nr > sh->nr_sectors - sector)
		nr = sh->nr_sectors - sector;
	memset(sh->known + sector, 0, nr);
}

/**
 * fe_shadow_store() - a sector with this content has been written
 */
void fe_shadow_store(struct fe_shadow *sh, uint64_t sector,
		     const uint8_t *data)
{
	if (sector >= sh->nr_sectors)
		return;
	memcpy(sh->data + sector * FE_SECTOR_SIZE, data, FE_SECTOR_SIZE);
	sh->known[sector] = 1;
}

/**
 * fe_shadow_check() - compare a sector that has been read
 *
 * A sector never seen before is learnt: the next read must give the same.
 *
 * Return: -1 if equal or unknown, else the offset of the first wrong byte.
 */
int fe_shadow_check(struct fe_shadow *sh, uint64_t sector,
		    const uint8_t *data)
{
	const uint8_t *want;
	int i;

	if (sector >= sh->nr_sectors)
		return -1;
	want = sh->data + sector * FE_SECTOR_SIZE;
	if (!sh->known[sector]) {
		fe_shadow_store(sh, sector, data);
		return -1;
	}
	if (!memcmp(want, data, FE_SECTOR_SIZE))
		return -1;
	for (i = 0; want[i] == data[i]; i++)
		;
	return i;
}

/**
 * fe_shadow_make() - make up the content of a sector to be written
 * @sh: shadow
 * @sector: sector number, part of the content
 * @pattern: a byte to fill the sector with; negative: unique content
 * @out: 512 bytes
 */
void fe_shadow_make(struct fe_shadow *sh, uint64_t sector, int pattern,
		    uint8_t *out)
{
	if (pattern >= 0)
		memset(out, pattern, FE_SECTOR_SIZE);
	else
		fe_fill(out, FE_SECTOR_SIZE,
			sector << 32 ^ ++sh->generation ^ 0x626c6b6665ull);
}
