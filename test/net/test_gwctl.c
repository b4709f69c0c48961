// SPDX-License-Identifier: GPL-2.0-or-later
// What gwctl tells is what the kernel and the network do.
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

enum { CLIENTS = 60 };

static const int weights[] = {3, 2, 1};

static struct net *start(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { persistence = 5m }", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	return net; // without a control flow: flows are counted here
}

static json_t *ask(struct net *net, const char *arguments)
{
	char *output = NULL;
	json_error_t error;
	cr_assert_eq(net_gwctl(net, &output, "-j %s", arguments), 0, "%s: %s", arguments, output);
	json_t *root = json_loads(output, 0, &error);
	cr_assert(root, "%s: %s", error.text, output);
	free(output);
	return root;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	cr_assert(json_is_integer(value), "\"%s\" is missing or no number", key);
	return json_integer_value(value);
}

static void assert_pins(struct net *net, const struct lab_conn *conns)
{
	json_t *root = ask(net, "pins"), *pins = json_object_get(root, "pins"), *pin;
	size_t i;
	int found = 0;
	json_array_foreach(pins, i, pin)
	{
		const char *client, *gateway;
		cr_assert_eq(json_unpack(pin, "{s:s,s:s}", "client", &client, "gateway", &gateway), 0);
		for (int c = 0; c < CLIENTS; c++)
			if (!strcmp(conns[c].source, client)) {
				cr_expect_eq(gateway[1] - '0', conns[c].isp, "%s is on isp%d, not on %s",
					     client, conns[c].isp, gateway);
				cr_expect_leq(number(pin, "left_ms"), 300000);
				cr_expect_geq(number(pin, "left_ms"), 200000);
				found++;
			}
	}
	cr_expect_eq(found, CLIENTS);
	json_decref(root);
}

Test(gwctl, flows_pins_and_shares_are_those_of_the_network)
{
	struct net *net = start();
	struct lab_burst *held = lab_burst_start(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = CLIENTS,
					 .clients = CLIENTS,
					 .hold = true});
	lab_burst_wait(held);
	struct lab_tally tally = lab_burst_tally(held);
	cr_assert_eq(tally.answered, CLIENTS);
	json_t *root = ask(net, "status"), *gw, *member;
	size_t i;
	json_array_foreach(json_object_get(root, "gateways"), i, gw)
	{
		int isp = (int)i + 1;
		int probes = (int)number(gw, "flows") - tally.isp[isp]; // echoes are flows, one a family
		cr_expect(probes >= 0 && probes <= 2, "g%d: %lld flows, not %d", isp,
			  (long long)number(gw, "flows"), tally.isp[isp]);
		cr_expect_eq(number(gw, "new_flows"), tally.isp[isp]);
		cr_expect_gt(number(gw, "rx_bytes"), 0);
	}
	json_t *balance = json_array_get(json_object_get(root, "balances"), 0);
	cr_expect_eq(number(balance, "pins"), CLIENTS);
	json_array_foreach(json_object_get(balance, "gateways"), i, member)
	{
		double share = json_number_value(json_object_get(member, "share4"));
		cr_expect_float_eq(share, weights[i] / 6.0, 0.02, "%f", share);
	}
	json_decref(root);
	assert_pins(net, lab_burst_conns(held));
	lab_burst_free(held);
	net_finish(net);
}

static void assert_narrow(const char *text)
{
	for (const char *line = text; *line;
	     line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n'))
		cr_expect_leq(strcspn(line, "\n"), 80, "%s", text);
}

Test(gwctl, a_dead_gateway_is_told_with_its_reason)
{
	struct net *net = start();
	char *output = NULL;
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 3000);
	cr_assert_eq(net_gwctl(net, &output, "status"), 0);
	assert_narrow(output);
	cr_expect(strstr(output, "\ng1       down") || strstr(output, "g1       down"), "%s", output);
	cr_expect(strstr(output, "no answer"), "%s", output);
	cr_expect(strstr(output, "  0%  no\n"), "%s", output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "status g1"), 0);
	assert_narrow(output);
	cr_expect(strstr(output, "state      down for "), "%s", output);
	cr_expect(strstr(output, "IPv4       down: no answer"), "%s", output);
	cr_expect(strstr(output, "balance    default: tier 1, weight 3, share 0%, in use: no"), "%s", output);
	free(output);
	net_finish(net);
}

