// SPDX-License-Identifier: GPL-2.0-or-later
// A new connection to a service: `inbound` (from outside) and `inbound.own` (from this host) look the listener
// up, service4.S chooses. Without persistence and thresholds that is one rule: the slot that is drawn holds the
// real's address. Else slots and pins lead to a chain for each real (chain_real.c); they are drawn
// in pick4.S, because a service's chain, a void pin's and a full real's lead there.
//
// With thresholds the slots' verdicts jump: who has no place for the connection comes back, and the
// others are tried one after the other in the order of gate4.S, whose elements are those who take new ones.
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

#define CHAIN_FTP "ftp" // name of the helper, ours and the kernel's

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
			if (service->inet && listen->first != listen->last)
				chain_wide(chain, service, listen);
}

// ---- which real --------------------------------------------------------------------------------

static void chain_slot(struct chain *chain, const struct plan_service *service, enum fam fam)
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

// On to whoever the scheduler chooses.
static void chain_draw(struct chain *chain, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	if (plan_service_picks_apart(service))
		chain_goto(chain, name_drawer(name, fam, service));
	else
		chain_slot(chain, service, fam);
}

static void chain_pick(struct ruleset *ruleset, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE], gate[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_drawer(name, fam, service));
	chain_slot(chain, service, fam);
	name_service(gate, "gate", fam, service);
	uint32_t place = 0; // among those of this family, as in the map
	for (size_t i = 0; service->gated && i < service->reals.n; i++)
		if (service->reals.v[i].fam[fam])
			rule_gate_vmap(chain_rule(chain), place++, gate);
}

static const char *const chain_stuck_kind[] = {[RULE_MARK_PACKET] = "stuck", [RULE_MARK_CT] = "stuckct"};

static void chain_look_up_stick(struct chain *chain, const struct plan_service *service, enum fam fam,
				enum rule_mark scratch, uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_service_client(service, fam);
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
	const struct rule_client client = chain_service_client(service, fam);
	struct chain *chain =
		ruleset_chain(ruleset, name_service(name, chain_stuck_kind[scratch], fam, service));
	rule_mark_vmap(chain_rule(chain), scratch, UINT32_MAX,
		       name_service(name, chain_held(scratch), fam, service));
	rule_pin_delete(chain_rule(chain), &client, name_service(name, "stick", fam, service), scratch);
	chain_put_back(chain, scratch, mask);
	chain_draw(chain, service, fam);
}

static void chain_limits(struct chain *chain, const struct plan_service *service, enum fam fam)
{
	char set[PLAN_NAME_SIZE];
	if (service->limit_rate) {
		struct rule *rule = chain_rule(chain);
		rule_over_rate(rule, fam, name_limit(set, "rate", fam, service, service->limit_rate),
			       service->limit_rate);
		rule_drop(rule);
	}
	if (service->limit_connections) {
		struct rule *rule = chain_rule(chain);
		rule_over_connections(rule, fam,
				      name_limit(set, "many", fam, service, service->limit_connections),
				      service->limit_connections);
		rule_drop(rule);
	}
}

// ---- one service -------------------------------------------------------------------------------

static void chain_service(struct ruleset *ruleset, const struct plan_service *service, enum fam fam,
			  uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_service(name, "service", fam, service));
	if (service->syn_proxy) {
		struct rule *rule = chain_rule(chain);
		rule_tcp_not_syn(rule);
		rule_accept(rule); // for syn4
	}
	if (service->ftp) {
		struct rule *rule = chain_rule(chain);
		rule_protocols(rule, &(const uint8_t){IPPROTO_TCP}, 1);
		rule_helper(rule, CHAIN_FTP); // before the translation, which then mends sequence numbers
	}
	chain_limits(chain, service, fam);
	if (service->persistence_ms) {
		chain_look_up_stick(chain, service, fam, RULE_MARK_PACKET, mask);
		chain_look_up_stick(chain, service, fam, RULE_MARK_CT, mask);
	}
	chain_draw(chain, service, fam);
	if (service->persistence_ms) {
		chain_stuck(ruleset, service, fam, RULE_MARK_PACKET, mask);
		chain_stuck(ruleset, service, fam, RULE_MARK_CT, mask);
	}
	if (plan_service_picks_apart(service))
		chain_pick(ruleset, service, fam);
	if (service->by_real)
		chains_real(ruleset, service, fam, mask);
}

void chains_of_service(struct ruleset *ruleset, const struct plan_service *service, uint32_t mask)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (service->fam[fam] && service->inet)
			chain_service(ruleset, service, fam, mask);
}

void chains_service(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan->services.n)
		return;
	vec_each(&plan->services, service)
		if (service->ftp)
			ruleset_helper(ruleset, CHAIN_FTP);
	chain_listeners(ruleset, plan, "inbound", &chain_inbound_hook);
	chain_listeners(ruleset, plan, "inbound.own", &chain_inbound_own_hook);
	vec_each(&plan->services, service)
		chains_of_service(ruleset, service, plan->mark_mask);
}
