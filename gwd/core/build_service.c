// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/build_service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "gwd/base/words.h"
#include "gwd/core/build.h"
#include "gwd/core/build_direct.h"
#include "gwd/core/leaving.h"
#include "gwd/core/manual.h"
#include "gwd/core/names.h"
#include "gwd/core/pick.h"
#include "gwd/core/plan.h"
#include "gwd/core/ramp.h"
#include "gwd/core/real.h"
#include "gwd/core/ring.h"
#include "gwd/core/slots.h"
#include "gwd/core/tunnel.h"

#define BUILD_REASON 200
#define BUILD_GATE_ROOM 16 // reals to try, at least

// ---- one real ------------------------------------------------------------------------------

// As snprintf() with "%s" does, for what is done a hundred thousand times.
static void build_put(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);
	n = n < size ? n : size - 1;
	memcpy(to, text, n);
	to[n] = 0;
}

// What a client's pin remembers. Each pair of reals shares an id once in four thousand million, and n reals are n(n-1)/2
// pairs: of 100,000 one pair is to be expected, in a service of a hundred none in 860,000 such services.
static uint32_t build_real_id(const char *service, const char *real)
{
	uint64_t hash = hash_add(hash_add(HASH_START, service, strlen(service) + 1), real, strlen(real) + 1);
	uint32_t id = (uint32_t)hash_end(hash);
	return id ? id : 1;
}

static void build_real_address(struct plan_real *real, const struct model_real *conf,
			       const struct plan_service *service)
{
	real->address = conf->address;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		real->fam[fam] = service->fam[fam] &&
				 (addr_is_none(&conf->address) || addr_fam(&conf->address) == fam);
}

static bool build_real_usable(enum state state)
{
	return state == STATE_UP || state == STATE_UNKNOWN || state == STATE_DEGRADED;
}

// The verdict, and above it what is set by hand.
static void build_real_state(struct plan_real *real, char reason[BUILD_REASON], const struct real_now *now,
			     bool probed, const struct manual_entry *manual)
{
	const struct verdict *verdict = now->verdict;
	char by_hand[MANUAL_TEXT];
	real->state = verdict ? verdict->state : probed ? STATE_UNKNOWN : STATE_UP;
	build_put(reason, BUILD_REASON,
		  verdict && verdict->reason[0] ? verdict->reason
		  : probed                      ? "not probed yet"
						: "not probed");
	real->manual = word_take(manual_text(manual, by_hand));
	real->usable = build_real_usable(real->state) && !(manual && manual->disabled);
	real->full = now->full && real->max_connections;
	real->connections = now->connections;
	real->closed = now->closed;
	if (manual && manual->disabled) {
		real->state = STATE_DISABLED;
		snprintf(reason, BUILD_REASON, "%s", real->manual);
	} else if (!real->undrained || (manual && manual->drained)) {
		real->state = real->usable ? STATE_DRAIN : real->state;
	} else if (real->usable && real->full) {
		size_t n = strlen(reason);
		snprintf(reason + n, BUILD_REASON - n, "; max-connections reached");
	}
}

// Only where it says something: whoever is not in use has no ramp yet.
static void build_real_ramp(struct plan_real *real, char reason[BUILD_REASON], const struct real_now *now)
{
	size_t n = strlen(reason);
	if (!real->usable || real->state == STATE_DEGRADED || real->state == STATE_DRAIN)
		return;
	real->held = now->held;
	if (real->held)
		snprintf(reason + n, BUILD_REASON - n, "; slow-start: %u%% of its share",
			 (RAMP_FULL - real->held) * 100 / RAMP_FULL);
}

