// SPDX-License-Identifier: GPL-2.0-only
/* What sysfs shows of a vbd: also before there is anything to show. */
#include "observe/sysfs.c"

#include "control.h"
#include "control/disk.h"
#include "control/vbd.h"
#include "fake.h"

static struct xenvbd *vbd;

static int sysfs_setup(void **state)
{
	control_setup(state);
	vbd = control_vbd();
	return 0;
}

static int sysfs_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define SYSFS_TEST(f)	cmocka_unit_test_setup_teardown(f, sysfs_setup, sysfs_teardown)

static ssize_t show(struct device_attribute *attr, char *buf)
{
	return attr->show(&vbd->xbdev->dev, attr, buf);
}

static void expect_shown(struct device_attribute *attr, const char *text)
{
	char buf[4096];

	assert_int_equal(show(attr, buf), strlen(text));
	assert_string_equal(buf, text);
}

static void there_is_no_disk_yet(void **state)
{
	char buf[4096];

	assert_int_equal(show(&dev_attr_physical_device, buf), -ENODEV);
	assert_int_equal(show(&dev_attr_mode, buf), -ENODEV);
	assert_int_equal(show(&dev_attr_diskseq, buf), -ENODEV);
	expect_shown(&dev_attr_in_flight, "0\n");
	expect_shown(&dev_attr_oldest_ms, "0\n");
	expect_shown(&dev_attr_waiting, "\n");
}

static void the_disk_is_shown(void **state)
{
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	expect_shown(&dev_attr_physical_device, "8:1\n");
	expect_shown(&dev_attr_mode, "w\n");
	expect_shown(&dev_attr_diskseq, "42\n");
	vbd->stall.what = "closing the disk";
	vbd->stall.since = jiffies - 3 * HZ;
	expect_shown(&dev_attr_waiting, "closing the disk, for 3 s\n");
	vbd->stall.what = NULL;
}

static void requests_are_shown(void **state)
{
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(xenvbd_map_rings(vbd), 0);
	assert_int_equal(xenvbd_start_rings(vbd), 0);
	jiffies |= 1;
	control_request(vbd->rings[0], BLKIF_OP_READ);
	jiffies += 2 * HZ;
	expect_shown(&dev_attr_in_flight, "1\n");
	expect_shown(&dev_attr_oldest_ms, "2000\n");
	fake_bio_end_all();
}

static void counters_outlive_rings(void **state)
{
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(xenvbd_map_rings(vbd), 0);
	vbd->stats.rd_req = 100;
	vbd->rings[0]->stats.rd_req = 11;
	expect_shown(&dev_attr_rd_req, "111\n");
	/* To show them does not add them up. */
	expect_shown(&dev_attr_rd_req, "111\n");
	xenvbd_disconnect(vbd);
	expect_shown(&dev_attr_rd_req, "111\n");
	expect_shown(&dev_attr_wr_req, "0\n");
}

int main(void)
{
	const struct CMUnitTest sysfs[] = {
		SYSFS_TEST(there_is_no_disk_yet),
		SYSFS_TEST(the_disk_is_shown),
		SYSFS_TEST(requests_are_shown),
		SYSFS_TEST(counters_outlive_rings),
	};

	return RUN(sysfs);
}
