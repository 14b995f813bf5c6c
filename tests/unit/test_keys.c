// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each key that is read: what its values mean, and what is said of those that mean
 * nothing. Documentation/xenstore.rst promises the texts.
 */
#include "control/keys.c"

#include "control.h"
#include "xenstore.h"

/* ---- numbers ------------------------------------------------------------ */

static int read_nr_rings(struct xenvbd *vbd)
{
	unsigned int nr;

	return xenvbd_keys_nr_rings(vbd, &nr);
}

static int read_persistent(struct xenvbd *vbd)
{
	bool persistent;

	return xenvbd_keys_persistent(vbd, &persistent);
}

static int read_only_ring(struct xenvbd *vbd)
{
	struct xenvbd_ring_keys keys;

	return xenvbd_keys_ring(vbd, 0, 1, &keys);
}

static int read_second_ring(struct xenvbd *vbd)
{
	struct xenvbd_ring_keys keys;

	return xenvbd_keys_ring(vbd, 1, 2, &keys);
}

/* Each key that has to be a number, and who reads it. */
static const struct {
	const char *path;
	int (*read)(struct xenvbd *vbd);
	bool optional;
} numbers[] = {
	{ FE "/multi-queue-num-queues", read_nr_rings, true },
	{ FE "/feature-persistent", read_persistent, true },
	{ FE "/num-ring-pages", read_only_ring, true },
	{ FE "/ring-ref", read_only_ring },
	{ FE "/event-channel", read_only_ring },
	{ FE "/queue-1/ring-ref", read_second_ring },
	{ FE "/queue-1/event-channel", read_second_ring },
	{ FE "/ring-page-order", read_only_ring, true },
	/* With the order as it is above, these are what is read. */
	{ FE "/ring-ref0", read_only_ring },
	{ FE "/ring-ref1", read_only_ring },
	{ FE "/ring-ref2", read_only_ring },
	{ FE "/ring-ref3", read_only_ring },
};

/* What a guest may write instead, and what is shown of it. */
static const struct {
	const char *value;
	int err;
	const char *shown;
} junk[] = {
	{ "", -EINVAL },
	{ "x", -EINVAL },
	{ "-1", -EINVAL },
	{ " 1", -EINVAL },
	{ "1 ", -EINVAL },
	{ "0x1", -EINVAL },
	{ "1.5", -EINVAL },
	{ "1,2", -EINVAL },
	{ "1\n2", -EINVAL, "1\\n2" },
	{ "4294967296", -ERANGE },
	{ "18446744073709551617", -ERANGE },
	{ "1\033[31m", -EINVAL, "1\\e[31m" },
	{ "\001\"", -EINVAL, "\\001\"" },
	/* 40 characters are shown, of 50 */
	{ "0123456789012345678901234567890123456789xxxxxxxxxx", -EINVAL,
	  "0123456789012345678901234567890123456789" },
};

/* All is well but for the key in question, which comes later. */
static void number_set_up(unsigned int i)
{
	bool large = i > 7;

	xenstore_set(FE "/ring-ref", "10");
	xenstore_set(FE "/event-channel", "7");
	xenstore_set(FE "/queue-1/ring-ref", "14");
	xenstore_set(FE "/queue-1/event-channel", "15");
	xenstore_remove(FE "/ring-page-order");
	xenstore_remove(FE "/num-ring-pages");
	if (large) {
		xenstore_set(FE "/ring-page-order", "2");
		xenstore_set(FE "/ring-ref0", "10");
		xenstore_set(FE "/ring-ref1", "11");
		xenstore_set(FE "/ring-ref2", "12");
		xenstore_set(FE "/ring-ref3", "13");
	}
}

static void each_number_is_checked(void **state)
{
	struct xenvbd *vbd = control_vbd();
	char text[256];
	unsigned int i, j;
	int err;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		number_set_up(i);
		for (j = 0; j < ARRAY_SIZE(junk); j++) {
			xenstore_set(numbers[i].path, "%s", junk[j].value);
			err = numbers[i].read(vbd);
			snprintf(text, sizeof(text), "%s: \"%s\" is not a number",
				 numbers[i].path, junk[j].shown ?: junk[j].value);
			expect_error(vbd, err, junk[j].err, text);
		}
		xenstore_remove(numbers[i].path);
	}
	control_vbd_put(vbd);
}

