// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "gwd/core/link.h"
#include "test/unit/fixture.h"

static struct link resolve(struct fixture *f)
{
	struct link link;
	link_resolve(&link, &f->gateways[0], &f->facts);
	return link;
}

Test(link, a_static_gateway_is_ready_in_both_families)
{
	struct fixture *f = fixture_new(1);
	char text[ADDR_TEXT];
	struct link link = resolve(f);
	cr_assert(link.present && link.path[FAM_4].ready && link.path[FAM_6].ready);
	cr_assert_str_eq(addr_text(&link.path[FAM_4].via, text), "100.64.1.1");
	cr_assert_str_eq(addr_text(&link.path[FAM_4].source, text), "100.64.1.2");
	cr_assert_str_eq(addr_text(&link.path[FAM_6].target, text), "2001:db8:1::1");
	fixture_free(f);
}

Test(link, what_is_missing_is_said)
{
	struct fixture *f = fixture_new(1);
	struct fact_iface *wan = fixture_iface(f, "wan1");
	wan->carrier = false;
	struct link link = resolve(f);
	cr_assert(link.path[FAM_4].routable && !link.path[FAM_4].ready);
	cr_assert_str_eq(link.path[FAM_4].missing, "no carrier on wan1");
	wan->up = false;
	link = resolve(f);
	cr_assert(!link.path[FAM_4].routable);
	cr_assert_str_eq(link.path[FAM_4].missing, "interface wan1 is down");
	wan->up = wan->carrier = true;
	wan->addrs.v[0].usable = false;
	link = resolve(f);
	cr_assert_str_eq(link.path[FAM_4].missing, "no IPv4 address on wan1");
	cr_assert(link.path[FAM_6].ready);
	f->gateways[0].snat[FAM_4].mode = SNAT_NONE; // then the link needs no address
	link = resolve(f);
	cr_assert(link.path[FAM_4].ready);
	f->gateways[0].interface = "nowhere";
	link = resolve(f);
	cr_assert(!link.present && link.path[FAM_4].wanted);
	cr_assert_str_eq(link.path[FAM_4].missing, "interface nowhere does not exist");
	fixture_free(f);
}

Test(link, auto_follows_the_kernels_own_default_of_the_lowest_metric)
{
	struct fixture *f = fixture_new(1);
	struct fact_route route = {.fam = FAM_4, .oif = fixture_iface(f, "wan1")->index, .metric = 200};
	char text[ADDR_TEXT];
	f->gateways[0].addr_mode[FAM_4] = f->gateways[0].addr_mode[FAM_6] = ADDR_MODE_AUTO;
	struct link link = resolve(f);
	cr_assert(!link.path[FAM_4].wanted && !link.path[FAM_4].routable);
	cr_assert_str_eq(link.path[FAM_4].missing, "no IPv4 default route on wan1");
	addr_parse("100.64.1.9", &route.via);
	vec_push(&f->facts.defaults, route);
	route.metric = 100;
	addr_parse("100.64.1.8", &route.via);
	addr_parse("100.64.1.77", &route.source);
	vec_push(&f->facts.defaults, route);
	route.oif = 99; // another link's
	route.metric = 1;
	vec_push(&f->facts.defaults, route);
	link = resolve(f);
	cr_assert(link.path[FAM_4].ready && !link.path[FAM_6].wanted);
	cr_assert_str_eq(addr_text(&link.path[FAM_4].via, text), "100.64.1.8");
	cr_assert_str_eq(addr_text(&link.path[FAM_4].source, text), "100.64.1.77");
	fixture_free(f);
}

Test(link, a_point_to_point_link_needs_no_next_hop_and_its_far_end_is_probed)
{
	struct fixture *f = fixture_new(1);
	struct fact_iface *wan = fixture_iface(f, "wan1");
	char text[ADDR_TEXT];
	f->gateways[0].addr_mode[FAM_4] = ADDR_MODE_AUTO;
	f->gateways[0].addr_mode[FAM_6] = ADDR_MODE_NONE;
	wan->point_to_point = true;
	addr_parse("100.64.1.254", &wan->addrs.v[0].peer);
	struct link link = resolve(f);
	cr_assert(link.path[FAM_4].ready && addr_is_none(&link.path[FAM_4].via));
	cr_assert_str_eq(addr_text(&link.path[FAM_4].target, text), "100.64.1.254");
	cr_assert(!link.path[FAM_6].wanted);
	cr_assert_str_eq(link.path[FAM_6].missing, "IPv6 is not used here");
	fixture_free(f);
}

