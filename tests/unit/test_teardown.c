// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of a vbd that was removed: until the disk has answered its requests, and
 * until nobody can come back to it.
 */
#include "control/remnant.c"
#include "control/teardown.c"
#include "xenbus.c"

#include "bus.h"
#include "control.h"
#include "disks.h"
#include "fake.h"
#include "work.h"
#include "xenstore.h"

static struct xenbus_device *xbdev;

static int teardown_setup(void **state)
{
	control_setup(state);
	return shim_module_init();
}

static int teardown_teardown(void **state)
{
	control_settle();
	shim_module_exit();
	return control_teardown(state);
}

#define TEARDOWN_TEST(f)	cmocka_unit_test_setup_teardown(f, teardown_setup, teardown_teardown)

/* A connected vbd, whose guest has a request at the disk. */
static void connect(void)
{
	struct xenvbd *vbd;

	xbdev = bus_add(BE);
	control_settle();
	xenstore_set(FE "/state", "3");
	control_settle();
	assert_string_equal(xenstore_get(BE "/state"), "4");
	vbd = dev_get_drvdata(&xbdev->dev);
	control_request(vbd->rings[0], BLKIF_OP_READ);
	assert_int_equal(fake_nr_bios, 1);
	xenstore_log_clear();
}

static void expect_remnant(void)
{
	assert_false(list_empty(&remnants));
	assert_true(xenvbd_has_remnant(xbdev));
	assert_int_equal(control_nr_files("remnants"), 1);
	assert_int_equal(control_nr_module_refs, 1);
	assert_int_equal(disks_nr_opens(), 1);
	assert_int_equal(bus_nr_maps(), 1);
}

static void expect_no_remnant(void)
{
	assert_true(list_empty(&remnants));
	assert_false(xenvbd_has_remnant(xbdev));
	assert_int_equal(control_nr_files("remnants"), 0);
	assert_int_equal(control_nr_module_refs, 0);
	assert_int_equal(disks_nr_opens(), 0);
	assert_int_equal(bus_nr_maps(), 0);
}

static bool disk_hangs(void)
{
	return false;
}

static unsigned int nr_looks;

/* While the disk is waited for. */
static bool look_and_answer(void)
{
	nr_looks++;
	expect_remnant();
	assert_non_null(strstr(control_show("remnants"), "disk 8:1\nwaiting closing, for"));
	assert_non_null(strstr(control_show("remnants"), "ring 0: 1 in flight"));
	return fake_bio_end_all();
}

static void a_deleted_directory_is_not_waited_for(void **state)
{
	unsigned long before;

	connect();
	before = jiffies;
	fake_idle = disk_hangs;
	xenstore_remove(BE);
	bus_remove(xbdev);
	assert_true(jiffies == before);
	expect_remnant();
	assert_int_equal(bus_nr_registered(), 0);
	/* It holds the device's memory. */
	assert_int_equal(bus_nr_devices(), 1);

	nr_looks = 0;
	fake_idle = look_and_answer;
	control_settle();
	assert_int_equal(nr_looks, 1);
	expect_no_remnant();
	assert_int_equal(bus_nr_devices(), 0);
	assert_int_equal(xenstore_log_nr, 0);
	assert_false(fake_logged("unbound with requests"));
}

static bool answer(void)
{
	bool answered = fake_bio_end_all();

	return work_run() || answered;
}

static void an_unbind_waits_for_the_disk(void **state)
{
	connect();
	fake_idle = answer;
	bus_unbind(xbdev);
	expect_no_remnant();
	assert_int_equal(fake_nr_bios, 0);
	assert_false(fake_logged("unbound with requests"));
	/* Another driver will go on, with threads of its own. */
	assert_int_equal(xenstore_log_nr, 1);
	assert_string_equal(xenstore_log[0], BE "/kthread-pid");
	assert_string_equal(xenstore_get(BE "/state"), "4");
	xenstore_remove(BE);
	bus_remove(xbdev);
}

