/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results: each script line that checks something is one TAP test.
 */
#ifndef BLKFE_TAP_H
#define BLKFE_TAP_H

#include <stdbool.h>

struct fe_tap {
	bool tap;
	bool verbose;
	unsigned int nr_tests;
	unsigned int nr_failed;
	unsigned int line_failures;
	const char *file;
	unsigned int line;
};

extern struct fe_tap fe_tap;

void fe_tap_begin(const char *file, unsigned int line);
void fe_tap_end(bool counts, const char *what);
void fe_tap_skip(const char *what, const char *why);
int fe_tap_finish(void);
void fe_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fe_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fe_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
unsigned int fe_failures(void);

#endif
