// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splits a line into words, and puts in the variables. Each running script has a
 * scope of its own: what it was called with, and what it has set itself. Beyond
 * that a script sees the global scope only, that of the command line.
 */
#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define MAX_VARS	32

struct var {
	char *name;
	char *value;
	bool used;
};

struct scope {
	unsigned int nr;
	struct var vars[MAX_VARS];
};

/* The first one is the global scope. */
static struct scope scopes[FE_MAX_DEPTH + 1];
static unsigned int depth;

static struct var *find_in(struct scope *scope, const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < scope->nr; i++)
		if (strlen(scope->vars[i].name) == len &&
		    !strncmp(scope->vars[i].name, name, len))
			return &scope->vars[i];
	return NULL;
}

static struct var *find(const char *name, size_t len)
{
	struct var *var = find_in(&scopes[depth], name, len);

	return var ? var : find_in(&scopes[0], name, len);
}

static size_t name_len(const char *name)
{
	size_t len = 0;

	if (isupper((unsigned char)*name))
		while (isalnum((unsigned char)name[len]) || name[len] == '_')
			len++;
	return len;
}

static bool set_in(struct scope *scope, const char *name, const char *value,
		   bool used)
{
	size_t len = name_len(name);
	struct var *var;

	if (!len || name[len]) {
		fe_fail("\"%s\" is no name of a variable: a capital, then letters, digits and _",
			name);
		return false;
	}
	var = find_in(scope, name, len);
	if (!var && scope->nr == MAX_VARS) {
		fe_fail("more than %u variables", MAX_VARS);
		return false;
	}
	if (!var) {
		var = &scope->vars[scope->nr++];
		var->name = strdup(name);
	} else {
		free(var->value);
	}
	var->value = strdup(value);
	var->used = used;
	return true;
}

/**
 * fe_var_set() - set a variable of the running script, whatever it was
 *
 * Return: false after reporting a failure.
 */
bool fe_var_set(const char *name, const char *value)
{
	return set_in(&scopes[depth], name, value, true);
}

/**
 * fe_var_parameter() - give the script that starts a variable, which it has to use
 *
 * Return: false after reporting a failure.
 */
bool fe_var_parameter(const char *name, const char *value)
{
	return set_in(&scopes[depth], name, value, false);
}

/**
 * fe_var_set_global() - set a variable that all scripts see
 *
 * Return: false after reporting a failure.
 */
bool fe_var_set_global(const char *name, const char *value)
{
	return set_in(&scopes[0], name, value, true);
}

/**
 * fe_var_default() - set a variable of the running script unless it sees one
 *
 * So a script states defaults, which its caller and the command line override.
 *
 * Return: false after reporting a failure.
 */
bool fe_var_default(const char *name, const char *value)
{
	struct var *var = find(name, strlen(name));

	if (!var)
		return fe_var_set(name, value);
	var->used = true;
	return true;
}

/**
 * fe_scope_enter() - a script starts
 *
 * Return: false if too many are running, one in the other.
 */
bool fe_scope_enter(void)
{
	if (depth == FE_MAX_DEPTH)
		return false;
	depth++;
	return true;
}

/**
 * fe_scope_leave() - a script has ended; its variables go
 */
void fe_scope_leave(void)
{
	struct scope *scope = &scopes[depth--];

	while (scope->nr) {
		scope->nr--;
		free(scope->vars[scope->nr].name);
		free(scope->vars[scope->nr].value);
	}
}

/**
 * fe_scope_unused() - a parameter that the running script has not used
 *
 * Return: its name, NULL if there is none.
 */
const char *fe_scope_unused(void)
{
	struct scope *scope = &scopes[depth];
	unsigned int i;

	for (i = 0; i < scope->nr; i++)
		if (!scope->vars[i].used)
			return scope->vars[i].name;
	return NULL;
}

struct splitter {
	struct fe_line *line;
	bool in_word;
	bool quoted;
	bool overflow;
};

static void put(struct splitter *s, char c)
{
	if (s->line->len == sizeof(s->line->text))
		s->overflow = true;
	else
		s->line->text[s->line->len++] = c;
}

static void begin_word(struct splitter *s)
{
	if (s->in_word)
		return;
	s->in_word = true;
	if (s->line->nr == FE_MAX_WORDS)
		s->overflow = true;
	else
		s->line->words[s->line->nr++] = s->line->text + s->line->len;
}

static void end_word(struct splitter *s)
{
	if (s->in_word)
		put(s, 0);
	s->in_word = false;
}

/* Blanks end a word, unless they are quoted. */
static void put_char(struct splitter *s, char c)
{
	if (!s->quoted && isspace((unsigned char)c)) {
		end_word(s);
		return;
	}
	begin_word(s);
	put(s, c);
}

/* A value is text: quotes, # and $ in it mean nothing. */
static bool put_variable(struct splitter *s, const char *name, size_t len)
{
	struct var *var = find(name, len);
	const char *p;

	if (!var) {
		fe_fail("variable %.*s is not defined (include FILE NAME=VALUE, or -D NAME=VALUE)",
			(int)len, name);
		return false;
	}
	var->used = true;
	for (p = var->value; *p; p++)
		put_char(s, *p);
	return true;
}

/* Put what is at @in; returns how many characters of it, 0 after a failure. */
static size_t put_next(struct splitter *s, const char *in)
{
	size_t len = *in == '$' ? name_len(in + 1) : 0;

	if (len)
		return put_variable(s, in + 1, len) ? 1 + len : 0;
	if (*in == '"') {
		s->quoted = !s->quoted;
		begin_word(s);
		return 1;
	}
	if (s->quoted && *in == '\\' && in[1] && strchr("\"\\$", in[1])) {
		put_char(s, in[1]);
		return 2;
	}
	put_char(s, *in);
	return 1;
}

/**
 * fe_line_split() - split a line into words
 * @raw: the line
 * @line: set to its words, with the values of variables
 *
 * Return: false after reporting a failure.
 */
bool fe_line_split(const char *raw, struct fe_line *line)
{
	struct splitter s = { .line = line };
	size_t n;

	line->nr = 0;
	line->len = 0;
	while (*raw && (s.in_word || *raw != '#')) {
		n = put_next(&s, raw);
		if (!n)
			return false;
		raw += n;
	}
	if (s.quoted) {
		fe_fail("a quote does not end");
		return false;
	}
	end_word(&s);
	if (s.overflow)
		fe_fail("the line is too long");
	return !s.overflow;
}
