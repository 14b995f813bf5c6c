// SPDX-License-Identifier: GPL-2.0-only
/* Commands about the device: directories, keys, states. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define MAX_KEYS 32

/* Frontends outside of "device" are invisible to a kernel's own frontend. */
static const char default_base[] = "blkfe";

static bool name_device(struct fe *fe, struct fe_args *args, const char *base)
{
	unsigned int own = (unsigned int)fe_dev_own_domid(&fe->dev);
	const char *b = fe_arg(args, "base");
	int err;

	if (fe->dev.present) {
		fe_fail("there is a vbd already: destroy it first");
		return false;
	}
	err = fe_dev_name(&fe->dev, (unsigned int)fe_arg_num(args, "be", 0),
			  (unsigned int)fe_arg_num(args, "fe", own),
			  (unsigned int)fe_arg_num(args, "devid", 51712),
			  b ? b : base);
	if (err)
		fe_fail("xenstore: %s", strerror(-err));
	return !err;
}

/* As the backend's texts name the directories. */
static void set_paths(struct fe *fe)
{
	char be[32];

	snprintf(be, sizeof(be), "backend/vbd/%u/%u", fe->dev.fe_domid,
		 fe->dev.devid);
	fe_var_set_global("BE", be);
	fe_var_set_global("FE", fe->dev.fe_path);
}

static void cmd_vbd(struct fe *fe, struct fe_args *args)
{
	struct fe_kv kv[MAX_KEYS];
	size_t n;
	int err;

	if (!name_device(fe, args, default_base))
		return;
	set_paths(fe);
	fe_shadow_close(&fe->io.shadow);
	n = fe_arg_rest(args, kv, MAX_KEYS);
	err = fe_dev_create(&fe->dev, kv, n);
	if (err)
		fe_fail("cannot create the vbd: %s", strerror(-err));
}

/* As a toolstack that has seen Closed, and uses the number again. */
static void cmd_replace(struct fe *fe, struct fe_args *args)
{
	struct fe_kv kv[MAX_KEYS];
	size_t n = fe_arg_rest(args, kv, MAX_KEYS);
	int err;

	fe_free(fe);
	fe_shadow_close(&fe->io.shadow);
	err = fe_dev_create(&fe->dev, kv, n);
	if (err)
		fe_fail("cannot replace the vbd: %s", strerror(-err));
}

static void cmd_attach(struct fe *fe, struct fe_args *args)
{
	char *frontend;

	if (!name_device(fe, args, "device"))
		return;
	fe_shadow_close(&fe->io.shadow);
	frontend = fe_dev_read_be(&fe->dev, "frontend");
	if (!frontend) {
		fe_fail("%s does not exist", fe->dev.be_path);
		return;
	}
	snprintf(fe->dev.fe_path, sizeof(fe->dev.fe_path), "%s", frontend);
	free(frontend);
	set_paths(fe);
	fe->dev.present = true;
	fe->dev.owned = false;
}

static void cmd_destroy(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_destroy(fe);
}

static void cmd_protocol(struct fe *fe, struct fe_args *args)
{
	const char *name = args->nr_pos ? args->pos[0] : "native";
	const struct fe_abi *abi = fe_abi_find(name);

	free(fe->protocol);
	fe->protocol = NULL;
	if (!strcmp(name, "absent")) {
		fe->abi = &fe_abi_x86_32;
		return;
	}
	if (abi)
		fe->abi = abi;
	fe->protocol = strdup(abi ? abi->name : name);
}

