// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin: how often each piece of code ran, in instructions, and of Xen's code
 * on whose behalf. Debian has no package with qemu-plugin.h, so what is used of QEMU
 * 7.2's is declared here.
 *
 * The machine marks a place in time by executing one instruction, a NOP that nobody
 * else uses; dom0/mark.pl makes a program that does. The n-th mark writes what ran since
 * the one before to the file DIR/n, where DIR is the argument dir=: a line
 * "OWNER VIRTUAL-ADDRESS HOST-ADDRESS RUNS INSTRUCTIONS" for each translated block that
 * ran, OWNER is 0 for dom0 and 1 for all guests. The machine stands still meanwhile.
 *
 * Virtual addresses alone would mix up dom0 and a guest that runs the same kernel. dom0's
 * memory spans what has run code from the start of its kernel to the first mark, when no
 * guest may exist yet. Xen works for the domain of which code ran last. One CPU: the
 * domains of several would mix.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*exec_cb)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
					      void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb,
					  enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb,
					    enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define BUCKETS (1 << 18)
#define XEN_FIRST 0xffff82d000000000ull
#define XEN_LAST 0xffff82dfffffffffull
#define KERNEL_FIRST 0xffff800000000000ull

enum owner { DOM0, GUESTS, OWNERS };

struct block {
	struct block *next;
	uint64_t vaddr;
	uint64_t haddr;
	uint64_t insns;
	uint64_t runs[OWNERS];
};

/* nopl "MARK"(%rax,%rax,1) */
static const unsigned char mark[] = { 0x0f, 0x1f, 0x84, 0x00, 'M', 'A', 'R', 'K' };

static struct block *buckets[BUCKETS];
static uint64_t dom0_first = UINT64_MAX, dom0_last;
static unsigned int nr_marks;
static const char *dir;

/* How many blocks of each owner have run outside Xen, and when Xen looked last */
static uint64_t ran[OWNERS], seen[OWNERS];
static enum owner current = DOM0;

static bool is_xen(uint64_t vaddr)
{
	return vaddr >= XEN_FIRST && vaddr <= XEN_LAST;
}

/* Before dom0's kernel the BIOS and Xen's start run, at low addresses and elsewhere. */
static enum owner owner_of(uint64_t vaddr, uint64_t haddr)
{
	if (nr_marks)
		return haddr < dom0_first || haddr > dom0_last ? GUESTS : DOM0;
	if (haddr && (vaddr >= KERNEL_FIRST || dom0_last)) {
		if (haddr < dom0_first)
			dom0_first = haddr;
		if (haddr > dom0_last)
			dom0_last = haddr;
	}
	return DOM0;
}

static struct block *find(uint64_t vaddr, uint64_t haddr, uint64_t insns)
{
	size_t n = ((vaddr ^ haddr >> 12 ^ insns << 48) * 0x9e3779b97f4a7c15ull) >> 46;
	struct block *b;

	for (b = buckets[n]; b; b = b->next)
		if (b->vaddr == vaddr && b->haddr == haddr && b->insns == insns)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->vaddr = vaddr;
	b->haddr = haddr;
	b->insns = insns;
	b->next = buckets[n];
	buckets[n] = b;
	return b;
}

/* Only Xen switches from one domain to another, so one of the two at most has run. */
static void xen_runs(unsigned int cpu, void *data)
{
	struct block *b = data;

	(void)cpu;
	if (ran[GUESTS] != seen[GUESTS])
		current = GUESTS;
	if (ran[DOM0] != seen[DOM0])
		current = DOM0;
	seen[GUESTS] = ran[GUESTS];
	seen[DOM0] = ran[DOM0];
	b->runs[current]++;
}

/* Prints what ran, and begins anew */
static void print_bucket(FILE *f, struct block *b)
{
	enum owner n;

	for (; b; b = b->next)
		for (n = DOM0; n < OWNERS; n++) {
			if (b->runs[n])
				fprintf(f, "%u %" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
					n, b->vaddr, b->haddr, b->runs[n], b->runs[n] * b->insns);
			b->runs[n] = 0;
		}
}

static void marked(unsigned int cpu, void *unused)
{
	char path[4096];
	size_t n;
	FILE *f;

	(void)cpu;
	(void)unused;
	snprintf(path, sizeof(path), "%s/%u", dir, ++nr_marks);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		abort();
	}
	for (n = 0; n < BUCKETS; n++)
		print_bucket(f, buckets[n]);
	if (fclose(f)) {
		perror(path);
		abort();
	}
}

static void look_for_mark(struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *insn;
	size_t n;

	for (n = 0; n < qemu_plugin_tb_n_insns(tb); n++) {
		insn = qemu_plugin_tb_get_insn(tb, n);
		if (qemu_plugin_insn_size(insn) == sizeof(mark) &&
		    !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
	uint64_t haddr = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn);
	uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
	struct block *b = find(vaddr, haddr, qemu_plugin_tb_n_insns(tb));
	enum owner owner;

	(void)id;
	if (is_xen(vaddr)) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, xen_runs, QEMU_PLUGIN_CB_NO_REGS, b);
		return;
	}
	owner = owner_of(vaddr, haddr);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &b->runs[owner], 1);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &ran[owner], 1);
	if (vaddr < KERNEL_FIRST)
		look_for_mark(tb);
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "dir=", 4)) {
		fprintf(stderr, "count: needs dir=DIRECTORY\n");
		return -1;
	}
	dir = strdup(argv[0] + 4);
	if (!dir)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
