/* SPDX-License-Identifier: GPL-2.0-only */
/* Cgroups of the second version, and their io controllers: kept by fake_cgroup.c. */
#ifndef KSHIM_LINUX_CGROUP_H
#define KSHIM_LINUX_CGROUP_H

#include <linux/kernel.h>

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	/* For the tests. */
	int refs;
	bool dying;
};

struct cgroup_subsys {
	const char *name;
};

extern struct cgroup_subsys io_cgrp_subsys;

struct cgroup *cgroup_get_from_path(const char *path);
void cgroup_put(struct cgroup *cgroup);
struct cgroup_subsys_state *cgroup_get_e_css(struct cgroup *cgroup,
					     struct cgroup_subsys *subsys);
int cgroup_path(struct cgroup *cgroup, char *buf, size_t size);
void css_get(struct cgroup_subsys_state *css);
void css_put(struct cgroup_subsys_state *css);
bool css_is_dying(struct cgroup_subsys_state *css);

#endif /* KSHIM_LINUX_CGROUP_H */
