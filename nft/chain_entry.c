// SPDX-License-Identifier: GPL-2.0-or-later
// Where every packet that comes in begins: known flows get their mark back, new ones are classified
// by the interface they came in, and what conntrack calls invalid must not leak.
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_pre_hook = {
	.type = "filter",
	.hook = NF_INET_PRE_ROUTING,
	.priority = -160,
	.where = "prerouting priority mangle - 10",
};

static void chain_restore(struct rule *rule, uint32_t mask)
{
	rule_mark_copy(rule, RULE_MARK_PACKET, RULE_MARK_CT, mask);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_accept(rule);
}

// Who has no gateway.
static void chain_classify(struct chain *chain)
{
	struct rule *rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_NEW);
	rule_if_vmap(rule, RULE_IIF, "classif");
	rule = chain_rule(chain); // an interface that came this moment
	rule_ct_state(rule, RULE_STATE_NEW);
	rule_if_vmap(rule, RULE_IIFNAME, "class");
	rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_INVALID);
	rule_goto(rule, "invalid");
}

// Bits of ours alone are an earlier packet's, around this one (a tunnel's): they are not what its own flow has.
static void chain_arrived(struct ruleset *ruleset, uint32_t mask)
{
	struct chain *chain = ruleset_chain(ruleset, "arrived");
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, ~mask, RULE_IS, 0);
	rule_goto(rule, "enclosed");
	rule_jump(chain_rule(chain), "marked");
	chain_classify(chain);
	chain = ruleset_chain(ruleset, "enclosed");
	chain_restore(chain_rule(chain), mask);
	rule = chain_rule(chain); // not tracked: nothing took its place
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_jump(rule, "marked");
	chain_classify(chain);
}

// Two short rules are all that a packet of a known flow meets.
static void chain_pre(struct ruleset *ruleset, uint32_t mask)
{
	struct chain *chain = ruleset_base_chain(ruleset, "pre", &chain_pre_hook);
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_goto(rule, "arrived");
	chain_restore(chain_rule(chain), mask);
	chain_classify(chain);
}

// Somebody else has marked the packet, or a socket has (SO_MARK): a gateway's id in its mark is
// kept, and remembered for the answers; otherwise the connection's is added to the other bits.
//
// Probes come this way: the prober's socket has its gateway's mark. They are tracked, so that a host
// firewall that wants `ct state established` lets the answers in, and so that an answer gets the mark
// which strict rp_filter needs. Two links with the same address must not share an entry: each
// gateway's probes have an ICMP id (or a port) of their own.
static void chain_marked(struct ruleset *ruleset, uint32_t mask)
{
	struct chain *chain = ruleset_chain(ruleset, "marked");
	rule_mark_vmap(chain_rule(chain), RULE_MARK_PACKET, mask, "bymark");
	struct rule *rule = chain_rule(chain); // control packets
	rule_mark_match(rule, RULE_MARK_PACKET, mask, RULE_IS_NOT, 0);
	rule_accept(rule);
	rule_mark_vmap(chain_rule(chain), RULE_MARK_CT, mask, "bymark");
}

// Packets that belong to no flow are never translated, so they must not leave by a link where others
// are: a sender's inside address would show.
static void chain_invalid(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_chain(ruleset, "invalid");
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct ifnames names = {0};
		ifnames_translated(&names, plan, fam);
		if (names.v.n) {
			struct rule *rule = chain_rule(chain);
			rule_fam(rule, fam);
			rule_route_by(rule, names.v.v, names.v.n);
			rule_goto(rule, "leak");
		}
		ifnames_free(&names);
	}
	chain = ruleset_chain(ruleset, "leak");
	struct rule *rule = chain_rule(chain);
	rule_counter(rule, "leak");
	rule_drop(rule);
}

void chains_entry(struct ruleset *ruleset, const struct plan *plan)
{
	if (plan->outbound)
		chain_pre(ruleset, plan->mark_mask);
	chain_arrived(ruleset, plan->mark_mask);
	chain_marked(ruleset, plan->mark_mask);
	struct chain *chain =
		ruleset_chain(ruleset, "shared"); // several gateways on this interface: by the sender's MAC
	rule_sender_vmap(chain_rule(chain), "mac");
	chain_invalid(ruleset, plan);
}
