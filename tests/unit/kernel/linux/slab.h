/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory: all of it comes from the fakes, which count it. */
#ifndef KSHIM_LINUX_SLAB_H
#define KSHIM_LINUX_SLAB_H

#include <linux/kernel.h>

#define GFP_KERNEL	1U
#define GFP_NOIO	2U
#define GFP_NOWAIT	4U
#define __GFP_NOWARN	8U
#define __GFP_ZERO	16U

#define PAGE_SIZE	4096UL

void *kmalloc(size_t size, gfp_t flags);
void kfree(const void *ptr);
void *vcalloc(size_t n, size_t size);
void vfree(const void *ptr);
void *kvmalloc_array(size_t n, size_t size, gfp_t flags);
void kvfree(const void *ptr);

static inline void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kzalloc(n * size, flags);
}

static inline void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array(n, size, flags | __GFP_ZERO);
}

char *kstrdup(const char *str, gfp_t flags);
char *kasprintf(gfp_t flags, const char *fmt, ...) __printf(2, 3);

#define SLAB_NO_MERGE	1U

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, unsigned int flags,
				     void (*ctor)(void *obj));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags);
void kmem_cache_free(struct kmem_cache *cache, void *obj);

#define KMEM_CACHE(type, flags)						\
	kmem_cache_create(#type, sizeof(struct type),			\
			  __alignof__(struct type), flags, NULL)

unsigned long totalram_pages(void);
struct page *alloc_page(gfp_t flags);
void put_page(struct page *page);
int page_count(const struct page *page);
void *page_address(const struct page *page);
void clear_page(void *page);

#endif /* KSHIM_LINUX_SLAB_H */
