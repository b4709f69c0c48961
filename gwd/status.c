// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status.h"

#include <stdio.h>
#include <string.h>

#include "gwd/core/facts.h"
#include "gwd/core/link.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/status_service.h"

// ---- gateways --------------------------------------------------------------------------------

static const struct plan_gateway *find_planned(const struct plan *plan, const char *name)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->name, name))
			return gw;
	return NULL;
}

static void build_family(struct status_family *family, const struct link_path *path,
			 const struct verdict *verdict)
{
	*family = (struct status_family){
		.wanted = path->wanted,
		.state = STATE_UNKNOWN,
		.reason = "not probed yet",
		.next_hop = path->via,
		.source = path->source,
		.latency_ms = -1,
		.jitter_ms = -1,
		.loss = -1,
	};
	if (!path->ready) { // what the link lacks, no probe has to tell
		family->state = STATE_DOWN;
		snprintf(family->reason, sizeof(family->reason), "%s", path->missing);
		return;
	}
	if (*verdict->reason)
		snprintf(family->reason, sizeof(family->reason), "%s", verdict->reason);
	if (verdict->state != STATE_UNKNOWN) {
		family->state = verdict->state;
		bool down = verdict->state == STATE_DOWN; // its round trips are history
		family->latency_ms = down ? -1 : verdict->latency_ms;
		family->jitter_ms = down ? -1 : verdict->jitter_ms;
		family->loss = verdict->loss;
	}
}

static void build_gateway(struct status_gateway *gw, const struct status_input *in, size_t i)
{
	const struct model *model = in->model;
	const struct plan_gateway *planned = find_planned(in->applied, model->gateways[i].name);
	struct link link = {0};
	link_resolve(&link, &model->gateways[i], in->facts);
	*gw = (struct status_gateway){
		.conf = &model->gateways[i],
		.state = planned ? planned->state : STATE_UNKNOWN,
		.reason = planned ? planned->reason : "not in the kernel",
		.weight = planned ? planned->weight : model->gateways[i].weight,
		.manual = planned ? planned->manual : "",
		.iface = facts_iface(in->facts, model->gateways[i].interface),
		.id = planned ? planned->id : 0,
		.mark = planned ? planned->mark : 0,
		.table = planned ? model->globals.table_base + planned->id : 0,
		.measured = in->measured[i],
	};
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		build_family(&gw->family[fam], &link.path[fam], &in->verdicts[i][fam]);
	gw->main_family = gw->family[FAM_6].wanted && !gw->family[FAM_4].wanted ? FAM_6 : FAM_4;
}

// ---- balances --------------------------------------------------------------------------------

static const struct plan_group *find_group(const struct plan *plan, const char *balance)
{
	vec_each(&plan->groups, group)
		if (!group->own && !strcmp(group->name, balance))
			return group;
	return NULL;
}

static double slot_share(const struct plan *plan, const struct plan_group *group,
			 const struct plan_gateway *gw, enum fam fam)
{
	char name[PLAN_NAME_SIZE], give[PLAN_NAME_SIZE], take[PLAN_NAME_SIZE];
	const struct plan_set *slots = plan_find_set(plan, name_slots(name, fam, group));
	if (!slots || !slots->elems.n)
		return -1;
	name_give(give, fam, group, gw);
	name_gateway_chain(take, "take", gw);
	size_t n = 0;
	vec_each(&slots->elems, slot)
		n += !strcmp(slot->chain, give) || !strcmp(slot->chain, take);
	return (double)n / (double)slots->elems.n;
}

static void build_member(struct status_member *member, const struct plan *plan,
			 const struct plan_group *group)
{
	const struct plan_gateway *gw = find_planned(plan, member->gateway);
	member->share[FAM_4] = member->share[FAM_6] = -1;
	if (!gw || !group)
		return;
	member->usable = gw->usable[FAM_4] || gw->usable[FAM_6];
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		member->share[fam] = slot_share(plan, group, gw, fam);
	vec_each(&group->members, planned)
		if (&plan->gateways.v[planned->gateway] == gw) {
			member->weight = planned->weight;
			memcpy(member->active, planned->active, sizeof(member->active));
		}
}

static void build_balance(struct status_balance *balance, const struct status_input *in, size_t i)
{
	const struct model_balance *conf = &in->model->balances[i];
	const struct plan_group *group = find_group(in->applied, conf->name);
	balance->conf = conf;
	balance->pins = in->pins[i];
	balance->unpinned = in->unpinned[i];
	for (size_t k = 0; k < conf->n_uses; k++) {
		struct status_member *member;
		vec_add(&balance->members, member);
		member->use = &conf->uses[k];
		member->weight = conf->uses[k].weight;
		member->gateway = in->model->gateways[conf->uses[k].gateway].name;
		build_member(member, in->applied, group);
	}
}

// ---- the whole -------------------------------------------------------------------------------

void status_build(struct status *status, const struct status_input *in)
{
	status->model = in->model;
	status->named = in->named;
	status->failure = in->failure;
	status->active = in->applied->active;
	status->fastpath = plan_find_set(in->applied, "fast") != NULL;
	status->started_ms = in->started_ms;
	status->applied_ms = in->applied_ms;
	status->now_ms = in->now_ms;
	status->wall_ms = in->wall_ms;
	for (size_t i = 0; i < in->model->n_gateways; i++) {
		struct status_gateway *gw;
		vec_add(&status->gateways, gw);
		build_gateway(gw, in, i);
	}
	for (size_t i = 0; i < in->model->n_balances; i++) {
		struct status_balance *balance;
		vec_add(&status->balances, balance);
		build_balance(balance, in, i);
	}
	status_build_services(status, in);
}

void status_free(struct status *status)
{
	vec_each(&status->balances, balance)
		vec_free(&balance->members);
	vec_free(&status->balances);
	vec_each(&status->services, service)
		vec_free(&service->reals);
	vec_free(&status->services);
	vec_free(&status->gateways);
}

int64_t status_wall_s(const struct status *status, int64_t then_ms)
{
	return (status->wall_ms - (status->now_ms - then_ms)) / 1000;
}

bool status_has(const struct status *status, const char *name)
{
	vec_each(&status->gateways, gw)
		if (!strcmp(gw->conf->name, name))
			return true;
	vec_each(&status->balances, balance)
		if (!strcmp(balance->conf->name, name))
			return true;
	return status_has_service(status, name);
}
