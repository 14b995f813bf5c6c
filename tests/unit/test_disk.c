// SPDX-License-Identifier: GPL-2.0-only
/* The disk of a vbd: opened, refused, exchanged, taken away, closed. */
#include "control/disk.c"

#include "control.h"
#include "control/vbd.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int disk_setup(void **state)
{
	control_setup(state);
	vbd = control_vbd();
	return 0;
}

static int disk_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define DISK_TEST(f)	cmocka_unit_test_setup_teardown(f, disk_setup, disk_teardown)

static void set_device(const char *value)
{
	xenstore_set(BE "/physical-device", "%s", value);
}

static void open_first(void)
{
	assert_int_equal(xenvbd_disk_open(vbd), 1);
}

/* With two rings, whose threads have been told of the disk. */
static void connect(void)
{
	unsigned int i;

	xenstore_set(FE "/multi-queue-num-queues", "2");
	for (i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), FE "/queue-%u/ring-ref", i);
		xenstore_set(path, "%u", 8 + i);
		snprintf(path, sizeof(path), FE "/queue-%u/event-channel", i);
		xenstore_set(path, "%u", 18 + i);
	}
	expect(!xenvbd_map_rings(vbd), "%s", vbd->error.text);
	expect(!xenvbd_start_rings(vbd), "%s", vbd->error.text);
}

/* ---- opening ------------------------------------------------------------ */

static void a_disk_is_opened_and_looked_at(void **state)
{
	open_first();
	assert_int_equal(fake_disk.bdev.devt, MKDEV(8, 1));
	assert_ptr_equal(vbd->disk.bdev, &fake_disk.bdev);
	assert_int_equal(disk_a->nr_opens, 1);
	assert_int_equal(disk_a->mode, BLK_OPEN_READ | BLK_OPEN_WRITE);
	assert_false(vbd->disk.readonly);
	assert_false(vbd->disk.cdrom);
	assert_false(vbd->disk.removable);
	assert_false(vbd->disk.empty);
	assert_true(vbd->disk.flush);
	assert_true(vbd->disk.discard);
	assert_true(vbd->disk.secure);
	assert_int_equal(vbd->disk.block_size, 512);
	assert_int_equal(vbd->devt, MKDEV(8, 1));
	assert_int_equal(vbd->diskseq, 42);
	assert_string_equal(vbd->mode, "w");
	assert_int_equal(vbd->handle, 51712);
}

static void the_same_disk_is_not_opened_again(void **state)
{
	open_first();
	assert_int_equal(xenvbd_disk_open(vbd), 0);
	xenstore_set(BE "/diskseq", "2a");
	assert_int_equal(xenvbd_disk_open(vbd), 0);
	assert_int_equal(disk_a->nr[DISK_OPEN], 1);
}

static void a_vbd_without_the_key_waits(void **state)
{
	xenstore_remove(BE "/physical-device");
	assert_int_equal(xenvbd_disk_open(vbd), 0);
	assert_false(xenvbd_disk_ready(&vbd->disk));
	assert_int_equal(disks_nr_opens(), 0);
}

static void a_mode_without_w_is_read_only(void **state)
{
	xenstore_set(BE "/mode", "r");
	open_first();
	assert_int_equal(disk_a->mode, BLK_OPEN_READ);
	assert_true(vbd->disk.readonly);
	assert_false(vbd->disk.discard);
	assert_false(vbd->disk.secure);
	assert_true(vbd->disk.flush);
}

static void a_read_only_disk_makes_the_vbd_so(void **state)
{
	fake_disk.bdev.read_only = true;
	open_first();
	assert_true(vbd->disk.readonly);
	assert_false(vbd->disk.discard);
	assert_true(fake_logged("notice: disk 8:1 is read-only, and so is the vbd"));
}

/* As the SCSI layer does with write protection. */
static void a_disk_that_refuses_to_be_written_is_read_only(void **state)
{
	static const int errs[] = { -EROFS, -EACCES };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		disk_a->err_write = errs[i];
		open_first();
		assert_int_equal(disk_a->mode, BLK_OPEN_READ);
		assert_true(vbd->disk.readonly);
		assert_false(vbd->disk.discard);
		assert_true(fake_logged("notice: disk 8:1 is read-only, and so is the vbd"));
		xenvbd_disk_close(vbd);
	}
	/* Other errors are errors. */
	disk_a->err_write = -EBUSY;
	expect_error(vbd, xenvbd_disk_open(vbd), -EBUSY, "opening disk 8:1 for writing");
	/* So is a disk that cannot even be read. */
	disk_a->err_write = 0;
	disk_a->err[DISK_OPEN] = -EROFS;
	expect_error(vbd, xenvbd_disk_open(vbd), -EROFS, "opening disk 8:1 for writing");
}

