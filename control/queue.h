/* SPDX-License-Identifier: GPL-2.0-only */
/* The workqueues that the work of all vbds is done in. */
#ifndef XENVBD_QUEUE_H
#define XENVBD_QUEUE_H

struct workqueue_struct;

struct workqueue_struct *xenvbd_queue_get(void);
void xenvbd_queue_put(struct workqueue_struct *wq);
void xenvbd_queues_exit(void);

#endif /* XENVBD_QUEUE_H */
