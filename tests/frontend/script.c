// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script language: reads a script line by line, puts in variables, runs the
 * commands of the language itself, and hands the others what they need of a line:
 * arguments, numbers, values to expect.
 */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define MAX_VARS	64
#define MAX_LINE	2048
#define MAX_DEPTH	8

static struct {
	char *name;
	char *value;
} vars[MAX_VARS];
static unsigned int nr_vars;
static unsigned int depth;

static const struct fe_cmd * const tables[] = {
	fe_dev_cmds, fe_io_cmds, fe_sweep_cmds, fe_hostile_cmds, fe_walk_cmds,
};

/**
 * fe_script_define() - set a variable; the first definition wins
 *
 * So a script can state defaults, which the command line overrides.
 *
 * Return: 0, or -errno.
 */
int fe_script_define(const char *name, const char *value)
{
	unsigned int i;

	for (i = 0; i < nr_vars; i++)
		if (!strcmp(vars[i].name, name))
			return 0;
	if (nr_vars == MAX_VARS)
		return -ENOSPC;
	vars[nr_vars].name = strdup(name);
	vars[nr_vars++].value = strdup(value);
	return 0;
}

static const char *lookup(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < nr_vars; i++)
		if (strlen(vars[i].name) == len &&
		    !strncmp(vars[i].name, name, len))
			return vars[i].value;
	return NULL;
}

/* Replace $NAME; an unknown variable is an error. */
static bool expand(const char *in, char *out, size_t size)
{
	size_t n = 0;

	while (*in && n + 1 < size) {
		const char *value;
		size_t len = 0;

		if (*in != '$' || !isupper((unsigned char)in[1])) {
			out[n++] = *in++;
			continue;
		}
		in++;
		while (isalnum((unsigned char)in[len]) || in[len] == '_')
			len++;
		value = lookup(in, len);
		if (!value) {
			fe_fail("variable %.*s is not defined (-D NAME=VALUE)",
				(int)len, in);
			return false;
		}
		while (*value && n + 1 < size)
			out[n++] = *value++;
		in += len;
	}
	out[n] = 0;
	return true;
}

/* Split in place; "double quotes" keep spaces and are removed. */
static unsigned int split(char *line, char **words)
{
	unsigned int nr = 0;
	char *out = line;

	while (*line && nr < FE_MAX_WORDS) {
		bool quoted = false;

		while (isspace((unsigned char)*line))
			line++;
		if (!*line || *line == '#')
			break;
		words[nr++] = out;
		for (; *line && (quoted || !isspace((unsigned char)*line));
		     line++) {
			if (*line == '"')
				quoted = !quoted;
			else
				*out++ = *line;
		}
		if (*line)
			line++;
		*out++ = 0;
	}
	return nr;
}

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

static int include(struct fe *fe, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	char path[512];

	if (slash && *name != '/')
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - from),
			 from, name);
	else
		snprintf(path, sizeof(path), "%s", name);
	return fe_script_run(fe, path);
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

/* Commands of the language itself; true if the line was one. */
static bool run_builtin(struct fe *fe, const char *path, char **words,
			unsigned int nr, int *err)
{
	if (!strcmp(words[0], "default") && nr == 3) {
		fe_script_define(words[1], words[2]);
	} else if (!strcmp(words[0], "include") && nr == 2) {
		*err = include(fe, path, words[1]);
	} else if (!strcmp(words[0], "needs") && nr == 3) {
		*err = needs(fe, words[1], words[2]);
	} else if (!strcmp(words[0], "echo")) {
		unsigned int i;

		printf("#");
		for (i = 1; i < nr; i++)
			printf(" %s", words[i]);
		putchar('\n');
	} else {
		return false;
	}
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

/**
 * fe_script_run() - run a script
 * @fe: frontend
 * @path: file, "-" for stdin
 *
 * Return: 0 if all lines were executed, whatever their checks said, or -errno.
 */
int fe_script_run(struct fe *fe, const char *path)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char raw[MAX_LINE], line[MAX_LINE], text[MAX_LINE];
	char *words[FE_MAX_WORDS];
	unsigned int line_nr = 0;
	int err = 0;

	if (!in || ++depth > MAX_DEPTH) {
		err = in ? -ELOOP : -errno;
		fe_tap_begin(path, 0);
		fe_fail("cannot read the script: %s", strerror(-err));
		fe_tap_end(true, "open script");
		return err;
	}
	while (!err && fgets(raw, sizeof(raw), in)) {
		unsigned int nr;

		fe_tap_begin(path, ++line_nr);
		raw[strcspn(raw, "\n")] = 0;
		if (raw[strspn(raw, " \t")] == '#')
			continue;
		if (!expand(raw, line, sizeof(line))) {
			fe_tap_end(true, raw);
			continue;
		}
		snprintf(text, sizeof(text), "%s",
			 line + strspn(line, " \t"));
		text[strcspn(text, "#")] = 0;
		nr = split(line, words);
		if (!nr || run_builtin(fe, path, words, nr, &err))
			continue;
		fe_debug("%s:%u %s", path, line_nr, text);
		run_line(fe, words, nr, text);
	}
	if (in != stdin)
		fclose(in);
	depth--;
	return err;
}

/**
 * fe_script_help() - print all commands
 */
void fe_script_help(void)
{
	const struct fe_cmd *cmd;
	size_t i;

	printf("default NAME VALUE | include FILE | needs KEY VALUE | echo TEXT | repeat N COMMAND\n");
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (cmd = tables[i]; cmd->name; cmd++)
			printf("%s%s%s\n", cmd->name, *cmd->usage ? " " : "",
			       cmd->usage);
}
