// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>

#include "gwd/core/facts.h"

static struct addr addr(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

static struct facts *facts_new(void)
{
	struct facts *facts = xcalloc(1, sizeof(*facts));
	struct fact_iface *iface;
	vec_add(&facts->ifaces, iface);
	iface->index = 7;
	snprintf(iface->name, sizeof(iface->name), "eth1");
	vec_push(&iface->addrs, (struct fact_addr){.addr = addr("169.254.1.1"), .len = 16});
	vec_push(&iface->addrs, (struct fact_addr){.addr = addr("fe80::1"), .len = 64});
	vec_push(&iface->addrs, (struct fact_addr){.addr = addr("192.0.2.7"), .len = 24, .usable = true});
	vec_push(&iface->addrs, (struct fact_addr){.addr = addr("192.0.2.8"), .len = 24, .usable = true});
	vec_add(&facts->ifaces, iface);
	iface->index = 9;
	snprintf(iface->name, sizeof(iface->name), "eth10");
	vec_push(&facts->neighs, (struct fact_neigh){7, addr("192.0.2.1"), {2, 0, 0, 0, 0, 1}});
	vec_push(&facts->neighs, (struct fact_neigh){9, addr("192.0.2.1"), {2, 0, 0, 0, 0, 2}});
	return facts;
}

static void facts_drop(struct facts *facts)
{
	facts_free(facts);
	cr_assert_eq(facts->ifaces.n + facts->neighs.n, 0);
	free(facts);
}

Test(facts, an_interface_is_found_by_its_whole_name_and_by_index)
{
	struct facts *facts = facts_new();
	cr_assert_eq(facts_iface(facts, "eth1")->index, 7);
	cr_assert_eq(facts_iface(facts, "eth10")->index, 9);
	cr_assert_null(facts_iface(facts, "eth"));
	cr_assert_str_eq(facts_iface_by_index(facts, 9)->name, "eth10");
	cr_assert_null(facts_iface_by_index(facts, 8));
	facts_drop(facts);
}

Test(facts, the_source_is_the_first_usable_address_of_the_family)
{
	struct facts *facts = facts_new();
	const struct fact_iface *iface = facts_iface(facts, "eth1");
	struct addr expected = addr("192.0.2.7");
	cr_assert(addr_equal(&fact_iface_source(iface, FAM_4, NULL)->addr, &expected));
	cr_assert_null(fact_iface_source(iface, FAM_6, NULL));
	cr_assert_null(fact_iface_source(facts_iface(facts, "eth10"), FAM_4, NULL));
	facts_drop(facts);
}

Test(facts, the_same_next_hop_on_two_links_has_two_mac_addresses)
{
	struct facts *facts = facts_new();
	struct addr hop = addr("192.0.2.1"), other = addr("192.0.2.9");
	cr_assert_eq(facts_mac(facts, 7, &hop)[5], 1);
	cr_assert_eq(facts_mac(facts, 9, &hop)[5], 2);
	cr_assert_null(facts_mac(facts, 8, &hop));
	cr_assert_null(facts_mac(facts, 7, &other));
	facts_drop(facts);
}
