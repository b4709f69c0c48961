// SPDX-License-Identifier: GPL-2.0-or-later
// Every change of state is told: to gwctl events, to who follows it, and to the notify hook.
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {1, 1};

static struct net *start(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, weights, false);
	const char *hook = lab_file(net->lab, "hook", "#!/bin/sh\necho \"$1 $2 $3 $4\" >>%s\n",
				    lab_path(net->lab, "told"));
	lab_do(lab_router(net->lab), "chmod +x %s", hook);
	net_configure(net, "notify = \"%s\"\n%s", hook, gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	return net;
}

static void die_and_live(struct net *net)
{
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 3000);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 5000);
}

static json_t *last_event(const char *text)
{
	const char *line = text, *next;
	while ((next = strchr(line, '\n')) && next[1])
		line = next + 1;
	json_t *root = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	cr_assert(root, "%s", text);
	return root;
}

Test(events, are_kept_with_reason_and_figures)
{
	struct net *net = start();
	char *output = NULL;
	die_and_live(net);
	cr_assert_eq(net_gwctl(net, &output, "events"), 0);
	cr_expect(strstr(output, "gateway g1: up -> down: IPv4: no answer"), "%s", output);
	cr_expect(strstr(output, "gateway g1: down -> up: "), "%s", output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "-j events"), 0);
	json_t *event = last_event(output);
	cr_expect_str_eq(json_string_value(json_object_get(event, "name")), "g1");
	cr_expect_str_eq(json_string_value(json_object_get(event, "old")), "down");
	cr_expect_str_eq(json_string_value(json_object_get(event, "new")), "up");
	cr_expect(json_is_number(json_object_get(event, "latency_ms")), "%s", output);
	json_decref(event);
	free(output);
	net_finish(net);
}

Test(events, can_be_followed)
{
	struct net *net = start();
	const char *build = getenv("GWD_BUILD");
	char gwctl[512];
	snprintf(gwctl, sizeof(gwctl), "%s/gwctl", build ? build : "build");
	struct lab_proc *tail =
		lab_proc_start(net->lab, lab_router(net->lab),
			       (const char *const[]){gwctl, "-s", lab_path(net->lab, "gwd.sock"), "-j",
						     "events", "-f", NULL});
	cr_assert(lab_proc_wait_output(tail, "\"new\":\"up\"", 3000), "%s", lab_proc_output(tail));
	cr_expect(!strstr(lab_proc_output(tail), "\"new\":\"down\""));
	lab_fault_blackhole(net->lab, 1);
	cr_expect(lab_proc_wait_output(tail, "\"old\":\"up\",\"new\":\"down\"", 3000), "%s",
		  lab_proc_output(tail));
	net_gwctl(net, NULL, "disable g2");
	cr_expect(lab_proc_wait_output(tail, "\"new\":\"disabled\"", 1000), "%s", lab_proc_output(tail));
	lab_proc_stop(tail);
	cr_expect_eq(net_gwctl(net, NULL, "status"), 0);
	net_finish(net);
}

struct telling {
	struct net *net;
	const char *line;
};

static bool told(void *arg)
{
	const struct telling *telling = arg;
	char command[600];
	snprintf(command, sizeof(command), "cat %s", lab_path(telling->net->lab, "told"));
	return net_router_shows(telling->net, command, telling->line);
}

static void expect_told(struct net *net, const char *line)
{
	struct telling telling = {net, line};
	cr_assert(lab_wait_until(told, &telling, 5000), "the hook did not hear of: %s", line);
}

// What changes back within a second is not told at all; so each change waits for its call.
Test(events, the_hook_is_told)
{
	struct net *net = start();
	expect_told(net, "gateway g1 unknown up");
	expect_told(net, "gateway g2 unknown up");
	lab_fault_blackhole(net->lab, 1);
	expect_told(net, "gateway g1 up down");
	lab_fault_repair(net->lab, 1);
	expect_told(net, "gateway g1 down up");
	net_finish(net);
}

// It is a new one, not one that has become unknown.
Test(events, a_gateway_that_is_removed_and_comes_back_is_new)
{
	struct net *net = start();
	char *output = NULL;
	char *all = NULL;
	lab_run(lab_router(net->lab), &all, "cat %s", net->config);
	expect_told(net, "gateway g1 unknown up");
	lab_do(lab_router(net->lab), "sed -i '/^gateway g1 /d' %s", net->config);
	net_reload(net);
	lab_file(net->lab, "gwd.conf", "%s", all);
	net_reload(net);
	net_wait_up(net);
	cr_assert_eq(net_gwctl(net, &output, "events"), 0, "%s", output);
	cr_expect(!strstr(output, "up -> unknown"), "%s", output);
	free(output);
	free(all);
	net_finish(net);
}
