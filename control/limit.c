// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup of a vbd, as people set it: by a key of the backend's directory, or by
 * a file in sysfs that writes the key. So whatever driver is bound next finds it, and
 * what the toolstack reads is what counts.
 *
 * A limit that cannot be set must be seen: no guest connects with a key that is
 * wrong.
 */
#include <linux/cgroup.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "common.h"
#include "control/limit.h"
#include "control/store.h"
#include "control/vbd.h"

/* How much of a path is shown in a message. */
#define LIMIT_SHOWN	100

#ifdef CONFIG_BLK_CGROUP

/*
 * The io controller of a cgroup: none of an ancestor, whose limits would count
 * instead. A path is below the root of the caller's cgroup namespace.
 */
static struct cgroup_subsys_state *limit_find(const char *path)
{
	struct cgroup *cgroup = cgroup_get_from_path(path);
	struct cgroup_subsys_state *css;

	if (IS_ERR(cgroup))
		return ERR_CAST(cgroup);
	css = cgroup_get_e_css(cgroup, &io_cgrp_subsys);
	if (css->cgroup != cgroup) {
		css_put(css);
		css = ERR_PTR(-EOPNOTSUPP);
	}
	cgroup_put(cgroup);
	return css;
}

/* Below the root of all. Return its length, or a negative errno. */
static int limit_path(struct cgroup_subsys_state *css, char *buf, size_t size)
{
	int len = cgroup_path(css->cgroup, buf, size);

	return len >= (int)size ? -E2BIG : len;
}

/* It was removed, or has lost its controller; its parent's limits count then. */
static bool limit_is_dead(struct cgroup_subsys_state *css)
{
	return css_is_dying(css);
}

#else /* CONFIG_BLK_CGROUP */

static struct cgroup_subsys_state *limit_find(const char *path)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int limit_path(struct cgroup_subsys_state *css, char *buf, size_t size)
{
	return -EOPNOTSUPP;
}

static bool limit_is_dead(struct cgroup_subsys_state *css)
{
	return false;
}

#endif /* CONFIG_BLK_CGROUP */

/* What is wrong with a cgroup that limit_find() does not take. */
static const char *limit_wrong(int err)
{
	if (err != -EOPNOTSUPP)
		return "is no cgroup";
	return IS_ENABLED(CONFIG_BLK_CGROUP) ?
		       "has no io controller: write +io to its parent's cgroup.subtree_control" :
		       "needs a kernel with CONFIG_BLK_CGROUP";
}

static void limit_set(struct xenvbd *vbd, struct cgroup_subsys_state *css)
{
	xenvbd_cgroup_set(&vbd->cgroup, css);
	xenvbd_kick_rings(vbd);
}

/* What the key says. */
static int limit_read_key(struct xenvbd *vbd)
{
	const char *dir = vbd->xbdev->nodename;
	char *path = xenbus_read(XBT_NIL, dir, "cgroup", NULL);
	struct cgroup_subsys_state *css = NULL;

	if (IS_ERR(path) && PTR_ERR(path) != -ENOENT)
		return xenvbd_error(vbd, PTR_ERR(path), "reading %s/cgroup",
				    dir);
	if (IS_ERR(path))
		path = NULL;
	if (path && *path)
		css = limit_find(path);
	if (IS_ERR(css)) {
		xenvbd_error(vbd, PTR_ERR(css), "%s/cgroup: \"%*pE\" %s", dir,
			     (int)strnlen(path, LIMIT_SHOWN), path,
			     limit_wrong(PTR_ERR(css)));
	} else {
		limit_set(vbd, css);
		vbd->cgroup.wrong = false;
	}
	kfree(path);
	return PTR_ERR_OR_ZERO(css);
}

/**
 * xenvbd_limit_read - put a vbd where the key says
 * @vbd: the device
 *
 * Without a key, or with an empty one, it is in no cgroup. If the key is wrong the
 * vbd stays where it was.
 *
 * Context: process, vbd->lock held.
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_limit_read(struct xenvbd *vbd)
{
	int err;

	mutex_lock(&vbd->cgroup.key_lock);
	err = limit_read_key(vbd);
	mutex_unlock(&vbd->cgroup.key_lock);
	return err;
}

/**
 * xenvbd_limit_follow - the key was written
 * @vbd: a guest that it has keeps the cgroup that it had, if the key is wrong
 *
 * A guest that connects later gets the error then.
 *
 * Context: process, vbd->lock held.
 * Return: 0 or a negative errno; an error is not reported if something is short.
 */
int xenvbd_limit_follow(struct xenvbd *vbd)
{
	int err = xenvbd_limit_read(vbd);

	if (xenvbd_store_is_short(err))
		return err;
	if (err && vbd->nr_rings) {
		vbd->cgroup.wrong = true;
		xenvbd_error_report(vbd, err);
	}
	return err;
}

/**
 * xenvbd_limit_show - for sysfs
 * @vbd: the device
 * @buf: a page; gets the path, or an empty line
 *
 * Context: process.
 * Return: the length of the text or a negative errno.
 */
ssize_t xenvbd_limit_show(struct xenvbd *vbd, char *buf)
{
	struct cgroup_subsys_state *css = xenvbd_cgroup_get(&vbd->cgroup);
	int len = 0;

	if (css) {
		len = limit_path(css, buf, PAGE_SIZE);
		if (len >= 0 && limit_is_dead(css))
			len += sysfs_emit_at(buf, len, " (dead)");
		css_put(css);
	}
	return len < 0 ? len : len + sysfs_emit_at(buf, len, "\n");
}

/* Write the key, and then do what it says: it has to outlive us. */
static int limit_write(struct xenvbd *vbd, struct cgroup_subsys_state *css,
		       char *buf)
{
	int err = 0;

	if (css)
		err = limit_path(css, buf, PAGE_SIZE);
	else
		*buf = 0;
	mutex_lock(&vbd->cgroup.key_lock);
	if (err >= 0)
		err = xenvbd_publish_cgroup(vbd, buf);
	if (!err)
		limit_set(vbd, css);
	else if (css)
		css_put(css);
	mutex_unlock(&vbd->cgroup.key_lock);
	return err;
}

/**
 * xenvbd_limit_store - for sysfs
 * @vbd: the device
 * @buf: what was written: a path, or nothing to take the vbd out of its cgroup
 *
 * Context: process, without vbd->lock.
 * Return: 0 or a negative errno; then nothing has changed.
 */
int xenvbd_limit_store(struct xenvbd *vbd, const char *buf)
{
	char *copy = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct cgroup_subsys_state *css = NULL;
	char *path;
	int err;

	if (!copy)
		return -ENOMEM;
	strscpy(copy, buf, PAGE_SIZE);
	path = strim(copy);
	if (*path)
		css = limit_find(path);
	err = IS_ERR(css) ? PTR_ERR(css) : limit_write(vbd, css, copy);
	kfree(copy);
	return err;
}
