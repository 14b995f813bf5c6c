// SPDX-License-Identifier: GPL-2.0-only
/* The cgroup of a vbd: by key, by file, and what is said of wrong ones. */
#include "control/limit.c"

#include "control.h"
#include "fake.h"
#include "xenstore.h"

#define KEY	BE "/cgroup"

static struct xenvbd *vbd;
static struct cgroup *a, *b, *no_io;

static int limit_setup(void **state)
{
	control_setup(state);
	a = fake_cgroup("/guests/a", true);
	b = fake_cgroup("/guests/b", true);
	no_io = fake_cgroup("/guests/no", false);
	vbd = control_vbd();
	return 0;
}

static int limit_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define LIMIT_TEST(f)	cmocka_unit_test_setup_teardown(f, limit_setup, limit_teardown)

/* It is in this one, and holds it once. */
static void expect_in(struct cgroup *cgroup)
{
	struct cgroup *all[] = { a, b, no_io };
	unsigned int i;

	assert_ptr_equal(vbd->cgroup.css, cgroup ? fake_cgroup_io(cgroup) : NULL);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(fake_cgroup_io(all[i])->refs, all[i] == cgroup);
}

static void expect_key(const char *value)
{
	const char *found = xenstore_get(KEY);

	if (!value)
		assert_null(found);
	else
		assert_string_equal(found, value);
}

static void expect_shown(const char *text)
{
	char buf[4096];

	assert_int_equal(xenvbd_limit_show(vbd, buf), strlen(text));
	assert_string_equal(buf, text);
}

/* Of two writers the last one has to count, whoever is slow meanwhile. */
static void expect_alone(enum xenstore_op op, const char *path)
{
	if (!strcmp(path, KEY))
		lockdep_assert_held(&vbd->cgroup.key_lock);
}

static void nobody_comes_between_key_and_cgroup(void **state)
{
	xenstore_hook = expect_alone;
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a"), 0);
	xenvbd_limit_follow(vbd);
	xenstore_set(KEY, "/guests/b");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(b);
}

/* ---- the key ------------------------------------------------------------ */

static void a_key_puts_a_vbd_into_a_cgroup(void **state)
{
	expect_shown("\n");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(NULL);
	xenstore_set(KEY, "/guests/a");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(a);
	expect_shown("/guests/a\n");
	/* The same again, and then another one, without the slash. */
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(a);
	xenstore_set(KEY, "guests/b");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(b);
	expect_shown("/guests/b\n");
}

static void without_a_key_it_is_in_none(void **state)
{
	xenstore_set(KEY, "/guests/a");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	xenstore_set(KEY, "%s", "");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(NULL);
	xenstore_set(KEY, "/guests/a");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	xenstore_remove(KEY);
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_in(NULL);
}

static void the_root_is_a_cgroup_too(void **state)
{
	xenstore_set(KEY, "/");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	expect_shown("/\n");
}

static void wrong_keys_are_named(void **state)
{
	static const struct {
		const char *key;
		int err;
		const char *text;
	} cases[] = {
		{ "/no/such", -ENOENT, KEY ": \"/no/such\" is no cgroup" },
		{ "a\nb", -ENOENT, KEY ": \"a\\nb\" is no cgroup" },
		{ "/guests/a/io.max", -ENOTDIR, KEY ": \"/guests/a/io.max\" is no cgroup" },
		{ "/guests/no", -EOPNOTSUPP, KEY ": \"/guests/no\" has no io controller: write +io to its parent's cgroup.subtree_control" },
	};
	unsigned int i;

	xenstore_set(KEY, "/guests/a");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_set(KEY, "%s", cases[i].key);
		expect_error(vbd, xenvbd_limit_read(vbd), cases[i].err, cases[i].text);
		expect_in(a);
	}
	xenstore_fail_path(XENSTORE_READ, KEY, -EIO);
	expect_error(vbd, xenvbd_limit_read(vbd), -EIO, "reading " KEY);
	expect_in(a);
}

static void a_long_path_is_cut(void **state)
{
	char path[300] = "";

	memset(path, 'x', sizeof(path) - 1);
	xenstore_set(KEY, "%s", path);
	assert_int_equal(xenvbd_limit_read(vbd), -ENOENT);
	path[LIMIT_SHOWN] = 0;
	assert_non_null(strstr(vbd->error.text, path));
	assert_non_null(strstr(vbd->error.text, "x\" is no cgroup"));
}

