// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of a vbd under /sys/bus/xen-backend/devices/. The driver core makes
 * them after probe and takes them away, waiting for readers, before remove.
 *
 * Documentation/ABI/stable/sysfs-bus-xen-backend and
 * Documentation/ABI/testing/sysfs-driver-xen-blkback say what they mean.
 */
#include <linux/device.h>

#include "common.h"
#include "control/tunables.h"
#include "observe/sysfs.h"

static ssize_t physical_device_show(struct device *dev, struct device_attribute *attr,
				    char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	dev_t devt = READ_ONCE(vbd->devt);

	if (!devt)
		return -ENODEV;
	return sysfs_emit(buf, "%x:%x\n", MAJOR(devt), MINOR(devt));
}
static DEVICE_ATTR_RO(physical_device);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	ssize_t len = -ENODEV;

	spin_lock(&vbd->rings_lock);
	if (vbd->mode)
		len = sysfs_emit(buf, "%s\n", vbd->mode);
	spin_unlock(&vbd->rings_lock);
	return len;
}
static DEVICE_ATTR_RO(mode);

static ssize_t diskseq_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	u64 diskseq;

	spin_lock(&vbd->rings_lock);
	diskseq = vbd->diskseq;
	spin_unlock(&vbd->rings_lock);
	return diskseq ? sysfs_emit(buf, "%llu\n", diskseq) : -ENODEV;
}
static DEVICE_ATTR_RO(diskseq);

static ssize_t in_flight_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned int oldest_ms;

	return sysfs_emit(buf, "%u\n", xenvbd_stall_in_flight(dev_get_drvdata(dev), &oldest_ms));
}
static DEVICE_ATTR_RO(in_flight);

static ssize_t oldest_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned int oldest_ms;

	xenvbd_stall_in_flight(dev_get_drvdata(dev), &oldest_ms);
	return sysfs_emit(buf, "%u\n", oldest_ms);
}
static DEVICE_ATTR_RO(oldest_ms);

static ssize_t waiting_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	char text[XENVBD_STALL_TEXT];

	xenvbd_stall_describe(dev_get_drvdata(dev), text, sizeof(text));
	return sysfs_emit(buf, "%s\n", text);
}
static DEVICE_ATTR_RO(waiting);

/* All rings there are and all there were. */
static void sysfs_sum_stats(struct xenvbd *vbd, struct xenvbd_stats *sum)
{
	unsigned int i;

	spin_lock(&vbd->rings_lock);
	*sum = vbd->stats;
	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_stats_add(sum, &vbd->rings[i]->stats);
	spin_unlock(&vbd->rings_lock);
}

/* The counters in the order of their list, to which new ones are appended. */
static ssize_t stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xenvbd_stats sum;
	int len = 0;

	sysfs_sum_stats(dev_get_drvdata(dev), &sum);
#define XENVBD_STAT_EMIT(name) \
	len += sysfs_emit_at(buf, len, "%s%llu", len ? " " : "", sum.name);
	XENVBD_STATS(XENVBD_STAT_EMIT)
#undef XENVBD_STAT_EMIT
	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(stat);

/* The threads of the rings there are, one line for each. */
static ssize_t threads_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	struct task_struct *task;
	unsigned int i;
	int len = 0;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++) {
		/* Pairs with the release in xenvbd_thread_start(). */
		task = smp_load_acquire(&vbd->rings[i]->task);
		if (task && pid_alive(task))
			len += sysfs_emit_at(buf, len, "%u %d\n", i, task_pid_nr(task));
	}
	spin_unlock(&vbd->rings_lock);
	return len;
}
static DEVICE_ATTR_RO(threads);

static struct attribute *vbd_attrs[] = {
	&dev_attr_physical_device.attr,
	&dev_attr_mode.attr,
	&dev_attr_diskseq.attr,
	&dev_attr_in_flight.attr,
	&dev_attr_oldest_ms.attr,
	&dev_attr_waiting.attr,
	&dev_attr_stat.attr,
	&dev_attr_threads.attr,
	NULL
};

static const struct attribute_group vbd_group = {
	.attrs = vbd_attrs,
};

#define XENVBD_STAT_ATTR(name)							\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	struct xenvbd_stats sum;						\
										\
	sysfs_sum_stats(dev_get_drvdata(dev), &sum);					\
	return sysfs_emit(buf, "%llu\n", sum.name);				\
}										\
static DEVICE_ATTR_RO(name);
XENVBD_STATS(XENVBD_STAT_ATTR)

/*
 * One histogram: all rings there are and all there were. Its counters have the first
 * line for themselves: there are readers that know nothing of sums.
 */
static ssize_t sysfs_show_latency(struct xenvbd *vbd, unsigned int kind, char *buf)
{
	struct xenvbd_histogram sum = {};
	unsigned int i;
	int len = 0;

	spin_lock(&vbd->rings_lock);
	xenvbd_histogram_add(&sum, &vbd->latencies.of[kind]);
	for (i = 0; i < vbd->nr_rings; i++)
		xenvbd_histogram_add(&sum, &vbd->rings[i]->latency.latencies.of[kind]);
	spin_unlock(&vbd->rings_lock);
	for (i = 0; i < XENVBD_LATENCY_BUCKETS; i++)
		len += sysfs_emit_at(buf, len, "%s%llu", i ? " " : "", sum.count[i]);
	return len + sysfs_emit_at(buf, len, "\nsum_us %llu\n", sum.sum_us);
}

#define XENVBD_LATENCY_ATTR(name)						\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	return sysfs_show_latency(dev_get_drvdata(dev), XENVBD_KIND_##name, buf); \
}										\
static DEVICE_ATTR_RO(name);
XENVBD_LATENCIES(XENVBD_LATENCY_ATTR)

#define XENVBD_STAT_ATTR_PTR(name) &dev_attr_##name.attr,
static struct attribute *stats_attrs[] = {
	XENVBD_STATS(XENVBD_STAT_ATTR_PTR)
	XENVBD_LATENCIES(XENVBD_STAT_ATTR_PTR)
	NULL
};

static const struct attribute_group stats_group = {
	.name = "statistics",
	.attrs = stats_attrs,
};

const struct attribute_group *xenvbd_dev_groups[] = {
	&vbd_group,
	&stats_group,
	&xenvbd_tunables_group,
	NULL
};
