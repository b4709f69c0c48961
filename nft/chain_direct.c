// SPDX-License-Identifier: GPL-2.0-or-later
// Table netdev: services whose reals get packets as they are (dr, tun), decided where a packet comes in and
// handed on at once, without conntrack or routing; the answers take their own way.
//
//	ing.INDEX -> drtcp4.S | drany4.S -> … -> drsend4.S
//	          -> dr.in -> dr.in4: other pieces of a packet, ranges of ports, errors
//
// A connection is told by its protocol, too: a client's TCP and its UDP from one port are two, in one map.
//
// The real's id is in the packet's mark, which is nobody's here, and is taken out again where the packet goes up
// to table inet (dr.up): there are the reals that others reach (a sorry server by nat, a listener on this
// host), and there the packet goes if nobody serves.
//
// A TCP connection whose scheduler is a hash leaves no state at its SYN: it can be flooded as one likes. Its first
// segment after that is remembered (drconn), so that it keeps its real when the slots change; one with FIN
// or RST moves to drlast, which lasts two minutes longer than it. Where the choice can't be made again, the
// SYN is remembered in a map of its own (drhalf); while that is full, a hash chooses. Running connections
// are renewed by segments that push, and by one in eight of the others; UDP by each packet.
//
// To renew costs a packet more than all else here. So who was renewed is in drseen for a minute; and what is found there
// and has nothing else about it goes to its real in the first rule of drtcp or drany. Chains cost, too: each that a
// packet is sent on to is as dear as looking it up.
//
// A dead real has no element in draddr4: its connections are forgotten and go to who is drawn by hash, which
// ends those of TCP with a reset.
#include <netinet/in.h>
#include <stdio.h>

#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "nft/chains.h"
#include "nft/direct.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

const char *direct_common(char *out, const char *kind, enum fam fam)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c", kind, fam == FAM_4 ? '4' : '6');
	return out;
}

struct chain *direct_chain(struct direct *d, const char *kind)
{
	return ruleset_chain(d->ruleset, name_service(d->text, kind, d->fam, d->service));
}

void direct_goto(struct direct *d, struct rule *rule, const char *kind)
{
	rule_goto(rule, name_service(d->text, kind, d->fam, d->service));
}

static void direct_lookup(struct direct *d, struct chain *chain, const char *map, const char *kind)
{
	struct rule *rule = chain_rule(chain);
	rule_conn_lookup(rule, d->fam, map);
	direct_goto(d, rule, kind);
}

// ---- the short way ----------------------------------------------------------------------------------

static bool direct_is_short(const struct direct *d)
{
	return !d->service->direct_gated;
}

static void direct_near(struct direct *d, struct rule *rule)
{
	char name[PLAN_NAME_SIZE];
	rule_ordinary(rule, d->fam);
	rule_fwd_near(rule, d->fam, direct_common(name, "drnear", d->fam), d->service->near[d->fam]);
}

// What is tagged, or is more than this, takes the long way; also where its real is dead.
static void direct_short(struct direct *d, struct chain *chain, bool tcp)
{
	bool near = d->service->near[d->fam];
	for (int ethernet = near; direct_is_short(d) && ethernet >= 0; ethernet--) {
		struct rule *rule = chain_rule(chain);
		if (tcp)
			rule_tcp_goes_on(rule);
		if (ethernet)
			rule_untagged(rule, d->fam);
		else if (near)
			rule_no_ethernet(rule);
		rule_conn_lookup(rule, d->fam, d->seen);
		if (near)
			direct_near(d, rule);
		else
			direct_goto(d, rule, "drsend");
	}
}

static void direct_renewed(struct direct *d, struct chain *chain)
{
	if (direct_is_short(d))
		rule_conn_update(chain_rule(chain), d->fam, d->seen, DIRECT_SEEN_MS);
}

static void direct_forget(struct direct *d, struct chain *chain)
{
	rule_conn_delete(chain_rule(chain), d->fam, d->conn);
	if (direct_is_short(d))
		rule_conn_delete(chain_rule(chain), d->fam, d->seen);
}

