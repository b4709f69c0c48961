// SPDX-License-Identifier: GPL-2.0-or-later
// The shape: one number for everything that the chains and the declarations of the sets depend on. Two
// plans of the same shape differ by elements only, so the rules in the kernel need not be touched. It is a sum, so
// that what one service adds to it can be exchanged without a look at the others.
#include <string.h>

#include "gwd/base/hash.h"
#include "gwd/core/build.h"
#include "gwd/core/plan.h"

#define SHAPE_VERSION 15 // raise it when nft/ builds other chains from the same plan

static void shape_number(uint64_t *hash, uint64_t value)
{
	*hash = hash_add(*hash, &value, sizeof(value));
}

static void shape_text(uint64_t *hash, const char *text)
{
	*hash = hash_add(*hash, text, strlen(text) + 1);
}

static void shape_addr(uint64_t *hash, const struct addr *addr)
{
	shape_number(hash, addr->family);
	*hash = hash_add(*hash, addr->b, addr_size(addr));
}

static void shape_prefixes(uint64_t *hash, const struct prefix *prefixes, size_t n)
{
	shape_number(hash, n);
	for (size_t i = 0; i < n; i++) {
		shape_addr(hash, &prefixes[i].addr);
		shape_number(hash, prefixes[i].len);
	}
}

static void shape_ports(uint64_t *hash, const struct model_ports *ports, size_t n)
{
	shape_number(hash, n);
	for (size_t i = 0; i < n; i++)
		shape_number(hash, (uint64_t)ports[i].first << 16 | ports[i].last);
}

static void shape_bytes(uint64_t *hash, const uint8_t *bytes, size_t n)
{
	shape_number(hash, n);
	if (n)
		*hash = hash_add(*hash, bytes, n);
}

static void shape_gateway(uint64_t *hash, const struct plan_gateway *gw)
{
	shape_text(hash, gw->name);
	shape_text(hash, gw->ifname);
	shape_number(hash, gw->mark);
	shape_number(hash, gw->shared);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		shape_number(hash, gw->snat[fam].mode);
		if (gw->snat_near[fam])
			shape_number(hash, gw->snat_near[fam]);
		shape_addr(hash, &gw->snat[fam].first);
		shape_addr(hash, &gw->snat[fam].last);
		shape_addr(hash, &gw->snat[fam].prefix.addr);
		shape_number(hash, gw->snat[fam].prefix.len);
	}
}

static void shape_group(uint64_t *hash, const struct plan *plan, const struct plan_group *group)
{
	shape_text(hash, group->name);
	shape_number(hash, group->scheduler);
	shape_number(hash, group->own);
	shape_number(hash, group->persistence_ms);
	shape_number(hash, group->persist_by);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		shape_number(hash, group->persist_mask[fam]);
		shape_number(hash, group->n_slots[fam]);
	}
	shape_number(hash, group->members.n);
	vec_each(&group->members, member)
		shape_text(hash, plan->gateways.v[member->gateway].name);
}

static void shape_rule(uint64_t *hash, const struct plan_rule *rule)
{
	shape_text(hash, rule->name);
	shape_prefixes(hash, rule->from.v, rule->from.n);
	shape_prefixes(hash, rule->to.v, rule->to.n);
	shape_bytes(hash, rule->protocols.v, rule->protocols.n);
	shape_ports(hash, rule->ports.v, rule->ports.n);
	shape_ports(hash, rule->sports.v, rule->sports.n);
	shape_bytes(hash, rule->dscp.v, rule->dscp.n);
	shape_number(hash, rule->by_interface);
	shape_number(hash, rule->by_name);
	shape_number(hash, rule->has_mark);
	shape_number(hash, rule->mark);
	shape_number(hash, rule->mark_mask);
	shape_number(hash, rule->own);
	shape_number(hash, rule->bypass);
	shape_number(hash, rule->group);
	shape_number(hash, rule->strict);
}

static void shape_service(uint64_t *hash, const struct plan_service *service)
{
	shape_text(hash, service->name);
	shape_number(hash, service->scheduler);
	shape_number(hash, service->persistence_ms);
	if (service->direct)
		shape_number(hash, service->inet);
	if (service->tunnel[FAM_4])
		shape_text(hash, "tunnel");
	shape_number(hash, service->by_real);
	shape_number(hash, service->keep_port);
	shape_number(hash, service->gated);
	shape_number(hash, service->limit_connections);
	shape_number(hash, service->limit_rate);
	shape_number(hash, service->syn_proxy);
	shape_number(hash, service->ftp);
	shape_bytes(hash, service->protocols.v, service->protocols.n);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		shape_number(hash, service->fam[fam]);
		shape_number(hash, service->persist_mask[fam]);
		shape_number(hash, service->n_slots[fam]);
		if (service->direct)
			shape_number(hash, service->near[fam]);
		shape_addr(hash, &service->source_first[fam]);
		shape_addr(hash, &service->source_last[fam]);
	}
	vec_each(&service->listens, listen) {
		if (listen->first == listen->last)
			continue; // an element
		shape_addr(hash, &listen->addr);
		shape_number(hash, (uint64_t)listen->first << 16 | listen->last);
	}
}

