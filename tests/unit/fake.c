// SPDX-License-Identifier: GPL-2.0-only
/* Memory, pages, grants, the guest's memory, the disk, event channels. */
#include "fake.h"
#include "unit.h"

#include <asm/xen/hypercall.h>
#include <linux/lock.h>
#include <xen/events.h>

/* ---- faults ------------------------------------------------------------- */

struct fake_fault fake_allocs, fake_xen_pages, fake_grants, fake_handles, fake_unmaps,
		  fake_hypercalls;

void fake_fail_at(struct fake_fault *fault, unsigned long nth)
{
	*fault = (struct fake_fault) { .fail_at = nth };
}

void fake_fail_all(struct fake_fault *fault)
{
	*fault = (struct fake_fault) { .fail_at = 1, .for_ever = true };
}

bool fake_fails(struct fake_fault *fault)
{
	bool fails = ++fault->calls == fault->fail_at ||
		     (fault->for_ever && fault->calls > fault->fail_at);

	fault->failures += fails;
	return fails;
}

/* ---- memory ------------------------------------------------------------- */

unsigned long fake_nr_objects, fake_nr_pages, fake_nr_xen_pages;
unsigned long fake_total_pages;

unsigned long totalram_pages(void)
{
	return fake_total_pages;
}
int shim_atomic;

/* Lies before each object. */
struct fake_object {
	void *start;
	enum { OBJECT_KMALLOC = 0x6b6d, OBJECT_VMALLOC, OBJECT_KVMALLOC } kind;
};

/* What is not asked to be zero is not. */
static void *object_alloc(size_t size, size_t align, int kind, gfp_t flags)
{
	struct fake_object *object;
	char *start;

	if (!(flags & GFP_NOWAIT))
		might_sleep();
	if (fake_fails(&fake_allocs))
		return NULL;
	start = aligned_alloc(align, align + (size + align - 1) / align * align);
	memset(start + align, flags & __GFP_ZERO ? 0 : 0x5a, size);
	object = (struct fake_object *)(start + align) - 1;
	object->start = start;
	object->kind = kind;
	fake_nr_objects++;
	return start + align;
}

static void object_free(const void *ptr, int kind)
{
	struct fake_object *object;

	if (!ptr)
		return;
	object = (struct fake_object *)ptr - 1;
	shim_bug_on(object->kind != kind);
	object->kind = 0;
	fake_nr_objects--;
	free(object->start);
}

/* As in Linux, what is a power of two is aligned to it. */
void *kmalloc(size_t size, gfp_t flags)
{
	size_t align = is_power_of_2(size) ? size : 64;

	return object_alloc(size, clamp_t(size_t, align, 64, PAGE_SIZE),
			    OBJECT_KMALLOC, flags);
}

void kfree(const void *ptr)
{
	object_free(ptr, OBJECT_KMALLOC);
}

void *vcalloc(size_t n, size_t size)
{
	return object_alloc(n * size, PAGE_SIZE, OBJECT_VMALLOC,
			    GFP_KERNEL | __GFP_ZERO);
}

void vfree(const void *ptr)
{
	object_free(ptr, OBJECT_VMALLOC);
}

void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return object_alloc(n * size, 64, OBJECT_KVMALLOC, flags);
}

void kvfree(const void *ptr)
{
	object_free(ptr, OBJECT_KVMALLOC);
}

char *kstrdup(const char *str, gfp_t flags)
{
	char *dup = kmalloc(strlen(str) + 1, flags);

	return dup ? strcpy(dup, str) : NULL;
}