static void but_not_for_ever(void **state)
{
	unsigned long before;

	connect();
	fake_idle = disk_hangs;
	before = jiffies;
	bus_unbind(xbdev);
	assert_true(jiffies - before == 10 * HZ);
	assert_true(fake_logged("warn: unbound with requests still at disk 8:1"));
	expect_remnant();

	/* A second vbd on the same ring would do the request again. */
	assert_int_equal(bus_bind(xbdev), -EBUSY);
	assert_true(fake_logged("err: its disk has yet to answer requests from before"));
	expect_remnant();

	fake_idle = look_and_answer;
	control_settle();
	expect_no_remnant();
	assert_int_equal(xenstore_nr_watches(), 0);
	fake_idle = answer;
	assert_int_equal(bus_bind(xbdev), 0);
	control_settle();
	assert_string_equal(xenstore_get(BE "/state"), "4");
	bus_unbind(xbdev);
	control_settle();
	xenstore_remove(BE);
	bus_remove(xbdev);
}

/* A device of the same name is another one. */
static void another_vbd_has_nothing_to_do_with_it(void **state)
{
	struct xenbus_device *old;

	connect();
	old = xbdev;
	fake_idle = disk_hangs;
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_write_backend();
	control_write_frontend();
	xbdev = bus_new(BE);
	assert_false(xenvbd_has_remnant(xbdev));
	assert_true(xenvbd_has_remnant(old));
	assert_int_equal(bus_bind(xbdev), 0);
	fake_idle = answer;
	control_settle();
	assert_string_equal(xenstore_get(BE "/state"), "2");
	assert_false(xenvbd_has_remnant(old));
	xenstore_remove(BE);
	bus_remove(xbdev);
}

static void a_device_that_waited_for_its_end_leaves_no_remnant(void **state)
{
	connect();
	fake_idle = answer;
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	xenstore_set(FE "/state", "6");
	/* Up to the event in which xenwatch unregisters it. */
	control_settle();
	assert_int_equal(bus_nr_registered(), 0);
	expect_no_remnant();
	assert_int_equal(bus_nr_devices(), 0);
}

/* ---- another vbd on the same disk --------------------------------------- */

static bool is(const char *path, const char *value)
{
	const char *found = xenstore_get(path);

	return found && !strcmp(found, value);
}

static struct xenvbd *old_one;

/* The old one's work item would wait for its teardown. */
static void settle_others(void)
{
	do {
		while (xenstore_fire())
			;
		cancel_work_sync(&old_one->work);
	} while (work_run());
}

/* The guest is made anew, while its old requests are at the disk. */
static void old_one_removed(unsigned int nr, u8 op, u8 op2)
{
	struct xenvbd *vbd;

	connect();
	fake_bio_end_all();
	vbd = dev_get_drvdata(&xbdev->dev);
	fake_task_run(vbd->rings[0]->task);
	control_request(vbd->rings[0], op);
	if (nr > 1)
		control_request(vbd->rings[0], op2);
	old_one = vbd;
	fake_idle = disk_hangs;
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_write_backend();
	control_write_frontend();
	xbdev = bus_new(BE);
	assert_int_equal(bus_bind(xbdev), 0);
}

static void old_one_is_removed(u8 op)
{
	old_one_removed(1, op, 0);
}

static void (*look_at_new)(void);

/* The first work is the old one's teardown, which waits for the disk. */
static bool others_and_answer(void)
{
	void (*look)(void) = look_at_new;

	if (look) {
		look_at_new = NULL;
		settle_others();
		look();
	}
	return fake_bio_end_all();
}

/* The old one's teardown waits for the disk, and the new one does that meanwhile. */
static void teardown_and_new_one(void (*look)(void))
{
	look_at_new = look;
	fake_idle = others_and_answer;
	control_settle();
	assert_null(look_at_new);
}

