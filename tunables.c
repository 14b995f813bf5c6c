// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of a vbd that can be changed while it is in use: a module parameter
 * is the default, a key of the backend's directory counts when a frontend
 * connects, and a file in sysfs from the moment it is written.
 */
#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blkback.h"
#include "keys.h"
#include "tunables.h"

static const char * const policy_names[] = {
	[XENVBD_POLICY_AUTO] = "auto",
	[XENVBD_POLICY_PERSISTENT] = "persistent",
	[XENVBD_POLICY_MAP] = "map",
	[XENVBD_POLICY_COPY] = "copy",
};

static unsigned int grant_policy = XENVBD_POLICY_AUTO;

static int set_grant_policy(const char *val, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(policy_names, val);

	if (policy < 0)
		return policy;
	WRITE_ONCE(grant_policy, policy);
	return 0;
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
	const char *dir = vbd->xbdev->nodename;
	char *str = xenbus_read(XBT_NIL, dir, "grant-policy", NULL);
	int policy;

	if (IS_ERR(str)) {
		if (PTR_ERR(str) == -ENOENT)
			return 0;
		return xenvbd_error(vbd, PTR_ERR(str), "reading %s/grant-policy", dir);
	}
	policy = sysfs_match_string(policy_names, str);
	if (policy < 0)
		xenvbd_error(vbd, policy, "%s/grant-policy: \"%*pE\" is unknown", dir,
			     (int)strnlen(str, 40), str);
	else
		WRITE_ONCE(vbd->policy, policy);
	kfree(str);
	return min(policy, 0);
}

/**
 * xenvbd_tunables_init - the settings of a new vbd
 * @vbd: the device
 *
 * A key that is wrong is told when a frontend connects.
 */
void xenvbd_tunables_init(struct xenvbd *vbd)
{
	vbd->policy = READ_ONCE(grant_policy);
	xenvbd_tunables_read(vbd);
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
 * The rings' threads do it, soon.
 *
 * Context: of a shrinker, with reclaim_sem held: probe and remove have to wait.
 */
void xenvbd_reclaim_memory(struct xenbus_device *xbdev)
{
	struct xenvbd *vbd = dev_get_drvdata(&xbdev->dev);

	if (vbd)
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
	int policy = sysfs_match_string(policy_names, buf);

	if (policy < 0)
		return policy;
	WRITE_ONCE(vbd->policy, policy);
	poke_rings(vbd, false);
	return len;
}
static DEVICE_ATTR_RW(grant_policy);

static struct attribute *tunables_attrs[] = {
	&dev_attr_grant_policy.attr,
	NULL
};

const struct attribute_group xenvbd_tunables_group = {
	.name = "tunables",
	.attrs = tunables_attrs,
};
