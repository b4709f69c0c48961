// SPDX-License-Identifier: GPL-2.0-or-later
// The fast path: an established flow of a usable gateway goes into the flowtable `fast`, and its packets, of both
// directions, are then forwarded from one device to the other before any chain sees them.
//
// Only where nobody would miss them: not while somebody else has bits in one of the marks, who may route,
// shape or count by them. That is asked of the packets of the side that opened the flow; what others put on
// the answers alone can't be known then. The chain comes behind the firewalls' usual place in the forward
// hook, so they have judged the flow; the kernel itself leaves out what has a helper (FTP) or whose
// sequence numbers are changed (SYN proxy). A UDP flow has to be answered, and to go on after that.
//
// Nothing more is to be done to end it: the kernel looks up no flow whose conntrack entry is
// deleted, and forgets those whose route is gone. So a failover is the same flush as ever.
#include <netinet/in.h>

#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_fast_hook = {
	.type = "filter",
	.hook = NF_INET_FORWARD,
	.priority = 10,
	.where = "forward priority filter + 10",
};

void chains_fastpath(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan_find_set(plan, "fast"))
		return;
	struct rule *rule = chain_rule(ruleset_base_chain(ruleset, "fast", &chain_fast_hook));
	rule_ct_state(rule, RULE_STATE_ESTABLISHED); // first: it spares new flows the rest
	rule_ct_original(rule);
	rule_protocols(rule, (const uint8_t[]){IPPROTO_TCP, IPPROTO_UDP}, 2);
	rule_mark_in_set(rule, RULE_MARK_PACKET, "fastmark");
	rule_mark_in_set(rule, RULE_MARK_CT, "fastmark");
	rule_flow_add(rule, "fast");
}