static void each_number_may_be_missing_or_must_not(void **state)
{
	struct xenvbd *vbd = control_vbd();
	char text[256];
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		number_set_up(i);
		/* A ring of one page has its reference under either name. */
		xenstore_remove(numbers[i].path);
		err = numbers[i].read(vbd);
		snprintf(text, sizeof(text), "reading %s", numbers[i].path);
		if (numbers[i].optional)
			expect(!err, "%s: %d", numbers[i].path, err);
		else
			expect_error(vbd, err, -ENOENT, text);
		xenstore_set(numbers[i].path, "1");
	}
	control_vbd_put(vbd);
}

static void each_number_may_fail_to_be_read(void **state)
{
	struct xenvbd *vbd = control_vbd();
	char text[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		number_set_up(i);
		xenstore_fail_path(XENSTORE_READ, numbers[i].path, -EIO);
		snprintf(text, sizeof(text), "reading %s", numbers[i].path);
		expect_error(vbd, numbers[i].read(vbd), -EIO, text);
		xenstore_fail_path(XENSTORE_READ, NULL, 0);
		xenstore_remove(numbers[i].path);
	}
	control_vbd_put(vbd);
}

/* ---- the frontend ------------------------------------------------------- */

static void the_number_of_rings_has_limits(void **state)
{
	struct xenvbd *vbd = control_vbd();
	unsigned int nr;

	vbd->advertised.max_rings = 4;
	assert_int_equal(xenvbd_keys_nr_rings(vbd, &nr), 0);
	assert_int_equal(nr, 1);
	xenstore_set(FE "/multi-queue-num-queues", "1");
	assert_int_equal(xenvbd_keys_nr_rings(vbd, &nr), 0);
	assert_int_equal(nr, 1);
	xenstore_set(FE "/multi-queue-num-queues", "4");
	assert_int_equal(xenvbd_keys_nr_rings(vbd, &nr), 0);
	assert_int_equal(nr, 4);
	xenstore_set(FE "/multi-queue-num-queues", "5");
	expect_error(vbd, xenvbd_keys_nr_rings(vbd, &nr), -EINVAL,
		     FE "/multi-queue-num-queues: 5, not 1 to 4");
	xenstore_set(FE "/multi-queue-num-queues", "0");
	expect_error(vbd, xenvbd_keys_nr_rings(vbd, &nr), -EINVAL,
		     FE "/multi-queue-num-queues: 0, not 1 to 4");
	xenstore_set(FE "/multi-queue-num-queues", "4294967295");
	expect_error(vbd, xenvbd_keys_nr_rings(vbd, &nr), -EINVAL,
		     FE "/multi-queue-num-queues: 4294967295, not 1 to 4");
	control_vbd_put(vbd);
}

static void grants_persist_if_both_sides_want_it(void **state)
{
	static const struct {
		bool ours;
		const char *theirs;
		bool persistent;
	} cases[] = {
		{ true, NULL, false }, { true, "0", false }, { true, "1", true }, { true, "2", true },
		{ false, NULL, false }, { false, "0", false }, { false, "1", false },
	};
	struct xenvbd *vbd = control_vbd();
	bool persistent;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(FE "/feature-persistent");
		if (cases[i].theirs)
			xenstore_set(FE "/feature-persistent", "%s", cases[i].theirs);
		vbd->advertised.persistent = cases[i].ours;
		persistent = !cases[i].persistent;
		expect(!xenvbd_keys_persistent(vbd, &persistent), "case %u", i);
		expect(persistent == cases[i].persistent, "case %u", i);
	}
	control_vbd_put(vbd);
}

static void the_protocol_has_a_name(void **state)
{
	static const struct {
		const char *name;
		enum xenvbd_abi abi;
	} cases[] = {
		{ NULL, XENVBD_ABI_X86_32 },
		{ "x86_32-abi", XENVBD_ABI_X86_32 },
		{ "x86_64-abi", XENVBD_ABI_X86_64 },
	};
	static const char *const unknown[] = { "", "x86_64", "x86_64-abi ", "X86_64-ABI", "arm-abi" };
	struct xenvbd *vbd = control_vbd();
	enum xenvbd_abi abi;
	char text[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].name)
			xenstore_set(FE "/protocol", "%s", cases[i].name);
		else
			xenstore_remove(FE "/protocol");
		abi = !cases[i].abi;
		expect(!xenvbd_keys_protocol(vbd, &abi), "case %u", i);
		expect(abi == cases[i].abi, "case %u", i);
	}
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		xenstore_set(FE "/protocol", "%s", unknown[i]);
		snprintf(text, sizeof(text), FE "/protocol: \"%s\" is unknown", unknown[i]);
		expect_error(vbd, xenvbd_keys_protocol(vbd, &abi), -EINVAL, text);
	}
	xenstore_fail_path(XENSTORE_READ, FE "/protocol", -EIO);
	expect_error(vbd, xenvbd_keys_protocol(vbd, &abi), -EIO, "reading " FE "/protocol");
	control_vbd_put(vbd);
}

