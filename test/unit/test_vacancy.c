// SPDX-License-Identifier: GPL-2.0-or-later
// Places that are given back as connections end: what a refusal of the kernel leaves, and what it may cost to wait.
#include "gwd/vacancy.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "gwd/base/err.h"
#include "gwd/core/real.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_netns.h"

static struct fixture *limited(void)
{
	struct fixture *f = fixture_new(1);
	struct model_service *service = fixture_service(f, "web");
	fixture_listen(service, "198.51.100.10", 80, 80);
	struct model_real *real = fixture_real(service, ROLE_REAL, "a", "10.0.0.11", 0, 1);
	real->max_connections = 4;
	real->min_connections = 3;
	return f;
}

static struct ct_flow flow_from(uint16_t port)
{
	struct ct_flow flow = {.orig = {.protocol = IPPROTO_TCP, .sport = port, .dport = 80}};
	cr_assert(addr_parse("192.0.2.1", &flow.orig.src));
	return flow;
}

// A set of that name, but not of this form, refuses whatever is taken out of it.
static const char wrong_set[] =
	"nft add table inet gwd && nft add set inet gwd place4.web.a.4 '{ type mark; }'";

Test(vacancy, who_is_full_is_not_judged_by_what_the_kernel_refused)
{
	struct fixture *f = limited();
	struct plan plan = {0};
	struct real_now now = {.connections = 1, .full = true};
	struct err err = {""};
	struct ct_flow flow = flow_from(1000);
	nft_netns_enter();
	fixture_build(f, &plan);
	struct nft *nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	struct vacancy *vacancy = vacancy_new(nft);
	vacancy_configure(vacancy, &f->model);
	cr_assert_eq(system(wrong_set), 0);
	vacancy_note(vacancy, 0, &flow, false);
	cr_expect_lt(vacancy_settle(vacancy, &plan, &now, &err), 0);
	cr_expect(now.full, "nobody would be told of the change");
	cr_expect_eq(vacancy_due(vacancy), 0);
	cr_assert_eq(system("nft delete table inet gwd"), 0);
	vacancy_note(vacancy, 0, &flow, false);
	cr_expect_eq(vacancy_settle(vacancy, &plan, &now, &err), 1, "without its set it is free: %s",
		     err.text);
	cr_expect_not(now.full);
	vacancy_free(vacancy);
	nft_close(nft);
	plan_free(&plan);
	fixture_free(f);
}

Test(vacancy, what_waits_does_not_grow_for_ever)
{
	struct fixture *f = limited();
	struct vacancy *vacancy = vacancy_new(NULL);
	vacancy_configure(vacancy, &f->model);
	for (unsigned i = 0; i < VACANCY_MOST + 10; i++) {
		struct ct_flow flow = flow_from((uint16_t)i);
		vacancy_note(vacancy, 0, &flow, i % 2);
	}
	cr_expect_eq(vacancy_due(vacancy), VACANCY_MOST);
	vacancy_free(vacancy);
	fixture_free(f);
}