static void build_real(struct plan_service *service, const struct build_input *input,
		       const struct model_service *listens, const struct model_real *conf,
		       const struct real_now *now)
{
	char name[MODEL_REAL_NAME_SIZE], reason[BUILD_REASON];
	struct plan_real *real;
	const struct manual_entry *manual = NULL;
	if (input->manual && input->manual->entries.n) {
		snprintf(name, sizeof(name), "%s/%s", service->name, conf->name);
		manual = manual_find(input->manual, name);
	}
	vec_add(&service->reals, real);
	build_put(real->name, sizeof(real->name), conf->name);
	real->role = conf->role;
	real->forward = conf->forward;
	real->id = build_real_id(service->name, real->name);
	real->max_connections = conf->max_connections;
	real->min_connections = conf->min_connections;
	real->undrained = manual && manual->weighted ? manual->weight : conf->weight;
	real->weight = manual_weight(manual, conf->weight);
	real->port = model_real_port(listens, conf);
	build_real_address(real, conf, service);
	build_real_state(real, reason, now, conf->n_probes > 0, manual);
	build_real_ramp(real, reason, now);
	real->reason = word_take(reason);
	if (real->forward == FORWARD_TUN)
		tunnel_way(real, input);
	else if (plan_real_is_direct(real))
		build_direct_way(real, input->facts);
}

// ---- one service ---------------------------------------------------------------------------

// In table inet: where every real is an address with a port, or every one without, slots hold addresses.
// Otherwise they lead to a chain for each real.
static void build_form(struct plan_service *service)
{
	size_t keep = 0, n = 0;
	service->by_real = service->persistence_ms > 0;
	vec_each(&service->reals, real) {
		for (enum fam fam = FAM_4; real->forward == FORWARD_FULLNAT && fam < FAM_COUNT; fam++)
			service->fullnat[fam] |= real->fam[fam];
		if (plan_real_is_direct(real)) {
			service->direct = true;
			service->tunnel[addr_fam(&real->address)] |= real->forward == FORWARD_TUN;
			service->direct_gated |= real->max_connections > 0;
			continue;
		}
		n++;
		keep += !real->port;
		if (real->max_connections)
			service->gated = true;
		if (real->max_connections || real->forward == FORWARD_LOCAL)
			service->by_real = true;
	}
	service->inet = n > 0;
	if (service->inet && service->direct_gated) // what table netdev has no place for
		service->gated = service->by_real = true;
	if (keep && keep < n)
		service->by_real = true;
	service->keep_port = keep > 0;
}

static unsigned build_real_tier(const struct plan_real *real)
{
	return (unsigned)real->role + 1;
}

static void build_service_pick(struct plan_service *service, enum fam fam)
{
	size_t n = service->reals.n;
	struct pick_member *picks = xcalloc(n, sizeof(*picks));
	for (size_t i = 0; i < n; i++) {
		const struct plan_real *real = &service->reals.v[i];
		bool takes = real->fam[fam] && real->usable && !real->full;
		enum state state = real->state == STATE_DEGRADED ? STATE_DEGRADED : STATE_UP;
		picks[i] = (struct pick_member){.state = takes ? state : STATE_DOWN,
						.tier = build_real_tier(real),
						.weight = real->weight};
	}
	service->tier[fam] = pick_members(picks, n, service->scheduler);
	for (size_t i = 0; i < n; i++) {
		struct plan_real *real = &service->reals.v[i];
		real->active[fam] = picks[i].active;
		real->live[fam] = real->fam[fam] && real->usable && !real->full && real->role == ROLE_REAL;
	}
	free(picks);
}

static void build_service_slots(struct plan_service *service)
{
	size_t n = service->reals.n;
	struct slots_member *members = xcalloc(n, sizeof(*members));
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		for (size_t i = 0; i < n; i++) {
			const struct plan_real *real = &service->reals.v[i];
			members[i] = (struct slots_member){.tier = build_real_tier(real),
							   .weight = real->fam[fam] ? real->undrained : 0};
		}
		service->n_slots[fam] = slots_count(service->scheduler, members, n);
		build_service_pick(service, fam);
	}
	free(members);
}

static void build_service_options(struct plan_service *service, const struct model_service *conf)
{
	snprintf(service->name, sizeof(service->name), "%s", conf->name);
	service->scheduler = conf->scheduler;
	service->persistence_ms = conf->persistence_ms;
	service->cut = conf->cut;
	service->limit_connections = conf->limit_connections;
	service->limit_rate = conf->limit_rate;
	service->syn_proxy = conf->syn_proxy;
	service->ftp = conf->ftp;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		service->persist_mask[fam] = (uint8_t)conf->persist_mask[fam];
		service->source_first[fam] = conf->source_first[fam];
		service->source_last[fam] = conf->source_last[fam];
	}
	for (size_t i = 0; i < conf->n_listens; i++) {
		const struct model_listen *listen = &conf->listens[i];
		vec_push(&service->listens, (struct plan_listen){listen->addr, listen->first, listen->last});
		service->fam[addr_fam(&listen->addr)] = true;
	}
	for (size_t i = 0; i < conf->n_protocols; i++)
		vec_push(&service->protocols, conf->protocols[i]);
}