static void what_a_disk_cannot_do_is_not_offered(void **state)
{
	fake_disk.bdev.write_cache = false;
	fake_disk.bdev.max_secure_erase_sectors = 0;
	open_first();
	assert_false(vbd->disk.flush);
	assert_true(vbd->disk.discard);
	assert_false(vbd->disk.secure);
	xenvbd_disk_close(vbd);
	fake_disk.bdev.max_discard_sectors = 0;
	fake_disk.bdev.max_secure_erase_sectors = 1;
	open_first();
	assert_false(vbd->disk.discard);
	assert_false(vbd->disk.secure);
}

static void keys_may_ask_for_less(void **state)
{
	xenstore_set(BE "/discard-enable", "0");
	xenstore_set(BE "/device-type", "cdrom");
	open_first();
	assert_false(vbd->disk.discard);
	assert_false(vbd->disk.secure);
	assert_true(vbd->disk.cdrom);
}

static void a_cd_drive_is_one_in_any_case(void **state)
{
	set_device("b:0");
	xenstore_set(BE "/mode", "r");
	open_first();
	assert_true(vbd->disk.cdrom);
	assert_true(vbd->disk.removable);
	assert_true(vbd->disk.readonly);
	assert_int_equal(vbd->disk.block_size, 2048);
}

static void expect_closed(void)
{
	assert_int_equal(disks_nr_opens(), 0);
	assert_false(xenvbd_disk_ready(&vbd->disk));
	assert_null(vbd->mode);
	assert_int_equal(vbd->devt, 0);
}

static void a_disk_that_cannot_be_opened_is_named(void **state)
{
	disk_a->err[DISK_OPEN] = -EBUSY;
	expect_error(vbd, xenvbd_disk_open(vbd), -EBUSY, "opening disk 8:1 for writing");
	expect_closed();
	xenstore_set(BE "/mode", "r");
	expect_error(vbd, xenvbd_disk_open(vbd), -EBUSY, "opening disk 8:1 for reading");
	expect_closed();
	set_device("fd:1f");
	expect_error(vbd, xenvbd_disk_open(vbd), -ENXIO, "opening disk fd:1f for reading");
	expect_closed();
}

static void another_disk_of_the_same_number_is_not_taken(void **state)
{
	xenstore_set(BE "/diskseq", "29");
	expect_error(vbd, xenvbd_disk_open(vbd), -ESTALE,
		     "disk 8:1 has diskseq 2a, 29 is wanted");
	expect_closed();
	assert_int_equal(disk_a->nr[DISK_CLOSE], 1);
	xenstore_remove(BE "/diskseq");
	xenstore_set(BE "/physical-device-uid", "2a");
	open_first();
}

static void a_frontend_without_a_number_is_not_served(void **state)
{
	char *good = vbd->frontend;

	vbd->frontend = "/local/domain/7/device/vbd/xvda";
	expect_error(vbd, xenvbd_disk_open(vbd), -EINVAL,
		     "frontend path /local/domain/7/device/vbd/xvda does not end in a number");
	expect_closed();
	vbd->frontend = good;
}

static void a_closed_disk_may_be_closed_again(void **state)
{
	open_first();
	xenvbd_disk_close(vbd);
	assert_int_equal(disk_a->nr[DISK_CLOSE], 1);
	xenvbd_disk_close(vbd);
	assert_int_equal(disk_a->nr[DISK_CLOSE], 1);
	assert_false(xenvbd_disk_ready(&vbd->disk));
}

/* ---- the page cache, and disks that vanish ------------------------------- */

static void what_dom0_has_cached_is_written_back(void **state)
{
	open_first();
	assert_int_equal(xenvbd_disk_drop_cache(vbd), 0);
	assert_int_equal(disk_a->nr[DISK_SYNC], 1);
	assert_int_equal(disk_a->nr[DISK_INVALIDATE], 1);
	/* Pages that somebody keeps dirtying are no error. */
	disk_a->err[DISK_INVALIDATE] = -EBUSY;
	assert_int_equal(xenvbd_disk_drop_cache(vbd), 0);
	disk_a->err[DISK_SYNC] = -EIO;
	expect_error(vbd, xenvbd_disk_drop_cache(vbd), -EIO,
		     "writing back the cache of disk 8:1");
	assert_int_equal(disk_a->nr[DISK_INVALIDATE], 2);
}

/* It may take minutes, in which the vbd may have been removed. */
static void a_vbd_that_was_removed_goes_no_further(void **state)
{
	open_first();
	vbd->removed = true;
	assert_int_equal(xenvbd_disk_drop_cache(vbd), -ENODEV);
	vbd->removed = false;
}

static void a_disk_that_has_vanished_is_named(void **state)
{
	open_first();
	assert_int_equal(xenvbd_disk_check_vanished(vbd), 0);
	set_bit(GD_DEAD, &fake_disk.gd.state);
	expect_error(vbd, xenvbd_disk_check_vanished(vbd), -ENXIO, "disk 8:1 has vanished");
}

