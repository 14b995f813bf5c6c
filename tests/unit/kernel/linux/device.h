/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices, what is logged of them, and their files. */
#ifndef KSHIM_LINUX_DEVICE_H
#define KSHIM_LINUX_DEVICE_H

#include <linux/kernel.h>

struct attribute {
	const char *name;
	unsigned short mode;
};

struct attribute_group {
	const char *name;
	struct attribute **attrs;
};

struct kobject {
	/* For the tests. */
	bool removed;
};

enum kobject_action { KOBJ_CHANGE };

int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char *envp[]);

struct device {
	struct kobject kobj;
	const char *init_name;
	void *driver_data;
	/* For the tests. */
	int refs;
};

struct device_driver {
	const struct attribute_group **dev_groups;
};

int driver_attach(const struct device_driver *drv);

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline const char *dev_name(const struct device *dev)
{
	return dev->init_name;
}

static inline struct device *get_device(struct device *dev)
{
	dev->refs++;
	return dev;
}

static inline void put_device(struct device *dev)
{
	shim_bug_on(dev->refs <= 0);
	dev->refs--;
}

bool device_is_registered(struct device *dev);
void device_unregister(struct device *dev);

#define dev_err(dev, fmt, ...)		((void)(dev), shim_log("err", fmt, ##__VA_ARGS__))
#define dev_warn(dev, fmt, ...)		((void)(dev), shim_log("warn", fmt, ##__VA_ARGS__))
#define dev_notice(dev, fmt, ...)	((void)(dev), shim_log("notice", fmt, ##__VA_ARGS__))
#define dev_info(dev, fmt, ...)		((void)(dev), shim_log("info", fmt, ##__VA_ARGS__))

/* ---- how often something is logged -------------------------------------- */

#define DEFAULT_RATELIMIT_INTERVAL	(5 * HZ)
#define DEFAULT_RATELIMIT_BURST		10

struct ratelimit_state {
	unsigned int interval;
	unsigned int burst;
	unsigned int printed;
	unsigned long begin;
};

void ratelimit_state_init(struct ratelimit_state *rs, unsigned int interval,
			  unsigned int burst);
bool __ratelimit(struct ratelimit_state *rs);

#define RATELIMIT_MSG_ON_RELEASE	1
#define ratelimit_set_flags(rs, flags)	((void)(rs))

/* ---- files in sysfs and debugfs ----------------------------------------- */

struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr,
			char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t len);
};

#define DEVICE_ATTR_RO(n)						\
	struct device_attribute dev_attr_##n = {			\
		.attr = { .name = #n, .mode = 0444 }, .show = n##_show	\
	}
#define DEVICE_ATTR_RW(n)						\
	struct device_attribute dev_attr_##n = {			\
		.attr = { .name = #n, .mode = 0644 },			\
		.show = n##_show, .store = n##_store			\
	}

int sysfs_emit(char *buf, const char *fmt, ...) __printf(2, 3);
int sysfs_emit_at(char *buf, int at, const char *fmt, ...) __printf(3, 4);
int __sysfs_match_string(const char * const *strs, size_t nr, const char *str);
#define sysfs_match_string(strs, str) \
	__sysfs_match_string(strs, ARRAY_SIZE(strs), str)

struct dentry;
struct seq_file {
	void *private;
};

void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);

struct file_operations {
	int (*show)(struct seq_file *m, void *unused);
	int (*set)(void *data, u64 val);
};

#define DEFINE_SHOW_ATTRIBUTE(n) \
	static const struct file_operations n##_fops = { .show = n##_show }

#define DEFINE_DEBUGFS_ATTRIBUTE(n, g, s, fmt) \
	static const struct file_operations n = { .set = (s) }

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
struct dentry *debugfs_create_file(const char *name, unsigned short mode,
				   struct dentry *parent, void *data,
				   const struct file_operations *fops);
void debugfs_remove(struct dentry *dentry);

#endif /* KSHIM_LINUX_DEVICE_H */
