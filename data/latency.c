// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long requests take, from the ring to the ring and at the disk.
 *
 * Two looks at the clock for each request, and two for all that are taken or
 * answered together. That is much beside the few hundred instructions that a request
 * costs. So it is off until somebody sets the parameter, and then takes part in
 * what it measures.
 */
#include <linux/ktime.h>
#include <linux/moduleparam.h>

#include "common.h"
#include "data/latency.h"

/* What takes longer has gone once around the clock, which has 71 minutes. */
#define LATENCY_MAX_JIFFIES	(3600UL * HZ)

DEFINE_STATIC_KEY_FALSE(xenvbd_latency_key);

static bool latency;

static int latency_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (err)
		return err;
	if (latency)
		static_branch_enable(&xenvbd_latency_key);
	else
		static_branch_disable(&xenvbd_latency_key);
	return 0;
}

static const struct kernel_param_ops latency_ops = {
	.set = latency_set,
	.get = param_get_bool,
};

module_param_cb(latency, &latency_ops, &latency, 0644);
MODULE_PARM_DESC(latency,
		 "Measure how long requests take, for statistics/latency_*. Default N");

static u32 latency_now(void)
{
	return ktime_to_us(ktime_get());
}

/* The clock, once for all requests that are taken or answered now. */
void __xenvbd_latency_look(struct xenvbd_latency *latency)
{
	/* 0 marks a request that was taken while nothing was measured. */
	latency->now_us = latency_now() ?: 1;
}

/*
 * On its way to the disk a request has the time when it left, less what it has been
 * at the disk before; on its way back, how long it has been there in all.
 */
void __xenvbd_latency_disk(struct xenvbd_req *req)
{
	req->disk_us = latency_now() - req->disk_us;
}

/*
 * A request that was measured in part only is not counted: it was taken before
 * the parameter was set, or seems to have been at the disk for longer than it was
 * taken.
 */
void __xenvbd_latency_count(struct xenvbd_latency *latency,
			    const struct xenvbd_req *req)
{
	u32 us = latency->now_us - req->taken_us;

	if (!req->taken_us)
		return;
	if (time_after(jiffies, req->start + LATENCY_MAX_JIFFIES))
		xenvbd_latencies_count(&latency->latencies, req->op, U32_MAX,
				       req->disk_us ? U32_MAX : 0);
	else if (req->disk_us <= us)
		xenvbd_latencies_count(&latency->latencies, req->op, us,
				       req->disk_us);
}
