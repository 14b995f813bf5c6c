/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A xenstore in memory, and the client's half of xenbus: paths with values,
 * transactions as the C xenstored has them, and watches. Everything is
 * deterministic: a watch fires when the test says so, and any call can be made to
 * fail.
 */
#ifndef UNIT_XENSTORE_H
#define UNIT_XENSTORE_H

#include <linux/types.h>

/* What the driver asks of the store. */
enum xenstore_op {
	XENSTORE_READ,
	XENSTORE_WRITE,
	XENSTORE_RM,
	XENSTORE_EXISTS,
	XENSTORE_DIRECTORY,
	XENSTORE_START,
	XENSTORE_END,
	XENSTORE_WATCH,
	/* private: */
	XENSTORE_NR_OPS
};

/* ---- as toolstack and guests see it ------------------------------------- */

void xenstore_reset(void);
void xenstore_set(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* With everything below. */
void xenstore_remove(const char *path);
/* NULL if there is none. Good until the next write. */
const char *xenstore_get(const char *path);

/* ---- faults ------------------------------------------------------------- */

/* The nth call from now on fails with a negative errno; 0: none does. */
void xenstore_fail_nth(unsigned int nth, int err);
/*
 * Has one failed, by this, or for want of memory? Tells in @op and @path what it was, if
 * they are not NULL.
 */
bool xenstore_failed(enum xenstore_op *op, const char **path);
/* Each call of this kind on this path fails; "*": on any; NULL: none does. */
void xenstore_fail_path(enum xenstore_op op, const char *path, int err);
/* So many commits find that something has changed meanwhile. */
void xenstore_collide(unsigned int nr);
/* Called before each call, in which others may be faster. */
extern void (*xenstore_hook)(enum xenstore_op op, const char *path);
/* So many transactions may be open at a time. */
extern unsigned int xenstore_max_open;

/* ---- for xenbus: the driver does not call them ---------------------------- */

struct xenbus_transaction;
struct xenbus_watch;

int xenbus_write(struct xenbus_transaction xbt, const char *dir, const char *node,
		 const char *string);
/* The same for xenbus's own watches, which do not fail. */
void xenstore_watch(struct xenbus_watch *watch);

/* ---- what was seen ------------------------------------------------------ */

unsigned int xenstore_nr_calls(void);
unsigned int xenstore_nr_open(void);
/* The most that were open at a time. */
extern unsigned int xenstore_peak_open;
unsigned int xenstore_nr_watches(void);
bool xenstore_is_watched(const char *path);
unsigned int xenstore_nr_commits(void);

/*
 * All that the driver has written, in order, a transaction's when it was
 * committed: "path=value", and "path" for what was removed.
 */
extern char *xenstore_log[];
extern unsigned int xenstore_log_nr;
void xenstore_log_clear(void);
/* Where in the log it first stands, or -1. */
int xenstore_log_find(const char *line);
/* How often a path was written, whatever to. */
unsigned int xenstore_log_count(const char *path);

/* Deliver one event of a watch. False if there is none. */
bool xenstore_fire(void);
/* Have the watches on a path fire, as if it were written. */
void xenstore_touch(const char *path);

#endif /* UNIT_XENSTORE_H */
