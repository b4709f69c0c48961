// SPDX-License-Identifier: GPL-2.0-or-later
// The sets and maps of the inbound side: which listener is whose, who takes the next connection, and
// whose pins still hold.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_direct.h"
#include "gwd/core/build_elem.h"
#include "gwd/core/build_service.h"
#include "gwd/core/facts.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/turns.h"

enum plan_type build_addr_type(enum fam fam)
{
	return fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
}

struct plan_set *build_new_set(struct plan *plan, const char *name, enum plan_type key, enum plan_type data)
{
	struct plan_set *set;
	vec_add(&plan->sets, set);
	snprintf(set->name, sizeof(set->name), "%s", name);
	set->key[0] = key;
	set->data = data;
	return set;
}

void build_conn_key(struct plan_set *set, enum fam fam)
{
	set->key[0] = set->key[3] = build_addr_type(fam);
	set->key[1] = PLAN_T_PROTO;
	set->key[2] = set->key[4] = PLAN_T_PORT;
}

size_t build_field(struct plan_elem *elem, size_t at, const void *value, size_t size)
{
	memcpy(elem->key + at, value, size);
	return at + (size + 3) / 4 * 4;
}

bool build_known(const struct plan_set *set, const struct plan_elem *elem)
{
	vec_each(&set->elems, old)
		if (!memcmp(old->key, elem->key, sizeof(elem->key)))
			return true;
	return false;
}

// ---- listeners -----------------------------------------------------------------------------

uint32_t build_room(size_t n)
{
	uint32_t room = PLAN_VIPS_SIZE;
	while (room < 2 * n)
		room *= 2;
	return room;
}

void build_listens(struct plan_set *set, const struct plan_service *service, enum fam fam, const char *tcp,
		   const char *other)
{
	vec_each(&service->listens, listen) {
		if (addr_fam(&listen->addr) != fam || listen->first != listen->last)
			continue; // a range is a rule of its own
		uint16_t port = htons(listen->first);
		vec_each(&service->protocols, protocol) {
			struct plan_elem elem = {0};
			size_t at = build_field(&elem, 0, listen->addr.b, addr_size(&listen->addr));
			at = build_field(&elem, at, protocol, sizeof(*protocol));
			build_field(&elem, at, &port, sizeof(port));
			name_service(elem.chain, *protocol == IPPROTO_TCP ? tcp : other, fam, service);
			vec_push(&set->elems, elem);
		}
	}
}

static void build_vips(struct plan *plan, enum fam fam)
{
	struct plan_set *set =
		build_new_set(plan, fam == FAM_4 ? "vip4" : "vip6", build_addr_type(fam), PLAN_T_VERDICT);
	set->key[1] = PLAN_T_PROTO;
	set->key[2] = PLAN_T_PORT;
	vec_each(&plan->services, service)
		if (service->inet)
			build_listens(set, service, fam, "service", "service");
	set->size = build_room(set->elems.n);
}

// ---- what is spoken from -------------------------------------------------------------------

// After the destination was translated a connection is known by listener's address and real. Where ports
// are kept, the listener's are the real's.
static void build_fullnat_elem(struct plan_set *set, const struct plan_service *service,
			       const struct plan_listen *listen, const struct plan_real *real,
			       uint16_t real_port, enum fam fam)
{
	uint16_t port = htons(real_port);
	vec_each(&service->protocols, protocol) {
		struct plan_elem elem = {0};
		size_t at = build_field(&elem, 0, listen->addr.b, addr_size(&listen->addr));
		at = build_field(&elem, at, real->address.b, addr_size(&real->address));
		at = build_field(&elem, at, protocol, sizeof(*protocol));
		build_field(&elem, at, &port, sizeof(port));
		name_service(elem.chain, "source", fam, service);
		elem.mark = (uint32_t)set->elems.n; // the order, for build_first_ones()
		vec_push(&set->elems, elem);
	}
}

static int build_earlier(const void *a, const void *b)
{
	const struct plan_elem *left = a, *right = b;
	int order = memcmp(left->key, right->key, sizeof(left->key));
	return order ? order : (left->mark > right->mark) - (left->mark < right->mark);
}

// The first to claim a key keeps it.
static void build_first_ones(struct plan_set *set)
{
	size_t kept = 0;
	if (set->elems.n)
		qsort(set->elems.v, set->elems.n, sizeof(*set->elems.v), build_earlier);
	for (size_t i = 0; i < set->elems.n; i++) {
		if (kept && !memcmp(set->elems.v[kept - 1].key, set->elems.v[i].key, PLAN_KEY_SIZE))
			continue;
		set->elems.v[kept] = set->elems.v[i];
		set->elems.v[kept++].mark = 0;
	}
	set->elems.n = kept;
}

static void build_fullnat(struct plan *plan, enum fam fam)
{
	struct plan_set fullnat = {.name = "fullnat4", .data = PLAN_T_VERDICT}, *set = &fullnat;
	if (fam == FAM_6)
		strcpy(set->name, "fullnat6");
	set->key[0] = set->key[1] = build_addr_type(fam);
	set->key[2] = PLAN_T_PROTO;
	set->key[3] = PLAN_T_PORT;
	vec_each(&plan->services, service) {
		for (size_t k = 0; service->fullnat[fam] && k < service->reals.n; k++) {
			const struct plan_real *real = &service->reals.v[k];
			if (real->forward != FORWARD_FULLNAT || !real->fam[fam])
				continue;
			vec_each(&service->listens, listen) {
				if (addr_fam(&listen->addr) != fam)
					continue;
				if (real->port || listen->first == listen->last)
					build_fullnat_elem(set, service, listen, real,
							   real->port ? real->port : listen->first, fam);
			}
		}
	}
	if (!set->elems.n)
		return; // a lookup that every new connection is spared
	build_first_ones(set);
	set->size = build_room(set->elems.n);
	vec_push(&plan->sets, fullnat);
}

