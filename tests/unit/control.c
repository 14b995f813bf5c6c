// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "bus.h"
#include "control/disk.h"
#include "control/queue.h"
#include "control/tunables.h"
#include "control/vbd.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

/* ---- the module and its files ------------------------------------------- */

int control_nr_module_refs;

void __module_get(struct module *module)
{
	control_nr_module_refs++;
}

void module_put(struct module *module)
{
	shim_bug_on(!control_nr_module_refs);
	control_nr_module_refs--;
}

struct dentry {
	struct dentry *next;
	struct dentry *parent;
	char name[64];
	void *data;
	const struct file_operations *fops;
};

static struct dentry *dentries;

static struct dentry *dentry_new(const char *name, struct dentry *parent)
{
	struct dentry *dentry = calloc(1, sizeof(*dentry));

	snprintf(dentry->name, sizeof(dentry->name), "%s", name);
	dentry->parent = parent;
	dentry->next = dentries;
	dentries = dentry;
	return dentry;
}

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return dentry_new(name, parent);
}

struct dentry *debugfs_create_file(const char *name, unsigned short mode, struct dentry *parent,
				   void *data, const struct file_operations *fops)
{
	struct dentry *dentry = dentry_new(name, parent);

	dentry->data = data;
	dentry->fops = fops;
	return dentry;
}

/* With what is below. */
void debugfs_remove(struct dentry *dentry)
{
	struct dentry **prev, *child;

	if (!dentry)
		return;
	do {
		for (child = dentries; child && child->parent != dentry; child = child->next)
			;
		if (child)
			debugfs_remove(child);
	} while (child);
	for (prev = &dentries; *prev != dentry; prev = &(*prev)->next)
		shim_bug_on(!*prev);
	*prev = dentry->next;
	free(dentry);
}

unsigned int control_nr_files(const char *dir)
{
	struct dentry *dentry;
	unsigned int nr = 0;

	for (dentry = dentries; dentry; dentry = dentry->next)
		nr += dentry->fops && dentry->fops->show && !strcmp(dentry->parent->name, dir);
	return nr;
}

static char shown[8192];

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	size_t len = strlen(shown);
	va_list args;

	va_start(args, fmt);
	vsnprintf(shown + len, sizeof(shown) - len, fmt, args);
	va_end(args);
}

const char *control_show(const char *dir)
{
	struct dentry *dentry;
	struct seq_file m;

	shown[0] = 0;
	for (dentry = dentries; dentry; dentry = dentry->next) {
		if (!dentry->fops || !dentry->fops->show || strcmp(dentry->parent->name, dir))
			continue;
		m.private = dentry->data;
		dentry->fops->show(&m, NULL);
	}
	return shown;
}

void control_kick(const char *name)
{
	struct dentry *dentry;

	for (dentry = dentries; dentry; dentry = dentry->next)
		if (!strcmp(dentry->name, name))
			break;
	expect(dentry && dentry->fops->set, "no file %s", name);
	dentry->fops->set(dentry->data, 1);
}

/* ---- what goes on ------------------------------------------------------- */

bool control_disk_hangs;

void control_settle(void)
{
	while (work_run() || xenstore_fire())
		;
}

/* Somebody waits: the disk answers, others do their work, or time passes. */
static bool control_idle(void)
{
	static unsigned long since;

	if (!control_disk_hangs && fake_bio_end_all())
		return true;
	if (work_run())
		return true;
	if (control_disk_hangs) {
		/* Even a disk that hangs answers in the end. */
		if (time_after(jiffies, since + 60 * HZ))
			since = jiffies;
		jiffies += HZ / 4;
		if (time_after(jiffies, since + 20 * HZ))
			control_disk_hangs = false;
		return true;
	}
	return false;
}

void control_pass(unsigned long time)
{
	unsigned long end = jiffies + time;

	while (time_before(jiffies, end)) {
		jiffies += min(end - jiffies, (unsigned long)HZ / 4);
		control_settle();
	}
}

/* ---- uevents ------------------------------------------------------------- */

static char uevents[4096];

int kobject_uevent_env(struct kobject *kobj, enum kobject_action action, char *envp[])
{
	const struct device *dev = container_of(kobj, struct device, kobj);

	/* xenbus takes it out of sysfs when the driver's remove has returned. */
	shim_bug_on(!dev->driver_data);
	for (; *envp; envp++) {
		if (!strncmp(*envp, "XENVBD_EVENT=", 13))
			strcat(strcat(uevents, uevents[0] ? "; " : ""), *envp + 13);
		else if (!strncmp(*envp, "XENVBD_TEXT=", 12))
			strcat(strcat(uevents, " "), *envp + 12);
		else
			fail_msg("%s", *envp);
		expect(strlen(uevents) < sizeof(uevents) / 2, "%s", uevents);
	}
	return 0;
}

const char *control_uevents(void)
{
	static char text[sizeof(uevents)];

	strcpy(text, uevents);
	uevents[0] = 0;
	return text;
}

/* ---- the guest ---------------------------------------------------------- */

#define GREF	16

/* In the layout of x86_64-abi. */
static struct blkif_sring *guest_sring(const struct xenvbd_ring *ring)
{
	shim_bug_on(ring->sring.abi != XENVBD_ABI_X86_64);
	return (struct blkif_sring *)ring->sring.page;
}

