// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/hash.h"
#include "gwd/core/build_service.h"
#include "gwd/core/ids.h"
#include "gwd/core/link.h"
#include "gwd/core/load.h"
#include "gwd/core/manual.h"
#include "gwd/core/marks.h"
#include "gwd/core/pick.h"
#include "gwd/core/plan.h"
#include "gwd/core/ramp.h"
#include "gwd/core/ramps.h"
#include "gwd/core/slots.h"
#include "gwd/core/tunnel.h"
#include "gwd/core/vip.h"

// ---- gateways ------------------------------------------------------------------------------

static enum state build_fam_state(const struct verdict *verdict, const struct link_path *path)
{
	if (!path->ready)
		return STATE_DOWN;
	return verdict ? verdict->state : STATE_UNKNOWN;
}

static bool build_state_usable(enum state state)
{
	return state == STATE_UP || state == STATE_UNKNOWN || state == STATE_DEGRADED;
}

// The better of two families speaks for the gateway: it still carries traffic.
static enum state build_better_state(enum state a, enum state b)
{
	static const int rank[] = {
		[STATE_UP] = 0,   [STATE_UNKNOWN] = 1, [STATE_DEGRADED] = 2,
		[STATE_DOWN] = 3, [STATE_DRAIN] = 3,   [STATE_DISABLED] = 3,
	};
	return rank[a] <= rank[b] ? a : b;
}

static const char *build_fam_reason(const struct verdict *verdict, const struct link_path *path)
{
	if (!path->ready)
		return path->missing;
	return verdict && verdict->reason[0] ? verdict->reason : "not probed yet";
}

// One state and one reason out of two families; a family that isn't wanted here has no say.
static void build_summary(struct plan_gateway *gw, const enum state state[FAM_COUNT],
			  const char *const reason[FAM_COUNT], const struct link *link)
{
	bool has4 = link->path[FAM_4].wanted, has6 = link->path[FAM_6].wanted;
	if (has4 && has6) {
		gw->state = build_better_state(state[FAM_4], state[FAM_6]);
		if (strcmp(reason[FAM_4], reason[FAM_6]) != 0)
			snprintf(gw->reason, sizeof(gw->reason), "IPv4: %.90s; IPv6: %.90s", reason[FAM_4],
				 reason[FAM_6]);
		else
			snprintf(gw->reason, sizeof(gw->reason), "%s", reason[FAM_4]);
	} else {
		enum fam fam = has6 ? FAM_6 : FAM_4;
		gw->state = state[fam];
		snprintf(gw->reason, sizeof(gw->reason), "%s", reason[fam]);
	}
}

// What is set by hand stands above the verdicts.
static void build_manual(struct plan_gateway *gw, const struct manual_entry *entry)
{
	char reason[sizeof(gw->reason)];
	manual_text(entry, gw->manual);
	if (entry && entry->disabled) {
		gw->usable[FAM_4] = gw->usable[FAM_6] = false;
		gw->state = STATE_DISABLED;
		snprintf(gw->reason, sizeof(gw->reason), "%s", gw->manual);
	} else if (!gw->weight && build_state_usable(gw->state)) {
		gw->state = STATE_DRAIN;
		snprintf(reason, sizeof(reason), "%s", gw->reason);
		if (entry)
			snprintf(gw->reason, sizeof(gw->reason), "%s; %.110s", gw->manual, reason);
	}
}

// Still up: nothing happens to the flows that it has.
static void build_full(struct plan_gateway *gw, const struct load *load)
{
	gw->full = load && load_spills(load);
	if (!gw->full || !build_state_usable(gw->state))
		return;
	size_t n = strlen(gw->reason);
	snprintf(gw->reason + n, sizeof(gw->reason) - n, "; %s: new flows go elsewhere",
		 load->full ? "max-flows reached" : "above spill");
}

static void build_ramp(struct plan_gateway *gw, const struct build_input *input)
{
	unsigned held = 0;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		if (gw->usable[fam] && !gw->degraded[fam])
			gw->held[fam] =
				ramps_held(input->ramps, gw->name, fam, input->now_ms, gw->slow_start_ms);
		held = gw->held[fam] > held ? gw->held[fam] : held;
	}
	size_t n = strlen(gw->reason);
	if (held)
		snprintf(gw->reason + n, sizeof(gw->reason) - n, "; slow-start: %u%% of its share",
			 (RAMP_FULL - held) * 100 / RAMP_FULL);
}

