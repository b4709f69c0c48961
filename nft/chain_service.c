// SPDX-License-Identifier: GPL-2.0-or-later
// A new connection to a service: `inbound` (from outside) and `inbound.own` (from this host) look the listener
// up, service4.S chooses. Without persistence and limits of single reals that is one rule: the slot that
// is drawn holds the real's address. Else slots and pins lead to a chain for each real.
//
// A pin is read into a mark, as in chain_group.c: into the packet's while nobody else has bits in it, else into
// the connection's. Both may hold the gateway by which the connection came in; held4.* and
// heldct4.* put it back from the other one, so that routing and the answers find it.
//
// If nobody serves, service4.S ends without a verdict: the packet goes to this host, whose listener takes it
// or whose kernel refuses it.
#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_inbound_hook = {
	.type = "nat",
	.hook = NF_INET_PRE_ROUTING,
	.priority = -100,
	.where = "prerouting priority dstnat",
};

static const struct chain_hook chain_inbound_own_hook = {
	.type = "nat",
	.hook = NF_INET_LOCAL_OUT,
	.priority = -100,
	.where = "output priority -100",
};

// ---- which service -----------------------------------------------------------------------------

static void chain_wide(struct chain *chain, const struct plan_service *service,
		       const struct plan_listen *listen)
{
	char name[PLAN_NAME_SIZE];
	struct rule *rule = chain_rule(chain);
	rule_addr_is(rule, RULE_DESTINATION, &listen->addr);
	rule_protocols(rule, service->protocols.v, service->protocols.n);
	if (listen->first > 1 || listen->last < MODEL_PORT_ANY_LAST)
		rule_dport_in(rule, listen->first, listen->last);
	rule_goto(rule, name_service(name, "service", addr_fam(&listen->addr), service));
}

static void chain_listeners(struct ruleset *ruleset, const struct plan *plan, const char *name,
			    const struct chain_hook *hook)
{
	struct chain *chain = ruleset_base_chain(ruleset, name, hook);
	rule_listener_vmap(chain_rule(chain), FAM_4, "vip4");
	rule_listener_vmap(chain_rule(chain), FAM_6, "vip6");
	vec_each(&plan->services, service)
		vec_each(&service->listens, listen)
			if (listen->first != listen->last)
				chain_wide(chain, service, listen);
}

// ---- which real --------------------------------------------------------------------------------

static struct rule_client chain_client(const struct plan_service *service, enum fam fam)
{
	return (struct rule_client){.fam = fam, .mask = service->persist_mask[fam], .by = PERSIST_SOURCE};
}

static void chain_choose(struct chain *chain, const struct plan_service *service, enum fam fam)
{
	char pool[PLAN_NAME_SIZE];
	enum rule_draw draw = rule_draw_of(service->scheduler);
	struct rule *rule = chain_rule(chain);
	name_pool(pool, fam, service);
	if (!service->by_real && !service->keep_port)
		rule_protocols(rule, service->protocols.v, service->protocols.n);
	if (ring_schedules(service->scheduler))
		rule_count(rule); // tells which slot is next: nft_read_turns()
	if (service->by_real)
		rule_draw_vmap(rule, draw, fam, service->n_slots[fam], pool);
	else
		rule_draw_dnat(rule, draw, fam, service->n_slots[fam], pool, !service->keep_port);
}

static const char *const chain_stuck_kind[] = {[RULE_MARK_PACKET] = "stuck", [RULE_MARK_CT] = "stuckct"};
static const char *const chain_held_kind[] = {[RULE_MARK_PACKET] = "held", [RULE_MARK_CT] = "heldct"};

static void chain_put_back(struct chain *chain, enum rule_mark scratch, uint32_t mask)
{
	rule_mark_copy(chain_rule(chain), scratch, !scratch, mask);
}

static void chain_look_up_stick(struct chain *chain, const struct plan_service *service, enum fam fam,
				enum rule_mark scratch, uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(service, fam);
	struct rule *rule = chain_rule(chain);
	if (scratch == RULE_MARK_CT)
		rule_mark_match(rule, RULE_MARK_PACKET, ~mask, RULE_IS_NOT, 0);
	rule_mark_match(rule, scratch, ~mask, RULE_IS, 0);
	rule_pin_lookup(rule, &client, name_service(name, "stick", fam, service), scratch);
	rule_goto(rule, name_service(name, chain_stuck_kind[scratch], fam, service));
}

