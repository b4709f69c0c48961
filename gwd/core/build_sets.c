// SPDX-License-Identifier: GPL-2.0-or-later
// The sets and maps of the outbound side: who is what, and where it goes now. Everything that can
// change without a change of configuration (a death, an address, an interface) is an element here.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_service.h"
#include "gwd/core/build_slots.h"
#include "gwd/core/facts.h"
#include "gwd/core/link.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/turns.h"

static struct plan_set *build_set(struct plan *plan, const char *name, enum plan_type key,
				  enum plan_type data)
{
	struct plan_set *set;
	vec_add(&plan->sets, set);
	snprintf(set->name, sizeof(set->name), "%s", name);
	set->key[0] = key;
	set->data = data;
	return set;
}

static bool build_has_key(const struct plan_set *set, const struct plan_elem *elem)
{
	vec_each(&set->elems, old)
		if (!plan_elem_compare(old, elem))
			return true;
	return false;
}

// The first to claim a key keeps it.
static void build_elem(struct plan_set *set, const void *key, size_t size, const char *chain)
{
	struct plan_elem elem = {0};
	assert(size <= sizeof(elem.key));
	memcpy(elem.key, key, size);
	if (chain)
		snprintf(elem.chain, sizeof(elem.chain), "%s", chain);
	if (!build_has_key(set, &elem))
		vec_push(&set->elems, elem);
}

static void build_ifname_elem(struct plan_set *set, const char *ifname, const char *chain)
{
	char key[16] = {0};
	memcpy(key, ifname, strnlen(ifname, sizeof(key) - 1));
	build_elem(set, key, sizeof(key), chain);
}

static bool build_is_gateway_iface(const struct plan *plan, const char *ifname)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->ifname, ifname))
			return true;
	return false;
}

// Every interface that a list of names and patterns means: plain names even before they exist.
static void build_patterns(struct plan_set *set, const struct plan *plan, const char *const *patterns,
			   size_t n, const struct facts *facts, const char *chain)
{
	for (size_t i = 0; i < n; i++) {
		if (!strchr(patterns[i], '*') && !(chain && build_is_gateway_iface(plan, patterns[i])))
			build_ifname_elem(set, patterns[i], chain);
		vec_each(&facts->ifaces, iface)
			if (model_interface_matches(patterns[i], iface->name) &&
			    strcmp(iface->name, "lo") != 0 &&
			    !(chain && build_is_gateway_iface(plan, iface->name)))
				build_ifname_elem(set, iface->name, chain);
	}
}

// The same by index. A name costs a packet more to look up, but is true from the moment an interface is
// created; so what goes by name stays behind these.
static void build_by_index(struct plan *plan, const char *name, size_t by_name, const struct facts *facts)
{
	struct plan_set *set = build_set(plan, name, PLAN_T_IFINDEX, plan->sets.v[by_name].data);
	const struct plan_set *names = &plan->sets.v[by_name];
	set->size = names->size;
	vec_each(&names->elems, elem) {
		const struct fact_iface *iface = facts_iface(facts, (const char *)elem->key);
		if (iface)
			build_elem(set, &iface->index, sizeof(iface->index),
				   set->data == PLAN_T_VERDICT ? elem->chain : NULL);
	}
}

static void build_interfaces(struct plan *plan, const struct build_input *input)
{
	char chain[PLAN_NAME_SIZE];
	struct plan_set *set = build_set(plan, "wan", PLAN_T_IFNAME, PLAN_T_NONE);
	set->size = PLAN_IDS_SIZE;
	vec_each(&plan->gateways, gw)
		build_ifname_elem(set, gw->ifname, NULL);
	build_by_index(plan, "wanif", plan->sets.n - 1, input->facts);
	set = build_set(plan, "class", PLAN_T_IFNAME, PLAN_T_VERDICT);
	set->size = PLAN_IFACES_SIZE;
	vec_each(&plan->gateways, gw)
		build_ifname_elem(set, gw->ifname,
				  gw->shared ? "shared" : name_gateway_chain(chain, "in", gw));
	const struct model_lan *lan = &input->model->lan;
	build_patterns(set, plan, (const char *const *)lan->interfaces, lan->n_interfaces, input->facts,
		       "lan");
	build_by_index(plan, "classif", plan->sets.n - 1, input->facts);
	for (size_t i = 0; i < input->model->n_rules; i++) {
		const struct model_rule *rule = &input->model->rules[i];
		if (!rule->n_interfaces)
			continue;
		snprintf(chain, sizeof(chain), "if.rule.%s", rule->name);
		set = build_set(plan, chain, PLAN_T_IFNAME, PLAN_T_NONE);
		build_patterns(set, plan, (const char *const *)rule->interfaces, rule->n_interfaces,
			       input->facts, NULL);
	}
}

