// SPDX-License-Identifier: GPL-2.0-or-later
// The health machine as a whole (watch, health, damper) on simulated time.
#include "probes/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "probes/prober.h"
#include "probes/reason.h"
#include "test/unit/probe_sim.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

// ---- the first verdict -----------------------------------------------------------------------

Test(watch, first_answer_is_up_at_once)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 2, 1);
	cr_expect_eq(watch_state(&sim.watch), STATE_UNKNOWN);
	sim_run(&sim, 50);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	sim_end(&sim);
}

Test(watch, silence_from_the_start_is_down_soon_and_the_first_answer_then_up)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 2, 1);
	sim_kill(&sim, true);
	sim_run(&sim, 700);
	cr_expect_eq(watch_state(&sim.watch), STATE_DOWN);
	sim_run(&sim, MINUTE);
	sim_kill(&sim, false);
	sim_run(&sim, 1100);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP, "it never was up: there is nothing to damp");
	sim_end(&sim);
}

// ---- how fast a death is found ---------------------------------------------------------------

// Milliseconds from the death of all targets to `down`, `phase` after a start.
static int64_t time_to_down(const struct watch_config *config, size_t n_targets, double rtt_ms, uint64_t seed)
{
	struct sim sim;

	sim_start(&sim, config, n_targets, seed);
	sim.rtt_ms = rtt_ms;
	sim_run(&sim, 20 * SECOND + (int64_t)(seed * 7 % 1009));
	cr_assert_eq(watch_state(&sim.watch), STATE_UP);
	int64_t died_ms = sim.now_ms;
	sim_kill(&sim, true);
	sim_run(&sim, MINUTE);
	cr_assert_eq(sim.downs, 1);
	sim_end(&sim);
	return sim.changed_ms - died_ms;
}

struct pace {
	uint32_t interval_ms, fast_ms;
	size_t n_targets;
	double rtt_ms;
	int64_t worst_ms;
};

Test(watch, a_death_is_found_in_time_at_any_phase)
{
	static const struct pace paces[] = {
		{1000, 100, 1, 10, 1380}, {1000, 100, 2, 10, 1380}, {1000, 100, 3, 60, 1480},
		{100, 100, 1, 10, 480},   {100, 100, 2, 10, 480},   {1000, 100, 1, 2, 1360},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paces); i++) {
		struct watch_config config = sim_defaults();
		int64_t worst = 0;

		config.health.interval_ms = paces[i].interval_ms;
		config.health.fast_ms = paces[i].fast_ms;
		for (uint64_t seed = 1; seed <= 2000; seed++) {
			int64_t ms = time_to_down(&config, paces[i].n_targets, paces[i].rtt_ms, seed);

			worst = ms > worst ? ms : worst;
		}
		cr_expect_leq(worst, paces[i].worst_ms, "row %zu: %lld ms", i, (long long)worst);
		cr_expect_gt(worst, 300, "row %zu: sooner than one timeout can't be right", i);
	}
}

Test(watch, refusals_are_found_no_later_and_quoted)
{
	struct sim sim;
	struct watch_config config = sim_defaults();
	char reason[160];

	sim_start(&sim, &config, 1, 3);
	sim_run(&sim, 10 * SECOND);
	sim.refuses = true;
	sim_kill(&sim, true);
	sim_run(&sim, 1400);
	cr_expect_eq(watch_state(&sim.watch), STATE_DOWN);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect_str_eq(reason, "host unreachable");
	sim_end(&sim);
}

// ---- the way back ----------------------------------------------------------------------------

Test(watch, up_again_after_hold_and_within_ten_seconds)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct sim sim;
		struct watch_config config = sim_defaults();

		sim_start(&sim, &config, 2, seed);
		sim_run(&sim, 5 * SECOND);
		sim_kill(&sim, true);
		sim_run(&sim, 20 * SECOND + (int64_t)seed * 3);
		int64_t back_ms = sim.now_ms;
		sim_kill(&sim, false);
		sim_run(&sim, 4900);
		cr_assert_eq(watch_state(&sim.watch), STATE_DOWN);
		sim_run(&sim, MINUTE);
		cr_assert_eq(watch_state(&sim.watch), STATE_UP);
		cr_assert_leq(sim.changed_ms - back_ms, 7400);
		sim_end(&sim);
	}
}