char *kasprintf(gfp_t flags, const char *fmt, ...)
{
	char buf[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	return kstrdup(buf, flags);
}

struct kmem_cache {
	size_t size;
	unsigned long nr;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, unsigned int flags,
				     void (*ctor)(void *obj))
{
	struct kmem_cache *cache = kmalloc(sizeof(*cache), GFP_KERNEL);

	if (cache)
		*cache = (struct kmem_cache) { .size = size };
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	shim_bug_on(cache && cache->nr);
	kfree(cache);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	void *obj = kzalloc(cache->size, flags);

	cache->nr += !!obj;
	return obj;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	cache->nr--;
	kfree(obj);
}

/* ---- pages -------------------------------------------------------------- */

static struct page *page_new(bool is_xen, int fill)
{
	struct page *page = calloc(1, sizeof(*page));

	page->refs = 1;
	page->is_xen = is_xen;
	page->memory = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(page->memory, fill, PAGE_SIZE);
	return page;
}

static void page_free(struct page *page)
{
	shim_bug_on(page->mapping);
	free(page->memory);
	free(page);
}

struct page *alloc_page(gfp_t flags)
{
	if (fake_fails(&fake_allocs))
		return NULL;
	fake_nr_pages++;
	return page_new(false, flags & __GFP_ZERO ? 0 : 0x5a);
}

void put_page(struct page *page)
{
	shim_bug_on(page->is_xen);
	if (--page->refs)
		return;
	fake_nr_pages--;
	page_free(page);
}

int page_count(const struct page *page)
{
	shim_bug_on(page->refs < 1);
	return page->refs;
}

void *page_address(const struct page *page)
{
	return page->memory;
}

void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

int gnttab_alloc_pages(int nr, struct page **pages)
{
	int i;

	if (fake_fails(&fake_allocs) || fake_fails(&fake_xen_pages))
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		pages[i] = page_new(true, 0x5a);
	fake_nr_xen_pages += nr;
	return 0;
}

void gnttab_free_pages(int nr, struct page **pages)
{
	int i;

	for (i = 0; i < nr; i++) {
		shim_bug_on(!pages[i]->is_xen);
		/* Somebody below still uses it. */
		shim_bug_on(pages[i]->refs != 1);
		page_free(pages[i]);
	}
	fake_nr_xen_pages -= nr;
}

/* ---- grants ------------------------------------------------------------- */

unsigned long fake_nr_mappings, fake_nr_lost;
unsigned long fake_nr_maps, fake_nr_unmaps, fake_nr_copies;
unsigned long fake_nr_map_calls, fake_nr_unmap_calls, fake_nr_copy_calls;

static struct fake_grant grants[FAKE_MAX_GREFS];
/* By handle; NULL if it was given back. */
static struct fake_mapping **mappings;
static unsigned long nr_handles;

u8 *fake_grant(grant_ref_t gref)
{
	struct fake_grant *grant = &grants[gref];

	if (!grant->memory)
		grant->memory = calloc(1, PAGE_SIZE);
	return grant->memory;
}

void fake_grant_readonly(grant_ref_t gref)
{
	fake_grant(gref);
	grants[gref].readonly = true;
}

unsigned int fake_grant_maps(grant_ref_t gref)
{
	return grants[gref].maps;
}

/* NULL if the guest has not granted that. */
static struct fake_grant *grant_find(domid_t domid, grant_ref_t gref,
				     bool writes)
{
	struct fake_grant *grant;

	if (domid != FAKE_DOMID || gref >= FAKE_MAX_GREFS)
		return NULL;
	grant = &grants[gref];
	return grant->memory && !(grant->readonly && writes) ? grant : NULL;
}

static void grant_map(struct gnttab_map_grant_ref *op, struct page *page)
{
	bool readonly = op->flags & GNTMAP_readonly;
	struct fake_grant *grant = grant_find(op->dom, op->ref, !readonly);
	struct fake_mapping *mapping;

	shim_bug_on(!(op->flags & GNTMAP_host_map));
	shim_bug_on(!page->is_xen || page->mapping);
	shim_bug_on(op->host_addr != (unsigned long)page->memory);
	fake_nr_maps++;
	/* A handle means nothing then. */
	op->handle = 0x5a5a5a5a;
	op->status = GNTST_bad_gntref;
	/* The kernel notes the mapping before it may run out of memory. */
	page->is_foreign = fake_fails(&fake_grants);
	if (page->is_foreign || !grant)
		return;
	/* As older and newer ones say it. */
	op->status = fake_handles.calls % 2 ? GNTST_no_space : GNTST_no_device_space;
	if (fake_fails(&fake_handles))
		return;

	mapping = malloc(sizeof(*mapping));
	*mapping = (struct fake_mapping) { grant, page, readonly };
	grant->maps++;
	page->mapping = mapping;
	page->is_foreign = true;
	page->foreign.gref = op->ref;
	mappings = realloc(mappings, (nr_handles + 1) * sizeof(*mappings));
	mappings[nr_handles] = mapping;
	fake_nr_mappings++;
	op->handle = nr_handles++;
	op->status = GNTST_okay;
}

bool PageForeign(const struct page *page)
{
	return page->is_foreign;
}

void ClearPageForeign(struct page *page)
{
	page->is_foreign = false;
}

struct xen_page_foreign *xen_page_foreign(struct page *page)
{
	return page->is_foreign ? &page->foreign : NULL;
}

int gnttab_map_refs(struct gnttab_map_grant_ref *ops,
		    struct gnttab_map_grant_ref *kmap_ops, struct page **pages,
		    unsigned int nr)
{
	unsigned int i;

	might_sleep();
	shim_bug_on(!nr);
	fake_nr_map_calls++;
	if (fake_fails(&fake_hypercalls))
		return -EFAULT;
	for (i = 0; i < nr; i++)
		grant_map(&ops[i], pages[i]);
	return 0;
}

static void grant_unmap(struct gnttab_unmap_grant_ref *op, struct page *page)
{
	struct fake_mapping *mapping;

	shim_bug_on(op->handle >= nr_handles);
	mapping = mappings[op->handle];
	/* Unmapped twice. */
	shim_bug_on(!mapping);
	shim_bug_on(mapping->page != page || page->mapping != mapping);
	shim_bug_on(op->host_addr != (unsigned long)page->memory);
	/* Somebody below still uses it. */
	shim_bug_on(page->refs != 1);
	fake_nr_unmaps++;
	op->status = GNTST_bad_handle;
	if (fake_fails(&fake_unmaps)) {
		fake_nr_lost++;
		return;
	}

	mappings[op->handle] = NULL;
	page->mapping = NULL;
	page->is_foreign = false;
	mapping->grant->maps--;
	free(mapping);
	fake_nr_mappings--;
	op->status = GNTST_okay;
}

int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *ops,
		      struct gnttab_unmap_grant_ref *kunmap_ops,
		      struct page **pages, unsigned int nr)
{
	unsigned int i;

