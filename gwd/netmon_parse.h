// SPDX-License-Identifier: GPL-2.0-or-later
// netmon_parse: one message of rtnetlink into the facts. Pure; for netmon and its tests and fuzzers.
//
// A message that is of another kind, truncated, or about something that is no fact (a route that is
// neither a default of the main table nor a sign of a delegated prefix, a route of ours) adds nothing. What is malformed is left out.
#ifndef GWD_NETMON_PARSE_H
#define GWD_NETMON_PARSE_H

#include <stdbool.h>
#include <stdint.h>

struct fact_neigh;
struct facts;
struct nlmsghdr;

// Appends to `out`; links come before their addresses.
typedef void netmon_parse_fn(struct facts *out, const struct nlmsghdr *nlh);

netmon_parse_fn netmon_parse_link; // RTM_NEWLINK: an interface without addresses and counters
netmon_parse_fn netmon_parse_addr; // RTM_NEWADDR: an address of an interface that is in `out`
// RTM_NEWROUTE: a default route, one for each next hop of a multipath one; a prefix; and every route as a net
netmon_parse_fn netmon_parse_route;
netmon_parse_fn netmon_parse_rule;  // RTM_NEWRULE: whether somebody else has ip rules
netmon_parse_fn netmon_parse_stats; // RTM_NEWSTATS: an interface with nothing but index and counters

// RTM_NEWNEIGH. `state` is NUD_*; without a MAC address in the message, out->mac is zero.
bool netmon_parse_neigh(struct fact_neigh *out, uint16_t *state, const struct nlmsghdr *nlh);

// RTM_NEWRULE, RTM_DELRULE: who made the ip rule, as FRA_PROTOCOL says; 0: unknown.
uint8_t netmon_parse_rule_protocol(const struct nlmsghdr *nlh);

#endif
