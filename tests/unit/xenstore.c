// SPDX-License-Identifier: GPL-2.0-only
/* For asprintf(). */
#define _GNU_SOURCE
#include <linux/err.h>
#include <linux/lock.h>
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "unit.h"
#include "xenstore.h"

#define MAX_LOG		4096
#define MAX_EVENTS	1024
#define MAX_WATCHES	128
#define MAX_TRANSACTIONS 8

/* ---- nodes -------------------------------------------------------------- */

/* One that was removed stays, without a value: its generation counts. */
struct node {
	struct node *next;
	char *path;
	char *value;
	/* When it was last changed; in a transaction: when it was first looked at. */
	unsigned int generation;
	/* By this transaction. */
	bool changed;
};

static struct node *store;
static unsigned int generation;

static struct node *node_find(struct node *nodes, const char *path)
{
	for (; nodes; nodes = nodes->next)
		if (!strcmp(nodes->path, path))
			return nodes;
	return NULL;
}

/* At the end: what is written first is committed first. */
static struct node *node_get(struct node **nodes, const char *path)
{
	for (; *nodes; nodes = &(*nodes)->next)
		if (!strcmp((*nodes)->path, path))
			return *nodes;
	*nodes = calloc(1, sizeof(**nodes));
	(*nodes)->path = strdup(path);
	return *nodes;
}

static void node_set(struct node *node, const char *value)
{
	free(node->value);
	node->value = value ? strdup(value) : NULL;
}

static void nodes_free(struct node **nodes)
{
	struct node *next;

	for (; *nodes; *nodes = next) {
		next = (*nodes)->next;
		free((*nodes)->path);
		free((*nodes)->value);
		free(*nodes);
	}
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

static bool is_at_or_below(const char *path, const char *dir)
{
	return !strcmp(path, dir) || is_below(path, dir);
}

/* ---- watches ------------------------------------------------------------ */

struct event {
	struct xenbus_watch *watch;
	char *path;
};

static struct xenbus_watch *watches[MAX_WATCHES];
static unsigned int nr_watches;
static struct event events[MAX_EVENTS];
static unsigned int nr_events;

static void event_add(struct xenbus_watch *watch, const char *path)
{
	/* Under a lock that does not sleep. */
	shim_atomic++;
	if (watch->will_handle && !watch->will_handle(watch, path, "")) {
		shim_atomic--;
		return;
	}
	shim_atomic--;
	expect(nr_events < MAX_EVENTS, "%s", path);
	events[nr_events++] = (struct event){ watch, strdup(path) };
}

static void event_del(unsigned int i)
{
	free(events[i].path);
	nr_events--;
	memmove(events + i, events + i + 1, (nr_events - i) * sizeof(*events));
}

/* What is removed is seen by those who watch something below, too. */
void xenstore_touch(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_watches; i++)
		if (is_at_or_below(path, watches[i]->node) || is_below(watches[i]->node, path))
			event_add(watches[i], path);
}

bool xenstore_fire(void)
{
	struct event event;

	if (!nr_events)
		return false;
	event = events[0];
	event.path = strdup(event.path);
	event_del(0);
	event.watch->callback(event.watch, event.path, "");
	free(event.path);
	return true;
}

unsigned int xenstore_nr_watches(void)
{
	return nr_watches;
}

bool xenstore_is_watched(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_watches; i++)
		if (!strcmp(watches[i]->node, path))
			return true;
	return false;
}

/* ---- the log ------------------------------------------------------------ */

char *xenstore_log[MAX_LOG];
unsigned int xenstore_log_nr;

static void log_add(const char *path, const char *value)
{
	char *line;

	expect(xenstore_log_nr < MAX_LOG, "%s", path);
	if (asprintf(&line, value ? "%s=%s" : "%s", path, value) < 0)
		fail();
	xenstore_log[xenstore_log_nr++] = line;
}

void xenstore_log_clear(void)
{
	while (xenstore_log_nr)
		free(xenstore_log[--xenstore_log_nr]);
}

int xenstore_log_find(const char *line)
{
	unsigned int i;

	for (i = 0; i < xenstore_log_nr; i++)
		if (!strcmp(xenstore_log[i], line))
			return i;
	return -1;
}

unsigned int xenstore_log_count(const char *path)
{
	size_t len = strlen(path);
	unsigned int i, nr = 0;

	for (i = 0; i < xenstore_log_nr; i++)
		nr += !strncmp(xenstore_log[i], path, len) && xenstore_log[i][len] == '=';
	return nr;
}

