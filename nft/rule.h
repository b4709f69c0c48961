// SPDX-License-Identifier: GPL-2.0-or-later
// rule: one nftables rule, built twice at once: every rule_*() call appends the libnftnl expressions
// of a statement and its text in nft's own syntax. What `gwd -n` prints and what the kernel gets can
// therefore not drift apart; the tests hold both against what nft makes of the text.
//
// The chain_*.c files call it, through chain_rule(). The expressions, and the registers that they
// use, are those that nft 1.0.6 compiles from the text, so that it can list every rule again. Where
// nft would add a match that the text leaves out (`ip saddr` needs IPv4), so does the call, once
// a rule.
#ifndef GWD_NFT_RULE_H
#define GWD_NFT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"

struct nftnl_rule;
struct nftnl_set;
struct ranges;

struct rule {
	struct nftnl_rule *nl;
	struct buf text;
	VEC(struct nftnl_set *) sets; // anonymous ones, `{ … }` in the text; sent before the rule
	enum plan_table table;
	uint32_t *next_set_id;         // ids of anonymous sets are unique in a ruleset
	bool has_nfproto, has_l4proto; // a match on it was made, so that no other is needed
};

enum rule_mark { RULE_MARK_PACKET, RULE_MARK_CT };
enum rule_op { RULE_IS, RULE_IS_NOT };
enum rule_if { RULE_IIFNAME, RULE_OIFNAME, RULE_IIF, RULE_OIF }; // by name; by index: cheaper
enum rule_side { RULE_SOURCE, RULE_DESTINATION };
enum rule_state {
	RULE_STATE_INVALID = 1,
	RULE_STATE_ESTABLISHED = 2,
	RULE_STATE_NEW = 8,
	RULE_STATE_UNTRACKED = 64
}; // NF_CT_STATE_*_BIT
enum rule_reject {
	RULE_REJECT_TCP_RESET,
	RULE_REJECT_NO_ROUTE,
	RULE_REJECT_PROHIBITED,
	RULE_REJECT_TOO_BIG // IPv4 only, and says no size: rule_too_big_says()
};

enum rule_draw { // what a slot is drawn by
	RULE_DRAW_TURN,
	RULE_DRAW_RANDOM,
	RULE_DRAW_SOURCE,
	RULE_DRAW_DESTINATION,
	RULE_DRAW_SOURCE_PORT,
};

// Whose pin it is: the source under a mask, alone or with the destination.
struct rule_client {
	enum fam fam;
	uint8_t mask;
	enum persist_by by;
};

// `chain` is its name.
struct rule *rule_new(enum plan_table table, const char *chain, uint32_t *next_set_id);
void rule_free(struct rule *rule);

// ---- what happens ----------------------------------------------------------------------------
void rule_accept(struct rule *rule);
void rule_drop(struct rule *rule);
void rule_goto(struct rule *rule, const char *chain);
void rule_jump(struct rule *rule, const char *chain);
void rule_counter(struct rule *rule, const char *name);
void rule_count(struct rule *rule); // a counter of its own
void rule_reject(struct rule *rule, enum rule_reject how);
void rule_notrack(struct rule *rule);
void rule_snat(struct rule *rule, const struct addr *first, const struct addr *last);
void rule_snat_prefix(struct rule *rule, const struct prefix *prefix); // one to one; the rest of it stays
// To what the map has for the gateway in the packet's mark and the interface that it leaves by.
void rule_snat_by_link(struct rule *rule, enum fam fam, uint32_t mask, const char *map);
void rule_masquerade(struct rule *rule);
void rule_flow_add(struct rule *rule, const char *flowtable);

// ---- marks -----------------------------------------------------------------------------------
void rule_mark_match(struct rule *rule, enum rule_mark mark, uint32_t mask, enum rule_op op, uint32_t value);
void rule_mark_vmap(struct rule *rule, enum rule_mark mark, uint32_t mask, const char *map);
void rule_mark_in_set(struct rule *rule, enum rule_mark mark, const char *set);
void rule_mark_set(struct rule *rule, enum rule_mark mark, uint32_t value);
void rule_mark_copy(struct rule *rule, enum rule_mark to, enum rule_mark from, uint32_t mask);
void rule_mark_stamp(struct rule *rule, enum rule_mark mark, uint32_t keep, uint32_t bits);

