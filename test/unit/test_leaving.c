// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/leaving.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/tunnel.h"
#include "test/unit/fixture.h"

// By dr, in the network of wan1; the second one is taken out of the second plan.
static void build_two(struct plan *both, struct plan *one, bool other)
{
	struct fixture *f = fixture_new(1);
	struct model_service *web = fixture_service(f, "web");
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "a", "100.64.1.11", 0, 1)->forward = FORWARD_DR;
	fixture_real(web, ROLE_REAL, "b", "100.64.1.12", 0, 1)->forward = FORWARD_DR;
	fixture_build(f, both);
	if (other)
		fixture_real_verdict(f, 0, 1, STATE_DOWN);
	else
		web->n_reals = 1;
	fixture_build(f, one);
	fixture_free(f);
}

static bool has(const struct plan *plan, const char *set, uint32_t id)
{
	vec_each(&plan_find_set(plan, set)->elems, elem)
		if (!memcmp(elem->key, &id, sizeof(id)))
			return true;
	return false;
}

Test(leaving, who_is_taken_out_stays_known_while_it_is_listed)
{
	struct plan both = {0}, one = {0};
	struct leaving leaving = {0}, later = {0};
	const struct facts none = {0};
	build_two(&both, &one, false);
	uint32_t id = both.services.v[0].reals.v[1].id;
	cr_assert(has(&both, "draddr4", id) && has(&both, "drdev4", id));
	cr_assert(!has(&one, "draddr4", id));
	leaving_find(&leaving, &both, &one);
	cr_assert_eq(leaving.ids.n, 1);
	cr_expect_eq(leaving.ids.v[0], id);
	leaving_keep(&leaving, &both, &one, &none);
	cr_expect(has(&one, "draddr4", id) && has(&one, "drdev4", id));
	cr_expect(has(&both, "drnear4", id) && !has(&one, "drnear4", id), "it takes the long way");
	cr_expect(!has(&one, "drlive4", id), "its pins don't hold");
	leaving_find(&later, &one, &one);
	cr_expect_eq(later.ids.n, 1);
	leaving_free(&leaving);
	leaving_free(&later);
	plan_free(&both);
	plan_free(&one);
}

Test(leaving, who_is_dead_is_not_leaving)
{
	struct plan both = {0}, one = {0};
	struct leaving leaving = {0};
	build_two(&both, &one, true);
	leaving_find(&leaving, &both, &one);
	cr_expect_eq(leaving.ids.n, 0);
	leaving_find(&leaving, &both, &both);
	cr_expect_eq(leaving.ids.n, 0);
	plan_free(&both);
	plan_free(&one);
}

// Its tunnel stays, with all that packets into it need; made anew, it is known by its new number.
Test(leaving, who_is_reached_by_a_tunnel_keeps_it)
{
	struct plan both = {0}, one = {0};
	struct leaving leaving = {0};
	struct fixture *f = fixture_new(1);
	struct model_service *web = fixture_service(f, "web");
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "a", "100.64.1.11", 0, 1)->forward = FORWARD_DR;
	fixture_real(web, ROLE_REAL, "b", "100.64.1.12", 0, 1)->forward = FORWARD_TUN;
	fixture_build(f, &both);
	uint32_t id = both.services.v[0].reals.v[1].id;
	const struct addr address = both.services.v[0].reals.v[1].address;
	struct fact_iface *iface;
	vec_add(&f->facts.ifaces, iface);
	snprintf(iface->name, sizeof(iface->name), "%s", both.tunnels.v[0].ifname);
	iface->index = 77;
	iface->up = true;
	web->n_reals = 1;
	fixture_build(f, &one);
	cr_assert(!one.tunnels.n && !plan_find_set(&one, "drtun4"));
	plan_free(&one);
	one = (struct plan){0};
	vec_push(&leaving.ids, id);
	both.tunnels.n = 0; // the device is gone
	leaving_find_tunnels(&leaving, &both);
	cr_assert_eq(leaving.tunnels.n, 1);
	f->leaving = &leaving;
	fixture_build(f, &one);
	leaving_keep(&leaving, &both, &one, &f->facts);
	cr_assert_eq(one.tunnels.n, 1);
	cr_expect(addr_equal(&one.tunnels.v[0].remote, &address));
	cr_expect(has(&one, "drtun4", id) && has(&one, "draddr4", id));
	cr_expect_eq(plan_find_set(&one, "tunnel4")->elems.n, 1);
	cr_expect(one.tunnel_mtu[FAM_4] && one.services.v[0].tunnel[FAM_4]);
	vec_each(&plan_find_set(&one, "drdev4")->elems, elem)
		if (!memcmp(elem->key, &id, sizeof(id)))
			cr_expect_eq(elem->mark, 77);
	leaving_free(&leaving);
	plan_free(&both);
	plan_free(&one);
	fixture_free(f);
}