// Those of a service without chains of their own are elements alone.
static void shape_real(uint64_t *hash, const struct plan_real *real)
{
	shape_text(hash, real->name);
	shape_number(hash, real->role);
	shape_number(hash, real->forward);
	shape_addr(hash, &real->address);
	shape_number(hash, real->port);
	shape_number(hash, real->id);
	shape_number(hash, real->max_connections);
}

static void shape_set(uint64_t *hash, const struct plan_set *set)
{
	shape_text(hash, set->name);
	for (unsigned i = 0; i < ARRAY_SIZE(set->key); i++)
		if (i < 4 || set->key[i] != PLAN_T_NONE)
			shape_number(hash, set->key[i]);
	shape_number(hash, set->data);
	shape_number(hash, set->data_port);
	shape_number(hash, set->jump);
	if (set->table != PLAN_INET)
		shape_number(hash, set->table);
	shape_number(hash, set->dynamic);
	shape_number(hash, set->timeless);
	if (set->sweep_ms)
		shape_number(hash, set->sweep_ms);
	shape_number(hash, set->interval);
	shape_number(hash, set->size);
}

// Where slots hold addresses, a real has no chain; but whoever speaks from another address has a rule.
static void shape_fullnat(uint64_t *hash, const struct plan_service *service)
{
	bool ranges = false;
	vec_each(&service->listens, listen)
		ranges |= listen->first != listen->last;
	for (size_t i = 0; ranges && i < service->reals.n; i++)
		if (service->reals.v[i].forward == FORWARD_FULLNAT && !service->reals.v[i].port)
			shape_addr(hash, &service->reals.v[i].address);
	shape_number(hash, service->fullnat[FAM_4]);
	shape_number(hash, service->fullnat[FAM_6]);
}

uint64_t build_service_shape(const struct plan_service *service)
{
	uint64_t hash = HASH_START;
	shape_service(&hash, service);
	shape_fullnat(&hash, service);
	vec_each(&service->reals, real)
		if (service->by_real || service->direct_gated)
			shape_real(&hash, real);
	return hash_end(hash);
}

uint64_t build_set_shape(const struct plan_set *set)
{
	uint64_t hash = HASH_START;
	shape_set(&hash, set);
	return hash_end(hash);
}

// Rules for ranges of ports stand in chains of all services, in the order of the file. Tunnels have rules of their own.
uint64_t build_service_frame(const struct plan_service *service)
{
	uint64_t hash = HASH_START;
	bool any = false;
	vec_each(&service->listens, listen) {
		if (listen->first == listen->last)
			continue;
		any = true;
		shape_addr(&hash, &listen->addr);
		shape_number(&hash, (uint64_t)listen->first << 16 | listen->last);
	}
	if (any) {
		shape_number(&hash, service->inet);
		shape_number(&hash, service->direct);
		shape_bytes(&hash, service->protocols.v, service->protocols.n);
		shape_fullnat(&hash, service);
	}
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (service->tunnel[fam]) {
			any = true;
			shape_number(&hash, (uint64_t)fam);
		}
	if (any)
		shape_text(&hash, service->name);
	return any ? hash_end(hash) : 0;
}

static void shape_services(uint64_t *hash, const struct plan *plan)
{
	bool syn_proxy = false, ftp = false;
	vec_each(&plan->services, service) {
		uint64_t frame = build_service_frame(service);
		if (frame)
			shape_number(hash, frame);
		syn_proxy |= service->syn_proxy;
		ftp |= service->ftp;
	}
	shape_number(hash, plan->services.n > 0);
	shape_number(hash, syn_proxy);
	shape_number(hash, ftp);
	shape_number(hash, plan->netdev);
}

void build_shape(struct plan *plan)
{
	uint64_t hash = HASH_START;
	shape_number(&hash, SHAPE_VERSION);
	shape_number(&hash, plan->mark_mask);
	shape_number(&hash, plan->lan_networks);
	shape_number(&hash, plan->inside);
	shape_number(&hash, plan->outbound);
	vec_each(&plan->gateways, gw)
		shape_gateway(&hash, gw);
	vec_each(&plan->groups, group)
		shape_group(&hash, plan, group);
	vec_each(&plan->rules, rule)
		shape_rule(&hash, rule);
	shape_services(&hash, plan);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (plan->tunnel_mtu[fam])
			shape_number(&hash, (uint64_t)fam << 32 | plan->tunnel_mtu[fam]);
	shape_number(&hash, plan->default_group);
	shape_number(&hash, plan->default_own_group);
	vec_each(&plan->sets, set)
		if (!set->own)
			shape_set(&hash, set);
	plan->shape = plan->frame = hash_end(hash);
	vec_each(&plan->services, service)
		plan->shape += build_service_shape(service);
	vec_each(&plan->sets, set)
		if (set->own)
			plan->shape += build_set_shape(set);
}
