// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bytes of the shared page does the core touch, and how often (XSA-155)?
 *
 * The page is taken away; each access faults, is noted down, and is then let
 * through alone by single-stepping over it. The core is compiled into this
 * file, optimized and without sanitizers, so that the compiler is as free to
 * fetch twice as it is in the kernel.
 */
#ifndef __x86_64__
#error "single-stepping is written for x86_64 only"
#endif

/* For the names of the registers. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/proto.c"
#include "core/sring.c"
#include "core/validate.c"

/* After the core, whose memcpy() is SHIM_MEMCPY. */
#undef memcpy
#include "unit.h"

#define TRAP_FLAG	0x100
#define FAULT_WRITE	0x2

static u8 *page;
static struct access {
	u16 offset;
	bool write;
} seen[4096];
static unsigned int nr_seen;

/* One byte at a time, each once, and each step visible to the debug trap. */
void *byte_copy(void *dst, const void *src, size_t len)
{
	void *to = dst;

	__asm__ __volatile__("rep movsb" : "+D"(to), "+S"(src), "+c"(len) : : "memory");
	return dst;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u8 *addr = info->si_addr;

	if (addr < page || addr >= page + 4096 || nr_seen == ARRAY_SIZE(seen)) {
		/* Not ours: fault again, for good. */
		signal(SIGSEGV, SIG_DFL);
		return;
	}
	seen[nr_seen].offset = addr - page;
	seen[nr_seen].write = uc->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE;
	nr_seen++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	uc->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	mprotect(page, 4096, PROT_NONE);
	uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static int set_up(void **state)
{
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? -1 : 0;
}

static struct sigaction old_fault, old_step;

/* cmocka has a handler of its own for each test: take its place for a moment. */
static void watch(void)
{
	const struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	const struct sigaction step = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &fault, &old_fault);
	sigaction(SIGTRAP, &step, &old_step);
	nr_seen = 0;
	mprotect(page, 4096, PROT_NONE);
}

static void unwatch(void)
{
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_fault, NULL);
	sigaction(SIGTRAP, &old_step, NULL);
}

static void expect_access(unsigned int i, unsigned int offset, bool write)
{
	expect(i < nr_seen, "access %u of %u", i, nr_seen);
	expect(seen[i].offset == offset && seen[i].write == write,
	       "access %u: %s %u, not %s %u", i, seen[i].write ? "write" : "read",
	       seen[i].offset, write ? "write" : "read", offset);
}

#define REQ_PROD	0
#define REQ_EVENT	4
#define RSP_PROD	8
#define RSP_EVENT	12

static void attach(struct xenvbd_sring *sring, enum xenvbd_abi abi)
{
	memset(page, 0, 4096);
	((u32 *)page)[0] = 32;
	assert_int_equal(xenvbd_sring_attach(sring, page, 4096, abi), 0);
}

static void each_index_is_read_once(void **state)
{
	struct xenvbd_sring sring;

	attach(&sring, XENVBD_ABI_X86_64);
	watch();
	xenvbd_sring_attach(&sring, page, 4096, XENVBD_ABI_X86_64);
	unwatch();
	expect_access(0, RSP_PROD, false);
	expect_access(1, REQ_PROD, false);
	assert_int_equal(nr_seen, 2);

	watch();
	xenvbd_sring_pending(&sring);
	unwatch();
	expect_access(0, REQ_PROD, false);
	assert_int_equal(nr_seen, 1);
}

static void the_order_before_sleeping_is_question_then_look(void **state)
{
	struct xenvbd_sring sring;

	attach(&sring, XENVBD_ABI_X86_64);
	watch();
	xenvbd_sring_rearm(&sring);
	unwatch();
	expect_access(0, REQ_EVENT, true);
	expect_access(1, REQ_PROD, false);
	assert_int_equal(nr_seen, 2);
}

/* A request is worked on as the driver does it, to the end of its checks. */
static void take_request(enum xenvbd_abi abi, u8 op, u32 idx)
{
	static const struct xenvbd_limits limits = {
		.nr_sects = 1 << 20, .align_sects = 1, .barrier = true, .discard = true,
	};
	unsigned int slot = 64 + idx * xenvbd_slot_bytes(abi);
	struct xenvbd_sring sring;
	struct xenvbd_slot copy;
	struct xenvbd_cmd cmd;
	u8 count[4096] = {};
	unsigned int i;

	attach(&sring, abi);
	sring.req_cons = idx;
	page[slot] = op;
	page[slot + 1] = 11;
	watch();
	xenvbd_sring_fetch(&sring, &copy);
	xenvbd_cmd_decode(&cmd, &copy, abi);
	xenvbd_validate(&cmd, &limits);
	unwatch();

	for (i = 0; i < nr_seen; i++) {
		expect(!seen[i].write, "op %u: write to %u", op, seen[i].offset);
		count[seen[i].offset]++;
	}
	for (i = 0; i < 4096; i++) {
		bool inside = i >= slot && i < slot + xenvbd_slot_bytes(abi);

		expect(count[i] == inside, "op %u, slot %u, byte %u: read %u times", op, idx,
		       i - slot, count[i]);
	}
}

static void each_byte_of_a_request_is_read_once(void **state)
{
	u8 op;

	for (op = 0; op < 9; op++) {
		take_request(XENVBD_ABI_X86_32, op, 0);
		take_request(XENVBD_ABI_X86_64, op, 0);
		take_request(XENVBD_ABI_X86_32, op, 31);
		take_request(XENVBD_ABI_X86_64, op, 31);
	}
}

static void respond(enum xenvbd_abi abi)
{
	unsigned int bytes = abi == XENVBD_ABI_X86_32 ? XENVBD_RSP_X86_32 : XENVBD_RSP_X86_64;
	struct xenvbd_sring sring;
	unsigned int i;

	attach(&sring, abi);
	watch();
	xenvbd_sring_respond(&sring, 1, 0, BLK_STS_OK);
	unwatch();
	expect(nr_seen, "abi %d", abi);
	for (i = 0; i < nr_seen; i++) {
		expect(seen[i].write, "abi %d: read of %u", abi, seen[i].offset);
		expect(seen[i].offset >= 64 && seen[i].offset < 64 + bytes, "abi %d: write to %u",
		       abi, seen[i].offset);
	}

	watch();
	xenvbd_sring_push(&sring);
	unwatch();
	expect_access(0, RSP_PROD, true);
	expect_access(1, RSP_EVENT, false);
	assert_int_equal(nr_seen, 2);
}

static void responses_are_written_and_never_read_back(void **state)
{
	respond(XENVBD_ABI_X86_32);
	respond(XENVBD_ABI_X86_64);
}

static void a_push_of_nothing_touches_nothing(void **state)
{
	struct xenvbd_sring sring;

	attach(&sring, XENVBD_ABI_X86_64);
	watch();
	xenvbd_sring_push(&sring);
	unwatch();
	assert_int_equal(nr_seen, 0);
}

int main(void)
{
	const struct CMUnitTest access[] = {
		cmocka_unit_test(each_index_is_read_once),
		cmocka_unit_test(the_order_before_sleeping_is_question_then_look),
		cmocka_unit_test(each_byte_of_a_request_is_read_once),
		cmocka_unit_test(responses_are_written_and_never_read_back),
		cmocka_unit_test(a_push_of_nothing_touches_nothing),
	};

	return cmocka_run_group_tests(access, set_up, NULL);
}
