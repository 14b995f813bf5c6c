// SPDX-License-Identifier: GPL-2.0-only
/* Settings: of the module, of a key, of sysfs, and what is said of wrong ones. */
#include "control/tunables.c"

#include "control.h"
#include "control/tunables.h"
#include "fake.h"
#include "xenstore.h"

static struct xenvbd *vbd;

static int tunables_setup(void **state)
{
	control_setup(state);
	grant_policy = XENVBD_POLICY_AUTO;
	vbd = control_vbd();
	return 0;
}

static int tunables_teardown(void **state)
{
	control_vbd_put(vbd);
	return control_teardown(state);
}

#define TUNABLES_TEST(f)	cmocka_unit_test_setup_teardown(f, tunables_setup, tunables_teardown)

static const char *const names[] = { "auto", "persistent", "map", "copy" };

static void the_module_sets_what_new_vbds_have(void **state)
{
	char buf[4096], line[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct xenvbd_tunables tunables = { .policy = 99 };

		assert_int_equal(shim_param_grant_policy.ops->set(names[i], NULL), 0);
		shim_param_grant_policy.ops->get(buf, NULL);
		snprintf(line, sizeof(line), "%s\n", names[i]);
		assert_string_equal(buf, line);
		xenvbd_tunables_init(&tunables);
		assert_int_equal(tunables.policy, i);
		assert_int_equal(tunables.polling_us, 0);
	}
	assert_int_equal(shim_param_grant_policy.ops->set("none", NULL), -EINVAL);
	assert_int_equal(grant_policy, XENVBD_POLICY_COPY);
	/* It is a default: whoever is there already does not change. */
	assert_int_equal(vbd->tunables.policy, XENVBD_POLICY_AUTO);
}

static void keys_set_what_a_frontend_gets(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		xenstore_set(BE "/grant-policy", "%s", names[i]);
		xenstore_set(BE "/polling-duration", "%u", i * 100);
		assert_int_equal(xenvbd_tunables_read(vbd), 0);
		assert_int_equal(vbd->tunables.policy, i);
		assert_int_equal(vbd->tunables.polling_us, i * 100);
	}
	xenstore_set(BE "/polling-duration", "1000");
	assert_int_equal(xenvbd_tunables_read(vbd), 0);
	assert_int_equal(vbd->tunables.polling_us, 1000);
}

static void what_is_missing_changes_nothing(void **state)
{
	vbd->tunables.policy = XENVBD_POLICY_MAP;
	vbd->tunables.polling_us = 7;
	assert_int_equal(xenvbd_tunables_read(vbd), 0);
	assert_int_equal(vbd->tunables.policy, XENVBD_POLICY_MAP);
	assert_int_equal(vbd->tunables.polling_us, 7);
}

static void wrong_keys_are_named(void **state)
{
	static const struct {
		const char *policy, *polling;
		int err;
		const char *text;
	} cases[] = {
		{ "Auto", NULL, -EINVAL, BE "/grant-policy: \"Auto\" is unknown" },
		{ "", NULL, -EINVAL, BE "/grant-policy: \"\" is unknown" },
		{ "copy ", NULL, -EINVAL, BE "/grant-policy: \"copy \" is unknown" },
		{ NULL, "x", -EINVAL, BE "/polling-duration: \"x\" is not a number of microseconds up to 1000" },
		{ NULL, "", -EINVAL, BE "/polling-duration: \"\" is not a number of microseconds up to 1000" },
		{ NULL, "-1", -EINVAL, BE "/polling-duration: \"-1\" is not a number of microseconds up to 1000" },
		{ NULL, "1001", -ERANGE, BE "/polling-duration: \"1001\" is not a number of microseconds up to 1000" },
		{ NULL, "4294967296", -ERANGE, BE "/polling-duration: \"4294967296\" is not a number of microseconds up to 1000" },
	};
	unsigned int i;

	vbd->tunables.policy = XENVBD_POLICY_MAP;
	vbd->tunables.polling_us = 7;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xenstore_remove(BE "/grant-policy");
		xenstore_remove(BE "/polling-duration");
		if (cases[i].policy)
			xenstore_set(BE "/grant-policy", "%s", cases[i].policy);
		if (cases[i].polling)
			xenstore_set(BE "/polling-duration", "%s", cases[i].polling);
		expect_error(vbd, xenvbd_tunables_read(vbd), cases[i].err, cases[i].text);
		assert_int_equal(vbd->tunables.policy, XENVBD_POLICY_MAP);
		assert_int_equal(vbd->tunables.polling_us, 7);
	}
	xenstore_fail_path(XENSTORE_READ, BE "/polling-duration", -EIO);
	expect_error(vbd, xenvbd_tunables_read(vbd), -EIO, "reading " BE "/polling-duration");
}

/* ---- sysfs -------------------------------------------------------------- */

