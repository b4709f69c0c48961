// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "gwd/core/delegated.h"
#include "test/unit/fixture.h"

static void add(struct fixture *f, const char *text, uint32_t oif)
{
	struct fact_prefix fact = {.oif = oif};
	cr_assert(prefix_parse(text, &fact.prefix));
	vec_push(&f->facts.prefixes, fact);
}

static void add_default(struct fixture *f, const char *ifname)
{
	vec_push(&f->facts.defaults,
		 (struct fact_route){.fam = FAM_6, .oif = fixture_iface(f, ifname)->index});
}

static void expect(struct fixture *f, const char *ifname, const char *want)
{
	char text[PREFIX_TEXT] = "none";
	struct prefix prefix = delegated_prefix(&f->facts, fixture_iface(f, ifname));
	if (prefix.len)
		prefix_text(&prefix, text);
	cr_expect_str_eq(text, want, "%s: %s", ifname, text);
}

Test(delegated, a_route_over_the_link_tells)
{
	struct fixture *f = fixture_new(2);
	expect(f, "wan1", "none");
	add(f, "2001:db8:1:8000::/56", 0);
	add(f, "2001:db8:9:8000::/56", fixture_iface(f, "wan1")->index);
	expect(f, "wan1", "2001:db8:9:8000::/56");
	fixture_free(f);
}

Test(delegated, one_that_no_link_is_named_for_is_the_nearest_links)
{
	struct fixture *f = fixture_new(2);
	add_default(f, "wan1");
	add_default(f, "wan2");
	add(f, "2001:db8:2:8000::/56", 0); // wan2 has 2001:db8:2::2
	expect(f, "wan2", "2001:db8:2:8000::/56");
	expect(f, "wan1", "none");
	add(f, "2001:db8:1:8000::/60", 0);
	expect(f, "wan1", "2001:db8:1:8000::/60");
	fixture_free(f);
}

Test(delegated, as_near_to_two_links_is_nobodys)
{
	struct fixture *f = fixture_new(3);
	add_default(f, "wan2");
	add_default(f, "wan3");
	add(f, "2001:db8:8000::/48", 0);
	expect(f, "wan2", "none");
	expect(f, "wan3", "none");
	fixture_free(f);
}

Test(delegated, a_prefix_of_strangers_is_nobodys)
{
	struct fixture *f = fixture_new(1);
	add(f, "fd00:1234::/48", 0);
	expect(f, "wan1", "none");
	fixture_free(f);
}

Test(delegated, a_point_to_point_link_has_its_own)
{
	struct fixture *f = fixture_new(1);
	fixture_iface(f, "wan1")->point_to_point = true;
	expect(f, "wan1", "2001:db8:1::/64");
	fixture_iface(f, "wan1")->addrs.v[1].len = 128;
	expect(f, "wan1", "none");
	fixture_free(f);
}