static void rings_are_told(void **state)
{
	struct task_struct task = { .state = TASK_IDLE };
	struct xenvbd_ring ring = { .vbd = vbd, .task = &task };
	struct xenvbd_ring *rings[] = { &ring };

	vbd->rings = rings;
	vbd->nr_rings = 1;
	xenstore_set(KEY, "/guests/a");
	assert_int_equal(xenvbd_limit_read(vbd), 0);
	assert_true(ring.wake.kicked);
	ring.wake.kicked = false;
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/b\n"), 0);
	assert_true(ring.wake.kicked);
	vbd->rings = NULL;
	vbd->nr_rings = 0;
}

/* ---- the file ----------------------------------------------------------- */

static void a_file_writes_the_key(void **state)
{
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a\n"), 0);
	expect_in(a);
	expect_key("/guests/a");
	/* As the kernel has it, whatever was written. */
	assert_int_equal(xenvbd_limit_store(vbd, "  guests/b \n"), 0);
	expect_in(b);
	expect_key("/guests/b");
	assert_int_equal(xenvbd_limit_store(vbd, "\n"), 0);
	expect_in(NULL);
	expect_key("");
	expect_shown("\n");
}

static void a_file_refuses_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "/no/such\n", -ENOENT },
		{ "/guests/a/io.max\n", -ENOTDIR },
		{ "/guests/no\n", -EOPNOTSUPP },
	};
	unsigned int i;

	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a\n"), 0);
	snprintf(vbd->error.text, sizeof(vbd->error.text), "untouched");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(xenvbd_limit_store(vbd, cases[i].text), cases[i].err);
		expect_in(a);
		expect_key("/guests/a");
	}
	/* It is another's, who holds vbd->lock. */
	assert_string_equal(vbd->error.text, "untouched");
}

/* What does not outlive us is not done. */
static void a_file_does_nothing_if_the_key_cannot_be_written(void **state)
{
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a\n"), 0);
	xenstore_fail_path(XENSTORE_WRITE, KEY, -ENOSPC);
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/b\n"), -ENOSPC);
	assert_int_equal(xenvbd_limit_store(vbd, "\n"), -ENOSPC);
	expect_in(a);
	xenstore_fail_path(XENSTORE_WRITE, NULL, 0);
	vbd->removed = true;
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/b\n"), -ENODEV);
	vbd->removed = false;
	expect_in(a);
	xenstore_remove(BE);
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/b\n"), -ENOENT);
	expect_key(NULL);
	expect_in(a);
}

static void a_file_needs_memory(void **state)
{
	fake_fail_at(&fake_allocs, 1);
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a\n"), -ENOMEM);
	expect_in(NULL);
}

static void a_path_that_is_too_long_is_not_cut(void **state)
{
	char path[4096];
	char buf[4096];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	b = fake_cgroup(path, true);
	css_get(fake_cgroup_io(b));
	limit_set(vbd, fake_cgroup_io(b));
	/* It fits, and the line end does not. */
	assert_int_equal(xenvbd_limit_show(vbd, buf), 4095);
	assert_int_equal(limit_path(fake_cgroup_io(b), buf, 4095), -E2BIG);
}

static void a_cgroup_that_is_gone_is_shown(void **state)
{
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a\n"), 0);
	fake_cgroup_remove(a);
	expect_shown("/guests/a (dead)\n");
	expect_in(a);
	expect_error(vbd, xenvbd_limit_read(vbd), -ENOENT, KEY ": \"/guests/a\" is no cgroup");
	assert_int_equal(xenvbd_limit_store(vbd, "/guests/a (dead)\n"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest limit[] = {
		LIMIT_TEST(a_key_puts_a_vbd_into_a_cgroup),
		LIMIT_TEST(without_a_key_it_is_in_none),
		LIMIT_TEST(the_root_is_a_cgroup_too),
		LIMIT_TEST(wrong_keys_are_named),
		LIMIT_TEST(a_long_path_is_cut),
		LIMIT_TEST(rings_are_told),
		LIMIT_TEST(a_file_writes_the_key),
		LIMIT_TEST(a_file_refuses_what_is_wrong),
		LIMIT_TEST(a_file_does_nothing_if_the_key_cannot_be_written),
		LIMIT_TEST(nobody_comes_between_key_and_cgroup),
		LIMIT_TEST(a_file_needs_memory),
		LIMIT_TEST(a_path_that_is_too_long_is_not_cut),
		LIMIT_TEST(a_cgroup_that_is_gone_is_shown),
	};

	return RUN(limit);
}
