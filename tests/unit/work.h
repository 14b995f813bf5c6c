/* SPDX-License-Identifier: GPL-2.0-only */
/* Workqueues: work is done when the test says so, one at a time, in the order it was queued. */
#ifndef UNIT_WORK_H
#define UNIT_WORK_H

#include <linux/workqueue.h>

void work_reset(void);
/* Do the first work that is due. False if there is none. */
bool work_run(void);
/* Do this work, if it is pending, whether it is due or not. */
bool work_run_this(struct work_struct *work);
/* What is pending, due or not. */
unsigned int work_nr_pending(void);
unsigned int work_nr_queues(void);

#endif /* UNIT_WORK_H */