Test(watch, urgent_takes_the_first_answer)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 1, 1);
	sim_run(&sim, 5 * SECOND);
	sim_kill(&sim, true);
	sim_run(&sim, 20 * SECOND);
	watch_set_urgent(&sim.watch, true, sim.now_ms);
	sim_run(&sim, SECOND);
	cr_expect_eq(watch_state(&sim.watch), STATE_DOWN);
	sim_kill(&sim, false);
	sim_run(&sim, 1020);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	sim_end(&sim);
}

Test(watch, urgent_ends_a_hold_that_has_begun)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 1, 1);
	sim_run(&sim, 5 * SECOND);
	sim_kill(&sim, true);
	sim_run(&sim, 20 * SECOND);
	sim_kill(&sim, false);
	sim_run(&sim, 3 * SECOND);
	cr_assert_eq(watch_state(&sim.watch), STATE_DOWN);
	watch_set_urgent(&sim.watch, true, sim.now_ms);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	sim_end(&sim);
}

// ---- what must not be called a death ---------------------------------------------------------

// How often a living link was called down in `hours` of random loss.
static size_t false_deaths(size_t n_targets, unsigned need, double loss, int hours, uint64_t seed)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	config.need = need;
	sim_start(&sim, &config, n_targets, seed);
	sim_run(&sim, SECOND);
	cr_assert_eq(watch_state(&sim.watch), STATE_UP);
	sim.loss = loss;
	for (int h = 0; h < hours; h++)
		sim_run(&sim, HOUR);
	cr_expect_gt(sim.questions, (size_t)hours * 3600);
	sim_end(&sim);
	return sim.downs;
}

// Seven questions in a row must get lost: 3600 × 0.1^7 an hour, 0.07 in these 200.
Test(watch, ten_percent_loss_fools_not_even_a_single_target)
{
	cr_expect_leq(false_deaths(1, 1, 0.1, 200, 1), 1);
}

Test(watch, ten_percent_loss_each_way_with_two_targets)
{
	cr_expect_eq(false_deaths(2, 1, 0.19, 100, 2), 0);
}

Test(watch, ten_percent_loss_when_two_of_two_must_answer)
{
	cr_expect_leq(false_deaths(2, 2, 0.1, 100, 3), 1);
}

Test(watch, one_dead_target_of_two_changes_nothing)
{
	struct sim sim;
	struct watch_config config = sim_defaults();
	char reason[160];

	sim_start(&sim, &config, 2, 5);
	sim.loss = 0.05;
	sim_run(&sim, MINUTE);
	sim.dead[1] = true;
	sim_run(&sim, 10 * HOUR);
	cr_expect_eq(sim.downs, 0);
	cr_expect_eq(sim.ups, 1);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect_str_eq(reason, "1 of 2 targets answer, not 192.0.2.2");
	sim_end(&sim);
}

Test(watch, slow_answers_are_answers)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 1, 6);
	for (int i = 0; i < 5000; i++) { // every few seconds from 10 to 280 ms and back
		sim.rtt_ms = i % 2 ? 280 : 10;
		sim.rtt_spread_ms = i % 2 ? 15 : 2;
		sim_run(&sim, 500 + (int64_t)sim_random(&sim, 10000));
	}
	cr_expect_eq(sim.downs, 0);
	sim_end(&sim);
}

Test(watch, what_cannot_be_asked_is_no_evidence)
{
	struct sim sim;
	struct watch_config config = sim_defaults();
	char reason[160];

	sim_start(&sim, &config, 2, 7);
	sim_run(&sim, 10 * SECOND);
	sim.cant = true;
	sim_run(&sim, HOUR);
	cr_expect_eq(sim.downs, 0);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect_str_eq(reason, "2 of 2 targets answer; no descriptors");
	sim.cant = false;
	sim_run(&sim, 2 * SECOND);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect_str_eq(reason, "2 of 2 targets answer");
	sim_end(&sim);
}

