/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_XEN_EVENTS_H
#define KSHIM_XEN_EVENTS_H

#include <linux/kernel.h>
#include <xen/event_channel.h>

#define XEN_EOI_FLAG_SPURIOUS	1U

struct xenbus_device;

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev,
						  evtchn_port_t port,
						  irq_handler_t handler,
						  unsigned long flags,
						  const char *name, void *data);
void unbind_from_irqhandler(unsigned int irq, void *data);
void notify_remote_via_irq(int irq);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);

#endif /* KSHIM_XEN_EVENTS_H */
