// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages granted through xen-gntalloc. Whether the backend still has one mapped
 * is told by the kernel log only, so that is read whenever a grant ends.
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"

#define MIN_GNTALLOC_LIMIT 12288

/*
 * Has the backend really unmapped a grant before it answered? xen-gntalloc
 * ends a grant when its page is unmapped here. If the other side still has it
 * mapped, Linux cannot end it: it puts the grant on a deferred list, silently
 * for user space, but with a line in the kernel log:
 *
 *	deferring g.e. 0x123 (pfn ...)	the grant is still in use
 *	leaking g.e. 0x123 (pfn ...)	the same, and no memory to remember it
 *
 * The first is a debug message in newer kernels, so we switch it on, and read
 * /dev/kmsg after each end. Whether this kernel speaks like that is found out
 * by fe_grants_selftest(), never assumed.
 */
static const char * const in_use_markers[] = {
	"deferring g.e. 0x", "leaking g.e. 0x",
};

static void enable_debug_messages(void)
{
	static const char query[] = "func gnttab_add_deferred +p\n";
	static const char * const controls[] = {
		"/proc/dynamic_debug/control",
		"/sys/kernel/debug/dynamic_debug/control",
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int fd = open(controls[i], O_WRONLY | O_CLOEXEC);
		bool ok = fd >= 0 &&
			  write(fd, query, sizeof(query) - 1) > 0;

		if (fd >= 0)
			close(fd);
		if (ok)
			return;
	}
}

/* The grant a message is about, or -1. */
static long message_ref(const char *message)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const char *p = strstr(message, in_use_markers[i]);

		if (p)
			return strtol(p + strlen(in_use_markers[i]), NULL, 16);
	}
	return -1;
}

/* The default is 1024 pages, less than a deep ring of big requests. */
static void raise_limit(void)
{
	static const char path[] =
		"/sys/module/xen_gntalloc/parameters/limit";
	FILE *f = fopen(path, "r");
	int limit = 0;

	if (!f)
		return;
	if (fscanf(f, "%d", &limit) != 1)
		limit = 0;
	fclose(f);
	if (limit >= MIN_GNTALLOC_LIMIT)
		return;
	f = fopen(path, "w");
	if (f) {
		fprintf(f, "%d\n", MIN_GNTALLOC_LIMIT);
		fclose(f);
	}
}

static int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Read what the kernel said since last time; is one of our grants in it? */
static unsigned int kmsg_count_in_use(struct fe_grants *g, unsigned int nr,
				      const uint32_t *refs)
{
	char buf[8192];
	unsigned int found = 0;
	unsigned int i;
	ssize_t len;

	if (g->kmsg_fd < 0)
		return 0;
	for (;;) {
		long ref;

		len = read(g->kmsg_fd, buf, sizeof(buf) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		buf[len] = 0;
		ref = message_ref(buf);
		for (i = 0; i < nr; i++)
			found += refs[i] == ref;
	}
	return found;
}

/**
 * fe_grants_open() - get ready to grant pages
 *
 * Return: 0, or -errno.
 */
int fe_grants_open(struct fe_grants *g)
{
	memset(g, 0, sizeof(*g));
	enable_debug_messages();
	raise_limit();
	g->kmsg_fd = kmsg_open();
	g->gs = xengntshr_open(NULL, 0);
	return g->gs ? 0 : -errno;
}

/**
 * fe_grants_close() - undo fe_grants_open(); ends all grants that are left
 */
void fe_grants_close(struct fe_grants *g)
{
	fe_pool_release(g);
	if (g->gs)
		xengntshr_close(g->gs);
	if (g->kmsg_fd >= 0)
		close(g->kmsg_fd);
	g->gs = NULL;
	g->kmsg_fd = -1;
}

/**
 * fe_grants_selftest() - can this kernel tell that a grant is still in use?
 * @g: grants
 * @own_domid: our own domain, which plays the backend for this test
 *
 * Shares a page, maps it ourselves, ends the grant while it is mapped, and
 * looks whether the kernel noticed. Sets @g->detects.
 *
 * Return: the value of @g->detects.
 */
bool fe_grants_selftest(struct fe_grants *g, unsigned int own_domid)
{
	xengnttab_handle *gt = xengnttab_open(NULL, 0);
	void *map = NULL;
	uint32_t ref;
	void *va;

	g->detects = false;
	if (!gt)
		return false;
	va = xengntshr_share_pages(g->gs, own_domid, 1, &ref, 1);
	if (va)
		map = xengnttab_map_grant_ref(gt, own_domid, ref,
					      PROT_READ | PROT_WRITE);
	if (map) {
		/* Fault it in, in case mapping is lazy. */
		*(volatile uint8_t *)map = 1;
		xengntshr_unshare(g->gs, va, 1);
		g->detects = kmsg_count_in_use(g, 1, &ref) == 1;
		xengnttab_unmap(gt, map, 1);
	} else if (va) {
		xengntshr_unshare(g->gs, va, 1);
	}
	xengnttab_close(gt);
	return g->detects;
}

/**
 * fe_grants_share() - grant fresh pages, contiguous in our address space
 * @g: grants
 * @nr: number of pages
 * @refs: the grant references
 * @writable: may the backend write?
 *
 * Return: address of the first page, NULL with errno set on failure.
 */
void *fe_grants_share(struct fe_grants *g, unsigned int nr, uint32_t *refs,
		      bool writable)
{
	return xengntshr_share_pages(g->gs, g->domid, (int)nr, refs, writable);
}

/**
 * fe_grants_end() - end grants made by fe_grants_share()
 *
 * Return: false if the backend is known to still use one of them.
 */
bool fe_grants_end(struct fe_grants *g, void *va, unsigned int nr,
		   const uint32_t *refs)
{
	xengntshr_unshare(g->gs, va, nr);
	return !kmsg_count_in_use(g, nr, refs) || !g->detects;
}

/**
 * fe_pool_get() - take a page that stays granted for the life of the rings
 *
 * Return: the page, writable by the backend; NULL with errno set on failure.
 */
struct fe_page *fe_pool_get(struct fe_grants *g)
{
	struct fe_page *page = g->pool;

	if (page) {
		g->pool = page->next;
		g->nr_pool--;
		return page;
	}
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	page->va = fe_grants_share(g, 1, &page->ref, true);
	if (!page->va) {
		free(page);
		return NULL;
	}
	return page;
}

/**
 * fe_pool_put() - give back a page of fe_pool_get(), last in first out
 */
void fe_pool_put(struct fe_grants *g, struct fe_page *page)
{
	page->next = g->pool;
	g->pool = page;
	g->nr_pool++;
}

/**
 * fe_pool_release() - end the grants of all pooled pages
 *
 * Return: false if the backend is known to still use one of them.
 */
bool fe_pool_release(struct fe_grants *g)
{
	struct fe_page *page;
	bool ok = true;

	while ((page = g->pool)) {
		g->pool = page->next;
		ok &= fe_grants_end(g, page->va, 1, &page->ref);
		free(page);
	}
	g->nr_pool = 0;
	return ok;
}
