// SPDX-License-Identifier: GPL-2.0-or-later
// Anything that a kernel may put into a dump: links, addresses, routes, ip rules, neighbours, counters, connections.
// The input is one message after the other; their lengths are made to fit, since the library that cuts a
// datagram into messages does that much.
#include <assert.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/facts.h"
#include "gwd/core/inside.h"
#include "gwd/core/plan.h"
#include "gwd/netmon_parse.h"
#include "gwd/routes_read.h"
#include "nft/conntrack_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_facts(struct facts *facts, const struct nlmsghdr *nlh)
{
	struct fact_neigh neigh;
	uint16_t state;
	netmon_parse_link(facts, nlh);
	netmon_parse_addr(facts, nlh);
	netmon_parse_route(facts, nlh);
	netmon_parse_rule(facts, nlh);
	netmon_parse_stats(facts, nlh);
	if (netmon_parse_neigh(&neigh, &state, nlh))
		assert(!addr_is_none(&neigh.addr));
	netmon_parse_rule_protocol(nlh);
}

static void feed_others(const struct nlmsghdr *nlh)
{
	struct plan_route route;
	struct plan_iprule rule;
	struct ct_entry entry;
	uint8_t protocol;
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct rtmsg)) { // libnl has looked
		if (routes_read_route(nlh, &route, &protocol) && route.to.len)
			assert(route.to.len <= 8 * addr_size(&route.to.addr));
		routes_read_iprule(nlh, &rule, &protocol);
	}
	ct_entry_parse(&entry, nlh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts facts = {0};
	struct spans spans[FAM_COUNT] = {0};
	struct inside_wans wans = {0};
	vec_push(&wans.v, 2);
	while (size >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head;
		memcpy(&head, data, sizeof(head));
		uint32_t len = head.nlmsg_len % 1024;
		if (len < sizeof(head) || len > size)
			len = (uint32_t)size;
		struct nlmsghdr *nlh = malloc(len); // of its own: what is read behind it is found
		memcpy(nlh, data, len);
		nlh->nlmsg_len = len;
		feed_facts(&facts, nlh);
		feed_others(nlh);
		free(nlh);
		data += len;
		size -= len;
	}
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		inside_spans(&spans[fam], &facts, fam, &wans);
		vec_free(&spans[fam].v);
	}
	vec_free(&wans.v);
	facts_free(&facts);
	return 0;
}
