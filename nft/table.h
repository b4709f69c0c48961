// SPDX-License-Identifier: GPL-2.0-or-later
// table: gwd's tables: one name, two families. `inet gwd` has everything that routing, conntrack and NAT
// are needed for; `netdev gwd`, which is only there for services that need it, what is decided where a
// packet comes in.
#ifndef GWD_NFT_TABLE_H
#define GWD_NFT_TABLE_H

#include <stdint.h>

#include "gwd/core/plan.h"
#include "nft/nl.h"

#define NFT_TABLE "gwd"

static inline uint8_t table_family(enum plan_table table)
{
	return table == PLAN_INET ? NFPROTO_INET : NFPROTO_NETDEV;
}

static inline const char *table_text(enum plan_table table)
{
	return table == PLAN_INET ? "inet " NFT_TABLE : "netdev " NFT_TABLE;
}

#endif
