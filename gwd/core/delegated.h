// SPDX-License-Identifier: GPL-2.0-or-later
// delegated: which IPv6 prefix an ISP routes to us over a link, for `snat6 = prefix`. The kernel is never told so
// in as many words, so this is where the signs are read; pure. In this order:
//
//	1. a default route for sources of that prefix only, over the link: `default from P dev WAN`, as
//	   OpenWrt's netifd makes it (and anybody's DHCPv6 hook may)
//	2. an unreachable (blackhole, prohibit) route of a prefix, as systemd-networkd and dhcpcd put it behind
//	   what they hand out, if this link's own address is nearer to it than those of the other
//	   links with an IPv6 default route
//	3. on a point-to-point link its own /64: there is nobody else on it
#ifndef GWD_CORE_DELEGATED_H
#define GWD_CORE_DELEGATED_H

#include "gwd/base/addr.h"

struct fact_iface;
struct facts;

#define DELEGATED_LEN_MIN 16
#define DELEGATED_LEN_MAX 64

// The prefix, or one of length 0: there is none, or nobody can tell.
struct prefix delegated_prefix(const struct facts *facts, const struct fact_iface *iface);

#endif