// ---- which real ----------------------------------------------------------------------------------

// Whoever is chosen, or tried: a chain that comes back.
static void direct_enter(struct direct *d, struct rule *rule, const char *kind)
{
	if (d->service->direct_gated)
		rule_jump(rule, name_service(d->text, kind, d->fam, d->service));
	else
		direct_goto(d, rule, kind);
}

static struct rule_client direct_client(const struct direct *d)
{
	return (struct rule_client){
		.fam = d->fam, .mask = d->service->persist_mask[d->fam], .by = PERSIST_SOURCE};
}

void direct_pinned(struct direct *d, struct chain *chain, const char *kind)
{
	char live[PLAN_NAME_SIZE];
	const struct rule_client client = direct_client(d);
	if (!d->service->persistence_ms)
		return;
	struct rule *rule = chain_rule(chain);
	rule_pin_lookup(rule, &client, d->stick, RULE_MARK_PACKET);
	rule_mark_in_set(rule, RULE_MARK_PACKET, direct_common(live, "drlive", d->fam));
	direct_enter(d, rule, kind);
	rule = chain_rule(chain); // a dead real's: to renew a pin doesn't change what it says
	rule_pin_lookup(rule, &client, d->stick, RULE_MARK_PACKET);
	rule_pin_delete(rule, &client, d->stick, RULE_MARK_PACKET);
}

void direct_draw(struct direct *d, struct chain *chain, bool again, const char *kind)
{
	struct rule *rule = chain_rule(chain);
	enum rule_draw draw = rule_draw_of(d->service->scheduler);
	if (again && plan_draw_has_state(d->service->scheduler))
		draw = RULE_DRAW_SOURCE_PORT;
	else if (ring_schedules(d->service->scheduler))
		rule_count(rule); // tells which slot is next: nft_read_turns()
	rule_draw_mark(rule, draw, d->fam, d->service->n_slots[d->fam], d->pool);
	if (again)
		direct_goto(d, rule, kind);
	else
		direct_enter(d, rule, kind);
}

// Backups and the sorry server are never remembered.
void direct_pin(struct direct *d, struct chain *chain)
{
	char live[PLAN_NAME_SIZE];
	const struct rule_client client = direct_client(d);
	if (!d->service->persistence_ms)
		return;
	struct rule *rule = chain_rule(chain);
	rule_mark_in_set(rule, RULE_MARK_PACKET, direct_common(live, "drlive", d->fam));
	rule_pin_renew(rule, &client, d->stick, d->service->persistence_ms);
}

// ---- TCP -------------------------------------------------------------------------------------------

static void direct_syn(struct direct *d)
{
	const char *next = d->half ? "drhalf" : "drsend";
	struct chain *chain = direct_chain(d, "drsyn");
	if (d->half)
		direct_lookup(d, chain, d->half_open, "drsend"); // sent again
	rule_conn_delete(chain_rule(chain), d->fam, d->last);    // of an earlier one with the same port
	if (d->service->direct_gated) {
		direct_goto(d, chain_rule(chain), "drchoose");
		return;
	}
	direct_pinned(d, chain, next);
	direct_draw(d, chain, false, d->service->persistence_ms ? "drpin" : next);
	chain_goto(chain, "dr.up");
	if (d->service->persistence_ms) { // a new client may begin many at once
		chain = direct_chain(d, "drpin");
		direct_pin(d, chain);
		direct_goto(d, chain_rule(chain), next);
	}
	if (!d->half)
		return;
	chain = direct_chain(d, "drhalf");
	struct rule *rule = chain_rule(chain);
	rule_conn_update(rule, d->fam, d->half_open, DIRECT_HALF_MS);
	direct_goto(d, rule, "drsend");
	direct_pinned(d, chain, "drsend"); // no room
	direct_draw(d, chain, true, "drsend");
	chain_goto(chain, "dr.up");
}

