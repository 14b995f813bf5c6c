/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_ASM_XEN_HYPERCALL_H
#define KSHIM_ASM_XEN_HYPERCALL_H

int HYPERVISOR_grant_table_op(unsigned int cmd, void *ops, unsigned int nr);

#endif /* KSHIM_ASM_XEN_HYPERCALL_H */