	might_sleep();
	shim_bug_on(!nr);
	fake_nr_unmap_calls++;
	if (fake_fails(&fake_hypercalls)) {
		fake_nr_lost += nr;
		return -EFAULT;
	}
	for (i = 0; i < nr; i++)
		grant_unmap(&ops[i], pages[i]);
	return 0;
}

void fake_grant_page_out(grant_ref_t gref)
{
	fake_grant(gref);
	grants[gref].paged_out = true;
}

static void grant_copy(struct gnttab_copy *op, bool waits)
{
	bool out = op->flags & GNTCOPY_dest_gref;
	typeof(op->source) *theirs = out ? &op->dest : &op->source;
	typeof(op->source) *ours = out ? &op->source : &op->dest;
	struct fake_grant *grant =
		grant_find(theirs->domid, theirs->u.ref, out);
	u8 *memory = (u8 *)(ours->u.gmfn << XEN_PAGE_SHIFT) + ours->offset;

	shim_bug_on(ours->domid != DOMID_SELF);
	shim_bug_on(op->flags != GNTCOPY_dest_gref &&
		    op->flags != GNTCOPY_source_gref);
	shim_bug_on(!op->len || ours->offset + op->len > XEN_PAGE_SIZE ||
		    theirs->offset + op->len > XEN_PAGE_SIZE);
	fake_nr_copies++;
	op->status = GNTST_bad_gntref;
	if (fake_fails(&fake_grants) || !grant)
		return;
	if (grant->paged_out && !waits) {
		op->status = GNTST_eagain;
		return;
	}
	grant->paged_out = false;
	if (out)
		memcpy(grant->memory + theirs->offset, memory, op->len);
	else
		memcpy(memory, grant->memory + theirs->offset, op->len);
	op->status = GNTST_okay;
}

