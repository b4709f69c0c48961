// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/build_direct.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/words.h"
#include "gwd/core/build.h"
#include "gwd/core/build_elem.h"
#include "gwd/core/build_service.h"
#include "gwd/core/facts.h"
#include "gwd/core/leaving.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/slots.h"
#include "gwd/core/turns.h"

// ---- reals ---------------------------------------------------------------------------------

static bool build_on_link(const struct fact_addr *own, const struct addr *addr)
{
	struct prefix net = {.addr = own->addr, .len = own->len};
	addr_mask(&net.addr, net.len);
	return own->addr.family == addr->family && prefix_contains(&net, addr);
}

// The longest prefix wins, and a link that carries something before one that doesn't.
const struct fact_iface *build_direct_link(const struct facts *facts, const struct addr *addr)
{
	const struct fact_iface *link = NULL;
	unsigned best = 0;
	vec_each(&facts->ifaces, iface) {
		vec_each(&iface->addrs, own) {
			if (own->len == 8 * addr_size(&own->addr))
				continue; // it leads nowhere
			unsigned rank = 2u * own->len + iface->carrier + 1;
			if (!iface->up || rank <= best || !build_on_link(own, addr))
				continue;
			best = rank;
			link = iface;
		}
	}
	return link;
}

void build_direct_way(struct plan_real *real, const struct facts *facts)
{
	const struct fact_iface *link = build_direct_link(facts, &real->address);
	if (link) {
		real->oif = link->index;
		memcpy(real->ifname, link->name, sizeof(real->ifname));
	}
	if (link || !real->usable)
		return;
	real->usable = false;
	real->state = STATE_DOWN;
	word_drop(real->reason);
	real->reason = word_take("no interface of this host that is up is in its network");
}

// Whether they are up plays no part, so that none who comes or goes changes the chains.
static uint32_t build_direct_only(const struct plan_service *service, enum fam fam)
{
	uint32_t only = 0;
	vec_each(&service->reals, real) {
		if (!plan_real_is_direct(real) || !real->fam[fam])
			continue;
		if (real->forward == FORWARD_TUN)
			return 0;
		if (only && real->oif && real->oif != only)
			return 0;
		if (real->oif)
			only = real->oif;
	}
	return only;
}

void build_direct_near(struct plan_service *service)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		service->near[fam] = build_direct_only(service, fam);
}

static int build_compare_ids(const void *a, const void *b)
{
	uint32_t left = (*(struct plan_real *const *)a)->id, right = (*(struct plan_real *const *)b)->id;
	return left < right ? -1 : left > right;
}

// Of two with the same id one gets the next free one. (Elsewhere ids of one service alone meet.)
void build_direct_ids(struct plan *plan)
{
	VEC(struct plan_real *) all = {0};
	bool again = true;
	if (!plan->netdev)
		return;
	vec_each(&plan->services, service)
		vec_each(&service->reals, real)
			vec_push(&all, real);
	while (again) {
		again = false;
		qsort(all.v, all.n, sizeof(*all.v), build_compare_ids);
		for (size_t i = 1; i < all.n; i++)
			if (all.v[i]->id == all.v[i - 1]->id) {
				all.v[i]->id = all.v[i]->id == UINT32_MAX ? 1 : all.v[i]->id + 1;
				again = true;
			}
	}
	vec_free(&all);
}

// ---- sets of all services --------------------------------------------------------------------

static struct plan_set *build_direct_set(struct plan *plan, const char *kind, enum fam fam,
					 enum plan_type key, enum plan_type data)
{
	char name[PLAN_NAME_SIZE];
	snprintf(name, sizeof(name), "%s%c", kind, fam == FAM_4 ? '4' : '6');
	struct plan_set *set = build_new_set(plan, name, key, data);
	set->table = PLAN_NETDEV;
	return set;
}

static void build_direct_listens(struct plan *plan, enum fam fam, const char *kind, const char *tcp,
				 const char *other)
{
	struct plan_set *set = build_direct_set(plan, kind, fam, build_addr_type(fam), PLAN_T_VERDICT);
	set->key[1] = PLAN_T_PROTO;
	set->key[2] = PLAN_T_PORT;
	vec_each(&plan->services, service)
		if (service->direct)
			build_listens(set, service, fam, tcp, other);
	set->size = build_room(set->elems.n);
}

enum build_id { BUILD_ID_ADDR, BUILD_ID_DEV, BUILD_ID_NEAR, BUILD_ID_UP, BUILD_ID_LIVE, BUILD_ID_TUNNEL };

