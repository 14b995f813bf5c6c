// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script language: reads a script line by line, runs the commands of the
 * language itself, and hands the others what they need of a line: arguments,
 * numbers, values to expect.
 */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct fe_cmd * const tables[] = {
	fe_dev_cmds, fe_io_cmds, fe_sweep_cmds, fe_hostile_cmds, fe_walk_cmds,
};

static bool is_key_value(const char *word)
{
	const char *p = word;

	while (isalnum((unsigned char)*p) || (*p && strchr("-_:/", *p)))
		p++;
	return p > word && *p == '=';
}

static void parse_args(struct fe *fe, char **words, unsigned int nr,
		       struct fe_args *args)
{
	unsigned int i;

	memset(args, 0, sizeof(*args));
	args->end = fe->io.features.sectors;
	for (i = 0; i < nr; i++) {
		char *eq = strchr(words[i], '=');

		if (!is_key_value(words[i])) {
			args->pos[args->nr_pos++] = words[i];
			continue;
		}
		*eq = 0;
		args->kv[args->nr_kv].key = words[i];
		args->kv[args->nr_kv++].value = eq + 1;
	}
}

/**
 * fe_arg() - value of a key=value argument
 *
 * Return: the value, NULL if the line does not have the key.
 */
const char *fe_arg(struct fe_args *args, const char *key)
{
	const char *value = NULL;
	unsigned int i;

	for (i = 0; i < args->nr_kv; i++) {
		if (!strcmp(args->kv[i].key, key)) {
			args->used[i] = true;
			value = args->kv[i].value;
		}
	}
	return value;
}

/**
 * fe_parse_num() - parse a number
 * @text: decimal, 0x hexadecimal, 2^N, or "end"; then +N or -N
 * @end: value of "end"
 * @out: the number modulo 2^64
 *
 * Return: false if @text is no number.
 */
bool fe_parse_num(const char *text, uint64_t end, uint64_t *out)
{
	uint64_t v;
	char *p;

	if (!strncmp(text, "end", 3)) {
		v = end;
		p = (char *)text + 3;
	} else if (!strncmp(text, "2^", 2)) {
		unsigned long bits = strtoul(text + 2, &p, 10);

		v = bits > 63 ? 0 : 1ull << bits;
	} else {
		errno = 0;
		v = strtoull(text, &p, 0);
		if (p == text || errno)
			return false;
	}
	if (*p == '+' || *p == '-') {
		bool minus = *p == '-';
		char *start = ++p;
		uint64_t d = strtoull(start, &p, 0);

		if (p == start)
			return false;
		v = minus ? v - d : v + d;
	}
	*out = v;
	return !*p;
}

/**
 * fe_arg_num() - numeric value of a key=value argument
 * @args: arguments
 * @key: key
 * @absent: value if the line does not have the key
 */
uint64_t fe_arg_num(struct fe_args *args, const char *key, uint64_t absent)
{
	const char *text = fe_arg(args, key);
	uint64_t v;

	if (!text)
		return absent;
	if (!fe_parse_num(text, args->end, &v)) {
		fe_fail("%s=%s: not a number", key, text);
		return absent;
	}
	return v;
}

/**
 * fe_arg_rest() - all arguments not taken yet, as xenstore keys
 *
 * The value "absent" becomes NULL.
 *
 * Return: number of keys.
 */
size_t fe_arg_rest(struct fe_args *args, struct fe_kv *kv, size_t max)
{
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < args->nr_kv && n < max; i++) {
		if (args->used[i])
			continue;
		args->used[i] = true;
		kv[n] = args->kv[i];
		if (!strcmp(kv[n].value, "absent"))
			kv[n].value = NULL;
		n++;
	}
	return n;
}

/**
 * fe_match() - does a value satisfy a check?
 * @want: text to be equal to, "~" and an extended regular expression, or
 *	"absent"
 * @value: value, NULL if there is none
 */
