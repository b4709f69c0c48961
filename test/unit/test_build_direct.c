// SPDX-License-Identifier: GPL-2.0-or-later
// Where one interface leads to all reals by dr, rules say so, and a map has no one else's address.
#include "gwd/core/build_direct.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"

static struct model_service *web(struct fixture *f)
{
	struct model_service *service = fixture_service(f, "web");
	fixture_listen(service, "198.51.100.10", 80, 80);
	fixture_real(service, ROLE_REAL, "a", "100.64.1.11", 0, 1)->forward = FORWARD_DR;
	fixture_real(service, ROLE_REAL, "b", "100.64.1.12", 0, 1)->forward = FORWARD_DR;
	return service;
}

static size_t near(const struct plan *plan)
{
	return plan_find_set(plan, "drnear4")->elems.n;
}

static bool says(const struct plan *plan, const char *text)
{
	struct buf out = {0};
	nft_text(plan, &out);
	bool found = strstr(buf_text(&out), text) != NULL;
	buf_free(&out);
	return found;
}

Test(build_direct, one_interface_leads_to_all_of_them)
{
	struct fixture *f = fixture_new(2);
	struct plan both = {0}, one = {0};
	char text[80];
	web(f);
	fixture_build(f, &both);
	uint32_t wan1 = facts_iface(&f->facts, "wan1")->index;
	snprintf(text, sizeof(text), "fwd ip to meta mark map @drnear4 device %u\n", wan1);
	cr_expect_eq(both.services.v[0].near[FAM_4], wan1);
	cr_expect_eq(both.services.v[0].near[FAM_6], 0);
	cr_expect_eq(near(&both), 2);
	cr_expect(says(&both, text));
	fixture_real_verdict(f, 0, 1, STATE_DOWN);
	fixture_build(f, &one);
	cr_expect_eq(near(&one), 1);
	cr_expect_eq(one.shape, both.shape, "who is down changes no rules");
	plan_free(&both);
	plan_free(&one);
	fixture_free(f);
}

Test(build_direct, another_interface_or_a_tunnel_is_looked_up)
{
	for (int tunnel = 0; tunnel < 2; tunnel++) {
		struct fixture *f = fixture_new(2);
		struct plan plan = {0};
		struct model_service *service = web(f);
		fixture_real(service, ROLE_BACKUP, "c", "100.64.2.11", 0, 1)->forward =
			tunnel ? FORWARD_TUN : FORWARD_DR;
		fixture_build(f, &plan);
		cr_expect_eq(plan.services.v[0].near[FAM_4], 0);
		cr_expect_eq(near(&plan), 0);
		cr_expect(!says(&plan, "@drnear4"));
		cr_expect(says(&plan, "map @drseen4.web goto drsend4.web\n"));
		plan_free(&plan);
		fixture_free(f);
	}
}