static void build_gateway(struct plan_gateway *gw, const struct build_input *input, size_t i,
			  const struct link *link)
{
	const struct model_gateway *conf = &input->model->gateways[i];
	const struct manual_entry *manual = manual_find(input->manual, conf->name);
	enum state state[FAM_COUNT];
	const char *reason[FAM_COUNT];
	snprintf(gw->name, sizeof(gw->name), "%s", conf->name);
	snprintf(gw->ifname, sizeof(gw->ifname), "%s", conf->interface);
	gw->id = ids_get(input->ids, conf->name);
	gw->mark = mark_of_id(input->model->globals.mark_mask, gw->id);
	gw->weight = manual_weight(manual, conf->weight);
	gw->slow_start_ms = conf->slow_start_ms;
	gw->reset_others = conf->failback == FAILBACK_RESET;
	memcpy(gw->snat, conf->snat, sizeof(gw->snat));
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		const struct verdict *verdict = input->verdicts ? &input->verdicts[i][fam] : NULL;
		state[fam] = build_fam_state(verdict, &link->path[fam]);
		reason[fam] = build_fam_reason(verdict, &link->path[fam]);
		gw->usable[fam] = build_state_usable(state[fam]);
		gw->degraded[fam] = state[fam] == STATE_DEGRADED;
		gw->has_next_hop[fam] = link->path[fam].routable;
		gw->source[fam] = link->path[fam].source;
		gw->snat[fam].prefix = link->path[fam].prefix;
		gw->snat_here[fam] = link->path[fam].snat_here;
		gw->snat_near[fam] = link->path[fam].snat_near;
	}
	build_summary(gw, state, reason, link);
	build_manual(gw, manual);
	build_full(gw, input->loads ? &input->loads[i] : NULL);
	build_ramp(gw, input);
}

static void build_gateways(struct plan *plan, const struct build_input *input, const struct link *links)
{
	const struct model *model = input->model;
	bool any_usable[FAM_COUNT] = {false, false};
	for (size_t i = 0; i < model->n_gateways; i++) {
		struct plan_gateway *gw;
		vec_add(&plan->gateways, gw);
		build_gateway(gw, input, i, &links[i]);
		for (size_t k = 0; k < model->n_gateways; k++)
			if (k != i && !strcmp(model->gateways[k].interface, model->gateways[i].interface))
				gw->shared = true;
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			any_usable[fam] |= gw->usable[fam] && gw->weight;
	}
	vec_each(&plan->gateways, gw)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			gw->move_flows[fam] = !gw->usable[fam] && any_usable[fam];
}

// ---- groups --------------------------------------------------------------------------------

static enum state build_member_state(const struct plan_gateway *gw, enum fam fam)
{
	if (!gw->usable[fam])
		return STATE_DOWN;
	return gw->degraded[fam] ? STATE_DEGRADED : STATE_UP;
}

static void build_pick(struct plan *plan, struct plan_group *group, enum fam fam)
{
	size_t n = group->members.n;
	struct pick_member *picks = xcalloc(n, sizeof(*picks));
	for (size_t i = 0; i < n; i++) {
		const struct plan_member *member = &group->members.v[i];
		const struct plan_gateway *gw = &plan->gateways.v[member->gateway];
		picks[i] = (struct pick_member){
			.state = build_member_state(gw, fam),
			.tier = member->tier,
			.weight = member->weight,
			.full = gw->full,
		};
		if (gw->full && group->spills)
			picks[i].state = STATE_DOWN;
	}
	group->tier[fam] = pick_members(picks, n, group->scheduler);
	for (size_t i = 0; i < n; i++) {
		group->members.v[i].active[fam] = picks[i].active;
		group->members.v[i].live[fam] = picks[i].live;
	}
	free(picks);
}

static void build_group_finish(struct plan *plan, struct plan_group *group)
{
	size_t n = group->members.n;
	struct slots_member *members = xcalloc(n, sizeof(*members));
	for (size_t i = 0; i < n; i++)
		members[i] = (struct slots_member){.tier = group->members.v[i].tier,
						   .weight = group->members.v[i].undrained};
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		group->n_slots[fam] = slots_count(group->scheduler, members, n);
		build_pick(plan, group, fam);
	}
	free(members);
}

// A drain by hand leaves the number of slots, and so all chains, as they are.
static void build_member(struct plan_group *group, const struct build_input *input,
			 const struct model_use *use)
{
	const struct manual_entry *manual =
		manual_find(input->manual, input->model->gateways[use->gateway].name);
	struct plan_member member = {.gateway = use->gateway, .tier = use->tier};
	member.weight = manual_weight(manual, use->weight);
	member.undrained = manual && manual->weighted ? manual->weight : use->weight;
	vec_push(&group->members, member);
}

static void build_balance_group(struct plan *plan, const struct build_input *input, size_t balance, bool own)
{
	const struct model_balance *conf = &input->model->balances[balance];
	struct plan_group *group;
	vec_add(&plan->groups, group);
	snprintf(group->name, sizeof(group->name), "%s%s", conf->name, own ? ".own" : "");
	group->balance = balance;
	group->scheduler = conf->scheduler;
	group->own = own;
	group->persistence_ms = own ? 0 : conf->persistence_ms; // the router's address is no client to pin
	group->persist_by = conf->persist_by;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		group->persist_mask[fam] = (uint8_t)conf->persist_mask[fam];
	for (size_t i = 0; i < conf->n_uses; i++)
		build_member(group, input, &conf->uses[i]);
	build_group_finish(plan, group);
}