static void cmd_ring(struct fe *fe, struct fe_args *args)
{
	static const char * const schemes[] = {
		[FE_KEYS_DEFAULT] = "default", [FE_KEYS_ORDER] = "order",
		[FE_KEYS_NUM] = "num", [FE_KEYS_BOTH] = "both",
	};
	const char *scheme = fe_arg(args, "scheme");
	unsigned int i;

	fe->nr_pages = (unsigned int)fe_arg_num(args, "pages", 1);
	fe->nr_queues = (unsigned int)fe_arg_num(args, "queues", 1);
	fe->keys = FE_KEYS_DEFAULT;
	if (!fe->nr_pages || fe->nr_pages > FE_MAX_RING_PAGES ||
	    !fe->nr_queues || fe->nr_queues > FE_MAX_QUEUES) {
		fe_fail("1..%u pages and 1..%u queues, please",
			FE_MAX_RING_PAGES, FE_MAX_QUEUES);
		fe->nr_pages = fe->nr_queues = 1;
	}
	for (i = 0; scheme && i < 4; i++) {
		if (!strcmp(scheme, schemes[i])) {
			fe->keys = (enum fe_ring_keys)i;
			return;
		}
	}
	if (scheme)
		fe_fail("scheme is default, order, num or both");
}

static void cmd_persistent(struct fe *fe, struct fe_args *args)
{
	fe->io.use_persistent = args->nr_pos && !strcmp(args->pos[0], "on");
}

static void cmd_check(struct fe *fe, struct fe_args *args)
{
	const char *padding = fe_arg(args, "padding");
	const char *grants = fe_arg(args, "grants");
	const char *errors = fe_arg(args, "errors");
	unsigned int i;

	if (errors && strcmp(errors, "exact") && strcmp(errors, "any"))
		fe_fail("errors is exact or any");
	if (errors)
		fe->any_error = !strcmp(errors, "any");
	for (i = 0; padding && i < FE_MAX_QUEUES; i++)
		fe->io.rings[i].padding = !strcmp(padding, "zero") ?
			FE_PADDING_ZERO : !strcmp(padding, "any") ?
			FE_PADDING_ANY : FE_PADDING_NO_LEAK;
	if (!grants)
		return;
	fe->io.check_grants = strcmp(grants, "off");
	if (!strcmp(grants, "must") && !fe->io.grants.detects)
		fe_fail("this kernel does not tell about grants in use");
}

static void cmd_timeout(struct fe *fe, struct fe_args *args)
{
	fe->timeout_ms = (unsigned int)fe_arg_num(args, "state",
						  fe->timeout_ms);
	fe->io.timeout_ms = (unsigned int)fe_arg_num(args, "io",
						     fe->io.timeout_ms);
}

static void cmd_alloc(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_alloc(fe);
}

static void cmd_renew(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_renew(fe);
}

static void cmd_free(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_free(fe);
}

static void cmd_publish(struct fe *fe, struct fe_args *args)
{
	struct fe_kv kv[MAX_KEYS];
	size_t n = fe_arg_rest(args, kv, MAX_KEYS);

	fe_publish(fe, kv, n);
}

static void cmd_connect(struct fe *fe, struct fe_args *args)
{
	struct fe_kv kv[MAX_KEYS];
	size_t n = fe_arg_rest(args, kv, MAX_KEYS);

	fe_connect(fe, kv, n);
}

static void cmd_features(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_read_features(fe);
	if (fe_shadow_open(&fe->io.shadow, fe->io.features.sectors,
			   fe->shadow_mib))
		fe_fail("no memory for the shadow of the disk");
}

static void cmd_close(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_disconnect(fe);
}

static void cmd_reopen(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_dev_set_state(&fe->dev, FE_STATE_INITIALISING);
	fe_wait_be(fe, 1u << FE_STATE_INITWAIT);
}

/* Reconnect again and again; each time the disk must answer. */
static void cmd_cycle(struct fe *fe, struct fe_args *args)
{
	unsigned long count = fe_arg_num(args, "count", 10);
	static struct fe_io_spec spec;

	while (count-- && !fe_failures()) {
		if (fe_disconnect(fe))
			break;
		fe_dev_set_state(&fe->dev, FE_STATE_INITIALISING);
		if (!fe_wait_be(fe, 1u << FE_STATE_INITWAIT) ||
		    fe_connect(fe, NULL, 0))
			break;
		fe_io_spec_init(&spec, FE_OP_READ);
		fe_io_spec_full(&spec, 8);
		if (fe_io_submit(&fe->io, &spec))
			break;
		fe_io_push(&fe->io, FE_NOTIFY_AUTO);
		fe_io_wait(&fe->io, 0);
	}
}

