// SPDX-License-Identifier: GPL-2.0-or-later
// The health machine against random histories: any configuration, any sequence of deaths, losses and
// recoveries. What must hold in each of them:
//
// - no missed death: silence that lasts for the bound ends in `down`;
// - no invented death: never `down` while everything has been answered for that long;
// - no missed recovery: answers that last for the hold and the rise end in `up`;
// - no resurrection: never `up` when too few targets have lived for that long;
// - no flapping: whatever has been up is up again no sooner than `hold` after it fell.
#include <criterion/criterion.h>

#include "gwd/base/vec.h"
#include "test/unit/probe_sim.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if __has_feature(address_sanitizer)
#define HISTORIES 25000 // a test; there are four. The sanitizers find no more in two million
#else
#define HISTORIES 500000
#endif
#define PHASES 3
#define SLACK_MS 10

struct history {
	struct watch_config config;
	uint32_t pace_ms, interval_ms; // as the machine uses them
	size_t n_targets;
	uint64_t seed;
	int64_t calm_since_ms; // everything is answered since then; INT64_MAX: it isn't
	int64_t dead_since_ms; // fewer than `need` targets live since then; INT64_MAX: enough do
	int64_t fell_ms;       // from up, last; INT64_MIN: never
};

static uint32_t between(struct sim *sim, uint32_t least, uint32_t most)
{
	return least + (uint32_t)sim_random(sim, most - least + 1);
}

static void draw(struct history *h, struct sim *dice)
{
	struct health_config *c = &h->config.health;

	*c = (struct health_config){
		.interval_ms = between(dice, 50, 1500),
		.fast_ms = between(dice, 10, 200),
		.timeout_ms = between(dice, 20, 600),
		.fall = between(dice, 1, 5),
		.rise = between(dice, 1, 4),
		.asks = between(dice, 1, HEALTH_ASKS),
		.window_ms = 5000,
	};
	h->n_targets = between(dice, 1, 3);
	h->config.need = between(dice, 1, (uint32_t)h->n_targets);
	h->config.hold_ms = (uint32_t[]){0, 0, 700, 3000}[sim_random(dice, 4)];
	h->pace_ms = c->fast_ms < c->interval_ms ? c->fast_ms : c->interval_ms;
	if (h->pace_ms < c->timeout_ms / 8)
		h->pace_ms = c->timeout_ms / 8;
	h->interval_ms = c->interval_ms > h->pace_ms ? c->interval_ms : h->pace_ms;
}

// A question is put within the interval; the first miss takes the timeout, or the answer is late no
// later than that, and the others follow at the pace and are late no later than a timeout each.
static int64_t death_bound_ms(const struct history *h)
{
	const struct health_config *c = &h->config.health;

	return h->interval_ms + 2 * c->timeout_ms + c->fall * h->pace_ms + SLACK_MS;
}

// What was lost before may still come to a verdict first, and lengthen the hold.
static int64_t recovery_bound_ms(const struct history *h, const struct sim *sim)
{
	const struct health_config *c = &h->config.health;

	return death_bound_ms(h) + 2 * h->interval_ms + c->timeout_ms +
	       c->rise * (h->pace_ms + c->timeout_ms) + sim->watch.damper.hold_ms + SLACK_MS;
}

static void check_change(struct sim *sim)
{
	struct history *h = sim->arg;

	if (sim->state == STATE_DOWN && h->calm_since_ms != INT64_MAX)
		cr_assert_lt(sim->now_ms - h->calm_since_ms, death_bound_ms(h), "invented death, seed %llu",
			     (unsigned long long)h->seed);
	if (sim->state == STATE_DOWN && sim->ups)
		h->fell_ms = sim->now_ms;
	if (sim->state == STATE_UP && h->fell_ms != INT64_MIN)
		cr_assert_geq(sim->now_ms - h->fell_ms, h->config.hold_ms, "flapping, seed %llu",
			      (unsigned long long)h->seed);
	if (sim->state == STATE_UP && h->dead_since_ms != INT64_MAX)
		cr_assert_lt(sim->now_ms - h->dead_since_ms, death_bound_ms(h), "resurrection, seed %llu",
			     (unsigned long long)h->seed);
}

static void set_phase(struct history *h, struct sim *sim)
{
	size_t alive = 0;

	for (size_t i = 0; i < h->n_targets; i++) {
		sim->dead[i] = sim_random(sim, 2);
		alive += !sim->dead[i];
	}
	sim->refuses = sim_random(sim, 4) == 0;
	sim->loss = sim_random(sim, 3) ? 0 : sim_chance(sim);
	h->calm_since_ms = alive == h->n_targets && sim->loss <= 0 ? sim->now_ms : INT64_MAX;
	h->dead_since_ms = alive < h->config.need ? sim->now_ms : INT64_MAX;
}

static void live(struct history *h, struct sim *sim)
{
	int64_t recovery_ms = recovery_bound_ms(h, sim), began_ms = sim->now_ms;

	set_phase(h, sim);
	bool enough = h->dead_since_ms == INT64_MAX && sim->loss <= 0;
	sim_run(sim, (int64_t)sim_random(sim, (uint64_t)(enough ? recovery_ms : death_bound_ms(h)) * 3 / 2));
	enum state state = watch_state(&sim->watch);
	if (h->dead_since_ms != INT64_MAX && sim->now_ms - h->dead_since_ms >= death_bound_ms(h))
		cr_assert_eq(state, STATE_DOWN, "missed death, seed %llu", (unsigned long long)h->seed);
	if (enough && sim->now_ms - began_ms >= recovery_bound_ms(h, sim))
		cr_assert_eq(state, STATE_UP, "missed recovery, seed %llu", (unsigned long long)h->seed);
}

static void run_history(uint64_t seed)
{
	struct sim sim = {.seed = seed * 0x9e3779b97f4a7c15u + 1};
	struct history h = {
		.seed = seed, .calm_since_ms = INT64_MAX, .dead_since_ms = INT64_MAX, .fell_ms = INT64_MIN};

	sim_random(&sim, 2);
	draw(&h, &sim);
	sim_start(&sim, &h.config, h.n_targets, seed);
	sim.rtt_ms = (double)sim_random(&sim, h.config.health.timeout_ms / 2);
	sim.rtt_spread_ms = sim.rtt_ms / 4;
	sim.arg = &h;
	sim.on_change = check_change;
	for (int i = 0; i < PHASES; i++)
		live(&h, &sim);
	sim_end(&sim);
}

static void run_histories(uint64_t from)
{
	for (uint64_t seed = from; seed < from + HISTORIES; seed++)
		run_history(seed);
}

Test(histories, first_half_million)
{
	run_histories(1);
}

Test(histories, second_half_million)
{
	run_histories(1 + HISTORIES);
}

Test(histories, third_half_million)
{
	run_histories(1 + 2 * HISTORIES);
}

Test(histories, fourth_half_million)
{
	run_histories(1 + 3 * HISTORIES);
}