bool fe_match(const char *want, const char *value)
{
	regex_t re;
	bool ok;

	if (!strcmp(want, "absent"))
		return !value;
	if (!value)
		return false;
	if (*want != '~')
		return !strcmp(want, value);
	if (regcomp(&re, want + 1, REG_EXTENDED | REG_NOSUB)) {
		fe_fail("bad regular expression: %s", want + 1);
		return false;
	}
	ok = !regexec(&re, value, 0, NULL, 0);
	regfree(&re);
	return ok;
}

static const struct fe_cmd *find_cmd(const char *name)
{
	const struct fe_cmd *cmd;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (cmd = tables[i]; cmd->name; cmd++)
			if (!strcmp(cmd->name, name))
				return cmd;
	return NULL;
}

static void run_cmd(struct fe *fe, const struct fe_cmd *cmd, char **words,
		    unsigned int nr)
{
	struct fe_args args;
	unsigned int i;

	parse_args(fe, words, nr, &args);
	cmd->run(fe, &args);
	for (i = 0; i < args.nr_kv; i++)
		if (!args.used[i])
			fe_fail("%s does not know the argument %s", cmd->name,
				args.kv[i].key);
}

/* Beside the script that includes it. */
static void included_path(const char *from, const char *name, char *path,
			  size_t size)
{
	const char *slash = strrchr(from, '/');

	if (slash && *name != '/')
		snprintf(path, size, "%.*s/%s", (int)(slash - from), from, name);
	else
		snprintf(path, size, "%s", name);
}

/* Parameters of the script that has just been entered. */
static bool set_parameters(char **words, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		char *eq = strchr(words[i], '=');

		if (!eq) {
			fe_fail("include FILE NAME=VALUE...: %s is no parameter",
				words[i]);
			return false;
		}
		*eq = 0;
		if (!fe_var_parameter(words[i], eq + 1))
			return false;
	}
	return true;
}

static int run_file(struct fe *fe, const char *path);

/* include FILE [NAME=VALUE]... */
static int include(struct fe *fe, char **words, unsigned int nr)
{
	const char *unused = NULL;
	char path[512];
	int err = -EINVAL;

	included_path(fe_tap.file, words[1], path, sizeof(path));
	if (!fe_scope_enter()) {
		fe_fail("include: more than %u scripts in one another",
			FE_MAX_DEPTH);
		return -ELOOP;
	}
	if (set_parameters(words + 2, nr - 2)) {
		err = run_file(fe, path);
		unused = err ? NULL : fe_scope_unused();
	}
	if (unused)
		fe_fail("%s does not use the parameter %s", words[1], unused);
	fe_scope_leave();
	return err;
}

/* The rest of the script makes sense only if the backend offers something. */
static int needs(struct fe *fe, const char *key, const char *want)
{
	char *value = fe_dev_read_be(&fe->dev, key);
	char why[128];
	bool ok = fe_match(want, value);

	if (!ok) {
		snprintf(why, sizeof(why), "%s is %s", key,
			 value ? value : "absent");
		fe_tap_skip("rest of the script", why);
	}
	free(value);
	return ok ? 0 : -ECANCELED;
}

static void echo(char **words, unsigned int nr)
{
	unsigned int i;

	printf("#");
	for (i = 0; i < nr; i++)
		printf(" %s", words[i]);
	putchar('\n');
}

/* Commands of the language itself; true if the line was one. */
static bool run_builtin(struct fe *fe, char **words, unsigned int nr, int *err)
{
	if (!strcmp(words[0], "default") && nr == 3)
		fe_var_default(words[1], words[2]);
	else if (!strcmp(words[0], "include") && nr >= 2)
		*err = include(fe, words, nr);
	else if (!strcmp(words[0], "needs") && nr == 3)
		*err = needs(fe, words[1], words[2]);
	else if (!strcmp(words[0], "echo"))
		echo(words + 1, nr - 1);
	else
		return false;
	return true;
}

