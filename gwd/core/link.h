// SPDX-License-Identifier: GPL-2.0-or-later
// link: what a gateway's configuration and the facts make of it: its interface, and for each family
// the next hop, the source address, and in words what is missing.
//
// Pure; plan_build() makes routes and usability from it, the shell binds the probes with it.
#ifndef GWD_CORE_LINK_H
#define GWD_CORE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct facts;
struct model_gateway;

struct link_path {
	bool wanted;          // this family is meant to work: a static address, or the kernel has a route
	bool routable;        // the default route of the gateway's table can be installed
	bool ready;           // routable, with carrier and (masquerade) a source address
	struct addr via;      // next hop; none: straight onto the link
	struct addr source;   // of the interface; none if it has no usable address of this family
	struct prefix prefix; // of `snat6 = prefix`; length 0: none is known
	bool snat_here; // the fixed address of `snat` is one of the interface's, and doesn't float (link.c)
	bool snat_near; // it is in the network of `source`: the router itself needs no other address
	struct addr target; // whom a probe of the next hop asks: via, or the far end of the link; or none
	char missing[96];   // !ready: why, e.g. "no carrier on eth1"
};

struct link {
	bool present;     // the interface exists
	uint32_t ifindex; // 0: not present
	struct link_path path[FAM_COUNT];
};

// Never fails: what is not there is said in path[].missing.
void link_resolve(struct link *link, const struct model_gateway *gw, const struct facts *facts);

#endif
