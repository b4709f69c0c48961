// SPDX-License-Identifier: GPL-2.0-or-later
// anon: the anonymous sets of rules, `{ a, b, c }`. rule_*.c make them; they are sent before their
// rule and go with it.
#ifndef GWD_NFT_ANON_H
#define GWD_NFT_ANON_H

#include <stddef.h>
#include <stdint.h>

struct nftnl_set;
struct ranges;
struct rule;

// What the elements are: nft's number of the type, needed to list them again.
enum anon_type {
	ANON_STRING = 5, // a name as `fib … oifname` gives it
	ANON_IPV4 = 7,
	ANON_IPV6 = 8,
	ANON_PROTO = 12,
	ANON_PORT = 13,
	ANON_ICMP_TYPE = 14,
	ANON_ICMPV6_TYPE = 29,
	ANON_DSCP = 36,
	ANON_FIB_TYPE = 38,
	ANON_IFNAME = 41,
};

// `values`: n values of `size` bytes, one after the other. The rule owns the set.
struct nftnl_set *anon_values(struct rule *rule, enum anon_type type, const void *values, unsigned size,
			      size_t n);
// Single values alone make a plain set, anything else one of intervals.
struct nftnl_set *anon_ranges(struct rule *rule, enum anon_type type, const struct ranges *ranges);

#endif
