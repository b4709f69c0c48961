// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/figure.h"
#include "test/unit/fixture.h"

#define HOUR_MS 3600000ll
#define NOW_MS (100 * HOUR_MS)
#define WALL_MS 1767225600000ll // 2026-01-01T00:00:00Z

// Three gateways, weights 3 2 1; all that is measured is set by hand.
struct scene {
	struct fixture *f;
	struct plan plan;
	struct status_measured measured[FIXTURE_MAX];
	int64_t pins[4], unpinned[4];
	struct model_probe probe;
	struct status_input input;
	struct status status;
};

static void scene_open(struct scene *s)
{
	*s = (struct scene){.f = fixture_new(3)};
	s->probe = (struct model_probe){.name = "internet", .type = PROBE_ICMP, .need = 1};
	s->f->model.probes = &s->probe;
	s->f->model.n_probes = 1;
	s->f->model.path = "/etc/gwd/gwd.conf";
	s->f->balances[0].persistence_ms = 300000;
	s->pins[0] = 12;
	for (size_t i = 0; i < 3; i++) {
		s->measured[i] = (struct status_measured){.since_ms = NOW_MS - 3 * HOUR_MS - 12 * 60000,
							  .flows = 812,
							  .begun = 4711,
							  .rx_bps = 83.2e6,
							  .tx_bps = 12.1e6};
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			s->f->verdicts[i][fam] = (struct verdict){.state = STATE_UP,
								  .reason = "1 of 1 targets answers",
								  .latency_ms = 7.1,
								  .jitter_ms = 0.4,
								  .loss = 0};
	}
	fixture_iface(s->f, "wan1")->rx_bytes = 5000000000;
	fixture_iface(s->f, "wan1")->tx_bytes = 1500;
}

static void scene_build(struct scene *s)
{
	fixture_build(s->f, &s->plan);
	s->input = (struct status_input){
		.model = &s->f->model,
		.facts = &s->f->facts,
		.applied = &s->plan,
		.verdicts = (const struct verdict(*)[FAM_COUNT])s->f->verdicts,
		.measured = s->measured,
		.pins = s->pins,
		.unpinned = s->unpinned,
		.started_ms = NOW_MS - 5 * HOUR_MS,
		.applied_ms = NOW_MS - HOUR_MS,
		.now_ms = NOW_MS,
		.wall_ms = WALL_MS,
	};
	status_build(&s->status, &s->input);
}

static void scene_close(struct scene *s)
{
	status_free(&s->status);
	plan_free(&s->plan);
	fixture_free(s->f);
}

static void kill_gateway(struct scene *s, size_t gateway, const char *reason)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct verdict *verdict = &s->f->verdicts[gateway][fam];
		*verdict =
			(struct verdict){.state = STATE_DOWN, .latency_ms = 7.1, .jitter_ms = 0.4, .loss = 1};
		snprintf(verdict->reason, sizeof(verdict->reason), "%s", reason);
	}
}

static void expect_text(const struct scene *s, const char *name, const char *want)
{
	struct buf out = {0};
	status_text(&s->status, name, &out);
	cr_expect_str_eq(buf_text(&out), want, "got:\n%s\nwanted:\n%s", buf_text(&out), want);
	buf_free(&out);
}

// ---- tables ----------------------------------------------------------------------------------

Test(status, all_is_well)
{
	struct scene s;
	scene_open(&s);
	scene_build(&s);
	expect_text(&s, NULL,

		    "GATEWAY  STATE  SINCE  LATENCY  LOSS  WEIGHT  FLOWS     RX     TX  VIA\n"
		    "g1       up     3h12m   7.1 ms    0%       3    812  83.2M  12.1M  wan1\n"
		    "g2       up     3h12m   7.1 ms    0%       2    812  83.2M  12.1M  wan2\n"
		    "g3       up     3h12m   7.1 ms    0%       1    812  83.2M  12.1M  wan3\n"
		    "\n"
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3    50%  yes\n"
		    "  g2                                      1       2    33%  yes\n"
		    "  g3                                      1       1    17%  yes\n");
	scene_close(&s);
}

Test(status, a_table_without_room_for_more_pins_is_told)
{
	struct scene s;
	scene_open(&s);
	s.pins[0] = 131072;
	s.unpinned[0] = 1042;
	scene_build(&s);
	expect_text(&s, "default",
		    "BALANCE  SCHEDULER  PERSISTENCE    PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m           131072\n"
		    "         no room for more pins: 1042 new connections were not pinned so far\n"
		    "  g1                                        1       3    50%  yes\n"
		    "  g2                                        1       2    33%  yes\n"
		    "  g3                                        1       1    17%  yes\n"
		    "\n"
		    "pinned by  source, IPv4 /32, IPv6 /128\n"
		    "rule       none: it takes what no rule names\n");
	scene_close(&s);
}

