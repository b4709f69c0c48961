// SPDX-License-Identifier: GPL-2.0-or-later
// tunnel: the devices by which reals by tun are reached: one for each address, IPIP for IPv4 and ip6tnl for
// IPv6, whichever services it serves.
//
// Its name is made from the address, so a restart and a reload find it again: what is in force is what the kernel
// has under such names. What somebody takes away is made anew. A real's packets wait (are dropped) for the moment
// until its tunnel is there; if the kernel refuses it, the real is down and says why.
#ifndef GWD_CORE_TUNNEL_H
#define GWD_CORE_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/plan.h"

#define TUNNEL_NAME_SIZE 16 // IFNAMSIZ

struct build_input;
struct fact_iface;
struct facts;

// A tunnel that the kernel did not take, as the shell found out.
struct tunnel_refusal {
	char ifname[TUNNEL_NAME_SIZE];
	char reason[160];
};

struct tunnel_refusals {
	VEC(struct tunnel_refusal) v;
};

const struct tunnel_refusal *tunnel_refused(const struct tunnel_refusals *refusals,
					    const char *ifname); // NULL: it was not

// "gwd-" and eight digits, from the far end's address.
void tunnel_name(char out[TUNNEL_NAME_SIZE], const struct addr *remote);
bool tunnel_is_ours(const char *ifname);

// What a tunnel takes in one packet: the device's own, or what an Ethernet leaves.
uint32_t tunnel_mtu(const struct fact_iface *iface, enum fam fam);

// Finds the tunnel of a real by tun; it is down while there can't be one.
void tunnel_way(struct plan_real *real, const struct build_input *input);

// Fills plan->tunnels, sorted, and plan->tunnel_mtu.
void tunnel_build(struct plan *plan, const struct build_input *input);

// Replaces applied->tunnels by what the kernel has.
void tunnel_in_force(struct plan *applied, const struct facts *facts);

int tunnel_compare(const struct plan_tunnel *a, const struct plan_tunnel *b); // by name
bool tunnel_equal(const struct plan_tunnel *a, const struct plan_tunnel *b);

#endif
