// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit test of the script language, TAP. Needs no Xen: the only command is `say`,
 * which prints its arguments, and a case is what a script prints.
 */
#include "script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define MAX_FILES	3
#define MAX_OUTPUT	4096

struct file {
	const char *name;
	const char *text;
};

struct test {
	const char *what;
	struct file files[MAX_FILES];
	const char *output;
};

#define UNDEFINED(name) "variable " name \
	" is not defined (include FILE NAME=VALUE, or -D NAME=VALUE)\n"

#define IN_MAIN "# main.fe:2: failed in include main.fe\n"

/* main.fe runs with -D GLOBAL=world */
static const struct test tests[] = {
	{
		"words, quotes, comments", {
			{ "main.fe",
			  "say one  two\t3 # four $NONE\n"
			  "  # nothing\n"
			  "\n"
			  "say \"a b\" c\" \"d \"\" e#f\n"
			  "say \"\\\"q\\\" \\$GLOBAL \\\\ \\. # $lower\"\n" },
		},
		"[one] [two] [3]\n"
		"[a b] [c d] [] [e#f]\n"
		"[\"q\" $GLOBAL \\ \\. # $lower]\n",
	}, {
		"key=value arguments", {
			{ "main.fe",
			  "say a=1 b \"c=2 3\" d=\"4 5\" \"e f=6\"\n" },
		},
		"[b] [e f=6] a=[1] c=[2 3] d=[4 5]\n",
	}, {
		"a value outside of quotes is split, inside it is not", {
			{ "main.fe",
			  "default TWO \"x=1 y z\"\n"
			  "default NONE \"\"\n"
			  "say $TWO \"$TWO\"\n"
			  "say a$NONE $NONE b \"$NONE\"\n" },
		},
		"[y] [z] x=[1] x=[1 y z]\n"
		"[a] [b] []\n",
	}, {
		"quotes, # and $ in a value are text", {
			{ "main.fe",
			  "default ODD \"\\\"a b\\\" #c \\$GLOBAL\"\n"
			  "say \"$ODD\"\n"
			  "say $ODD\n" },
		},
		"[\"a b\" #c $GLOBAL]\n"
		"[\"a] [b\"] [#c] [$GLOBAL]\n",
	}, {
		"the first default counts, and the command line before it", {
			{ "main.fe",
			  "default NAME 1\n"
			  "default NAME 2\n"
			  "default GLOBAL 3\n"
			  "say $NAME $GLOBAL\n" },
		},
		"[1] [world]\n",
	}, {
		"parameters, with blanks and quotes", {
			{ "main.fe",
			  "default OWN mine\n"
			  "include a.fe KEY=ring-ref VALUE=$OWN ERROR=\"2 \\\"a b\\\" = $GLOBAL\"\n" },
			{ "a.fe", "say $KEY=$VALUE \"$ERROR\"\n" },
		},
		"[2 \"a b\" = world] ring-ref=[mine]\n",
	}, {
		"a default of the included script, with and without a parameter", {
			{ "main.fe",
			  "include a.fe\n"
			  "include a.fe WHO=you\n"
			  "include a.fe WHO=\n"
			  "include a.fe\n" },
			{ "a.fe", "default WHO me\nsay \"$WHO\"\n" },
		},
		"[me]\n[you]\n[]\n[me]\n",
	}, {
		"a parameter hides a variable of the command line, there only", {
			{ "main.fe",
			  "include a.fe GLOBAL=hidden\n"
			  "say $GLOBAL\n" },
			{ "a.fe", "say $GLOBAL\n" },
		},
		"[hidden]\n[world]\n",
	}, {
		"the includer sees neither parameters nor defaults", {
			{ "main.fe",
			  "include a.fe NAME=x\n"
			  "say $NAME\n"
			  "say $OTHER\n"
			  "say on\n" },
			{ "a.fe", "default OTHER y\nsay $NAME $OTHER\n" },
		},
		"[x] [y]\n"
		"# main.fe:2: " UNDEFINED("NAME")
		"FAIL main.fe:2 say $NAME\n"
		"# main.fe:3: " UNDEFINED("OTHER")
		"FAIL main.fe:3 say $OTHER\n"
		"[on]\n",
	}, {
		"an included script sees nothing of its includer", {
			{ "main.fe", "default OWN mine\ninclude a.fe\n" },
			{ "a.fe", "say\nsay $OWN\n" },
		},
		"\n"
		"# a.fe:2: " UNDEFINED("OWN")
		"FAIL a.fe:2 say $OWN\n"
		"# main.fe:2: failed in include a.fe\n",
	}, {
		"includes in includes hand on what they name", {
			{ "main.fe",
			  "include a.fe X=1 Y=2\n"
			  "include a.fe X=3 Y=4\n" },
			{ "a.fe",
			  "say $X $Y\n"
			  "include b.fe X=$Y\n"
			  "say $X $Y\n" },
			{ "b.fe", "say $X\nsay $Y\n" },
		},
		"[1] [2]\n[2]\n"
		"# b.fe:2: " UNDEFINED("Y")
		"FAIL b.fe:2 say $Y\n"
		"# a.fe:2: failed in include b.fe X=2\n"
		"[1] [2]\n"
		"# main.fe:1: failed in include a.fe X=1 Y=2\n"
		"[3] [4]\n[4]\n"
		"# b.fe:2: " UNDEFINED("Y")
		"FAIL b.fe:2 say $Y\n"
		"# a.fe:2: failed in include b.fe X=4\n"
		"[3] [4]\n"
		"# main.fe:2: failed in include a.fe X=3 Y=4\n",
	}, {
		"a word that is no parameter", {
			{ "main.fe", "say\ninclude a.fe junk\nsay on\n" },
			{ "a.fe", "say included\n" },
		},
		"\n"
		"# main.fe:2: include FILE NAME=VALUE...: junk is no parameter\n"
		"FAIL main.fe:2 include a.fe junk\n",
	}, {
		"a parameter whose name is none", {
			{ "main.fe", "include a.fe A-B=1\n" },
			{ "a.fe", "say included\n" },
		},
		"# main.fe:1: \"A-B\" is no name of a variable: a capital, then letters, digits and _\n"
		"FAIL main.fe:1 include a.fe A-B=1\n",
	}, {
		"a parameter in small letters", {
			{ "main.fe", "include a.fe key=1\n" },
			{ "a.fe", "say included\n" },
		},
		"# main.fe:1: \"key\" is no name of a variable: a capital, then letters, digits and _\n"
		"FAIL main.fe:1 include a.fe key=1\n",
	}, {
		"a parameter that is not used", {
			{ "main.fe", "include a.fe KEY=1 ERRORS=2\nsay on\n" },
			{ "a.fe", "default ERROR none\nsay $KEY $ERROR\n" },
		},
		"[1] [none]\n"
		"# main.fe:1: a.fe does not use the parameter ERRORS\n"
		"FAIL main.fe:1 include a.fe KEY=1 ERRORS=2\n"
		"[on]\n",
	}, {
		"a default uses a parameter", {
			{ "main.fe", "include a.fe KEY=1\n" },
			{ "a.fe", "default KEY 2\n" },
		},
		"",
	}, {
		"a quote that does not end", {
			{ "main.fe",
			  "include a.fe KEY=\"1\n"
			  "say \"a\\\"\n"
			  "say on\n" },
			{ "a.fe", "say included\n" },
		},
		"# main.fe:1: a quote does not end\n"
		"FAIL main.fe:1 include a.fe KEY=\"1\n"
		"# main.fe:2: a quote does not end\n"
		"FAIL main.fe:2 say \"a\\\"\n"
		"[on]\n",
	}, {
		"a variable nobody has set, as a parameter", {
			{ "main.fe", "include a.fe KEY=$NONE\nsay on\n" },
			{ "a.fe", "say included\n" },
		},
		"# main.fe:1: " UNDEFINED("NONE")
		"FAIL main.fe:1 include a.fe KEY=$NONE\n"
		"[on]\n",
	}, {
		"a line that is longer than the buffer, by its variables", {
			{ "main.fe",
			  "default A \"this text has 32 characters, all \"\n"
			  "default B \"$A$A$A$A$A$A$A$A\"\n"
			  "say \"$B$B$B$B$B$B$B$B\"\n"
			  "say on\n" },
		},
		"# main.fe:3: the line is too long\n"
		"FAIL main.fe:3 say \"$B$B$B$B$B$B$B$B\"\n"
		"[on]\n",
	}, {
		"a script that is not there", {
			{ "main.fe", "say\ninclude none.fe KEY=1\nsay on\n" },
		},
		"\n"
		"# main.fe:2: cannot read none.fe: No such file or directory\n"
		"FAIL main.fe:2 include none.fe KEY=1\n",
	}, {
		"a script beside the one that includes it", {
			{ "main.fe", "include sub/a.fe X=1\nsay on\n" },
			{ "sub/a.fe", "include b.fe X=$X\n" },
			{ "sub/b.fe", "say $X\nsay $NONE\n" },
		},
		"[1]\n"
		"# sub/b.fe:2: " UNDEFINED("NONE")
		"FAIL sub/b.fe:2 say $NONE\n"
		"# sub/a.fe:1: failed in include b.fe X=1\n"
		"# main.fe:1: failed in include sub/a.fe X=1\n"
		"[on]\n",
	}, {
		"a script that includes itself", {
			{ "main.fe", "say 1\ninclude main.fe\nsay 2\n" },
		},
		"[1]\n[1]\n[1]\n[1]\n[1]\n[1]\n[1]\n[1]\n"
		"# main.fe:2: include: more than 8 scripts in one another\n"
		"FAIL main.fe:2 include main.fe\n"
		IN_MAIN IN_MAIN IN_MAIN IN_MAIN IN_MAIN IN_MAIN IN_MAIN,
	}, {
		"as deep again: what was too deep has left nothing", {
			{ "main.fe", "include a.fe X=1\n" },
			{ "a.fe", "include b.fe X=$X$X\n" },
			{ "b.fe", "say $X\n" },
		},
		"[11]\n",
	},
};