static void new_one_waits(void)
{
	char text[XENVBD_STALL_TEXT];

	xenstore_set(FE "/state", "3");
	settle_others();
	assert_true(is(BE "/state", "2"));
	xenvbd_stall_describe(dev_get_drvdata(&xbdev->dev), text, sizeof(text));
	assert_string_equal(text, "waiting for writes of a removed vbd, for 0 s");
	/* It goes on waiting, and says so. */
	jiffies += 2 * HZ;
	settle_others();
	assert_true(is(BE "/state", "2"));
	assert_true(is(BE "/waiting", "waiting for writes of a removed vbd, for 2 s"));
	assert_true(fake_logged("warn: waiting for writes of a removed vbd, for 2 s"));
	jiffies += 5 * HZ;
	settle_others();
	assert_true(is(BE "/waiting", "waiting for writes of a removed vbd, for 7 s"));
}

static void go(void)
{
	xenstore_remove(BE);
	bus_remove(xbdev);
}

static void a_new_vbd_waits_for_old_writes(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	teardown_and_new_one(new_one_waits);
	assert_true(is(BE "/state", "4"));
	assert_true(is(BE "/waiting", ""));
	assert_true(fake_logged("notice: waiting for writes of a removed vbd: done after 7 s"));
	go();
}

/* That something was short before is another matter. */
static void new_one_was_short_and_waits(void)
{
	xenstore_fail_path(XENSTORE_READ, FE "/ring-ref", -ENOMEM);
	xenstore_set(FE "/state", "3");
	settle_others();
	assert_true(fake_logged("reading " FE "/ring-ref"));
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	new_one_waits();
}

static void a_new_vbd_that_was_short_waits_for_old_writes(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	teardown_and_new_one(new_one_was_short_and_waits);
	assert_true(is(BE "/state", "4"));
	assert_true(is(BE "/waiting", ""));
	go();
}

static void new_one_connects(void)
{
	xenstore_set(FE "/state", "3");
	settle_others();
	assert_true(is(BE "/state", "4"));
}

static void but_not_for_old_reads(void **state)
{
	old_one_is_removed(BLKIF_OP_READ);
	teardown_and_new_one(new_one_connects);
	go();
}

static void new_one_has_another_disk(void)
{
	new_one_connects();
	/* And is to get the old one's. */
	xenstore_set(BE "/physical-device", "8:1");
	settle_others();
	assert_true(!xenstore_get(BE "/oracle/active-physical-device"));
	assert_int_equal(disk_b->nr_opens, 1);
	jiffies += 2 * HZ;
	settle_others();
	assert_true(is(BE "/waiting", "waiting for writes of a removed vbd, for 2 s"));
	assert_true(is(BE "/state", "4"));
}

static void an_exchange_waits_for_old_writes(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	xenstore_set(BE "/physical-device", "8:2");
	teardown_and_new_one(new_one_has_another_disk);
	assert_true(is(BE "/oracle/active-physical-device", "8:1"));
	assert_true(is(BE "/waiting", ""));
	assert_int_equal(disk_b->nr_opens, 0);
	go();
}

static void new_one_goes(void)
{
	new_one_waits();
	go();
	settle_others();
}

/* Whom the remnant must not find when it ends. */
static void who_waits_may_go(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	teardown_and_new_one(new_one_goes);
	assert_int_equal(bus_nr_devices(), 0);
}

/* In order, so that it is no remnant itself. */
static void new_one_ends(void)
{
	new_one_waits();
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	xenstore_set(FE "/state", "6");
	settle_others();
	assert_true(is(BE "/state", "6"));
	assert_int_equal(bus_nr_registered(), 0);
	settle_others();
}

static void who_waits_may_end(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	teardown_and_new_one(new_one_ends);
	assert_int_equal(bus_nr_devices(), 0);
}

static void a_whole_disk_is_what_its_partitions_are(void **state)
{
	struct block_device *other = &disk_b->bdev;
	struct gendisk *gd = other->bd_disk;

	/* Two numbers of one disk. */
	other->bd_disk = fake_disk.bdev.bd_disk;
	old_one_is_removed(BLKIF_OP_WRITE);
	xenstore_set(BE "/physical-device", "8:2");
	teardown_and_new_one(new_one_waits);
	assert_true(is(BE "/state", "4"));
	go();
	control_settle();
	other->bd_disk = gd;
}

static struct bio *bio_that_writes(void)
{
	struct bio *bio = fake_bio_first();

	while (bio_op(bio) != REQ_OP_WRITE)
		bio = bio->bi_next;
	return bio;
}