/*
 * Rings of one to 16 pages, in the two schemes. Of references 10 is ring-ref, and
 * 100 and above are ring-ref0 and the next.
 */
static const struct ring_case {
	const char *order;
	const char *pages;
	/* How many of ring-ref<n> there are, and whether there is a ring-ref. */
	unsigned int nr_refs;
	bool single;
	/* Expected. */
	int err;
	const char *text;
	unsigned int nr_pages;
	unsigned int first;
} ring_cases[] = {
	/* neither key */
	{ NULL, NULL, 0, true, 0, NULL, 1, 10 },
	/* somebody else has left it behind */
	{ NULL, NULL, 1, true, 0, NULL, 1, 10 },
	{ NULL, NULL, 1, false, -ENOENT, "reading " FE "/ring-ref" },
	/* the order */
	{ "0", NULL, 1, false, 0, NULL, 1, 100 },
	{ "0", NULL, 1, true, 0, NULL, 1, 100 },
	{ "0", NULL, 0, true, 0, NULL, 1, 10 },
	{ "0", NULL, 0, false, -ENOENT, "reading " FE "/ring-ref" },
	{ "1", NULL, 2, true, 0, NULL, 2, 100 },
	{ "1", NULL, 1, true, -ENOENT, "reading " FE "/ring-ref1" },
	{ "1", NULL, 0, true, -ENOENT, "reading " FE "/ring-ref0" },
	{ "4", NULL, 16, false, 0, NULL, 16, 100 },
	{ "4", NULL, 15, false, -ENOENT, "reading " FE "/ring-ref15" },
	{ "5", NULL, 16, false, -EINVAL, FE "/ring-page-order: 5, not 0 to 4" },
	{ "32", NULL, 16, false, -EINVAL, FE "/ring-page-order: 32, not 0 to 4" },
	{ "4294967295", NULL, 16, false, -EINVAL,
	  FE "/ring-page-order: 4294967295, not 0 to 4" },
	/* the number */
	{ NULL, "1", 0, true, 0, NULL, 1, 10 },
	{ NULL, "1", 1, true, 0, NULL, 1, 10 },
	{ NULL, "1", 1, false, -ENOENT, "reading " FE "/ring-ref" },
	{ NULL, "2", 2, true, 0, NULL, 2, 100 },
	{ NULL, "16", 16, false, 0, NULL, 16, 100 },
	{ NULL, "0", 1, true, -EINVAL, FE "/num-ring-pages: 0, not a power of two up to 16" },
	{ NULL, "3", 3, true, -EINVAL, FE "/num-ring-pages: 3, not a power of two up to 16" },
	{ NULL, "32", 16, true, -EINVAL, FE "/num-ring-pages: 32, not a power of two up to 16" },
	{ NULL, "2147483648", 16, true, -EINVAL,
	  FE "/num-ring-pages: 2147483648, not a power of two up to 16" },
	/* both: the order counts */
	{ "1", "4", 4, true, 0, NULL, 2, 100 },
	{ "0", "4", 4, true, 0, NULL, 1, 100 },
	{ "0", "junk", 0, true, 0, NULL, 1, 10 },
};

static void ring_case_write(const struct ring_case *c, const char *refs)
{
	char path[128];
	unsigned int i;

	xenstore_remove(FE "/ring-page-order");
	xenstore_remove(FE "/num-ring-pages");
	if (c->order)
		xenstore_set(FE "/ring-page-order", "%s", c->order);
	if (c->pages)
		xenstore_set(FE "/num-ring-pages", "%s", c->pages);
	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "%s/ring-ref%u", refs, i);
		xenstore_remove(path);
		if (i < c->nr_refs)
			xenstore_set(path, "%u", 100 + i);
	}
	snprintf(path, sizeof(path), "%s/ring-ref", refs);
	xenstore_remove(path);
	if (c->single)
		xenstore_set(path, "10");
	snprintf(path, sizeof(path), "%s/event-channel", refs);
	xenstore_set(path, "7");
}

