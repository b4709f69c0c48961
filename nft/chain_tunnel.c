// SPDX-License-Identifier: GPL-2.0-or-later
// Reals by tun. A tunnel takes less than the link by which a packet came.
//
// IPv6: the tunnel's device tells the sender. IPv4: it can't, as nothing has routed the packet yet. So the first
// packet that is too big and must stay whole goes up with the control mark, where table inet refuses it, and the
// output chain writes into the kernel's answer what fits. A client is told once in a while; all else of its
// packets may be cut, so that one who does not listen, or whose packets were merged on the way in, loses nothing:
// the device puts the pieces into the tunnel, and the real puts them together before it takes them out.
//
// The packet around the packet leaves this host as its own. It still has the mark, a real's id, which must not be
// taken for a gateway's. Conntrack looks at it only where it leaves by a gateway, to translate it.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

#define TUNNEL_TOLD_MS 10000
#define TUNNEL_HEADER4 20
#define TUNNEL_TCP4 40 // headers of a segment
#define TUNNEL_TCP6 60

void chain_into_tunnel(struct chain *chain)
{
	struct rule *rule = chain_rule(chain);
	rule_mark_in_set(rule, RULE_MARK_PACKET, "drtun4");
	rule_unfragmentable(rule);
	rule_jump(rule, "dr.tunnel4");
}

// What is longer than a packet can be that came by an Ethernet was merged from several.
void chains_tunnel(struct ruleset *ruleset, const struct plan *plan)
{
	uint16_t mtu = (uint16_t)plan->tunnel_mtu[FAM_4];
	if (!mtu)
		return;
	struct chain *chain = ruleset_chain(ruleset, "dr.tunnel4");
	struct rule *rule = chain_rule(chain);
	rule_length_in(rule, (uint16_t)(mtu + 1), (uint16_t)(mtu + TUNNEL_HEADER4));
	rule_addr_in_set(rule, FAM_4, RULE_SOURCE, RULE_IS_NOT, "drtold4");
	rule_remember(rule, "drtold4", TUNNEL_TOLD_MS);
	rule_goto(rule, "dr.big4");
	rule_fragmentable(chain_rule(chain));
	chain = ruleset_chain(ruleset, "dr.big4");
	rule = chain_rule(chain);
	rule_mark_set(rule, RULE_MARK_PACKET, plan_control_mark(plan));
	rule_accept(rule);
}

void chain_too_big(struct chain *chain, const struct plan *plan)
{
	if (!plan->tunnel_mtu[FAM_4])
		return;
	struct rule *rule = chain_rule(chain);
	rule_fam(rule, FAM_4);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS, plan_control_mark(plan));
	rule_reject(rule, RULE_REJECT_TOO_BIG);
}

void chain_too_big_says(struct chain *chain, const struct plan *plan)
{
	if (plan->tunnel_mtu[FAM_4])
		rule_too_big_says(chain_rule(chain), (uint16_t)plan->tunnel_mtu[FAM_4]);
}

void chain_clamp(struct chain *chain, const struct plan *plan, enum fam fam)
{
	uint32_t headers = fam == FAM_4 ? TUNNEL_TCP4 : TUNNEL_TCP6;
	if (plan->tunnel_mtu[fam] > headers)
		rule_mss(chain_rule(chain), (uint16_t)(plan->tunnel_mtu[fam] - headers));
}

void chain_tunnels(struct ruleset *ruleset, struct chain *chain, const struct plan *plan)
{
	bool any = false;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		if (!plan->tunnel_mtu[fam])
			continue;
		struct rule *rule = chain_rule(chain);
		rule_tunnelled(rule, fam, fam == FAM_4 ? "tunnel4" : "tunnel6");
		rule_goto(rule, "tunnels");
		any = true;
	}
	if (!any)
		return;
	chain = ruleset_chain(ruleset, "tunnels");
	rule_mark_set(chain_rule(chain), RULE_MARK_PACKET, 0);
	struct rule *rule = chain_rule(chain);
	rule_if_in_set(rule, RULE_OIFNAME, "wan");
	rule_accept(rule);
	rule_notrack(chain_rule(chain));
}
