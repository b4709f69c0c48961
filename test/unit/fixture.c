// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/fixture.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/names.h"

static void fixture_add_iface(struct fixture *f, const char *name, const char *address4, const char *address6)
{
	const char *const texts[] = {address4, address6};
	struct fact_iface *iface;
	vec_add(&f->facts.ifaces, iface);
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->index = (uint32_t)f->facts.ifaces.n + 1;
	iface->up = iface->carrier = true;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct fact_addr *own;
		vec_add(&iface->addrs, own);
		assert(addr_parse(texts[fam], &own->addr));
		own->len = fam == FAM_4 ? 24 : 64;
		own->usable = true;
	}
}

static void fixture_gateway(struct fixture *f, unsigned i, unsigned weight)
{
	static size_t probe;
	char text[2][32];
	struct model_gateway *gw = &f->gateways[i];
	snprintf(f->names[i], sizeof(f->names[i]), "g%u", i + 1);
	snprintf(f->ifnames[i], sizeof(f->ifnames[i]), "wan%u", i + 1);
	*gw = (struct model_gateway){.name = f->names[i],
				     .interface = f->ifnames[i],
				     .weight = weight,
				     .probes = &probe,
				     .n_probes = 1,
				     .need = 1,
				     .addr_mode = {ADDR_MODE_STATIC, ADDR_MODE_STATIC}};
	snprintf(text[0], sizeof(text[0]), "100.64.%u.1", i + 1);
	snprintf(text[1], sizeof(text[1]), "2001:db8:%u::1", i + 1);
	assert(addr_parse(text[0], &gw->address[FAM_4]) && addr_parse(text[1], &gw->address[FAM_6]));
	snprintf(text[0], sizeof(text[0]), "100.64.%u.2", i + 1);
	snprintf(text[1], sizeof(text[1]), "2001:db8:%u::2", i + 1);
	fixture_add_iface(f, f->ifnames[i], text[0], text[1]);
	f->uses[i] = (struct model_use){.gateway = i, .tier = 1, .weight = weight};
}

struct fixture *fixture_new(unsigned n)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	assert(n <= FIXTURE_MAX);
	f->lan = "lan0";
	f->model.globals = (struct model_globals){
		.mark_mask = 0xff000000, .table_base = 1000, .rule_priority = 10000, .fastpath = true};
	f->model.lan.interfaces = &f->lan;
	f->model.lan.n_interfaces = 1;
	f->model.gateways = f->gateways;
	f->model.n_gateways = n;
	f->model.balances = f->balances;
	f->model.n_balances = 1;
	f->model.rules = f->rules;
	f->balances[0] = (struct model_balance){.name = "default",
						.scheduler = SCHED_WRR,
						.persist_mask = {32, 128},
						.uses = f->uses,
						.n_uses = n};
	fixture_add_iface(f, "lan0", "10.0.0.1", "fd00::1");
	for (unsigned i = 0; i < n; i++)
		fixture_gateway(f, i, n - i);
	for (size_t i = 0; i < n; i++)
		fixture_verdict(f, i, STATE_UP);
	ids_assign(&f->ids, &f->model);
	return f;
}

struct fixture *fixture_pinned(unsigned n)
{
	struct fixture *f = fixture_new(n);
	f->balances[0].persistence_ms = 300000;
	return f;
}

void fixture_free(struct fixture *f)
{
	facts_free(&f->facts);
	ids_free(&f->ids);
	manual_free(&f->manual);
	free(f);
}

void fixture_verdict(struct fixture *f, size_t gateway, enum state state)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		f->verdicts[gateway][fam] = (struct verdict){.state = state, .reason = "so says the test"};
}

void fixture_build(struct fixture *f, struct plan *plan)
{
	const struct real_now *reals[FIXTURE_SERVICES];
	for (size_t i = 0; i < FIXTURE_SERVICES; i++)
		reals[i] = f->real_now[i];
	struct build_input input = {.model = &f->model,
				    .reals = reals,
				    .facts = &f->facts,
				    .verdicts = (const struct verdict(*)[FAM_COUNT])f->verdicts,
				    .manual = &f->manual,
				    .loads = f->loads,
				    .ramps = f->ramps,
				    .tunnel_refusals = f->tunnel_refusals,
				    .leaving = f->leaving,
				    .standing = f->standing,
				    .now_ms = f->now_ms,
				    .ids = &f->ids};
	plan_build(plan, &input);
}

