// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the checks, and prints them as TAP or for people, each with its
 * script and line.
 */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>

/* A broken backend fails a sweep thousands of times: print the first few. */
#define MAX_DIAGS_PER_LINE 12

struct fe_tap fe_tap;

/**
 * fe_tap_begin() - a script line starts; failures from now on belong to it
 */
void fe_tap_begin(const char *file, unsigned int line)
{
	fe_tap.file = file;
	fe_tap.line = line;
	fe_tap.line_failures = 0;
}

/**
 * fe_fail() - record a failed check of the current script line
 *
 * The line goes on: one response may be wrong in several ways.
 */
void fe_fail(const char *fmt, ...)
{
	va_list ap;

	if (++fe_tap.line_failures > MAX_DIAGS_PER_LINE)
		return;
	printf("# %s:%u: ", fe_tap.file ? fe_tap.file : "blkfe", fe_tap.line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (fe_tap.line_failures == MAX_DIAGS_PER_LINE)
		printf("# further failures of this line are only counted\n");
	fflush(stdout);
}

/**
 * fe_note() - print a diagnostic that is no failure
 */
void fe_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/**
 * fe_debug() - print a diagnostic with --verbose only
 */
void fe_debug(const char *fmt, ...)
{
	va_list ap;

	if (!fe_tap.verbose)
		return;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/**
 * fe_failures() - failed checks of the current line so far
 */
unsigned int fe_failures(void)
{
	return fe_tap.line_failures;
}

/**
 * fe_tap_end() - the script line is done
 * @counts: the line is a check; a line that only prepares counts if it failed
 * @what: description
 */
void fe_tap_end(bool counts, const char *what)
{
	bool ok = !fe_tap.line_failures;

	if (!counts && ok)
		return;
	fe_tap.nr_tests++;
	if (!ok) {
		fe_tap.nr_failed++;
		if (fe_tap.line_failures > 1)
			printf("# %u failed checks in this line\n",
			       fe_tap.line_failures);
	}
	if (fe_tap.tap)
		printf("%sok %u - %s:%u %s\n", ok ? "" : "not ",
		       fe_tap.nr_tests, fe_tap.file, fe_tap.line, what);
	else if (!ok || fe_tap.verbose)
		printf("%s %s:%u %s\n", ok ? "PASS" : "FAIL", fe_tap.file,
		       fe_tap.line, what);
	fflush(stdout);
	fe_tap.line_failures = 0;
}

/**
 * fe_tap_skip() - count a check as skipped
 */
void fe_tap_skip(const char *what, const char *why)
{
	fe_tap.nr_tests++;
	if (fe_tap.tap)
		printf("ok %u - %s:%u %s # SKIP %s\n", fe_tap.nr_tests,
		       fe_tap.file, fe_tap.line, what, why);
	else
		printf("SKIP %s:%u %s: %s\n", fe_tap.file, fe_tap.line, what,
		       why);
	fflush(stdout);
}

/**
 * fe_tap_finish() - print plan or summary
 *
 * Return: the exit status of the program.
 */
int fe_tap_finish(void)
{
	if (fe_tap.tap)
		printf("1..%u\n", fe_tap.nr_tests);
	else
		printf("%u checks, %u failed\n", fe_tap.nr_tests,
		       fe_tap.nr_failed);
	fflush(stdout);
	return fe_tap.nr_failed || !fe_tap.nr_tests;
}