static void ring_case_check(const struct ring_case *c, const struct xenvbd_ring_keys *keys,
			    unsigned int n)
{
	unsigned int i;

	expect(keys->nr_pages == c->nr_pages, "case %u: %u", n, keys->nr_pages);
	for (i = 0; i < c->nr_pages; i++)
		expect(keys->gref[i] == c->first + i, "case %u, page %u: %u", n, i, keys->gref[i]);
	expect(keys->evtchn == 7, "case %u: %u", n, keys->evtchn);
}

static void the_pages_of_a_ring_come_in_two_schemes(void **state)
{
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_ring_keys keys;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ring_cases); i++) {
		const struct ring_case *c = &ring_cases[i];

		ring_case_write(c, FE);
		err = xenvbd_keys_ring(vbd, 0, 1, &keys);
		if (c->err) {
			expect_error(vbd, err, c->err, c->text);
			continue;
		}
		expect(!err, "case %u: %d, %s", i, err, vbd->error.text);
		ring_case_check(c, &keys, i);
	}
	control_vbd_put(vbd);
}

static void each_of_several_rings_has_a_directory(void **state)
{
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_ring_keys keys;
	unsigned int i;

	/* What is in the frontend's own directory counts for nothing. */
	xenstore_set(FE "/ring-ref", "junk");
	xenstore_set(FE "/event-channel", "junk");
	for (i = 0; i < ARRAY_SIZE(ring_cases); i++) {
		if (ring_cases[i].err)
			continue;
		ring_case_write(&ring_cases[i], FE "/queue-3");
		expect(!xenvbd_keys_ring(vbd, 3, 4, &keys), "case %u: %s", i, vbd->error.text);
		ring_case_check(&ring_cases[i], &keys, i);
	}
	expect_error(vbd, xenvbd_keys_ring(vbd, 2, 4, &keys), -ENOENT,
		     "reading " FE "/queue-2/ring-ref");
	control_vbd_put(vbd);
}

static void our_own_limits_hold(void **state)
{
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_ring_keys keys;

	vbd->advertised.max_ring_page_order = 1;
	ring_case_write(&(struct ring_case){ .order = "2", .nr_refs = 4 }, FE);
	expect_error(vbd, xenvbd_keys_ring(vbd, 0, 1, &keys), -EINVAL,
		     FE "/ring-page-order: 2, not 0 to 1");
	ring_case_write(&(struct ring_case){ .pages = "4", .nr_refs = 4 }, FE);
	expect_error(vbd, xenvbd_keys_ring(vbd, 0, 1, &keys), -EINVAL,
		     FE "/num-ring-pages: 4, not a power of two up to 2");
	ring_case_write(&(struct ring_case){ .pages = "2", .nr_refs = 2 }, FE);
	assert_int_equal(xenvbd_keys_ring(vbd, 0, 1, &keys), 0);
	control_vbd_put(vbd);
}

static void large_sectors_are_a_one(void **state)
{
	struct xenvbd *vbd = control_vbd();

	assert_false(xenvbd_keys_large_sectors(vbd));
	xenstore_set(FE "/feature-large-sector-size", "0");
	assert_false(xenvbd_keys_large_sectors(vbd));
	xenstore_set(FE "/feature-large-sector-size", "1");
	assert_true(xenvbd_keys_large_sectors(vbd));
	xenstore_set(FE "/feature-large-sector-size", "11");
	assert_false(xenvbd_keys_large_sectors(vbd));
	control_vbd_put(vbd);
}

/* ---- the toolstack ------------------------------------------------------ */

static void the_handle_ends_the_frontends_path(void **state)
{
	static const char *const bad[] = { "/local/domain/1/device/vbd/xvda", "51712", "/a/", "/a/-1", "" };
	struct xenvbd *vbd = control_vbd();
	char *good = vbd->frontend;
	char text[128];
	unsigned int i;

	assert_int_equal(xenvbd_keys_handle(vbd), 0);
	assert_int_equal(vbd->handle, 51712);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		vbd->frontend = (char *)bad[i];
		snprintf(text, sizeof(text), "frontend path %s does not end in a number", bad[i]);
		expect_error(vbd, xenvbd_keys_handle(vbd), -EINVAL, text);
	}
	vbd->frontend = good;
	control_vbd_put(vbd);
}