// ---- what the packet is ------------------------------------------------------------------------
void rule_ct_state(struct rule *rule, enum rule_state state);
void rule_ct_original(struct rule *rule);                    // from the side that opened the flow
void rule_priority_is(struct rule *rule, uint32_t priority); // of the socket that sent it
void rule_not_to_us(struct rule *rule); // by its link-layer address: broadcast, multicast, overheard
void rule_forwarded(struct rule *rule); // it came in by some interface: not the router's own
void rule_fam(struct rule *rule, enum fam fam);
void rule_if_is(struct rule *rule, enum rule_if which, const char *name);
void rule_if_in_set(struct rule *rule, enum rule_if which, const char *set);
void rule_if_in(struct rule *rule, enum rule_if which, const char *const *names, size_t n);
void rule_if_vmap(struct rule *rule, enum rule_if which, const char *map);
void rule_sender_vmap(struct rule *rule, const char *map); // interface . MAC that it came from
void rule_addr_in_set(struct rule *rule, enum fam fam, enum rule_side side, enum rule_op op, const char *set);
void rule_near4(struct rule *rule, const char *set); // the first byte of an IPv4 destination; of nothing else
void rule_addr_vmap(struct rule *rule, enum fam fam, enum rule_side side, const char *map);
void rule_dport_vmap(struct rule *rule, const char *map);
void rule_addr_ranges(struct rule *rule, enum fam fam, enum rule_side side, const struct ranges *ranges);
void rule_ports(struct rule *rule, enum rule_side side, const struct ranges *ranges);
void rule_protocols(struct rule *rule, const uint8_t *protocols, size_t n);
void rule_dscp(struct rule *rule, enum fam fam, const uint8_t *dscp, size_t n);
void rule_tcp_sport_below(struct rule *rule, uint16_t port);
void rule_tcp_syn(struct rule *rule);     // alone: it opens a flow
void rule_tcp_not_syn(struct rule *rule); // neither a SYN nor anything else that may open a flow

// ---- where main routes it ------------------------------------------------------------------------
void rule_route_by(struct rule *rule, const char *const *names, size_t n); // leaves by one of these
void rule_route_known(struct rule *rule);                                  // main has a route
void rule_from_us(struct rule *rule);       // its source is an address of this host
void rule_route_special(struct rule *rule); // to this host, or to more than one

// ---- scheduling and pins -----------------------------------------------------------------------
enum rule_draw rule_draw_of(enum scheduler scheduler);
void rule_draw_vmap(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map);
void rule_draw_dnat(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map,
		    bool port); // to the address (and port) in the map
void rule_pin_lookup(struct rule *rule, const struct rule_client *client, const char *map,
		     enum rule_mark into);
void rule_pin_update(struct rule *rule, const struct rule_client *client, const char *map,
		     uint32_t timeout_ms, uint32_t mark);
void rule_pin_delete(struct rule *rule, const struct rule_client *client, const char *map,
		     enum rule_mark data);
void rule_pin_forget(struct rule *rule, const struct rule_client *client, const char *map, uint32_t mark);

// ---- inbound services (rule_service.c) ------------------------------------------------------------
// What has been translated is known by the address it was sent to and the one it goes to now.
void rule_listener_vmap(struct rule *rule, enum fam fam, const char *map); // address . protocol . port
void rule_translated_vmap(struct rule *rule, enum fam fam, const char *map);
void rule_originally_to(struct rule *rule, const struct addr *addr);
void rule_addr_is(struct rule *rule, enum rule_side side, const struct addr *addr);
void rule_dport_in(struct rule *rule, uint16_t first, uint16_t last);
void rule_ct_dnat(struct rule *rule); // its destination was translated
void rule_if_pair_in_set(struct rule *rule, const char *set);
void rule_dnat(struct rule *rule, const struct addr *addr, uint16_t port); // port 0: stays
void rule_dnat_port(struct rule *rule, uint16_t port);                     // to the same address
// The constant I, looked up: who is I-th in a map by slot.
void rule_gate_vmap(struct rule *rule, uint32_t index, const char *map);
void rule_gate_mark(struct rule *rule, uint32_t index, const char *map); // its id, into the packet's mark
void rule_helper(struct rule *rule, const char *name);
void rule_tcp_listener_in_set(struct rule *rule, enum fam fam, const char *set); // address . port
void rule_synproxy(struct rule *rule, enum fam fam);
// More than so many connections of one source, or new ones a second.
void rule_over_connections(struct rule *rule, enum fam fam, const char *set, uint32_t most);
void rule_over_rate(struct rule *rule, enum fam fam, const char *set, uint32_t most);

