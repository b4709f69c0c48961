// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/core/facts.h"
#include "gwd/core/inside.h"

static void add_net(struct facts *facts, const char *prefix, uint32_t metric, uint32_t oif, bool local)
{
	struct fact_net net = {.metric = metric, .oif = oif, .local = local};
	cr_assert(prefix_parse(prefix, &net.to), "%s", prefix);
	vec_push(&facts->nets, net);
}

static bool in_spans(const struct spans *spans, const struct addr *addr)
{
	vec_each(&spans->v, span)
		if (memcmp(span->first, addr->b, addr_size(addr)) <= 0 &&
		    memcmp(addr->b, span->last, addr_size(addr)) <= 0)
			return true;
	return false;
}

static bool is_inside(const struct facts *facts, const char *text)
{
	struct inside_wans wans = {0};
	struct spans spans = {0};
	struct addr addr;
	vec_push(&wans.v, 7u);
	cr_assert(addr_parse(text, &addr));
	inside_spans(&spans, facts, addr_fam(&addr), &wans);
	bool inside = in_spans(&spans, &addr);
	vec_free(&wans.v);
	vec_free(&spans.v);
	return inside;
}

Test(inside, what_a_route_lookup_would_say)
{
	struct facts facts = {0};
	cr_expect_not(is_inside(&facts, "10.0.0.1"), "without any route all goes out");
	cr_expect(is_inside(&facts, "224.0.0.1") && is_inside(&facts, "255.255.255.255"));
	cr_expect_not(is_inside(&facts, "223.255.255.255") || is_inside(&facts, "240.0.0.1"));
	cr_expect(is_inside(&facts, "fe80::1") && is_inside(&facts, "ff02::1"));
	add_net(&facts, "10.0.0.0/8", 0, 2, false);
	add_net(&facts, "11.16.0.0/24", 0, 7, false); // a gateway's segment
	add_net(&facts, "10.16.0.5/32", 0, 0, true);  // this host on it
	add_net(&facts, "10.99.0.0/16", 0, 0, false); // refused: not for us to send elsewhere
	add_net(&facts, "0.0.0.0/0", 100, 7, false);
	add_net(&facts, "fd00::/8", 0, 2, false);
	cr_expect(is_inside(&facts, "10.0.0.0") && is_inside(&facts, "10.255.255.255"));
	cr_expect_not(is_inside(&facts, "9.255.255.255") || is_inside(&facts, "11.0.0.0"));
	cr_expect(is_inside(&facts, "11.16.0.0") && is_inside(&facts, "11.16.0.255"), "the modem's page");
	cr_expect(is_inside(&facts, "10.16.0.5") && !is_inside(&facts, "11.16.1.0"));
	cr_expect(is_inside(&facts, "10.99.1.1"));
	cr_expect(is_inside(&facts, "fd12::1") && !is_inside(&facts, "2001:db8::1"));
	add_net(&facts, "0.0.0.0/0", 50, 3, false); // a better default, by a VPN: nothing is for us
	cr_expect(is_inside(&facts, "9.9.9.9"));
	vec_free(&facts.nets);
}

static void random_prefix(struct prefix *out, int af)
{
	uint8_t bytes[16];
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(rand() % 3 ? rand() % 2 * 255 : rand()); // both ends, too
	out->addr = addr_from(af, bytes);
	out->len = (uint8_t)(rand() % (af == AF_INET ? 33 : 129));
	addr_mask(&out->addr, out->len);
}

// By definition: local comes first, then the longest prefix, then the lowest metric.
static bool looked_up(const struct facts *facts, const struct addr *addr)
{
	const struct fact_net *best = NULL;
	vec_each(&facts->nets, net) {
		if (net->to.addr.family != addr->family || !prefix_contains(&net->to, addr))
			continue;
		if (net->local)
			return true;
		if (!best || net->to.len > best->to.len ||
		    (net->to.len == best->to.len && net->metric < best->metric))
			best = net;
	}
	uint8_t first = addr->b[0];
	if (addr->family == AF_INET ? first >> 4 == 14 || !memcmp(addr->b, "\xff\xff\xff\xff", 4)
				    : first == 0xff || (first == 0xfe && addr->b[1] >> 6 == 2))
		return true;
	return best && (best->oif != 7 || best->to.len);
}

static void check_addr(const struct facts *facts, const struct spans *spans, const struct addr *addr)
{
	char text[ADDR_TEXT];
	cr_assert_eq(in_spans(spans, addr), looked_up(facts, addr), "%s", addr_text(addr, text));
}

static void check_spans(const struct spans *spans, unsigned size)
{
	for (size_t i = 0; i < spans->v.n; i++) {
		uint8_t behind[16];
		cr_assert(memcmp(spans->v.v[i].first, spans->v.v[i].last, size) <= 0);
		memcpy(behind, spans->v.v[i].last, sizeof(behind));
		cr_assert(i + 1 == spans->v.n || (addr_bytes_next(behind, size) &&
						  memcmp(behind, spans->v.v[i + 1].first, size) < 0),
			  "they touch, or are out of order");
	}
}

Test(inside, agrees_with_the_definition_for_random_routes)
{
	struct inside_wans wans = {0};
	vec_push(&wans.v, 7u);
	srand(1);
	for (int round = 0; round < 3000; round++) {
		int af = rand() % 2 ? AF_INET : AF_INET6;
		struct facts facts = {0};
		struct spans spans = {0};
		for (size_t n = (size_t)rand() % 12; n--;) {
			struct fact_net net = {
				.metric = (uint32_t)n, .oif = rand() % 2 ? 7 : 2, .local = rand() % 6 == 0};
			random_prefix(&net.to, af);
			vec_push(&facts.nets, net);
		}
		inside_spans(&spans, &facts, af == AF_INET ? FAM_4 : FAM_6, &wans);
		check_spans(&spans, af == AF_INET ? 4 : 16);
		vec_each(&facts.nets, net) {
			struct addr last = prefix_last(&net->to), beside = last;
			check_addr(&facts, &spans, &net->to.addr);
			check_addr(&facts, &spans, &last);
			if (addr_bytes_next(beside.b, addr_size(&beside)))
				check_addr(&facts, &spans, &beside);
			beside = net->to.addr;
			if (addr_bytes_before(beside.b, addr_size(&beside)))
				check_addr(&facts, &spans, &beside);
		}
		vec_free(&spans.v);
		vec_free(&facts.nets);
	}
	vec_free(&wans.v);
}