// A pin of a real that is down or gone is forgotten before the slot is asked: `update` never changes the
// data of an element that exists.
static void chain_stuck(struct ruleset *ruleset, const struct plan_service *service, enum fam fam,
			enum rule_mark scratch, uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(service, fam);
	struct chain *chain =
		ruleset_chain(ruleset, name_service(name, chain_stuck_kind[scratch], fam, service));
	rule_mark_vmap(chain_rule(chain), scratch, UINT32_MAX,
		       name_service(name, chain_held_kind[scratch], fam, service));
	rule_pin_delete(chain_rule(chain), &client, name_service(name, "stick", fam, service), scratch);
	chain_put_back(chain, scratch, mask);
	chain_choose(chain, service, fam);
}

static void chain_limits(struct chain *chain, const struct plan_service *service, enum fam fam)
{
	char set[PLAN_NAME_SIZE];
	if (service->limit_rate) {
		struct rule *rule = chain_rule(chain);
		rule_over_rate(rule, fam, name_service(set, "rate", fam, service), service->limit_rate);
		rule_drop(rule);
	}
	if (service->limit_connections) {
		struct rule *rule = chain_rule(chain);
		rule_over_connections(rule, fam, name_service(set, "many", fam, service),
				      service->limit_connections);
		rule_drop(rule);
	}
}

// ---- to the real -------------------------------------------------------------------------------

static void chain_to(struct ruleset *ruleset, const struct plan_service *service,
		     const struct plan_real *real, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_real(name, "to", fam, service, real));
	struct rule *rule = chain_rule(chain);
	if (real->port)
		rule_protocols(rule, service->protocols.v, service->protocols.n);
	if (!addr_is_none(&real->address))
		rule_dnat(rule, &real->address, real->port);
	else if (real->port)
		rule_redirect(rule, real->port);
	else
		rule_accept(rule);
}

static void chain_real(struct ruleset *ruleset, const struct plan_service *service,
		       const struct plan_real *real, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(service, fam);
	struct chain *chain = ruleset_chain(ruleset, name_real(name, "real", fam, service, real));
	if (service->persistence_ms)
		rule_pin_update(chain_rule(chain), &client, name_service(name, "stick", fam, service),
				service->persistence_ms, real->id);
	chain_goto(chain, name_real(name, "to", fam, service, real));
}

static void chain_held(struct ruleset *ruleset, const struct plan_service *service,
		       const struct plan_real *real, enum fam fam, enum rule_mark scratch, uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain =
		ruleset_chain(ruleset, name_real(name, chain_held_kind[scratch], fam, service, real));
	chain_put_back(chain, scratch, mask);
	chain_goto(chain, name_real(name, "real", fam, service, real));
}

static void chain_reals(struct ruleset *ruleset, const struct plan_service *service, enum fam fam,
			uint32_t mask)
{
	vec_each(&service->reals, real) {
		if (!real->fam[fam])
			continue;
		chain_to(ruleset, service, real, fam);
		if (real->role != ROLE_REAL)
			continue;
		if (service->persistence_ms || real->max_connections)
			chain_real(ruleset, service, real, fam);
		for (enum rule_mark scratch = RULE_MARK_PACKET;
		     service->persistence_ms && scratch <= RULE_MARK_CT; scratch++)
			chain_held(ruleset, service, real, fam, scratch, mask);
	}
}

static void chain_service(struct ruleset *ruleset, const struct plan_service *service, enum fam fam,
			  uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_service(name, "service", fam, service));
	chain_limits(chain, service, fam);
	if (service->persistence_ms) {
		chain_look_up_stick(chain, service, fam, RULE_MARK_PACKET, mask);
		chain_look_up_stick(chain, service, fam, RULE_MARK_CT, mask);
	}
	chain_choose(chain, service, fam);
	if (service->persistence_ms) {
		chain_stuck(ruleset, service, fam, RULE_MARK_PACKET, mask);
		chain_stuck(ruleset, service, fam, RULE_MARK_CT, mask);
	}
	if (service->by_real)
		chain_reals(ruleset, service, fam, mask);
}

void chains_service(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan->services.n)
		return;
	chain_listeners(ruleset, plan, "inbound", &chain_inbound_hook);
	chain_listeners(ruleset, plan, "inbound.own", &chain_inbound_own_hook);
	vec_each(&plan->services, service)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			if (service->fam[fam])
				chain_service(ruleset, service, fam, plan->mark_mask);
}