void control_request(struct xenvbd_ring *ring, u8 op)
{
	struct blkif_sring *sring = guest_sring(ring);
	blkif_request_t *slot = &sring->ring[sring->req_prod & (ring->sring.nr_ents - 1)].req;

	fake_grant(GREF);
	*slot = (blkif_request_t){
		.operation = op,
		.nr_segments = op != BLKIF_OP_FLUSH_DISKCACHE,
		.id = sring->req_prod,
		.seg[0] = { .gref = GREF, .first_sect = 0, .last_sect = 7 },
	};
	sring->req_prod++;
	xenvbd_wake_irq(ring->irq, ring);
	fake_task_run(ring->task);
}

unsigned int control_nr_responses(const struct xenvbd_ring *ring, s16 status)
{
	struct blkif_sring *sring = guest_sring(ring);
	unsigned int i, nr = 0;

	for (i = 0; i < sring->rsp_prod; i++)
		nr += sring->ring[i & (ring->sring.nr_ents - 1)].rsp.status == status;
	return nr;
}

void control_break(struct xenvbd_ring *ring)
{
	guest_sring(ring)->req_prod += 1000;
	xenvbd_wake_irq(ring->irq, ring);
	fake_task_run(ring->task);
}

/* ---- the directories ---------------------------------------------------- */

void control_write_directory(const char *dir, const char *disk)
{
	const char *const pairs[][2] = {
		{ "frontend", FE }, { "frontend-id", "7" }, { "online", "1" },
		{ "mode", "w" }, { "physical-device", disk }, { "state", "1" },
	};
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, pairs[i][0]);
		xenstore_set(path, "%s", pairs[i][1]);
	}
}

void control_write_backend(void)
{
	control_write_directory(BE, "8:1");
}

void control_write_frontend(void)
{
	xenstore_set(FE "/backend", BE);
	xenstore_set(FE "/protocol", "x86_64-abi");
	xenstore_set(FE "/ring-ref", "8");
	xenstore_set(FE "/event-channel", "9");
	xenstore_set(FE "/state", "1");
}

void control_renew(void)
{
	fake_idle = control_idle;
	fake_fail_at(&fake_allocs, 0);
	fake_log_clear();
	uevents[0] = 0;
	control_disk_hangs = false;
	control_nr_module_refs = 0;
	xenstore_reset();
	bus_reset();
	work_reset();
	disks_reset();
	while (dentries)
		debugfs_remove(dentries);
	control_write_backend();
	control_write_frontend();
}

int control_setup(void **state)
{
	fake_reset();
	control_renew();
	return 0;
}

void control_check_clean(void)
{
	fake_check_clean();
	expect(!xenstore_nr_open(), "%u transactions are open", xenstore_nr_open());
	expect(!xenstore_nr_watches(), "%u watches are left", xenstore_nr_watches());
	expect(!bus_nr_maps(), "%u rings are mapped", bus_nr_maps());
	expect(!bus_nr_irqs(), "%u event channels are bound", bus_nr_irqs());
	expect(!bus_nr_devices(), "%u devices are referenced", bus_nr_devices());
	expect(!disks_nr_opens(), "%u disks are open", disks_nr_opens());
	expect(!work_nr_pending(), "%u works are pending", work_nr_pending());
	expect(!work_nr_queues(), "%u workqueues are left", work_nr_queues());
	expect(!control_nr_module_refs, "%d references to the module", control_nr_module_refs);
	expect(!dentries, "file %s is left", dentries->name);
}

/* A test that has failed has left things behind. */
int control_teardown(void **state)
{
	control_check_clean();
	return 0;
}

/* ---- a vbd by itself ---------------------------------------------------- */

static unsigned int nr_vbd_works;

static void vbd_work(struct work_struct *work)
{
	nr_vbd_works++;
}

static void vbd_hide(struct xenvbd *vbd)
{
}

struct xenvbd *control_vbd(void)
{
	struct xenbus_device *xbdev = bus_new(BE);
	struct xenvbd *vbd;

	assert_int_equal(xenvbd_cache_create(), 0);
	vbd = xenvbd_alloc(xbdev);
	assert_non_null(vbd);
	dev_set_drvdata(&xbdev->dev, vbd);
	INIT_WORK(&vbd->work, vbd_work);
	INIT_DEFERRABLE_WORK(&vbd->size_work, vbd_work);
	xenvbd_tunables_init(&vbd->tunables);
	xenvbd_remnant_init(&vbd->remnant, vbd_hide);
	xenvbd_teardown_init(&vbd->teardown);
	vbd->advertised.max_rings = 4;
	vbd->advertised.max_ring_page_order = 4;
	mutex_lock(&vbd->lock);
	return vbd;
}

void control_vbd_put(struct xenvbd *vbd)
{
	struct xenbus_device *xbdev = vbd->xbdev;

	xenvbd_disconnect(vbd);
	xenvbd_disk_close(vbd);
	mutex_unlock(&vbd->lock);
	xenvbd_stall_exit(vbd);
	flush_workqueue(vbd->wq);
	xenvbd_put(vbd);
	xenvbd_queues_exit();
	xenvbd_cache_destroy();
	device_unregister(&xbdev->dev);
}

void expect_error_at(const struct xenvbd *vbd, int got, int err, const char *text,
		     const char *file, int line)
{
	if (got != err || strcmp(vbd->error.text, text))
		fail_msg("%s:%d: %d \"%s\", not %d \"%s\"", file, line, got, vbd->error.text, err,
			 text);
}