void gnttab_batch_copy(struct gnttab_copy *ops, unsigned int nr)
{
	unsigned int i;

	might_sleep();
	shim_bug_on(!nr);
	fake_nr_copy_calls++;
	for (i = 0; i < nr; i++)
		grant_copy(&ops[i], true);
}

int HYPERVISOR_grant_table_op(unsigned int cmd, void *ops, unsigned int nr)
{
	struct gnttab_copy *copy = ops;
	unsigned int i;

	shim_bug_on(cmd != GNTTABOP_copy || !nr);
	fake_nr_copy_calls++;
	if (fake_fails(&fake_hypercalls))
		return -EFAULT;
	for (i = 0; i < nr; i++)
		grant_copy(&copy[i], false);
	return 0;
}

/* ---- the disk ----------------------------------------------------------- */

struct fake_disk fake_disk;
bool fake_any_disk;
unsigned long fake_nr_bios, fake_nr_submits;
unsigned int fake_plug_ios;
unsigned long fake_nr_plugs;

/* Submitted bios by bi_next, oldest first. */
static struct bio *bios;
static struct blk_plug *plug;

int blk_status_to_errno(blk_status_t status)
{
	return status == BLK_STS_OK ? 0 : status == BLK_STS_NOTSUPP ? -EOPNOTSUPP : -EIO;
}

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *vecs,
	      unsigned short max_vecs, blk_opf_t opf)
{
	shim_bug_on(bio->stage == SHIM_BIO_READY || bio->stage == SHIM_BIO_SUBMITTED);
	*bio = (struct bio) {
		.bi_bdev = bdev,
		.bi_opf = opf,
		.bi_max_vecs = max_vecs,
		.bi_io_vec = vecs,
		.css = current->blkcg_css,
		.stage = SHIM_BIO_READY,
	};
}

void bio_uninit(struct bio *bio)
{
	shim_bug_on(bio->stage != SHIM_BIO_ENDED);
	bio->stage = SHIM_BIO_UNUSED;
}

static void bio_check(const struct bio *bio)
{
	unsigned int i, bytes = 0;

	shim_bug_on(bio->stage != SHIM_BIO_READY || !bio->bi_end_io);
	shim_bug_on(bio->bi_bdev != &fake_disk.bdev && !fake_any_disk);
	shim_bug_on(bio->bi_vcnt > bio->bi_max_vecs);
	/* Of a disk with large blocks it has to be whole ones. */
	shim_bug_on((bio->bi_iter.bi_sector * SECTOR_SIZE | bio->bi_iter.bi_size) %
		    bio->bi_bdev->logical_block_size);
	if (bio_op(bio) == REQ_OP_DISCARD || bio_op(bio) == REQ_OP_SECURE_ERASE)
		return;
	for (i = 0; i < bio->bi_vcnt; i++) {
		bytes += bio->bi_io_vec[i].bv_len;
		shim_bug_on(bio->bi_io_vec[i].bv_len %
			    bio->bi_bdev->logical_block_size);
	}
	shim_bug_on(bytes != bio->bi_iter.bi_size);
}

void submit_bio(struct bio *bio)
{
	struct bio **end = &bios;

	might_sleep();
	bio_check(bio);
	if (fake_disk.nr_tags && fake_nr_bios == fake_disk.nr_tags) {
		fake_disk.sleeps();
		fake_bio_end(bios, BLK_STS_OK);
		current->nvcsw++;
	}
	while (*end)
		end = &(*end)->bi_next;
	*end = bio;
	bio->bi_next = NULL;
	bio->stage = SHIM_BIO_SUBMITTED;
	fake_nr_bios++;
	fake_nr_submits++;
	fake_plug_ios = plug ? plug->nr_ios : 0;
	if (plug)
		plug->nr_bios++;
	if (fake_disk.at_once)
		fake_bio_end(bio, fake_disk.status);
}

