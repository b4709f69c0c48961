// SPDX-License-Identifier: GPL-2.0-or-later
// A group chooses: the gateway that the client is pinned to, or the scheduler's next slot. If nobody
// is usable the packet goes on behind these rules (chain_target.c).
//
// They stand in the caller's own chain: every chain that a packet enters costs it as much as two
// matches. Only a group whose scheduler counts has one chain that all callers jump to: the slots that it
// drew are counted there (nft_read_turns()).
//
// The pin is read into a mark, because nft can't look one map up with the result of another. The
// packet mark serves while nobody else has bits in it: then one rule finds the pin, and that its gateway is
// live. All else is done apart (hit4.G), with the connection's mark where others have bits in the packet's. Where
// they have some in both, the pin can't be read and such a flow is scheduled anew, which is a limit, and no
// harm.
//
// A pin of a gateway that is not live is forgotten before the slot is asked: `update` never changes
// the data of an element that exists.
#include <stdio.h>

#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static struct rule_client chain_client(const struct plan_group *group, enum fam fam)
{
	return (struct rule_client){.fam = fam, .mask = group->persist_mask[fam], .by = group->persist_by};
}

static void chain_schedule(struct chain *chain, const struct plan_group *group, enum fam fam)
{
	char map[PLAN_NAME_SIZE];
	struct rule *rule = chain_rule(chain);
	if (ring_schedules(group->scheduler))
		rule_count(rule); // tells which slot is next: nft_read_turns()
	rule_draw_vmap(rule, rule_draw_of(group->scheduler), fam, group->n_slots[fam],
		       name_slots(map, fam, group));
}

enum chain_hit { CHAIN_HIT, CHAIN_VOID, CHAIN_HIT_CT };

static const char *chain_hit_name(char *name, const struct plan_group *group, enum fam fam, bool strict,
				  enum chain_hit hit)
{
	static const char *const kind[][2] = {
		[CHAIN_HIT] = {"hit", "hits"},
		[CHAIN_VOID] = {"void", "voids"},
		[CHAIN_HIT_CT] = {"hitct", "hitsct"},
	};
	return name_group(name, kind[hit][strict], fam, group);
}

static void chain_look_up_pin(struct chain *chain, const struct plan_group *group, enum fam fam, bool strict)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(group, fam);
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS, 0);
	rule_pin_lookup(rule, &client, name_pins(name, fam, group), RULE_MARK_PACKET);
	rule_mark_vmap(rule, RULE_MARK_PACKET, UINT32_MAX, name_group(name, "live", fam, group));
	rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_jump(rule, chain_hit_name(name, group, fam, strict, CHAIN_HIT));
}

static void chain_pin_or_slot(struct chain *chain, const struct plan_group *group, enum fam fam, bool strict)
{
	if (group->persistence_ms)
		chain_look_up_pin(chain, group, fam, strict);
	chain_schedule(chain, group, fam);
}

static void chain_void(struct chain *chain, const struct plan_group *group, enum fam fam,
		       enum rule_mark scratch, const char *otherwise)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(group, fam);
	rule_pin_delete(chain_rule(chain), &client, name_pins(name, fam, group), scratch);
	rule_mark_set(chain_rule(chain), scratch, 0);
	chain_schedule(chain, group, fam);
	if (otherwise)
		chain_goto(chain, otherwise);
}

// A mark without others' bits is that of a pin which led nowhere. Who has no pin comes back.
static void chain_hit(struct chain *chain, const struct plan_group *group, enum fam fam, bool strict,
		      uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(group, fam);
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, ~mask, RULE_IS, 0);
	rule_goto(rule, chain_hit_name(name, group, fam, strict, CHAIN_VOID));
	rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_CT, UINT32_MAX, RULE_IS, 0);
	rule_pin_lookup(rule, &client, name_pins(name, fam, group), RULE_MARK_CT);
	rule_goto(rule, chain_hit_name(name, group, fam, strict, CHAIN_HIT_CT));
}

static void chain_hits(struct ruleset *ruleset, const struct plan_group *group, enum fam fam, bool strict,
		       uint32_t mask, const char *otherwise)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain[CHAIN_HIT_CT + 1];
	if (!group->persistence_ms)
		return;
	for (enum chain_hit hit = CHAIN_HIT; hit <= CHAIN_HIT_CT; hit++)
		chain[hit] = ruleset_chain(ruleset, chain_hit_name(name, group, fam, strict, hit));
	chain_hit(chain[CHAIN_HIT], group, fam, strict, mask);
	chain_void(chain[CHAIN_VOID], group, fam, RULE_MARK_PACKET, otherwise);
	rule_mark_vmap(chain_rule(chain[CHAIN_HIT_CT]), RULE_MARK_CT, UINT32_MAX,
		       name_group(name, "livect", fam, group));
	chain_void(chain[CHAIN_HIT_CT], group, fam, RULE_MARK_CT, otherwise);
}

void chain_choose_gateway(struct chain *chain, const struct plan_group *group, enum fam fam, bool strict)
{
	char name[PLAN_NAME_SIZE];
	if (ring_schedules(group->scheduler))
		rule_jump(chain_rule(chain), name_group(name, "group", fam, group));
	else
		chain_pin_or_slot(chain, group, fam, strict);
}

void chains_chosen(struct ruleset *ruleset, const struct plan_group *group, enum fam fam, bool strict,
		   uint32_t mask, const char *otherwise)
{
	if (!ring_schedules(group->scheduler))
		chain_hits(ruleset, group, fam, strict, mask, otherwise);
}

static void chain_give(struct chain *chain, const struct plan *plan, const struct plan_group *group,
		       enum fam fam, const struct plan_gateway *gw, bool marked)
{
	char name[PLAN_NAME_SIZE];
	const struct rule_client client = chain_client(group, fam);
	struct rule *rule = chain_rule(chain);
	rule_pin_update(rule, &client, name_pins(name, fam, group), group->persistence_ms, gw->mark);
	chain_take(rule, plan, gw, marked);
	rule = chain_rule(chain); // only where the map is full
	rule_counter(rule, name_unpinned(name, group));
	rule_goto(rule, name_gateway_chain(name, "take", gw));
}

static void chain_gives(struct ruleset *ruleset, const struct plan *plan, const struct plan_group *group,
			enum fam fam, const struct plan_gateway *gw)
{
	char name[PLAN_NAME_SIZE];
	chain_give(ruleset_chain(ruleset, name_give(name, fam, group, gw)), plan, group, fam, gw, false);
	chain_give(ruleset_chain(ruleset, name_keep(name, fam, group, gw)), plan, group, fam, gw, true);
}

static void chain_counting_group(struct ruleset *ruleset, const struct plan_group *group, enum fam fam,
				 uint32_t mask)
{
	char name[PLAN_NAME_SIZE];
	chain_pin_or_slot(ruleset_chain(ruleset, name_group(name, "group", fam, group)), group, fam, false);
	chain_hits(ruleset, group, fam, false, mask, NULL); // back behind the jump
}

void chains_group(struct ruleset *ruleset, const struct plan *plan)
{
	vec_each(&plan->groups, group) {
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			if (ring_schedules(group->scheduler))
				chain_counting_group(ruleset, group, fam, plan->mark_mask);
			for (size_t i = 0; group->persistence_ms && i < group->members.n; i++)
				chain_gives(ruleset, plan, group, fam,
					    &plan->gateways.v[group->members.v[i].gateway]);
		}
	}
}
