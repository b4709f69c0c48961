// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/probe_sim.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#include "gwd/base/vec.h"
#include "probes/prober.h"

#define SAME_INSTANT_MAX 100

struct watch_config sim_defaults(void)
{
	return (struct watch_config){
		.health = {1000, 100, 300, .fall = 3, .rise = 3, .asks = HEALTH_ASKS, .window_ms = 30000},
		.need = 1,
		.hold_ms = 5000,
	};
}

uint64_t sim_random(struct sim *sim, uint64_t below)
{
	sim->seed ^= sim->seed << 13;
	sim->seed ^= sim->seed >> 7;
	sim->seed ^= sim->seed << 17;
	return sim->seed % below;
}

double sim_chance(struct sim *sim)
{
	return (double)sim_random(sim, 1u << 30) / (1u << 30);
}

void sim_start(struct sim *sim, const struct watch_config *config, size_t n_targets, uint64_t seed)
{
	struct prober_target targets[SIM_TARGETS] = {0};

	for (size_t i = 0; i < SIM_TARGETS; i++)
		targets[i].addr = addr_from(AF_INET, (uint8_t[]){192, 0, 2, (uint8_t)(i + 1)});
	*sim = (struct sim){.seed = seed * 2654435761u + 1, .rtt_ms = 10, .rtt_spread_ms = 2};
	watch_init(&sim->watch, config, seed);
	watch_set_targets(&sim->watch, targets, n_targets, 0);
}

static struct sim_ask *open_ask(struct sim *sim)
{
	struct sim_ask *ask = &sim->asks[sim->next_ask++ % SIM_FLIGHT];

	cr_assert_not(ask->open, "too many questions under way, or their handles were lost");
	ask->open = true;
	return ask;
}

// The machine gives a handle back: the prober forgets the question.
static void close_ask(struct sim *sim, struct sim_ask *ask)
{
	cr_assert(ask->open, "given back twice, or after the answer");
	ask->open = false;
	for (size_t i = 0; i < sim->n_flight; i++) {
		if (sim->flight[i].ask != ask)
			continue;
		sim->flight[i] = sim->flight[--sim->n_flight];
		return;
	}
}

static void call_back(struct sim *sim)
{
	struct sim_ask *ask;

	while ((ask = watch_take_handle(&sim->watch)))
		close_ask(sim, ask);
	cr_assert_eq(sim->n_flight, 0, "a handle was lost");
}

void sim_end(struct sim *sim)
{
	call_back(sim);
	watch_free(&sim->watch);
}

void sim_kill(struct sim *sim, bool dead)
{
	for (size_t i = 0; i < SIM_TARGETS; i++)
		sim->dead[i] = dead;
}

static void note(struct sim *sim)
{
	enum state state = watch_state(&sim->watch);

	if (state == sim->state)
		return;
	sim->ups += state == STATE_UP;
	sim->downs += state == STATE_DOWN;
	sim->state = state;
	sim->changed_ms = sim->now_ms;
	if (sim->on_change)
		sim->on_change(sim);
}

void sim_break(struct sim *sim, bool broken)
{
	call_back(sim);
	watch_set_broken(&sim->watch, broken, sim->now_ms);
	note(sim);
}

// ---- the network -----------------------------------------------------------------------------

static int64_t trip_ms(struct sim *sim)
{
	return (int64_t)(sim->rtt_ms + sim->rtt_spread_ms * (2 * sim_chance(sim) - 1));
}

static void put(struct sim *sim, const struct watch_ask *ask)
{
	size_t target = (size_t)(ask->target->addr.b[3] - 1);
	bool dead = sim->dead[target];
	struct answer failed = {.kind = ANSWER_CANT, .text = "no descriptors"};

	if (sim->cant) {
		watch_answer(&sim->watch, sim->now_ms, ask->id, &failed);
		return;
	}
	sim->questions++;
	struct sim_ask *kept = open_ask(sim);
	*ask->handle = kept;
	if ((dead && !sim->refuses) || sim_chance(sim) < sim->loss)
		return;
	cr_assert(sim->n_flight < SIM_FLIGHT);
	sim->flight[sim->n_flight++] = (struct sim_flight){
		.ask = kept,
		.arrives_ms = sim->now_ms + trip_ms(sim),
		.sent_ms = sim->now_ms,
		.id = ask->id,
		.target = target,
		.refused = dead,
	};
}

static struct sim_flight *next_arrival(struct sim *sim)
{
	struct sim_flight *first = NULL;

	for (size_t i = 0; i < sim->n_flight; i++)
		if (!first || sim->flight[i].arrives_ms < first->arrives_ms)
			first = &sim->flight[i];
	return first;
}

// What was under way to a target that died meanwhile is lost, too.
static void arrive(struct sim *sim, struct sim_flight *at)
{
	struct sim_flight f = *at;
	struct answer answer = {.kind = f.refused ? ANSWER_DEAD : ANSWER_ALIVE,
				.rtt_ms = (double)(f.arrives_ms - f.sent_ms),
				.text = "host unreachable"};

	*at = sim->flight[--sim->n_flight];
	if (sim->dead[f.target] && !f.refused)
		return;
	f.ask->open = false;
	watch_answer(&sim->watch, sim->now_ms, f.id, &answer);
}

static void turn(struct sim *sim)
{
	struct watch_ask ask;
	struct sim_ask *expired;

	watch_run(&sim->watch, sim->now_ms);
	note(sim);
	while ((expired = watch_expired(&sim->watch)))
		close_ask(sim, expired);
	while (watch_ask(&sim->watch, sim->now_ms, &ask))
		put(sim, &ask);
	note(sim);
}

void sim_run(struct sim *sim, int64_t for_ms)
{
	int64_t until = sim->now_ms + for_ms, before = -1;
	int same = 0;

	for (;;) {
		struct sim_flight *arrival = next_arrival(sim);
		int64_t wake = watch_next_ms(&sim->watch);
		bool answer = arrival && arrival->arrives_ms <= wake; // what came in is read first
		int64_t next = answer ? arrival->arrives_ms : wake;

		if (next > until)
			break;
		sim->now_ms = next > sim->now_ms ? next : sim->now_ms;
		same = sim->now_ms == before ? same + 1 : 0;
		cr_assert(same < SAME_INSTANT_MAX, "it never comes to rest");
		before = sim->now_ms;
		if (answer)
			arrive(sim, arrival);
		else
			turn(sim);
		note(sim);
	}
	sim->now_ms = until;
}
