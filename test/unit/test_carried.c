// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of gateways and reals outlasts a reload that the kernel refuses: first another model, then the
// old one again.
#include <criterion/criterion.h>
#include <event2/event.h>

#include "gwd/monitor.h"
#include "gwd/reals.h"
#include "test/unit/fixture.h"

static void changed(void *arg, const char *name)
{
	(void)arg, (void)name;
}

struct watched {
	struct fixture *f;
	struct event_base *base;
	struct monitor *monitor;
	struct model_probe probe;
};

static void update(struct watched *w, size_t gateways)
{
	w->f->model.n_gateways = gateways;
	monitor_update(w->monitor, &w->f->model, &w->f->facts, &w->f->ids);
}

// g2's carrier is gone when it is first seen, so that it is down, and is back then.
static void watch(struct watched *w)
{
	*w = (struct watched){.f = fixture_new(2), .base = event_base_new()};
	w->probe = (struct model_probe){.name = "p",
					.type = PROBE_ICMP,
					.need = 1,
					.interval_ms = 1000,
					.fast_ms = 100,
					.timeout_ms = 100,
					.fall = 3,
					.rise = 3};
	w->f->model.probes = &w->probe;
	w->f->model.n_probes = 1;
	w->monitor = monitor_new(w->base, changed, NULL);
	fixture_iface(w->f, "wan2")->carrier = false;
	update(w, 2);
	fixture_iface(w->f, "wan2")->carrier = true;
	cr_assert_eq(monitor_verdict(w->monitor, "g2", FAM_4)->state, STATE_DOWN);
}

static void end(struct watched *w)
{
	monitor_free(w->monitor);
	event_base_free(w->base);
	fixture_free(w->f);
}

Test(carried, a_verdict_outlasts_a_model_that_is_given_up)
{
	struct watched w;
	watch(&w);
	update(&w, 1);
	update(&w, 2);
	cr_expect_eq(monitor_verdict(w.monitor, "g2", FAM_4)->state, STATE_DOWN, "forgotten");
	end(&w);
}

Test(carried, a_verdict_is_forgotten_with_its_gateway)
{
	struct watched w;
	watch(&w);
	update(&w, 1);
	monitor_drop_unseen(w.monitor);
	update(&w, 2);
	cr_expect_eq(monitor_verdict(w.monitor, "g2", FAM_4)->state, STATE_UNKNOWN);
	end(&w);
}

// web/a, web/b and mail/a, of which web/b and all of mail may be left out.
static void configure(struct reals *reals, struct fixture *f, bool whole)
{
	f->services[0].n_reals = whole ? 2 : 1;
	f->model.n_services = whole ? 2 : 1;
	reals_configure(reals, &f->model, 7);
}

static struct fixture *two_services(struct reals *reals)
{
	struct fixture *f = fixture_new(1);
	struct model_service *web = fixture_service(f, "web"), *mail = fixture_service(f, "mail");
	fixture_listen(web, "192.0.2.1", 80, 80);
	fixture_listen(mail, "192.0.2.1", 25, 25);
	fixture_real(web, ROLE_REAL, "a", "10.0.0.2", 0, 1);
	fixture_real(web, ROLE_REAL, "b", "10.0.0.3", 0, 1);
	fixture_real(mail, ROLE_REAL, "a", "10.0.0.2", 0, 1);
	*reals = (struct reals){0};
	configure(reals, f, true);
	for (size_t i = 0; i < reals->reals.n; i++) {
		reals->reals.v[i].told = STATE_DRAIN;
		reals->now[i].connections = (uint32_t)i + 1;
	}
	reals->services.v[1].told = SERVING_SORRY;
	return f;
}

Test(carried, reals_outlast_a_model_that_is_given_up)
{
	struct reals reals;
	struct fixture *f = two_services(&reals);
	for (int i = 0; i < 2; i++)
		configure(&reals, f, false);
	configure(&reals, f, true);
	for (size_t i = 0; i < reals.reals.n; i++) {
		cr_expect_eq(reals.reals.v[i].told, STATE_DRAIN, "%s", reals.reals.v[i].name);
		cr_expect_eq(reals.now[i].connections, i + 1, "%s", reals.reals.v[i].name);
	}
	cr_expect_eq(reals.services.v[1].told, SERVING_SORRY);
	reals_free(&reals);
	fixture_free(f);
}

Test(carried, reals_are_forgotten_with_their_service)
{
	struct reals reals;
	struct fixture *f = two_services(&reals);
	configure(&reals, f, false);
	reals_drop_left(&reals);
	configure(&reals, f, true);
	cr_expect_eq(reals.reals.v[0].told, STATE_DRAIN);
	cr_expect_neq(reals.reals.v[1].told, STATE_DRAIN);
	cr_expect_neq(reals.services.v[1].told, SERVING_SORRY);
	reals_free(&reals);
	fixture_free(f);
}
