// SPDX-License-Identifier: GPL-2.0-or-later
// One target's machine, step by step. As a whole: test_watch.c and test_histories.c.
#include "probes/health.h"

#include <criterion/criterion.h>

static const struct health_config shipped = {
	1000, 100, 300, .fall = 3, .rise = 3, .asks = 3, .window_ms = 30000};

// The only question that is due now.
static uint64_t one_ask(struct health *h, int64_t now_ms, void *handle)
{
	uint64_t id, other;
	void **keep, **more;

	health_run(h, now_ms);
	cr_assert(health_ask(h, now_ms, &id, &keep));
	*keep = handle;
	cr_assert_not(health_ask(h, now_ms, &other, &more));
	return id;
}

static struct health answering(int64_t now_ms)
{
	struct health h;

	health_init(&h, &shipped, now_ms, 1);
	health_answered(&h, now_ms + 10, one_ask(&h, now_ms, NULL), 10);
	cr_assert_eq(h.state, HEALTH_ANSWERING);
	return h;
}

Test(health, an_expired_question_gives_its_handle_back_once)
{
	struct health h;
	int handle;

	health_init(&h, &shipped, 0, 1);
	one_ask(&h, 0, &handle);
	health_run(&h, 299);
	cr_expect_null(health_expired(&h));
	health_run(&h, 300);
	cr_expect_eq(health_expired(&h), &handle);
	cr_expect_null(health_expired(&h));
	health_free(&h);
}

Test(health, an_answered_question_has_no_handle_any_more)
{
	struct health h;
	int handle;
	uint64_t id;

	health_init(&h, &shipped, 0, 1);
	id = one_ask(&h, 0, &handle);
	health_answered(&h, 10, id, 10);
	health_answered(&h, 11, id, 11); // a duplicate
	health_run(&h, 5000);
	cr_expect_null(health_expired(&h));
	cr_expect_null(health_take_handle(&h));
	cr_expect_eq(window_figures(&h.window, 5000).n, 1);
	health_free(&h);
}

// The loop was busy: the answer was read before the timer ran, but had taken too long.
Test(health, an_answer_past_its_timeout_is_a_miss_and_over)
{
	struct health h;
	int handle;

	health_init(&h, &shipped, 0, 1);
	health_answered(&h, 400, one_ask(&h, 0, &handle), 301);
	cr_expect_eq(h.state, HEALTH_UNKNOWN);
	cr_expect_eq(h.fails, 1);
	cr_expect_null(health_take_handle(&h), "the prober has freed it");
	health_free(&h);
}

Test(health, doubt_asks_in_volleys_until_there_is_an_answer)
{
	struct health h = answering(0);
	uint64_t id;
	void **keep;
	size_t n = 0;
	int64_t now_ms = health_next_ms(&h);

	cr_expect(now_ms >= 500 && now_ms <= 1000, "the first pause is cut at random: %lld",
		  (long long)now_ms);
	one_ask(&h, now_ms, NULL); // lost
	for (int64_t end = now_ms + 240; health_next_ms(&h) <= end;) {
		now_ms = health_next_ms(&h);
		health_run(&h, now_ms);
		while (health_ask(&h, now_ms, &id, &keep))
			n++;
	}
	cr_expect_eq(n, 5, "three after 100 ms, two of the next three: %zu", n);
	cr_expect_eq(h.state, HEALTH_ANSWERING);
	health_answered(&h, now_ms + 10, id, 10);
	cr_expect_not(h.doubt);
	cr_expect_gt(health_next_ms(&h), now_ms + 40, "the volley ends with its first answer");
	health_free(&h);
}

Test(health, a_suspicion_asks_at_once_and_ends_with_the_next_answer)
{
	struct health h = answering(0);

	health_suspect(&h);
	cr_expect_eq(health_next_ms(&h), 100);
	health_answered(&h, 110, one_ask(&h, 100, NULL), 10);
	cr_expect_geq(health_next_ms(&h), 1000);
	health_free(&h);
}

