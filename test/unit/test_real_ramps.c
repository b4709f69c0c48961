// SPDX-License-Identifier: GPL-2.0-or-later
// slow-start of reals: who is ramped up, and when the next step is due.
#include <criterion/criterion.h>

#include "gwd/core/ramp.h"
#include "gwd/reals.h"
#include "test/unit/fixture.h"

#define SLOW_MS 20000

struct world {
	struct fixture *f;
	struct reals reals;
	struct plan plan;
};

static struct world begin(void)
{
	struct world w = {.f = fixture_new(1)};
	struct model_service *web = fixture_service(w.f, "web"), *mail = fixture_service(w.f, "mail");
	fixture_listen(web, "192.0.2.1", 80, 80);
	fixture_listen(mail, "192.0.2.1", 25, 25);
	fixture_real(web, ROLE_REAL, "a", "10.0.0.2", 0, 1);
	fixture_real(web, ROLE_REAL, "b", "10.0.0.3", 0, 1);
	fixture_real(mail, ROLE_REAL, "a", "10.0.0.2", 0, 1);
	web->slow_start_ms = SLOW_MS;
	reals_configure(&w.reals, &w.f->model, 0);
	return w;
}

// As the engine does: what is known, a plan, and it is in force.
static void settle(struct world *w, int64_t now_ms)
{
	plan_free(&w->plan);
	w->plan = (struct plan){0};
	reals_ramp(&w->reals, &w->f->model, now_ms);
	for (size_t i = 0; i < w->f->model.n_services; i++)
		for (size_t k = 0; k < w->f->services[i].n_reals; k++)
			w->f->real_now[i][k].held = w->reals.by_service[i][k].held;
	fixture_build(w->f, &w->plan);
	reals_note(&w->reals, &w->plan, now_ms);
}

static unsigned held(const struct world *w, size_t service, size_t real)
{
	return w->plan.services.v[service].reals.v[real].held;
}

static void end(struct world *w)
{
	plan_free(&w->plan);
	reals_free(&w->reals);
	fixture_free(w->f);
}

Test(real_ramps, one_that_comes_back_is_ramped_up_where_the_service_says_so)
{
	struct world w = begin();
	settle(&w, 1000);
	cr_expect(held(&w, 0, 0) == 0 && held(&w, 1, 0) == 0, "not at a start");
	cr_expect_eq(reals_wait_ms(&w.reals, &w.f->model, 1000), RAMP_OVER);
	fixture_real_verdict(w.f, 0, 0, STATE_DOWN);
	fixture_real_verdict(w.f, 1, 0, STATE_DOWN);
	settle(&w, 2000);
	cr_expect_eq(reals_wait_ms(&w.reals, &w.f->model, 2000), RAMP_OVER);
	fixture_real_verdict(w.f, 0, 0, STATE_UP);
	fixture_real_verdict(w.f, 1, 0, STATE_UP);
	settle(&w, 10000);
	cr_expect_eq(held(&w, 0, 0), ramp_held(0, SLOW_MS));
	cr_expect_eq(held(&w, 0, 1), 0);
	cr_expect_eq(held(&w, 1, 0), 0, "mail has no slow-start");
	cr_expect_eq(reals_wait_ms(&w.reals, &w.f->model, 10000), ramp_wait_ms(0, SLOW_MS));
	settle(&w, 20000);
	cr_expect_eq(held(&w, 0, 0), RAMP_FULL / 2);
	settle(&w, 30000);
	cr_expect_eq(held(&w, 0, 0), 0);
	cr_expect_eq(reals_wait_ms(&w.reals, &w.f->model, 30000), RAMP_OVER);
	end(&w);
}

Test(real_ramps, a_newcomer_to_a_running_service_is_ramped_up)
{
	struct world w = begin();
	settle(&w, 1000);
	fixture_real(&w.f->services[0], ROLE_REAL, "c", "10.0.0.4", 0, 1);
	reals_configure(&w.reals, &w.f->model, 5000);
	settle(&w, 5000);
	cr_expect_eq(held(&w, 0, 2), ramp_held(0, SLOW_MS));
	cr_expect_eq(held(&w, 0, 0), 0, "carried over");
	struct model_service *other = fixture_service(w.f, "other");
	fixture_listen(other, "192.0.2.1", 81, 81);
	fixture_real(other, ROLE_REAL, "a", "10.0.0.2", 0, 1);
	other->slow_start_ms = SLOW_MS;
	reals_configure(&w.reals, &w.f->model, 6000);
	settle(&w, 6000);
	cr_expect_eq(held(&w, 2, 0), 0, "a new service is as it is written");
	settle(&w, 15000);
	cr_expect_eq(held(&w, 0, 2), RAMP_FULL / 2, "a reload does not begin it anew");
	end(&w);
}
