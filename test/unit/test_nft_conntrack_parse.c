// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/conntrack_parse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "nft/nl.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, const char *src, const char *dst, uint16_t sport,
		      uint16_t dport)
{
	struct addr from, to;
	cr_assert(addr_parse(src, &from) && addr_parse(dst, &to));
	bool v4 = addr_fam(&from) == FAM_4;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type), *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, addr_size(&from), from.b);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, addr_size(&to), to.b);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
}

static struct nlmsghdr *message(char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	return nlh;
}

static void put_entry(struct nlmsghdr *nlh, const char *client, const char *server, const char *translated)
{
	put_tuple(nlh, CTA_TUPLE_ORIG, client, server, 40000, 443);
	put_tuple(nlh, CTA_TUPLE_REPLY, server, translated, 443, 1024);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(0x18e));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(0x02000005));
	mnl_attr_put_u32(nlh, CTA_ID, htonl(77));
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, 3);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
}

static void expect_addr(const struct addr *addr, const char *want)
{
	char text[ADDR_TEXT];
	cr_expect_str_eq(addr_text(addr, text), want);
}

Test(nft_conntrack_parse, both_tuples_of_both_families)
{
	char buf[2048];
	const char *const names[][3] = {{"10.0.0.7", "198.51.100.1", "203.0.113.2"},
					{"fd00::7", "2001:db8::1", "2001:db8:1::2"}};
	for (unsigned i = 0; i < 2; i++) {
		struct ct_entry entry;
		struct nlmsghdr *nlh = message(buf);
		put_entry(nlh, names[i][0], names[i][1], names[i][2]);
		cr_assert(ct_entry_parse(&entry, nlh));
		expect_addr(&entry.flow.orig.src, names[i][0]);
		expect_addr(&entry.flow.orig.dst, names[i][1]);
		expect_addr(&entry.flow.reply.src, names[i][1]);
		expect_addr(&entry.flow.reply.dst, names[i][2]);
		cr_expect_eq(entry.flow.orig.sport, 40000);
		cr_expect_eq(entry.flow.orig.dport, 443);
		cr_expect_eq(entry.flow.reply.dport, 1024);
		cr_expect_eq(entry.flow.orig.protocol, IPPROTO_TCP);
		cr_expect_eq(entry.flow.mark, 0x02000005);
		cr_expect_eq(entry.flow.status, 0x18e);
		cr_expect_eq(entry.flow.tcp_state, 3);
		cr_expect(entry.orig && entry.id && !entry.zone);
	}
}

// In the flowtable: the kernel leaves the protocol's part out.
Test(nft_conntrack_parse, an_offloaded_tcp_flow_is_established)
{
	char buf[2048];
	struct ct_entry entry;
	struct nlmsghdr *nlh = message(buf);
	put_tuple(nlh, CTA_TUPLE_ORIG, "10.0.0.7", "198.51.100.1", 40000, 443);
	put_tuple(nlh, CTA_TUPLE_REPLY, "198.51.100.1", "203.0.113.2", 443, 40000);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(0x18e | IPS_OFFLOAD));
	cr_assert(ct_entry_parse(&entry, nlh));
	cr_expect_eq(entry.flow.tcp_state, TCP_CONNTRACK_ESTABLISHED);
}

Test(nft_conntrack_parse, an_entry_without_addresses_is_none)
{
	char buf[256];
	struct ct_entry entry;
	struct nlmsghdr *nlh = message(buf);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(1));
	cr_expect(!ct_entry_parse(&entry, nlh));
}

// Any bytes: no read outside the message (the sanitizers watch), whatever comes out.
Test(nft_conntrack_parse, garbage_is_survived)
{
	srand(11);
	for (int round = 0; round < 200000; round++) {
		char buf[1024];
		struct nlmsghdr *nlh = message(buf);
		put_entry(nlh, "10.0.0.7", "198.51.100.1", "203.0.113.2");
		size_t len = nlh->nlmsg_len;
		for (int i = rand() % 8; i >= 0; i--)
			buf[sizeof(*nlh) + (size_t)rand() % (len - sizeof(*nlh))] = (char)rand();
		size_t cut = sizeof(*nlh) + (size_t)rand() % (len - sizeof(*nlh) + 1);
		char *exact = malloc(cut); // of just that size, so that a sanitizer sees one byte too far
		memcpy(exact, buf, cut);
		nlh = (struct nlmsghdr *)(void *)exact;
		nlh->nlmsg_len = (uint32_t)cut;
		struct ct_entry entry;
		ct_entry_parse(&entry, nlh);
		free(exact);
	}
}
