// SPDX-License-Identifier: GPL-2.0-or-later
// The names that dashboards rely on, and the form that a scraper can read.
#include "gwd/metrics.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/reals.h"
#include "gwd/status.h"
#include "test/unit/fixture.h"

#define NOW_MS 7200000ll

static char *text_of(struct fixture *f)
{
	struct plan plan = {0};
	struct reals reals = {0};
	struct status status = {0};
	struct buf out = {0};
	struct status_measured measured[2] = {
		{.since_ms = NOW_MS - 3600000, .flows = 812, .begun = 4711},
		{.since_ms = NOW_MS - 60000, .flows = -1, .begun = 0},
	};
	int64_t pins[4] = {12}, unpinned[4] = {3}, flows[3] = {7, 0, 2}, sticks[1] = {5};
	fixture_build(f, &plan);
	plan.active = true;
	reals_configure(&reals, &f->model, NOW_MS - 3600000);
	status_build(&status, &(struct status_input){
				      .model = &f->model,
				      .facts = &f->facts,
				      .applied = &plan,
				      .verdicts = (const struct verdict(*)[FAM_COUNT])f->verdicts,
				      .measured = measured,
				      .pins = pins,
				      .unpinned = unpinned,
				      .reals = &reals,
				      .real_flows = flows,
				      .sticks = sticks,
				      .started_ms = NOW_MS - 3600000,
				      .applied_ms = NOW_MS - 60000,
				      .now_ms = NOW_MS,
				      .wall_ms = 1767225600000ll,
			      });
	metrics_text(&status, &out);
	status_free(&status);
	reals_free(&reals);
	plan_free(&plan);
	return out.text;
}

static struct fixture *office(struct model_probe *probe)
{
	struct fixture *f = fixture_new(2);
	*probe = (struct model_probe){.name = "internet", .type = PROBE_ICMP, .need = 1};
	f->model.probes = probe;
	f->model.n_probes = 1;
	f->balances[0].persistence_ms = 300000;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		f->verdicts[0][fam] =
			(struct verdict){.state = STATE_UP, .latency_ms = 7.5, .jitter_ms = -1, .loss = 0.25};
		f->verdicts[1][fam] = (struct verdict){.state = STATE_DOWN, .latency_ms = -1, .loss = 1};
	}
	fixture_iface(f, "wan1")->rx_bytes = 5000000000;
	struct model_service *web = fixture_service(f, "web");
	web->persistence_ms = 300000;
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "r1", "10.1.1.1", 8080, 3);
	fixture_real(web, ROLE_REAL, "r2", "10.1.1.2", 8080, 1);
	fixture_real_verdict(f, 0, 1, STATE_DOWN);
	return f;
}

static void expect_line(const char *text, const char *line)
{
	char want[256];
	snprintf(want, sizeof(want), "\n%s\n", line);
	cr_expect(strstr(text, want), "no line %s in\n%s", line, text);
}

Test(metrics, what_is_known_has_a_sample)
{
	struct model_probe probe;
	struct fixture *f = office(&probe);
	char *text = text_of(f);
	expect_line(text, "gwd_info{version=\"" GWD_VERSION "\"} 1");
	expect_line(text, "gwd_start_time_seconds 1767222000");
	expect_line(text, "gwd_in_force 1");
	expect_line(text, "gwd_gateway_state{gateway=\"g1\",state=\"up\"} 1");
	expect_line(text, "gwd_gateway_state{gateway=\"g1\",state=\"down\"} 0");
	expect_line(text, "gwd_gateway_state{gateway=\"g2\",state=\"down\"} 1");
	expect_line(text, "gwd_gateway_state_since_seconds{gateway=\"g2\"} 1767225540");
	expect_line(text, "gwd_gateway_flows{gateway=\"g1\"} 812");
	expect_line(text, "gwd_gateway_new_flows_total{gateway=\"g1\"} 4711");
	expect_line(text, "gwd_gateway_latency_seconds{gateway=\"g1\",family=\"ipv6\"} 0.0075");
	expect_line(text, "gwd_gateway_loss_ratio{gateway=\"g1\",family=\"ipv4\"} 0.25");
	expect_line(text, "gwd_gateway_receive_bytes_total{gateway=\"g1\",interface=\"wan1\"} 5000000000");
	expect_line(text, "gwd_balance_share_ratio{balance=\"default\",gateway=\"g1\",family=\"ipv4\"} 1");
	expect_line(text, "gwd_balance_pins{balance=\"default\"} 12");
	expect_line(text, "gwd_balance_unpinned_flows_total{balance=\"default\"} 3");
	expect_line(text, "gwd_service_serving{service=\"web\",serving=\"reals\"} 1");
	expect_line(text, "gwd_service_pins{service=\"web\"} 5");
	expect_line(text, "gwd_real_state{service=\"web\",real=\"r2\",state=\"down\"} 1");
	expect_line(text, "gwd_real_flows{service=\"web\",real=\"r1\"} 7");
	expect_line(text, "gwd_real_full{service=\"web\",real=\"r1\"} 0");
	free(text);
	fixture_free(f);
}

Test(metrics, what_is_not_has_none)
{
	struct model_probe probe;
	struct fixture *f = office(&probe);
	char *text = text_of(f);
	cr_expect_null(strstr(text, "gwd_gateway_flows{gateway=\"g2\"}"));
	cr_expect_null(strstr(text, "gwd_gateway_latency_seconds{gateway=\"g2\""));
	cr_expect_null(strstr(text, "gwd_gateway_jitter_seconds{"));
	free(text);
	fixture_free(f);
}

// Each line is a comment, or NAME{LABELS} VALUE of the metric that was last introduced.
Test(metrics, each_sample_stands_below_its_metric)
{
	struct model_probe probe;
	struct fixture *f = office(&probe);
	char *text = text_of(f), name[128] = "";
	for (char *line, *rest = text; (line = strsep(&rest, "\n")) && *line;) {
		size_t n = strcspn(line, "{ ");
		if (sscanf(line, "# TYPE %127s", name) == 1) {
			char twice[160];
			snprintf(twice, sizeof(twice), "\n# TYPE %s ", name);
			cr_expect(!rest || !strstr(rest, twice), "%s twice", name);
		}
		if (*line == '#')
			continue;
		cr_expect(n == strlen(name) && !strncmp(line, name, n), "%s below %s", line, name);
		const char *value = strrchr(line, ' ');
		cr_expect(value && (isdigit(value[1]) || value[1] == '-'), "%s", line);
	}
	free(text);
	fixture_free(f);
}

Test(metrics, an_interface_may_have_any_name)
{
	struct model_probe probe;
	struct fixture *f = office(&probe);
	struct fact_iface *iface = fixture_iface(f, "wan1");
	struct status_gateway gateway = {.conf = &f->gateways[0], .iface = iface};
	struct status status = {.model = &f->model};
	struct buf out = {0};
	strcpy(iface->name, "a\"b\\c\n\xc3");
	vec_push(&status.gateways, gateway);
	metrics_text(&status, &out);
	expect_line(buf_text(&out),
		    "gwd_gateway_receive_bytes_total{gateway=\"g1\",interface=\"a\\\"b\\\\c??\"} 5000000000");
	buf_free(&out);
	vec_free(&status.gateways);
	fixture_free(f);
}