Test(gwctl, what_can_not_be_done_is_refused_in_a_sentence)
{
	static const struct {
		const char *arguments, *text;
		int status;
	} cases[] = {
		{"status nobody", "no gateway, balance, service or real is named \"nobody\"", 1},
		{"pins nobody", "no gateway, balance, service or real is named \"nobody\"", 1},
		{"dance", "gwd has no command \"dance\"", 2},
		{"status a b", "usage: gwctl status [NAME]", 2},
		{"-j rules", "no JSON form", 2},
		{"check", "usage: gwctl check FILE", 2},
		{"check /nonexistent", "No such file", 1},
		{"", "COMMAND", 2},
		{"-x", "usage: gwctl", 2},
	};
	struct net *net = start();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *output = NULL;
		int status = net_gwctl(net, &output, "%s", cases[i].arguments);
		cr_expect_eq(status, cases[i].status, "gwctl %s: %d", cases[i].arguments, status);
		cr_expect(strstr(output, cases[i].text), "gwctl %s: %s", cases[i].arguments, output);
		free(output);
	}
	cr_expect_eq(net_gwctl(net, NULL, "check %s", net->config), 0);
	net_finish(net);
}

// All that gwd made, but handles, counts, pins, and who owns the table.
static const char *kernel_state(struct net *net, const char *name)
{
	const char *path = lab_path(net->lab, name);
	lab_do(lab_router(net->lab),
	       "(nft -s list table inet gwd | sed 's/ # progname gwd//; /flags owner/d; /^$/d'; ip rule; ip "
	       "-6 rule;"
	       "ip route show table all proto 200; ip -6 route show table all proto 200) > %s",
	       path);
	return path;
}

Test(gwctl, rules_is_a_script_that_makes_the_same_kernel)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3, .shared = LAB_SHARED_TWO_SUBNETS});
	char *gateways = net_gateways(net->lab, 3, weights, false), *output = NULL;
	net_configure(net,
		      "%s balance default { persistence = 5m } balance quick { scheduler = sh }"
		      "rule voip { protocol = udp ports = { 5060, \"10000-20000\" } balance = quick }"
		      "rule bank { to = 192.0.2.0/24 gateway = g1 strict = yes }"
		      "rule vpn { to = { 198.51.100.7, 2001:db8:aaaa::7 } bypass = yes }",
		      gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	const char *before = kernel_state(net, "before");
	const char *script = lab_path(net->lab, "script");
	cr_assert_eq(net_gwctl(net, NULL, "rules > %s", script), 0);
	cr_assert_eq(net_gwctl(net, NULL, "flush"), 0);
	cr_expect_neq(lab_run(lab_router(net->lab), NULL, "nft list table inet gwd"), 0);
	lab_proc_signal(net->gwd, SIGSTOP); // it would take out what is not its own doing
	cr_assert_eq(lab_run(lab_router(net->lab), &output, "sh -e %s", script), 0, "%s", output);
	free(output);
	int differ = lab_run(lab_router(net->lab), &output, "diff %s %s", before, kernel_state(net, "after"));
	cr_assert_eq(differ, 0, "%s", output);
	free(output);
	lab_proc_signal(net->gwd, SIGCONT);
	net_finish(net);
}

// In a terminal of its own; the key is there before it looks.
Test(gwctl, top_shows_the_gateways_until_q)
{
	struct net *net = net_even(3, "");
	char *output = NULL;
	net_gwd(net);
	net_wait_up(net);
	int status = lab_run(lab_router(net->lab), &output,
			     "printf q | script -qec '%s/gwctl -s %s top' /dev/null", net_build(),
			     lab_path(net->lab, "gwd.sock"));
	cr_assert_eq(status, 0, "%s", output);
	cr_assert(strstr(output, "\033[?1049h") && strstr(output, "\033[?1049l"), "%s", output);
	cr_assert(strstr(output, "g3       up"), "%s", output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "top"), 0);
	cr_assert(strstr(output, "g3       up") && !strstr(output, "\033"), "%s", output);
	free(output);
	net_finish(net);
}

Test(gwctl, counters_count_and_begin_anew)
{
	struct net *net = net_even(2, "balance default { gateways = g1 }");
	char *output = NULL;
	net_gwd(net);
	net_wait_up(net);
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"};
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 7; i++)
			cr_assert_eq(lab_connect(net->lab, &flow).isp, 1);
		cr_assert_eq(net_gwctl(net, &output, "-j counters"), 0);
		cr_assert(strstr(output, "{\"name\":\"new.g1\",\"packets\":7,"), "%s", output);
		cr_assert(strstr(output, "{\"name\":\"new.g2\",\"packets\":0,"), "%s", output);
		free(output);
		cr_assert_eq(net_gwctl(net, &output, "counters"), 0);
		cr_assert(strstr(output, "new flows that it was given"), "%s", output);
		free(output);
		cr_assert_eq(net_gwctl(net, NULL, "counters zero"), 0);
	}
	cr_assert_eq(net_gwctl(net, NULL, "counters one"), 2);
	net_finish(net);
}
