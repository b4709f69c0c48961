// SPDX-License-Identifier: GPL-2.0-or-later
// cut: hundreds of rules without a cost that grows by rule.
//
// Rules are asked in file order until one matches. But most of them want an address or a port that one look at
// the packet can exclude; so where there are many, one field is looked up first, in a map of intervals, and
// only those rules are asked that its value leaves possible: still in file order, still each with all of its
// selectors, so the first match is the same. Which field it is goes by which leaves the fewest to ask.
//
// Pure. build_cuts() makes the maps of a plan, nft/chain_rules.c the chains that they lead to: both call
// cut_make(), which depends on plan->rules alone.
#ifndef GWD_CORE_CUT_H
#define GWD_CORE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct plan;

#define CUT_LEAST \
	4 // rules: fewer are asked one by one (measured: a rule costs 230 instructions, the map 400)

enum cut_field { CUT_NONE, CUT_TO, CUT_FROM, CUT_PORT /* of the destination */ };

struct cut_list {
	VEC(size_t) rules; // indices into plan.rules, in file order
};

struct cut_part {
	uint8_t first[16], last[16]; // values of the field, network order, both inclusive
	size_t list;
};

struct cut {
	enum cut_field field;       // CUT_NONE: one by one, and nothing else is filled in
	VEC(struct cut_part) parts; // in order, none touching another of the same list
	VEC(struct cut_list) lists;
	VEC(size_t) rest; // the rules to ask where no part is
};

// Fills `cut` (zeroed; cut_free() it) for the rules of the LAN's flows, or of the router's own.
void cut_make(struct cut *cut, const struct plan *plan, bool own, enum fam fam);
void cut_free(struct cut *cut);

#endif
