// SPDX-License-Identifier: GPL-2.0-only
/* The counters: the list generates what it says, and sums are sums. */
#include <linux/array_size.h>

#include "core/stats.h"
#include "unit.h"

#define NAME(name)	#name,
static const char * const names[] = { XENVBD_STATS(NAME) };

static u64 *counter(struct xenvbd_stats *stats, unsigned int i)
{
	return (u64 *)stats + i;
}

/*
 * xentop and others know the first seven by name, and stock's files are these. Who
 * reads the file stat knows all of them by their places.
 */
static void the_known_files_come_first(void **state)
{
	static const char * const known[] = {
		"oo_req", "rd_req", "wr_req", "f_req", "ds_req", "rd_sect", "wr_sect",
		"err_req", "passes", "answers", "events", "notifies", "map_ops", "map_calls",
		"unmap_calls", "copy_ops", "copy_calls", "polls_hit", "polls_missed", "squeezes",
		"unaligned", "no_pages",
	};
	unsigned int i;

	assert_true(ARRAY_SIZE(names) >= ARRAY_SIZE(known));
	for (i = 0; i < ARRAY_SIZE(known); i++)
		assert_string_equal(names[i], known[i]);
}

static void there_is_one_counter_for_each_name(void **state)
{
	unsigned int a, b;

	assert_int_equal(sizeof(struct xenvbd_stats), ARRAY_SIZE(names) * sizeof(u64));
	for (a = 0; a < ARRAY_SIZE(names); a++)
		for (b = 0; b < a; b++)
			expect(strcmp(names[a], names[b]), "%s", names[a]);
}

static void counting_adds_up(void **state)
{
	u64 c = 0;

	xenvbd_stat_inc(&c);
	assert_int_equal(c, 1);
	xenvbd_stat_add(&c, 0);
	assert_int_equal(c, 1);
	/* More than 32 bits hold. */
	xenvbd_stat_add(&c, 0xffffffff);
	assert_int_equal(c, 0x100000000);
	c = ~0ULL;
	xenvbd_stat_inc(&c);
	assert_int_equal(c, 0);
}

static void a_sum_has_every_counter(void **state)
{
	struct xenvbd_stats sum = {}, part = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		*counter(&sum, i) = 1ULL << 40;
		*counter(&part, i) = i + 1;
	}
	xenvbd_stats_add(&sum, &part);
	xenvbd_stats_add(&sum, &part);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		expect(*counter(&sum, i) == (1ULL << 40) + 2 * (i + 1), "%s", names[i]);
		expect(*counter(&part, i) == i + 1, "%s", names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest stats[] = {
		cmocka_unit_test(the_known_files_come_first),
		cmocka_unit_test(there_is_one_counter_for_each_name),
		cmocka_unit_test(counting_adds_up),
		cmocka_unit_test(a_sum_has_every_counter),
	};

	return RUN(stats);
}
