// SPDX-License-Identifier: GPL-2.0-or-later
// Links that come and go, on simulated time: whatever they do, they are not called up and down as often.
#include <criterion/criterion.h>

#include "test/unit/probe_sim.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define CHANGES 4096

struct changes {
	int64_t when_ms[CHANGES];
	size_t n;
};

static void record(struct sim *sim)
{
	struct changes *changes = sim->arg;

	cr_assert(changes->n < CHANGES);
	changes->when_ms[changes->n++] = sim->now_ms;
}

static size_t most_in_a_minute(const struct changes *changes)
{
	size_t most = 0;

	for (size_t i = 0, first = 0; i < changes->n; i++) {
		while (changes->when_ms[i] - changes->when_ms[first] >= MINUTE)
			first++;
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	return most;
}

// `carrier`: the link says that it is gone; else it just swallows packets.
static void flap(struct changes *changes, bool carrier, int64_t least_ms, int64_t most_ms, int64_t for_ms,
		 uint64_t seed)
{
	struct sim sim;
	struct watch_config config = sim_defaults();
	bool gone = false;

	sim_start(&sim, &config, 2, seed);
	sim_run(&sim, 5 * MINUTE);
	cr_assert_eq(watch_state(&sim.watch), STATE_UP);
	*changes = (struct changes){0};
	sim.arg = changes;
	sim.on_change = record;
	while (sim.now_ms < for_ms) {
		gone = !gone;
		if (carrier)
			sim_break(&sim, gone);
		sim_kill(&sim, gone);
		sim_run(&sim, least_ms + (int64_t)sim_random(&sim, (uint64_t)(most_ms - least_ms + 1)));
	}
	sim_end(&sim);
}

static struct changes changes;

Test(flapping, a_carrier_that_flaps_each_half_to_five_seconds)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		flap(&changes, true, 500, 5000, HOUR, seed);
		cr_assert_leq(most_in_a_minute(&changes), 2, "seed %llu", (unsigned long long)seed);
		cr_assert_geq(changes.n, 1);
	}
}

Test(flapping, a_path_that_flaps_each_half_to_five_seconds)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		flap(&changes, false, 500, 5000, HOUR, seed);
		cr_assert_leq(most_in_a_minute(&changes), 2, "seed %llu", (unsigned long long)seed);
		cr_assert_geq(changes.n, 1);
	}
}

// Lives longer than any hold at first: the doubling must calm it down.
Test(flapping, slow_flapping_is_calmed_down)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		flap(&changes, true, 6000, 20000, 4 * HOUR, seed);
		cr_assert_leq(most_in_a_minute(&changes), 5, "seed %llu", (unsigned long long)seed);
		cr_assert_leq(changes.n, 4 * 60, "seed %llu: %zu changes", (unsigned long long)seed,
			      changes.n);
	}
}

// Forty percent of loss: two targets see through it. Of a single one seven answers in a row do get lost every few
// minutes: the link is called down then, and the doubling hold keeps that from becoming a flapping.
Test(flapping, forty_percent_loss_does_not_flap)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		for (size_t n_targets = 1; n_targets <= 2; n_targets++) {
			struct sim sim;
			struct watch_config config = sim_defaults();

			sim_start(&sim, &config, n_targets, seed);
			sim_run(&sim, MINUTE);
			changes = (struct changes){0};
			sim.arg = &changes;
			sim.on_change = record;
			sim.loss = 0.4;
			sim_run(&sim, 4 * HOUR);
			cr_expect_leq(most_in_a_minute(&changes), 4, "%zu targets, seed %llu", n_targets,
				      (unsigned long long)seed);
			cr_expect_leq(changes.n, n_targets == 1 ? 120 : 4,
				      "%zu targets, seed %llu: %zu changes", n_targets,
				      (unsigned long long)seed, changes.n);
			sim_end(&sim);
		}
	}
}