static void cmd_state(struct fe *fe, struct fe_args *args)
{
	char path[FE_PATH_MAX + 16];

	if (args->nr_pos != 1) {
		fe_fail("state N");
		return;
	}
	snprintf(path, sizeof(path), "%s/state", fe->dev.fe_path);
	if (fe_xs_write(&fe->dev, path, args->pos[0]))
		fe_fail("cannot write %s", path);
}

static void cmd_wait_backend(struct fe *fe, struct fe_args *args)
{
	unsigned int mask = 0;
	unsigned int i;

	for (i = 0; i < args->nr_pos; i++)
		mask |= 1u << (strtoul(args->pos[i], NULL, 10) & 31);
	fe_wait_be(fe, mask);
}

static void side_path(struct fe *fe, char side, const char *key, char *path,
		      size_t size)
{
	const char *dir = side == 'b' ? fe->dev.be_path : fe->dev.fe_path;

	if (side == 'x')
		snprintf(path, size, "%s", key);
	else
		snprintf(path, size, "%s/%s", dir, key);
}

static void write_key(struct fe *fe, struct fe_args *args, char side)
{
	char path[FE_PATH_MAX * 2];
	int err;

	if (args->nr_pos != 2) {
		fe_fail("a key and a value, please");
		return;
	}
	side_path(fe, side, args->pos[0], path, sizeof(path));
	if (!strcmp(args->pos[1], "absent"))
		err = fe_xs_rm(&fe->dev, path);
	else
		err = fe_xs_write(&fe->dev, path, args->pos[1]);
	if (err)
		fe_fail("cannot write %s: %s", path, strerror(-err));
}

static void cmd_be_write(struct fe *fe, struct fe_args *args)
{
	write_key(fe, args, 'b');
}

static void cmd_fe_write(struct fe *fe, struct fe_args *args)
{
	write_key(fe, args, 'f');
}

static void cmd_xs_write(struct fe *fe, struct fe_args *args)
{
	write_key(fe, args, 'x');
}

static void read_key(struct fe *fe, struct fe_args *args, char side)
{
	char path[FE_PATH_MAX * 2];
	char *value;

	if (args->nr_pos != 2) {
		fe_fail("a key and the name of a variable, please");
		return;
	}
	side_path(fe, side, args->pos[0], path, sizeof(path));
	value = fe_xs_read(&fe->dev, path);
	if (value)
		fe_var_set(args->pos[1], value);
	else
		fe_fail("%s does not exist", path);
	free(value);
}

static void cmd_be_read(struct fe *fe, struct fe_args *args)
{
	read_key(fe, args, 'b');
}

static void cmd_fe_read(struct fe *fe, struct fe_args *args)
{
	read_key(fe, args, 'f');
}

static bool matches(const char *value, void *arg)
{
	return fe_match(arg, value);
}

static void expect_path(struct fe *fe, const char *path, const char *want,
			unsigned int timeout_ms)
{
	char *value;

	if (fe_xs_wait(&fe->dev, path, matches, (void *)want, timeout_ms))
		return;
	value = fe_xs_read(&fe->dev, path);
	fe_fail("%s is %s, expected %s", path, value ? value : "absent", want);
	free(value);
}

static void expect_key(struct fe *fe, struct fe_args *args, char side)
{
	unsigned int ms = (unsigned int)fe_arg_num(args, "timeout", 5000);
	char path[FE_PATH_MAX * 2];

	if (args->nr_pos != 2) {
		fe_fail("a key and a value, ~regex or absent, please");
		return;
	}
	side_path(fe, side, args->pos[0], path, sizeof(path));
	expect_path(fe, path, args->pos[1], ms);
}

static void cmd_expect_be(struct fe *fe, struct fe_args *args)
{
	expect_key(fe, args, 'b');
}

static void cmd_expect_fe(struct fe *fe, struct fe_args *args)
{
	expect_key(fe, args, 'f');
}

static void cmd_expect_xs(struct fe *fe, struct fe_args *args)
{
	expect_key(fe, args, 'x');
}