static void new_one_waits_for_writes_only(void)
{
	new_one_waits();
	fake_bio_end(bio_that_writes(), BLK_STS_OK);
	fake_task_run(old_one->rings[0]->task);
	settle_others();
	/* It is looked for once a second. */
	jiffies += HZ;
	settle_others();
	assert_int_equal(fake_nr_bios, 1);
	assert_true(is(BE "/state", "4"));
	assert_true(is(BE "/waiting", ""));
}

/* What the old one has read hangs for longer than what it has written. */
static void reads_that_hang_are_not_waited_for(void **state)
{
	old_one_removed(2, BLKIF_OP_READ, BLKIF_OP_WRITE);
	teardown_and_new_one(new_one_waits_for_writes_only);
	assert_true(is(BE "/state", "4"));
	go();
}

static void an_empty_drive_is_no_disk_to_wait_for(void **state)
{
	old_one_is_removed(BLKIF_OP_WRITE);
	old_one->bdev = NULL;
	teardown_and_new_one(new_one_connects);
	go();
}

/* ---- a disk that lies on another one ------------------------------------ */

/* What stacks disks claims what is below, and has it in a list. */
static struct list_head slave;
static char stacker;

static void lie_on(struct block_device *upper, struct block_device *lower)
{
	list_add(&slave, &upper->bd_disk->slave_bdevs);
	lower->bd_holder = &stacker;
	bdev_whole(lower)->bd_holder = &stacker;
}

/* The old one had 8:1, and the new one gets 8:2. */
static void new_one_gets_the_other_disk(void (*look)(void))
{
	old_one_is_removed(BLKIF_OP_WRITE);
	xenstore_set(BE "/physical-device", "8:2");
	teardown_and_new_one(look);
	assert_true(is(BE "/state", "4"));
	go();
}

static void a_disk_below_is_waited_for(void **state)
{
	lie_on(&disk_b->bdev, &fake_disk.bdev);
	new_one_gets_the_other_disk(new_one_waits);
}

static void a_disk_above_is_waited_for(void **state)
{
	lie_on(&fake_disk.bdev, &disk_b->bdev);
	new_one_gets_the_other_disk(new_one_waits);
}

static void drbd_lies_on_what_is_claimed(void **state)
{
	disk_b->gd.major = DRBD_MAJOR;
	fake_disk.bdev.bd_holder = &stacker;
	new_one_gets_the_other_disk(new_one_waits);
}

/* A file system, for instance. */
static void a_claim_alone_is_nobodys_business(void **state)
{
	fake_disk.bdev.bd_holder = &stacker;
	disk_b->bdev.bd_holder = &stacker;
	new_one_gets_the_other_disk(new_one_connects);
}

/* As logical volumes of one group do. */
static void two_disks_on_a_third_are_two(void **state)
{
	lie_on(&disk_b->bdev, &disk_cd->bdev);
	fake_disk.gd.major = DRBD_MAJOR;
	new_one_gets_the_other_disk(new_one_connects);
}

static struct block_device partition;

static void have_partition(unsigned int number, struct block_device *bdev)
{
	bdev->bd_disk = &fake_disk.gd;
	fake_disk.gd.part_tbl.entries[number] = bdev;
}

/* The disk of the old one has partitions, and is claimed as a whole. */
static void what_is_claimed_is_so_with_its_partitions(void **state)
{
	struct block_device whole = { .bd_disk = &fake_disk.gd };

	fake_disk.gd.part0 = &whole;
	have_partition(1, &fake_disk.bdev);
	have_partition(2, &partition);
	lie_on(&disk_b->bdev, &whole);
	new_one_gets_the_other_disk(new_one_waits);
}

/* The old one has a whole disk, and the new one is on a partition of it. */
static void a_disk_is_claimed_with_each_partition(void **state)
{
	have_partition(1, &partition);
	lie_on(&disk_b->bdev, &partition);
	new_one_gets_the_other_disk(new_one_waits);
	partition.bd_holder = NULL;
}

