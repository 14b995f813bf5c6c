// SPDX-License-Identifier: GPL-2.0-only
/* What a domain has of the pages that all may copy to. */
#include "data/share.c"

#include "fake.h"
#include "unit.h"

/* In pages, with all parameters as they are. */
static void memory(unsigned long max)
{
	fake_reset();
	max_copy_percent = 10;
	fake_total_pages = 10 * max;
}

static void nothing_is_left(void)
{
	assert_int_equal(xenvbd_share_all(), 0);
	assert_true(list_empty(&shares));
	fake_check_clean();
}

/* Take what there is, or give back one page after the other until there is some. */
static void settle(struct xenvbd_share *share)
{
	xenvbd_share_charge(share, xenvbd_share_room(share));
	while (!xenvbd_share_room(share) && atomic_long_read(&share->nr_pages))
		xenvbd_share_uncharge(share, 1);
}

static void gone(struct xenvbd_share *share)
{
	xenvbd_share_uncharge(share, atomic_long_read(&share->nr_pages));
	xenvbd_share_put(share);
}

/* ---- life ------------------------------------------------------------------- */

static void a_domain_has_one_share(void **state)
{
	struct xenvbd_share *share, *other;

	memory(100);
	share = xenvbd_share_get(7);
	other = xenvbd_share_get(8);
	assert_int_equal(share->domid, 7);
	assert_ptr_not_equal(share, other);
	assert_ptr_equal(xenvbd_share_get(7), share);
	assert_ptr_equal(xenvbd_share_get(8), other);
	assert_int_equal(fake_nr_objects, 2);

	/* It stays until the last ring goes. */
	xenvbd_share_put(share);
	assert_int_equal(fake_nr_objects, 2);
	assert_ptr_equal(xenvbd_share_get(7), share);
	xenvbd_share_put(share);
	xenvbd_share_put(share);
	assert_int_equal(fake_nr_objects, 1);
	assert_ptr_equal(xenvbd_share_get(8), other);
	xenvbd_share_put(other);
	xenvbd_share_put(other);
	xenvbd_share_put(other);
	/* A ring that never got one. */
	xenvbd_share_put(NULL);
	nothing_is_left();
}

/* Whichever allocation fails, those that have a share keep it. */
static void without_memory_there_is_no_share(void **state)
{
	unsigned int nth, i;

	for (nth = 1; nth <= 4; nth++) {
		struct xenvbd_share *share[4];

		memory(100);
		fake_fail_at(&fake_allocs, nth);
		for (i = 0; i < 4; i++) {
			share[i] = xenvbd_share_get(i);
			expect(!share[i] == (i + 1 == nth), "%u: %u", nth, i);
			if (!share[i])
				share[i] = xenvbd_share_get(i);
			expect(share[i] && share[i]->domid == i, "%u: %u", nth, i);
			expect(share[i]->nr_rings == 1, "%u: %u", nth, i);
		}
		for (i = 0; i < 4; i++)
			xenvbd_share_put(share[i]);
		nothing_is_left();
	}
}

/* ---- pages ------------------------------------------------------------------ */

static void a_domain_may_have_what_is_free(void **state)
{
	struct xenvbd_share *share, *other;

	memory(1000);
	share = xenvbd_share_get(7);
	other = xenvbd_share_get(8);
	assert_int_equal(xenvbd_share_room(share), 500);
	xenvbd_share_charge(share, 500);
	assert_int_equal(xenvbd_share_room(share), 0);
	/* There is something at once for who comes later. */
	assert_int_equal(xenvbd_share_room(other), 250);
	xenvbd_share_charge(other, 250);
	assert_int_equal(xenvbd_share_all(), 750);
	assert_int_equal(xenvbd_share_room(other), 0);

	/* One page given back is not enough yet. */
	xenvbd_share_uncharge(share, 100);
	assert_int_equal(xenvbd_share_room(share), 0);
	assert_int_equal(xenvbd_share_room(other), 50);
	xenvbd_share_uncharge(share, 100);
	assert_int_equal(xenvbd_share_room(share), 75);

	/* Nothing is nothing. */
	xenvbd_share_charge(share, 0);
	xenvbd_share_uncharge(share, 0);
	assert_int_equal(xenvbd_share_all(), 550);
	gone(other);
	assert_int_equal(xenvbd_share_room(share), 200);
	gone(share);
	nothing_is_left();
}

/* Of n greedy domains each gets one part of n + 1, in whatever order they came. */
static void all_come_to_the_same(void **state)
{
	struct xenvbd_share *share[10];
	unsigned int nr, i, round;
	long has;

	for (nr = 1; nr <= ARRAY_SIZE(share); nr++) {
		memory(11 * 2520);
		for (i = 0; i < nr; i++) {
			share[i] = xenvbd_share_get(i);
			settle(share[i]);
			expect(atomic_long_read(&share[i]->nr_pages) > 10,
			       "%u of %u finds nothing", i, nr);
		}
		for (round = 0; round < 100; round++)
			for (i = 0; i < nr; i++)
				settle(share[i]);
		for (i = 0; i < nr; i++) {
			has = atomic_long_read(&share[i]->nr_pages);
			expect(labs(has - 11 * 2520 / (nr + 1)) <= 2 * nr,
			       "%u of %u has %ld", i, nr, has);
		}
		for (i = 0; i < nr; i++)
			gone(share[i]);
		nothing_is_left();
	}
}

static void less_memory_is_no_room(void **state)
{
	struct xenvbd_share *share;
	unsigned int percent;

	memory(1000);
	share = xenvbd_share_get(7);
	xenvbd_share_charge(share, 400);
	/* Beyond it, too, there is none. */
	for (percent = 0; percent <= 8; percent++) {
		max_copy_percent = percent;
		assert_int_equal(xenvbd_share_max(), percent * 100);
		expect(!xenvbd_share_room(share), "%u", percent);
	}
	max_copy_percent = 9;
	assert_int_equal(xenvbd_share_room(share), 50);
	gone(share);
	nothing_is_left();
}

static void the_percentage_has_limits(void **state)
{
	const struct kernel_param *percent = &shim_param_max_copy_percent;

	memory(100);
	assert_int_equal(max_copy_percent, 10);
	assert_int_equal(percent->ops->set("100", percent), 0);
	assert_int_equal(max_copy_percent, 100);
	assert_int_equal(percent->ops->set("0", percent), 0);
	assert_int_equal(percent->ops->set("101", percent), -EINVAL);
	assert_int_equal(max_copy_percent, 0);
	max_copy_percent = 10;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_has_one_share),
		cmocka_unit_test(without_memory_there_is_no_share),
		cmocka_unit_test(a_domain_may_have_what_is_free),
		cmocka_unit_test(all_come_to_the_same),
		cmocka_unit_test(less_memory_is_no_room),
		cmocka_unit_test(the_percentage_has_limits),
	};

	return RUN(tests);
}
