// SPDX-License-Identifier: GPL-2.0-or-later
// names: what gwd's things are called in the kernel. The plan puts these names into map elements,
// nft/ gives them to the chains that it builds, and a restart reads the ids back out of them; so
// they are made here, once.
//
//	take.ID.GATEWAY      chain: the flow belongs to this gateway (stamps both marks, counts)
//	in.ID.GATEWAY        chain: a flow that came in by this gateway (stamps both marks)
//	snat.ID.GATEWAY      chain: source translation for this gateway
//	lan                  chain: a new flow from the LAN
//	shared.IFNAME        chain: WAN of several gateways: told apart by the next hop's MAC
//	new.GATEWAY          counter: new flows that were given to it
//	class                map: interface -> lan | in.* | shared.*
//	wan                  set: interfaces of the gateways
//	mac                  map: interface . MAC -> in.*
//	bound4 bound6        map: source address -> in.* (the router's own sockets bound to a link's address)
//	boundif              map: interface -> in.* (the router's own sockets bound to a device)
//	mark                 map: gateway mark -> take.* without the counter (restores a foreign-marked
// packet) 	snat                 map: gateway mark -> snat.* 	lan4 lan6            sets: lan
// networks 	if.rule.NAME         set: interfaces of a rule 	group4.G group6.G    chains: one group, per
// family
//	hit4.G …             chains: the client has a pin (packet mark as scratch); hitct4.G … (ct mark as
// scratch) 	give4.G.GATEWAY …    chains: chosen by the scheduler or a pin: remember, then take.*
// slot4.G.N … maps: slot number -> give4.* (or take.* without persistence) 	live4.G …            maps:
// gateway mark -> give4.* (pins of the other gateways are void) 	pin4.G …             maps: client ->
// gateway mark, with timeouts; pin4sd.G where keyed by source . destination 	shape.HASH           chain,
// empty: the shape that was loaded, for a restart to compare
#ifndef GWD_CORE_NAMES_H
#define GWD_CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"

// Each writes into `out` (PLAN_NAME_SIZE) and returns it.
const char *name_gateway_chain(char *out, const char *kind,
			       const struct plan_gateway *gw); // "take", "in", "snat", "stamp"
const char *name_group(char *out, const char *kind, enum fam fam, const struct plan_group *group);
const char *name_slots(char *out, enum fam fam, const struct plan_group *group);
const char *name_pins(char *out, enum fam fam, const struct plan_group *group);
const char *name_give(char *out, enum fam fam, const struct plan_group *group, const struct plan_gateway *gw);

// Takes ID and GATEWAY out of "take.ID.GATEWAY" (name: MODEL_NAME_MAX + 1 bytes). False: not such a name.
bool name_parse_take(const char *chain, unsigned *id, char *name);

#endif
