// SPDX-License-Identifier: GPL-2.0-or-later
// facts: what the kernel says about this host, as data: interfaces, their addresses, the default
// routes that others (DHCP, RA, PPP, the operator) put into the main table, and the neighbours
// that matter; and what routes tell of delegated prefixes.
//
// netmon writes them from netlink, the core reads them. They hold no decision: a gateway's next
// hop and usability are derived (gateway_resolve).
#ifndef GWD_CORE_FACTS_H
#define GWD_CORE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct fact_addr {
	struct addr addr;
	struct addr peer; // the far end of a point-to-point address, or none
	uint8_t len;      // prefix length
	bool ours;        // put there by gwd: a service's, never what a link speaks from
	bool usable;      // not tentative, not deprecated, not failed DAD, global scope
	bool unrouted;    // the kernel has it, but would not yet take what comes for it (IPv6)
};

struct fact_iface {
	uint32_t index;
	char name[16];
	bool up;             // IFF_UP
	bool carrier;        // IFF_LOWER_UP
	bool point_to_point; // IFF_POINTOPOINT or IFF_NOARP: no neighbour resolution, no next hop needed
	uint32_t mtu;
	struct addr tunnel_local, tunnel_remote; // of an IPIP or ip6tnl device; none: any
	uint64_t rx_bytes, tx_bytes;
	VEC(struct fact_addr) addrs; // the kernel's order: IPv4's oldest first, IPv6's newest first
};

// A default route of the main table that is not gwd's own.
struct fact_route {
	enum fam fam;
	uint32_t oif;       // interface index
	struct addr via;    // none: straight onto the link
	struct addr source; // preferred source, or none
	uint32_t metric;
};

// An IPv6 prefix that may be one that an ISP has delegated to this host; see delegated.h.
struct fact_prefix {
	struct prefix prefix;
	uint32_t oif; // the link that it belongs to; 0: not told
};

// Where a route leads: of main (not gwd's own), or of table local, which the kernel asks first.
struct fact_net {
	struct prefix to;
	uint32_t metric;
	uint32_t oif;    // interface index (the first leg's); 0: the kernel refuses what goes there
	char ifname[16]; // its name; "" where it is not known
	bool local;      // of table local: this host's own addresses, and those of more than one host
	int64_t gone_ms; // 0: it is there; else main had it until then, and nothing leads there for the moment
};

#define FACTS_NETS_MAX 2048 // of both families; a full BGP table is not followed route by route

// A resolved neighbour on an interface that several gateways share.
struct fact_neigh {
	uint32_t index;
	struct addr addr;
	uint8_t mac[6];
};

struct facts {
	VEC(struct fact_iface) ifaces;
	VEC(struct fact_route) defaults;
	VEC(struct fact_prefix) prefixes; // the shorter ones first
	VEC(struct fact_neigh) neighs;
	VEC(struct fact_net) nets;
	bool nets_many;     // more of them than are kept: there are none in `nets`
	bool policy_routed; // somebody else has ip rules: not main alone says where a packet goes
};

void facts_free(struct facts *facts);

const struct fact_iface *facts_iface(const struct facts *facts, const char *name); // NULL: not there
const struct fact_iface *facts_iface_by_index(const struct facts *facts, uint32_t index);

// The oldest usable address of a family on the interface, of those in one network with `near` unless it is NULL; or NULL
// if there is none. One that comes later changes nothing for the flows of the one that was there.
const struct fact_addr *fact_iface_source(const struct fact_iface *iface, enum fam fam,
					  const struct addr *near);

bool fact_addr_is_near(const struct fact_addr *own, const struct addr *addr); // in its network

// MAC of that neighbour, or NULL while it is not resolved.
const uint8_t *facts_mac(const struct facts *facts, uint32_t index, const struct addr *addr);

#endif
