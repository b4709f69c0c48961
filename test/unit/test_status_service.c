// SPDX-License-Identifier: GPL-2.0-or-later
// Services in `gwctl status`: one table, one service, one real, and the JSON that scripts rely on.
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/reals.h"
#include "gwd/status.h"
#include "test/unit/fixture.h"

#define NOW_MS 7200000ll
#define REALS 3

// A service of two reals and a sorry server, up for an hour; r2 is down.
struct scene {
	struct fixture *f;
	struct plan plan;
	struct reals reals;
	struct model_probe probe;
	struct status_measured measured[1];
	int64_t pins[1], unpinned[1], flows[REALS], sticks[1];
	struct status status;
};

static void scene_open(struct scene *s, const char *name)
{
	*s = (struct scene){.f = fixture_new(1), .flows = {7, 0, 2}, .sticks = {12}};
	struct model_service *web = fixture_service(s->f, name);
	s->probe = (struct model_probe){.name = "internet", .type = PROBE_ICMP, .need = 1};
	s->f->model.probes = &s->probe;
	s->f->model.n_probes = 1;
	s->f->model.path = "/etc/gwd/gwd.conf";
	web->persistence_ms = 300000;
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "r1", "10.1.1.1", 8080, 3);
	fixture_real(web, ROLE_REAL, "r2", "10.1.1.2", 8080, 1);
	fixture_real(web, ROLE_SORRY, "sorry", NULL, 9000, 1);
	fixture_real_verdict(s->f, 0, 1, STATE_DOWN);
}

static void scene_build(struct scene *s)
{
	fixture_build(s->f, &s->plan);
	reals_configure(&s->reals, &s->f->model, NOW_MS - 3600000);
	status_build(&s->status, &(struct status_input){
					 .model = &s->f->model,
					 .facts = &s->f->facts,
					 .applied = &s->plan,
					 .verdicts = (const struct verdict(*)[FAM_COUNT])s->f->verdicts,
					 .measured = s->measured,
					 .pins = s->pins,
					 .unpinned = s->unpinned,
					 .reals = &s->reals,
					 .real_flows = s->flows,
					 .sticks = s->sticks,
					 .now_ms = NOW_MS,
					 .wall_ms = 1767225600000ll,
				 });
}

static void scene_close(struct scene *s)
{
	status_free(&s->status);
	reals_free(&s->reals);
	plan_free(&s->plan);
	fixture_free(s->f);
}

static void expect_text(const struct scene *s, const char *name, const char *want)
{
	struct buf out = {0};
	status_text(&s->status, name, &out);
	cr_expect_str_eq(buf_text(&out), want, "got:\n%s\nwanted:\n%s", buf_text(&out), want);
	buf_free(&out);
}

Test(status_service, one_service)
{
	struct scene s;
	scene_open(&s, "web");
	scene_build(&s);
	expect_text(&s, "web",
		    "SERVICE  STATE  SINCE  SCHEDULER  WEIGHT  FLOWS  IN USE   TO\n"
		    "web      up     1h00m  wrr                    9  reals    1 of 2 reals usable\n"
		    "  r1     up     1h00m                  3      7  yes      10.1.1.1:8080 by nat\n"
		    "  r2     down   1h00m                  1      0  no       10.1.1.2:8080 by nat\n"
		    "         so says the test\n"
		    "  sorry  up     1h00m                  1      2  standby  this host:9000\n"
		    "\n"
		    "listens on   tcp 198.51.100.10:80\n"
		    "persistence  5m, by IPv4 /32, IPv6 /128; 12 clients are remembered\n"
		    "on-removal   keep\n");
	expect_text(&s, "web/r2",
		    "real    r2 of service web\n"
		    "to      10.1.1.2:8080 by nat\n"
		    "state   down for 1h00m, since 2025-12-31 23:00:00 UTC\n"
		    "reason  so says the test\n"
		    "weight  1\n"
		    "flows   0\n"
		    "in use  no\n");
	cr_expect(status_has(&s.status, "web") && status_has(&s.status, "web/sorry"));
	cr_expect(!status_has(&s.status, "web/r3") && !status_has(&s.status, "web/"));
	scene_close(&s);
}

Test(status_service, names_of_full_length_stay_within_80_columns)
{
	struct scene s;
	struct buf out = {0};
	scene_open(&s, "a-service-with-a-name-of-31-let");
	manual_set(&s.f->manual, "a-service-with-a-name-of-31-let/r1", MANUAL_WEIGHT, 5,
		   "2026-01-01 00:00:00 UTC");
	cr_assert(addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &s.f->reals[0][0].address));
	scene_build(&s);
	status_text(&s.status, NULL, &out);
	for (const char *line = buf_text(&out), *end; (end = strchr(line, '\n')); line = end + 1)
		cr_expect_leq(end - line, 80, "%.*s", (int)(end - line), line);
	buf_free(&out);
	scene_close(&s);
}

static json_t *named(json_t *list, size_t i, const char *name)
{
	json_t *entry = json_array_get(list, i);
	cr_assert_str_eq(json_string_value(json_object_get(entry, "name")), name);
	return entry;
}

Test(status_service, json)
{
	struct scene s;
	struct buf out = {0};
	scene_open(&s, "web");
	scene_build(&s);
	status_json(&s.status, "web/r1", &out);
	json_t *root = json_loads(buf_text(&out), 0, NULL);
	json_t *web = named(json_object_get(root, "services"), 0, "web");
	cr_expect_str_eq(json_string_value(json_object_get(web, "serving")), "reals");
	cr_expect_str_eq(json_string_value(json_object_get(web, "state")), "up");
	cr_expect_eq(json_integer_value(json_object_get(web, "pins")), 12);
	cr_expect_eq(json_integer_value(json_object_get(web, "flows")), 9);
	json_t *reals = json_object_get(web, "reals");
	json_t *r1 = named(reals, 0, "r1"), *r2 = named(reals, 1, "r2"), *sorry = named(reals, 2, "sorry");
	cr_expect_str_eq(json_string_value(json_object_get(r1, "address")), "10.1.1.1");
	cr_expect_eq(json_integer_value(json_object_get(r1, "port")), 8080);
	cr_expect_eq(json_integer_value(json_object_get(r1, "flows")), 7);
	cr_expect(json_is_true(json_object_get(r1, "active")));
	cr_expect_str_eq(json_string_value(json_object_get(r2, "state")), "down");
	cr_expect_str_eq(json_string_value(json_object_get(r2, "reason")), "so says the test");
	cr_expect(json_is_null(json_object_get(sorry, "address")));
	cr_expect(json_is_false(json_object_get(sorry, "active")));
	json_decref(root);
	buf_free(&out);
	scene_close(&s);
}