void build_service(struct plan_service *service, const struct build_input *input, size_t i)
{
	static const struct real_now nothing;
	const struct model_service *conf = &input->model->services[i];
	build_service_options(service, conf);
	vec_reserve(&service->reals, conf->n_reals);
	for (size_t k = 0; k < conf->n_reals; k++)
		build_real(service, input, conf, &conf->reals[k],
			   input->reals ? &input->reals[i][k] : &nothing);
	build_form(service);
	build_direct_near(service);
	build_service_slots(service);
}

// Nobody knows any more whose they were.
static void build_leaving(struct plan_service *service, const struct leaving *leaving)
{
	for (size_t i = 0; leaving && service->direct && i < leaving->tunnels.n; i++) {
		enum fam fam = addr_fam(&leaving->tunnels.v[i].remote);
		service->tunnel[fam] |= service->fam[fam];
	}
}

static void build_lent(struct plan *plan, const struct plan *standing)
{
	assert(!standing->netdev && standing->frame);
	plan->lent = true;
	plan->services = standing->services;
}

void build_services(struct plan *plan, const struct build_input *input)
{
	if (input->standing) {
		build_lent(plan, input->standing);
		return;
	}
	vec_reserve(&plan->services, input->model->n_services);
	for (size_t i = 0; i < input->model->n_services; i++) {
		struct plan_service *service;
		vec_add(&plan->services, service);
		build_service(service, input, i);
		build_leaving(service, input->leaving);
		plan->netdev |= service->direct;
	}
	build_direct_ids(plan);
}

// ---- the slot map --------------------------------------------------------------------------

// Table netdev draws one of all reals, table inet one of those that it left over.
static bool build_in_pool(const struct plan_service *service, size_t i, enum fam fam, enum plan_table table)
{
	const struct plan_real *real = &service->reals.v[i];
	return real->active[fam] && (table == PLAN_NETDEV || !plan_real_is_direct(real));
}

static void build_pool_ring(uint16_t *slots, const struct plan_service *service, enum fam fam,
			    enum plan_table table, struct ring_turn turn)
{
	size_t n = service->reals.n;
	struct ring_member *members = xcalloc(n, sizeof(*members));
	for (size_t i = 0; i < n; i++)
		members[i] = (struct ring_member){.flows = service->reals.v[i].connections,
						  .closed = service->reals.v[i].closed,
						  .weight = service->reals.v[i].weight,
						  .held = service->reals.v[i].held,
						  .active = build_in_pool(service, i, fam, table)};
	ring_fill(slots, service->n_slots[fam], turn, service->scheduler, members, n);
	free(members);
}

// The weights of tiers that wait have no say: a sorry server alone has all slots.
static void build_pool_slots(uint16_t *slots, const struct plan_service *service, enum fam fam,
			     enum plan_table table)
{
	size_t n = service->reals.n;
	struct slots_member *members = xcalloc(n, sizeof(*members));
	for (size_t i = 0; i < n; i++) {
		const struct plan_real *real = &service->reals.v[i];
		members[i] = (struct slots_member){.name = real->name,
						   .weight = real->fam[fam] ? real->weight : 0,
						   .tier = build_real_tier(real),
						   .held = real->held,
						   .active = build_in_pool(service, i, fam, table)};
	}
	slots_build(slots, service->n_slots[fam], service->scheduler, members, n, service->tier[fam]);
	free(members);
}

void build_pool_draw(uint16_t *slots, const struct plan_service *service, enum fam fam, enum plan_table table,
		     struct ring_turn turn)
{
	if (ring_schedules(service->scheduler))
		build_pool_ring(slots, service, fam, table, turn);
	else
		build_pool_slots(slots, service, fam, table);
}