/* Its number may have been given to another one. */
static void a_disk_that_has_vanished_is_opened_anew(void **state)
{
	open_first();
	set_bit(GD_DEAD, &fake_disk.gd.state);
	vbd->vanished_reported = true;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_a->nr[DISK_OPEN], 2);
	assert_int_equal(disk_a->nr_opens, 1);
	assert_false(vbd->vanished_reported);
	/* Nothing can be flushed to it. */
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
}

/* ---- the exchange ------------------------------------------------------- */

static void another_disk_is_exchanged(void **state)
{
	open_first();
	connect();
	set_device("8:2");
	xenstore_set(BE "/mode", "w!");
	vbd->vanished_reported = true;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_a->nr_opens, 0);
	assert_int_equal(disk_b->nr_opens, 1);
	assert_ptr_equal(vbd->disk.bdev, &disk_b->bdev);
	assert_int_equal(vbd->devt, MKDEV(8, 2));
	assert_int_equal(vbd->diskseq, 0x101);
	assert_string_equal(vbd->mode, "w!");
	assert_false(vbd->vanished_reported);
	/* Both: what dom0 has of the new one, and what the guest has not flushed to the old. */
	assert_int_equal(disk_b->nr[DISK_SYNC], 1);
	assert_int_equal(disk_b->nr[DISK_INVALIDATE], 1);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	assert_int_equal(disk_b->nr[DISK_FLUSH], 0);
}

static void the_same_number_with_another_diskseq_is_exchanged(void **state)
{
	open_first();
	fake_disk.gd.diskseq = 43;
	xenstore_set(BE "/diskseq", "2b");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(vbd->diskseq, 43);
	assert_int_equal(disk_a->nr[DISK_OPEN], 2);
	assert_int_equal(disk_a->nr_opens, 1);
}

/* The threads, as they are when something happens to a disk. */
static struct seen {
	const struct disk *disk;
	enum disk_op op;
	unsigned int nr_draining, nr_parked, nr_new;
} seen[16];
static unsigned int nr_seen;

static void look(const struct disk *disk, enum disk_op op)
{
	struct seen *s = &seen[nr_seen++];
	unsigned int i;

	*s = (struct seen){ disk, op };
	for (i = 0; i < vbd->nr_rings; i++) {
		s->nr_draining += vbd->rings[i]->wake.draining;
		s->nr_parked += vbd->rings[i]->task->should_park;
		s->nr_new += vbd->rings[i]->bdev == &disk_b->bdev;
	}
}

static void the_rings_pause_meanwhile(void **state)
{
	static const struct seen wanted[] = {
		{ disk_b, DISK_OPEN, 0, 0, 0 },
		{ disk_b, DISK_SYNC, 0, 0, 0 },
		{ disk_b, DISK_INVALIDATE, 0, 0, 0 },
		{ disk_a, DISK_FLUSH, 2, 2, 0 },
		{ disk_a, DISK_CLOSE, 0, 0, 2 },
	};
	unsigned int i;

	open_first();
	connect();
	set_device("8:2");
	nr_seen = 0;
	disks_hook = look;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(nr_seen, ARRAY_SIZE(wanted));
	for (i = 0; i < nr_seen; i++)
		expect(!memcmp(&seen[i], &wanted[i], sizeof(seen[i])),
		       "operation %u: %u, %u draining, %u parked, %u have the new disk", i,
		       seen[i].op, seen[i].nr_draining, seen[i].nr_parked, seen[i].nr_new);
}

static void expect_kept(void)
{
	unsigned int i;

	assert_ptr_equal(vbd->disk.bdev, &fake_disk.bdev);
	assert_int_equal(disk_a->nr_opens, 1);
	assert_int_equal(disk_b->nr_opens + disk_cd->nr_opens, 0);
	assert_int_equal(vbd->devt, MKDEV(8, 1));
	assert_string_equal(vbd->mode, "w");
	for (i = 0; i < vbd->nr_rings; i++) {
		assert_ptr_equal(vbd->rings[i]->bdev, &fake_disk.bdev);
		assert_false(vbd->rings[i]->wake.draining);
		assert_false(vbd->rings[i]->task->should_park);
	}
}