/* ---- faults ------------------------------------------------------------- */

void (*xenstore_hook)(enum xenstore_op op, const char *path);
unsigned int xenstore_max_open, xenstore_peak_open;

static unsigned int nr_calls, fail_at, collisions;
static int fail_err;
static enum xenstore_op failed_op;
static char *failed_path;
static struct {
	char *path;
	int err;
} bad_path[XENSTORE_NR_OPS];

void xenstore_fail_nth(unsigned int nth, int err)
{
	free(failed_path);
	failed_path = NULL;
	fail_at = nth ? nr_calls + nth : 0;
	fail_err = err;
}

bool xenstore_failed(enum xenstore_op *op, const char **path)
{
	if (op)
		*op = failed_op;
	if (path)
		*path = failed_path;
	return failed_path;
}

void xenstore_fail_path(enum xenstore_op op, const char *path, int err)
{
	free(bad_path[op].path);
	bad_path[op].path = path ? strdup(path) : NULL;
	bad_path[op].err = err;
}

void xenstore_collide(unsigned int nr)
{
	collisions = nr;
}

unsigned int xenstore_nr_calls(void)
{
	return nr_calls;
}

static void note_failure(enum xenstore_op op, const char *dir, const char *node)
{
	free(failed_path);
	failed_op = op;
	if (asprintf(&failed_path, node[0] ? "%s/%s" : "%s%s", dir, node) < 0)
		fail();
}

/* All calls come here first. */
static int call(enum xenstore_op op, const char *path)
{
	nr_calls++;
	if (xenstore_hook)
		xenstore_hook(op, path);
	if (nr_calls == fail_at) {
		note_failure(op, path, "");
		return fail_err;
	}
	if (bad_path[op].path && (!strcmp(bad_path[op].path, "*") ||
				  !strcmp(bad_path[op].path, path)))
		return bad_path[op].err;
	return 0;
}

/* ---- transactions ------------------------------------------------------- */

struct transaction {
	bool open;
	/* What it has looked at or changed. */
	struct node *nodes;
};

static struct transaction transactions[MAX_TRANSACTIONS];
static unsigned int nr_commits;

unsigned int xenstore_nr_open(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_TRANSACTIONS; i++)
		nr += transactions[i].open;
	return nr;
}

unsigned int xenstore_nr_commits(void)
{
	return nr_commits;
}

static struct transaction *transaction(struct xenbus_transaction xbt)
{
	if (!xbt.id)
		return NULL;
	expect(xbt.id <= MAX_TRANSACTIONS && transactions[xbt.id - 1].open, "transaction %u",
	       xbt.id);
	return &transactions[xbt.id - 1];
}

/* The node as the transaction sees it, NULL: nobody's. It remembers what it has looked at. */
static struct node *look(struct transaction *t, const char *path)
{
	struct node *node = node_find(store, path), *mine;

	if (!t)
		return node;
	mine = node_find(t->nodes, path);
	if (mine)
		return mine;
	mine = node_get(&t->nodes, path);
	node_set(mine, node ? node->value : NULL);
	mine->generation = node ? node->generation : 0;
	return mine;
}

static const char *value_of(struct transaction *t, const char *path)
{
	struct node *node = look(t, path);

	return node ? node->value : NULL;
}

/* A transaction's log is in the order of its writes. */
static void move_to_end(struct node **nodes, struct node *node)
{
	while (*nodes != node)
		nodes = &(*nodes)->next;
	*nodes = node->next;
	node->next = NULL;
	while (*nodes)
		nodes = &(*nodes)->next;
	*nodes = node;
}

/* By a transaction, or at once. */
static void change(struct transaction *t, const char *path, const char *value)
{
	struct node *node = t ? look(t, path) : node_get(&store, path);

	node_set(node, value);
	if (t) {
		node->changed = true;
		move_to_end(&t->nodes, node);
		return;
	}
	node->generation = ++generation;
	xenstore_touch(path);
}

/* By itself, or as the directory of something. */
static bool is_there(struct transaction *t, const char *path)
{
	struct node *node;

	if (value_of(t, path))
		return true;
	for (node = store; node; node = node->next)
		if (is_below(node->path, path) && value_of(t, node->path))
			return true;
	return false;
}

static void remove_below(struct transaction *t, const char *path)
{
	struct node *node;

	for (node = store; node; node = node->next)
		if (node->value && is_at_or_below(node->path, path) && value_of(t, node->path))
			change(t, node->path, NULL);
}