Test(status, a_dead_gateway_says_why_and_its_share_is_gone)
{
	struct scene s;
	scene_open(&s);
	kill_gateway(&s, 1, "no answer from 9.9.9.9 (3 in a row)");
	s.measured[1].since_ms = NOW_MS - 12000;
	s.measured[1].flows = -1;
	scene_build(&s);
	expect_text(&s, NULL,
		    "GATEWAY  STATE  SINCE  LATENCY  LOSS  WEIGHT  FLOWS     RX     TX  VIA\n"
		    "g1       up     3h12m   7.1 ms    0%       3    812  83.2M  12.1M  wan1\n"
		    "g2       down     12s        -  100%       2      -  83.2M  12.1M  wan2\n"
		    "         no answer from 9.9.9.9 (3 in a row)\n"
		    "g3       up     3h12m   7.1 ms    0%       1    812  83.2M  12.1M  wan3\n"
		    "\n"
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3    75%  yes\n"
		    "  g2                                      1       2     0%  no\n"
		    "  g3                                      1       1    25%  yes\n");
	scene_close(&s);
}

Test(status, families_that_differ_are_told_apart)
{
	struct scene s;
	scene_open(&s);
	s.f->verdicts[2][FAM_6].state = STATE_DOWN;
	snprintf(s.f->verdicts[2][FAM_6].reason, sizeof(s.f->verdicts[2][FAM_6].reason), "no answer");
	scene_build(&s);
	expect_text(&s, NULL,
		    "GATEWAY  STATE  SINCE  LATENCY  LOSS  WEIGHT  FLOWS     RX     TX  VIA\n"
		    "g1       up     3h12m   7.1 ms    0%       3    812  83.2M  12.1M  wan1\n"
		    "g2       up     3h12m   7.1 ms    0%       2    812  83.2M  12.1M  wan2\n"
		    "g3       up     3h12m   7.1 ms    0%       1    812  83.2M  12.1M  wan3\n"
		    "         IPv4: 1 of 1 targets answers; IPv6: no answer\n"
		    "\n"
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE4  SHARE6  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3     50%     60%  yes\n"
		    "  g2                                      1       2     33%     40%  yes\n"
		    "  g3                                      1       1     17%      0%  IPv4 only\n");
	scene_close(&s);
}

Test(status, tiers_wait_and_weight_nought_drains)
{
	struct scene s;
	scene_open(&s);
	s.f->uses[2].tier = 2;
	s.f->uses[1].weight = 0;
	scene_build(&s);
	expect_text(&s, NULL,
		    "GATEWAY  STATE  SINCE  LATENCY  LOSS  WEIGHT  FLOWS     RX     TX  VIA\n"
		    "g1       up     3h12m   7.1 ms    0%       3    812  83.2M  12.1M  wan1\n"
		    "g2       up     3h12m   7.1 ms    0%       2    812  83.2M  12.1M  wan2\n"
		    "g3       up     3h12m   7.1 ms    0%       1    812  83.2M  12.1M  wan3\n"
		    "\n"
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3   100%  yes\n"
		    "  g2                                      1       0     0%  drain\n"
		    "  g3                                      2       1     0%  standby\n");
	scene_close(&s);
}