static void the_old_disk_stays_if_the_new_one_cannot_be_had(void **state)
{
	open_first();
	connect();
	set_device("8:2");
	disk_b->err[DISK_OPEN] = -EIO;
	expect_error(vbd, xenvbd_disk_open(vbd), -EIO, "opening disk 8:2 for writing");
	expect_kept();
	disk_b->err[DISK_OPEN] = 0;
	disk_b->err[DISK_SYNC] = -EIO;
	expect_error(vbd, xenvbd_disk_open(vbd), -EIO, "writing back the cache of disk 8:2");
	expect_kept();
	disk_b->err[DISK_SYNC] = 0;
	disk_a->err[DISK_FLUSH] = -EIO;
	expect_error(vbd, xenvbd_disk_open(vbd), -EIO, "flushing disk 8:1, which stays");
	expect_kept();
	disk_a->err[DISK_FLUSH] = 0;
	xenstore_set(BE "/diskseq", "102");
	expect_error(vbd, xenvbd_disk_open(vbd), -ESTALE,
		     "disk 8:2 has diskseq 101, 102 is wanted");
	expect_kept();
	set_device("junk");
	expect_error(vbd, xenvbd_disk_open(vbd), -EINVAL,
		     BE "/physical-device: \"junk\" is not MAJOR:MINOR in hex");
	expect_kept();
	xenstore_remove(BE "/physical-device");
	assert_int_equal(xenvbd_disk_open(vbd), 0);
	expect_kept();
	/* The next one can be had. */
	set_device("8:2");
	xenstore_set(BE "/diskseq", "101");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
}

static void a_guest_does_not_look_at_a_disk_again(void **state)
{
	open_first();
	connect();
	set_device("8:2");
	disk_b->bdev.logical_block_size = 4096;
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "new disk has larger logical blocks, the old one stays");
	expect_kept();
	disk_b->bdev.logical_block_size = 512;
	disk_b->bdev.read_only = true;
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "new disk is read-only, the old one stays");
	expect_kept();
}

static void a_guest_without_flushes_gets_no_cache(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	set_device("8:2");
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "new disk has a volatile cache, which the guest would not flush, the old one stays");
	expect_kept();
	disk_b->bdev.write_cache = false;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	/* There was nothing to flush. */
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
}

/* The ring knows that the disk refuses flushes, and the work item does not yet. */
static void a_guest_that_is_about_to_stop_flushing_gets_no_cache(void **state)
{
	open_first();
	connect();
	set_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events);
	set_device("8:2");
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "new disk has a volatile cache, which the guest would not flush, the old one stays");
	expect_kept();
	assert_true(test_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events));
	/* One without a cache will do, and the event was about the old one. */
	disk_b->bdev.write_cache = false;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_false(test_bit(XENVBD_EVENT_NO_FLUSH, &vbd->events));
	assert_false(xenvbd_frontend_flushes(&vbd->advertised));
	assert_false(vbd->disk.flush);
	/* It may not know yet: a barrier of it is still one, and not an error. */
	assert_true(vbd->rings[0]->limits.barrier);
	/* But nobody relies on it. */
	assert_false(vbd->rings[0]->limits.flushes);
	disk_b->bdev.write_cache = true;
	xenvbd_disk_follow(vbd);
	assert_int_equal(disk_b->nr[DISK_FLUSH], 1);
}

/* Whatever the medium is that comes next. */
static void a_drive_that_was_refused_a_flush_has_no_cache(void **state)
{
	xenstore_set(BE "/device-type", "cdrom");
	open_first();
	connect();
	assert_true(vbd->rings[0]->limits.flushes);
	vbd->advertised.disk.no_flush = true;
	xenstore_remove(BE "/physical-device");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_true(vbd->disk.empty);
	assert_false(vbd->disk.flush);
}

/* Nobody has been told anything yet. */
static void before_a_frontend_any_disk_will_do(void **state)
{
	open_first();
	set_device("8:2");
	disk_b->bdev.logical_block_size = 4096;
	disk_b->bdev.read_only = true;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(vbd->disk.block_size, 4096);
	assert_true(vbd->disk.readonly);
}

static void smaller_blocks_will_do(void **state)
{
	fake_disk.bdev.logical_block_size = 4096;
	open_first();
	connect();
	set_device("8:2");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(vbd->disk.block_size, 512);
	/* And the first one will do again: it is what the guest was told of. */
	set_device("8:1");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
}

static void a_read_only_guest_may_have_any_cache(void **state)
{
	fake_disk.bdev.write_cache = false;
	xenstore_set(BE "/mode", "r");
	open_first();
	connect();
	set_device("8:2");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
}

/* Nobody can have written to it. */
static void a_read_only_disk_is_not_flushed(void **state)
{
	xenstore_set(BE "/mode", "r");
	open_first();
	assert_true(vbd->disk.flush);
	connect();
	set_device("8:2");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
}

