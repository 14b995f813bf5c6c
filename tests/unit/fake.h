/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel and the hypervisor as tests of the driver see them: what the
 * headers in kernel/ only declare. They keep books, and end a test in which the
 * driver breaks a rule: what was taken is given back once, what is used is there.
 *
 *   fake.c		memory, pages, grants, the guest's memory, the disk, events
 *   fake_task.c	threads and all that waits
 *   fake_lib.c		strings, numbers, printing
 *   fake_cgroup.c	cgroups
 *
 * Xenstore and workqueues are not here.
 */
#ifndef FAKE_H
#define FAKE_H

#include <linux/blkdev.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xen/grant_table.h>

/* Before each test: forget what there was. */
void fake_reset(void);
/* At the end of each test: everything was given back, once. */
void fake_check_clean(void);

/* ---- faults ------------------------------------------------------------- */

/* Something that may fail. */
struct fake_fault {
	/* Times that it was done. */
	unsigned long calls;
	/* The one that fails, from 1; 0: none does. */
	unsigned long fail_at;
	/* And all that follow fail as well. */
	bool for_ever;
	/* Times that it has failed. */
	unsigned long failures;
};

/* Memory: kmalloc() and its like, pages, pages from Xen. */
extern struct fake_fault fake_allocs;
/* Pages from Xen alone, where there is memory. */
extern struct fake_fault fake_xen_pages;
/* A grant that is mapped, or copied from or to. */
extern struct fake_fault fake_grants;
/* A grant that is mapped, and finds the hypervisor's table of mappings full. */
extern struct fake_fault fake_handles;
/* A grant that is unmapped. It stays mapped then. */
extern struct fake_fault fake_unmaps;
/* A hypercall that maps or unmaps: its operations are not looked at. */
extern struct fake_fault fake_hypercalls;

/* From now on, let the @nth call fail; 0: none. */
void fake_fail_at(struct fake_fault *fault, unsigned long nth);
/* From now on, let all calls fail. */
void fake_fail_all(struct fake_fault *fault);
/* For whoever may fail: does it? */
bool fake_fails(struct fake_fault *fault);

/* ---- memory ------------------------------------------------------------- */

/* Objects that were allocated and not freed. */
extern unsigned long fake_nr_objects;
/* Of alloc_page(). */
extern unsigned long fake_nr_pages;
/* Of gnttab_alloc_pages(). */
extern unsigned long fake_nr_xen_pages;

/* This domain's memory, in pages. */
extern unsigned long fake_total_pages;

/* Tests may hold a page as somebody below does: by @refs. */
struct page {
	int refs;
	bool is_xen;
	u8 *memory;
	/* What is mapped to it, or NULL. */
	struct fake_mapping *mapping;
	/* Something is mapped, or was for a moment. */
	bool is_foreign;
	struct xen_page_foreign foreign;
};

/* ---- grants ------------------------------------------------------------- */

#define FAKE_DOMID	7
#define FAKE_MAX_GREFS	8192

/* A page that the guest has granted. */
struct fake_grant {
	u8 *memory;
	bool readonly;
	bool paged_out;
	/* Times that it is mapped now. */
	unsigned int maps;
};

struct fake_mapping {
	struct fake_grant *grant;
	struct page *page;
	bool readonly;
};

/* Mappings that there are now. Handles start at 0, and are never used again. */
extern unsigned long fake_nr_mappings;
/* Operations that mapped, unmapped and copied, and hypercalls of each. */
extern unsigned long fake_nr_maps, fake_nr_unmaps, fake_nr_copies;
extern unsigned long fake_nr_map_calls, fake_nr_unmap_calls, fake_nr_copy_calls;
/* Pages of which the mapping could not be undone, by fake_unmaps. */
extern unsigned long fake_nr_lost;

/* The guest's page of a grant, granted if it was not. */
u8 *fake_grant(grant_ref_t gref);
void fake_grant_readonly(grant_ref_t gref);
/* Until somebody waits for it. */
void fake_grant_page_out(grant_ref_t gref);
/* How often it is mapped now. */
unsigned int fake_grant_maps(grant_ref_t gref);

/* ---- the disk ----------------------------------------------------------- */

#define FAKE_DISK_SECTS	4096

struct fake_disk {
	struct block_device bdev;
	struct gendisk gd;
	u8 data[FAKE_DISK_SECTS * SECTOR_SIZE];
	/* Completes a bio as soon as it is submitted, with this status. */
	bool at_once;
	blk_status_t status;
	/* Who submits one more sleeps until the oldest is complete; 0: any number. */
	unsigned int nr_tags;
	/* Called before it sleeps. */
	void (*sleeps)(void);
};

extern struct fake_disk fake_disk;
/* Requests may go to other block devices as well: these have the same data. */
extern bool fake_any_disk;
/* Bios that were submitted and are not complete. */
extern unsigned long fake_nr_bios;
/* All that were ever submitted. */
extern unsigned long fake_nr_submits;
/* The last plug's nr_ios, when a bio was submitted under it; 0: no plug. */
extern unsigned int fake_plug_ios;
/* Plugs under which bios were submitted, and that are finished. */
extern unsigned long fake_nr_plugs;

/* What the disk has at this byte at first; and have it there again. */
u8 disk_byte(u64 pos);
void fake_disk_fill(void);

/* The oldest bio that was submitted and is not complete, or NULL. */
struct bio *fake_bio_first(void);
/* Complete one: it does what it says if the status is BLK_STS_OK. */
void fake_bio_end(struct bio *bio, blk_status_t status);
/* Complete all there are, oldest first, with BLK_STS_OK. Returns their number. */
unsigned int fake_bio_end_all(void);

/* ---- event channels ----------------------------------------------------- */

extern unsigned long fake_nr_notifies;
extern unsigned long fake_nr_eois;
extern unsigned long fake_nr_spurious;

/* ---- time, threads ------------------------------------------------------ */

/* For local_clock(), in ns. */
extern u64 fake_clock;
/* Each cpu_relax() takes so long, in ns; and may do something. */
extern u64 fake_relax_ns;
extern void (*fake_relax)(void);
extern unsigned long fake_nr_yields;
extern bool fake_others_run, fake_need_resched, fake_initial_domain;
extern unsigned long fake_nr_msleeps;
extern unsigned long fake_nr_synchronizes;

/*
 * Somebody waits. What is waited for may be done here; false if there is
 * nothing more to do, and then the test fails where else it would hang.
 */
extern bool (*fake_idle)(void);

/* Whose stack the test runs on. */
extern struct task_struct fake_main;
/* Of the thread that slept last: for how long it wanted to. */
extern long fake_timeout;

/* Let a thread run until it sleeps, parks or ends. */
void fake_task_run(struct task_struct *task);
bool fake_task_ended(const struct task_struct *task);
/* Threads that were created and not freed. */
extern unsigned long fake_nr_tasks;
void fake_task_reset(void);
void fake_task_check_clean(void);

/* ---- cgroups ------------------------------------------------------------ */

struct cgroup;

/* A new one below the root, with an io controller of its own or not. */
struct cgroup *fake_cgroup(const char *path, bool has_io);
/* Who holds its controller keeps it. */
void fake_cgroup_remove(struct cgroup *cgroup);
struct cgroup_subsys_state *fake_cgroup_io(struct cgroup *cgroup);
void fake_cgroup_reset(void);
void fake_cgroup_check_clean(void);

/* ---- the log ------------------------------------------------------------ */

/* "level: text" lines since the reset. */
const char *fake_log(void);
void fake_log_clear(void);
bool fake_logged(const char *text);

#endif /* FAKE_H */
