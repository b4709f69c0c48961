// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/flows.h"
#include "nft/conntrack.h"
#include "test/unit/fixture.h"

static struct addr addr(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

static struct ct_flow flow(const char *from, const char *to, uint32_t mark)
{
	return (struct ct_flow){.orig = {.src = addr(from),
					 .dst = addr(to),
					 .protocol = IPPROTO_UDP,
					 .sport = 5000,
					 .dport = 53},
				.reply = {.src = addr(to),
					  .dst = addr(from),
					  .protocol = IPPROTO_UDP,
					  .sport = 53,
					  .dport = 5000},
				.mark = mark,
				.began_ms = 1000000,
				.has_bytes = true,
				.bytes = 1200};
}

// What is said of the flow under a filter of up to two words, where the second gateway has this name.
static void expect_by(const char *name, const struct ct_flow *f, const char *one, const char *two,
		      const char *line)
{
	struct fixture *x = fixture_new(2);
	x->gateways[1].name = name;
	struct plan plan = {0};
	struct buf out = {0};
	struct err err = {""};
	const char *const words[] = {one, two};
	fixture_build(x, &plan);
	struct ct_flow marked = *f;
	if (f->mark)
		marked.mark = plan.gateways.v[f->mark - 1].mark | 0x10; // others' bits are there, too
	struct flows *flows = flows_new(&x->model, &plan, words, (one != NULL) + (two != NULL), &err);
	cr_assert_not_null(flows, "%s", err.text);
	flows_line(flows, &marked, 1012000, false, &out);
	cr_expect_str_eq(buf_text(&out), line, "%s", buf_text(&out));
	flows_free(flows);
	buf_free(&out);
	plan_free(&plan);
	fixture_free(x);
}

static void expect(const struct ct_flow *f, const char *one, const char *two, const char *line)
{
	expect_by("g2", f, one, two, line);
}

Test(flows, a_line_for_each_that_fits)
{
	static const char line[] =
		"udp   10.0.0.9:5000         192.0.2.1:53          g2              12s     1.2k\n";
	struct ct_flow f = flow("10.0.0.9", "192.0.2.1", 2), strange = flow("10.0.0.9", "192.0.2.1", 0);
	expect(&f, NULL, NULL, line);
	expect(&f, "g2", "udp", line);
	expect(&f, "192.0.2.0/24", "10.0.0.9", line);
	expect(&f, "g1", NULL, "");
	expect(&f, "tcp", NULL, "");
	expect(&f, "10.0.0.8", NULL, "");
	expect(&strange, NULL, NULL, "");
}

Test(flows, what_is_too_wide_has_a_line_of_its_own)
{
	struct ct_flow f = flow("fd00:10:1:2:3:4:5:6", "2001:db8:aaaa:bbbb::1", 1);
	f.began_ms = 0;
	f.has_bytes = false;
	expect(&f, NULL, NULL,
	       "udp   [fd00:10:1:2:3:4:5:6]:5000\n"
	       "                            [2001:db8:aaaa:bbbb::1]:53\n"
	       "                                                  g1              -       -\n");
}

Test(flows, figures_stand_behind_a_long_name)
{
	struct ct_flow f = flow("10.0.0.9", "192.0.2.1", 2);
	expect_by("a-gateway-of-15", &f, NULL, NULL,
		  "udp   10.0.0.9:5000         192.0.2.1:53          a-gateway-of-15 12s     1.2k\n");
	expect_by("a-gateway-of-18-it", &f, NULL, NULL,
		  "udp   10.0.0.9:5000         192.0.2.1:53       a-gateway-of-18-it 12s     1.2k\n");
	expect_by("a-gateway-of-thirty-and-one-yes", &f, NULL, NULL,
		  "udp   10.0.0.9:5000         192.0.2.1:53\n"
		  "                                  a-gateway-of-thirty-and-one-yes 12s     1.2k\n");
}

Test(flows, an_unknown_word_is_refused)
{
	struct fixture *x = fixture_new(1);
	struct plan plan = {0};
	struct err err = {""};
	const char *const words[] = {"g7"};
	fixture_build(x, &plan);
	cr_expect_null(flows_new(&x->model, &plan, words, 1, &err));
	cr_expect_str_eq(err.text, "\"g7\" is no gateway, service, real, protocol, address or prefix");
	plan_free(&plan);
	fixture_free(x);
}
