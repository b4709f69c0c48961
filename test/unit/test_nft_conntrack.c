// SPDX-License-Identifier: GPL-2.0-or-later
// Flush, count, list and clean up, against the kernel's own table, filled by ctnetlink.
#include "nft/conntrack.h"
#include "nft/conntrack_end.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "nft/nl.h"
#include "test/unit/nft_netns.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define MASK 0xff000000u

// Flow number n of a family: fd00::N or 10.x.y.z to one server.
struct entry {
	enum fam fam;
	uint32_t n, mark;
	uint8_t protocol, state;
	const char *server; // NULL: outside
	bool waits;         // no reply has come
};

static struct mnl_socket *filler;

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, const struct addr *src, const struct addr *dst,
		      uint16_t sport, uint16_t dport, uint8_t protocol)
{
	bool v4 = addr_fam(src) == FAM_4;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type), *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, addr_size(src), src->b);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, addr_size(dst), dst->b);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
}

static void put_tcp(struct nlmsghdr *nlh, uint8_t state)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
}

static void add(const struct entry *entry)
{
	char buf[2048], reply[4096];
	struct addr client, server;
	uint32_t host = htonl(entry->n / 4096 + 1);
	uint16_t port = (uint16_t)(1024 + entry->n % 4096);
	bool v4 = entry->fam == FAM_4;
	cr_assert(addr_parse(v4 ? "10.0.0.0" : "fd00::", &client));
	cr_assert(addr_parse(entry->server ? entry->server : v4 ? "198.51.100.1" : "2001:db8::1", &server));
	for (unsigned i = 0; i < 4; i++)
		client.b[addr_size(&client) - 4 + i] |= ((const uint8_t *)&host)[i];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = (uint8_t)fam_af(entry->fam);
	put_tuple(nlh, CTA_TUPLE_ORIG, &client, &server, port, 443, entry->protocol);
	put_tuple(nlh, CTA_TUPLE_REPLY, &server, &client, 443, port, entry->protocol);
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(600));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(entry->mark));
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_CONFIRMED | (entry->waits ? 0 : IPS_SEEN_REPLY)));
	if (entry->protocol == IPPROTO_TCP)
		put_tcp(nlh, entry->state);
	cr_assert(mnl_socket_sendto(filler, nlh, nlh->nlmsg_len) > 0);
	ssize_t n = mnl_socket_recvfrom(filler, reply, sizeof(reply));
	cr_assert(n > 0 && mnl_cb_run(reply, (size_t)n, 0, 0, NULL, NULL) >= 0, "%m");
}

static void add_many(enum fam fam, uint32_t from, uint32_t n, uint32_t mark, uint8_t protocol, uint8_t state)
{
	for (uint32_t i = from; i < from + n; i++)
		add(&(struct entry){.fam = fam, .n = i, .mark = mark, .protocol = protocol, .state = state});
}

static struct conntrack *start(void)
{
	struct err err;
	nft_netns_enter();
	// in a namespace of its own conntrack sees packets only once somebody asks; entries can be made before
	filler = mnl_socket_open(NETLINK_NETFILTER);
	cr_assert(filler && mnl_socket_bind(filler, 0, MNL_SOCKET_AUTOPID) == 0);
	struct conntrack *ct = conntrack_open(&err);
	cr_assert_not_null(ct, "%s", err.text);
	return ct;
}

static void finish(struct conntrack *ct)
{
	conntrack_close(ct);
	mnl_socket_close(filler);
}

static void expect_counts(struct conntrack *ct, uint64_t none, uint64_t one, uint64_t two)
{
	uint64_t counts[3];
	struct err err;
	cr_assert_eq(conntrack_count(ct, MASK, counts, 3, &err), 0, "%s", err.text);
	cr_expect(counts[0] == none && counts[1] == one && counts[2] == two, "unmarked %lu, 1: %lu, 2: %lu",
		  counts[0], counts[1], counts[2]);
}

static void count_flow(void *arg, const struct ct_flow *flow)
{
	size_t *n = arg;
	++*n;
	cr_expect(flow->orig.protocol == IPPROTO_TCP);
	cr_expect(flow->tcp_state == TCP_CONNTRACK_ESTABLISHED ||
		  flow->tcp_state == TCP_CONNTRACK_CLOSE_WAIT);
	cr_expect(flow->orig.dport == 443 && flow->orig.sport >= 1024);
}