// A link whose targets can't all be reached at once is judged by those that can.
Test(watch, all_targets_dead_is_down_and_one_back_is_up)
{
	struct sim sim;
	struct watch_config config = sim_defaults();

	sim_start(&sim, &config, 3, 8);
	sim_run(&sim, MINUTE);
	sim_kill(&sim, true);
	sim_run(&sim, 1500);
	cr_expect_eq(watch_state(&sim.watch), STATE_DOWN);
	sim_run(&sim, HOUR);
	cr_expect_eq(sim.downs, 1);
	sim.dead[2] = false;
	sim_run(&sim, 10 * SECOND);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	sim_run(&sim, HOUR);
	cr_expect_eq(sim.downs, 1);
	sim_end(&sim);
}

// ---- degraded --------------------------------------------------------------------------------

static struct watch_config limited(double loss, double latency_ms, double jitter_ms)
{
	struct watch_config config = sim_defaults();

	config.limits = (struct quality_limits){loss, latency_ms, jitter_ms};
	return config;
}

static size_t degradations;

static void count_degradations(struct sim *sim)
{
	degradations += sim->state == STATE_DEGRADED;
}

Test(watch, loss_above_the_limit_degrades_and_its_end_restores)
{
	struct sim sim;
	struct watch_config config = limited(0.3, 0, 0);
	char reason[160];

	sim_start(&sim, &config, 2, 11);
	sim_run(&sim, MINUTE);
	sim.loss = 0.45;
	sim_run(&sim, 2 * MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_DEGRADED);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect(strstr(reason, "% over 30 s, the limit is 30 %; "), "%s", reason);
	sim.loss = 0;
	sim_run(&sim, 2 * MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	cr_expect_eq(sim.downs, 0);
	sim_end(&sim);
}

Test(watch, loss_below_the_limit_does_not_degrade_by_chance)
{
	struct sim sim;
	struct watch_config config = limited(0.3, 0, 0);

	sim_start(&sim, &config, 1, 12);
	sim.on_change = count_degradations;
	sim.loss = 0.1;
	for (int h = 0; h < 100; h++)
		sim_run(&sim, HOUR);
	cr_expect_eq(degradations, 0);
	sim_end(&sim);
}

Test(watch, a_step_of_latency_degrades_within_the_window)
{
	struct sim sim;
	struct watch_config config = limited(0, 150, 0);
	char reason[160];

	sim_start(&sim, &config, 1, 13);
	sim_run(&sim, MINUTE);
	sim.rtt_ms = 250;
	sim_run(&sim, 30 * SECOND);
	cr_expect_eq(watch_state(&sim.watch), STATE_DEGRADED);
	sim_run(&sim, MINUTE);
	reason_text(&sim.watch, sim.now_ms, reason, sizeof(reason));
	cr_expect(strstr(reason, "latency 2"), "%s", reason);
	cr_expect(strstr(reason, "the limit is 150 ms; 192.0.2.1 answers"), "%s", reason);
	sim.rtt_ms = 20;
	sim_run(&sim, MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	cr_expect_eq(sim.downs, 0);
	sim_end(&sim);
}

Test(watch, jitter_degrades)
{
	struct sim sim;
	struct watch_config config = limited(0, 0, 40);

	sim_start(&sim, &config, 1, 14);
	sim.rtt_ms = 120;
	sim.rtt_spread_ms = 5;
	sim_run(&sim, MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_UP);
	sim.rtt_spread_ms = 110;
	sim_run(&sim, MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_DEGRADED);
	sim_end(&sim);
}

Test(watch, a_degraded_link_still_dies_in_time)
{
	struct sim sim;
	struct watch_config config = limited(0, 100, 0);

	sim_start(&sim, &config, 1, 15);
	sim.rtt_ms = 200;
	sim_run(&sim, MINUTE);
	cr_expect_eq(watch_state(&sim.watch), STATE_DEGRADED);
	sim_kill(&sim, true);
	sim_run(&sim, 2 * SECOND);
	cr_expect_eq(watch_state(&sim.watch), STATE_DOWN);
	sim_end(&sim);
}

// Around its limit, latency goes back and forth each minute.
Test(watch, what_goes_back_and_forth_is_calmed_down)
{
	struct sim sim;
	struct watch_config config = limited(0, 100, 0);

	sim_start(&sim, &config, 1, 16);
	sim.on_change = count_degradations;
	for (int i = 0; i < 240; i++) {
		sim.rtt_ms = i % 2 ? 160 : 40;
		sim_run(&sim, MINUTE);
	}
	cr_expect_geq(degradations, 2);
	cr_expect_leq(degradations, 40);
	sim_end(&sim);
}
