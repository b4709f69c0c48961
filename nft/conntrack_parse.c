// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/conntrack_parse.h"

#include <endian.h>

#include "nft/nl.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

static void ct_parse_addr(struct addr *addr, const struct nlattr *attr, int af)
{
	unsigned size = af == AF_INET ? 4 : 16;
	if (mnl_attr_get_payload_len(attr) >= size)
		*addr = addr_from(af, mnl_attr_get_payload(attr));
}

static void ct_parse_addrs(struct ct_tuple *tuple, const struct nlattr *nest)
{
	nl_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_IP_V4_SRC:
			ct_parse_addr(&tuple->src, attr, AF_INET);
			break;
		case CTA_IP_V4_DST:
			ct_parse_addr(&tuple->dst, attr, AF_INET);
			break;
		case CTA_IP_V6_SRC:
			ct_parse_addr(&tuple->src, attr, AF_INET6);
			break;
		case CTA_IP_V6_DST:
			ct_parse_addr(&tuple->dst, attr, AF_INET6);
			break;
		}
	}
}

static void ct_parse_ports(struct ct_tuple *tuple, const struct nlattr *nest)
{
	nl_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTO_NUM:
			tuple->protocol = nl_u8(attr);
			break;
		case CTA_PROTO_SRC_PORT:
			tuple->sport = nl_be16(attr);
			break;
		case CTA_PROTO_DST_PORT:
			tuple->dport = nl_be16(attr);
			break;
		}
	}
}

static void ct_parse_tuple(struct ct_tuple *tuple, const struct nlattr *nest)
{
	nl_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			ct_parse_addrs(tuple, attr);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			ct_parse_ports(tuple, attr);
	}
}

static void ct_parse_tcp(struct ct_flow *flow, const struct nlattr *nest)
{
	nl_each_nested(protocol, nest) {
		if (mnl_attr_get_type(protocol) != CTA_PROTOINFO_TCP)
			continue;
		nl_each_nested(attr, protocol)
			if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP_STATE)
				flow->tcp_state = nl_u8(attr);
	}
}

static uint64_t ct_parse_u64(const struct nlattr *nest, unsigned type)
{
	uint64_t value = 0;
	nl_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= sizeof(value))
			value = be64toh(mnl_attr_get_u64(attr));
	return value;
}

bool ct_entry_parse(struct ct_entry *entry, const struct nlmsghdr *nlh)
{
	struct ct_flow *flow = &entry->flow;
	*entry = (struct ct_entry){0};
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_TUPLE_ORIG:
			entry->orig = attr;
			ct_parse_tuple(&flow->orig, attr);
			break;
		case CTA_TUPLE_REPLY:
			ct_parse_tuple(&flow->reply, attr);
			break;
		case CTA_STATUS:
			flow->status = nl_be32(attr);
			break;
		case CTA_MARK:
			flow->mark = nl_be32(attr);
			break;
		case CTA_COUNTERS_ORIG:
		case CTA_COUNTERS_REPLY:
			flow->has_bytes = true;
			flow->bytes += ct_parse_u64(attr, CTA_COUNTERS_BYTES);
			break;
		case CTA_TIMESTAMP:
			flow->began_ms = (int64_t)(ct_parse_u64(attr, CTA_TIMESTAMP_START) / 1000000);
			break;
		case CTA_PROTOINFO:
			ct_parse_tcp(flow, attr);
			break;
		case CTA_ID:
			entry->id = attr;
			flow->id = nl_be32(attr);
			break;
		case CTA_ZONE:
			entry->zone = attr;
			break;
		}
	}
	// of a flow in the flowtable the kernel does not tell the state; it was established when it got there
	if (flow->status & IPS_OFFLOAD && flow->orig.protocol == IPPROTO_TCP && !flow->tcp_state)
		flow->tcp_state = TCP_CONNTRACK_ESTABLISHED;
	return !addr_is_none(&flow->orig.src) && !addr_is_none(&flow->orig.dst) &&
	       !addr_is_none(&flow->reply.src) && !addr_is_none(&flow->reply.dst);
}
