// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/xenbus.h>

#include "bus.h"
#include "unit.h"
#include "xenstore.h"

struct xenbus_driver *bus_driver;
int bus_register_err;
int bus_map_err;
int bus_bind_err;
u32 bus_ring_req_prod, bus_ring_rsp_prod;

#define MAX_DEVICES	64

/* What the core of xenbus holds of a device. */
struct bus_device {
	struct xenbus_device xbdev;
	struct xenbus_watch otherend_watch;
	char otherend[128];
	char nodename[128];
	char otherend_state[144];
	bool bound;
	bool registered;
};

static struct bus_device *devices[MAX_DEVICES];
static unsigned int nr_maps, nr_irqs;

static struct bus_device *to_bus(const struct xenbus_device *xbdev)
{
	return container_of(xbdev, struct bus_device, xbdev);
}

void bus_reset(void)
{
	unsigned int i;

	for (i = 0; i < MAX_DEVICES; i++) {
		free(devices[i]);
		devices[i] = NULL;
	}
	bus_driver = NULL;
	bus_register_err = 0;
	bus_map_err = 0;
	bus_bind_err = 0;
	bus_ring_req_prod = 0;
	bus_ring_rsp_prod = 0;
	nr_maps = 0;
	nr_irqs = 0;
}

unsigned int bus_nr_devices(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_DEVICES; i++)
		nr += devices[i] && devices[i]->xbdev.dev.refs;
	return nr;
}

unsigned int bus_nr_registered(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_DEVICES; i++)
		nr += devices[i] && devices[i]->registered;
	return nr;
}

unsigned int bus_nr_maps(void)
{
	return nr_maps;
}

unsigned int bus_nr_irqs(void)
{
	return nr_irqs;
}

/* ---- states and errors -------------------------------------------------- */

const char *xenbus_strstate(enum xenbus_state state)
{
	static const char *const names[] = {
		"Unknown", "Initialising", "InitWait", "Initialised", "Connected", "Closing",
		"Closed", "Reconfiguring", "Reconfigured",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "INVALID";
}

enum xenbus_state xenbus_read_driver_state(const struct xenbus_device *dev, const char *path)
{
	int state;

	if (xenbus_scanf(XBT_NIL, path, "state", "%d", &state) != 1)
		return XenbusStateUnknown;
	return state;
}

int xenbus_dev_is_online(struct xenbus_device *dev)
{
	int online;

	return xenbus_scanf(XBT_NIL, dev->nodename, "online", "%d", &online) == 1 && online;
}

static void bus_error(struct xenbus_device *dev, int err, const char *fmt, va_list args)
{
	char *text = kmalloc(1024, GFP_KERNEL), path[128];
	int len;

	if (!text)
		return;
	len = sprintf(text, "%i ", -err);
	vsnprintf(text + len, 1024 - len, fmt, args);
	dev_err(&dev->dev, "%s\n", text);
	snprintf(path, sizeof(path), "error/%s", dev->nodename);
	xenbus_write(XBT_NIL, path, "error", text);
	kfree(text);
}

static void bus_switch_state(struct xenbus_device *dev, enum xenbus_state state, bool again);

static void bus_switch_fatal(struct xenbus_device *dev, bool again, int err, const char *what)
{
	xenbus_dev_error(dev, err, "%s", what);
	if (!again)
		bus_switch_state(dev, XenbusStateClosing, true);
}

/*
 * A state that is not there any more is not written, and counts as written all the
 * same; so does one that could not be written.
 */
static void bus_switch_state(struct xenbus_device *dev, enum xenbus_state state, bool again)
{
	struct xenbus_transaction xbt;
	int err, now, abort;

	if (state == dev->state)
		return;
	do {
		err = xenbus_transaction_start(&xbt);
		if (err) {
			bus_switch_fatal(dev, again, err, "starting transaction");
			return;
		}
		abort = xenbus_scanf(xbt, dev->nodename, "state", "%d", &now) != 1;
		if (!abort) {
			err = xenbus_printf(xbt, dev->nodename, "state", "%d", state);
			abort = !!err;
		}
		if (err)
			bus_switch_fatal(dev, again, err, "writing new state");
		err = xenbus_transaction_end(xbt, abort);
	} while (err == -EAGAIN && !abort);
	if (err)
		bus_switch_fatal(dev, again, err, "ending transaction");
	else
		dev->state = state;
}

int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state)
{
	bus_switch_state(dev, state, false);
	return 0;
}

void xenbus_dev_error(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bus_error(dev, err, fmt, args);
	va_end(args);
}

void xenbus_dev_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bus_error(dev, err, fmt, args);
	va_end(args);
	xenbus_switch_state(dev, XenbusStateClosing);
}

/* ---- devices ------------------------------------------------------------ */

/* Not by xenbus_read(), which may be made to fail: what then comes is not the driver's. */
static void otherend_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct bus_device *bus = container_of(watch, struct bus_device, otherend_watch);
	struct xenbus_device *xbdev = &bus->xbdev;

	const char *state = xenstore_get(bus->otherend_state);

	bus_driver->otherend_changed(xbdev, state ? atoi(state) : XenbusStateUnknown);
}

static void watch_otherend(struct bus_device *bus)
{
	snprintf(bus->otherend_state, sizeof(bus->otherend_state), "%s/state", bus->otherend);
	bus->otherend_watch.node = bus->otherend_state;
	bus->otherend_watch.callback = otherend_changed;
	xenstore_watch(&bus->otherend_watch);
}

