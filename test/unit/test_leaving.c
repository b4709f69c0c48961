// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/leaving.h"

#include <criterion/criterion.h>
#include <string.h>

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
	build_two(&both, &one, false);
	uint32_t id = both.services.v[0].reals.v[1].id;
	cr_assert(has(&both, "draddr4", id) && has(&both, "drdev4", id));
	cr_assert(!has(&one, "draddr4", id));
	leaving_find(&leaving, &both, &one);
	cr_assert_eq(leaving.ids.n, 1);
	cr_expect_eq(leaving.ids.v[0], id);
	leaving_keep(&leaving, &both, &one);
	cr_expect(has(&one, "draddr4", id) && has(&one, "drdev4", id));
	cr_expect(!has(&one, "drlive4", id), "its pins don't hold");
	leaving_find(&later, &one, &one);
	cr_expect_eq(later.ids.n, 1);
	vec_free(&leaving.ids);
	vec_free(&later.ids);
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

Test(leaving, by_tunnel_nobody_is_kept)
{
	struct plan both = {0}, one = {0};
	struct leaving leaving = {0};
	build_two(&both, &one, false);
	vec_push(&both.tunnels, (struct plan_tunnel){.remote = both.services.v[0].reals.v[1].address});
	leaving_find(&leaving, &both, &one);
	cr_expect_eq(leaving.ids.n, 0);
	plan_free(&both);
	plan_free(&one);
}