// Gateways on one segment are told apart by the MAC of their next hops.
static void build_macs(struct plan *plan, const struct build_input *input, const struct link *links)
{
	char chain[PLAN_NAME_SIZE];
	struct plan_set *set = build_set(plan, "mac", PLAN_T_IFNAME, PLAN_T_VERDICT);
	set->key[1] = PLAN_T_ETHER;
	for (size_t i = 0; i < plan->gateways.n; i++) {
		const struct plan_gateway *gw = &plan->gateways.v[i];
		for (enum fam fam = FAM_4; gw->shared && fam < FAM_COUNT; fam++) {
			uint8_t key[24] = {0};
			const struct link_path *path = &links[i].path[fam];
			const uint8_t *mac = addr_is_none(&path->via)
						     ? NULL
						     : facts_mac(input->facts, links[i].ifindex, &path->via);
			if (!mac)
				continue;
			memcpy(key, gw->ifname, strlen(gw->ifname));
			memcpy(key + 16, mac, 6);
			build_elem(set, key, sizeof(key), name_gateway_chain(chain, "in", gw));
		}
	}
}

// The interface that the router's own unbound sockets get their source address from: main's default.
static uint32_t build_main_oif(const struct facts *facts, enum fam fam)
{
	const struct fact_route *best = NULL;
	vec_each(&facts->defaults, route)
		if (route->fam == fam && (!best || route->metric < best->metric))
			best = route;
	return best ? best->oif : 0;
}

// The router's own sockets that are bound to a link's address or device stay on that link. The address
// of main's default is left out: unbound sockets have it too, and those are balanced.
static void build_bound(struct plan *plan, const struct build_input *input, const struct link *links)
{
	char chain[PLAN_NAME_SIZE];
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct plan_set *set = build_set(plan, fam == FAM_4 ? "bound4" : "bound6",
						 fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6, PLAN_T_VERDICT);
		uint32_t main_oif = build_main_oif(input->facts, fam);
		for (size_t i = 0; i < plan->gateways.n; i++) {
			const struct fact_iface *iface =
				facts_iface(input->facts, plan->gateways.v[i].ifname);
			if (!iface || iface->index == main_oif || !links[i].path[fam].routable)
				continue;
			vec_each(&iface->addrs, own)
				if (own->usable && own->addr.family == fam_af(fam))
					build_elem(set, own->addr.b, addr_size(&own->addr),
						   name_gateway_chain(chain, "in", &plan->gateways.v[i]));
		}
	}
	struct plan_set *set = build_set(plan, "boundif", PLAN_T_IFNAME, PLAN_T_VERDICT);
	for (size_t i = 0; i < plan->gateways.n; i++) {
		bool is_main = links[i].present && (links[i].ifindex == build_main_oif(input->facts, FAM_4) ||
						    links[i].ifindex == build_main_oif(input->facts, FAM_6));
		if (!is_main)
			build_ifname_elem(set, plan->gateways.v[i].ifname,
					  name_gateway_chain(chain, "in", &plan->gateways.v[i]));
	}
}

static void build_by_mark(struct plan *plan, const char *name, const char *kind)
{
	char chain[PLAN_NAME_SIZE];
	struct plan_set *set = build_set(plan, name, PLAN_T_MARK, PLAN_T_VERDICT);
	set->size = PLAN_IDS_SIZE;
	vec_each(&plan->gateways, gw)
		build_elem(set, &gw->mark, sizeof(gw->mark), name_gateway_chain(chain, kind, gw));
}

