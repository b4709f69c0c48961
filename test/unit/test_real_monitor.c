// SPDX-License-Identifier: GPL-2.0-or-later
// Whom a real's probes ask, and where.
#include <criterion/criterion.h>

#include "gwd/core/model.h"
#include "gwd/real_monitor.h"
#include "test/unit/fixture.h"

struct world {
	struct fixture *f;
	struct model_service *service;
	struct model_real *real;
};

static struct world begin(uint16_t port)
{
	struct world w = {.f = fixture_new(1)};
	w.service = fixture_service(w.f, "web");
	fixture_listen(w.service, "192.0.2.1", 80, 80);
	w.real = fixture_real(w.service, ROLE_REAL, "a", "10.0.0.2", port, 1);
	return w;
}

static unsigned asked(const struct world *w, const struct model_probe *probe)
{
	return real_monitor_probe(probe, w->service, w->real).port;
}

Test(real_monitor, a_port_that_is_left_out_is_the_reals)
{
	struct world w = begin(8080);
	cr_expect_eq(asked(&w, &(struct model_probe){.type = PROBE_TCP, .own_port = true}), 8080);
	cr_expect_eq(asked(&w, &(struct model_probe){.type = PROBE_HTTP, .own_port = true, .port = 80}), 8080,
		     "not the protocol's usual one");
	cr_expect_eq(asked(&w, &(struct model_probe){.type = PROBE_HTTP, .port = 81}), 81);
	cr_expect_eq(asked(&w, &(struct model_probe){.type = PROBE_ICMP, .own_port = true}), 0);
	fixture_free(w.f);
}

Test(real_monitor, other_targets_have_other_ports)
{
	struct world w = begin(8080);
	struct addr elsewhere;
	addr_parse("10.0.0.9", &elsewhere);
	struct model_probe probe = {
		.type = PROBE_HTTP, .own_port = true, .port = 80, .targets = &elsewhere, .n_targets = 1};
	cr_expect_eq(asked(&w, &probe), 80);
	fixture_free(w.f);
}

Test(real_monitor, the_only_port_of_the_service_is_its_reals)
{
	struct world w = begin(0);
	struct model_probe probe = {.type = PROBE_HTTP, .own_port = true, .port = 8000};
	cr_expect_eq(asked(&w, &probe), 80);
	fixture_listen(w.service, "192.0.2.1", 443, 443);
	cr_expect_eq(asked(&w, &probe), 8000, "the real has two now");
	fixture_free(w.f);
}