static void physical_device_is_two_numbers_in_hex(void **state)
{
	static const struct {
		const char *value;
		int err;
		dev_t devt;
	} cases[] = {
		{ "fd:1", 0, MKDEV(0xfd, 1) },
		{ "FD:1f", 0, MKDEV(0xfd, 0x1f) },
		{ "7:0", 0, MKDEV(7, 0) },
		{ "fff:fffff", 0, MKDEV(0xfff, 0xfffff) },
		{ "1000:0", -ERANGE },
		{ "0:100000", -ERANGE },
		{ "ffffffff:0", -ERANGE },
		{ "", -EINVAL },
		{ ":", -EINVAL },
		{ "7", -EINVAL },
		{ "7:", -EINVAL },
		{ ":7", -EINVAL },
		{ "7:0 ", -EINVAL },
		{ "7:0:0", -EINVAL },
		{ "7:g", -EINVAL },
		{ "/dev/loop0", -EINVAL },
	};
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;
	char text[128];
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_set(BE "/physical-device", "%s", cases[i].value);
		err = xenvbd_keys_disk(vbd, false, &keys);
		if (cases[i].err) {
			snprintf(text, sizeof(text),
				 BE "/physical-device: \"%s\" is not MAJOR:MINOR in hex",
				 cases[i].value);
			expect_error(vbd, err, cases[i].err, text);
			continue;
		}
		expect(!err, "%s: %d", cases[i].value, err);
		expect(keys.devt == cases[i].devt && !keys.empty, "%s", cases[i].value);
		kfree(keys.mode);
	}
	xenstore_fail_path(XENSTORE_READ, BE "/physical-device", -EIO);
	expect_error(vbd, xenvbd_keys_disk(vbd, false, &keys), -EIO,
		     "reading " BE "/physical-device");
	control_vbd_put(vbd);
}

/* Numbers of 33 bits and more must not become those of another disk. */
static void physical_device_does_not_overflow(void **state)
{
	static const char *const values[] = {
		"100000007:0", "7:100000000", "10000000000000007:0", "7:10000000000000000",
	};
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		xenstore_set(BE "/physical-device", "%s", values[i]);
		err = xenvbd_keys_disk(vbd, false, &keys);
		expect(err == -EINVAL || err == -ERANGE, "%s: %d", values[i], err);
	}
	control_vbd_put(vbd);
}

/* Without a key the vbd waits, unless it is a CD drive whose medium was taken. */
static void a_cd_drive_may_be_empty(void **state)
{
	static const struct {
		const char *value;
		const char *type;
		bool had_disk;
		int err;
		bool empty;
	} cases[] = {
		{ NULL, NULL, false, -ENOENT },
		{ NULL, NULL, true, -ENOENT },
		{ NULL, "disk", true, -ENOENT },
		{ NULL, "cdrom", false, -ENOENT },
		{ NULL, "cdrom", true, 0, true },
		{ "", NULL, true, -EINVAL },
		{ "", "disk", true, -EINVAL },
		{ "", "cdrom", false, 0, true },
		{ "", "cdrom", true, 0, true },
		{ "b:0", "cdrom", false, 0, false },
		{ "b:0", "cdrom", true, 0, false },
	};
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(BE "/physical-device");
		xenstore_remove(BE "/device-type");
		if (cases[i].value)
			xenstore_set(BE "/physical-device", "%s", cases[i].value);
		if (cases[i].type)
			xenstore_set(BE "/device-type", "%s", cases[i].type);
		vbd->error.text[0] = 0;
		memset(&keys, 0xff, sizeof(keys));
		err = xenvbd_keys_disk(vbd, cases[i].had_disk, &keys);
		expect(err == cases[i].err, "case %u: %d", i, err);
		/* Nothing has gone wrong: there is none yet. */
		if (err == -ENOENT)
			expect(!vbd->error.text[0], "case %u: %s", i, vbd->error.text);
		if (err)
			continue;
		expect(keys.cdrom, "case %u", i);
		expect(keys.empty == cases[i].empty, "case %u", i);
		expect(!keys.devt == cases[i].empty, "case %u", i);
		kfree(keys.mode);
	}
	control_vbd_put(vbd);
}

