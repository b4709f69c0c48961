// SPDX-License-Identifier: GPL-2.0-or-later
// check: one watch put to work: what it wants to ask goes out through the probers when it is due, what
// they answer comes back to it, and whoever uses it is told.
//
// Checks are shared: those who want the same probe put to the same targets by the same path (link,
// mark, source) have one check between them, so ten services with one real and one probe put one
// question on the wire. A checker is one user for each of its probes, of gateways and reals alike;
// what is its own (its verdict, its need) it keeps itself. Urgent for one user is urgent for all.
//
// Guarantees: nothing is under way after the last user left. `changed` is called from the loop after
// every answer and every look at the clock, never from inside these functions.
#ifndef GWD_PROBES_CHECK_H
#define GWD_PROBES_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/verdict.h"
#include "probes/prober.h"
#include "probes/watch.h"

struct arena;
struct event;
struct event_base;
struct model_probe;

struct check_spec {
	const struct model_probe *probe;
	struct prober_link link;
	struct addr next_hop; // whom a probe without targets asks; or none
	bool broken;          // nothing can leave by the link now
};

struct check_user {
	void (*changed)(void *arg);
	void *arg; // tells the users apart
	bool urgent;
};

struct check {                  // to be read by its users
	struct check_spec spec; // what makes it the same as another; `probe` is an own copy, in the arena
	struct watch watch;
	bool votes; // has targets in this family
	// private
	struct prober_set *set;
	struct arena *arena;
	VEC(struct check_user) users;
	struct event *timer;
	int64_t due_ms;
	bool held_up;
	bool joins; // it was woken because another one asks
	uint64_t hash;
	struct check *next; // in the pool
};

// The check that does this, an old one or a new one. `state`: what is known of it from earlier.
struct check *check_join(struct event_base *base, struct prober_set *set, const struct check_spec *spec,
			 enum state state, const struct check_user *user);
void check_leave(struct check *check, void *arg);

// The user's link or next hop is another one: the check that it uses from now on. What the old one has
// learnt of its state stays.
struct check *check_move(struct check *check, void *arg, const struct prober_link *link,
			 const struct addr *next_hop, bool broken);

void check_set_urgent(struct check *check, void *arg, bool urgent);
void check_suspect(struct check *check); // asks all of its targets now

// Whom a probe asks in one family: its own targets, or else the next hop. `out` is to be freed.
size_t check_targets(const struct model_probe *probe, enum fam fam, const struct addr *next_hop,
		     struct prober_target **out);

#endif
