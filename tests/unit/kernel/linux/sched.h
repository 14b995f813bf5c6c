/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks, threads of the kernel, RCU, completions. What waits is the tests'. */
#ifndef KSHIM_LINUX_SCHED_H
#define KSHIM_LINUX_SCHED_H

#include <linux/kernel.h>
#include <linux/lock.h>

#define TASK_COMM_LEN	16

#define TASK_RUNNING	0x0000
#define TASK_IDLE	0x0402
#define TASK_FREEZABLE	0x2000

#define PF_KTHREAD	0x00200000

struct cgroup_subsys_state;

/* What fake.c keeps of a thread; nothing runs by itself. */
struct task_struct {
	int usage;
	char comm[TASK_COMM_LEN + 16];
	int (*fn)(void *data);
	void *data;
	unsigned int flags;
	unsigned int state;
	unsigned int wakeups;
	unsigned long nvcsw;
	bool should_stop;
	bool should_park;
	bool stopped;
	struct cgroup_subsys_state *blkcg_css;
	int pid;
};

static inline bool pid_alive(const struct task_struct *task)
{
	return !task->stopped;
}

static inline int task_pid_nr(struct task_struct *task)
{
	return task->pid;
}

struct task_struct *shim_current(void);
#define current	shim_current()

#define set_current_state(s)	do { current->state = (s); smp_mb(); } while (0)
#define __set_current_state(s)	(current->state = (s))

struct task_struct *kthread_create(int (*fn)(void *data), void *data,
				   const char *fmt, ...) __printf(3, 4);
int wake_up_process(struct task_struct *task);
int kthread_stop(struct task_struct *task);
int kthread_park(struct task_struct *task);
void kthread_unpark(struct task_struct *task);
void kthread_parkme(void);
bool kthread_should_stop(void);
bool kthread_should_park(void);
/* Of the caller. */
void kthread_associate_blkcg(struct cgroup_subsys_state *css);

static inline void get_task_struct(struct task_struct *task)
{
	task->usage++;
}

void put_task_struct(struct task_struct *task);

long schedule_timeout(long timeout);
void cond_resched(void);
void cond_resched_tasks_rcu_qs(void);
void yield(void);
bool single_task_running(void);
bool need_resched(void);
/* May be what the waiting is for. */
void cpu_relax(void);
u64 local_clock(void);

static inline void set_freezable(void)
{
}

static inline bool try_to_freeze(void)
{
	return false;
}

unsigned int memalloc_noio_save(void);
void memalloc_noio_restore(unsigned int flags);

void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);

struct completion {
	bool done;
};

static inline void init_completion(struct completion *completion)
{
	completion->done = false;
}

static inline void complete_all(struct completion *completion)
{
	completion->done = true;
}

long wait_for_completion_killable_timeout(struct completion *completion,
					  unsigned long timeout);

#endif /* KSHIM_LINUX_SCHED_H */
