// SPDX-License-Identifier: GPL-2.0-or-later
// nl: the system's and the libraries' netlink headers, in the order that they need.
#ifndef GWD_NFT_NL_H
#define GWD_NFT_NL_H

#include <netinet/in.h> // before any of linux/, which then leaves its own definitions out
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> // libnftnl's headers use FILE

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
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

// Values of attributes, of whatever length they came; too short: 0 or "".
static inline uint8_t nl_u8(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 1 ? mnl_attr_get_u8(attr) : 0;
}

static inline uint16_t nl_be16(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 2 ? ntohs(mnl_attr_get_u16(attr)) : 0;
}

static inline uint32_t nl_be32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static inline const char *nl_str(const struct nlattr *attr)
{
	const char *text = mnl_attr_get_payload(attr);
	unsigned len = mnl_attr_get_payload_len(attr);
	return len && !text[len - 1] ? text : "";
}

// Bytes of attributes behind a header of that size.
static inline size_t nl_attrs_len(const struct nlmsghdr *nlh, size_t header)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	return len > MNL_ALIGN(header) ? len - MNL_ALIGN(header) : 0;
}

// Attributes that fill `size` bytes from `start` on.
#define nl_each(attr, start, size) \
	for (const struct nlattr *attr = (start), *attr##_end = (const void *)((const char *)attr + (size)); \
	     mnl_attr_ok(attr, (int)((const char *)attr##_end - (const char *)attr)); \
	     attr = mnl_attr_next(attr))

// Those of a message behind its header of that size, and those nested in one.
#define nl_each_attr(attr, nlh, header) \
	nl_each(attr, mnl_nlmsg_get_payload_offset(nlh, header), nl_attrs_len(nlh, header))
#define nl_each_nested(attr, parent) \
	nl_each(attr, mnl_attr_get_payload(parent), mnl_attr_get_payload_len(parent))

#endif