Test(health, what_could_not_be_asked_leaves_no_trace)
{
	struct health h = answering(0);

	for (int i = 0; i < 50; i++) {
		int64_t now_ms = health_next_ms(&h);

		health_unasked(&h, one_ask(&h, now_ms, NULL));
	}
	cr_expect_eq(h.state, HEALTH_ANSWERING);
	cr_expect_eq(h.fails, 0);
	cr_expect_eq(window_figures(&h.window, h.ran_ms).n, 0 + (h.ran_ms < 30000));
	health_free(&h);
}

Test(health, refusals_are_misses_at_once)
{
	struct health h = answering(0);
	int64_t now_ms = health_next_ms(&h), first_ms = now_ms;
	uint64_t id;
	void **keep;

	while (h.state == HEALTH_ANSWERING) {
		health_run(&h, now_ms);
		while (health_ask(&h, now_ms, &id, &keep))
			health_refused(&h, now_ms, id);
		now_ms = health_next_ms(&h);
	}
	cr_expect_leq(h.ran_ms - first_ms, 250);
	cr_expect_geq(h.ran_ms - first_ms, 200, "but at the fast pace: nothing dies of one hiccup");
	health_free(&h);
}

Test(health, rise_wants_answers_in_a_row)
{
	struct health h = answering(0);
	uint64_t id;

	health_restart(&h, HEALTH_SILENT, 10000);
	health_answered(&h, 10010, one_ask(&h, 10000, NULL), 10);
	id = one_ask(&h, 10100, NULL); // lost
	health_answered(&h, 10210, one_ask(&h, 10200, NULL), 10);
	health_answered(&h, 10310, one_ask(&h, 10300, NULL), 10);
	cr_expect_eq(h.state, HEALTH_SILENT, "the lost one broke the row");
	health_answered(&h, 10410, one_ask(&h, 10400, NULL), 10);
	cr_expect_eq(h.state, HEALTH_ANSWERING);
	(void)id;
	health_free(&h);
}

// However long the timeout, what is under way is bounded.
Test(health, long_timeouts_do_not_pile_up_questions)
{
	struct health_config config = {100, 10, 60000, .fall = 100, .rise = 1, .asks = 3, .window_ms = 1000};
	struct health h;
	uint64_t id;
	void **keep;
	size_t n = 0;

	health_init(&h, &config, 0, 1);
	for (int64_t now_ms = 0; now_ms < 3600000; now_ms = health_next_ms(&h)) {
		health_run(&h, now_ms);
		while (health_ask(&h, now_ms, &id, &keep))
			n++;
	}
	cr_expect_lt(n, 3600000 / 7500 * 3 + 10, "%zu questions", n);
	health_free(&h);
}

Test(health, it_joins_others_when_its_pause_might_have_been_that_short)
{
	struct health h = answering(0);
	uint64_t id;
	void **keep;
	h.pause_ms = 1000; // drawn from 938..1000 ms
	cr_assert_not(health_join(&h, 937));
	cr_assert_not(health_ask(&h, 937, &id, &keep));
	cr_assert(health_join(&h, 938));
	cr_assert(health_ask(&h, 938, &id, &keep));
	cr_assert_not(health_join(&h, 938), "it was asked");
	health_free(&h);
}

Test(health, who_is_in_doubt_or_silent_has_a_pace_of_its_own)
{
	struct health h = answering(0);
	h.pause_ms = 1000;
	health_suspect(&h);
	cr_assert_not(health_join(&h, 990));
	health_free(&h);
	h = answering(0);
	h.pause_ms = 1000;
	h.keen = true;
	cr_assert_not(health_join(&h, 990));
	health_free(&h);
	h = answering(0);
	h.config.interval_ms = 400;
	h.pause_ms = 400;
	cr_assert_not(health_join(&h, 390), "short intervals are kept");
	health_free(&h);
}
