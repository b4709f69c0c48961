// SPDX-License-Identifier: GPL-2.0-or-later
// Which rule a flow matches: nft/chain_rules.c's chains in C.
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"
#include "gwd/core/trace.h"

static bool match_prefixes(const struct prefix *prefixes, size_t n, const struct addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (prefixes[i].addr.family == addr->family && prefix_contains(&prefixes[i], addr))
			return true;
	return !n;
}

static bool match_destination(const struct plan *plan, const struct plan_rule *rule, const struct addr *to)
{
	char name[PLAN_NAME_SIZE];
	if (!rule->by_name)
		return match_prefixes(rule->to.v, rule->to.n, to);
	return plan_set_has_addr(plan_find_set(plan, name_rule_to(name, addr_fam(to), rule)), to);
}

static bool match_bytes(const uint8_t *values, size_t n, uint8_t value)
{
	return !n || memchr(values, value, n);
}

static bool match_ports(const struct model_ports *ports, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (port >= ports[i].first && port <= ports[i].last)
			return true;
	return !n;
}

static bool match_protocol(const struct plan_rule *rule, uint8_t protocol)
{
	if (rule->protocols.n)
		return match_bytes(rule->protocols.v, rule->protocols.n, protocol);
	return !(rule->ports.n || rule->sports.n) || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static bool match_interface(const struct trace *trace, const struct plan *plan, const struct plan_rule *rule)
{
	char name[PLAN_NAME_SIZE];
	snprintf(name, sizeof(name), "if.rule.%s", rule->name);
	const struct plan_set *set = plan_find_set(plan, name);
	if (!rule->by_interface)
		return true;
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!strncmp((const char *)set->elems.v[i].key, trace->world.iif, sizeof(trace->world.iif)))
			return true;
	return false;
}

static bool match_asks_protocol(const struct plan_rule *rule)
{
	return rule->protocols.n || rule->ports.n || rule->sports.n;
}

// The first selector that is against it, of those that the question answers.
static enum trace_selector match_given(const struct trace *trace, const struct plan *plan,
				       const struct plan_rule *rule)
{
	const struct trace_flow *flow = &trace->flow;
	if (rule->own != (trace->origin == TRACE_FROM_HERE))
		return TRACE_OWN;
	if (!match_prefixes(rule->from.v, rule->from.n, &flow->from))
		return TRACE_FROM;
	if (!match_destination(plan, rule, &flow->to))
		return TRACE_TO;
	if (!match_interface(trace, plan, rule))
		return TRACE_IN;
	if (rule->has_mark && (flow->mark & rule->mark_mask) != rule->mark)
		return TRACE_MARK;
	if (flow->has_protocol && !match_protocol(rule, flow->protocol))
		return TRACE_PROTOCOL;
	if (flow->has_dport && !match_ports(rule->ports.v, rule->ports.n, flow->dport))
		return TRACE_PORTS;
	if (flow->has_sport && !match_ports(rule->sports.v, rule->sports.n, flow->sport))
		return TRACE_SPORTS;
	return match_bytes(rule->dscp.v, rule->dscp.n, flow->dscp) ? TRACE_ALL : TRACE_DSCP;
}

static enum trace_selector match_open(const struct trace_flow *flow, const struct plan_rule *rule)
{
	if (!flow->has_protocol && match_asks_protocol(rule))
		return TRACE_PROTOCOL;
	if (!flow->has_dport && rule->ports.n)
		return TRACE_PORTS;
	if (!flow->has_sport && rule->sports.n)
		return TRACE_SPORTS;
	return TRACE_ALL;
}

size_t trace_match_rules(struct trace *trace, const struct plan *plan)
{
	for (size_t i = 0; i < plan->rules.n; i++) {
		struct trace_rule met = {.against = match_given(trace, plan, &plan->rules.v[i])};
		if (met.against == TRACE_ALL) {
			met.against = match_open(&trace->flow, &plan->rules.v[i]);
			met.open = met.against != TRACE_ALL;
		}
		vec_push(&trace->rules, met);
		if (met.against == TRACE_ALL)
			return i;
	}
	return TRACE_NONE;
}
