// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin: how often each piece of code ran, in instructions. bench/profile
 * uses it. Debian has no package with qemu-plugin.h, so what is used of QEMU 7.2's
 * is declared here.
 *
 * A path written to the FIFO that the argument control= names makes it write the
 * counts so far there: a line "VIRTUAL-ADDRESS HOST-ADDRESS RUNS INSTRUCTIONS" for
 * each place where a translated block begins. Virtual addresses alone would mix up
 * dom0 and a guest that runs the same kernel.
 */
#include <inttypes.h>
#include <pthread.h>
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

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
					      void *ptr, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define BUCKETS (1 << 18)

struct block {
	struct block *next;
	uint64_t vaddr;
	uint64_t haddr;
	uint64_t runs;
	uint64_t insns;
};

static struct block *buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t nr_blocks;
static char control[4096];

static struct block *find(uint64_t vaddr, uint64_t haddr)
{
	size_t n = ((vaddr ^ haddr >> 12) * 0x9e3779b97f4a7c15ull) >> 46;
	struct block *b;

	for (b = buckets[n]; b; b = b->next)
		if (b->vaddr == vaddr && b->haddr == haddr)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->vaddr = vaddr;
	b->haddr = haddr;
	b->next = buckets[n];
	buckets[n] = b;
	nr_blocks++;
	return b;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
	struct block *b;

	(void)id;
	pthread_mutex_lock(&lock);
	b = find(qemu_plugin_insn_vaddr(insn), (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn));
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->runs, 1);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->insns,
						 qemu_plugin_tb_n_insns(tb));
}

/* The machine goes on meanwhile: copy first, which is quick, and print then. */
static struct block *copy_all(size_t *nr)
{
	struct block *all, *b;
	size_t n;

	pthread_mutex_lock(&lock);
	all = calloc(nr_blocks + 1, sizeof(*all));
	if (!all)
		abort();
	*nr = 0;
	for (n = 0; n < BUCKETS; n++)
		for (b = buckets[n]; b; b = b->next)
			all[(*nr)++] = *b;
	pthread_mutex_unlock(&lock);
	return all;
}

/* Under another name first: the reader waits for the file to appear. */
static void dump(const char *path)
{
	char part[4096 + 8];
	struct block *all;
	size_t n, nr;
	FILE *f;

	all = copy_all(&nr);
	snprintf(part, sizeof(part), "%s.part", path);
	f = fopen(part, "w");
	if (!f) {
		perror(part);
		free(all);
		return;
	}
	for (n = 0; n < nr; n++)
		if (all[n].runs)
			fprintf(f, "%" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
				all[n].vaddr, all[n].haddr, all[n].runs, all[n].insns);
	if (fclose(f) || rename(part, path))
		perror(path);
	free(all);
}

static void *listen_to(void *unused)
{
	char path[4096];
	FILE *f;

	(void)unused;
	for (;;) {
		f = fopen(control, "r");
		if (!f) {
			perror(control);
			return NULL;
		}
		while (fgets(path, sizeof(path), f)) {
			path[strcspn(path, "\n")] = '\0';
			dump(path);
		}
		fclose(f);
	}
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	pthread_t thread;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "control=", 8)) {
		fprintf(stderr, "count: needs control=FIFO\n");
		return -1;
	}
	snprintf(control, sizeof(control), "%s", argv[0] + 8);
	if (pthread_create(&thread, NULL, listen_to, NULL))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
