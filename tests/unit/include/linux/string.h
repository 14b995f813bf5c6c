/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_STRING_H
#define SHIM_LINUX_STRING_H

/*
 * A test that counts accesses to memory brings a memcpy() of its own: the C
 * library's reads some bytes twice, with loads that overlap.
 */
#ifdef SHIM_MEMCPY
#include <stddef.h>
void *SHIM_MEMCPY(void *dst, const void *src, size_t len);
#define memcpy	SHIM_MEMCPY
#else
#include <string.h>
#endif

#endif /* SHIM_LINUX_STRING_H */