static bool has_collided(const struct transaction *t)
{
	const struct node *mine, *node;

	for (mine = t->nodes; mine; mine = mine->next) {
		node = node_find(store, mine->path);
		if ((node ? node->generation : 0) != mine->generation)
			return true;
	}
	return false;
}

static void commit(struct transaction *t)
{
	struct node *mine;

	nr_commits++;
	for (mine = t->nodes; mine; mine = mine->next) {
		if (!mine->changed)
			continue;
		change(NULL, mine->path, mine->value);
		log_add(mine->path, mine->value);
	}
}

int xenbus_transaction_start(struct xenbus_transaction *xbt)
{
	unsigned int i;
	int err = call(XENSTORE_START, "");

	if (err)
		return err;
	if (xenstore_nr_open() >= xenstore_max_open)
		return -ENOSPC;
	for (i = 0; transactions[i].open; i++)
		;
	transactions[i].open = true;
	if (xenstore_nr_open() > xenstore_peak_open)
		xenstore_peak_open = xenstore_nr_open();
	xbt->id = i + 1;
	return 0;
}

/* A transaction is over, whatever comes of it. */
int xenbus_transaction_end(struct xenbus_transaction xbt, int abort)
{
	struct transaction *t = transaction(xbt);
	int err = call(XENSTORE_END, "");

	if (!err && !abort && collisions) {
		collisions--;
		err = -EAGAIN;
	}
	if (!err && !abort && has_collided(t))
		err = -EAGAIN;
	if (!err && !abort)
		commit(t);
	nodes_free(&t->nodes);
	t->open = false;
	return err;
}

/* ---- single nodes ------------------------------------------------------- */

/* The kernel joins paths in memory of its own, which may be short. */
static char *path_join(enum xenstore_op op, const char *dir, const char *node)
{
	char *path = kmalloc(strlen(dir) + strlen(node) + 2, GFP_KERNEL);

	if (path)
		sprintf(path, node[0] ? "%s/%s" : "%s%s", dir, node);
	else
		note_failure(op, dir, node);
	return path;
}

void *xenbus_read(struct xenbus_transaction xbt, const char *dir, const char *node,
		  unsigned int *len)
{
	char *path = path_join(XENSTORE_READ, dir, node), *str = NULL;
	const char *value;
	int err;

	if (!path)
		return ERR_PTR(-ENOMEM);
	err = call(XENSTORE_READ, path);
	value = value_of(transaction(xbt), path);
	if (!err && !value)
		err = -ENOENT;
	if (!err) {
		str = kmalloc(strlen(value) + 1, GFP_KERNEL);
		err = str ? 0 : -ENOMEM;
		if (str)
			strcpy(str, value);
		else
			note_failure(XENSTORE_READ, dir, node);
	}
	if (!err && len)
		*len = strlen(str);
	kfree(path);
	return err ? ERR_PTR(err) : str;
}

int xenbus_exists(struct xenbus_transaction xbt, const char *dir, const char *node)
{
	char *path = path_join(XENSTORE_EXISTS, dir, node);
	int err, exists;

	if (!path)
		return 0;
	err = call(XENSTORE_EXISTS, path);
	exists = !err && is_there(transaction(xbt), path);
	kfree(path);
	return exists;
}

/* The names of what is below, by the first of what is there of each. */
static unsigned int list_below(struct transaction *t, const char *path, char **names,
			       unsigned int max)
{
	size_t len = strlen(path) + 1, i;
	unsigned int nr = 0;
	struct node *node;
	char *name;

	for (node = store; node; node = node->next) {
		if (!is_below(node->path, path) || !value_of(t, node->path))
			continue;
		name = strdup(node->path + len);
		name[strcspn(name, "/")] = 0;
		for (i = 0; i < nr && strcmp(names[i], name); i++)
			;
		if (i < nr || nr == max)
			free(name);
		else
			names[nr++] = name;
	}
	return nr;
}

char **xenbus_directory(struct xenbus_transaction xbt, const char *dir, const char *node,
			unsigned int *num)
{
	char *path = path_join(XENSTORE_DIRECTORY, dir, node), **names;
	unsigned int i;
	int err;

	if (!path)
		return ERR_PTR(-ENOMEM);
	err = call(XENSTORE_DIRECTORY, path);
	if (!err && !is_there(transaction(xbt), path))
		err = -ENOENT;
	names = err ? ERR_PTR(err) : kmalloc(64 * sizeof(*names), GFP_KERNEL);
	if (!err && !names) {
		note_failure(XENSTORE_DIRECTORY, dir, node);
		names = ERR_PTR(-ENOMEM);
	}
	if (!IS_ERR(names)) {
		*num = list_below(transaction(xbt), path, names, 64);
		/* The kernel has them in the same allocation. */
		for (i = 0; i < *num; i++)
			free(names[i]);
	}
	kfree(path);
	return names;
}