// Interfaces of the LAN: who comes in by one and goes out by it again would be answered past us. Most connections come
// from elsewhere, and are told by the index of those that are there.
static void build_hairpin(struct plan *plan, const struct facts *facts)
{
	const struct plan_set *class = NULL;
	vec_each(&plan->sets, set)
		if (!strcmp(set->name, "class"))
			class = set;
	struct plan_set hairpin = {.name = "hairpin", .key = {PLAN_T_IFNAME, PLAN_T_IFNAME}};
	struct plan_set inside = {.name = "lanif", .key = {PLAN_T_IFINDEX}};
	hairpin.size = inside.size = PLAN_IFACES_SIZE;
	for (size_t i = 0; class && i < class->elems.n; i++) {
		const struct plan_elem *name = &class->elems.v[i];
		if (strcmp(name->chain, "lan") != 0)
			continue;
		struct plan_elem pair = {0}, index = {0};
		build_field(&pair, build_field(&pair, 0, name->key, 16), name->key, 16);
		vec_push(&hairpin.elems, pair);
		const struct fact_iface *iface = facts_iface(facts, (const char *)name->key);
		if (!iface)
			continue;
		build_field(&index, 0, &iface->index, sizeof(iface->index));
		vec_push(&inside.elems, index);
	}
	vec_push(&plan->sets, hairpin);
	vec_push(&plan->sets, inside);
}

// ---- one service ---------------------------------------------------------------------------

static void build_held(struct plan *plan, const struct plan_service *service, enum fam fam, const char *kind)
{
	char name[PLAN_NAME_SIZE];
	struct plan_set *set =
		build_new_set(plan, name_service(name, kind, fam, service), PLAN_T_MARK, PLAN_T_VERDICT);
	set->size = PLAN_IDS_SIZE;
	while (set->size < service->reals.n)
		set->size *= 2;
	vec_each(&service->reals, real) {
		if (!real->live[fam] || plan_real_is_direct(real))
			continue;
		struct plan_elem elem = {0};
		build_field(&elem, 0, &real->id, sizeof(real->id));
		name_real(elem.chain, kind, fam, service, real);
		if (!build_known(set, &elem))
			vec_push(&set->elems, elem);
	}
}

static void build_sticks(struct plan *plan, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	struct plan_set *set = build_new_set(plan, name_service(name, "stick", fam, service),
					     build_addr_type(fam), PLAN_T_MARK);
	set->dynamic = true;
	set->size = PLAN_PIN_SIZE;
	build_held(plan, service, fam, "held");
	build_held(plan, service, fam, "heldct");
}

static void build_limits(struct plan *plan, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	struct plan_set *set;
	if (service->limit_rate) {
		set = build_new_set(plan, name_limit(name, "rate", fam, service, service->limit_rate),
				    build_addr_type(fam), PLAN_T_NONE);
		set->dynamic = true;
		set->size = PLAN_PIN_SIZE;
	}
	if (service->limit_connections) {
		set = build_new_set(plan, name_limit(name, "many", fam, service, service->limit_connections),
				    build_addr_type(fam), PLAN_T_NONE);
		set->dynamic = set->timeless = true;
		set->size = PLAN_PIN_SIZE;
	}
}

// The packet path puts a connection in and the daemon takes it out when it ends.
static void build_places(struct plan *plan, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	struct plan_set *set;
	vec_each(&service->reals, real) {
		if (!real->max_connections || !real->fam[fam] || plan_real_is_direct(real))
			continue;
		set = build_new_set(plan, name_places(name, fam, service, real), build_addr_type(fam),
				    PLAN_T_NONE);
		build_conn_key(set, fam);
		set->dynamic = set->timeless = true;
		set->size = real->max_connections;
	}
	vec_add(&plan->sets, set);
	build_gate(set, service, fam, PLAN_INET);
}

void build_mark_own(struct plan *plan, size_t from)
{
	for (size_t i = from; i < plan->sets.n; i++)
		plan->sets.v[i].own = true;
}

void build_own_sets(struct plan *plan, const struct plan_service *service, const struct build_input *input)
{
	char name[PLAN_GROUP_NAME_SIZE];
	size_t before = plan->sets.n;
	name_service_turn(name, service, PLAN_INET);
	for (enum fam fam = FAM_4; service->inet && fam < FAM_COUNT; fam++) {
		struct plan_set *set;
		if (!service->fam[fam])
			continue;
		vec_add(&plan->sets, set);
		build_pool(set, service, fam, turns_get(input->turns, name, fam));
		if (service->persistence_ms)
			build_sticks(plan, service, fam);
		build_limits(plan, service, fam);
		if (service->gated)
			build_places(plan, service, fam);
	}
	build_mark_own(plan, before);
}

static void build_lent_sets(struct plan *plan, const struct plan *standing)
{
	vec_each(&standing->sets, set)
		if (set->own)
			vec_push(&plan->sets, *set);
}

void build_service_sets(struct plan *plan, const struct build_input *input)
{
	if (!plan->services.n)
		return;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		build_vips(plan, fam);
		build_fullnat(plan, fam);
	}
	build_hairpin(plan, input->facts);
	build_synproxy(plan, input);
	if (plan->netdev)
		build_direct_sets(plan, input);
	if (plan->lent)
		build_lent_sets(plan, input->standing);
	else
		vec_each(&plan->services, service)
			build_own_sets(plan, service, input);
}