Test(nft_conntrack, a_flush_ends_one_gateways_flows_of_one_family)
{
	struct err err;
	struct conntrack *ct = start();
	expect_counts(ct, 0, 0, 0);
	cr_expect_eq(conntrack_flush(ct, FAM_4, 0x01000000, MASK, &err), 0, "of nothing");
	add_many(FAM_4, 0, 500, 0x01000007, IPPROTO_TCP,
		 TCP_CONNTRACK_ESTABLISHED); // with other people's bits
	add_many(FAM_4, 500, 300, 0x02000000, IPPROTO_UDP, 0);
	add_many(FAM_6, 0, 200, 0x01000000, IPPROTO_UDP, 0);
	add_many(FAM_4, 900, 40, 0x00000007, IPPROTO_UDP, 0);
	expect_counts(ct, 40, 700, 300);
	cr_expect_eq(conntrack_flush(ct, FAM_4, 0x01000000, MASK, &err), 0, "%s", err.text);
	expect_counts(ct, 40, 200, 300);
	cr_expect_eq(conntrack_flush(ct, FAM_6, 0x01000000, MASK, &err), 0, "%s", err.text);
	expect_counts(ct, 40, 0, 300);
	finish(ct);
}

Test(nft_conntrack, the_list_is_of_tcp_flows_that_got_an_answer_and_are_open)
{
	struct err err;
	size_t n = 0;
	struct conntrack *ct = start();
	add_many(FAM_4, 0, 100, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	add_many(FAM_4, 100, 50, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_SYN_SENT);
	add_many(FAM_4, 150, 20, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_CLOSE_WAIT);
	add_many(FAM_4, 170, 20, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_TIME_WAIT);
	add_many(FAM_4, 190, 10, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_CLOSE);
	add_many(FAM_4, 200, 50, 0x02000000, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	add_many(FAM_4, 300, 50, 0x01000000, IPPROTO_UDP, 0);
	add_many(FAM_6, 0, 30, 0x01000005, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	cr_expect_eq(conntrack_dump_tcp(ct, FAM_4, 0x01000000, MASK, count_flow, &n, &err), 0, "%s",
		     err.text);
	cr_expect_eq(n, 120);
	n = 0;
	cr_expect_eq(conntrack_dump_tcp(ct, FAM_6, 0x01000000, MASK, count_flow, &n, &err), 0, "%s",
		     err.text);
	cr_expect_eq(n, 30);
	finish(ct);
}

struct waiting {
	size_t n, tcp;
	uint64_t ids; // sum
};

static void count_waiting(void *arg, const struct ct_flow *flow, uint32_t id)
{
	struct waiting *waiting = arg;
	waiting->n++;
	waiting->tcp += flow->orig.protocol == IPPROTO_TCP;
	waiting->ids += id;
	cr_expect_eq(flow->mark, 0x01000007u);
	cr_expect_not(conntrack_is_translated(flow));
}

Test(nft_conntrack, flows_without_a_reply_are_listed_and_known_again)
{
	struct err err;
	struct waiting waiting[2] = {0};
	struct conntrack *ct = start();
	add_many(FAM_4, 0, 300, 0x02000000, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	for (uint32_t i = 0; i < 20; i++) {
		struct entry entry = {.fam = i % 2 ? FAM_6 : FAM_4,
				      .n = 5000 + i,
				      .mark = 0x01000007,
				      .protocol = i < 15 ? IPPROTO_TCP : IPPROTO_UDP,
				      .state = TCP_CONNTRACK_SYN_SENT,
				      .waits = true};
		add(&entry);
	}
	for (int i = 0; i < 2; i++)
		cr_expect_eq(conntrack_dump_unreplied(ct, count_waiting, &waiting[i], &err), 0, "%s",
			     err.text);
	cr_expect(waiting[0].n == 20 && waiting[0].tcp == 15, "%zu, %zu", waiting[0].n, waiting[0].tcp);
	cr_expect(waiting[1].n == 20 && waiting[0].ids == waiting[1].ids && waiting[0].ids);
	finish(ct);
}

Test(nft_conntrack, what_was_forwarded_untranslated_is_ended_and_nothing_else)
{
	struct err err;
	struct prefix lans[2];
	struct addr local[2];
	size_t deleted = 0;
	struct conntrack *ct = start();
	cr_assert(prefix_parse("10.0.0.0/8", &lans[0]) && prefix_parse("fd00::/8", &lans[1]));
	cr_assert(addr_parse("10.0.0.254", &local[0]) && addr_parse("10.0.0.1", &local[1]));
	add_many(FAM_4, 4096, 3000, 0, IPPROTO_UDP, 0);
	add_many(FAM_6, 0, 20, 0, IPPROTO_UDP, 0);
	add(&(struct entry){.fam = FAM_4, .n = 9000, .protocol = IPPROTO_UDP, .server = "10.0.0.254"});
	add(&(struct entry){.fam = FAM_4, .n = 1, .protocol = IPPROTO_UDP}); // from 10.0.0.1: the router
	cr_expect_eq(conntrack_delete_unnatted(ct, lans, 1, local, 2, &deleted, &err), 0, "%s", err.text);
	cr_expect_eq(deleted, 3000);
	expect_counts(ct, 22, 0, 0);
	cr_expect_eq(conntrack_delete_unnatted(ct, NULL, 0, local, 2, &deleted, &err), 0, "%s", err.text);
	cr_expect_eq(deleted, 20);
	expect_counts(ct, 2, 0, 0);
	finish(ct);
}

// Of every flow of 10.0.2.0 by its port: one in three stays, one ends at once, one later.
struct ending_some {
	uint16_t ports[3 * 4096];
	size_t n, now, ended, refused;
};

static enum ct_end end_some(void *arg, const struct ct_flow *flow)
{
	struct ending_some *some = arg;
	if (flow->orig.src.b[2] != 2 || flow->orig.protocol != IPPROTO_TCP || flow->orig.sport % 3 == 0)
		return CT_STAYS;
	if (flow->orig.sport % 3 == 1) {
		some->now++;
		return CT_ENDS;
	}
	some->ports[some->n++] = flow->orig.sport;
	return CT_ENDS_LATER;
}

static bool not_every_eighth(void *arg, size_t i)
{
	struct ending_some *some = arg;
	bool ends = some->ports[i] % 8;
	some->refused += !ends;
	return ends;
}

static void has_ended(void *arg, size_t i)
{
	struct ending_some *some = arg;
	some->ended++;
	cr_expect(i < some->n && some->ports[i] % 8, "%zu", i);
}

Test(nft_conntrack, what_ends_later_is_named_once_and_told_if_it_was_there)
{
	struct err err;
	struct ending_some some = {.n = 0};
	struct ct_later later = {0};
	struct conntrack *ct = start();
	struct ct_which which = {.family = AF_UNSPEC};
	for (uint32_t i = 0; i < 3000; i++)
		add(&(struct entry){.fam = FAM_4,
				    .n = 511 * 4096 + i,
				    .protocol = IPPROTO_TCP,
				    .state = TCP_CONNTRACK_ESTABLISHED});
	add_many(FAM_4, 0, 50, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	add_many(FAM_6, 0, 50, 0x01000000, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED);
	cr_expect_eq(conntrack_end(ct, &which, end_some, &later, &some, &err), 0, "%s", err.text);
	cr_expect(some.now == 1000 && some.n == 1000 && later.at.n == 1000, "%zu, %zu", some.now, some.n);
	expect_counts(ct, 2000, 100, 0);
	cr_expect_eq(conntrack_flush(ct, FAM_6, 0x01000000, MASK, &err), 0);
	cr_expect_eq(conntrack_end_later(ct, &later, not_every_eighth, has_ended, &some, &err), 0, "%s",
		     err.text);
	cr_expect(some.refused == 125 && some.ended == 875, "%zu, %zu", some.refused, some.ended);
	expect_counts(ct, 1125, 50, 0);
	cr_expect_eq(conntrack_end_later(ct, &later, not_every_eighth, has_ended, &some, &err), 0, "%s",
		     err.text);
	cr_expect_eq(some.ended, 875, "who has gone is not told");
	expect_counts(ct, 1125, 50, 0);
	ct_later_free(&later);
	finish(ct);
}