static void build_lan_networks(struct plan *plan, const struct model_lan *lan)
{
	for (enum fam fam = FAM_4; lan->n_networks && fam < FAM_COUNT; fam++) {
		struct plan_set *set = build_set(plan, fam == FAM_4 ? "lan4" : "lan6",
						 fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6, PLAN_T_NONE);
		set->interval = true;
		for (size_t i = 0; i < lan->n_networks; i++) {
			if (addr_fam(&lan->networks[i].addr) != fam)
				continue;
			struct plan_elem elem = {0};
			struct addr last = prefix_last(&lan->networks[i]);
			memcpy(elem.key, lan->networks[i].addr.b, addr_size(&last));
			memcpy(elem.last, last.b, addr_size(&last));
			vec_push(&set->elems, elem);
		}
	}
}

// ---- groups --------------------------------------------------------------------------------

static void build_slot_map(struct plan *plan, const struct build_input *input, const struct plan_group *group,
			   enum fam fam)
{
	struct plan_set *set;
	vec_add(&plan->sets, set);
	build_slots(set, &(struct build_slots_input){
				 .plan = plan,
				 .group = group,
				 .fam = fam,
				 .model = input->model,
				 .loads = input->loads,
				 .turn = turns_get(input->turns, group->name, fam),
			 });
}

// Where a client goes whose pin was found; a draining gateway keeps its own without renewing their pins.
static void build_live(struct plan *plan, const struct plan_group *group, enum fam fam, const char *kind,
		       const char *(*name_chain)(char *, enum fam, const struct plan_group *,
						 const struct plan_gateway *))
{
	char name[PLAN_NAME_SIZE], chain[PLAN_NAME_SIZE];
	struct plan_set *set =
		build_set(plan, name_group(name, kind, fam, group), PLAN_T_MARK, PLAN_T_VERDICT);
	set->size = PLAN_IDS_SIZE;
	vec_each(&group->members, member) {
		const struct plan_gateway *gw = &plan->gateways.v[member->gateway];
		if (member->live[fam])
			build_elem(set, &gw->mark, sizeof(gw->mark),
				   member->weight ? name_chain(chain, fam, group, gw)
						  : name_gateway_chain(chain, "take", gw));
	}
}

static void build_pin_maps(struct plan *plan, const struct plan_group *group, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	enum plan_type address = fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
	struct plan_set *set = build_set(plan, name_pins(name, fam, group), address, PLAN_T_MARK);
	if (group->persist_by == PERSIST_SOURCE_DESTINATION)
		set->key[1] = address;
	set->dynamic = true;
	set->size = PLAN_PIN_SIZE;
	build_live(plan, group, fam, "live", name_keep);
	build_live(plan, group, fam, "livect", name_give);
}

// ---- all together --------------------------------------------------------------------------

static int build_compare_elems(const void *a, const void *b)
{
	return plan_elem_compare(a, b);
}

static int build_compare_sets(const void *a, const void *b)
{
	const struct plan_set *left = a, *right = b;
	return strcmp(left->name, right->name);
}

void build_sort(struct plan *plan)
{
	vec_each(&plan->sets, set)
		if (set->elems.n && !(plan->lent && set->own))
			qsort(set->elems.v, set->elems.n, sizeof(*set->elems.v), build_compare_elems);
	if (plan->sets.n)
		qsort(plan->sets.v, plan->sets.n, sizeof(*plan->sets.v), build_compare_sets);
}

void build_sets(struct plan *plan, const struct build_input *input, const struct link *links)
{
	build_interfaces(plan, input);
	build_macs(plan, input, links);
	build_bound(plan, input, links);
	build_by_mark(plan, "bymark", "in");
	build_by_mark(plan, "translate", "snat");
	build_speak(plan, links);
	build_lan_networks(plan, &input->model->lan);
	build_named(plan, input);
	build_cuts(plan);
	build_inside(plan, input);
	build_fastpath(plan, input);
	vec_each(&plan->groups, group) {
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			build_slot_map(plan, input, group, fam);
			if (group->persistence_ms)
				build_pin_maps(plan, group, fam);
		}
	}
	build_service_sets(plan, input);
	build_sort(plan);
}
