// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/quorum.h"

#include <criterion/criterion.h>

#include "gwd/base/vec.h"

#define U STATE_UP
#define G STATE_DEGRADED
#define N STATE_UNKNOWN
#define D STATE_DOWN

Test(quorum, a_whole_is_as_good_as_its_need_th_best_part)
{
	static const struct {
		enum state states[4];
		size_t n;
		unsigned need;
		enum state want;
	} rows[] = {
		{{U}, 1, 1, U},          {{D}, 1, 1, D},          {{D, U}, 2, 1, U},
		{{D, U}, 2, 2, D},       {{D, U, U}, 3, 2, U},    {{D, U, D}, 3, 2, D},
		{{N, N}, 2, 1, N},       {{N, U}, 2, 1, U},       {{N, U}, 2, 2, N},
		{{N, D}, 2, 1, N},       {{N, D}, 2, 2, D},       {{G, U}, 2, 1, U},
		{{G, U}, 2, 2, G},       {{G, D}, 2, 1, G},       {{G, N}, 2, 1, G},
		{{G, N}, 2, 2, N},       {{U, U, D, D}, 4, 2, U}, {{U, U, D, D}, 4, 3, D},
		{{D, G, N, U}, 4, 1, U}, {{D, G, N, U}, 4, 2, G}, {{D, G, N, U}, 4, 3, N},
		{{D, G, N, U}, 4, 4, D}, {{U, D}, 2, 9, D},       {{U, U}, 2, 9, U},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(quorum_state(rows[i].states, rows[i].n, rows[i].need), rows[i].want, "row %zu",
			     i);
}

Test(quorum, figures_are_the_need_th_smallest_and_unknown_ones_are_last)
{
	static const struct {
		double values[4];
		size_t n;
		unsigned need;
		double want;
	} rows[] = {
		{{5}, 1, 1, 5},         {{-1}, 1, 1, -1},        {{9, 4, 7}, 3, 1, 4},
		{{9, 4, 7}, 3, 2, 7},   {{9, 4, 7}, 3, 3, 9},    {{9, 4, 7}, 3, 8, 9},
		{{-1, 4, -1}, 3, 1, 4}, {{-1, 4, -1}, 3, 2, -1}, {{3, 3, 3, 1}, 4, 3, 3},
		{{0, -1}, 2, 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_float_eq(quorum_figure(rows[i].values, rows[i].n, rows[i].need), rows[i].want, 1e-9,
				   "row %zu", i);
}
