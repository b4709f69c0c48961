// SPDX-License-Identifier: GPL-2.0-or-later
// probe_sim: a watch and the network it asks, on simulated time.
//
// The network loses questions, delays answers, and has dead targets, as the test tells it. The
// simulator plays the checker's part exactly (run, take what expired, ask, answer), and fails the
// test when the machine asks to be woken in the past or again and again at the same instant.
#ifndef GWD_TEST_UNIT_PROBE_SIM_H
#define GWD_TEST_UNIT_PROBE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/watch.h"

#define SIM_TARGETS 4
#define SIM_FLIGHT 256

// What a prober would keep of a question: the machine must give it back exactly once, unless there was
// an answer.
struct sim_ask {
	bool open;
};

struct sim_flight {
	struct sim_ask *ask;
	int64_t arrives_ms, sent_ms;
	uint64_t id;
	size_t target;
	bool refused;
};

struct sim {
	struct watch watch;
	int64_t now_ms;
	uint64_t seed;
	// the network, for the test to change
	double loss; // of any question or its answer
	double rtt_ms, rtt_spread_ms;
	bool dead[SIM_TARGETS];
	bool refuses; // dead targets refuse instead of being silent
	bool cant;    // no question can be put
	// what happened
	size_t questions, ups, downs;
	int64_t changed_ms; // last change of the damped state
	void (*on_change)(struct sim *sim);
	void *arg;
	// private
	struct sim_ask asks[SIM_FLIGHT];
	size_t next_ask;
	struct sim_flight flight[SIM_FLIGHT];
	size_t n_flight;
	enum state state;
};

struct watch_config sim_defaults(void); // the shipped ones

void sim_start(struct sim *sim, const struct watch_config *config, size_t n_targets, uint64_t seed);
void sim_end(struct sim *sim);
void sim_run(struct sim *sim, int64_t for_ms);
void sim_kill(struct sim *sim, bool dead); // all targets
void sim_break(struct sim *sim, bool broken);
uint64_t sim_random(struct sim *sim, uint64_t below);
double sim_chance(struct sim *sim); // 0..1

#endif
