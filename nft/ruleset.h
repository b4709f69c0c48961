// SPDX-License-Identifier: GPL-2.0-or-later
// ruleset: all chains, rules and counters of a plan, in memory. A pure function of the plan's
// description (gateways, groups, rules); nothing of it depends on who is alive, that is in the maps.
//
// ruleset_build() calls the chain_*.c files, one for each part of a packet's way (chains.h). apply.c
// sends the result, text.c prints it.
#ifndef GWD_NFT_RULESET_H
#define GWD_NFT_RULESET_H

#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/plan.h"

struct rule;

struct chain_hook {
	const char *type;  // "filter", "route", "nat"
	uint32_t hook;     // NF_INET_*
	int32_t priority;  // the smaller, the earlier
	const char *where; // hook and priority in nft's words
};

struct chain {
	enum plan_table table;
	char name[PLAN_NAME_SIZE];
	const struct chain_hook *hook; // NULL: only reached from other chains
	const struct plan_elem
		*device;       // in table netdev: the one whose packets it gets; follows the plan's elements
	uint32_t *next_set_id; // the ruleset's
	VEC(struct rule *) rules;
};

struct counter {
	char name[PLAN_NAME_SIZE];
};

struct helper {
	char name[PLAN_NAME_SIZE]; // the kernel's name for it, too; TCP, both families
};

struct ruleset {
	enum plan_table table; // that chains are put into
	uint32_t next_set_id;
	VEC(struct chain *) chains;
	VEC(struct counter) counters;
	VEC(struct helper) helpers;
	VEC(const char *) names; // of the chains, sorted; of ruleset_build()
};

void ruleset_build(struct ruleset *ruleset, const struct plan *plan); // give it zeroed
void ruleset_build_service(struct ruleset *ruleset, const struct plan_service *service,
			   uint32_t mark_mask);      // the chains of one alone; next_set_id is the caller's
size_t ruleset_rules(const struct ruleset *ruleset); // without those of devices
void ruleset_free(struct ruleset *ruleset);
bool ruleset_has_chain(const struct ruleset *ruleset, const char *name);
bool ruleset_has_counter(const struct ruleset *ruleset, const char *name);
bool ruleset_has_helper(const struct ruleset *ruleset, const char *name);

// For chain_*.c. The pointers stay valid as long as the ruleset.
struct chain *ruleset_chain(struct ruleset *ruleset, const char *name);
struct chain *ruleset_base_chain(struct ruleset *ruleset, const char *name, const struct chain_hook *hook);
void ruleset_helper(struct ruleset *ruleset, const char *name); // once is enough
struct rule *chain_rule(struct chain *chain);                   // a new rule at the chain's end
void chain_goto(struct chain *chain, const char *where);        // a rule that always goes there

#endif
