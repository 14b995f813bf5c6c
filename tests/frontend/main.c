// SPDX-License-Identifier: GPL-2.0-only
/*
 * blkfe - a blkif frontend in user space that obeys scripts
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "tap.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	/* A second signal kills: the backend may be the thing that hangs. */
	interrupted = sig;
	signal(sig, SIG_DFL);
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: blkfe [options] SCRIPT...\n"
		"  -t, --tap              print TAP\n"
		"  -v, --verbose          print each line before it runs\n"
		"  -D, --define NAME=VAL  set $NAME for the scripts\n"
		"  -s, --seed N           seed of ids and data\n"
		"  -k, --keep             leave the vbd behind\n"
		"  -l, --list             list the commands of the scripts\n"
		"  -h, --help\n"
		"SCRIPT is a file, or - for stdin. Exit status 0: all checks passed.\n");
}

static int define(char *arg)
{
	char *eq = strchr(arg, '=');

	if (!eq)
		return -1;
	*eq = 0;
	/* Of two definitions the first one counts. */
	return fe_var_default(arg, eq + 1) ? 0 : -1;
}

static void run_all(struct fe *fe, char **scripts, int nr, bool keep)
{
	int i;

	for (i = 0; i < nr && !interrupted; i++) {
		fe_script_run(fe, scripts[i]);
		if (keep || !fe->dev.present)
			continue;
		fe_tap_begin(scripts[i], 0);
		fe_destroy(fe);
		fe_tap_end(false, "destroy what the script left behind");
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tap", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "define", required_argument, NULL, 'D' },
		{ "seed", required_argument, NULL, 's' },
		{ "keep", no_argument, NULL, 'k' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct fe fe;
	uint64_t seed = 1;
	bool keep = false;
	int c;

	while ((c = getopt_long(argc, argv, "tvD:s:klh", options, NULL)) > 0) {
		switch (c) {
		case 't':
			fe_tap.tap = true;
			break;
		case 'v':
			fe_tap.verbose = true;
			break;
		case 'D':
			if (define(optarg)) {
				fprintf(stderr, "blkfe: -D NAME=VALUE\n");
				return 2;
			}
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'k':
			keep = true;
			break;
		case 'l':
			fe_script_help();
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (fe_open(&fe)) {
		fe_note("needs a Xen domain with xen-gntalloc, xen-evtchn and xenstore, and root");
		return 2;
	}
	fe.io.seed = seed;
	run_all(&fe, argv + optind, argc - optind, keep);
	fe_close(&fe);
	return fe_tap_finish();
}