static void build_gateway_group(struct plan *plan, const struct model_rule *rule, const char *name)
{
	struct plan_group *group;
	bool own = rule->own;
	size_t gateway = rule->gateway;
	vec_add(&plan->groups, group);
	snprintf(group->name, sizeof(group->name), "%s", name);
	group->spills = !rule->strict;
	group->balance = SIZE_MAX;
	group->scheduler = SCHED_FO;
	group->own = own;
	// a rule that names the gateway means it, also while it drains for everyone else
	vec_push(&group->members,
		 (struct plan_member){.gateway = gateway, .tier = 1, .weight = 1, .undrained = 1});
	build_group_finish(plan, group);
}

static size_t build_find_group(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->groups.n; i++)
		if (!strcmp(plan->groups.v[i].name, name))
			return i;
	return SIZE_MAX;
}

static size_t build_rule_group(struct plan *plan, const struct build_input *input,
			       const struct model_rule *rule)
{
	const struct model *model = input->model;
	char name[PLAN_GROUP_NAME_SIZE];
	const char *own = rule->own ? ".own" : "";
	if (rule->target == RULE_GATEWAY)
		snprintf(name, sizeof(name), "%s.%s%s", rule->strict ? "sole" : "via",
			 model->gateways[rule->gateway].name, own);
	else
		snprintf(name, sizeof(name), "%s%s", model->balances[rule->balance].name, own);
	size_t found = build_find_group(plan, name);
	if (found != SIZE_MAX)
		return found;
	if (rule->target == RULE_GATEWAY)
		build_gateway_group(plan, rule, name);
	else
		build_balance_group(plan, input, rule->balance, rule->own);
	return plan->groups.n - 1;
}

static void build_groups(struct plan *plan, const struct build_input *input)
{
	const struct model *model = input->model;
	for (size_t i = 0; i < model->n_balances; i++)
		build_balance_group(plan, input, i, false);
	build_balance_group(plan, input, model->default_balance, true);
	plan->default_group = model->default_balance;
	plan->default_own_group = plan->groups.n - 1;
}

// ---- rules ---------------------------------------------------------------------------------

#define BUILD_COPY(vec, array, n) \
	for (size_t i_ = 0; i_ < (n); i_++) \
	vec_push(vec, (array)[i_])

static void build_rules(struct plan *plan, const struct build_input *input)
{
	for (size_t i = 0; i < input->model->n_rules; i++) {
		const struct model_rule *conf = &input->model->rules[i];
		struct plan_rule rule = {
			.by_interface = conf->n_interfaces > 0,
			.by_name = conf->n_to_names > 0,
			.has_mark = conf->has_mark,
			.mark = conf->mark,
			.mark_mask = conf->mark_mask,
			.own = conf->own,
			.bypass = conf->target == RULE_BYPASS,
			.strict = conf->strict,
		};
		snprintf(rule.name, sizeof(rule.name), "%s", conf->name);
		BUILD_COPY(&rule.from, conf->from, conf->n_from);
		BUILD_COPY(&rule.to, conf->to, conf->n_to);
		BUILD_COPY(&rule.protocols, conf->protocols, conf->n_protocols);
		BUILD_COPY(&rule.ports, conf->ports, conf->n_ports);
		BUILD_COPY(&rule.sports, conf->sports, conf->n_sports);
		BUILD_COPY(&rule.dscp, conf->dscp, conf->n_dscp);
		rule.group = rule.bypass ? 0 : build_rule_group(plan, input, conf);
		vec_push(&plan->rules, rule);
	}
}

// ---- all together --------------------------------------------------------------------------

void plan_build(struct plan *plan, const struct build_input *input)
{
	const struct model *model = input->model;
	struct link *links = xcalloc(model->n_gateways, sizeof(*links));
	plan->active = true;
	plan->mark_mask = model->globals.mark_mask;
	plan->outbound = model->n_gateways || model->lan.n_interfaces;
	plan->lan_networks = model->lan.n_networks > 0;
	for (size_t i = 0; i < model->n_gateways; i++)
		link_resolve(&links[i], &model->gateways[i], input->facts);
	build_gateways(plan, input, links);
	build_groups(plan, input);
	build_rules(plan, input);
	build_services(plan, input);
	tunnel_build(plan, input);
	build_sets(plan, input, links);
	build_routes(plan, input, links);
	build_sysctls(plan, input, links);
	vip_build(plan, input);
	build_shape(plan);
	free(links);
}
