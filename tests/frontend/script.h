/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The script language: lines of words, key=value arguments, scripts that include others.
 */
#ifndef BLKFE_SCRIPT_H
#define BLKFE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "words.h"

struct fe_args {
	/* words without '=' before or after the key=value words */
	unsigned int nr_pos;
	const char *pos[FE_MAX_WORDS];
	unsigned int nr_kv;
	struct fe_kv kv[FE_MAX_WORDS];
	bool used[FE_MAX_WORDS];
	/* disk size, for "end" in numbers */
	uint64_t end;
};

struct fe_cmd {
	const char *name;
	/* the line is a check: one TAP test */
	bool counts;
	void (*run)(struct fe *fe, struct fe_args *args);
	const char *usage;
};

int fe_script_run(struct fe *fe, const char *path);
void fe_script_help(void);

const char *fe_arg(struct fe_args *args, const char *key);
uint64_t fe_arg_num(struct fe_args *args, const char *key, uint64_t absent);
bool fe_parse_num(const char *text, uint64_t end, uint64_t *out);
size_t fe_arg_rest(struct fe_args *args, struct fe_kv *kv, size_t max);

/* A value a check wants: text, ~regex, or the word absent. */
bool fe_match(const char *want, const char *value);

extern const struct fe_cmd fe_dev_cmds[];
extern const struct fe_cmd fe_io_cmds[];
extern const struct fe_cmd fe_sweep_cmds[];
extern const struct fe_cmd fe_hostile_cmds[];
extern const struct fe_cmd fe_walk_cmds[];

#endif