static bool build_id_belongs(const struct plan_service *service, const struct plan_real *real, enum fam fam,
			     enum build_id what)
{
	if (!real->fam[fam] || !real->usable)
		return false;
	switch (what) {
	case BUILD_ID_ADDR:
	case BUILD_ID_DEV:
		return plan_real_is_direct(real);
	case BUILD_ID_NEAR:
		return real->forward == FORWARD_DR && real->oif && real->oif == service->near[fam];
	case BUILD_ID_UP:
		return !plan_real_is_direct(real);
	case BUILD_ID_LIVE:
		return real->live[fam];
	case BUILD_ID_TUNNEL:
		return real->forward == FORWARD_TUN;
	}
	return false;
}

static void build_direct_id(struct plan_set *set, const struct plan_real *real, enum build_id what)
{
	struct plan_elem elem = {0};
	build_field(&elem, 0, &real->id, sizeof(real->id));
	if (what == BUILD_ID_ADDR || what == BUILD_ID_NEAR)
		memcpy(elem.last, real->address.b, addr_size(&real->address));
	if (what == BUILD_ID_DEV)
		elem.mark = real->oif;
	vec_push(&set->elems, elem);
}

static struct plan_set *build_direct_ids_set(struct plan *plan, enum fam fam, enum build_id what)
{
	static const char *const names[] = {
		[BUILD_ID_ADDR] = "draddr", [BUILD_ID_DEV] = "drdev",   [BUILD_ID_NEAR] = "drnear",
		[BUILD_ID_UP] = "drup",     [BUILD_ID_LIVE] = "drlive", [BUILD_ID_TUNNEL] = "drtun"};
	bool addr = what == BUILD_ID_ADDR || what == BUILD_ID_NEAR;
	enum plan_type data = addr                   ? build_addr_type(fam)
			      : what == BUILD_ID_DEV ? PLAN_T_IFINDEX
						     : PLAN_T_NONE;
	return build_direct_set(plan, names[what], fam, PLAN_T_MARK, data);
}

static void build_direct_reals_of(struct plan_set *set, const struct plan_service *service, enum fam fam,
				  enum build_id what)
{
	vec_each(&service->reals, real)
		if (build_id_belongs(service, real, fam, what))
			build_direct_id(set, real, what);
}

static void build_direct_reals(struct plan *plan, enum fam fam, enum build_id what)
{
	size_t n = 0;
	struct plan_set *set = build_direct_ids_set(plan, fam, what);
	vec_each(&plan->services, service) {
		if (!service->direct)
			continue;
		n += service->reals.n;
		build_direct_reals_of(set, service, fam, what);
	}
	set->size = build_room(n);
}

void build_direct_parts(struct plan *plan, const struct plan_service *service)
{
	for (enum fam fam = FAM_4; service->direct && fam < FAM_COUNT; fam++)
		for (enum build_id what = BUILD_ID_ADDR; what <= BUILD_ID_TUNNEL; what++)
			if (what != BUILD_ID_TUNNEL || (fam == FAM_4 && service->tunnel[fam]))
				build_direct_reals_of(build_direct_ids_set(plan, fam, what), service, fam,
						      what);
}

static void build_direct_fragments(struct plan *plan, enum fam fam)
{
	struct plan_set *set = build_direct_set(plan, "drfrag", fam, build_addr_type(fam), PLAN_T_MARK);
	set->key[1] = build_addr_type(fam);
	set->key[2] = fam == FAM_4 ? PLAN_T_FRAGMENT : PLAN_T_MARK;
	set->key[3] = fam == FAM_4 ? PLAN_T_PROTO : PLAN_T_NONE;
	set->dynamic = true;
	set->size = PLAN_FRAGMENTS_SIZE;
}

