// SPDX-License-Identifier: GPL-2.0-only
/*
 * A random walk: states and keys of the frontend that no sane one writes, and
 * what a toolstack does meanwhile, as fast as xenstore takes it.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

/* xenstored takes no more than 4 KiB with path and header. */
#define LONG_VALUE	3500

struct walk {
	uint64_t rng;
	/* percentage of steps that write a state, not a key */
	unsigned int states;
	/* of 1000 steps so many are the toolstack's */
	unsigned int toolstack;
	/* the longest, in microseconds */
	unsigned int pause;
	const char *disk;
	unsigned long nr_states;
	unsigned long nr_keys;
	unsigned long nr_toolstack;
	unsigned long nr_devices;
};

static const char *const keys[] = {
	"ring-ref", "ring-ref0", "ring-ref1", "ring-ref15", "event-channel",
	"ring-page-order", "num-ring-pages", "protocol", "feature-persistent",
	"multi-queue-num-queues", "queue-0/ring-ref", "queue-0/event-channel",
	"queue-1/ring-ref0", "queue-1/event-channel", "queue-63/ring-ref",
	"feature-large-sector-size", "device-type",
};

static const char *const values[] = {
	NULL, "", "0", "1", "2", "3", "4", "7", "8", "16", "64", "65", "1023",
	"-1", "-2147483648", "2147483648", "4294967295", "4294967296",
	"9223372036854775807", "18446744073709551615", "18446744073709551616",
	"99999999999999999999999999999999999999999999999999", "0x10", "010",
	"1 2", " 7", "7 ", "7\n", "1.5", "junk", "%s%n%p", "\xc3\xa4\xff\xfe\x01",
	"../../0", "x86_64-abi", "x86_32-abi", "native", "disk", "cdrom",
};

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static const char *random_value(struct walk *w)
{
	static char text[LONG_VALUE + 1];
	unsigned int i;

	if (fe_below(&w->rng, 50))
		return values[fe_below(&w->rng, NR(values))];
	for (i = 0; i < LONG_VALUE; i++)
		text[i] = (char)(1 + fe_below(&w->rng, 255));
	return text;
}

/* Not in a transaction, which costs three times as much. */
static void write_key(struct fe *fe, const char *key, const char *value)
{
	char path[FE_PATH_MAX * 2];

	snprintf(path, sizeof(path), "%s/%s", fe->dev.fe_path, key);
	if (value)
		fe_xs_write(&fe->dev, path, value);
	else
		fe_xs_rm(&fe->dev, path);
}

static void random_state(struct fe *fe, struct walk *w)
{
	/* Mostly those that lead somewhere */
	static const char *const states[] = {
		"1", "1", "1", "3", "3", "3", "4", "4", "4", "5", "5", "5", "6", "6", "6",
		"2", "7", "8", "9", "4294967295", "-1", "4294967300", " 4", "4 ",
	};

	/* One in a hundred may end the device */
	if (fe_below(&w->rng, 100))
		write_key(fe, "state", states[fe_below(&w->rng, NR(states))]);
	else
		write_key(fe, "state", random_value(w));
	w->nr_states++;
}

static void random_key(struct fe *fe, struct walk *w)
{
	write_key(fe, keys[fe_below(&w->rng, NR(keys))], random_value(w));
	w->nr_keys++;
}

/* Keys with which a connection comes about, now and then. */
static void good_keys(struct fe *fe, struct walk *w)
{
	static const struct fe_kv good[] = {
		{ "ring-page-order", NULL }, { "num-ring-pages", NULL },
		{ "multi-queue-num-queues", NULL }, { "feature-persistent", "1" },
		{ "protocol", "x86_64-abi" }, { "state", "3" },
	};

	if (fe->io.nr_rings)
		fe_publish(fe, NULL, 0);
	fe_xs_write_all(&fe->dev, fe->dev.fe_path, good, NR(good));
	w->nr_keys++;
}

/* What is the toolstack's is sane, though late, twice, or half done. */
static void toolstack(struct fe *fe, struct walk *w)
{
	struct fe_kv kv[2] = { { "online", "1" }, { "physical-device", w->disk } };
	size_t n = 1;

	switch (fe_below(&w->rng, 5)) {
	case 0:
		/* block-detach, and the device may come to its end */
		kv[0].value = "0";
		kv[1] = (struct fe_kv){ "state", "5" };
		n = 2;
		break;
	case 1:
		n = 2;
		break;
	case 2:
		kv[0] = (struct fe_kv){ "state", "5" };
		break;
	case 3:
		kv[0] = (struct fe_kv){ "hotplug-status", "connected" };
		break;
	}
	fe_xs_write_all(&fe->dev, fe->dev.be_path, kv, n);
	w->nr_toolstack++;
}

/* A device that the backend has let go is made anew, as a toolstack would. */
static void again_if_gone(struct fe *fe, struct walk *w)
{
	const struct fe_kv kv = { "physical-device", w->disk };

	if (fe_is_registered(fe))
		return;
	fe_dev_delete(&fe->dev);
	fe_dev_create(&fe->dev, &kv, 1);
	usleep(fe_below(&w->rng, 5000));
	w->nr_devices++;
}

static void step(struct fe *fe, struct walk *w, unsigned long i)
{
	if (fe_below(&w->rng, 1000) < w->toolstack)
		toolstack(fe, w);
	else if (fe_below(&w->rng, 100) < w->states)
		random_state(fe, w);
	else if (fe_below(&w->rng, 10))
		random_key(fe, w);
	else
		good_keys(fe, w);
	if (!(i % 20))
		again_if_gone(fe, w);
	/* Let the backend come to some state between two of ours, at times */
	if (!fe_below(&w->rng, 16))
		usleep(fe_below(&w->rng, w->pause));
}

static void cmd_walk(struct fe *fe, struct fe_args *args)
{
	unsigned long steps = fe_arg_num(args, "steps", 1000);
	uint64_t seed = fe_arg_num(args, "seed", 0);
	time_t limit = (time_t)fe_arg_num(args, "seconds", 0);
	struct walk w = {
		.states = (unsigned int)fe_arg_num(args, "states", 50),
		.toolstack = (unsigned int)fe_arg_num(args, "toolstack", 10),
		.pause = 1 + (unsigned int)fe_arg_num(args, "pause", 3000),
		.disk = fe_arg(args, "disk"),
	};
	time_t begin = time(NULL);
	unsigned long i;

	w.rng = seed ? seed : (uint64_t)begin;
	fe_note("seed %llu", (unsigned long long)w.rng);
	if (!w.disk) {
		fe_fail("needs disk=MAJOR:MINOR to make the vbd anew");
		return;
	}
	for (i = 0; limit ? time(NULL) - begin < limit : i < steps; i++)
		step(fe, &w, i);
	fe_note("%lu steps in %lu s: %lu states, %lu keys, %lu of the toolstack, %lu devices", i,
		(unsigned long)(time(NULL) - begin), w.nr_states, w.nr_keys, w.nr_toolstack,
		w.nr_devices);
	fe_dev_delete(&fe->dev);
	if (!fe_wait_unregistered(fe))
		fe_fail("the backend's kernel device is still there");
	/* Deleted like this the device goes first, and its rings a moment later. */
	sleep(1);
	fe_free(fe);
}

const struct fe_cmd fe_walk_cmds[] = {
	{ "walk", true, cmd_walk, "[steps=1000|seconds=N] [seed=TIME] [states=50] [toolstack=10] [pause=3000] disk=MAJOR:MINOR" },
	{ NULL, false, NULL, NULL },
};