static void run_line(struct fe *fe, char **words, unsigned int nr,
		     const char *text)
{
	const struct fe_cmd *cmd = NULL;
	unsigned int repeat = 1;
	unsigned int skip = 0;

	if (!strcmp(words[0], "repeat") && nr > 2) {
		repeat = (unsigned int)strtoul(words[1], NULL, 0);
		skip = 2;
	}
	cmd = find_cmd(words[skip]);
	if (!cmd) {
		fe_fail("unknown command %s", words[skip]);
	} else if (repeat > 1) {
		char *copy[FE_MAX_WORDS];
		unsigned int i;

		while (repeat-- && !fe_failures()) {
			for (i = skip + 1; i < nr; i++)
				copy[i] = strdup(words[i]);
			run_cmd(fe, cmd, copy + skip + 1, nr - skip - 1);
			for (i = skip + 1; i < nr; i++)
				free(copy[i]);
		}
	} else {
		run_cmd(fe, cmd, words + skip + 1, nr - skip - 1);
	}
	fe_tap_end(!cmd || cmd->counts, text);
}

/* For the name of a test, where # would be a directive. */
static void join(const struct fe_line *line, char *text, size_t size)
{
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < line->nr && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", i ? " " : "",
				      line->words[i]);
	text[strcspn(text, "#\n")] = 0;
}

/* Returns -errno if the rest of the script makes no sense. */
static int run_raw_line(struct fe *fe, const char *raw)
{
	unsigned int failed = fe_tap.nr_failed;
	char text[FE_MAX_LINE];
	struct fe_line line;
	int err = 0;

	if (!fe_line_split(raw, &line)) {
		fe_tap_end(true, raw);
		return 0;
	}
	if (!line.nr)
		return 0;
	join(&line, text, sizeof(text));
	if (run_builtin(fe, line.words, line.nr, &err)) {
		/* Of a script that is included often: with which parameters? */
		if (fe_tap.nr_failed > failed)
			fe_note("%s:%u: failed in %s", fe_tap.file, fe_tap.line,
				text);
		fe_tap_end(false, text);
		return err;
	}
	fe_debug("%s:%u %s", fe_tap.file, fe_tap.line, text);
	run_line(fe, line.words, line.nr, text);
	return 0;
}

static int run_lines(struct fe *fe, const char *path, FILE *in)
{
	char raw[FE_MAX_LINE];
	unsigned int line_nr = 0;
	int err = 0;

	while (!err && fgets(raw, sizeof(raw), in)) {
		fe_tap_begin(path, ++line_nr);
		if (strlen(raw) == sizeof(raw) - 1) {
			fe_fail("the line is too long");
			fe_tap_end(true, "read script");
			return -E2BIG;
		}
		raw[strcspn(raw, "\n")] = 0;
		err = run_raw_line(fe, raw);
	}
	return err;
}

/* A script that cannot be read is a failure of the line that wants it. */
static int run_file(struct fe *fe, const char *path)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
	const char *from = fe_tap.file;
	unsigned int from_line = fe_tap.line;
	int err;

	if (!in) {
		err = -errno;
		fe_fail("cannot read %s: %s", path, strerror(-err));
		return err;
	}
	err = run_lines(fe, path, in);
	if (in != stdin)
		fclose(in);
	fe_tap_begin(from, from_line);
	return err;
}

/**
 * fe_script_run() - run a script
 * @fe: frontend
 * @path: file, "-" for stdin
 *
 * Return: 0 if all lines were executed, whatever their checks said, or -errno.
 */
int fe_script_run(struct fe *fe, const char *path)
{
	int err;

	fe_tap_begin(path, 0);
	fe_scope_enter();
	err = run_file(fe, path);
	fe_scope_leave();
	fe_tap_end(false, "run script");
	return err;
}

/**
 * fe_script_help() - print all commands
 */
void fe_script_help(void)
{
	const struct fe_cmd *cmd;
	size_t i;

	printf("default NAME VALUE | include FILE [NAME=VALUE]... | needs KEY VALUE | echo TEXT | repeat N COMMAND\n");
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (cmd = tables[i]; cmd->name; cmd++)
			printf("%s%s%s\n", cmd->name, *cmd->usage ? " " : "",
			       cmd->usage);
}
