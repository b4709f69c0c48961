// SPDX-License-Identifier: GPL-2.0-or-later
// control_cost: what a step costs gwd, or a peer's command: time, processor time, and what was sent to the kernel
// (preload/netlink_count.c).
//
// A change is left alone for as long as anything follows from it, and all that gwd takes until then is its price; what it
// takes in the same time when nothing happens (cost_measure_idle()) is taken off.
#ifndef GWD_TEST_BENCH_CONTROL_COST_H
#define GWD_TEST_BENCH_CONTROL_COST_H

#include <stdbool.h>

#include "test/bench/netlink_count.h"

struct lab;
struct lab_ns;
struct lab_proc;

#define PEER_S 50      // a peer that takes longer is ended
#define LOADS_S 200    // the same where loads are all that there is
#define FOLLOWS_MS 400 // nothing follows from a change any more

struct cost {
	double wall_ms, cpu_ms;
	struct netlink_count sent;
};

struct run {
	struct lab *lab;
	const struct lab_ns *router;
	int services;
	bool loads; // nothing else
	const char *config;
	struct lab_proc *gwd;
	double idle; // of a processor
};

// Of a command of a peer in a place. wall_ms < 0: it took too long, and was ended.
struct cost cost_of_command(const struct run *run, const struct lab_ns *ns, const char *command);

// Of gwd until it is ready; it is run->gwd from now on.
struct cost cost_of_start(struct run *run);

// What gwd has taken and sent so far, as if nothing had happened otherwise; and what was added to it since `before`.
struct cost cost_so_far(const struct run *run);
void cost_add_since(struct cost *sum, const struct run *run, const struct cost *before);
struct cost cost_mean(struct cost sum, unsigned n);

void cost_measure_idle(struct run *run);

// Of one command of gwctl, and of all that follows from it.
void cost_add_command(struct cost *sum, const struct run *run, const char *command);

#endif