static void say(struct fe *fe, struct fe_args *args)
{
	unsigned int i;

	(void)fe;
	for (i = 0; i < args->nr_pos; i++)
		printf("%s[%s]", i ? " " : "", args->pos[i]);
	for (i = 0; i < args->nr_kv; i++) {
		printf("%s%s=[%s]", i + args->nr_pos ? " " : "",
		       args->kv[i].key, args->kv[i].value);
		args->used[i] = true;
	}
	putchar('\n');
}

const struct fe_cmd fe_dev_cmds[] = {
	{ "say", false, say, "[WORD]..." },
	{ NULL, false, NULL, NULL },
};
const struct fe_cmd fe_io_cmds[1];
const struct fe_cmd fe_sweep_cmds[1];
const struct fe_cmd fe_hostile_cmds[1];
const struct fe_cmd fe_walk_cmds[1];

char *fe_dev_read_be(struct fe_dev *dev, const char *key)
{
	(void)dev;
	(void)key;
	return NULL;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void write_file(const char *name, const char *text)
{
	FILE *out = fopen(name, "w");

	if (!out || fputs(text, out) < 0 || fclose(out))
		fail(name);
}

/* Run main.fe with its output in a file, and read that. */
static void run(char *output, size_t size)
{
	static struct fe fe;
	int saved = dup(STDOUT_FILENO);
	int out = open("output", O_CREAT | O_TRUNC | O_RDWR, 0600);
	ssize_t n;

	fflush(stdout);
	if (saved < 0 || out < 0 || dup2(out, STDOUT_FILENO) < 0)
		fail("output");
	fe_script_run(&fe, "main.fe");
	fflush(stdout);
	if (dup2(saved, STDOUT_FILENO) < 0)
		fail("output");
	n = pread(out, output, size - 1, 0);
	output[n < 0 ? 0 : n] = 0;
	close(saved);
	close(out);
}

static void print_lines(const char *what, const char *text)
{
	printf("# %s:\n# | ", what);
	for (; *text; text++)
		printf(*text == '\n' && text[1] ? "\n# | " : "%c", *text);
	if (text[-1] != '\n')
		putchar('\n');
}

static bool run_test(const struct test *test)
{
	char output[MAX_OUTPUT];
	unsigned int i;
	bool ok;

	for (i = 0; i < MAX_FILES && test->files[i].name; i++)
		write_file(test->files[i].name, test->files[i].text);
	run(output, sizeof(output));
	for (i = 0; i < MAX_FILES && test->files[i].name; i++)
		unlink(test->files[i].name);
	ok = !strcmp(output, test->output);
	if (!ok) {
		print_lines("printed", output);
		print_lines("expected", test->output);
	}
	return ok;
}

int main(void)
{
	unsigned int nr = sizeof(tests) / sizeof(tests[0]);
	char dir[] = "/tmp/script_test.XXXXXX";
	unsigned int i, failed = 0;

	if (!mkdtemp(dir) || chdir(dir) || mkdir("sub", 0700))
		fail(dir);
	fe_var_set_global("GLOBAL", "world");
	printf("1..%u\n", nr);
	for (i = 0; i < nr; i++) {
		bool ok = run_test(&tests[i]);

		failed += !ok;
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, tests[i].what);
	}
	unlink("output");
	if (rmdir("sub") || chdir("/") || rmdir(dir))
		fail(dir);
	return failed != 0;
}