static void diskseq_has_two_names(void **state)
{
	static const struct {
		const char *diskseq, *uid;
		int err;
		u64 value;
		const char *text;
	} cases[] = {
		{ NULL, NULL, 0, 0 },
		{ "1", NULL, 0, 1 },
		{ "00ff", NULL, 0, 0xff },
		{ NULL, "1f", 0, 0x1f },
		{ "1f", "1f", 0, 0x1f },
		{ "1f", "0000001F", 0, 0x1f },
		{ "ffffffffffffffff", NULL, 0, 0xffffffffffffffffull },
		{ "10000000000000000", NULL, -EINVAL, 0,
		  "/diskseq: \"10000000000000000\" is not the number of a disk in hex" },
		{ "00000000000000001", NULL, -EINVAL, 0,
		  "/diskseq: \"00000000000000001\" is not the number of a disk in hex" },
		{ "0", NULL, -EINVAL, 0, "/diskseq: \"0\" is not the number of a disk in hex" },
		{ "", NULL, -EINVAL, 0, "/diskseq: \"\" is not the number of a disk in hex" },
		{ "+1", NULL, -EINVAL, 0, "/diskseq: \"+1\" is not the number of a disk in hex" },
		{ "-1", NULL, -EINVAL, 0, "/diskseq: \"-1\" is not the number of a disk in hex" },
		{ "x", NULL, -EINVAL, 0, "/diskseq: \"x\" is not the number of a disk in hex" },
		{ "1 ", NULL, -EINVAL, 0, "/diskseq: \"1 \" is not the number of a disk in hex" },
		{ NULL, "0", -EINVAL, 0,
		  "/physical-device-uid: \"0\" is not the number of a disk in hex" },
		{ NULL, "g", -EINVAL, 0,
		  "/physical-device-uid: \"g\" is not the number of a disk in hex" },
		{ "1f", "1e", -EINVAL, 0,
		  "/physical-device-uid: \"1e\" is not the number of a disk in hex, or not diskseq" },
		{ "1f", "0", -EINVAL, 0,
		  "/physical-device-uid: \"0\" is not the number of a disk in hex, or not diskseq" },
	};
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;
	char text[128];
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(BE "/diskseq");
		xenstore_remove(BE "/physical-device-uid");
		if (cases[i].diskseq)
			xenstore_set(BE "/diskseq", "%s", cases[i].diskseq);
		if (cases[i].uid)
			xenstore_set(BE "/physical-device-uid", "%s", cases[i].uid);
		err = xenvbd_keys_disk(vbd, false, &keys);
		if (cases[i].err) {
			snprintf(text, sizeof(text), BE "%s", cases[i].text);
			expect_error(vbd, err, cases[i].err, text);
			continue;
		}
		expect(!err, "case %u: %d", i, err);
		expect(keys.diskseq == cases[i].value, "case %u: %llx", i, keys.diskseq);
		kfree(keys.mode);
	}
	xenstore_fail_path(XENSTORE_READ, BE "/physical-device-uid", -EIO);
	expect_error(vbd, xenvbd_keys_disk(vbd, false, &keys), -EIO,
		     "reading " BE "/physical-device-uid");
	control_vbd_put(vbd);
}

/* What an empty drive was last told of is not of its next medium. */
static void an_empty_drive_has_no_diskseq(void **state)
{
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;

	xenstore_set(BE "/physical-device", "%s", "");
	xenstore_set(BE "/device-type", "cdrom");
	xenstore_set(BE "/diskseq", "junk");
	assert_int_equal(xenvbd_keys_disk(vbd, false, &keys), 0);
	assert_int_equal(keys.diskseq, 0);
	kfree(keys.mode);
	control_vbd_put(vbd);
}

static void the_mode_is_mandatory(void **state)
{
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;

	xenstore_set(BE "/mode", "r!");
	assert_int_equal(xenvbd_keys_disk(vbd, false, &keys), 0);
	assert_string_equal(keys.mode, "r!");
	kfree(keys.mode);
	xenstore_remove(BE "/mode");
	expect_error(vbd, xenvbd_keys_disk(vbd, false, &keys), -EINVAL, "reading " BE "/mode");
	xenstore_fail_path(XENSTORE_READ, BE "/mode", -EIO);
	expect_error(vbd, xenvbd_keys_disk(vbd, false, &keys), -EIO, "reading " BE "/mode");
	control_vbd_put(vbd);
}

