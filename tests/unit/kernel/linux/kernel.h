/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel code takes for granted: types, arithmetic, bits, barriers, error
 * pointers, time, printing. The tests have one thread: nothing is atomic here.
 */
#ifndef KSHIM_LINUX_KERNEL_H
#define KSHIM_LINUX_KERNEL_H

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

typedef int64_t s64;
typedef u64 phys_addr_t;
typedef unsigned int gfp_t;

#define U32_MAX		(~(u32)0)
#define U64_MAX		(~(u64)0)

/* True if the option is defined as 1, false if it is not defined. */
#define IS_ENABLED(option)	SHIM_IS_DEFINED(option)
#define SHIM_IS_DEFINED(val)	SHIM_IS_ONE(SHIM_COMMA_##val)
#define SHIM_COMMA_1		0,
#define SHIM_IS_ONE(comma_or_junk)	SHIM_SECOND(comma_or_junk 1, 0, 0)
#define SHIM_SECOND(a, b, ...)	b

/* Most hosts are of this kind. */
#define CONFIG_X86	1
#define CONFIG_BLK_CGROUP	1

/*
 * The driver does what it must not: the test fails, and does not go on. The
 * tests bring it; see fake.c.
 */
__attribute__((__noreturn__)) __printf(1, 2)
void shim_bug(const char *fmt, ...);

#define shim_bug_on(cond)							\
	do {									\
		if (cond)							\
			shim_bug("%s:%d: %s", __FILE__, __LINE__, #cond);	\
	} while (0)

/* ---- arithmetic --------------------------------------------------------- */

#define min(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min3(a, b, c)		min(a, min(b, c))
#define clamp_t(type, val, lo, hi)	min_t(type, max_t(type, val, lo), hi)
#define swap(a, b) do { typeof(a) tmp_ = (a); (a) = (b); (b) = tmp_; } while (0)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#include_next <linux/log2.h>

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 2 * rounddown_pow_of_two(n - 1);
}

static inline int ilog2(unsigned long n)
{
	return 8 * sizeof(n) - 1 - __builtin_clzl(n);
}

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline u32 hash_32(u32 val, unsigned int bits)
{
	return (val * 0x61C88647U) >> (32 - bits);
}

/* ---- bits and barriers -------------------------------------------------- */

static inline bool test_bit(int nr, const unsigned long *word)
{
	return *word >> nr & 1;
}

static inline void set_bit(int nr, unsigned long *word)
{
	*word |= 1UL << nr;
}

static inline void clear_bit(int nr, unsigned long *word)
{
	*word &= ~(1UL << nr);
}

static inline bool test_and_clear_bit(int nr, unsigned long *word)
{
	bool was = test_bit(nr, word);

	clear_bit(nr, word);
	return was;
}

static inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

static inline unsigned int __ffs64(u64 word)
{
	return __builtin_ctzll(word);
}

#define cmpxchg_acquire(ptr, old, new)	({ typeof(*(ptr)) was_ = *(ptr); \
					   *(ptr) = was_ == (old) ? (new) : was_; was_; })
#define xchg(ptr, val)	({ typeof(*(ptr)) was_ = *(ptr); *(ptr) = (val); was_; })

#define smp_mb()		virt_mb()
#define smp_rmb()		virt_rmb()
#define smp_store_mb(var, val)	do { WRITE_ONCE(var, val); smp_mb(); } while (0)
#define smp_load_acquire(ptr)	__atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define smp_store_release(ptr, val)	__atomic_store_n(ptr, val, __ATOMIC_RELEASE)

typedef struct {
	int counter;
} atomic_t;

static inline int atomic_inc_return(atomic_t *v)
{
	return ++v->counter;
}

typedef struct {
	long counter;
} atomic_long_t;

#define ATOMIC_LONG_INIT(i)	{ (i) }

static inline long atomic_long_read(const atomic_long_t *v)
{
	return v->counter;
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	v->counter += i;
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	v->counter -= i;
}

struct kref {
	int refcount;
};

static inline void kref_init(struct kref *kref)
{
	kref->refcount = 1;
}

static inline void kref_get(struct kref *kref)
{
	shim_bug_on(kref->refcount <= 0);
	kref->refcount++;
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	shim_bug_on(kref->refcount <= 0);
	if (--kref->refcount)
		return 0;
	release(kref);
	return 1;
}

/* ---- error pointers ----------------------------------------------------- */

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= -4095UL;
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* ---- time --------------------------------------------------------------- */

/* The test moves it on, and so does whoever sleeps. */
extern unsigned long jiffies;

#define HZ		250
#define NSEC_PER_USEC	1000L
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX

#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ((u64)ms * HZ + 999) / 1000;
}

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return j * 1000 / HZ;
}

void msleep(unsigned int msecs);

/* ---- printing and parsing ----------------------------------------------- */

/* To the log that tests read; @level is err, warn, notice, info or debug. */
void shim_log(const char *level, const char *fmt, ...);

#define pr_notice(fmt, ...)		shim_log("notice", fmt, ##__VA_ARGS__)
#define pr_debug(fmt, ...)		shim_log("debug", fmt, ##__VA_ARGS__)
#define pr_err_ratelimited(fmt, ...)	shim_log("err", fmt, ##__VA_ARGS__)

/* The kernel's knows %pE, see shim_log(). */
int shim_vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
#define vsnprintf	shim_vsnprintf
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

int kstrtouint(const char *str, unsigned int base, unsigned int *val);
/* Before RUNNING what is linked into the kernel gets its parameters. */
extern enum system_states {
	SYSTEM_BOOTING,
	SYSTEM_RUNNING,
} system_state;

int kstrtoll(const char *str, unsigned int base, long long *val);
int kstrtou64(const char *str, unsigned int base, u64 *val);
ssize_t strscpy(char *dst, const char *src, size_t size);
char *strreplace(char *str, char from, char to);
char *strim(char *str);

static inline size_t str_has_prefix(const char *str, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(str, prefix, len) ? 0 : len;
}

/* ---- the rest ----------------------------------------------------------- */

#define ____cacheline_aligned_in_smp	__aligned(64)

typedef enum {
	IRQ_NONE,
	IRQ_HANDLED,
} irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

unsigned int num_online_cpus(void);

#define lockdep_assert(cond)		shim_bug_on(!(cond))
#define lockdep_assert_held(lock)	shim_bug_on(!(lock)->held)

#endif /* KSHIM_LINUX_KERNEL_H */