Test(status, one_gateway_in_detail)
{
	struct scene s;
	scene_open(&s);
	s.f->rules[0] =
		(struct model_rule){.name = "bank", .target = RULE_GATEWAY, .gateway = 0, .strict = true};
	s.f->rules[1] = (struct model_rule){.name = "voip", .target = RULE_BALANCE, .balance = 0};
	s.f->model.n_rules = 2;
	struct addr targets[2];
	s.probe.targets = targets;
	s.probe.n_targets = 2;
	addr_parse("1.1.1.1", &targets[0]);
	addr_parse("9.9.9.9", &targets[1]);
	struct model_snat *snat = &s.f->gateways[0].snat[FAM_4];
	snat->mode = SNAT_ADDRESS;
	addr_parse("203.0.113.1", &snat->first);
	addr_parse("203.0.113.9", &snat->last);
	scene_build(&s);
	expect_text(&s, "g1",
		    "gateway    g1\n"
		    "state      up for 3h12m, since 2025-12-31 20:48:00 UTC\n"
		    "reason     1 of 1 targets answers\n"
		    "IPv4       up: 1 of 1 targets answers; next hop 100.64.1.1; from 100.64.1.2;\n"
		    "           latency 7.1 ms; jitter 0.40 ms; loss 0%\n"
		    "IPv6       up: 1 of 1 targets answers; next hop 2001:db8:1::1; from\n"
		    "           2001:db8:1::2; latency 7.1 ms; jitter 0.40 ms; loss 0%\n"
		    "interface  wan1, up\n"
		    "received   83.2M bit/s, 5.0G bytes in all\n"
		    "sent       12.1M bit/s, 1.5k bytes in all\n"
		    "snat       IPv4: 203.0.113.1-203.0.113.9; IPv6: masquerade\n"
		    "weight     3\n"
		    "flows      812 now, 4711 begun since the rules were loaded or zeroed\n"
		    "kernel     mark 0xaf000000/0xff000000, routing table 1175\n"
		    "probe      internet: icmp to 1.1.1.1 9.9.9.9, 1 must answer\n"
		    "balance    default: tier 1, weight 3, share 50%, in use: yes\n"
		    "rule       bank, strict: refused rather than sent elsewhere\n");
	expect_text(&s, "default",
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3    50%  yes\n"
		    "  g2                                      1       2    33%  yes\n"
		    "  g3                                      1       1    17%  yes\n"
		    "\n"
		    "pinned by  source, IPv4 /32, IPv6 /128\n"
		    "rule       voip\n"
		    "rule       none: it takes what no rule names\n");
	scene_close(&s);
}

Test(status, a_missing_interface_and_a_failed_apply)
{
	struct scene s;
	scene_open(&s);
	fixture_iface(s.f, "wan1")->name[0] = 'x';
	scene_build(&s);
	s.status.failure = "route add default via 100.64.1.1 dev wan1: Network is unreachable";
	expect_text(&s, "g1",
		    "! the kernel refused the last change, it is tried again: route add default via\n"
		    "100.64.1.1 dev wan1: Network is unreachable\n"
		    "gateway    g1\n"
		    "state      down for 3h12m, since 2025-12-31 20:48:00 UTC\n"
		    "reason     interface wan1 does not exist\n"
		    "IPv4       down: interface wan1 does not exist\n"
		    "IPv6       down: interface wan1 does not exist\n"
		    "interface  wan1, which does not exist\n"
		    "snat       masquerade\n"
		    "weight     3\n"
		    "flows      812 now, 4711 begun since the rules were loaded or zeroed\n"
		    "kernel     mark 0xaf000000/0xff000000, routing table 1175\n"
		    "probe      internet: icmp to the next hop, 1 must answer\n"
		    "balance    default: tier 1, weight 3, share 0%, in use: no\n");
	scene_close(&s);
}

Test(status, nothing_of_ours_in_the_kernel)
{
	struct scene s;
	scene_open(&s);
	scene_build(&s);
	struct plan none = {.mark_mask = 0xff000000};
	status_free(&s.status);
	s.input.applied = &none;
	status_build(&s.status, &s.input);
	expect_text(&s, NULL,
		    "! gwd has nothing in the kernel: it was flushed, a reload puts it back\n"
		    "GATEWAY  STATE    SINCE  LATENCY  LOSS  WEIGHT  FLOWS     RX     TX  VIA\n"
		    "g1       unknown  3h12m   7.1 ms    0%       3    812  83.2M  12.1M  wan1\n"
		    "         not in the kernel\n"
		    "g2       unknown  3h12m   7.1 ms    0%       2    812  83.2M  12.1M  wan2\n"
		    "         not in the kernel\n"
		    "g3       unknown  3h12m   7.1 ms    0%       1    812  83.2M  12.1M  wan3\n"
		    "         not in the kernel\n"
		    "\n"
		    "BALANCE  SCHEDULER  PERSISTENCE  PINS  TIER  WEIGHT  SHARE  IN USE\n"
		    "default  wrr        5m             12\n"
		    "  g1                                      1       3      -  no\n"
		    "  g2                                      1       2      -  no\n"
		    "  g3                                      1       1      -  no\n");
	scene_close(&s);
}

