/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a script's line, and the variables they are made of.
 */
#ifndef BLKFE_WORDS_H
#define BLKFE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define FE_MAX_WORDS	64
#define FE_MAX_LINE	2048
#define FE_MAX_DEPTH	8

struct fe_line {
	unsigned int nr;
	char *words[FE_MAX_WORDS];
	/* the words, each with its end */
	size_t len;
	char text[FE_MAX_LINE];
};

bool fe_line_split(const char *raw, struct fe_line *line);

bool fe_scope_enter(void);
void fe_scope_leave(void);
const char *fe_scope_unused(void);
bool fe_var_parameter(const char *name, const char *value);
bool fe_var_set(const char *name, const char *value);
bool fe_var_set_global(const char *name, const char *value);
bool fe_var_default(const char *name, const char *value);

#endif