static void but_no_partition_with_the_next(void **state)
{
	struct block_device whole = { .bd_disk = &fake_disk.gd };

	fake_disk.gd.part0 = &whole;
	have_partition(1, &fake_disk.bdev);
	have_partition(2, &partition);
	lie_on(&disk_b->bdev, &partition);
	new_one_gets_the_other_disk(new_one_connects);
	partition.bd_holder = NULL;
}

/* ---- what was not sent -------------------------------------------------- */

/* The directory is deleted, and after a while the disk answers all the same. */
static void go_while_the_disk_hangs(void)
{
	fake_idle = disk_hangs;
	go();
	fake_idle = answer;
	control_settle();
	expect_no_remnant();
}

static void connect_and_write_behind_a_barrier(void)
{
	struct xenvbd *vbd;

	connect();
	vbd = dev_get_drvdata(&xbdev->dev);
	control_request(vbd->rings[0], BLKIF_OP_WRITE_BARRIER);
	control_request(vbd->rings[0], BLKIF_OP_WRITE);
}

/* Of what the disk did not have it gets nothing, whoever has it now. */
static void what_was_not_sent_stays(void **state)
{
	unsigned long submits = fake_nr_submits;

	connect_and_write_behind_a_barrier();
	/* The barrier is at the disk, and the write waits for it. */
	assert_int_equal(fake_nr_bios, 2);
	go_while_the_disk_hangs();
	assert_int_equal(fake_nr_submits - submits, 2);
}

/*
 * It may have ended the grants, since nobody has the pages mapped, and granted other
 * pages by the same numbers.
 */
static void a_guest_gets_no_data_that_it_does_not_wait_for(void **state)
{
	unsigned long copies;

	connect();
	copies = fake_nr_copies;
	go_while_the_disk_hangs();
	assert_int_equal(fake_nr_copies, copies);
}

static void but_one_that_lives_on_does(void **state)
{
	unsigned long copies;

	connect();
	copies = fake_nr_copies;
	fake_idle = answer;
	bus_unbind(xbdev);
	expect_no_remnant();
	assert_int_equal(fake_nr_copies, copies + 1);
	go();
}

/* A guest that lives on has all of its requests done. */
static void what_was_not_sent_is_if_the_guest_lives(void **state)
{
	unsigned long submits = fake_nr_submits;

	connect_and_write_behind_a_barrier();
	fake_idle = answer;
	bus_unbind(xbdev);
	expect_no_remnant();
	assert_int_equal(fake_nr_submits - submits, 3);
	go();
}

static bool toolstack_deletes(void)
{
	if (xenstore_get(BE "/state"))
		xenstore_remove(BE);
	return false;
}

static void an_unbind_does_not_wait_for_what_nobody_wants(void **state)
{
	unsigned long before;

	connect();
	fake_idle = toolstack_deletes;
	before = jiffies;
	bus_unbind(xbdev);
	assert_true(jiffies - before < HZ);
	assert_false(fake_logged("unbound with requests"));
	fake_idle = answer;
	go();
}

/* A directory that cannot be read now is not one that was deleted. */
static void an_unbind_waits_if_nobody_knows(void **state)
{
	connect();
	xenstore_fail_path(XENSTORE_READ, BE "/state", -ENOMEM);
	xenstore_set(BE "/waiting", "closing, for 6 s");
	fake_idle = answer;
	bus_unbind(xbdev);
	expect_no_remnant();
	assert_false(fake_logged("unbound with requests"));
	/* Another driver will have threads of its own, and say what it waits for. */
	assert_null(xenstore_get(BE "/kthread-pid"));
	assert_null(xenstore_get(BE "/waiting"));
	xenstore_fail_path(XENSTORE_READ, NULL, 0);
	go();
}

/* Closed would tell the toolstack that the disk is free. */
static void who_gives_up_does_not_say_closed(void **state)
{
	connect();
	xenstore_set(BE "/online", "0");
	xenstore_set(BE "/state", "5");
	fake_idle = disk_hangs;
	bus_unbind(xbdev);
	assert_true(fake_logged("unbound with requests"));
	assert_true(is(BE "/state", "5"));
	fake_idle = answer;
	control_settle();
	go();
}