// Ends of tunnels, in table inet; of IPv4, what takes a mark off packets too big for one, and who was told.
static void build_direct_tunnels(struct plan *plan, const struct leaving *leaving, enum fam fam)
{
	struct plan_set *set =
		build_new_set(plan, fam == FAM_4 ? "tunnel4" : "tunnel6", build_addr_type(fam), PLAN_T_NONE);
	vec_each(&plan->tunnels, tunnel) {
		struct plan_elem elem = {0};
		if (addr_fam(&tunnel->remote) != fam)
			continue;
		build_field(&elem, 0, tunnel->remote.b, addr_size(&tunnel->remote));
		vec_push(&set->elems, elem);
	}
	set->size = build_room(plan->tunnels.n);
	if (fam == FAM_6)
		return;
	build_direct_reals(plan, fam, BUILD_ID_TUNNEL);
	for (size_t i = 0; leaving && i < leaving->tunnels.n; i++) {
		struct plan_elem elem = {0};
		build_field(&elem, 0, &leaving->tunnels.v[i].id, sizeof(leaving->tunnels.v[i].id));
		set = &plan->sets.v[plan->sets.n - 1];
		if (addr_fam(&leaving->tunnels.v[i].remote) == fam && set->elems.n < set->size)
			vec_push(&set->elems, elem);
	}
	set = build_direct_set(plan, "drtold", fam, build_addr_type(fam), PLAN_T_NONE);
	set->dynamic = true;
	set->size = PLAN_SOON_OVER_SIZE;
}

// Clients may come by every interface but the loopback.
static void build_direct_devices(struct plan *plan, const struct facts *facts)
{
	struct plan_set *set = build_new_set(plan, "ingress", PLAN_T_INDEX, PLAN_T_NONE);
	set->table = PLAN_NETDEV;
	set->ingress = true;
	vec_each(&facts->ifaces, iface) {
		struct plan_elem elem = {0};
		if (!strcmp(iface->name, "lo"))
			continue;
		build_field(&elem, 0, &iface->index, sizeof(iface->index));
		memcpy(elem.last, iface->name, sizeof(elem.last));
		vec_push(&set->elems, elem);
	}
}

// ---- the way back through us -------------------------------------------------------------------

// The gateway of the link whose network the VIP is in.
static const struct plan_gateway *build_vip_gateway(const struct plan *plan, const struct facts *facts,
						    const struct addr *vip)
{
	vec_each(&plan->gateways, gw) {
		const struct fact_iface *iface = facts_iface(facts, gw->ifname);
		for (size_t i = 0; iface && i < iface->addrs.n; i++)
			if (build_on_link(&iface->addrs.v[i], vip))
				return gw;
	}
	return NULL;
}

static void build_direct_answer(struct plan_set *vips, struct plan_set *back, const struct addr *vip,
				const struct plan_gateway *gw)
{
	struct plan_elem elem = {0};
	build_field(&elem, 0, vip->b, addr_size(vip));
	if (build_known(vips, &elem))
		return;
	vec_push(&vips->elems, elem);
	if (!gw)
		return;
	elem.mark = gw->mark;
	vec_push(&back->elems, elem);
}

// Answers of reals whose gateway we are: they come from the VIP, and conntrack has not seen the questions.
static void build_direct_answers(struct plan *plan, const struct facts *facts, enum fam fam)
{
	struct plan_set vips = {.key = {build_addr_type(fam)}};
	struct plan_set back = {.key = {build_addr_type(fam)}, .data = PLAN_T_MARK};
	snprintf(vips.name, sizeof(vips.name), "dranswer%c", fam == FAM_4 ? '4' : '6');
	snprintf(back.name, sizeof(back.name), "drback%c", fam == FAM_4 ? '4' : '6');
	vec_each(&plan->services, service)
		vec_each(&service->listens, listen)
			if (service->direct && addr_fam(&listen->addr) == fam)
				build_direct_answer(&vips, &back, &listen->addr,
						    build_vip_gateway(plan, facts, &listen->addr));
	vips.size = back.size = build_room(vips.elems.n);
	vec_push(&plan->sets, vips);
	vec_push(&plan->sets, back);
}

// ---- sets of one service -------------------------------------------------------------------------

void build_direct_pool(struct plan_set *set, const struct plan_service *service, enum fam fam,
		       struct ring_turn turn)
{
	uint16_t slots[SLOTS_MAX];
	name_direct_pool(set->name, fam, service);
	set->table = PLAN_NETDEV;
	set->key[0] = PLAN_T_INDEX;
	set->data = PLAN_T_MARK;
	set->size = set->modulus = service->n_slots[fam];
	build_pool_draw(slots, service, fam, PLAN_NETDEV, turn);
	for (uint32_t i = 0; i < set->size; i++) {
		struct plan_elem elem = {0};
		if (slots[i] == SLOT_EMPTY)
			continue;
		build_field(&elem, 0, &i, sizeof(i));
		elem.mark = service->reals.v[slots[i]].id;
		vec_push(&set->elems, elem);
	}
}