static void only_a_zero_forbids_discards(void **state)
{
	static const struct {
		const char *value;
		bool discard;
	} cases[] = { { NULL, true }, { "1", true }, { "0", false }, { "", true }, { "00", true } };
	struct xenvbd *vbd = control_vbd();
	struct xenvbd_disk_keys keys;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(BE "/discard-enable");
		if (cases[i].value)
			xenstore_set(BE "/discard-enable", "%s", cases[i].value);
		memset(&keys, 0xff, sizeof(keys));
		expect(!xenvbd_keys_disk(vbd, false, &keys), "case %u", i);
		expect(keys.discard == cases[i].discard, "case %u", i);
		expect(!keys.cdrom && !keys.empty, "case %u", i);
		kfree(keys.mode);
	}
	control_vbd_put(vbd);
}

static void emulation_is_a_zero_or_a_one(void **state)
{
	static const char * const wrong[] = { "", "2", "01", "yes", "1 " };
	struct xenvbd *vbd = control_vbd();
	unsigned int i;
	char text[80];
	bool on = true;

	assert_int_equal(xenvbd_keys_emulate(vbd, &on), 0);
	assert_false(on);
	xenstore_set(BE "/emulate-512e", "1");
	assert_int_equal(xenvbd_keys_emulate(vbd, &on), 0);
	assert_true(on);
	xenstore_set(BE "/emulate-512e", "0");
	assert_int_equal(xenvbd_keys_emulate(vbd, &on), 0);
	assert_false(on);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		xenstore_set(BE "/emulate-512e", "%s", wrong[i]);
		snprintf(text, sizeof(text), BE "/emulate-512e: \"%s\" is neither 0 nor 1",
			 wrong[i]);
		expect_error(vbd, xenvbd_keys_emulate(vbd, &on), -EINVAL, text);
		assert_false(on);
	}
	xenstore_fail_path(XENSTORE_READ, BE "/emulate-512e", -EIO);
	expect_error(vbd, xenvbd_keys_emulate(vbd, &on), -EIO, "reading " BE "/emulate-512e");
	control_vbd_put(vbd);
}

static void the_device_has_a_name_in_any_case(void **state)
{
	static const struct {
		const char *dev;
		const char *name;
	} cases[] = {
		{ NULL, "51712" },
		{ "xvda", "xvda" },
		{ "/dev/xvda", "xvda" },
		{ "dev/xvda", "dev!xvda" },
		{ "/dev/cciss/c0d0", "cciss!c0d0" },
		{ "", "" },
		{ "a-name-of-more-than-16", "a-name-of-more-" },
	};
	struct xenvbd *vbd = control_vbd();
	char name[16];
	unsigned int i;

	assert_int_equal(xenvbd_keys_handle(vbd), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(BE "/dev");
		if (cases[i].dev)
			xenstore_set(BE "/dev", "%s", cases[i].dev);
		memset(name, 'x', sizeof(name));
		xenvbd_keys_name(vbd, name, sizeof(name));
		expect(!strcmp(name, cases[i].name), "%s, not %s", name, cases[i].name);
	}
	control_vbd_put(vbd);
}

int main(void)
{
	const struct CMUnitTest keys[] = {
		CONTROL_TEST(each_number_is_checked),
		CONTROL_TEST(each_number_may_be_missing_or_must_not),
		CONTROL_TEST(each_number_may_fail_to_be_read),
		CONTROL_TEST(the_number_of_rings_has_limits),
		CONTROL_TEST(grants_persist_if_both_sides_want_it),
		CONTROL_TEST(the_protocol_has_a_name),
		CONTROL_TEST(the_pages_of_a_ring_come_in_two_schemes),
		CONTROL_TEST(each_of_several_rings_has_a_directory),
		CONTROL_TEST(our_own_limits_hold),
		CONTROL_TEST(large_sectors_are_a_one),
		CONTROL_TEST(the_handle_ends_the_frontends_path),
		CONTROL_TEST(physical_device_is_two_numbers_in_hex),
		CONTROL_TEST(physical_device_does_not_overflow),
		CONTROL_TEST(a_cd_drive_may_be_empty),
		CONTROL_TEST(diskseq_has_two_names),
		CONTROL_TEST(an_empty_drive_has_no_diskseq),
		CONTROL_TEST(the_mode_is_mandatory),
		CONTROL_TEST(only_a_zero_forbids_discards),
		CONTROL_TEST(emulation_is_a_zero_or_a_one),
		CONTROL_TEST(the_device_has_a_name_in_any_case),
	};

	return RUN(keys);
}
