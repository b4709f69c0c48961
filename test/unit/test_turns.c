// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/turns.h"

#include <criterion/criterion.h>

static struct ring_turn after(bool paced, uint64_t batch)
{
	struct turns turns = {0};
	void (*set)(struct turns *, const char *, enum fam, uint64_t) = paced ? turns_set_paced : turns_set;
	set(&turns, "web", FAM_4, 5);
	set(&turns, "web", FAM_4, 5 + batch);
	struct ring_turn turn = turns_get(&turns, "web", FAM_4);
	turns_clear(&turns);
	return turn;
}

Test(turns, the_next_slot_follows_those_that_were_taken)
{
	cr_expect_eq(after(false, 0).next, 5);
	cr_expect_eq(after(false, 3).next, 8);
	cr_expect_eq(after(true, RING_SLOTS + 3).next, 8);
	cr_expect_eq(turns_get(NULL, "web", FAM_4).next, 0);
}

// Each slot stands for as many as come by it until the next reading.
Test(turns, a_batch_of_several_rounds_makes_large_steps)
{
	cr_expect_eq(after(false, RING_SLOTS).step, 1);
	cr_expect_eq(after(false, 10 * RING_SLOTS).step, 11);
	cr_expect_eq(after(true, 10 * RING_SLOTS).step, 11);
}

// A long time between two events says nothing of the next batch; between two readings at their own pace it does.
Test(turns, only_who_reads_at_a_pace_expects_thousands)
{
	cr_expect_eq(after(false, 1000 * RING_SLOTS).step, 64);
	cr_expect_eq(after(true, 1000 * RING_SLOTS).step, 1001);
}
