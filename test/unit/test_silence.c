// SPDX-License-Identifier: GPL-2.0-or-later
// When unanswered connections make a link suspect, second by second.
#include "probes/silence.h"

#include <criterion/criterion.h>

struct scene {
	struct silence silence;
	int64_t now_ms;
};

// One second more; the flows from..from+n-1 wait, of which `fresh` are new.
static bool look(struct scene *s, uint32_t from, uint32_t n, uint64_t begun)
{
	s->now_ms += 1000;
	silence_begin(&s->silence);
	for (uint32_t i = n; i-- > 0;)
		silence_flow(&s->silence, (from + i) * 2654435761u, true);
	uint64_t fresh = silence_fresh(&s->silence);
	return silence_end(&s->silence, s->now_ms, begun, begun > fresh ? begun - fresh : 0);
}

static void strike(struct scene *s)
{
	silence_free(&s->silence);
}

Test(silence, three_that_wait_for_a_second_are_enough)
{
	struct scene s = {0};

	cr_expect_not(look(&s, 1, 3, 3), "they may just have begun");
	cr_expect(look(&s, 1, 3, 0));
	strike(&s);
}

Test(silence, two_are_not)
{
	struct scene s = {0};

	for (int i = 0; i < 100; i++)
		cr_expect_not(look(&s, 1, 2, i ? 0 : 2));
	strike(&s);
}

Test(silence, whoever_is_answered_in_time_never_waits)
{
	struct scene s = {0};

	for (uint32_t i = 0; i < 1000; i++) // ten a second under way at each look, all answered by the next
		cr_expect_not(look(&s, 100 * i, 10, 100));
	strike(&s);
}

Test(silence, while_others_are_answered_nobody_is_suspected)
{
	struct scene s = {0};

	for (uint32_t i = 0; i < 100; i++) // twenty new ones a second, half of them in vain
		cr_expect_not(look(&s, 0, 10 * i, 20));
	cr_expect(look(&s, 0, 1020, 20), "and now none");
	strike(&s);
}

Test(silence, one_in_eight_is_a_miscount)
{
	struct scene s = {0};

	look(&s, 0, 800, 800);
	cr_expect(look(&s, 0, 1500, 800), "100 of 800 seem answered");
	strike(&s);
}

Test(silence, what_never_is_answered_gives_cause_once)
{
	struct scene s = {0};
	size_t suspicions = 0;

	look(&s, 1, 5, 5);
	for (int i = 0; i < 100; i++)
		suspicions += look(&s, 1, 5, 0);
	cr_expect_eq(suspicions, 1);
	strike(&s);
}

// Somebody tries a dead server again and again, and nobody else does anything.
Test(silence, a_dead_far_end_does_not_make_a_storm)
{
	struct scene s = {0};
	size_t suspicions = 0;

	for (uint32_t i = 0; i < 3600; i++) // three new ones a second; they wait for two minutes
		suspicions += look(&s, i < 120 ? 0 : 3 * (i - 120), 3 * (i < 120 ? i : 120), 3);
	cr_expect_geq(suspicions, 5);
	cr_expect_leq(suspicions, 16, "%zu in an hour", suspicions);
	strike(&s);
}

Test(silence, after_a_long_calm_the_pause_is_short_again)
{
	struct scene s = {0};

	for (uint32_t i = 0; i < 1000; i++)
		look(&s, 0, 3 * i, 3);
	cr_expect_gt(s.silence.pause_ms, 100000);
	look(&s, 0, 0, 0);
	cr_expect(silence_is_calm(&s.silence));
	s.now_ms += 4 * SILENCE_PAUSE_MAX_MS;
	look(&s, 5000, 3, 3);
	cr_expect(look(&s, 5000, 3, 0));
	cr_expect_eq(s.silence.pause_ms, SILENCE_PAUSE_MS);
	strike(&s);
}

Test(silence, flows_that_need_no_answer_give_no_cause)
{
	struct scene s = {0};

	for (int i = 0; i < 10; i++) {
		silence_begin(&s.silence);
		for (uint32_t id = 0; id < 100; id++)
			silence_flow(&s.silence, id, false); // UDP: syslog, say
		silence_fresh(&s.silence);
		cr_expect_not(silence_end(&s.silence, i * 1000, 0, 0));
	}
	strike(&s);
}

Test(silence, more_than_is_kept_still_counts_as_unanswered)
{
	struct scene s = {0};

	look(&s, 0, SILENCE_KEPT + 5000, SILENCE_KEPT + 5000);
	cr_expect_eq(s.silence.last.n, SILENCE_KEPT);
	cr_expect(look(&s, 0, SILENCE_KEPT + 8000, 3000));
	strike(&s);
}

Test(silence, what_was_forgotten_gives_no_cause)
{
	struct scene s = {0};

	look(&s, 1, 3, 3);
	silence_forget(&s.silence);
	cr_expect_not(look(&s, 1, 3, 0));
	cr_expect(look(&s, 1, 3, 0));
	strike(&s);
}
