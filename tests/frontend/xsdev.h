/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenstore: the two directories of one vbd, its states and its error node.
 */
#ifndef BLKFE_XSDEV_H
#define BLKFE_XSDEV_H

#include <stdbool.h>
#include <stddef.h>

#include <xenstore.h>

#define FE_PATH_MAX 512

/* Connection states as xenbus numbers them. */
enum fe_state {
	FE_STATE_UNKNOWN = 0,
	FE_STATE_INITIALISING = 1,
	FE_STATE_INITWAIT = 2,
	FE_STATE_INITIALISED = 3,
	FE_STATE_CONNECTED = 4,
	FE_STATE_CLOSING = 5,
	FE_STATE_CLOSED = 6,
};

struct fe_kv {
	const char *key;
	const char *value;
};

struct fe_dev {
	struct xs_handle *xs;
	/*
	 * Watches have a connection of their own: the first one makes
	 * libxenstore start a thread, which slows all other calls down.
	 */
	struct xs_handle *watch_xs;
	unsigned int be_domid;
	unsigned int fe_domid;
	unsigned int devid;
	bool present;
	bool owned;
	char be_path[FE_PATH_MAX];
	char fe_path[FE_PATH_MAX];
	char err_path[FE_PATH_MAX];
};

int fe_dev_open(struct fe_dev *dev);
void fe_dev_close(struct fe_dev *dev);
int fe_dev_own_domid(struct fe_dev *dev);
int fe_dev_name(struct fe_dev *dev, unsigned int be, unsigned int fe,
		unsigned int devid, const char *base);
int fe_dev_create(struct fe_dev *dev, const struct fe_kv *kv, size_t nr_kv);
int fe_dev_delete(struct fe_dev *dev);

char *fe_xs_read(struct fe_dev *dev, const char *path);
int fe_xs_write(struct fe_dev *dev, const char *path, const char *value);
int fe_xs_rm(struct fe_dev *dev, const char *path);
int fe_xs_write_all(struct fe_dev *dev, const char *dir,
		    const struct fe_kv *kv, size_t nr_kv);
bool fe_xs_wait(struct fe_dev *dev, const char *path,
		bool (*done)(const char *value, void *arg), void *arg,
		unsigned int timeout_ms);

char *fe_dev_read_be(struct fe_dev *dev, const char *key);
char *fe_dev_read_fe(struct fe_dev *dev, const char *key);
unsigned long long fe_dev_be_number(struct fe_dev *dev, const char *key,
				    unsigned long long absent);
int fe_dev_set_state(struct fe_dev *dev, unsigned int state);
int fe_dev_be_state(struct fe_dev *dev);
int fe_dev_wait_be(struct fe_dev *dev, unsigned int mask,
		   unsigned int timeout_ms);
char *fe_dev_error(struct fe_dev *dev);

#endif
