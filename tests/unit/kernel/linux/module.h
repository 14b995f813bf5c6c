/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module and its parameters. A test that includes the source reaches
 * parameters by their variables, those with functions by shim_param_NAME, and
 * the module's ends by shim_module_init and shim_module_exit.
 */
#ifndef KSHIM_LINUX_MODULE_H
#define KSHIM_LINUX_MODULE_H

#include <linux/kernel.h>

struct kernel_param;

struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buf, const struct kernel_param *kp);
};

struct kernel_param {
	const char *name;
	const struct kernel_param_ops *ops;
	void *arg;
};

int param_get_uint(char *buf, const struct kernel_param *kp);
int param_set_bool(const char *val, const struct kernel_param *kp);
int param_get_bool(char *buf, const struct kernel_param *kp);

#define module_param(name, type, perm)
#define module_param_cb(n, o, a, perm)					\
	static const struct kernel_param shim_param_##n __used = {	\
		.name = #n, .ops = (o), .arg = (a)			\
	}

#define MODULE_PARM_DESC(name, text)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define MODULE_ALIAS(text)
#define MODULE_VERSION(text)

#define module_init(fn)	static int (*const shim_module_init)(void) __used = (fn)
#define module_exit(fn)	static void (*const shim_module_exit)(void) __used = (fn)

#define THIS_MODULE	((struct module *)0)

struct module;

void __module_get(struct module *module);
void module_put(struct module *module);

#endif /* KSHIM_LINUX_MODULE_H */