Test(status, names_of_full_length_stay_within_80_columns)
{
	struct scene s;
	struct buf out = {0};
	scene_open(&s);
	s.f->gateways[0].name = "a-name-that-is-31-letters-long-";
	s.f->gateways[0].interface = "enp129s0f1np123";
	snprintf(fixture_iface(s.f, "wan1")->name, 16, "enp129s0f1np123");
	ids_assign(&s.f->ids, &s.f->model);
	kill_gateway(&s, 0, "no answer from 2001:db8:1234:5678:9abc:def0:1234:5678 (3 in a row)");
	s.measured[0] = (struct status_measured){.since_ms = NOW_MS - 4000 * 24 * HOUR_MS, .flows = 262144};
	scene_build(&s);
	status_text(&s.status, NULL, &out);
	for (const char *line = buf_text(&out); *line; line += strcspn(line, "\n") + 1)
		cr_expect_leq(strcspn(line, "\n"), 80, "%s", buf_text(&out));
	cr_expect(strstr(buf_text(&out), "\na-name-that-is-31-letters-long-\n"));
	cr_expect(strstr(buf_text(&out), "\n  a-name-that-is-31-letters-long-"));
	buf_free(&out);
	scene_close(&s);
}

// ---- JSON ------------------------------------------------------------------------------------

static json_t *parse_status(const struct scene *s, const char *name)
{
	struct buf out = {0};
	json_error_t error;
	status_json(&s->status, name, &out);
	json_t *root = json_loads(buf_text(&out), 0, &error);
	cr_assert(root, "%s in %s", error.text, buf_text(&out));
	cr_expect_eq(strcspn(buf_text(&out), "\n"), out.n - 1, "one line");
	buf_free(&out);
	return root;
}

// As config.md pins it: names, types and units.
Test(status, json_of_a_gateway)
{
	struct scene s;
	scene_open(&s);
	scene_build(&s);
	json_t *root = parse_status(&s, NULL), *gw = json_array_get(json_object_get(root, "gateways"), 0);
	const char *name, *state, *reason, *since, *interface, *address;
	double latency, jitter, loss;
	json_int_t weight, flows, rx_bytes, tx_bytes, rx_bps, tx_bps;
	cr_assert_eq(json_unpack(gw, "{s:s,s:s,s:s,s:s,s:s,s:s}", "name", &name, "state", &state, "reason",
				 &reason, "since", &since, "interface", &interface, "address", &address),
		     0);
	cr_assert_eq(
		json_unpack(gw, "{s:F,s:F,s:F}", "latency_ms", &latency, "jitter_ms", &jitter, "loss", &loss),
		0);
	cr_assert_eq(json_unpack(gw, "{s:I,s:I,s:I,s:I,s:I,s:I}", "weight", &weight, "flows", &flows,
				 "rx_bytes", &rx_bytes, "tx_bytes", &tx_bytes, "rx_bps", &rx_bps, "tx_bps",
				 &tx_bps),
		     0);
	cr_expect_str_eq(name, "g1");
	cr_expect_str_eq(state, "up");
	cr_expect_str_eq(reason, "1 of 1 targets answers");
	cr_expect_str_eq(since, "2025-12-31T20:48:00Z");
	cr_expect_str_eq(interface, "wan1");
	cr_expect_str_eq(address, "100.64.1.1");
	cr_expect_float_eq(latency, 7.1, 1e-9);
	cr_expect_float_eq(jitter, 0.4, 1e-9);
	cr_expect_float_eq(loss, 0, 1e-9);
	cr_expect(weight == 3 && flows == 812 && rx_bytes == 5000000000 && tx_bytes == 1500);
	cr_expect(rx_bps == 83200000 && tx_bps == 12100000);
	json_decref(root);
	scene_close(&s);
}

Test(status, json_of_the_rest)
{
	struct scene s;
	scene_open(&s);
	kill_gateway(&s, 1, "no answer");
	s.unpinned[0] = 5;
	scene_build(&s);
	json_t *root = parse_status(&s, NULL);
	const char *config, *started, *applied, *name, *scheduler, *member;
	json_t *services, *members;
	int fastpath, usable, usable2;
	json_int_t pins, unpinned, tier, weight;
	cr_assert_eq(json_unpack(root, "{s:s,s:s,s:s,s:b,s:o}", "config", &config, "started", &started,
				 "applied", &applied, "fastpath", &fastpath, "services", &services),
		     0);
	cr_expect_str_eq(config, "/etc/gwd/gwd.conf");
	cr_expect_str_eq(started, "2025-12-31T19:00:00Z");
	cr_expect_str_eq(applied, "2025-12-31T23:00:00Z");
	cr_expect(json_is_array(services) && !json_array_size(services) && !fastpath);
	cr_assert_eq(json_unpack(root, "{s:[{s:s,s:s,s:I,s:I,s:o}]}", "balances", "name", &name, "scheduler",
				 &scheduler, "pins", &pins, "unpinned", &unpinned, "gateways", &members),
		     0);
	cr_expect_str_eq(name, "default");
	cr_expect_str_eq(scheduler, "wrr");
	cr_expect_eq(pins, 12);
	cr_expect_eq(unpinned, 5);
	cr_assert_eq(json_array_size(members), 3);
	cr_assert_eq(json_unpack(members, "[{s:s,s:I,s:I,s:b},{s:b}]", "name", &member, "tier", &tier,
				 "weight", &weight, "usable", &usable, "usable", &usable2),
		     0);
	cr_expect_str_eq(member, "g1");
	cr_expect(tier == 1 && weight == 3 && usable && !usable2);
	json_decref(root);
	scene_close(&s);
}

