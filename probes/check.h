// SPDX-License-Identifier: GPL-2.0-or-later
// check: one watch put to work: what it wants to ask goes out through the probers, what they answer
// comes back to it. A checker owns one per probe.
//
// Guarantees: nothing is under way after check_quiet() or check_free(). `changed` is called from the
// loop after every answer, never from inside these functions.
#ifndef GWD_PROBES_CHECK_H
#define GWD_PROBES_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "probes/watch.h"

struct arena;
struct model_probe;
struct prober_link;
struct prober_set;
struct prober_target;

struct check {
	struct prober_set *set;
	const struct prober_link *link;
	struct arena *arena;
	struct model_probe *probe; // own copy, in the arena
	struct watch watch;
	bool votes; // has targets in this family
	void (*changed)(void *arg);
	void *arg;
};

// `link` is the checker's own and may change its content, after a check_quiet().
struct check *check_new(struct prober_set *set, const struct prober_link *link,
			const struct model_probe *probe, uint64_t seed, void (*changed)(void *arg),
			void *arg);
void check_free(struct check *check);

// Whom a probe asks in one family: its own targets, or else the next hop. `out` is to be freed.
size_t check_targets(const struct model_probe *probe, enum fam fam, const struct addr *next_hop,
		     struct prober_target **out);

// Which addresses it asks: the probe's own of this family, or else the next hop.
void check_aim(struct check *check, enum fam fam, const struct addr *next_hop, int64_t now_ms);

void check_quiet(struct check *check);               // calls back what is under way
void check_run(struct check *check, int64_t now_ms); // judges the time, then asks what is due

#endif