// ---- services ----------------------------------------------------------------------------------

struct model_service *fixture_service(struct fixture *f, const char *name)
{
	static uint8_t tcp[] = {IPPROTO_TCP};
	size_t i = f->model.n_services++;
	assert(i < FIXTURE_SERVICES);
	f->model.services = f->services;
	f->services[i] = (struct model_service){.name = name,
						.scheduler = SCHED_WRR,
						.protocols = tcp,
						.n_protocols = 1,
						.persist_mask = {32, 128},
						.listens = f->listens[i],
						.reals = f->reals[i]};
	for (size_t k = 0; k < FIXTURE_MAX; k++)
		f->real_now[i][k] = REAL_NOTHING;
	return &f->services[i];
}

void fixture_listen(struct model_service *service, const char *address, uint16_t first, uint16_t last)
{
	struct model_listen *listen = &service->listens[service->n_listens++];
	assert(service->n_listens <= FIXTURE_MAX && addr_parse(address, &listen->addr));
	listen->first = first;
	listen->last = last;
}

struct model_real *fixture_real(struct model_service *service, enum real_role role, const char *name,
				const char *address, uint16_t port, unsigned weight)
{
	struct model_real *real = &service->reals[service->n_reals++];
	assert(service->n_reals <= FIXTURE_MAX);
	*real = (struct model_real){.name = name,
				    .role = role,
				    .forward = address ? FORWARD_NAT : FORWARD_LOCAL,
				    .port = port,
				    .weight = weight};
	assert(!address || addr_parse(address, &real->address));
	return real;
}

void fixture_real_verdict(struct fixture *f, size_t service, size_t real, enum state state)
{
	f->real_verdicts[service][real] = (struct verdict){.state = state, .reason = "so says the test"};
	f->real_now[service][real].verdict = &f->real_verdicts[service][real];
}

static bool fixture_leads_to(const struct plan_service *service, const struct plan_elem *elem,
			     const struct plan_real *real, enum fam fam)
{
	char to[PLAN_NAME_SIZE], by[PLAN_NAME_SIZE];
	if (!service->by_real)
		return !memcmp(elem->last, real->address.b, addr_size(&real->address));
	return !strcmp(elem->chain, name_real(to, "to", fam, service, real)) ||
	       !strcmp(elem->chain, name_real(by, "real", fam, service, real));
}

unsigned fixture_pool_of(const struct plan *plan, size_t service, enum fam fam, size_t real)
{
	unsigned n = 0;
	char name[PLAN_NAME_SIZE];
	const struct plan_service *s = &plan->services.v[service];
	const struct plan_set *set = plan_find_set(plan, name_pool(name, fam, s));
	assert(set);
	vec_each(&set->elems, elem)
		n += fixture_leads_to(s, elem, &s->reals.v[real], fam);
	return n;
}

// ---- looking -----------------------------------------------------------------------------------

struct fact_iface *fixture_iface(struct fixture *f, const char *name)
{
	vec_each(&f->facts.ifaces, iface)
		if (!strcmp(iface->name, name))
			return iface;
	return NULL;
}

unsigned fixture_slots_of(const struct plan *plan, const char *group, enum fam fam, const char *gateway)
{
	unsigned n = 0;
	char end[PLAN_NAME_SIZE];
	snprintf(end, sizeof(end), ".%s", gateway);
	vec_each(&plan->groups, g) {
		char name[PLAN_NAME_SIZE];
		const struct plan_set *set = plan_find_set(plan, name_slots(name, fam, g));
		if (strcmp(g->name, group) != 0 || !set)
			continue;
		vec_each(&set->elems, elem) {
			size_t len = strlen(elem->chain), tail = strlen(end);
			n += len > tail && !strcmp(elem->chain + len - tail, end);
		}
	}
	return n;
}