/* What it has become since the work item looked, it has become under the guest. */
static void the_old_disk_is_flushed_by_what_it_is_now(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	/* A cache that the guest does not know of. */
	fake_disk.bdev.write_cache = true;
	disk_b->bdev.write_cache = false;
	set_device("8:2");
	disk_a->err[DISK_FLUSH] = -EIO;
	expect_error(vbd, xenvbd_disk_open(vbd), -EIO, "flushing disk 8:1, which stays");
	expect_kept();
	/* It is news all the same. */
	disk_a->err[DISK_FLUSH] = 0;
	xenvbd_disk_follow(vbd);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 2);
	assert_true(fake_logged("disk 8:1 has a volatile cache now"));
	/* It is written to no more; it was before. */
	fake_disk.bdev.read_only = true;
	xenvbd_disk_follow(vbd);
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 3);
	/* What has no cache any more needs none. */
	disk_b->bdev.write_cache = true;
	xenvbd_disk_follow(vbd);
	assert_int_equal(disk_b->nr[DISK_FLUSH], 1);
	disk_b->bdev.write_cache = false;
	fake_disk.bdev.read_only = false;
	fake_disk.bdev.write_cache = false;
	set_device("8:1");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(disk_b->nr[DISK_FLUSH], 1);
}

static bool waited;

static bool end_requests(void)
{
	assert_ptr_equal(fake_bio_first()->bi_bdev, &fake_disk.bdev);
	waited = true;
	return fake_bio_end_all();
}

/* Those that were taken go to the old disk, those that come later to the new one. */
static void requests_at_the_disk_are_waited_for(void **state)
{
	open_first();
	connect();
	control_request(vbd->rings[1], BLKIF_OP_READ);
	assert_int_equal(fake_nr_bios, 1);
	set_device("8:2");
	waited = false;
	fake_idle = end_requests;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_true(waited);
	assert_int_equal(control_nr_responses(vbd->rings[1], BLKIF_RSP_OKAY), 1);
	assert_ptr_equal(vbd->rings[1]->bdev, &disk_b->bdev);
}

/* ---- CD drives ---------------------------------------------------------- */

static void empty_drive(void)
{
	xenstore_set(BE "/device-type", "cdrom");
	set_device("");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
}

static void an_empty_drive_is_a_disk_like_any_other(void **state)
{
	empty_drive();
	assert_true(xenvbd_disk_ready(&vbd->disk));
	assert_true(vbd->disk.empty && vbd->disk.cdrom && vbd->disk.removable);
	assert_false(vbd->disk.readonly);
	assert_true(vbd->disk.flush);
	assert_false(vbd->disk.discard);
	assert_int_equal(vbd->disk.block_size, 2048);
	assert_int_equal(vbd->diskseq, 0);
	assert_int_equal(vbd->devt, 0);
	assert_int_equal(xenvbd_disk_open(vbd), 0);
	assert_int_equal(xenvbd_disk_check_vanished(vbd), 0);
	assert_int_equal(xenvbd_disk_drop_cache(vbd), 0);
	connect();
	assert_null(vbd->rings[0]->bdev);
	assert_true(vbd->rings[0]->limits.nr_sects == U64_MAX);
	assert_true(vbd->rings[0]->limits.discard);
	assert_int_equal(vbd->rings[0]->limits.align_sects, 4);
}

static void a_read_only_empty_drive_has_no_cache(void **state)
{
	xenstore_set(BE "/mode", "r");
	empty_drive();
	assert_true(vbd->disk.readonly);
	assert_false(vbd->disk.flush);
}

static void a_medium_is_put_in(void **state)
{
	empty_drive();
	connect();
	set_device("8:1");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_false(vbd->disk.empty);
	assert_ptr_equal(vbd->rings[1]->bdev, &fake_disk.bdev);
	assert_int_equal(vbd->rings[1]->limits.nr_sects, 8192);
	assert_int_equal(disk_a->nr_opens, 1);
}

static void a_medium_is_taken_out(void **state)
{
	xenstore_set(BE "/device-type", "cdrom");
	open_first();
	connect();
	xenstore_remove(BE "/physical-device");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_true(vbd->disk.empty);
	assert_null(vbd->rings[0]->bdev);
	assert_int_equal(disk_a->nr_opens, 0);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	/* It keeps what the guest was told: flushes, barriers, and blocks. */
	assert_true(vbd->disk.flush);
	assert_true(vbd->rings[0]->limits.barrier);
	assert_int_equal(vbd->disk.block_size, 512);
	/* By which the next one is measured. */
	set_device("b:0");
	xenstore_set(BE "/mode", "w");
	disk_cd->bdev.read_only = false;
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "new disk has larger logical blocks, the old one stays");
	assert_true(vbd->disk.empty);
	set_device("8:2");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
}

static void a_medium_that_cannot_be_flushed_is_not_taken_out(void **state)
{
	xenstore_set(BE "/device-type", "cdrom");
	open_first();
	connect();
	disk_a->err[DISK_FLUSH] = -EIO;
	set_device("");
	expect_error(vbd, xenvbd_disk_open(vbd), -EIO, "flushing disk 8:1, which stays");
	expect_kept();
}

