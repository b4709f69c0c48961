// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "gwd/base/vec.h"
#include "gwd/core/pick.h"

struct pick_case {
	const char *what;
	enum scheduler scheduler;
	struct pick_member m[3];
	unsigned tier;
	const char *active, *live; // a letter for each member
};

static const struct pick_case cases[] = {
	{"all up: tier 1 serves",
	 SCHED_WRR,
	 {{STATE_UP, 1, 5}, {STATE_UP, 1, 1}, {STATE_UP, 2, 9}},
	 1,
	 "yy-",
	 "yy-"},
	{"not judged yet is as good as up",
	 SCHED_WRR,
	 {{STATE_UNKNOWN, 1, 5}, {STATE_UP, 1, 1}, {STATE_DOWN, 1, 9}},
	 1,
	 "yy-",
	 "yy-"},
	{"tier 1 dead: tier 2",
	 SCHED_WRR,
	 {{STATE_DOWN, 1, 5}, {STATE_DISABLED, 1, 1}, {STATE_UP, 2, 9}},
	 2,
	 "--y",
	 "--y"},
	{"tiers need not be neighbours",
	 SCHED_RR,
	 {{STATE_DOWN, 1, 5}, {STATE_UP, 7, 1}, {STATE_UP, 3, 9}},
	 3,
	 "--y",
	 "--y"},
	{"weight 0 drains: pins stay, no slots",
	 SCHED_WRR,
	 {{STATE_UP, 1, 0}, {STATE_UP, 1, 1}, {STATE_UP, 2, 1}},
	 1,
	 "-y-",
	 "yy-"},
	{"a tier of weight 0 only does not serve",
	 SCHED_WRR,
	 {{STATE_UP, 1, 0}, {STATE_UP, 2, 1}, {STATE_DOWN, 1, 1}},
	 2,
	 "-y-",
	 "-y-"},
	{"only weight 0 is left: its clients may finish",
	 SCHED_WRR,
	 {{STATE_UP, 1, 0}, {STATE_DOWN, 1, 1}, {STATE_DOWN, 2, 1}},
	 0,
	 "---",
	 "y--"},
	{"degraded waits while a better one is up",
	 SCHED_WRR,
	 {{STATE_DEGRADED, 1, 5}, {STATE_UP, 1, 1}, {STATE_DOWN, 1, 1}},
	 1,
	 "-y-",
	 "-y-"},
	{"degraded waits even for a worse tier",
	 SCHED_WRR,
	 {{STATE_DEGRADED, 1, 5}, {STATE_UP, 2, 1}, {STATE_DOWN, 1, 1}},
	 2,
	 "-y-",
	 "-y-"},
	{"degraded serves when nothing better is up",
	 SCHED_WRR,
	 {{STATE_DEGRADED, 1, 5}, {STATE_DOWN, 1, 1}, {STATE_DEGRADED, 2, 1}},
	 1,
	 "y--",
	 "y--"},
	{"nobody",
	 SCHED_WRR,
	 {{STATE_DOWN, 1, 5}, {STATE_DISABLED, 1, 1}, {STATE_DOWN, 2, 1}},
	 0,
	 "---",
	 "---"},
	{"fo: the heaviest alone",
	 SCHED_FO,
	 {{STATE_UP, 1, 5}, {STATE_UP, 1, 9}, {STATE_UP, 1, 9}},
	 1,
	 "-y-",
	 "-y-"},
	{"fo: the next when it is dead",
	 SCHED_FO,
	 {{STATE_UP, 1, 5}, {STATE_DOWN, 1, 9}, {STATE_UP, 1, 1}},
	 1,
	 "y--",
	 "y--"},
	{"fo keeps to tiers",
	 SCHED_FO,
	 {{STATE_UP, 2, 5}, {STATE_UP, 1, 1}, {STATE_UP, 2, 9}},
	 1,
	 "-y-",
	 "-y-"},
};

Test(pick, table)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pick_case c = cases[i];
		cr_expect_eq(pick_members(c.m, 3, c.scheduler), c.tier, "%s: wrong tier", c.what);
		for (size_t k = 0; k < 3; k++) {
			cr_expect_eq(c.m[k].active, c.active[k] == 'y', "%s: active of %zu", c.what, k);
			cr_expect_eq(c.m[k].live, c.live[k] == 'y', "%s: live of %zu", c.what, k);
		}
	}
}