// Backups and the sorry server are never remembered.
static bool build_remembered(const struct plan_service *service, const struct plan_real *real)
{
	return service->persistence_ms && real->role == ROLE_REAL;
}

static void build_real_elem(struct plan_elem *elem, const struct plan_service *service,
			    const struct plan_real *real, enum fam fam)
{
	bool plain = !build_remembered(service, real) && !real->max_connections;
	name_real(elem->chain, plain ? "to" : "real", fam, service, real);
}

static void build_pool_elem(struct plan_elem *elem, const struct plan_service *service,
			    const struct plan_real *real, enum fam fam)
{
	if (service->by_real) {
		build_real_elem(elem, service, real, fam);
		return;
	}
	memcpy(elem->last, real->address.b, addr_size(&real->address));
	elem->mark = service->keep_port ? 0 : real->port;
}

void build_pool(struct plan_set *set, const struct plan_service *service, enum fam fam, struct ring_turn turn)
{
	uint16_t slots[SLOTS_MAX];
	uint32_t n_slots = service->n_slots[fam];
	build_pool_draw(slots, service, fam, PLAN_INET, turn);
	name_pool(set->name, fam, service);
	set->key[0] = PLAN_T_INDEX;
	set->data = service->by_real ? PLAN_T_VERDICT : fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
	set->data_port = !service->by_real && !service->keep_port;
	set->jump = service->gated;
	set->size = set->modulus = n_slots;
	vec_reserve(&set->elems, n_slots);
	for (uint32_t i = 0; i < n_slots; i++) {
		if (slots[i] == SLOT_EMPTY)
			continue;
		struct plan_elem elem = {0};
		memcpy(elem.key, &i, sizeof(i));
		build_pool_elem(&elem, service, &service->reals.v[slots[i]], fam);
		vec_push(&set->elems, elem);
	}
}

// ---- who is tried when the slot's real is full -----------------------------------------------------

static bool build_gate_open(const struct plan_real *real, enum fam fam, enum plan_table table)
{
	return real->fam[fam] && real->usable && !real->full && real->weight &&
	       (table == PLAN_NETDEV || !plan_real_is_direct(real));
}

// Good ones before degraded ones, reals before backups before the sorry server; a failover service
// takes the heaviest.
static bool build_gate_before(const struct plan_service *service, const struct plan_real *a,
			      const struct plan_real *b)
{
	bool a_degraded = a->state == STATE_DEGRADED, b_degraded = b->state == STATE_DEGRADED;
	if (a_degraded != b_degraded)
		return b_degraded;
	if (a->role != b->role)
		return a->role < b->role;
	return service->scheduler == SCHED_FO && a->weight > b->weight;
}

// order: as many as the service has reals.
static size_t build_gate_order(const struct plan_real **order, const struct plan_service *service,
			       enum fam fam, enum plan_table table)
{
	size_t n = 0;
	vec_each(&service->reals, real) {
		size_t at = n;
		if (!build_gate_open(real, fam, table))
			continue;
		for (; at && build_gate_before(service, real, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = real;
		n++;
	}
	return n;
}

void build_gate(struct plan_set *set, const struct plan_service *service, enum fam fam, enum plan_table table)
{
	const struct plan_real **order = xcalloc(service->reals.n, sizeof(const struct plan_real *));
	size_t n = build_gate_order(order, service, fam, table);
	name_service(set->name, table == PLAN_NETDEV ? "drgate" : "gate", fam, service);
	set->table = table;
	set->key[0] = PLAN_T_INDEX;
	set->data = table == PLAN_NETDEV ? PLAN_T_MARK : PLAN_T_VERDICT;
	set->jump = table == PLAN_INET;
	set->size = set->modulus = BUILD_GATE_ROOM;
	while (set->size < service->reals.n)
		set->size = set->modulus *= 2;
	for (uint32_t i = 0; i < n; i++) {
		struct plan_elem elem = {0};
		memcpy(elem.key, &i, sizeof(i));
		if (table == PLAN_NETDEV)
			elem.mark = order[i]->id;
		else
			build_real_elem(&elem, service, order[i], fam);
		vec_push(&set->elems, elem);
	}
	free(order);
}
