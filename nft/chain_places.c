// SPDX-License-Identifier: GPL-2.0-or-later
// Services with reals by dr and tun some of which have max-connections. Such a real has a set with as many elements as it
// may have connections (drplace4.S.R.MAX), and who finds no room there is given to the next one:
//
//	drsyn4.S, drpick4.S, drany4.S -> drchoose4.S: pin, slot, drgate4.S -> drtry4.S -> drtry4.S.R -> drtaken4.S
//
// Nobody here sees the real's answers, so a place has a time, always the one of the connection's element in drconn
// or drhalf, and is held on to by the same segments (drbegun, drrun). Since the real gets the SYN, the place is taken with the
// SYN, for ten seconds; only another segment of the connection makes it more. That holds for hashes too: their choice
// can't be made again where it depends on who has room, so SYNs are remembered (drhalf). When the client sends RST the
// place is free, a second after its FIN or whatever it sends behind that, and when the connection is forgotten. The
// kernel gives the room of what is over back when it sweeps the set (plan_set.sweep_ms).
//
// UDP of a dead real is chosen for anew (drmove); of TCP the next real takes the packet, and answers with a reset.
#include <netinet/in.h>
#include <stddef.h>

#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/direct.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const uint8_t tcp = IPPROTO_TCP;

// A rule for what is TCP, or for what isn't; NULL: there is no such thing here.
static struct rule *direct_rule_for(struct direct *d, struct chain *chain, bool is_tcp)
{
	struct rule *rule;
	if (is_tcp ? !d->has_tcp : !d->has_other)
		return NULL;
	rule = chain_rule(chain);
	if (is_tcp && d->has_other)
		rule_protocols(rule, &tcp, 1);
	else if (!is_tcp && d->has_tcp)
		rule_not_tcp(rule);
	return rule;
}

// ---- one real's places -------------------------------------------------------------------------------

static struct chain *direct_real_chain(struct direct *d, const char *kind, const struct plan_real *real)
{
	return ruleset_chain(d->ruleset, name_real(d->text, kind, d->fam, d->service, real));
}

static void direct_try(struct direct *d, const struct plan_real *real, const char *places)
{
	struct chain *chain = direct_real_chain(d, "drtry", real);
	for (int is_tcp = 1; is_tcp >= 0; is_tcp--) {
		struct rule *rule = direct_rule_for(d, chain, is_tcp);
		if (!rule)
			continue;
		rule_conn_enter(rule, d->fam, places, is_tcp ? DIRECT_TRIED_MS : direct_idle_ms(d));
		direct_goto(d, rule, "drtaken");
	}
}

static void direct_hold(struct direct *d, const struct plan_real *real, const char *places)
{
	struct rule *rule;
	if (d->has_tcp)
		rule_conn_stay(chain_rule(direct_real_chain(d, "drbegun", real)), d->fam, places,
			       DIRECT_BEGUN_MS);
	struct chain *chain = direct_real_chain(d, "drrun", real);
	if ((rule = direct_rule_for(d, chain, true)))
		rule_conn_stay(rule, d->fam, places, DIRECT_TCP_MS);
	if ((rule = direct_rule_for(d, chain, false)))
		rule_conn_stay(rule, d->fam, places, direct_idle_ms(d));
}

static void direct_end(struct direct *d, const struct plan_real *real, const char *places)
{
	struct chain *chain = direct_real_chain(d, "drend", real);
	struct rule *rule;
	if (d->has_tcp) {
		rule = chain_rule(chain);
		rule_tcp_resets(rule);
		rule_conn_leave(rule, d->fam, places);
		rule = chain_rule(chain);
		rule_tcp_lacks(rule, RULE_TCP_RST);
		rule_conn_stay(rule, d->fam, places, DIRECT_OVER_MS);
	}
	if ((rule = direct_rule_for(d, chain, false)))
		rule_conn_leave(rule, d->fam, places);
}

void direct_place(struct direct *d, struct chain *chain, const char *kind)
{
	if (d->service->direct_gated)
		rule_mark_vmap(chain_rule(chain), RULE_MARK_PACKET, UINT32_MAX,
			       name_service(d->text, kind, d->fam, d->service));
}

// ---- which real has one ------------------------------------------------------------------------------

static void direct_choose(struct direct *d)
{
	char gate[PLAN_NAME_SIZE];
	struct chain *chain = direct_chain(d, "drchoose");
	uint32_t place = 0; // among those of this family, as in the map
	name_service(gate, "drgate", d->fam, d->service);
	direct_pinned(d, chain, "drtry");
	direct_draw(d, chain, false, "drtry");
	vec_each(&d->service->reals, real) {
		if (!real->fam[d->fam])
			continue;
		struct rule *rule = chain_rule(chain);
		rule_gate_mark(rule, place++, gate);
		rule_jump(rule, name_service(d->text, "drtry", d->fam, d->service));
	}
	chain_goto(chain, "dr.up");
	chain = direct_chain(d, "drtry");
	direct_place(d, chain, "drtry");
	direct_goto(d, chain_rule(chain), "drtaken"); // it has no limit
}

static void direct_taken(struct direct *d)
{
	struct chain *chain = direct_chain(d, "drtaken");
	const char *const maps[] = {d->half_open, d->conn}; // the second while the first has no room
	struct rule *rule;
	direct_pin(d, chain);
	for (size_t i = 0; i < 2; i++) {
		if (!(rule = direct_rule_for(d, chain, true)))
			break;
		rule_conn_update(rule, d->fam, maps[i], DIRECT_TRIED_MS);
		direct_goto(d, rule, "drsend");
	}
	if ((rule = direct_rule_for(d, chain, false)))
		rule_conn_update(rule, d->fam, d->conn, direct_idle_ms(d));
	direct_goto(d, chain_rule(chain), "drsend");
}

// ---- connections that run ----------------------------------------------------------------------------

static void direct_move(struct direct *d)
{
	direct_send(d, "drkept", "drmove");
	struct chain *chain = direct_chain(d, "drmove");
	rule_conn_delete(chain_rule(chain), d->fam, d->conn);
	direct_place(d, chain, "drend");
	direct_goto(d, chain_rule(chain), "drchoose");
}

void direct_places(struct direct *d)
{
	char places[PLAN_NAME_SIZE];
	direct_choose(d);
	direct_taken(d);
	if (d->has_other)
		direct_move(d);
	vec_each(&d->service->reals, real) {
		if (!plan_real_has_places(real, d->fam))
			continue;
		name_places(places, d->fam, d->service, real);
		direct_try(d, real, places);
		direct_hold(d, real, places);
		direct_end(d, real, places);
	}
}
