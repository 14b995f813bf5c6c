// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of a vbd that can be changed while it is in use: a key of the
 * backend's directory counts when a frontend connects, a file in sysfs from the
 * moment it is written. Where there is neither a module parameter may say what
 * to do.
 */
#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "common.h"
#include "control/keys.h"
#include "control/limit.h"
#include "control/tunables.h"
#include "control/vbd.h"
#include "data/param.h"

static const char * const policy_names[] = {
	[XENVBD_POLICY_AUTO] = "auto",
	[XENVBD_POLICY_PERSISTENT] = "persistent",
	[XENVBD_POLICY_MAP] = "map",
	[XENVBD_POLICY_COPY] = "copy",
};

static unsigned int grant_policy = XENVBD_POLICY_AUTO;

static int tunables_parse_policy(const char *str, unsigned int *policy)
{
	int i = sysfs_match_string(policy_names, str);

	if (i < 0)
		return i;
	*policy = i;
	return 0;
}

static int tunables_set_policy(const char *val, const struct kernel_param *kp)
{
	unsigned int policy;
	int err = tunables_parse_policy(val, &policy);

	if (!err)
		WRITE_ONCE(grant_policy, policy);
	return err;
}

static int tunables_get_policy(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", policy_names[READ_ONCE(grant_policy)]);
}

static const struct kernel_param_ops grant_policy_ops = {
	.set = tunables_set_policy,
	.get = tunables_get_policy,
};

module_param_cb(grant_policy, &grant_policy_ops, NULL, 0644);
MODULE_PARM_DESC(grant_policy,
		 "How to get at the guest's pages: auto, persistent, map or copy. Default auto");

static int tunables_parse_number(const char *str, unsigned int max,
				 unsigned int *number)
{
	unsigned int val;
	int err = kstrtouint(str, 10, &val);

	if (err)
		return err;
	if (val > max)
		return -ERANGE;
	*number = val;
	return 0;
}

static int tunables_parse_polling(const char *str, unsigned int *us)
{
	return tunables_parse_number(str, XENVBD_MAX_POLLING_US, us);
}

/* A day: later nobody has a use for a report. */
#define MAX_SLOW_SECONDS	86400

static int tunables_set_slow(const char *val, const struct kernel_param *kp)
{
	return xenvbd_param_set_uint(val, kp, 0, MAX_SLOW_SECONDS);
}

static const struct kernel_param_ops slow_request_seconds_ops = {
	.set = tunables_set_slow,
	.get = param_get_uint,
};

static unsigned int slow_request_seconds = 30;
module_param_cb(slow_request_seconds, &slow_request_seconds_ops,
		&slow_request_seconds, 0644);
MODULE_PARM_DESC(slow_request_seconds,
		 "Report requests that the disk has for so many seconds, 0 to 86400; 0: never. Default 30");

static int tunables_parse_slow(const char *str, unsigned int *seconds)
{
	return tunables_parse_number(str, MAX_SLOW_SECONDS, seconds);
}

/* Take over a key, if there is one. */
static int tunables_read_key(struct xenvbd *vbd, const char *key,
			     unsigned int *val,
			     int (*parse)(const char *str, unsigned int *val),
			     const char *wrong)
{
	unsigned int read;
	int err = xenvbd_keys_read(vbd, vbd->xbdev->nodename, key, &read, parse,
				   wrong);

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
	struct xenvbd_tunables *tunables = &vbd->tunables;

	/* The rings to come have others look after what they take. */
	WRITE_ONCE(vbd->watchdog.armed, false);
	return tunables_read_key(vbd, "grant-policy", &tunables->policy,
				 tunables_parse_policy, "unknown") ?:
	       tunables_read_key(vbd, "polling-duration", &tunables->polling_us,
				 tunables_parse_polling,
				 "not a number of microseconds up to 1000") ?:
	       tunables_read_key(vbd, "slow-request-seconds",
				 &tunables->slow_seconds, tunables_parse_slow,
				 "not a number of seconds up to 86400");
}

/* The word for how a vbd gets at the guest's pages. */
const char *xenvbd_tunables_policy(const struct xenvbd_tunables *tunables)
{
	return policy_names[READ_ONCE(tunables->policy)];
}

/* A new vbd has the module's settings. The toolstack may have others. */
void xenvbd_tunables_init(struct xenvbd_tunables *tunables)
{
	tunables->policy = READ_ONCE(grant_policy);
	tunables->slow_seconds = READ_ONCE(slow_request_seconds);
}

static ssize_t grant_policy_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n",
			  xenvbd_tunables_policy(&vbd->tunables));
}

static ssize_t grant_policy_store(struct device *dev,
				  struct device_attribute *attr,
				  const char *buf, size_t len)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	unsigned int policy;
	int err = tunables_parse_policy(buf, &policy);

	if (err)
		return err;
	WRITE_ONCE(vbd->tunables.policy, policy);
	xenvbd_kick_rings(vbd);
	return len;
}
static DEVICE_ATTR_RW(grant_policy);

static ssize_t polling_duration_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(vbd->tunables.polling_us));
}

static ssize_t polling_duration_store(struct device *dev,
				      struct device_attribute *attr,
				      const char *buf, size_t len)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	unsigned int us;
	int err = tunables_parse_polling(buf, &us);

	if (err)
		return err;
	WRITE_ONCE(vbd->tunables.polling_us, us);
	return len;
}
static DEVICE_ATTR_RW(polling_duration);

static ssize_t cgroup_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return xenvbd_limit_show(dev_get_drvdata(dev), buf);
}

static ssize_t cgroup_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t len)
{
	return xenvbd_limit_store(dev_get_drvdata(dev), buf) ?: len;
}
static DEVICE_ATTR_RW(cgroup);

static ssize_t slow_request_seconds_show(struct device *dev,
					 struct device_attribute *attr,
					 char *buf)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(vbd->tunables.slow_seconds));
}

static ssize_t slow_request_seconds_store(struct device *dev,
					  struct device_attribute *attr,
					  const char *buf, size_t len)
{
	struct xenvbd *vbd = dev_get_drvdata(dev);
	unsigned int seconds;
	int err = tunables_parse_slow(buf, &seconds);

	if (err)
		return err;
	WRITE_ONCE(vbd->tunables.slow_seconds, seconds);
	xenvbd_stall_look(vbd);
	return len;
}
static DEVICE_ATTR_RW(slow_request_seconds);

static struct attribute *tunables_attrs[] = {
	&dev_attr_grant_policy.attr,
	&dev_attr_polling_duration.attr,
	&dev_attr_cgroup.attr,
	&dev_attr_slow_request_seconds.attr,
	NULL
};

const struct attribute_group xenvbd_tunables_group = {
	.name = "tunables",
	.attrs = tunables_attrs,
};