static void direct_new(struct direct *d)
{
	struct chain *chain = direct_chain(d, "drpick");
	if (d->service->direct_gated) {
		direct_goto(d, chain_rule(chain), "drchoose");
	} else {
		direct_pinned(d, chain, "drnew");
		direct_draw(d, chain, true, "drnew");
		chain_goto(chain, "dr.up");
	}
	chain = direct_chain(d, "drnew");
	direct_pin(d, chain);
	struct rule *rule = chain_rule(chain); // without room there it stays in the other one
	rule_conn_update(rule, d->fam, d->conn, DIRECT_BEGUN_MS);
	if (d->half)
		rule_conn_delete(rule, d->fam, d->half_open);
	direct_place(d, chain, "drbegun");
	direct_goto(d, chain_rule(chain), "drsend");
}

static void direct_running(struct direct *d)
{
	struct chain *chain = direct_chain(d, "drhit");
	struct rule *rule = chain_rule(chain);
	rule_tcp_lacks(rule, RULE_TCP_FIN | RULE_TCP_RST | RULE_TCP_PSH);
	rule_most(rule, DIRECT_RENEW);
	direct_goto(d, rule, "drsend");
	rule = chain_rule(chain);
	rule_tcp_lacks(rule, RULE_TCP_FIN | RULE_TCP_RST);
	direct_goto(d, rule, "drkeep");
	direct_forget(d, chain);
	direct_goto(d, chain_rule(chain), "drlast");
	chain = direct_chain(d, "drkeep");
	rule_conn_update(chain_rule(chain), d->fam, d->conn, DIRECT_TCP_MS);
	direct_renewed(d, chain);
	direct_place(d, chain, "drrun");
	direct_goto(d, chain_rule(chain), "drsend");
	chain = direct_chain(d, "drlast");
	rule_conn_update(chain_rule(chain), d->fam, d->last, DIRECT_LAST_MS);
	direct_place(d, chain, "drend");
	direct_goto(d, chain_rule(chain), "drsend");
}

static void direct_tcp(struct direct *d)
{
	struct chain *chain = direct_chain(d, "drtcp");
	direct_short(d, chain, true);
	direct_lookup(d, chain, d->conn, "drhit");
	struct rule *rule = chain_rule(chain);
	rule_tcp_begins(rule);
	direct_goto(d, rule, "drsyn");
	if (d->half)
		direct_lookup(d, chain, d->half_open, "drnew");
	direct_lookup(d, chain, d->last, "drlast");
	direct_goto(d, chain_rule(chain), "drpick"); // none that is known
	direct_syn(d);
	direct_new(d);
	direct_running(d);
}

// ---- all else --------------------------------------------------------------------------------------

uint32_t direct_idle_ms(const struct direct *d)
{
	uint32_t idle = DIRECT_UDP_MS;
	vec_each(&d->service->protocols, protocol)
		if (*protocol == IPPROTO_SCTP)
			idle = DIRECT_SCTP_MS;
	return direct_is_short(d) ? idle + DIRECT_SEEN_MS : idle;
}

static void direct_any(struct direct *d)
{
	struct chain *chain = direct_chain(d, "drany");
	direct_short(d, chain, false);
	direct_lookup(d, chain, d->conn, "drmore");
	if (d->service->direct_gated) {
		direct_goto(d, chain_rule(chain), "drchoose");
	} else {
		direct_pinned(d, chain, "drfirst");
		direct_draw(d, chain, false, "drfirst");
		chain_goto(chain, "dr.up");
		chain = direct_chain(d, "drfirst");
		direct_pin(d, chain);
		rule_conn_update(chain_rule(chain), d->fam, d->conn, direct_idle_ms(d));
		direct_goto(d, chain_rule(chain), "drsend");
	}
	chain = direct_chain(d, "drmore");
	rule_conn_update(chain_rule(chain), d->fam, d->conn, direct_idle_ms(d));
	direct_renewed(d, chain);
	direct_place(d, chain, "drrun");
	direct_goto(d, chain_rule(chain), d->service->direct_gated ? "drkept" : "drsend");
}

// ---- on its way --------------------------------------------------------------------------------------

