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

static struct attribute *vbd_attrs[] = {
	&dev_attr_physical_device.attr,
	&dev_attr_mode.attr,
	&dev_attr_diskseq.attr,
	&dev_attr_in_flight.attr,
	&dev_attr_oldest_ms.attr,
	&dev_attr_waiting.attr,
	NULL
};

static const struct attribute_group vbd_group = {
	.attrs = vbd_attrs,
};

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

#define XENVBD_STAT_ATTR_PTR(name) &dev_attr_##name.attr,
static struct attribute *stats_attrs[] = {
	XENVBD_STATS(XENVBD_STAT_ATTR_PTR)
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
