// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and all that waits. A thread of the kernel is one here, too, but only
 * one runs at a time, and which one is the test's to say: each hands over to the
 * test when it sleeps.
 */
#define _GNU_SOURCE
#include "fake.h"
#include "unit.h"

#include <linux/cgroup.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

unsigned long jiffies;
struct task_struct fake_main;
unsigned long fake_nr_tasks;
long fake_timeout;
bool (*fake_idle)(void);

/* What the shim's task_struct does not have. */
struct fake_task {
	struct task_struct task;
	pthread_t thread;
	sem_t run;
	bool started;
	bool parked;
	bool ended;
};

static struct task_struct *running = &fake_main;
static sem_t main_run;

static struct fake_task *to_fake(const struct task_struct *task)
{
	return container_of(task, struct fake_task, task);
}

struct task_struct *shim_current(void)
{
	return running;
}

/* A thread other than the test's cannot fail it, only end it. */
void shim_bug(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (running == &fake_main)
		fail_msg("%s", text);
	fprintf(stderr, "# in thread %s: %s\n", running->comm, text);
	abort();
}

/* ---- one runs at a time -------------------------------------------------- */

static void task_to_main(struct fake_task *task)
{
	sem_post(&main_run);
	sem_wait(&task->run);
}

static void *task_main(void *data)
{
	struct fake_task *task = data;

	sem_wait(&task->run);
	/* One that is stopped before it has begun does not begin. */
	if (!task->task.should_stop)
		task->task.fn(task->task.data);
	/* The kernel warns of that. */
	shim_bug_on(task->task.blkcg_css);
	task->ended = true;
	sem_post(&main_run);
	return NULL;
}

void fake_task_run(struct task_struct *task)
{
	struct fake_task *fake = to_fake(task);

	shim_bug_on(running != &fake_main);
	shim_bug_on(fake->ended);
	if (!fake->started)
		pthread_create(&fake->thread, NULL, task_main, fake);
	fake->started = true;
	running = task;
	task->state = TASK_RUNNING;
	sem_post(&fake->run);
	sem_wait(&main_run);
	running = &fake_main;
	if (fake->ended)
		pthread_join(fake->thread, NULL);
}

bool fake_task_ended(const struct task_struct *task)
{
	return to_fake(task)->ended;
}

/* ---- threads of the kernel ----------------------------------------------- */

struct task_struct *kthread_create(int (*fn)(void *data), void *data,
				   const char *fmt, ...)
{
	struct fake_task *task;
	va_list args;

	might_sleep();
	if (fake_fails(&fake_allocs))
		return (struct task_struct *)-ENOMEM;
	task = calloc(1, sizeof(*task));
	task->task.usage = 1;
	task->task.fn = fn;
	task->task.data = data;
	task->task.state = TASK_IDLE;
	task->task.pid = 100 + fake_nr_tasks;
	va_start(args, fmt);
	vsnprintf(task->task.comm, sizeof(task->task.comm), fmt, args);
	va_end(args);
	sem_init(&task->run, 0, 0);
	fake_nr_tasks++;
	return &task->task;
}

void put_task_struct(struct task_struct *task)
{
	shim_bug_on(task->usage <= 0);
	if (--task->usage)
		return;
	/* It runs yet. */
	shim_bug_on(!to_fake(task)->ended);
	fake_nr_tasks--;
	free(to_fake(task));
}

int wake_up_process(struct task_struct *task)
{
	bool slept = task->state != TASK_RUNNING;

	task->state = TASK_RUNNING;
	task->wakeups++;
	return slept;
}

/* Somebody waits in the test's thread. */
static void wait_a_while(const char *what)
{
	if (!fake_idle || !fake_idle())
		shim_bug("%s waits for ever", what);
}

int kthread_stop(struct task_struct *task)
{
	struct fake_task *fake = to_fake(task);

	might_sleep();
	task->should_stop = true;
	task->should_park = false;
	wake_up_process(task);
	for (;;) {
		fake_task_run(task);
		if (fake->ended)
			break;
		if (task->state != TASK_RUNNING)
			wait_a_while("kthread_stop()");
	}
	task->stopped = true;
	put_task_struct(task);
	return 0;
}

int kthread_park(struct task_struct *task)
{
	struct fake_task *fake = to_fake(task);

	might_sleep();
	task->should_park = true;
	wake_up_process(task);
	while (!fake->parked) {
		fake_task_run(task);
		if (!fake->parked && task->state != TASK_RUNNING)
			wait_a_while("kthread_park()");
	}
	return 0;
}

