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
	/* As sysfs hands it over. */
	char buf[4096] = "";

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

static void threads_are_shown(void **state)
{
	char text[16];

	expect_shown(&dev_attr_threads, "");
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(xenvbd_map_rings(vbd), 0);
	expect_shown(&dev_attr_threads, "");
	assert_int_equal(xenvbd_start_rings(vbd), 0);
	snprintf(text, sizeof(text), "0 %d\n", vbd->rings[0]->task->pid);
	expect_shown(&dev_attr_threads, text);
}

static void all_counters_are_on_one_line(void **state)
{
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(xenvbd_map_rings(vbd), 0);
	vbd->stats.oo_req = 100;
	vbd->rings[0]->stats.rd_req = 11;
	vbd->rings[0]->stats.squeezes = 12;
	expect_shown(&dev_attr_stat, "100 11 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 12 0 0\n");
}

/* 28 numbers, all 0 but these two, and the sum of microseconds. */
static const char *histogram(unsigned int a, u64 na, unsigned int b, u64 nb, u64 sum_us)
{
	static char text[256];
	unsigned int i, len = 0;

	for (i = 0; i < 28; i++)
		len += sprintf(text + len, "%s%llu", i ? " " : "",
			       (unsigned long long)(i == a ? na : i == b ? nb : 0));
	sprintf(text + len, "\nsum_us %llu\n", (unsigned long long)sum_us);
	return text;
}

static void histograms_outlive_rings(void **state)
{
	struct xenvbd_histogram *ring;

	expect_shown(&dev_attr_latency_read, histogram(0, 0, 0, 0, 0));
	assert_int_equal(xenvbd_disk_open(vbd), 1);
	assert_int_equal(xenvbd_map_rings(vbd), 0);
	vbd->latencies.of[XENVBD_KIND_latency_write].count[0] = 7;
	vbd->latencies.of[XENVBD_KIND_latency_write].sum_us = 1ULL << 40;
	ring = vbd->rings[0]->latency.latencies.of;
	ring[XENVBD_KIND_latency_write].count[0] = 1;
	ring[XENVBD_KIND_latency_write].count[27] = 2;
	ring[XENVBD_KIND_latency_write].sum_us = 5;
	ring[XENVBD_KIND_latency_disk_discard].count[3] = 5;
	expect_shown(&dev_attr_latency_write, histogram(0, 8, 27, 2, (1ULL << 40) + 5));
	xenvbd_disconnect(vbd);
	expect_shown(&dev_attr_latency_write, histogram(0, 8, 27, 2, (1ULL << 40) + 5));
	expect_shown(&dev_attr_latency_disk_discard, histogram(3, 5, 3, 5, 0));
	expect_shown(&dev_attr_latency_flush, histogram(0, 0, 0, 0, 0));
}

int main(void)
{
	const struct CMUnitTest sysfs[] = {
		SYSFS_TEST(there_is_no_disk_yet),
		SYSFS_TEST(the_disk_is_shown),
		SYSFS_TEST(requests_are_shown),
		SYSFS_TEST(counters_outlive_rings),
		SYSFS_TEST(threads_are_shown),
		SYSFS_TEST(all_counters_are_on_one_line),
		SYSFS_TEST(histograms_outlive_rings),
	};

	return RUN(sysfs);
}