static void cmd_expect_error(struct fe *fe, struct fe_args *args)
{
	unsigned int ms = (unsigned int)fe_arg_num(args, "timeout", 5000);
	const char *want = args->nr_pos ? args->pos[0] : "~.";
	char path[FE_PATH_MAX + 16];

	if (args->nr_pos > 1) {
		fe_fail("one text, ~regex or absent, please");
		return;
	}
	if (fe->any_error && strcmp(want, "absent"))
		want = "~.";
	snprintf(path, sizeof(path), "%s/error", fe->dev.err_path);
	expect_path(fe, path, want, ms);
}

static void cmd_clear_error(struct fe *fe, struct fe_args *args)
{
	(void)args;
	fe_xs_rm(&fe->dev, fe->dev.err_path);
}

static void cmd_sleep(struct fe *fe, struct fe_args *args)
{
	(void)fe;
	usleep((useconds_t)fe_arg_num(args, "ms", 100) * 1000);
}

static void cmd_sh(struct fe *fe, struct fe_args *args)
{
	int status;

	(void)fe;
	if (args->nr_pos != 1) {
		fe_fail("sh \"COMMAND\"");
		return;
	}
	fflush(stdout);
	status = system(args->pos[0]);
	if (status)
		fe_fail("command ended with status %d",
			WIFEXITED(status) ? WEXITSTATUS(status) : status);
}

const struct fe_cmd fe_dev_cmds[] = {
	{ "vbd", false, cmd_vbd, "[devid=51712] [be=0] [fe=own] [base=blkfe] [KEY=VALUE|absent]... [fe:KEY=VALUE|absent]..." },
	{ "attach", false, cmd_attach, "[devid=51712] [be=0] [fe=own]" },
	{ "replace", false, cmd_replace, "[KEY=VALUE|absent]... [fe:KEY=VALUE|absent]..." },
	{ "destroy", true, cmd_destroy, "" },
	{ "protocol", false, cmd_protocol, "native|x86_32-abi|x86_64-abi|absent|TEXT" },
	{ "ring", false, cmd_ring, "[pages=1] [queues=1] [scheme=default|order|num|both]" },
	{ "persistent", false, cmd_persistent, "on|off" },
	{ "check", false, cmd_check, "[padding=no-leak|zero|any] [grants=on|off|must] [errors=exact|any]" },
	{ "timeout", false, cmd_timeout, "[state=MS] [io=MS]" },
	{ "alloc", false, cmd_alloc, "" },
	{ "renew", false, cmd_renew, "" },
	{ "free", true, cmd_free, "" },
	{ "publish", false, cmd_publish, "[KEY=VALUE|absent]..." },
	{ "connect", true, cmd_connect, "[KEY=VALUE|absent]..." },
	{ "features", false, cmd_features, "" },
	{ "close", true, cmd_close, "" },
	{ "reopen", true, cmd_reopen, "" },
	{ "cycle", true, cmd_cycle, "[count=10]" },
	{ "state", false, cmd_state, "N" },
	{ "wait-backend", true, cmd_wait_backend, "N..." },
	{ "be-write", false, cmd_be_write, "KEY VALUE|absent" },
	{ "fe-write", false, cmd_fe_write, "KEY VALUE|absent" },
	{ "xs-write", false, cmd_xs_write, "PATH VALUE|absent" },
	{ "be-read", false, cmd_be_read, "KEY NAME" },
	{ "fe-read", false, cmd_fe_read, "KEY NAME" },
	{ "expect-be", true, cmd_expect_be, "KEY VALUE|~REGEX|absent [timeout=5000]" },
	{ "expect-fe", true, cmd_expect_fe, "KEY VALUE|~REGEX|absent [timeout=5000]" },
	{ "expect-xs", true, cmd_expect_xs, "PATH VALUE|~REGEX|absent [timeout=5000]" },
	{ "expect-error", true, cmd_expect_error, "[TEXT|~REGEX|absent] [timeout=5000]" },
	{ "clear-error", false, cmd_clear_error, "" },
	{ "sleep", false, cmd_sleep, "[ms=100]" },
	{ "sh", true, cmd_sh, "\"COMMAND\"" },
	{ NULL, false, NULL, NULL },
};
