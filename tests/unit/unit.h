/* SPDX-License-Identifier: GPL-2.0-only */
/* What all unit tests share. */
#ifndef UNIT_H
#define UNIT_H

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef unsigned long long ull;

/*
 * A row of a table fails with words that name the row; cmocka's own
 * assertions would only name the line that all rows share.
 */
#define expect(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			fail_msg("%s: " fmt, #cond, ##__VA_ARGS__);	\
	} while (0)

#define RUN(tests)	cmocka_run_group_tests(tests, NULL, NULL)

/* Numbers for tests with many cases: the same in every run. */
static inline u32 prng(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif /* UNIT_H */
