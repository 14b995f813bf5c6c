// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups and their io controllers, whose references are counted. */
#include "fake.h"
#include "unit.h"

#include <errno.h>
#include <linux/cgroup.h>

struct cgroup {
	char path[4096];
	/* NULL of the root, which has no other. */
	struct cgroup *parent;
	/* It has an io controller of its own. */
	bool has_io;
	bool removed;
	int refs;
	struct cgroup_subsys_state io;
};

#define NR_CGROUPS	8

struct cgroup_subsys io_cgrp_subsys = { "io" };

static struct cgroup cgroups[NR_CGROUPS];
static unsigned int nr_cgroups;

struct cgroup *fake_cgroup(const char *path, bool has_io)
{
	struct cgroup *cgroup = &cgroups[nr_cgroups];

	shim_bug_on(nr_cgroups == NR_CGROUPS);
	snprintf(cgroup->path, sizeof(cgroup->path), "%s", path);
	cgroup->parent = nr_cgroups++ ? &cgroups[0] : NULL;
	cgroup->has_io = has_io;
	cgroup->io.cgroup = cgroup;
	return cgroup;
}

void fake_cgroup_remove(struct cgroup *cgroup)
{
	cgroup->removed = true;
	cgroup->io.dying = true;
}

struct cgroup_subsys_state *fake_cgroup_io(struct cgroup *cgroup)
{
	return &cgroup->io;
}

struct cgroup *cgroup_get_from_path(const char *path)
{
	unsigned int i;

	might_sleep();
	while (path[0] == '/' && path[1] == '/')
		path++;
	for (i = 0; i < nr_cgroups; i++) {
		/* A slash in front makes no difference. */
		if (cgroups[i].removed || strcmp(cgroups[i].path + (*path != '/'), path))
			continue;
		cgroups[i].refs++;
		return &cgroups[i];
	}
	return ERR_PTR(strstr(path, "io.max") ? -ENOTDIR : -ENOENT);
}

void cgroup_put(struct cgroup *cgroup)
{
	shim_bug_on(cgroup->refs <= 0);
	cgroup->refs--;
}

struct cgroup_subsys_state *cgroup_get_e_css(struct cgroup *cgroup, struct cgroup_subsys *subsys)
{
	shim_bug_on(subsys != &io_cgrp_subsys);
	while (!cgroup->has_io && cgroup->parent)
		cgroup = cgroup->parent;
	css_get(&cgroup->io);
	return &cgroup->io;
}

int cgroup_path(struct cgroup *cgroup, char *buf, size_t size)
{
	return snprintf(buf, size, "%s", cgroup->path);
}

void css_get(struct cgroup_subsys_state *css)
{
	css->refs++;
}

void css_put(struct cgroup_subsys_state *css)
{
	shim_bug_on(css->refs <= 0);
	css->refs--;
}

bool css_is_dying(struct cgroup_subsys_state *css)
{
	return css->dying;
}

void fake_cgroup_reset(void)
{
	memset(cgroups, 0, sizeof(cgroups));
	nr_cgroups = 0;
	fake_cgroup("/", true);
}

void fake_cgroup_check_clean(void)
{
	unsigned int i;

	for (i = 0; i < nr_cgroups; i++)
		expect(!cgroups[i].refs && !cgroups[i].io.refs, "cgroup %s: %d references, io %d",
		       cgroups[i].path, cgroups[i].refs, cgroups[i].io.refs);
}
