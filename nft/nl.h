// SPDX-License-Identifier: GPL-2.0-or-later
// nl: the system's and the libraries' netlink headers, in the order that they need.
#ifndef GWD_NFT_NL_H
#define GWD_NFT_NL_H

#include <netinet/in.h> // before any of linux/, which then leaves its own definitions out
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> // libnftnl's headers use FILE

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#endif