void kthread_unpark(struct task_struct *task)
{
	task->should_park = false;
	wake_up_process(task);
}

void kthread_parkme(void)
{
	struct fake_task *task = to_fake(running);

	while (running->should_park) {
		task->parked = true;
		task_to_main(task);
	}
	task->parked = false;
}

bool kthread_should_stop(void)
{
	return running->should_stop;
}

bool kthread_should_park(void)
{
	return running->should_park;
}

void kthread_associate_blkcg(struct cgroup_subsys_state *css)
{
	might_sleep();
	if (running->blkcg_css)
		css_put(running->blkcg_css);
	running->blkcg_css = css;
	if (css)
		css_get(css);
}

/* ---- sleeping ------------------------------------------------------------ */

unsigned long fake_nr_msleeps;

/* The test lets it run again: it was woken, or the time is over. */
long schedule_timeout(long timeout)
{
	might_sleep();
	fake_timeout = timeout;
	if (running->state == TASK_RUNNING)
		return timeout;
	if (running == &fake_main)
		wait_a_while("schedule_timeout()");
	else
		task_to_main(to_fake(running));
	running->state = TASK_RUNNING;
	return 0;
}

void msleep(unsigned int msecs)
{
	might_sleep();
	fake_nr_msleeps++;
	jiffies += msecs * HZ / 1000;
	if (fake_idle)
		fake_idle();
}

void cond_resched(void)
{
	might_sleep();
}

void cond_resched_tasks_rcu_qs(void)
{
	might_sleep();
}

long wait_for_completion_killable_timeout(struct completion *completion,
					  unsigned long timeout)
{
	might_sleep();
	if (!completion->done && fake_idle)
		fake_idle();
	if (!completion->done)
		jiffies += timeout;
	return completion->done;
}

/* ---- the processor ------------------------------------------------------- */

u64 fake_clock, fake_relax_ns;
void (*fake_relax)(void);
unsigned long fake_nr_yields;
bool fake_others_run, fake_need_resched, fake_initial_domain;

u64 local_clock(void)
{
	return fake_clock;
}

void cpu_relax(void)
{
	fake_clock += fake_relax_ns;
	if (fake_relax)
		fake_relax();
}

void yield(void)
{
	might_sleep();
	fake_nr_yields++;
}

bool single_task_running(void)
{
	return !fake_others_run;
}

bool need_resched(void)
{
	return fake_need_resched;
}

bool xen_domain(void)
{
	return true;
}

bool xen_initial_domain(void)
{
	return fake_initial_domain;
}

unsigned int num_online_cpus(void)
{
	return 4;
}

/* ---- what has to be undone ------------------------------------------------ */

unsigned long fake_nr_synchronizes;
/* The latter of all threads together. */
static int rcu_depth, noio_depth;

void rcu_read_lock(void)
{
	rcu_depth++;
}

void rcu_read_unlock(void)
{
	shim_bug_on(!rcu_depth);
	rcu_depth--;
}

void synchronize_rcu(void)
{
	might_sleep();
	shim_bug_on(rcu_depth);
	fake_nr_synchronizes++;
}

unsigned int memalloc_noio_save(void)
{
	noio_depth++;
	return 0;
}

void memalloc_noio_restore(unsigned int flags)
{
	shim_bug_on(!noio_depth);
	noio_depth--;
}

/* Handing over is quicker then. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void fake_task_reset(void)
{
	static bool once;

	if (!once) {
		sem_init(&main_run, 0, 0);
		stay_on_one_cpu();
	}
	once = true;
	running = &fake_main;
	fake_main = (struct task_struct) { .comm = "test" };
	/* Arithmetic on it has to hold where it wraps around: in two minutes. */
	jiffies = -120UL * HZ;
	fake_nr_tasks = 0;
	fake_timeout = 0;
	fake_idle = NULL;
	fake_clock = 1000000;
	fake_relax_ns = 100;
	fake_relax = NULL;
	fake_nr_yields = fake_nr_msleeps = fake_nr_synchronizes = 0;
	fake_others_run = fake_need_resched = fake_initial_domain = false;
	rcu_depth = noio_depth = 0;
}

void fake_task_check_clean(void)
{
	expect(!fake_nr_tasks, "%lu threads leaked", fake_nr_tasks);
	expect(!rcu_depth, "RCU is locked");
	expect(!noio_depth, "memalloc_noio_save() was not undone");
}