/* ---- deleted long after the unbind -------------------------------------- */

static void unbind_in_vain(void)
{
	old_one = dev_get_drvdata(&xbdev->dev);
	fake_idle = disk_hangs;
	bus_unbind(xbdev);
	assert_true(fake_logged("unbound with requests"));
}

static void look_for_a_while(void)
{
	jiffies += 60 * HZ;
	settle_others();
	assert_false(old_one->abandoned);
}

static void deleted_at_last(void)
{
	look_for_a_while();
	xenstore_remove(BE);
	bus_remove(xbdev);
	/* The toolstack has made another one in its place. */
	control_write_backend();
	jiffies += HZ;
	settle_others();
	assert_true(old_one->abandoned);
}

/* Its directory goes while the disk hangs: from then on the disk gets no more. */
static void what_was_not_sent_stays_when_the_vbd_is_deleted(void **state)
{
	unsigned long submits = fake_nr_submits;

	connect_and_write_behind_a_barrier();
	unbind_in_vain();
	teardown_and_new_one(deleted_at_last);
	expect_no_remnant();
	assert_int_equal(fake_nr_submits - submits, 2);
	xenstore_remove(BE);
}

/* Nor does the guest get what it had asked for. */
static void a_guest_gets_no_data_when_the_vbd_is_deleted(void **state)
{
	unsigned long copies;

	connect();
	copies = fake_nr_copies;
	unbind_in_vain();
	teardown_and_new_one(deleted_at_last);
	expect_no_remnant();
	assert_int_equal(fake_nr_copies, copies);
	xenstore_remove(BE);
}

/* Nobody has deleted it, and another driver may be bound. */
static void but_not_before(void **state)
{
	unsigned long submits = fake_nr_submits;

	connect_and_write_behind_a_barrier();
	unbind_in_vain();
	teardown_and_new_one(look_for_a_while);
	expect_no_remnant();
	assert_int_equal(fake_nr_submits - submits, 3);
	go();
}

/* Once there is nothing to be seen any more. */
static void nobody_looks_at_a_remnant_for_ever(void)
{
	jiffies += HZ;
	settle_others();
	assert_false(old_one->teardown.look.work.pending);
}

static void a_remnant_that_only_reads_is_looked_at_once(void **state)
{
	old_one_is_removed(BLKIF_OP_READ);
	teardown_and_new_one(nobody_looks_at_a_remnant_for_ever);
	go();
}

static unsigned int nr_hidden;

static void count_hide(struct xenvbd *vbd)
{
	nr_hidden++;
}

static struct xenvbd *by_itself(unsigned int facts)
{
	struct xenvbd *vbd = control_vbd();

	xenvbd_remnant_init(&vbd->remnant, count_hide);
	nr_hidden = 0;
	vbd->facts = facts;
	return vbd;
}

static void begin_says_whether_something_may_be_left(void **state)
{
	struct xenvbd *vbd = by_itself(XENVBD_FACT_GONE);

	assert_false(xenvbd_teardown_begin(vbd));
	assert_true(vbd->removed);
	assert_true(list_empty(&remnants));
	assert_int_equal(control_nr_module_refs, 0);
	vbd->removed = false;
	vbd->facts = XENVBD_FACT_FAILED;
	assert_true(xenvbd_teardown_begin(vbd));
	assert_true(vbd->removed);
	assert_false(list_empty(&remnants));
	assert_int_equal(control_nr_module_refs, 1);
	assert_int_equal(nr_hidden, 0);
	xenvbd_remnant_remove(vbd);
	assert_int_equal(nr_hidden, 1);
	assert_int_equal(control_nr_module_refs, 0);
	vbd->removed = false;
	control_vbd_put(vbd);
}

