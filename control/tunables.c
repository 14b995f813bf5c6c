// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of a vbd that can be changed while it is in use: a key of the backend's
 * directory counts when a frontend connects, a file in sysfs from the moment it is
 * written. Where there is neither a module parameter may say what to do.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "blkback.h"
#include "data/pages.h"
#include "control/keys.h"
#include "control/tunables.h"

static const char * const policy_names[] = {
	[XENVBD_POLICY_AUTO] = "auto",
	[XENVBD_POLICY_PERSISTENT] = "persistent",
	[XENVBD_POLICY_MAP] = "map",
	[XENVBD_POLICY_COPY] = "copy",
};

static unsigned int grant_policy = XENVBD_POLICY_AUTO;

static int parse_policy(const char *str, unsigned int *policy)
{
	int i = sysfs_match_string(policy_names, str);

	if (i < 0)
		return i;
	*policy = i;
	return 0;
}

static int set_grant_policy(const char *val, const struct kernel_param *kp)
{
	unsigned int policy;
	int err = parse_policy(val, &policy);

	if (!err)
		WRITE_ONCE(grant_policy, policy);
	return err;
}

static int get_grant_policy(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", policy_names[READ_ONCE(grant_policy)]);
}

static const struct kernel_param_ops grant_policy_ops = {
	.set = set_grant_policy,
	.get = get_grant_policy,
};

module_param_cb(grant_policy, &grant_policy_ops, NULL, 0644);
MODULE_PARM_DESC(grant_policy,
		 "How to get at the guest's pages: auto, persistent, map or copy. Default auto");

static int parse_polling(const char *str, unsigned int *us)
{
	unsigned int val;
	int err = kstrtouint(str, 10, &val);

	if (err)
		return err;
	if (val > XENVBD_MAX_POLLING_US)
		return -ERANGE;
	*us = val;
	return 0;
}

/* Take over a key, if there is one. */
static int read_key(struct xenvbd *vbd, const char *key, unsigned int *val,
		    int (*parse)(const char *str, unsigned int *val), const char *wrong)
{
	unsigned int read;
	int err = xenvbd_read_key(vbd, vbd->xbdev->nodename, key, &read, parse, wrong);

	if (!err)
		WRITE_ONCE(*val, read);
	return err == -ENOENT ? 0 : err;
}

/**
 * xenvbd_tunables_read - take over what the toolstack has written
 * @vbd: the device
 *
 * Keys that are missing change nothing.
 *
 * Return: 0 or a negative errno with an error text.
 */
int xenvbd_tunables_read(struct xenvbd *vbd)
{
	return read_key(vbd, "grant-policy", &vbd->policy, parse_policy, "unknown") ?:
	       read_key(vbd, "polling-duration", &vbd->polling_us, parse_polling,
			"not a number of microseconds up to 1000");
}

/**
 * xenvbd_tunables_init - the settings of a new vbd
 * @vbd: the device
 *
 * Of the module; the toolstack may have others.
 */
void xenvbd_tunables_init(struct xenvbd *vbd)
{
	vbd->policy = READ_ONCE(grant_policy);
	vbd->reclaimed_at = jiffies - HZ;
}

/* Have rings look at what has changed, also those that are idle. */
static void poke_rings(struct xenvbd *vbd, bool squeeze)
{
	unsigned int i;

	spin_lock(&vbd->rings_lock);
	for (i = 0; i < vbd->nr_rings; i++) {
		struct xenvbd_ring *ring = vbd->rings[i];

		/* Pairs with the release in xenvbd_ring_start(). */
		if (!smp_load_acquire(&ring->task))
			continue;
		if (squeeze && !xenvbd_grants_idle(ring))
			continue;
		if (squeeze)
			WRITE_ONCE(ring->squeeze, true);
		xenvbd_ring_poke(ring);
	}
	spin_unlock(&vbd->rings_lock);
}

/**
 * xenvbd_reclaim_memory - memory is short: give back what is not in use
 * @xbdev: may not be ours any more
 *
 * The rings' threads do it, soon; once a second, for a shrinker is called far more
 * often than that.
 *
 * Context: of a shrinker, with reclaim_sem held: probe and remove have to wait.
 */
void xenvbd_reclaim_memory(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	if (!vbd || time_before(jiffies, READ_ONCE(vbd->reclaimed_at) + HZ))
		return;
	WRITE_ONCE(vbd->reclaimed_at, jiffies);
	poke_rings(vbd, true);
}

static ssize_t grant_policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", policy_names[READ_ONCE(vbd->policy)]);
}

static ssize_t grant_policy_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t len)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	unsigned int policy;
	int err = parse_policy(buf, &policy);

	if (err)
		return err;
	WRITE_ONCE(vbd->policy, policy);
	poke_rings(vbd, false);
	return len;
}
static DEVICE_ATTR_RW(grant_policy);

static ssize_t polling_duration_show(struct device *dev, struct device_attribute *attr,
				     char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(vbd->polling_us));
}

static ssize_t polling_duration_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	unsigned int us;
	int err = parse_polling(buf, &us);

	if (err)
		return err;
	WRITE_ONCE(vbd->polling_us, us);
	return len;
}
static DEVICE_ATTR_RW(polling_duration);

static struct attribute *tunables_attrs[] = {
	&dev_attr_grant_policy.attr,
	&dev_attr_polling_duration.attr,
	NULL
};

const struct attribute_group xenvbd_tunables_group = {
	.name = "tunables",
	.attrs = tunables_attrs,
};
