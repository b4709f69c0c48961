// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"

struct chain *ruleset_base_chain(struct ruleset *ruleset, const char *name, const struct chain_hook *hook)
{
	struct chain *chain = xcalloc(1, sizeof(*chain));
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->hook = hook;
	chain->table = ruleset->table;
	chain->next_set_id = &ruleset->next_set_id;
	vec_push(&ruleset->chains, chain);
	return chain;
}

struct chain *ruleset_chain(struct ruleset *ruleset, const char *name)
{
	return ruleset_base_chain(ruleset, name, NULL);
}

static void ruleset_counter(struct ruleset *ruleset, const char *name)
{
	struct counter *counter;
	vec_add(&ruleset->counters, counter);
	snprintf(counter->name, sizeof(counter->name), "%s", name);
}

struct rule *chain_rule(struct chain *chain)
{
	struct rule *rule = rule_new(chain->table, chain->name, chain->next_set_id);
	vec_push(&chain->rules, rule);
	return rule;
}

void chain_goto(struct chain *chain, const char *where)
{
	rule_goto(chain_rule(chain), where);
}

static int ruleset_compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void ruleset_sort_names(struct ruleset *ruleset)
{
	vec_reserve(&ruleset->names, ruleset->chains.n);
	vec_each(&ruleset->chains, chain)
		vec_push(&ruleset->names, (*chain)->name);
	qsort(ruleset->names.v, ruleset->names.n, sizeof(*ruleset->names.v), ruleset_compare_names);
}

bool ruleset_has_chain(const struct ruleset *ruleset, const char *name)
{
	return ruleset->names.n && bsearch(&name, ruleset->names.v, ruleset->names.n,
					   sizeof(*ruleset->names.v), ruleset_compare_names);
}

bool ruleset_has_counter(const struct ruleset *ruleset, const char *name)
{
	vec_each(&ruleset->counters, counter)
		if (!strcmp(counter->name, name))
			return true;
	return false;
}

bool ruleset_has_helper(const struct ruleset *ruleset, const char *name)
{
	vec_each(&ruleset->helpers, helper)
		if (!strcmp(helper->name, name))
			return true;
	return false;
}

void ruleset_helper(struct ruleset *ruleset, const char *name)
{
	struct helper *helper;
	if (ruleset_has_helper(ruleset, name))
		return;
	vec_add(&ruleset->helpers, helper);
	snprintf(helper->name, sizeof(helper->name), "%s", name);
}

static void ruleset_counters(struct ruleset *ruleset, const struct plan *plan)
{
	char name[PLAN_NAME_SIZE];
	ruleset_counter(ruleset, "orphan");
	ruleset_counter(ruleset, "no_gateway");
	ruleset_counter(ruleset, "leak");
	vec_each(&plan->gateways, gw)
		ruleset_counter(ruleset, name_counter(name, gw));
	vec_each(&plan->groups, group)
		if (group->persistence_ms)
			ruleset_counter(ruleset, name_unpinned(name, group));
}

void ruleset_build(struct ruleset *ruleset, const struct plan *plan)
{
	char shape[PLAN_NAME_SIZE];
	ruleset->next_set_id = 1;
	ruleset_counters(ruleset, plan);
	chains_entry(ruleset, plan);
	chains_lan(ruleset, plan);
	chains_output(ruleset, plan);
	chains_target(ruleset, plan);
	chains_group(ruleset, plan);
	chains_gateway(ruleset, plan);
	chains_fastpath(ruleset, plan);
	chains_service(ruleset, plan);
	chains_synproxy(ruleset, plan);
	chains_source(ruleset, plan);
	chains_nat(ruleset, plan);
	chains_answer(ruleset, plan);
	chains_direct(ruleset, plan);
	ruleset_chain(ruleset, name_shape(shape, plan->shape, ruleset_rules(ruleset)));
	ruleset_sort_names(ruleset);
}

void ruleset_build_service(struct ruleset *ruleset, const struct plan_service *service, uint32_t mark_mask)
{
	chains_of_service(ruleset, service, mark_mask);
	chains_source_of(ruleset, service);
	chains_direct_of(ruleset, service);
}

size_t ruleset_rules(const struct ruleset *ruleset)
{
	size_t n = 0;
	vec_each(&ruleset->chains, chain)
		if (!(*chain)->device)
			n += (*chain)->rules.n;
	return n;
}

void ruleset_free(struct ruleset *ruleset)
{
	vec_each(&ruleset->chains, chain) {
		vec_each(&(*chain)->rules, rule)
			rule_free(*rule);
		vec_free(&(*chain)->rules);
		free(*chain);
	}
	vec_free(&ruleset->chains);
	vec_free(&ruleset->names);
	vec_free(&ruleset->counters);
	vec_free(&ruleset->helpers);
}

// ---- names of interfaces -----------------------------------------------------------------------

static void ifnames_add(struct ifnames *names, const char *name)
{
	vec_each(&names->v, old)
		if (!strcmp(*old, name))
			return;
	vec_push(&names->v, name);
}

void ifnames_wan(struct ifnames *names, const struct plan *plan)
{
	vec_each(&plan->gateways, gw)
		ifnames_add(names, gw->ifname);
}

void ifnames_translated(struct ifnames *names, const struct plan *plan, enum fam fam)
{
	vec_each(&plan->gateways, gw)
		if (gw->snat[fam].mode != SNAT_NONE)
			ifnames_add(names, gw->ifname);
}

void ifnames_free(struct ifnames *names)
{
	vec_free(&names->v);
}