int bus_bind(struct xenbus_device *xbdev)
{
	int err = bus_driver->probe(xbdev, bus_driver->ids);

	if (err) {
		xenbus_dev_error(xbdev, err, "xenbus_dev_probe on %s", xbdev->nodename);
		return err;
	}
	to_bus(xbdev)->bound = true;
	watch_otherend(to_bus(xbdev));
	return 0;
}

int driver_attach(const struct device_driver *drv)
{
	unsigned int i;

	expect(bus_driver && drv == &bus_driver->driver, "a driver that is not registered");
	for (i = 0; i < MAX_DEVICES && devices[i]; i++)
		if (devices[i]->registered && !devices[i]->bound)
			bus_bind(&devices[i]->xbdev);
	return 0;
}

void bus_unbind(struct xenbus_device *xbdev)
{
	expect(to_bus(xbdev)->bound, "%s", xbdev->nodename);
	to_bus(xbdev)->bound = false;
	unregister_xenbus_watch(&to_bus(xbdev)->otherend_watch);
	bus_driver->remove(xbdev);
	/* What the toolstack has asked for nobody else will do. */
	if (xenbus_read_driver_state(xbdev, xbdev->nodename) == XenbusStateClosing)
		xenbus_switch_state(xbdev, XenbusStateClosed);
}

bool bus_is_bound(const struct xenbus_device *xbdev)
{
	return to_bus(xbdev)->bound;
}

struct xenbus_device *bus_new(const char *nodename)
{
	struct bus_device *bus = calloc(1, sizeof(*bus));
	char path[160];
	unsigned int i;

	for (i = 0; devices[i]; i++)
		expect(i < MAX_DEVICES - 1, "%s", nodename);
	devices[i] = bus;
	strcpy(bus->nodename, nodename);
	snprintf(path, sizeof(path), "%s/frontend", nodename);
	strcpy(bus->otherend, xenstore_get(path));
	snprintf(path, sizeof(path), "%s/frontend-id", nodename);
	bus->xbdev.nodename = bus->nodename;
	bus->xbdev.otherend = bus->otherend;
	bus->xbdev.otherend_id = atoi(xenstore_get(path));
	bus->xbdev.state = XenbusStateInitialising;
	bus->xbdev.dev.init_name = bus->nodename;
	bus->xbdev.dev.refs = 1;
	bus->registered = true;
	return &bus->xbdev;
}

struct xenbus_device *bus_add(const char *nodename)
{
	struct xenbus_device *xbdev = bus_new(nodename);

	bus_bind(xbdev);
	return xbdev;
}

bool device_is_registered(struct device *dev)
{
	return to_bus(container_of(dev, struct xenbus_device, dev))->registered;
}

/* xenbus frees the other end's path, and the memory when nobody has a reference. */
void device_unregister(struct device *dev)
{
	struct bus_device *bus = to_bus(container_of(dev, struct xenbus_device, dev));

	expect(bus->registered, "%s is unregistered twice", bus->nodename);
	bus->registered = false;
	/* Only xenwatch does it, a thread of the kernel. */
	current->flags |= PF_KTHREAD;
	if (bus->bound)
		bus_unbind(&bus->xbdev);
	current->flags &= ~PF_KTHREAD;
	memset(bus->otherend, '#', sizeof(bus->otherend) - 1);
	put_device(dev);
}

void bus_remove(struct xenbus_device *xbdev)
{
	device_unregister(&xbdev->dev);
}

int xenbus_register_backend(struct xenbus_driver *drv)
{
	if (bus_register_err)
		return bus_register_err;
	bus_driver = drv;
	return 0;
}

void xenbus_unregister_driver(struct xenbus_driver *drv)
{
	expect(drv == bus_driver, "another driver");
	bus_driver = NULL;
}

/* ---- rings and event channels ------------------------------------------- */

int xenbus_map_ring_valloc(struct xenbus_device *dev, grant_ref_t *refs, unsigned int nr,
			   void **vaddr)
{
	struct {
		u32 req_prod, req_event, rsp_prod, rsp_event;
	} *sring;

	*vaddr = NULL;
	if (bus_map_err) {
		xenbus_dev_fatal(dev, bus_map_err, "mapping in shared page %d from domain %d",
				 refs[0], dev->otherend_id);
		return bus_map_err;
	}
	sring = kzalloc(nr * XEN_PAGE_SIZE, GFP_KERNEL);
	if (!sring)
		return -ENOMEM;
	sring->req_prod = bus_ring_req_prod;
	sring->rsp_prod = bus_ring_rsp_prod;
	*vaddr = sring;
	nr_maps++;
	return 0;
}

int xenbus_unmap_ring_vfree(struct xenbus_device *dev, void *vaddr)
{
	expect(nr_maps, "%p is not mapped", vaddr);
	nr_maps--;
	kfree(vaddr);
	return 0;
}

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port, irq_handler_t handler,
						  unsigned long flags, const char *name,
						  void *data)
{
	if (bus_bind_err)
		return bus_bind_err;
	nr_irqs++;
	return port;
}

void unbind_from_irqhandler(unsigned int irq, void *data)
{
	expect(nr_irqs, "irq %u is not bound", irq);
	nr_irqs--;
}
