// SPDX-License-Identifier: GPL-2.0-or-later
// names: what gwd's things are called in the kernel. The plan puts these names into map elements,
// nft/ gives them to the chains that it builds, and a restart reads the ids back out of them; so
// they are made here, once.
//
//	take.ID.GATEWAY      chain: the flow belongs to this gateway (stamps both marks, counts)
//	in.ID.GATEWAY        chain: it came in by this gateway, or has its mark already (stamps both marks)
//	snat.ID.GATEWAY      chain: source translation for this gateway
//	lan lan6             chains: a new flow from the LAN; lan4.near: is it for somebody inside?
//	shared               chain: it came by a WAN of several gateways: told apart by the next hop's MAC
//	group4.G             chains: a group that counts, per family
//	prefer4.G strict4.G  chains: a rule's way into its group, and what if nobody there is usable
//	hit4.G               chains: the client's pin is void, or the packet has others' bits in its mark
//	void4.G hitct4.G     chains: the pin is void; the client has one (in the connection's mark)
//	hits4.G voids4.G hitsct4.G chains: the same on the way from strict4.G
//	give4.G.GATEWAY      chains: chosen by the scheduler: remember, then as take.*
//	keep4.G.GATEWAY      chains: by the client's pin, which is in the packet's mark: the same
//	shape.HASH.RULES     chain, empty: the shape that was loaded and how many rules that is, for a
//	                     restart and for healing to compare
//	new.GATEWAY          counter: new flows that were given to it
//	unpinned.G           counter: new flows whose client could not be pinned: the pin map is full
//	wan                  set: interfaces of the gateways
//	class                map: interface -> lan | in.* | shared
//	classif wanif        the same as `class` and `wan`, by the index of those that are there
//	mac                  map: interface . MAC -> in.*
//	bound4 bound6        map: source address -> in.* (the router's own sockets bound to an address)
//	boundif              map: interface -> in.* (the router's own sockets bound to a device)
//	bymark               map: gateway mark -> in.* (`mark` is a word of nft's language)
//	speak4 speak6        maps: gateway mark . interface's index -> the address that its flows speak from
//	translate            map: gateway mark -> snat.* (so is `snat`)
//	lan4 lan6            sets: LAN networks
//	inside4 inside6      sets: destinations that don't go out (core/inside.h)
//	byte4                set: the first bytes of what is in inside4
//	fast                 flowtable, and the chain that puts flows into it
//	fastmark             set: marks of the gateways whose flows it takes
//	dst4.rule.NAME       set: destinations of a rule that goes by names
//	cut4.lan cut4.own    maps: address or port -> cut4.lan.K (where there are many rules)
//	cut4.lan.K           chains: the rules that are possible there; cut4.lan.end: none of them matched
//	if.rule.NAME         set: interfaces of a rule
//	slot4.G.N            maps: slot number -> give4.* (or take.* without persistence)
//	live4.G livect4.G    maps: gateway mark -> keep4.*, give4.* (pins of the other gateways are void)
//	pin4.G pin4sd.G      maps: client -> gateway mark, with timeouts; sd: by source . destination
//
// Inbound:
//	inbound inbound.own  chains: a new connection to a service, from outside and from this host
//	source               chain: which of them get another source address (fullnat, and within one LAN)
//	service4.S           chains: one service, per family
//	stuck4.S stuckct4.S  chains: the client has a pin (in the packet's or the connection's mark)
//	held4.S.R heldct4.S.R chains: the real of that pin: the mark is put back
//	pick4.S              chains: the slot is drawn; with thresholds also who is tried next
//	real4.S.R            chains: chosen: is there a place? remember the client
//	got4.S.R             chains: there was a place: remember the client
//	to4.S.R              chains: the translation itself
//	source4.S            chains: what a fullnat service speaks from
//	vip4 vip6            maps: address . protocol . port -> service4.*
//	fullnat4 fullnat6    maps: the same -> source4.*
//	syn syn.in syn4 syn6 chains: what syn-proxy answers
//	proxied              chain: the kernel's own SYN to a real behind it
//	syn4 syn6            sets: listeners of services with syn-proxy
//	home4 home6          maps: their addresses -> in.* of the gateway whose address it is
//	hairpin              set: interface . interface, of the LAN
//	lanif                set: interfaces of the LAN, by index
//	pool4.S.N            maps: slot number -> real4.*; pool4.S.N.addr: -> the real's address; .port: and port
//	held4.S heldct4.S    maps: real's id -> held4.*, heldct4.*
//	rate4.S.N many4.S.N      sets: sources, each with its rate of new connections, or their number
//	stick4.S             maps: client -> real's id, with timeouts
//	gate4.S              maps: 0, 1, ... in the order of overflow -> real4.*, to4.*
//	place4.S.R.MAX       sets: connections of a real that has max-connections; full, it takes no more
//
// A connection is client . protocol . its port . listener . its port, in both tables (nft/places.h).
//
// Reals by dr and tun: table netdev.
//	ing.INDEX            chains: what comes in by that interface
//	dr.in dr.in4 dr.in6  chains: is it for one of the services?
//	dr.rest4 dr.error4   chains: the rest of a packet that comes in pieces; an ICMP error
//	dr.pass4 dr.up       chains: to the real whose id is in the mark; up to table inet
//	drtcp4.S drany4.S    chains: a packet of that service
//	drsyn4.S drhalf4.S   chains: a connection begins; it is remembered from its first packet on
//	drpick4.S drnew4.S   chains: a connection that is not known: which real; it is remembered
//	drhit4.S drlast4.S   chains: a known one; one that ends
//	drpin4.S             chains: a new client's first connection
//	drsend4.S drlost4.S  chains: to the real; it is dead
//	drerr4.S             chains: an error about a connection
//	drchoose4.S          chains: some real has max-connections: the pin, the slot, and who is tried next
//	drtry4.S drtry4.S.R  chains: chosen: is there a place?
//	drtaken4.S           chains: there was one: the connection is remembered
//	drkeep4.S            chain: a running one, which is to stay so
//	drkept4.S drmove4.S  chains: a running one of UDP; its real is dead
//	drbegun4.S.R drrun4.S.R drend4.S.R chains: its place is held on to: it has begun, it runs, it ends
//	drvip4 drquote4      maps: address . protocol . port -> drtcp4.*, drany4.*; -> drerr4.*
//	draddr4 drdev4       maps: real's id -> its address; the interface that leads there
//	drnear4              map: real's id -> its address, where one interface leads to all of the service's
//	drup4 drlive4        sets: ids of reals that are table inet's; of those whose pins hold
//	drtun4               set: ids of those by tun
//	dr.tunnel4 dr.big4   chains: what may be in pieces inside a tunnel; what is told to be smaller
//	drtold4              set: clients that were told
//	tunnel4 tunnels      (table inet) set: ends of tunnels; chain: packets around packets
//	gwd-DIGITS           devices: tunnels (core/tunnel.h)
//	drpool4.S.N          maps: slot number -> real's id
//	drconn4.S drlast4.S drhalf4.S maps: connection -> real's id; of one that ends, that begins
//	drseen4.S            maps: connection -> real's id; of those in drconn4.S that were renewed just now
//	drstick4.S           maps: client -> real's id
//	drtry4.S drbegun4.S drrun4.S drend4.S maps: id of a real that has max-connections -> its chain
//	drgate4.S            maps: 0, 1, ... in the order of overflow -> real's id
//	drplace4.S.R.MAX     sets: connections of a real that has max-connections; full, it takes no more
//	drfrag4              map: the pieces of one packet -> real's id
//	ingress              the devices of ing.*
//	dranswer4 drback4    (table inet) set: VIPs of such services; map: VIP -> mark of the gateway it belongs to
#ifndef GWD_CORE_NAMES_H
#define GWD_CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"