Test(link, the_source_stands_in_the_next_hops_subnet)
{
	struct fixture *f = fixture_new(1);
	struct fact_addr other = {.len = 64, .usable = true};
	char text[ADDR_TEXT];
	cr_assert(addr_parse("2001:db8:7::2", &other.addr));
	vec_push(&fixture_iface(f, "wan1")->addrs, other);
	struct link link = resolve(f);
	cr_expect_str_eq(addr_text(&link.path[FAM_6].source, text), "2001:db8:1::2");
	cr_assert(addr_parse("2001:db8:7::1", &f->gateways[0].address[FAM_6]));
	link = resolve(f);
	cr_expect_str_eq(addr_text(&link.path[FAM_6].source, text), "2001:db8:7::2");
	cr_assert(addr_parse("fe80::1", &f->gateways[0].address[FAM_6])); // which one? the oldest
	link = resolve(f);
	cr_expect_str_eq(addr_text(&link.path[FAM_6].source, text), "2001:db8:7::2");
	fixture_free(f);
}

// The kernel lists IPv6's newest first.
Test(link, an_address_that_comes_later_does_not_become_the_source)
{
	struct fixture *f = fixture_new(1);
	struct fact_iface *wan = fixture_iface(f, "wan1");
	struct fact_addr first[FAM_COUNT] = {wan->addrs.v[0], wan->addrs.v[1]};
	char text[ADDR_TEXT];
	cr_assert(addr_parse("100.64.1.7", &first[FAM_4].addr) &&
		  addr_parse("2001:db8:1::7", &first[FAM_6].addr));
	vec_push(&wan->addrs, first[FAM_4]);
	vec_push(&wan->addrs, wan->addrs.v[1]);
	wan->addrs.v[1] = first[FAM_6];
	struct link link = resolve(f);
	cr_expect_str_eq(addr_text(&link.path[FAM_4].source, text), "100.64.1.2");
	cr_expect_str_eq(addr_text(&link.path[FAM_6].source, text), "2001:db8:1::2");
	wan->addrs.v[0].usable = wan->addrs.v[3].usable = false; // deprecated
	link = resolve(f);
	cr_expect_str_eq(addr_text(&link.path[FAM_4].source, text), "100.64.1.7");
	cr_expect_str_eq(addr_text(&link.path[FAM_6].source, text), "2001:db8:1::7");
	fixture_free(f);
}

Test(link, prefix_translation_needs_a_prefix)
{
	struct fixture *f = fixture_new(1);
	struct fact_prefix fact = {.oif = fixture_iface(f, "wan1")->index};
	f->gateways[0].snat[FAM_6].mode = SNAT_PREFIX;
	struct link link = resolve(f);
	cr_expect(!link.path[FAM_6].ready && link.path[FAM_4].ready);
	cr_expect_str_eq(link.path[FAM_6].missing, "no prefix is delegated over wan1");
	cr_assert(prefix_parse("2001:db8:1:8000::/56", &fact.prefix));
	vec_push(&f->facts.prefixes, fact);
	link = resolve(f);
	cr_expect(link.path[FAM_6].ready && link.path[FAM_6].prefix.len == 56);
	f->gateways[0].snat[FAM_6].prefix = (struct prefix){.addr = fact.prefix.addr, .len = 48};
	link = resolve(f);
	cr_expect_eq(link.path[FAM_6].prefix.len, 48, "what is written down counts");
	fixture_free(f);
}

// VRRP: the address to which flows are translated may be the other router's now.
Test(link, an_address_alone_beside_its_network_floats)
{
	struct fixture *f = fixture_new(1);
	struct fact_addr other = {.len = 24, .usable = true};
	struct model_snat *snat = &f->gateways[0].snat[FAM_4];
	snat->mode = SNAT_ADDRESS;
	cr_assert(addr_parse("100.64.1.7", &other.addr));
	snat->first = snat->last = other.addr;
	struct link link = resolve(f);
	cr_expect(link.path[FAM_4].snat_near && !link.path[FAM_4].snat_here, "elsewhere");
	vec_push(&fixture_iface(f, "wan1")->addrs, other);
	link = resolve(f);
	cr_expect(link.path[FAM_4].snat_near && link.path[FAM_4].snat_here, "here for good");
	fixture_iface(f, "wan1")->addrs.v[fixture_iface(f, "wan1")->addrs.n - 1].len = 32;
	link = resolve(f);
	cr_expect(link.path[FAM_4].snat_near && !link.path[FAM_4].snat_here, "it floats");
	cr_assert(addr_parse("192.0.2.7", &fixture_iface(f, "wan1")->addrs.v[2].addr));
	snat->first = snat->last = fixture_iface(f, "wan1")->addrs.v[2].addr;
	link = resolve(f);
	cr_expect(!link.path[FAM_4].snat_near && link.path[FAM_4].snat_here, "of a network of its own");
	snat->first = snat->last = fixture_iface(f, "wan1")->addrs.v[0].addr;
	link = resolve(f);
	cr_expect(!link.path[FAM_4].snat_near && link.path[FAM_4].snat_here, "the link's own");
	fixture_free(f);
}