static ssize_t store(struct device_attribute *attr, const char *text)
{
	return attr->store(&vbd->xbdev->dev, attr, text, strlen(text));
}

static void expect_shown(struct device_attribute *attr, const char *text)
{
	char buf[4096];

	assert_int_equal(attr->show(&vbd->xbdev->dev, attr, buf), strlen(text));
	assert_string_equal(buf, text);
}

static void sysfs_shows_and_sets(void **state)
{
	assert_int_equal(store(&dev_attr_grant_policy, "copy\n"), 5);
	assert_int_equal(vbd->tunables.policy, XENVBD_POLICY_COPY);
	expect_shown(&dev_attr_grant_policy, "copy\n");
	assert_int_equal(store(&dev_attr_grant_policy, "none\n"), -EINVAL);
	assert_int_equal(vbd->tunables.policy, XENVBD_POLICY_COPY);

	assert_int_equal(store(&dev_attr_polling_duration, "50\n"), 3);
	assert_int_equal(vbd->tunables.polling_us, 50);
	expect_shown(&dev_attr_polling_duration, "50\n");
	assert_int_equal(store(&dev_attr_polling_duration, "1001"), -ERANGE);
	assert_int_equal(store(&dev_attr_polling_duration, "x"), -EINVAL);
	assert_int_equal(vbd->tunables.polling_us, 50);
}

/* test_limit.c has the rest. */
static void the_cgroup_is_shown_and_set(void **state)
{
	fake_cgroup("/a", true);
	expect_shown(&dev_attr_cgroup, "\n");
	assert_int_equal(store(&dev_attr_cgroup, "a\n"), 2);
	expect_shown(&dev_attr_cgroup, "/a\n");
	assert_int_equal(store(&dev_attr_cgroup, "/b\n"), -ENOENT);
	expect_shown(&dev_attr_cgroup, "/a\n");
}

/* Idle rings, too, must get rid of what they may not keep any more. */
static void a_new_policy_is_told_to_the_rings(void **state)
{
	struct task_struct task = { .state = TASK_IDLE };
	struct xenvbd_ring ring = { .vbd = vbd, .task = &task };
	struct xenvbd_ring *rings[] = { &ring };

	vbd->rings = rings;
	vbd->nr_rings = 1;
	store(&dev_attr_polling_duration, "50\n");
	assert_false(ring.wake.kicked);
	store(&dev_attr_grant_policy, "map\n");
	assert_true(ring.wake.kicked);
	assert_int_equal(task.wakeups, 1);
	vbd->rings = NULL;
	vbd->nr_rings = 0;
}

static void how_long_a_disk_may_take(void **state)
{
	const struct kernel_param *param = &shim_param_slow_request_seconds;
	struct xenvbd_tunables tunables = {};
	struct device *dev = &vbd->xbdev->dev;
	char buf[4096];

	assert_int_equal(vbd->tunables.slow_seconds, 30);
	assert_int_equal(param->ops->set("7", param), 0);
	xenvbd_tunables_init(&tunables);
	assert_int_equal(tunables.slow_seconds, 7);
	assert_int_equal(param->ops->set("30", param), 0);

	xenstore_set(BE "/slow-request-seconds", "5");
	vbd->watchdog.armed = true;
	assert_int_equal(xenvbd_tunables_read(vbd), 0);
	assert_int_equal(vbd->tunables.slow_seconds, 5);
	assert_false(vbd->watchdog.armed);
	xenstore_set(BE "/slow-request-seconds", "86401");
	expect_error(vbd, xenvbd_tunables_read(vbd), -ERANGE,
		     BE "/slow-request-seconds: \"86401\" is not a number of seconds up to 86400");

	assert_int_equal(slow_request_seconds_store(dev, NULL, "0\n", 2), 2);
	assert_int_equal(vbd->tunables.slow_seconds, 0);
	assert_int_equal(slow_request_seconds_store(dev, NULL, "86401", 5), -ERANGE);
	assert_int_equal(slow_request_seconds_store(dev, NULL, "soon", 4), -EINVAL);
	slow_request_seconds_show(dev, NULL, buf);
	assert_string_equal(buf, "0\n");
	control_pass(HZ);
}

int main(void)
{
	const struct CMUnitTest tunables[] = {
		TUNABLES_TEST(the_module_sets_what_new_vbds_have),
		TUNABLES_TEST(keys_set_what_a_frontend_gets),
		TUNABLES_TEST(what_is_missing_changes_nothing),
		TUNABLES_TEST(wrong_keys_are_named),
		TUNABLES_TEST(sysfs_shows_and_sets),
		TUNABLES_TEST(the_cgroup_is_shown_and_set),
		TUNABLES_TEST(a_new_policy_is_told_to_the_rings),
		TUNABLES_TEST(how_long_a_disk_may_take),
	};

	return RUN(tunables);
}