// Each writes into `out` (PLAN_NAME_SIZE) and returns it.
const char *name_gateway_chain(char *out, const char *kind,
			       const struct plan_gateway *gw); // "take", "in", "snat"
const char *name_group(char *out, const char *kind, enum fam fam, const struct plan_group *group);
const char *name_slots(char *out, enum fam fam, const struct plan_group *group);
const char *name_pins(char *out, enum fam fam, const struct plan_group *group);
const char *name_give(char *out, enum fam fam, const struct plan_group *group, const struct plan_gateway *gw);
const char *name_keep(char *out, enum fam fam, const struct plan_group *group, const struct plan_gateway *gw);

const char *name_service(char *out, const char *kind, enum fam fam, const struct plan_service *service);
// Where the service's ring of that table stands (turns.h); PLAN_GROUP_NAME_SIZE.
const char *name_service_turn(char *out, const struct plan_service *service, enum plan_table table);
const char *name_pool(char *out, enum fam fam, const struct plan_service *service);
// "rate" and "many": each element keeps the limit that it was made with, so another limit is another set.
const char *name_limit(char *out, const char *kind, enum fam fam, const struct plan_service *service,
		       uint32_t most);
const char *name_real(char *out, const char *kind, enum fam fam, const struct plan_service *service,
		      const struct plan_real *real);
const char *name_places(char *out, enum fam fam, const struct plan_service *service,
			const struct plan_real *real); // in the table that is the real's
// The chain whose counter tells how many slots were drawn.
const char *name_drawer(char *out, enum fam fam, const struct plan_service *service);

const char *name_direct_pool(char *out, enum fam fam, const struct plan_service *service);
const char *name_ingress(char *out, const struct plan_elem *device); // "ing.INDEX"

// "lan" or "own" rules, and their K-th list.
const char *name_cut(char *out, enum fam fam, bool own);
const char *name_cut_list(char *out, enum fam fam, bool own, size_t k);
const char *name_rule_to(char *out, enum fam fam, const struct plan_rule *rule);
const char *name_counter(char *out, const struct plan_gateway *gw);
const char *name_unpinned(char *out, const struct plan_group *group);
const char *name_shape(char *out, uint64_t shape, size_t n_rules);

// Takes ID and GATEWAY out of "take.ID.GATEWAY" (name: MODEL_NAME_MAX + 1 bytes). False: not such a name.
bool name_parse_take(const char *chain, unsigned *id, char *name);

// Takes INDEX out of "ing.INDEX".
bool name_parse_ingress(const char *chain, uint32_t *index);

// Takes HASH and RULES out of "shape.HASH.RULES".
bool name_parse_shape(const char *chain, uint64_t *shape, size_t *n_rules);

#endif