/* A guest that was told of no medium yet may be told of any. */
static void before_a_frontend_any_medium_will_do(void **state)
{
	empty_drive();
	set_device("8:1");
	fake_disk.bdev.logical_block_size = 4096;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(vbd->disk.block_size, 4096);
}

/* ---- what rings know of it ---------------------------------------------- */

static void rings_have_the_limits_of_the_disk(void **state)
{
	struct xenvbd_limits *limits;

	fake_disk.bdev.logical_block_size = 4096;
	fake_disk.bdev.stable_writes = true;
	open_first();
	connect();
	limits = &vbd->rings[1]->limits;
	assert_int_equal(limits->nr_sects, 8192);
	assert_int_equal(limits->align_sects, 8);
	assert_int_equal(limits->max_indirect_segs, 256);
	assert_false(limits->readonly);
	assert_true(limits->barrier && limits->discard && limits->stable_writes);
	xenvbd_disconnect(vbd);
	xenvbd_disk_close(vbd);
	fake_disk.bdev.write_cache = false;
	fake_disk.bdev.stable_writes = false;
	xenstore_set(BE "/mode", "r");
	open_first();
	connect();
	limits = &vbd->rings[0]->limits;
	assert_true(limits->readonly);
	assert_false(limits->barrier || limits->discard || limits->stable_writes);
}

static void a_guest_keeps_the_barriers_it_was_told_of(void **state)
{
	open_first();
	connect();
	vbd->rings[0]->vanished = true;
	set_device("8:2");
	disk_b->bdev.write_cache = false;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_false(vbd->disk.flush);
	assert_true(vbd->rings[0]->limits.barrier);
	assert_false(vbd->rings[0]->vanished);
}

/* ---- what Linux lets change --------------------------------------------- */

static void a_disk_that_no_guest_can_use_is_refused(void **state)
{
	fake_disk.bdev.zoned = true;
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "disk 8:1 is zoned, and no guest can use it");
	fake_disk.bdev.zoned = false;
	fake_disk.bdev.logical_block_size = 8192;
	expect_error(vbd, xenvbd_disk_open(vbd), -EMEDIUMTYPE,
		     "disk 8:1 has logical blocks larger than a page, and no guest can use it");
	assert_int_equal(disks_nr_opens(), 0);
	fake_disk.bdev.logical_block_size = 4096;
	open_first();
}

static void a_disk_may_change_before_a_guest_connects(void **state)
{
	open_first();
	fake_disk.bdev.logical_block_size = 4096;
	fake_disk.bdev.write_cache = false;
	fake_disk.bdev.max_discard_sectors = 0;
	connect();
	assert_int_equal(vbd->advertised.disk.block_size, 4096);
	assert_false(vbd->advertised.disk.flush || vbd->advertised.disk.discard);
	assert_false(vbd->rings[0]->limits.barrier || vbd->rings[0]->limits.discard);
	xenvbd_disconnect(vbd);
	fake_disk.bdev.read_only = true;
	/* It has refused one; it is asked again. */
	fake_disk.bdev.write_cache = true;
	vbd->disk.no_flush = true;
	connect();
	assert_true(vbd->advertised.disk.readonly);
	assert_false(vbd->disk.no_flush);
	assert_true(xenvbd_frontend_flushes(&vbd->advertised));
}

/* Many hours after it was opened, perhaps. */
static void a_disk_that_no_guest_can_use_any_more_is_refused(void **state)
{
	open_first();
	fake_disk.bdev.zoned = true;
	expect_error(vbd, xenvbd_start_rings(vbd), -EMEDIUMTYPE,
		     "disk 8:1 is zoned, and no guest can use it");
	fake_disk.bdev.zoned = false;
	fake_disk.bdev.logical_block_size = 8192;
	expect_error(vbd, xenvbd_start_rings(vbd), -EMEDIUMTYPE,
		     "disk 8:1 has logical blocks larger than a page, and no guest can use it");
	fake_disk.bdev.logical_block_size = 4096;
	connect();
}

/* A guest that was told of 512 bytes can use blocks of any size. */
static void larger_blocks_are_no_matter_if_they_are_emulated(void **state)
{
	open_first();
	xenstore_set(BE "/emulate-512e", "1");
	connect();
	set_device("8:2");
	disk_b->bdev.logical_block_size = 4096;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(vbd->disk.block_size, 4096);
	set_device("8:1");
	fake_disk.bdev.logical_block_size = 512;
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	fake_disk.bdev.logical_block_size = 2048;
	xenvbd_disk_follow(vbd);
	assert_null(xenstore_get("error/" BE "/error"));
}

