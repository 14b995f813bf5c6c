/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xenbus, as the core of Linux 6.12 has it: devices that are probed and removed,
 * states, errors, rings that are mapped, event channels. What xenwatch does is done
 * by xenstore_fire().
 */
#ifndef UNIT_BUS_H
#define UNIT_BUS_H

#include <linux/types.h>

struct xenbus_device;
struct xenbus_driver;

void bus_reset(void);

/* The driver that was registered, or NULL. */
extern struct xenbus_driver *bus_driver;
/* xenbus_register_backend() fails with it, if it is not 0. */
extern int bus_register_err;

/* A device without a driver. */
struct xenbus_device *bus_new(const char *nodename);
/* As when a backend's directory appears. The device stays if the probe fails. */
struct xenbus_device *bus_add(const char *nodename);
/* Bind the driver to a device, as a write to sysfs does. Returns what probe returns. */
int bus_bind(struct xenbus_device *xbdev);
void bus_unbind(struct xenbus_device *xbdev);
/* As xenwatch does when the directory has vanished. */
void bus_remove(struct xenbus_device *xbdev);
bool bus_is_bound(const struct xenbus_device *xbdev);

/* What there is. */
unsigned int bus_nr_devices(void);
/* Not counting those that are only referenced still. */
unsigned int bus_nr_registered(void);
unsigned int bus_nr_maps(void);
unsigned int bus_nr_irqs(void);

/* The next mapping of a ring fails, with xenbus's own error; 0: it does not. */
extern int bus_map_err;
extern int bus_bind_err;
/* What the pages of a ring hold when they are mapped. */
extern u32 bus_ring_req_prod, bus_ring_rsp_prod;

#endif /* UNIT_BUS_H */
