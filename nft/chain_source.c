// SPDX-License-Identifier: GPL-2.0-or-later
// What a connection to a service speaks from, once its real is chosen: fullnat's own address, so that the
// real answers through us wherever it is; and ours where client and real are in one LAN, for there the
// real would answer past us. Everything else keeps the client's address, or gets what the link by
// which it leaves wants (chain_nat.c).
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

// The ports of a range are no elements: address and real alone tell them.
static void chain_wide_sources(struct chain *chain, const struct plan_service *service,
			       const struct plan_listen *listen)
{
	char name[PLAN_NAME_SIZE];
	enum fam fam = addr_fam(&listen->addr);
	vec_each(&service->reals, real) {
		if (real->forward != FORWARD_FULLNAT || !real->fam[fam] || real->port ||
		    listen->first == listen->last)
			continue;
		struct rule *rule = chain_rule(chain);
		rule_originally_to(rule, &listen->addr);
		rule_addr_is(rule, RULE_DESTINATION, &real->address);
		rule_protocols(rule, service->protocols.v, service->protocols.n);
		rule_goto(rule, name_service(name, "source", fam, service));
	}
}

static void chain_speak_from(struct ruleset *ruleset, const struct plan_service *service, enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_service(name, "source", fam, service));
	if (addr_is_none(&service->source_first[fam]))
		rule_masquerade(chain_rule(chain));
	else
		rule_snat(chain_rule(chain), &service->source_first[fam], &service->source_last[fam]);
}

void chains_source_of(struct ruleset *ruleset, const struct plan_service *service)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (service->fullnat[fam])
			chain_speak_from(ruleset, service, fam);
}

void chains_source(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan->services.n)
		return;
	struct chain *chain = ruleset_chain(ruleset, "source");
	if (plan_find_set(plan, "fullnat4"))
		rule_translated_vmap(chain_rule(chain), FAM_4, "fullnat4");
	if (plan_find_set(plan, "fullnat6"))
		rule_translated_vmap(chain_rule(chain), FAM_6, "fullnat6");
	vec_each(&plan->services, service)
		vec_each(&service->listens, listen)
			chain_wide_sources(chain, service, listen);
	struct rule *rule = chain_rule(chain); // from outside to a real inside: as most are
	rule_if_in_set(rule, RULE_IIF, "wanif");
	rule_if_in_set(rule, RULE_OIF, "lanif");
	rule_accept(rule);
	rule = chain_rule(chain);
	rule_if_pair_in_set(rule, "hairpin");
	rule_masquerade(rule);
	vec_each(&plan->services, service)
		chains_source_of(ruleset, service);
}
