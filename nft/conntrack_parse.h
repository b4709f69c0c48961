// SPDX-License-Identifier: GPL-2.0-or-later
// conntrack_parse: one entry of a ctnetlink dump as a `struct ct_flow`.
#ifndef GWD_NFT_CONNTRACK_PARSE_H
#define GWD_NFT_CONNTRACK_PARSE_H

#include <stdbool.h>

#include "nft/conntrack.h"

struct nlattr;
struct nlmsghdr;

struct ct_entry {
	struct ct_flow flow;
	const struct nlattr *orig, *id, *zone; // as they came, to name the entry; NULL: not there
};

// False: not of IPv4 or IPv6, or not understood. The attributes are in `nlh`.
bool ct_entry_parse(struct ct_entry *entry, const struct nlmsghdr *nlh);

#endif
