/* SPDX-License-Identifier: GPL-2.0-only */
/* How an error reaches people. */
#ifndef XENVBD_ERROR_H
#define XENVBD_ERROR_H

#include <linux/compiler.h>
#include <linux/ratelimit.h>

struct xenbus_transaction;
struct xenvbd;

/* What went wrong with a vbd last. */
struct xenvbd_error {
	char text[256];
	/* What is short was reported, and is short still. */
	bool short_reported;
	/* Something was short when the work item ran last. */
	bool is_short;
	/* Another disk was not taken, or the toolstack could not be told of it. */
	bool refused;
	/* There is a node, or may be one: of a driver before, or of xenbus. */
	bool node;
	/* A vbd logs so often at the most. */
	struct ratelimit_state log;
};

void xenvbd_error_init(struct xenvbd_error *error);
__printf(3, 4)
int xenvbd_error(struct xenvbd *vbd, int err, const char *fmt, ...);
void xenvbd_error_fatal(struct xenvbd *vbd, int err);
void xenvbd_error_report(struct xenvbd *vbd, int err);
void xenvbd_error_note(struct xenvbd *vbd, int err);
void xenvbd_error_warn(struct xenvbd *vbd, int err);
bool xenvbd_error_stands(const struct xenvbd *vbd);
int xenvbd_error_clear(struct xenvbd *vbd, struct xenbus_transaction xbt);
bool xenvbd_error_settle(struct xenvbd *vbd);

#endif /* XENVBD_ERROR_H */
