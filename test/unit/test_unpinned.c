// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "gwd/unpinned.h"

Test(unpinned, it_is_told_once_and_again_only_after_a_while)
{
	struct unpinned_group g = {.name = "default"};
	cr_expect_eq(unpinned_take(&g, 500, 0), UNPINNED_NOTHING, "from before the start");
	cr_expect_eq(unpinned_take(&g, 500, 5000), UNPINNED_NOTHING);
	cr_expect_eq(unpinned_take(&g, 501, 10000), UNPINNED_FULL);
	cr_expect_eq(g.count - g.told, 1);
	for (int64_t now = 15000; now < 610000; now += 5000)
		cr_expect_eq(unpinned_take(&g, 501 + (uint64_t)now, now), UNPINNED_NOTHING);
	cr_expect_eq(unpinned_take(&g, 1000000, 610000), UNPINNED_FULL);
}

Test(unpinned, it_is_over_after_a_minute_without_any)
{
	struct unpinned_group g = {.name = "default"};
	unpinned_take(&g, 0, 0);
	cr_expect_eq(unpinned_take(&g, 7, 5000), UNPINNED_FULL);
	cr_expect_eq(unpinned_take(&g, 7, 64999), UNPINNED_NOTHING);
	cr_expect_eq(unpinned_take(&g, 7, 65000), UNPINNED_OVER);
	cr_expect_eq(unpinned_take(&g, 7, 70000), UNPINNED_NOTHING);
	cr_expect_eq(unpinned_take(&g, 8, 75000), UNPINNED_FULL, "at once: it is news");
}

Test(unpinned, a_new_table_begins_at_zero)
{
	struct unpinned_group g = {.name = "default"};
	unpinned_take(&g, 100, 0);
	cr_expect_eq(unpinned_take(&g, 0, 5000), UNPINNED_NOTHING);
	cr_expect_eq(unpinned_take(&g, 3, 10000), UNPINNED_FULL);
	cr_expect_eq(g.count - g.told, 3);
}
