// SPDX-License-Identifier: GPL-2.0-or-later
// The operator's rules, in file order: the first that matches says which group the flow belongs to.
// For each family they stand in a chain of their own or at the end of the one that leads to them, for the
// LAN's flows and for the router's own.
// Each rule is one kernel rule: between its selectors all must match, within one any may. Where there are many,
// only those are asked that one field of the packet leaves possible (core/cut.h).
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/core/cut.h"
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/ranges.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

// Prefixes of the family. False: there are some, but none of this family, so it can't match.
static bool chain_prefixes(struct ranges *ranges, const struct prefix *prefixes, size_t n, enum fam fam)
{
	for (size_t i = 0; i < n; i++)
		if (addr_fam(&prefixes[i].addr) == fam)
			ranges_add_prefix(ranges, &prefixes[i]);
	ranges_merge(ranges);
	return !n || ranges->v.n;
}

static void chain_match_addr(struct rule *rule, enum fam fam, enum rule_side side,
			     const struct ranges *ranges)
{
	if (ranges->v.n && !ranges_all(ranges))
		rule_addr_ranges(rule, fam, side, ranges);
}

static void chain_match_ports(struct rule *rule, enum rule_side side, const struct model_ports *ports,
			      size_t n)
{
	struct ranges ranges = {0};
	for (size_t i = 0; i < n; i++)
		ranges_add_ports(&ranges, ports[i].first, ports[i].last);
	ranges_merge(&ranges);
	if (n)
		rule_ports(rule, side, &ranges);
	ranges_free(&ranges);
}

static int chain_compare_bytes(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

// The values in ascending order, each once; returns how many.
static size_t chain_unique(uint8_t out[256], const uint8_t *values, size_t n)
{
	size_t kept = 0;
	bool seen[256] = {false};
	for (size_t i = 0; i < n; i++) {
		if (!seen[values[i]])
			out[kept++] = values[i];
		seen[values[i]] = true;
	}
	qsort(out, kept, 1, chain_compare_bytes);
	return kept;
}

static void chain_match_protocols(struct rule *rule, const struct plan_rule *from)
{
	static const uint8_t with_ports[] = {IPPROTO_TCP, IPPROTO_UDP};
	uint8_t protocols[256];
	size_t n = chain_unique(protocols, from->protocols.v, from->protocols.n);
	if (n)
		rule_protocols(rule, protocols, n);
	else if (from->ports.n || from->sports.n)
		rule_protocols(rule, with_ports, sizeof(with_ports));
}

static void chain_match(struct rule *rule, const struct plan_rule *from, enum fam fam)
{
	uint8_t dscp[256];
	if (from->by_interface) {
		char set[PLAN_NAME_SIZE];
		snprintf(set, sizeof(set), "if.rule.%s", from->name);
		rule_if_in_set(rule, from->own ? RULE_OIFNAME : RULE_IIFNAME, set);
	}
	if (from->has_mark)
		rule_mark_match(rule, RULE_MARK_PACKET, from->mark_mask, RULE_IS, from->mark);
	chain_match_protocols(rule, from);
	chain_match_ports(rule, RULE_DESTINATION, from->ports.v, from->ports.n);
	chain_match_ports(rule, RULE_SOURCE, from->sports.v, from->sports.n);
	size_t n = chain_unique(dscp, from->dscp.v, from->dscp.n);
	if (n)
		rule_dscp(rule, fam, dscp, n);
}

static void chain_one_rule(struct chain *chain, const struct plan *plan, const struct plan_rule *from,
			   enum fam fam)
{
	char where[PLAN_NAME_SIZE];
	struct ranges source = {0}, destination = {0};
	bool possible = chain_prefixes(&source, from->from.v, from->from.n, fam);
	possible &= from->by_name || chain_prefixes(&destination, from->to.v, from->to.n, fam);
	if (possible) {
		struct rule *rule = chain_rule(chain);
		chain_match_addr(rule, fam, RULE_SOURCE, &source);
		if (from->by_name)
			rule_addr_in_set(rule, fam, RULE_DESTINATION, RULE_IS,
					 name_rule_to(where, fam, from));
		else
			chain_match_addr(rule, fam, RULE_DESTINATION, &destination);
		chain_match(rule, from, fam);
		if (from->bypass)
			rule_accept(rule);
		else
			rule_goto(rule, chain_target(where, fam, &plan->groups.v[from->group], from->strict));
	}
	ranges_free(&source);
	ranges_free(&destination);
}

static void chain_default(struct chain *chain, const struct plan *plan, bool own, enum fam fam)
{
	chain_enter_group(chain, plan, own ? plan->default_own_group : plan->default_group, fam, false);
}

static void chain_cut_vmap(struct chain *chain, enum cut_field field, enum fam fam, const char *map)
{
	switch (field) {
	case CUT_TO:
		rule_addr_vmap(chain_rule(chain), fam, RULE_DESTINATION, map);
		return;
	case CUT_FROM:
		rule_addr_vmap(chain_rule(chain), fam, RULE_SOURCE, map);
		return;
	case CUT_PORT:
		rule_dport_vmap(chain_rule(chain), map);
		return;
	case CUT_NONE:
		return;
	}
}

// The map leads to the chain of those rules that are possible; where it leads nowhere, the rest is asked here.
static void chain_cut(struct ruleset *ruleset, struct chain *chain, const struct plan *plan,
		      const struct cut *cut, bool own, enum fam fam)
{
	char name[PLAN_NAME_SIZE], end[PLAN_NAME_SIZE];
	chain_cut_vmap(chain, cut->field, fam, name_cut(name, fam, own));
	vec_each(&cut->rest, rule)
		chain_one_rule(chain, plan, &plan->rules.v[*rule], fam);
	snprintf(end, sizeof(end), "%.80s.end", name);
	for (size_t k = 0; k < cut->lists.n; k++) {
		struct chain *part = ruleset_chain(ruleset, name_cut_list(name, fam, own, k));
		vec_each(&cut->lists.v[k].rules, rule)
			chain_one_rule(part, plan, &plan->rules.v[*rule], fam);
		chain_goto(part, end);
	}
	chain_default(ruleset_chain(ruleset, end), plan, own, fam);
}

void chain_by_rules(struct ruleset *ruleset, struct chain *chain, const struct plan *plan, bool own,
		    enum fam fam)
{
	struct cut cut = {0};
	cut_make(&cut, plan, own, fam);
	if (cut.field != CUT_NONE)
		chain_cut(ruleset, chain, plan, &cut, own, fam);
	else
		vec_each(&plan->rules, rule)
			if (rule->own == own)
				chain_one_rule(chain, plan, rule, fam);
	chain_default(chain, plan, own, fam);
	cut_free(&cut);
}
