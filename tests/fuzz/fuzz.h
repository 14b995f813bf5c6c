/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer's bytes, taken one after the other; after the last all are 0. */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const u8 *data;
	size_t len;
};

static inline u64 take(struct input *in, unsigned int bytes)
{
	u64 v = 0;

	while (bytes--) {
		v <<= 8;
		if (in->len) {
			v |= *in->data++;
			in->len--;
		}
	}
	return v;
}

/* What must hold whatever the bytes were. */
#define require(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: broken: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#endif /* FUZZ_H */