void blk_start_plug(struct blk_plug *new)
{
	shim_bug_on(plug);
	*new = (struct blk_plug) { .nr_ios = 1 };
	plug = new;
}

void blk_finish_plug(struct blk_plug *old)
{
	shim_bug_on(plug != old);
	fake_nr_plugs += plug->nr_bios > 0;
	plug = NULL;
}

struct bio *fake_bio_first(void)
{
	return bios;
}

/* The memory behind a page, where the disk may read or write. */
static u8 *bvec_memory(const struct bio_vec *bvec, bool writes)
{
	const struct page *page = bvec->bv_page;

	shim_bug_on(bvec->bv_offset + bvec->bv_len > PAGE_SIZE);
	shim_bug_on(page->refs < 1);
	if (!page->is_xen)
		return page->memory + bvec->bv_offset;
	/* Nothing is mapped to it. */
	shim_bug_on(!page->mapping);
	shim_bug_on(writes && page->mapping->readonly);
	return page->mapping->grant->memory + bvec->bv_offset;
}

/* Between pages of this domain, and pages of the guest that are mapped. */
void memcpy_page(struct page *dst_page, size_t dst_off, struct page *src_page,
		 size_t src_off, size_t len)
{
	struct bio_vec dst, src;

	bvec_set_page(&dst, dst_page, len, dst_off);
	bvec_set_page(&src, src_page, len, src_off);
	memcpy(bvec_memory(&dst, true), bvec_memory(&src, false), len);
}

static void disk_execute(struct bio *bio)
{
	u64 bytes = bio->bi_iter.bi_size;
	u8 *data = &fake_disk.data[bio->bi_iter.bi_sector * SECTOR_SIZE];
	unsigned int i;

	shim_bug_on(bio->bi_iter.bi_sector > FAKE_DISK_SECTS ||
		    bytes / SECTOR_SIZE > FAKE_DISK_SECTS - bio->bi_iter.bi_sector);
	if (bio_op(bio) == REQ_OP_DISCARD || bio_op(bio) == REQ_OP_SECURE_ERASE) {
		memset(data, 0, bytes);
		return;
	}
	for (i = 0; i < bio->bi_vcnt; i++) {
		struct bio_vec *bvec = &bio->bi_io_vec[i];

		if (bio_op(bio) == REQ_OP_READ)
			memcpy(bvec_memory(bvec, true), data, bvec->bv_len);
		else
			memcpy(data, bvec_memory(bvec, false), bvec->bv_len);
		data += bvec->bv_len;
	}
}

void fake_bio_end(struct bio *bio, blk_status_t status)
{
	struct bio **prev = &bios;

	shim_bug_on(bio->stage != SHIM_BIO_SUBMITTED);
	while (*prev != bio)
		prev = &(*prev)->bi_next;
	*prev = bio->bi_next;
	fake_nr_bios--;
	if (status == BLK_STS_OK)
		disk_execute(bio);
	bio->stage = SHIM_BIO_ENDED;
	bio->bi_status = status;
	bio->bi_end_io(bio);
}

unsigned int fake_bio_end_all(void)
{
	unsigned int nr = 0;

	for (; bios; nr++)
		fake_bio_end(bios, BLK_STS_OK);
	return nr;
}

u8 disk_byte(u64 pos)
{
	return pos / SECTOR_SIZE * 31 + pos % 251;
}

void fake_disk_fill(void)
{
	static u8 first[sizeof(fake_disk.data)];
	static bool once;
	unsigned int i;

	for (i = 0; i < sizeof(first) && !once; i++)
		first[i] = disk_byte(i);
	once = true;
	memcpy(fake_disk.data, first, sizeof(first));
}