/* Work that was queued is not done any more, watches are dropped and their paths freed. */
static void nobody_can_come_back(void **state)
{
	unsigned int before;
	struct xenvbd *vbd;

	xbdev = bus_add(BE);
	control_settle();
	assert_true(xenstore_nr_watches() > 1);
	vbd = dev_get_drvdata(&xbdev->dev);
	xenstore_set(BE "/physical-device", "8:2");
	queue_work(vbd->wq, &vbd->work);
	mod_delayed_work(vbd->wq, &vbd->size_work, HZ);
	xenstore_log_clear();
	before = xenstore_log_nr;
	xenstore_remove(BE);
	bus_remove(xbdev);
	control_settle();
	assert_int_equal(xenstore_nr_watches(), 0);
	assert_int_equal(work_nr_pending(), 0);
	assert_int_equal(disk_b->nr[DISK_OPEN], 0);
	assert_int_equal(xenstore_log_nr, before);
}

static bool unloaded;

static bool answer_while_unloading(void)
{
	unloaded = true;
	expect_remnant();
	return fake_bio_end_all();
}

/* The module's end flushes the queue, and so waits for remnants. */
static void the_modules_end_waits_for_remnants(void **state)
{
	connect();
	fake_idle = disk_hangs;
	xenstore_remove(BE);
	bus_remove(xbdev);
	fake_idle = answer_while_unloading;
	unloaded = false;
	shim_module_exit();
	assert_true(unloaded);
	control_check_clean();
	assert_int_equal(shim_module_init(), 0);
}

int main(void)
{
	const struct CMUnitTest teardown[] = {
		TEARDOWN_TEST(a_deleted_directory_is_not_waited_for),
		TEARDOWN_TEST(an_unbind_waits_for_the_disk),
		TEARDOWN_TEST(but_not_for_ever),
		TEARDOWN_TEST(another_vbd_has_nothing_to_do_with_it),
		TEARDOWN_TEST(a_device_that_waited_for_its_end_leaves_no_remnant),
		cmocka_unit_test_setup_teardown(begin_says_whether_something_may_be_left,
						control_setup, control_teardown),
		TEARDOWN_TEST(a_new_vbd_waits_for_old_writes),
		TEARDOWN_TEST(a_new_vbd_that_was_short_waits_for_old_writes),
		TEARDOWN_TEST(but_not_for_old_reads),
		TEARDOWN_TEST(an_exchange_waits_for_old_writes),
		TEARDOWN_TEST(who_waits_may_go),
		TEARDOWN_TEST(who_waits_may_end),
		TEARDOWN_TEST(a_whole_disk_is_what_its_partitions_are),
		TEARDOWN_TEST(reads_that_hang_are_not_waited_for),
		TEARDOWN_TEST(an_empty_drive_is_no_disk_to_wait_for),
		TEARDOWN_TEST(a_disk_below_is_waited_for),
		TEARDOWN_TEST(a_disk_above_is_waited_for),
		TEARDOWN_TEST(drbd_lies_on_what_is_claimed),
		TEARDOWN_TEST(a_claim_alone_is_nobodys_business),
		TEARDOWN_TEST(two_disks_on_a_third_are_two),
		TEARDOWN_TEST(what_is_claimed_is_so_with_its_partitions),
		TEARDOWN_TEST(a_disk_is_claimed_with_each_partition),
		TEARDOWN_TEST(but_no_partition_with_the_next),
		TEARDOWN_TEST(what_was_not_sent_stays),
		TEARDOWN_TEST(a_guest_gets_no_data_that_it_does_not_wait_for),
		TEARDOWN_TEST(but_one_that_lives_on_does),
		TEARDOWN_TEST(what_was_not_sent_is_if_the_guest_lives),
		TEARDOWN_TEST(an_unbind_does_not_wait_for_what_nobody_wants),
		TEARDOWN_TEST(an_unbind_waits_if_nobody_knows),
		TEARDOWN_TEST(who_gives_up_does_not_say_closed),
		TEARDOWN_TEST(what_was_not_sent_stays_when_the_vbd_is_deleted),
		TEARDOWN_TEST(a_guest_gets_no_data_when_the_vbd_is_deleted),
		TEARDOWN_TEST(but_not_before),
		TEARDOWN_TEST(a_remnant_that_only_reads_is_looked_at_once),
		TEARDOWN_TEST(nobody_can_come_back),
		TEARDOWN_TEST(the_modules_end_waits_for_remnants),
	};

	return RUN(teardown);
}
