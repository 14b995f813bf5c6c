/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_XEN_XENBUS_H
#define KSHIM_XEN_XENBUS_H

#include <linux/device.h>
#include <linux/list.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/interface/io/xenbus.h>

#define XENBUS_MAX_RING_GRANT_ORDER	4
#define XENBUS_MAX_RING_GRANTS		(1U << XENBUS_MAX_RING_GRANT_ORDER)

struct xenbus_watch {
	struct list_head list;
	const char *node;
	bool (*will_handle)(struct xenbus_watch *watch, const char *path,
			    const char *token);
	void (*callback)(struct xenbus_watch *watch, const char *path,
			 const char *token);
};

struct xenbus_device {
	const char *devicetype;
	const char *nodename;
	const char *otherend;
	int otherend_id;
	struct device dev;
	enum xenbus_state state;
};

struct xenbus_device_id {
	char devicetype[32];
};

struct xenbus_driver {
	const struct xenbus_device_id *ids;
	bool allow_rebind;
	int (*probe)(struct xenbus_device *dev,
		     const struct xenbus_device_id *id);
	void (*otherend_changed)(struct xenbus_device *dev,
				 enum xenbus_state state);
	void (*remove)(struct xenbus_device *dev);
	void (*reclaim_memory)(struct xenbus_device *dev);
	struct device_driver driver;
};

int __must_check xenbus_register_backend(struct xenbus_driver *driver);
void xenbus_unregister_driver(struct xenbus_driver *driver);

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL	((struct xenbus_transaction) { 0 })

void *xenbus_read(struct xenbus_transaction xbt, const char *dir,
		  const char *node, unsigned int *len);
int xenbus_exists(struct xenbus_transaction xbt, const char *dir,
		  const char *node);
char **xenbus_directory(struct xenbus_transaction xbt, const char *dir,
			const char *node, unsigned int *num);
int xenbus_rm(struct xenbus_transaction xbt, const char *dir, const char *node);
int xenbus_transaction_start(struct xenbus_transaction *xbt);
int xenbus_transaction_end(struct xenbus_transaction xbt, int abort);
__scanf(4, 5)
int xenbus_scanf(struct xenbus_transaction xbt, const char *dir,
		 const char *node, const char *fmt, ...);
__printf(4, 5)
int xenbus_printf(struct xenbus_transaction xbt, const char *dir,
		  const char *node, const char *fmt, ...);

int __must_check register_xenbus_watch(struct xenbus_watch *watch);
void unregister_xenbus_watch(struct xenbus_watch *watch);
int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state);
enum xenbus_state xenbus_read_driver_state(const struct xenbus_device *dev,
					   const char *path);
const char *xenbus_strstate(enum xenbus_state state);
int xenbus_dev_is_online(struct xenbus_device *dev);
__printf(3, 4)
void xenbus_dev_error(struct xenbus_device *dev, int err, const char *fmt, ...);
__printf(3, 4)
void xenbus_dev_fatal(struct xenbus_device *dev, int err, const char *fmt, ...);

int xenbus_map_ring_valloc(struct xenbus_device *dev, grant_ref_t *grefs,
			   unsigned int nr, void **vaddr);
int xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *vaddr);

#endif /* KSHIM_XEN_XENBUS_H */
