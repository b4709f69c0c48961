// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/window.h"

#include <criterion/criterion.h>

#define NEAR 1e-5

Test(window, nothing_yet_is_no_loss_and_no_latency)
{
	struct window w;

	window_init(&w, 1000, 4);
	struct window_figures f = window_figures(&w, 0);
	cr_expect_eq(f.n, 0);
	cr_expect_float_eq(f.loss, 0, NEAR);
	cr_expect_float_eq(f.latency_ms, -1, NEAR);
	cr_expect_float_eq(f.jitter_ms, -1, NEAR);
	window_free(&w);
}

Test(window, figures_are_means_and_jitter_skips_the_lost)
{
	struct window w;

	window_init(&w, 10000, 8);
	window_answered(&w, 0, 10);
	window_lost(&w, 100);
	window_answered(&w, 200, 16); // 6 away from the last answer
	window_answered(&w, 300, 4);  // 12 away
	struct window_figures f = window_figures(&w, 300);
	cr_expect_eq(f.n, 4);
	cr_expect_float_eq(f.loss, 0.25, NEAR);
	cr_expect_float_eq(f.latency_ms, 10, NEAR);
	cr_expect_float_eq(f.jitter_ms, 9, NEAR);
	window_free(&w);
}

Test(window, one_answer_has_no_jitter)
{
	struct window w;

	window_init(&w, 1000, 4);
	window_answered(&w, 0, 0);
	struct window_figures f = window_figures(&w, 0);
	cr_expect_float_eq(f.latency_ms, 0, NEAR);
	cr_expect_float_eq(f.jitter_ms, -1, NEAR);
	window_free(&w);
}

Test(window, the_oldest_make_room)
{
	struct window w;

	window_init(&w, 10000, 3);
	for (int i = 0; i < 3; i++)
		window_lost(&w, i);
	for (int i = 3; i < 5; i++)
		window_answered(&w, i, i);
	struct window_figures f = window_figures(&w, 5);
	cr_expect_eq(f.n, 3);
	cr_expect_float_eq(f.loss, 1 / 3.0, NEAR);
	cr_expect_float_eq(f.latency_ms, 3.5, NEAR);
	cr_expect_float_eq(f.jitter_ms, 1, NEAR, "in the order of time, over the wrap");
	window_free(&w);
}

Test(window, what_is_older_than_the_span_does_not_count)
{
	struct window w;

	window_init(&w, 1000, 8);
	window_lost(&w, 0);
	window_answered(&w, 600, 5);
	cr_expect_float_eq(window_figures(&w, 1000).loss, 0.5, NEAR);
	cr_expect_float_eq(window_figures(&w, 1001).loss, 0, NEAR);
	cr_expect_eq(window_figures(&w, 1601).n, 0);
	window_free(&w);
}

Test(window, cleared_is_as_new)
{
	struct window w;

	window_init(&w, 1000, 2);
	window_lost(&w, 0);
	window_clear(&w);
	cr_expect_eq(window_figures(&w, 0).n, 0);
	window_answered(&w, 1, 7);
	cr_expect_float_eq(window_figures(&w, 1).latency_ms, 7, NEAR);
	window_free(&w);
}