Test(status, json_null_where_nothing_is_known)
{
	static const char *const keys[] = {"address",  "latency_ms", "jitter_ms", "loss", "flows",
					   "rx_bytes", "tx_bytes",   "ipv4",      "ipv6"};
	struct scene s;
	scene_open(&s);
	s.f->gateways[0].addr_mode[FAM_4] = s.f->gateways[0].addr_mode[FAM_6] = ADDR_MODE_AUTO;
	fixture_iface(s.f, "wan1")->name[0] = 'x';
	s.measured[0].flows = -1;
	s.pins[0] = -1;
	scene_build(&s);
	json_t *root = parse_status(&s, NULL), *gw = json_array_get(json_object_get(root, "gateways"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		cr_expect(json_is_null(json_object_get(gw, keys[i])), "%s", keys[i]);
	json_t *balance = json_array_get(json_object_get(root, "balances"), 0);
	cr_expect(json_is_null(json_object_get(balance, "pins")));
	json_decref(root);
	scene_close(&s);
}

Test(status, json_survives_names_that_are_not_text)
{
	struct scene s;
	scene_open(&s);
	s.f->gateways[0].interface = "wan\xff";
	scene_build(&s);
	json_t *root = parse_status(&s, NULL), *gw = json_array_get(json_object_get(root, "gateways"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(gw, "interface")), "wan?");
	json_decref(root);
	scene_close(&s);
}

Test(status, json_of_one_name_has_only_that)
{
	struct scene s;
	scene_open(&s);
	scene_build(&s);
	json_t *root = parse_status(&s, "g2");
	cr_expect_eq(json_array_size(json_object_get(root, "gateways")), 1);
	cr_expect_eq(json_array_size(json_object_get(root, "balances")), 0);
	cr_expect(status_has(&s.status, "g2") && status_has(&s.status, "default"));
	cr_expect(!status_has(&s.status, "g4"));
	json_decref(root);
	scene_close(&s);
}

// ---- figures ---------------------------------------------------------------------------------

Test(status, figures)
{
	char text[FIGURE_TEXT];
	cr_expect_str_eq(figure_age(-5, text), "0s");
	cr_expect_str_eq(figure_age(59999, text), "59s");
	cr_expect_str_eq(figure_age(60000, text), "1m00s");
	cr_expect_str_eq(figure_age(86399999, text), "23h59m");
	cr_expect_str_eq(figure_age(86400000ll * 12 + 4 * HOUR_MS, text), "12d04h");
	cr_expect_str_eq(figure_duration(500, text), "500ms");
	cr_expect_str_eq(figure_duration(90000, text), "90s");
	cr_expect_str_eq(figure_duration(300000, text), "5m");
	cr_expect_str_eq(figure_amount(0, text), "0");
	cr_expect_str_eq(figure_amount(999, text), "999");
	cr_expect_str_eq(figure_amount(999.7, text), "1.0k");
	cr_expect_str_eq(figure_amount(99949, text), "99.9k");
	cr_expect_str_eq(figure_amount(99951, text), "100k");
	cr_expect_str_eq(figure_amount(999600, text), "1.0M");
	cr_expect_str_eq(figure_amount(-1, text), "-");
	cr_expect_str_eq(figure_latency(0.083, text), "0.08 ms");
	cr_expect_str_eq(figure_latency(0.996, text), "1.0 ms");
	cr_expect_str_eq(figure_latency(9.94, text), "9.9 ms");
	cr_expect_str_eq(figure_latency(9.96, text), "10 ms");
	cr_expect_str_eq(figure_latency(-1, text), "-");
	cr_expect_str_eq(figure_share(0.304, text), "30%");
	cr_expect_str_eq(figure_count(-1, text), "-");
}