static void disk_reset(void)
{
	fake_disk_fill();
	fake_disk.gd = (struct gendisk) {
		.diskseq = 42,
		.part0 = &fake_disk.bdev,
	};
	INIT_LIST_HEAD(&fake_disk.gd.slave_bdevs);
	fake_disk.bdev = (struct block_device) {
		.bd_disk = &fake_disk.gd,
		.devt = MKDEV(8, 1),
		.nr_sectors = FAKE_DISK_SECTS,
		.write_cache = true,
		.logical_block_size = SECTOR_SIZE,
		.physical_block_size = SECTOR_SIZE,
		.max_discard_sectors = 1 << 22,
		.max_secure_erase_sectors = 1 << 22,
		.discard_granularity = SECTOR_SIZE,
	};
	fake_disk.at_once = false;
	fake_disk.nr_tags = 0;
	fake_any_disk = false;
	fake_disk.status = BLK_STS_OK;
	bios = NULL;
	plug = NULL;
	fake_nr_bios = 0;
	fake_nr_submits = 0;
	fake_plug_ios = 0;
	fake_nr_plugs = 0;
}

/* ---- event channels ----------------------------------------------------- */

unsigned long fake_nr_notifies, fake_nr_eois, fake_nr_spurious;

void notify_remote_via_irq(int irq)
{
	fake_nr_notifies++;
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	fake_nr_eois++;
	fake_nr_spurious += !!(flags & XEN_EOI_FLAG_SPURIOUS);
}

/* ---- all together ------------------------------------------------------- */

static void grants_reset(void)
{
	unsigned long i;

	/* Of pages that were lost, or of a test that has failed. */
	for (i = 0; i < nr_handles; i++) {
		if (!mappings[i])
			continue;
		mappings[i]->page->mapping = NULL;
		page_free(mappings[i]->page);
		free(mappings[i]);
	}
	for (i = 0; i < FAKE_MAX_GREFS; i++)
		free(grants[i].memory);
	memset(grants, 0, sizeof(grants));
	free(mappings);
	mappings = NULL;
	nr_handles = 0;
	fake_nr_mappings = fake_nr_lost = 0;
	fake_nr_maps = fake_nr_unmaps = fake_nr_copies = 0;
	fake_nr_map_calls = fake_nr_unmap_calls = fake_nr_copy_calls = 0;
}

void fake_reset(void)
{
	fake_fail_at(&fake_allocs, 0);
	fake_fail_at(&fake_xen_pages, 0);
	fake_fail_at(&fake_grants, 0);
	fake_fail_at(&fake_handles, 0);
	fake_fail_at(&fake_unmaps, 0);
	fake_fail_at(&fake_hypercalls, 0);
	fake_nr_objects = fake_nr_pages = fake_nr_xen_pages = 0;
	fake_total_pages = 1 << 20;
	fake_nr_notifies = fake_nr_eois = fake_nr_spurious = 0;
	shim_atomic = 0;
	grants_reset();
	disk_reset();
	fake_task_reset();
	fake_cgroup_reset();
	fake_log_clear();
}

void fake_check_clean(void)
{
	expect(!fake_nr_objects, "%lu objects leaked", fake_nr_objects);
	expect(!fake_nr_pages, "%lu pages leaked", fake_nr_pages);
	expect(fake_nr_xen_pages == fake_nr_lost, "%lu of Xen's pages leaked, %lu lost",
	       fake_nr_xen_pages, fake_nr_lost);
	expect(fake_nr_mappings == fake_nr_lost, "%lu mappings leaked, %lu lost",
	       fake_nr_mappings, fake_nr_lost);
	expect(!fake_nr_bios, "%lu bios in flight", fake_nr_bios);
	expect(!shim_atomic, "%d spinlocks held", shim_atomic);
	fake_task_check_clean();
	fake_cgroup_check_clean();
}
