/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks as the one thread of a test can check them: taken once, given back once. */
#ifndef KSHIM_LINUX_LOCK_H
#define KSHIM_LINUX_LOCK_H

#include <linux/kernel.h>

/* Spinlocks held: nobody may sleep. */
extern int shim_atomic;

#define might_sleep()	shim_bug_on(shim_atomic)

typedef struct {
	bool held;
} spinlock_t;

struct mutex {
	bool held;
};

#define DEFINE_SPINLOCK(name)	spinlock_t name
#define DEFINE_MUTEX(name)	struct mutex name

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	shim_bug_on(lock->held);
	lock->held = true;
	shim_atomic++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_bug_on(!lock->held);
	lock->held = false;
	shim_atomic--;
}

#define spin_lock_irqsave(lock, flags)		\
	do {					\
		(flags) = 1;			\
		spin_lock(lock);		\
	} while (0)

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	shim_bug_on(flags != 1);
	spin_unlock(lock);
}

static inline void mutex_init(struct mutex *lock)
{
	lock->held = false;
}

static inline void mutex_lock(struct mutex *lock)
{
	might_sleep();
	shim_bug_on(lock->held);
	lock->held = true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	shim_bug_on(!lock->held);
	lock->held = false;
}

#endif /* KSHIM_LINUX_LOCK_H */