int xenbus_write(struct xenbus_transaction xbt, const char *dir, const char *node,
		 const char *string)
{
	char *path = path_join(XENSTORE_WRITE, dir, node);
	int err;

	if (!path)
		return -ENOMEM;
	err = call(XENSTORE_WRITE, path);
	if (!err) {
		change(transaction(xbt), path, string);
		if (!xbt.id)
			log_add(path, string);
	}
	kfree(path);
	return err;
}

int xenbus_printf(struct xenbus_transaction xbt, const char *dir, const char *node,
		  const char *fmt, ...)
{
	char *value = kmalloc(1024, GFP_KERNEL);
	va_list args;
	int err;

	if (!value) {
		note_failure(XENSTORE_WRITE, dir, node);
		return -ENOMEM;
	}
	va_start(args, fmt);
	(vsnprintf)(value, 1024, fmt, args);
	va_end(args);
	err = xenbus_write(xbt, dir, node, value);
	kfree(value);
	return err;
}

int xenbus_rm(struct xenbus_transaction xbt, const char *dir, const char *node)
{
	char *path = path_join(XENSTORE_RM, dir, node);
	int err;

	if (!path)
		return -ENOMEM;
	err = call(XENSTORE_RM, path);
	if (!err && !is_there(transaction(xbt), path))
		err = -ENOENT;
	if (!err) {
		remove_below(transaction(xbt), path);
		if (!xbt.id)
			log_add(path, NULL);
	}
	kfree(path);
	return err;
}

int xenbus_scanf(struct xenbus_transaction xbt, const char *dir, const char *node,
		 const char *fmt, ...)
{
	char *value = xenbus_read(xbt, dir, node, NULL);
	va_list args;
	int ret;

	if (IS_ERR(value))
		return PTR_ERR(value);
	va_start(args, fmt);
	ret = vsscanf(value, fmt, args);
	va_end(args);
	kfree(value);
	return ret > 0 ? ret : -ERANGE;
}

/* ---- watches, as the driver has them ------------------------------------ */

void xenstore_watch(struct xenbus_watch *watch)
{
	expect(nr_watches < MAX_WATCHES, "%s", watch->node);
	watches[nr_watches++] = watch;
	event_add(watch, watch->node);
}

int register_xenbus_watch(struct xenbus_watch *watch)
{
	int err = call(XENSTORE_WATCH, watch->node);

	if (!err)
		xenstore_watch(watch);
	return err;
}

/* Events that have not been delivered are dropped. */
void unregister_xenbus_watch(struct xenbus_watch *watch)
{
	unsigned int i;

	for (i = 0; i < nr_events; )
		if (events[i].watch == watch)
			event_del(i);
		else
			i++;
	for (i = 0; i < nr_watches && watches[i] != watch; i++)
		;
	expect(i < nr_watches, "%s is not watched", watch->node);
	watches[i] = watches[--nr_watches];
}

/* ---- as toolstack and guests see it ------------------------------------- */

void xenstore_set(const char *path, const char *fmt, ...)
{
	char value[4096];
	va_list args;

	va_start(args, fmt);
	(vsnprintf)(value, sizeof(value), fmt, args);
	va_end(args);
	change(NULL, path, value);
}

void xenstore_remove(const char *path)
{
	remove_below(NULL, path);
}

const char *xenstore_get(const char *path)
{
	return value_of(NULL, path);
}

void xenstore_reset(void)
{
	unsigned int i;

	while (nr_events)
		event_del(0);
	nr_watches = 0;
	nodes_free(&store);
	for (i = 0; i < MAX_TRANSACTIONS; i++) {
		nodes_free(&transactions[i].nodes);
		transactions[i].open = false;
	}
	for (i = 0; i < XENSTORE_NR_OPS; i++)
		xenstore_fail_path(i, NULL, 0);
	xenstore_fail_nth(0, 0);
	xenstore_log_clear();
	xenstore_collide(0);
	xenstore_hook = NULL;
	xenstore_max_open = MAX_TRANSACTIONS;
	xenstore_peak_open = 0;
	nr_calls = 0;
	nr_commits = 0;
}