static struct plan_set *build_direct_map(struct plan *plan, const char *name, enum fam fam, uint32_t size)
{
	struct plan_set *set = build_new_set(plan, name, build_addr_type(fam), PLAN_T_MARK);
	set->table = PLAN_NETDEV;
	set->dynamic = true;
	set->size = size;
	return set;
}

static struct plan_set *build_direct_conns(struct plan *plan, const char *name, enum fam fam, uint32_t size)
{
	struct plan_set *set = build_direct_map(plan, name, fam, size);
	build_conn_key(set, fam);
	return set;
}

static bool build_has_tcp(const struct plan_service *service)
{
	return service->protocols.n && memchr(service->protocols.v, IPPROTO_TCP, service->protocols.n);
}

// To sweep a set costs more the more there are in it: a percent or so.
static uint32_t build_places_sweep(uint32_t size)
{
	uint32_t ms = size / 50;
	return ms < 200 ? 200 : ms > 1000 ? 1000 : ms;
}

static void build_direct_places(struct plan *plan, const struct plan_service *service, enum fam fam)
{
	static const char *const kinds[] = {"drtry", "drbegun", "drrun", "drend"};
	char name[PLAN_NAME_SIZE];
	struct plan_set *set;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (i == 1 && !build_has_tcp(service))
			continue;
		set = build_new_set(plan, name_service(name, kinds[i], fam, service), PLAN_T_MARK,
				    PLAN_T_VERDICT);
		set->table = PLAN_NETDEV;
		set->jump = i > 0;
		set->size = build_room(service->reals.n);
		vec_each(&service->reals, real) {
			struct plan_elem elem = {0};
			if (!plan_real_has_places(real, fam))
				continue;
			build_field(&elem, 0, &real->id, sizeof(real->id));
			name_real(elem.chain, kinds[i], fam, service, real);
			vec_push(&set->elems, elem);
		}
	}
	vec_each(&service->reals, real) {
		if (!plan_real_has_places(real, fam))
			continue;
		set = build_direct_conns(plan, name_places(name, fam, service, real), fam,
					 real->max_connections);
		set->data = PLAN_T_NONE;
		set->sweep_ms = build_places_sweep(set->size);
	}
	vec_add(&plan->sets, set);
	build_gate(set, service, fam, PLAN_NETDEV);
}

static void build_direct_family(struct plan *plan, const struct build_input *input,
				const struct plan_service *service, enum fam fam)
{
	char name[PLAN_GROUP_NAME_SIZE], map[PLAN_NAME_SIZE];
	struct plan_set *set;
	name_service_turn(name, service, PLAN_NETDEV);
	vec_add(&plan->sets, set);
	build_direct_pool(set, service, fam, turns_get(input->turns, name, fam));
	build_direct_conns(plan, name_service(map, "drconn", fam, service), fam, PLAN_CONNS_SIZE);
	build_direct_conns(plan, name_service(map, "drlast", fam, service), fam, PLAN_SOON_OVER_SIZE);
	if (!service->direct_gated)
		build_direct_conns(plan, name_service(map, "drseen", fam, service), fam, PLAN_CONNS_SIZE);
	if (plan_draw_has_state(service->scheduler) || service->direct_gated)
		build_direct_conns(plan, name_service(map, "drhalf", fam, service), fam, PLAN_SOON_OVER_SIZE);
	if (service->persistence_ms)
		build_direct_map(plan, name_service(map, "drstick", fam, service), fam, PLAN_PIN_SIZE);
	if (service->direct_gated)
		build_direct_places(plan, service, fam);
}

void build_direct_own_sets(struct plan *plan, const struct plan_service *service,
			   const struct build_input *input)
{
	size_t before = plan->sets.n;
	for (enum fam fam = FAM_4; service->direct && fam < FAM_COUNT; fam++)
		if (service->fam[fam])
			build_direct_family(plan, input, service, fam);
	build_mark_own(plan, before);
}

void build_direct_sets(struct plan *plan, const struct build_input *input)
{
	build_direct_devices(plan, input->facts);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		build_direct_listens(plan, fam, "drvip", "drtcp", "drany");
		build_direct_listens(plan, fam, "drquote", "drerr", "drerr");
		build_direct_fragments(plan, fam);
		build_direct_answers(plan, input->facts, fam);
		for (enum build_id what = BUILD_ID_ADDR; what <= BUILD_ID_LIVE; what++)
			build_direct_reals(plan, fam, what);
		if (plan->tunnel_mtu[fam])
			build_direct_tunnels(plan, input->leaving, fam);
	}
	vec_each(&plan->services, service)
		build_direct_own_sets(plan, service, input);
}
