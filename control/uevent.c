// SPDX-License-Identifier: GPL-2.0-only
/* What happens to a vbd, for udev, and for all who do not want to poll. */
#include <linux/kobject.h>
#include <linux/slab.h>

#include "common.h"
#include "control/uevent.h"

/* A guest can connect and close as often as it likes; udev has other guests, too. */
#define UEVENT_INTERVAL		(10 * HZ)
#define UEVENT_BURST		20

/* Prepare a new vbd for events. */
void xenvbd_uevent_init(struct xenvbd_uevents *uevents)
{
	ratelimit_state_init(&uevents->limit, UEVENT_INTERVAL, UEVENT_BURST);
	ratelimit_set_flags(&uevents->limit, RATELIMIT_MSG_ON_RELEASE);
}

/**
 * xenvbd_uevent - announce what has happened to a vbd
 * @vbd: the device; nothing is announced of one that was removed
 * @event: a word of Documentation/ABI
 * @text: says more, or NULL
 *
 * Context: process, outside of xenvbd_store_begin() and xenvbd_store_end().
 */
void xenvbd_uevent(struct xenvbd *vbd, const char *event, const char *text)
{
	char *envp[3] = {};

	if (!__ratelimit(&vbd->uevents.limit))
		return;
	envp[0] = kasprintf(GFP_KERNEL, "XENVBD_EVENT=%s", event);
	envp[1] = text ? kasprintf(GFP_KERNEL, "XENVBD_TEXT=%s", text) : NULL;
	/* Until it is removed the device is in sysfs; see xenvbd_teardown_begin(). */
	mutex_lock(&vbd->store_lock);
	if (envp[0] && !vbd->removed)
		kobject_uevent_env(&vbd->xbdev->dev.kobj, KOBJ_CHANGE, envp);
	mutex_unlock(&vbd->store_lock);
	kfree(envp[1]);
	kfree(envp[0]);
}