// ---- connections (rule_direct.c) ------------------------------------------------------------------
// A connection is client . protocol . its port . listener . its port (names.h); what a map knows of one goes into the
// packet's mark, and from there into the maps.
void rule_conn_lookup(struct rule *rule, enum fam fam, const char *map);
void rule_conn_update(struct rule *rule, enum fam fam, const char *map, uint32_t timeout_ms);
void rule_conn_delete(struct rule *rule, enum fam fam, const char *map);
// The same connection in a set of those that have places; to enter goes on only if it has room. Without a time it stays.
void rule_conn_enter(struct rule *rule, enum fam fam, const char *set, uint32_t timeout_ms);
void rule_conn_stay(struct rule *rule, enum fam fam, const char *set, uint32_t timeout_ms);
void rule_conn_leave(struct rule *rule, enum fam fam, const char *set);

// ---- table netdev (rule_direct.c) -----------------------------------------------------------------
void rule_draw_mark(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map);
void rule_pin_renew(struct rule *rule, const struct rule_client *client, const char *map,
		    uint32_t timeout_ms);
void rule_addr_mark(struct rule *rule, enum fam fam, enum rule_side side, const char *map);
void rule_fwd(struct rule *rule, enum fam fam, const char *addrs, const char *devices); // by the mark
void rule_fwd_near(struct rule *rule, enum fam fam, const char *addrs, uint32_t device);
void rule_tcp_begins(struct rule *rule);
enum rule_tcp_flag { RULE_TCP_FIN = 1, RULE_TCP_RST = 4, RULE_TCP_PSH = 8 };
void rule_tcp_lacks(struct rule *rule, unsigned flags); // none of these
void rule_tcp_resets(struct rule *rule);
void rule_tcp_goes_on(struct rule *rule); // neither SYN nor FIN nor RST; only where all is TCP
void rule_not_tcp(struct rule *rule);
void rule_most(struct rule *rule, uint32_t of); // all but one of so many, at random
void rule_last_hop(struct rule *rule, enum fam fam);
void rule_vlan(struct rule *rule);                   // the tag is still on: its own interface sees it next
void rule_untagged(struct rule *rule, enum fam fam); // by an Ethernet, without a tag
void rule_no_ethernet(struct rule *rule);            // there are no tags
void rule_ordinary(struct rule *rule, enum fam fam); // it may take another hop, and no pieces follow it
// Packets in pieces: the first says whose the others are.
void rule_fragment_update(struct rule *rule, enum fam fam, const char *map, uint32_t timeout_ms);
void rule_fragment_lookup(struct rule *rule, enum fam fam, const char *map);
// Reals by tun (rule_tunnel.c).
void rule_tunnelled(struct rule *rule, enum fam fam, const char *ends); // IP in IP, to one of these
void rule_unfragmentable(struct rule *rule);                            // IPv4: whole, and to stay so
void rule_length_in(struct rule *rule, uint16_t first, uint16_t last);  // of an IPv4 packet
void rule_fragmentable(struct rule *rule); // makes it so; for what rule_unfragmentable() matched
void rule_remember(struct rule *rule, const char *set, uint32_t timeout_ms); // the IPv4 source
void rule_too_big_says(struct rule *rule, uint16_t mtu); // to an error of ours that does not say it
void rule_mss(struct rule *rule, uint16_t most);         // to a TCP connection that begins
// ICMP errors: the connection whose packet of the answer is quoted. nft can't compile these, but list them.
void rule_icmp_error(struct rule *rule, enum fam fam);
void rule_quote_vmap(struct rule *rule, enum fam fam, const char *map); // listener . protocol . port
void rule_quote_from(struct rule *rule, const struct addr *addr);
void rule_quote_lookup(struct rule *rule, enum fam fam, const char *map);

#endif