void direct_hand_on(struct chain *chain, enum fam fam)
{
	char addrs[PLAN_NAME_SIZE], devices[PLAN_NAME_SIZE];
	struct rule *rule = chain_rule(chain); // the kernel counts the hop without looking
	rule_last_hop(rule, fam);
	rule_drop(rule);
	rule = chain_rule(chain);
	rule_vlan(rule);
	rule_goto(rule, "dr.up");
	rule_fwd(chain_rule(chain), fam, direct_common(addrs, "draddr", fam),
		 direct_common(devices, "drdev", fam));
}

void direct_send(struct direct *d, const char *kind, const char *otherwise)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = direct_chain(d, kind);
	if (d->service->near[d->fam]) {
		struct rule *near = chain_rule(chain);
		rule_untagged(near, d->fam);
		direct_near(d, near);
	}
	rule_fragment_update(chain_rule(chain), d->fam, direct_common(name, "drfrag", d->fam),
			     DIRECT_FRAGMENTS_MS);
	if (d->fam == FAM_4 && d->service->tunnel[FAM_4])
		chain_into_tunnel(chain);
	direct_hand_on(chain, d->fam);
	struct rule *rule = chain_rule(chain);
	rule_mark_in_set(rule, RULE_MARK_PACKET, direct_common(name, "drup", d->fam));
	rule_goto(rule, "dr.up");
	direct_goto(d, chain_rule(chain), otherwise);
}

static void direct_lost(struct direct *d)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = direct_chain(d, "drlost");
	direct_forget(d, chain);
	if (d->has_tcp)
		rule_conn_delete(chain_rule(chain), d->fam, d->last);
	if (d->has_tcp && d->half)
		rule_conn_delete(chain_rule(chain), d->fam, d->half_open);
	direct_place(d, chain, "drend");
	direct_draw(d, chain, true, "drmoved");
	chain_goto(chain, "dr.up");
	chain = direct_chain(d, "drmoved");
	if (d->has_other) {
		struct rule *rule = chain_rule(chain);
		if (d->has_tcp)
			rule_not_tcp(rule);
		rule_conn_update(rule, d->fam, d->conn, direct_idle_ms(d));
	}
	chain_goto(chain, direct_common(name, "dr.pass", d->fam));
}

static void direct_error(struct direct *d)
{
	char pass[PLAN_NAME_SIZE];
	const char *const maps[] = {d->conn, d->last, d->half_open};
	struct chain *chain = direct_chain(d, "drerr");
	direct_common(pass, "dr.pass", d->fam);
	for (size_t i = 0; i < (d->half ? 3 : 2); i++) {
		struct rule *rule = chain_rule(chain);
		rule_quote_lookup(rule, d->fam, maps[i]);
		rule_goto(rule, pass);
	}
}

static void direct_service(struct ruleset *ruleset, const struct plan_service *service, enum fam fam)
{
	struct direct d = {.ruleset = ruleset, .service = service, .fam = fam};
	name_direct_pool(d.pool, fam, service);
	name_service(d.conn, "drconn", fam, service);
	name_service(d.seen, "drseen", fam, service);
	name_service(d.last, "drlast", fam, service);
	name_service(d.half_open, "drhalf", fam, service);
	name_service(d.stick, "drstick", fam, service);
	d.half = service->direct_gated || plan_draw_has_state(service->scheduler);
	vec_each(&service->protocols, protocol) {
		d.has_tcp |= *protocol == IPPROTO_TCP;
		d.has_other |= *protocol != IPPROTO_TCP;
	}
	if (d.has_tcp)
		direct_tcp(&d);
	if (d.has_other)
		direct_any(&d);
	direct_send(&d, "drsend", "drlost");
	direct_lost(&d);
	if (service->direct_gated)
		direct_places(&d);
	direct_error(&d);
}

void chains_direct_of(struct ruleset *ruleset, const struct plan_service *service)
{
	enum plan_table before = ruleset->table;
	ruleset->table = PLAN_NETDEV;
	for (enum fam fam = FAM_4; service->direct && fam < FAM_COUNT; fam++)
		if (service->fam[fam])
			direct_service(ruleset, service, fam);
	ruleset->table = before;
}
