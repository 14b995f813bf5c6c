/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_XEN_XEN_H
#define KSHIM_XEN_XEN_H

#include <linux/types.h>

bool xen_domain(void);
bool xen_initial_domain(void);

#endif /* KSHIM_XEN_XEN_H */