static void the_limits_are_those_the_guest_knows(void **state)
{
	struct xenvbd_limits limits = {};

	open_first();
	fake_disk.bdev.logical_block_size = 4096;
	xenvbd_disk_limit(&vbd->disk, &limits);
	assert_int_equal(limits.align_sects, 8);
	/* The last block is not whole. */
	fake_disk.bdev.nr_sectors = 8 * 100 + 7;
	assert_int_equal(xenvbd_disk_sects(&vbd->disk), 8 * 100);
	limits.emulate = true;
	xenvbd_disk_limit(&vbd->disk, &limits);
	assert_int_equal(limits.align_sects, 1);
}

static void expect_follow(const char *report)
{
	const char *node;

	xenvbd_disk_follow(vbd);
	node = xenstore_get("error/" BE "/error");
	expect(node ? report && !strcmp(node, report) : !report, "%s", node);
	xenstore_remove("error/" BE);
}

static void what_has_become_worse_is_reported_once(void **state)
{
	open_first();
	connect();
	expect_follow(NULL);
	fake_disk.bdev.logical_block_size = 4096;
	expect_follow("124 disk 8:1 has larger logical blocks now, and requests for less fail");
	expect_follow(NULL);
	fake_disk.bdev.read_only = true;
	fake_log_clear();
	expect_follow("30 disk 8:1 is read-only now, and the guest's writes fail");
	expect_follow(NULL);
	/* What is better, or as the guest knows it, is no news. */
	fake_disk.bdev.logical_block_size = 512;
	fake_disk.bdev.read_only = false;
	fake_disk.bdev.write_cache = false;
	expect_follow(NULL);
	fake_disk.bdev.write_cache = true;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
}

static void two_things_that_are_worse_are_both_reported(void **state)
{
	open_first();
	connect();
	fake_disk.bdev.logical_block_size = 4096;
	fake_disk.bdev.read_only = true;
	/* There is one node; the log has both. */
	expect_follow("30 disk 8:1 is read-only now, and the guest's writes fail");
	assert_true(fake_logged("disk 8:1 has larger logical blocks now, and requests for less fail"));
	assert_true(fake_logged("disk 8:1 is read-only now, and the guest's writes fail"));
	fake_log_clear();
	expect_follow(NULL);
	assert_false(fake_logged("now"));
}

static unsigned int nr_parked_at_flush;

static void look_at_flush(const struct disk *disk, enum disk_op op)
{
	unsigned int i;

	for (i = 0; op == DISK_FLUSH && i < vbd->nr_rings; i++)
		nr_parked_at_flush += vbd->rings[i]->task->should_park;
}

static void a_cache_that_a_guest_does_not_know_is_flushed(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	expect_follow(NULL);
	fake_disk.bdev.write_cache = true;
	disks_hook = look_at_flush;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	/* What was on its way to the disk is in the cache then. */
	assert_int_equal(nr_parked_at_flush, 2);
	assert_false(vbd->rings[0]->wake.draining);
	/* Writes still go through it: the guest does not flush. */
	assert_false(vbd->rings[0]->limits.barrier || vbd->rings[0]->limits.flushes);
	assert_true(fake_logged("notice: disk 8:1 has a volatile cache now, and each write of the guest waits for the medium\n"));
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	fake_disk.bdev.write_cache = false;
	expect_follow(NULL);
	fake_disk.bdev.write_cache = true;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 2);
}

static void a_flush_of_a_new_cache_is_tried_until_it_succeeds(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	fake_disk.bdev.write_cache = true;
	disk_a->err[DISK_FLUSH] = -EIO;
	expect_follow("5 flushing the new cache of disk 8:1");
	assert_false(vbd->disk.no_flush);
	/* Said once. */
	fake_log_clear();
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 2);
	assert_false(fake_logged("cache"));
	disk_a->err[DISK_FLUSH] = 0;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 3);
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 3);
	/* It goes before it was flushed: the next one is another one. */
	fake_disk.bdev.write_cache = false;
	expect_follow(NULL);
	fake_disk.bdev.write_cache = true;
	disk_a->err[DISK_FLUSH] = -EIO;
	expect_follow("5 flushing the new cache of disk 8:1");
	fake_disk.bdev.write_cache = false;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 4);
	disk_a->err[DISK_FLUSH] = 0;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 4);
}

/* The guest has written to it before. */
static void a_new_cache_of_a_disk_that_is_read_only_now_is_flushed(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	fake_disk.bdev.read_only = true;
	fake_disk.bdev.write_cache = true;
	expect_follow("30 disk 8:1 is read-only now, and the guest's writes fail");
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	fake_disk.bdev.read_only = false;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
}

/* Nobody can have written to it. */
static void a_new_cache_of_a_disk_that_is_only_read_is_none_of_ours(void **state)
{
	fake_disk.bdev.write_cache = false;
	xenstore_set(BE "/mode", "r");
	open_first();
	connect();
	fake_disk.bdev.write_cache = true;
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 0);
	assert_false(fake_logged("cache"));
}

