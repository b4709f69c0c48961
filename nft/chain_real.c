// SPDX-License-Identifier: GPL-2.0-or-later
// One real of a service that has chains for them: is there a place for the connection (max-connections)? Then its
// client is remembered (persistence) and the destination translated. Without a place real4.S.R simply
// ends and its caller tries the next one; a pinned client forgets its pin first, so that it stays with
// the real that takes it now.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

const char *chain_held(enum rule_mark scratch)
{
	return scratch == RULE_MARK_PACKET ? "held" : "heldct";
}

void chain_put_back(struct chain *chain, enum rule_mark scratch, uint32_t mask)
{
	rule_mark_copy(chain_rule(chain), scratch, !scratch, mask);
}

struct rule_client chain_service_client(const struct plan_service *service, enum fam fam)
{
	return (struct rule_client){.fam = fam, .mask = service->persist_mask[fam], .by = PERSIST_SOURCE};
}

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
		rule_dnat_port(rule, real->port);
	else
		rule_accept(rule);
}

static bool chain_remembers(const struct plan_service *service, const struct plan_real *real)
{
	return service->persistence_ms && real->role == ROLE_REAL;
}

static void chain_remember(struct chain *chain, const struct plan_service *service,
			   const struct plan_real *real, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_service_client(service, fam);
	rule_pin_update(chain_rule(chain), &client, name_service(name, "stick", fam, service),
			service->persistence_ms, real->id);
	chain_goto(chain, name_real(name, "to", fam, service, real));
}

static void chain_real(struct ruleset *ruleset, const struct plan_service *service,
		       const struct plan_real *real, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	bool remembers = chain_remembers(service, real);
	struct chain *chain = ruleset_chain(ruleset, name_real(name, "real", fam, service, real));
	if (!real->max_connections) {
		chain_remember(chain, service, real, fam);
		return;
	}
	struct rule *rule = chain_rule(chain);
	rule_conn_enter(rule, fam, name_places(name, fam, service, real), 0);
	rule_goto(rule, name_real(name, remembers ? "got" : "to", fam, service, real));
	if (remembers)
		chain_remember(ruleset_chain(ruleset, name_real(name, "got", fam, service, real)), service,
			       real, fam);
}

static void chain_hold(struct ruleset *ruleset, const struct plan_service *service,
		       const struct plan_real *real, enum fam fam, enum rule_mark scratch, uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_service_client(service, fam);
	struct chain *chain =
		ruleset_chain(ruleset, name_real(name, chain_held(scratch), fam, service, real));
	chain_put_back(chain, scratch, mask);
	if (!real->max_connections) {
		chain_goto(chain, name_real(name, "real", fam, service, real));
		return;
	}
	rule_jump(chain_rule(chain), name_real(name, "real", fam, service, real));
	rule_pin_forget(chain_rule(chain), &client, name_service(name, "stick", fam, service), real->id);
	chain_goto(chain, name_drawer(name, fam, service));
}

void chains_real(struct ruleset *ruleset, const struct plan_service *service, enum fam fam, uint32_t mask)
{
	vec_each(&service->reals, real) {
		if (!real->fam[fam] || plan_real_is_direct(real))
			continue;
		chain_to(ruleset, service, real, fam);
		if (chain_remembers(service, real) || real->max_connections)
			chain_real(ruleset, service, real, fam);
		for (enum rule_mark scratch = RULE_MARK_PACKET;
		     chain_remembers(service, real) && scratch <= RULE_MARK_CT; scratch++)
			chain_hold(ruleset, service, real, fam, scratch, mask);
	}
}
