// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/damper.h"

#include <criterion/criterion.h>

#define HOLD 5000

// News that is proven at once.
static enum state tell(struct damper *d, int64_t now_ms, enum state raw)
{
	return damper_run(d, now_ms, raw, now_ms, false);
}

// Up, then down at 0: the first fall.
static struct damper fallen(void)
{
	struct damper d;

	damper_init(&d, HOLD);
	tell(&d, -1000, STATE_UP);
	tell(&d, 0, STATE_DOWN);
	return d;
}

Test(damper, what_was_never_up_rises_at_once)
{
	struct damper d;

	damper_init(&d, HOLD);
	cr_expect_eq(tell(&d, 0, STATE_UNKNOWN), STATE_UNKNOWN);
	cr_expect_eq(tell(&d, 1, STATE_DOWN), STATE_DOWN);
	cr_expect_eq(tell(&d, 2, STATE_UP), STATE_UP);
}

Test(damper, falls_at_once_and_rises_after_the_hold)
{
	struct damper d = fallen();

	cr_expect_eq(d.state, STATE_DOWN);
	cr_expect_eq(tell(&d, 100, STATE_UP), STATE_DOWN);
	cr_expect_eq(damper_next_ms(&d), 100 + HOLD);
	cr_expect_eq(tell(&d, 99 + HOLD, STATE_UP), STATE_DOWN);
	cr_expect_eq(tell(&d, 100 + HOLD, STATE_UP), STATE_UP);
	cr_expect_eq(damper_next_ms(&d), INT64_MAX);
}

Test(damper, a_relapse_begins_the_hold_anew)
{
	struct damper d = fallen();

	tell(&d, 100, STATE_UP);
	tell(&d, 4000, STATE_DOWN);
	tell(&d, 4100, STATE_UP);
	cr_expect_eq(tell(&d, 100 + HOLD, STATE_UP), STATE_DOWN);
	cr_expect_eq(tell(&d, 4100 + HOLD, STATE_UP), STATE_UP);
}

Test(damper, the_hold_needs_proof_and_not_the_lack_of_a_refutation)
{
	struct damper d = fallen();

	damper_run(&d, 100, STATE_UP, 100, false);
	cr_expect_eq(damper_run(&d, 100 + 2 * HOLD, STATE_UP, 99 + HOLD, false), STATE_DOWN);
	cr_expect_eq(damper_run(&d, 100 + 2 * HOLD, STATE_UP, 100 + HOLD, false), STATE_UP);
}

Test(damper, unknown_keeps_the_state_and_ends_a_hold)
{
	struct damper d = fallen();

	tell(&d, 100, STATE_UP);
	cr_expect_eq(tell(&d, 200, STATE_UNKNOWN), STATE_DOWN);
	cr_expect_eq(damper_next_ms(&d), INT64_MAX);
	damper_assume(&d, STATE_UP, 300);
	cr_expect_eq(tell(&d, 400, STATE_UNKNOWN), STATE_UP);
}

Test(damper, urgent_needs_no_hold)
{
	struct damper d = fallen();

	cr_expect_eq(damper_run(&d, 10, STATE_UP, 10, true), STATE_UP);
}

// Milliseconds of good news until up.
static int64_t held(struct damper *d, int64_t *now_ms)
{
	int64_t start = *now_ms;

	while (tell(d, *now_ms, STATE_UP) != STATE_UP)
		*now_ms += 100;
	return *now_ms - start;
}

Test(damper, each_short_life_doubles_the_hold_up_to_five_minutes)
{
	struct damper d = fallen();
	int64_t now_ms = 1000, want = HOLD;

	for (int i = 0; i < 12; i++) {
		cr_expect_eq(held(&d, &now_ms), want, "fall %d", i);
		now_ms += 3000;
		tell(&d, now_ms, STATE_DOWN);
		now_ms += 1000;
		want = want * 2 < DAMPER_HOLD_MAX_MS ? want * 2 : DAMPER_HOLD_MAX_MS;
	}
	cr_expect_eq(want, DAMPER_HOLD_MAX_MS);
}

Test(damper, a_long_calm_halves_it_again_and_again)
{
	struct damper d = fallen();
	int64_t now_ms = 1000;

	for (int i = 0; i < 3; i++) { // 5, 10, 20 s
		held(&d, &now_ms);
		tell(&d, now_ms += 3000, STATE_DOWN);
	}
	cr_expect_eq(d.hold_ms, 8 * HOLD);
	held(&d, &now_ms);
	tell(&d, now_ms += 161 * 1000, STATE_DOWN); // 4 × 40 s
	cr_expect_eq(d.hold_ms, 4 * HOLD);
	held(&d, &now_ms);
	tell(&d, now_ms += 86400 * 1000, STATE_DOWN);
	cr_expect_eq(d.hold_ms, HOLD, "never below what is configured");
}

Test(damper, no_hold_means_none)
{
	struct damper d;
	int64_t now_ms = 0;

	damper_init(&d, 0);
	for (int i = 0; i < 20; i++) {
		cr_expect_eq(tell(&d, now_ms++, STATE_UP), STATE_UP);
		cr_expect_eq(tell(&d, now_ms++, STATE_DOWN), STATE_DOWN);
	}
}

Test(damper, a_state_found_earlier_is_damped_like_our_own)
{
	struct damper d;

	damper_init(&d, HOLD);
	damper_assume(&d, STATE_DOWN, 0);
	cr_expect_eq(tell(&d, 10, STATE_UP), STATE_DOWN);
	cr_expect_eq(tell(&d, 10 + HOLD, STATE_UP), STATE_UP);
	damper_init(&d, HOLD);
	damper_assume(&d, STATE_UNKNOWN, 0);
	cr_expect_eq(tell(&d, 10, STATE_UP), STATE_UP);
}