static void a_cache_that_cannot_be_flushed_is_left_alone(void **state)
{
	fake_disk.bdev.write_cache = false;
	open_first();
	connect();
	fake_disk.bdev.write_cache = true;
	disk_a->err[DISK_FLUSH] = -EOPNOTSUPP;
	expect_follow("95 flushing the new cache of disk 8:1");
	expect_follow(NULL);
	assert_int_equal(disk_a->nr[DISK_FLUSH], 1);
	/* It would refuse writes that go through the cache, too. */
	assert_true(vbd->disk.no_flush);
	assert_false(vbd->disk.flush);
}

static void a_slow_close_is_reported(void **state)
{
	open_first();
	xenvbd_disk_close(vbd);
	/* What reports it has ended with it. */
	assert_int_equal(work_nr_pending(), 0);
	assert_null(vbd->stall.what);
}

int main(void)
{
	const struct CMUnitTest disk[] = {
		DISK_TEST(a_disk_is_opened_and_looked_at),
		DISK_TEST(the_same_disk_is_not_opened_again),
		DISK_TEST(a_vbd_without_the_key_waits),
		DISK_TEST(a_mode_without_w_is_read_only),
		DISK_TEST(a_read_only_disk_makes_the_vbd_so),
		DISK_TEST(a_disk_that_refuses_to_be_written_is_read_only),
		DISK_TEST(what_a_disk_cannot_do_is_not_offered),
		DISK_TEST(keys_may_ask_for_less),
		DISK_TEST(a_cd_drive_is_one_in_any_case),
		DISK_TEST(a_disk_that_cannot_be_opened_is_named),
		DISK_TEST(another_disk_of_the_same_number_is_not_taken),
		DISK_TEST(a_frontend_without_a_number_is_not_served),
		DISK_TEST(a_closed_disk_may_be_closed_again),
		DISK_TEST(what_dom0_has_cached_is_written_back),
		DISK_TEST(a_vbd_that_was_removed_goes_no_further),
		DISK_TEST(a_disk_that_has_vanished_is_named),
		DISK_TEST(a_disk_that_has_vanished_is_opened_anew),
		DISK_TEST(another_disk_is_exchanged),
		DISK_TEST(the_same_number_with_another_diskseq_is_exchanged),
		DISK_TEST(the_rings_pause_meanwhile),
		DISK_TEST(the_old_disk_stays_if_the_new_one_cannot_be_had),
		DISK_TEST(a_guest_does_not_look_at_a_disk_again),
		DISK_TEST(a_guest_without_flushes_gets_no_cache),
		DISK_TEST(a_guest_that_is_about_to_stop_flushing_gets_no_cache),
		DISK_TEST(a_drive_that_was_refused_a_flush_has_no_cache),
		DISK_TEST(before_a_frontend_any_disk_will_do),
		DISK_TEST(smaller_blocks_will_do),
		DISK_TEST(a_read_only_guest_may_have_any_cache),
		DISK_TEST(a_read_only_disk_is_not_flushed),
		DISK_TEST(the_old_disk_is_flushed_by_what_it_is_now),
		DISK_TEST(requests_at_the_disk_are_waited_for),
		DISK_TEST(an_empty_drive_is_a_disk_like_any_other),
		DISK_TEST(a_read_only_empty_drive_has_no_cache),
		DISK_TEST(a_medium_is_put_in),
		DISK_TEST(a_medium_is_taken_out),
		DISK_TEST(a_medium_that_cannot_be_flushed_is_not_taken_out),
		DISK_TEST(before_a_frontend_any_medium_will_do),
		DISK_TEST(rings_have_the_limits_of_the_disk),
		DISK_TEST(a_guest_keeps_the_barriers_it_was_told_of),
		DISK_TEST(a_disk_that_no_guest_can_use_is_refused),
		DISK_TEST(a_disk_may_change_before_a_guest_connects),
		DISK_TEST(a_disk_that_no_guest_can_use_any_more_is_refused),
		DISK_TEST(larger_blocks_are_no_matter_if_they_are_emulated),
		DISK_TEST(the_limits_are_those_the_guest_knows),
		DISK_TEST(what_has_become_worse_is_reported_once),
		DISK_TEST(two_things_that_are_worse_are_both_reported),
		DISK_TEST(a_cache_that_a_guest_does_not_know_is_flushed),
		DISK_TEST(a_flush_of_a_new_cache_is_tried_until_it_succeeds),
		DISK_TEST(a_new_cache_of_a_disk_that_is_read_only_now_is_flushed),
		DISK_TEST(a_new_cache_of_a_disk_that_is_only_read_is_none_of_ours),
		DISK_TEST(a_cache_that_cannot_be_flushed_is_left_alone),
		DISK_TEST(a_slow_close_is_reported),
	};

	return RUN(disk);
}
