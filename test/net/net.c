// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/net.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "test/net/held.h"

// ASan and UBSan of a gwd that is being tested write here; whatever appears fails the test.
static const char *net_sanitizer_log(struct net *net)
{
	return lab_path(net->lab, "sanitizer");
}

// What gwd and the sanitizers said, for a test that fails.
static const char *net_explain(struct net *net)
{
	static char text[16384];
	char *found = NULL;
	lab_run(lab_router(net->lab), &found, "cat %s.* 2>/dev/null", net_sanitizer_log(net));
	const char *log = lab_proc_output(net->gwd);
	size_t n = strlen(log);
	snprintf(text, sizeof(text), "%s\n%s", found, n > 8000 ? log + n - 8000 : log);
	free(found);
	return text;
}

const char *net_build(void)
{
	const char *build = getenv("GWD_BUILD");
	return build ? build : "build";
}

static const char *net_program(const char *name)
{
	static char path[2][512];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", net_build(), name);
	return path[turn];
}

struct net *net_lab(const struct lab_spec *spec)
{
	struct net *net = xcalloc(1, sizeof(*net));
	if (lab_missing())
		cr_skip("no lab can be built here: %s", lab_missing());
	net->lab = lab_create(spec);
	return net;
}

const char *net_probe_times(void)
{
	return getenv("IN_STOCKVM") ? "interval = 1s fast = 300ms timeout = 1s"
				    : "interval = 200ms fast = 50ms timeout = 150ms";
}

int net_patience(int timeout_ms)
{
	return getenv("IN_STOCKVM") ? 6 * timeout_ms : timeout_ms;
}

static void net_write_config(struct net *net, const char *text)
{
	net->config = lab_file(net->lab, "gwd.conf",
			       "control-group = \"\"\n"
			       "lan { interfaces = { lan0 } }\n"
			       "probe quick { type = icmp %s hold = 0s }\n"
			       "%s\n",
			       net_probe_times(), text);
}

void net_configure(struct net *net, const char *format, ...)
{
	va_list ap;
	char *text = NULL;
	va_start(ap, format);
	cr_assert_geq(vasprintf(&text, format, ap), 0);
	va_end(ap);
	net_write_config(net, text);
	free(text);
}

static void net_run(struct net *net, const char *option, const char *value)
{
	char options[600];
	snprintf(options, sizeof(options), "log_path=%s:exitcode=99", net_sanitizer_log(net));
	setenv("ASAN_OPTIONS", options, 1);
	setenv("UBSAN_OPTIONS", options, 1);
	setenv("LSAN_OPTIONS", "exitcode=99", 1);
	net->gwd = lab_proc_start(
		net->lab, lab_router(net->lab),
		(const char *const[]){net_program("gwd"), "-v", "-c", net->config, option, value, NULL});
	cr_assert(lab_proc_wait_output(net->gwd, "is ready", net_patience(10000)),
		  "gwd did not get ready:\n%s", lab_proc_output(net->gwd));
}

void net_gwd(struct net *net)
{
	net_run(net, "-s", lab_path(net->lab, "gwd.sock"));
}

void net_gwd_by_file(struct net *net)
{
	net_run(net, NULL, NULL);
}

struct net *net_even(int isps, const char *more)
{
	int ones[LAB_ISPS_MAX];
	struct net *net = net_lab(&(struct lab_spec){.isps = isps});
	for (int i = 0; i < isps; i++)
		ones[i] = 1;
	char *gateways = net_gateways(net->lab, isps, ones, false);
	net_configure(net, "%s %s", gateways, more);
	free(gateways);
	return net;
}

void net_guard(struct net *net, int isp)
{
	net->guard_isp = isp;
	net->guard = lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.4"},
					  .rate_hz = 200,
					  .limit_s = LAB_STREAM_LIMIT_S},
		isp);
}

struct net *net_start(const struct lab_spec *spec, int guard_isp, const char *format, ...)
{
	struct net *net = net_lab(spec);
	va_list ap;
	char *text = NULL;
	va_start(ap, format);
	cr_assert_geq(vasprintf(&text, format, ap), 0);
	va_end(ap);
	net_write_config(net, text);
	free(text);
	net_gwd(net);
	net_wait_up(net);
	if (guard_isp)
		net_guard(net, guard_isp);
	return net;
}

char *net_gateways(struct lab *lab, int n, const int *weights, bool auto_address)
{
	struct buf text = {0};
	for (int isp = 1; isp <= n; isp++) {
		buf_printf(&text,
			   "gateway g%d { interface = %s weight = %d probes = { quick } slow-start = 0s", isp,
			   lab_wan_name(lab, isp), weights[isp - 1]);
		if (!auto_address)
			buf_printf(&text, " address = %s address6 = %s", lab_wan_nexthop(lab, isp, AF_INET),
				   lab_wan_nexthop(lab, isp, AF_INET6));
		buf_puts(&text, " }\n");
	}
	return text.text;
}

// ---- gwctl ---------------------------------------------------------------------------------

int net_gwctl(struct net *net, char **output, const char *format, ...)
{
	va_list ap;
	char *arguments = NULL;
	va_start(ap, format);
	cr_assert_geq(vasprintf(&arguments, format, ap), 0);
	va_end(ap);
	int status = lab_run(lab_router(net->lab), output, "%s -s %s %s", net_program("gwctl"),
			     lab_path(net->lab, "gwd.sock"), arguments);
	free(arguments);
	return status;
}

void net_reload(struct net *net)
{
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "reload"), 0, "%s", output);
	free(output);
}

bool net_doctor_says(struct net *net, const char *text)
{
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "-j doctor"), 0, "%s", output);
	bool says = strstr(output, text) != NULL;
	free(output);
	return says;
}

static json_t *net_status(struct net *net)
{
	char *output = NULL;
	json_error_t error;
	int status = net_gwctl(net, &output, "-j status");
	json_t *root = status ? NULL : json_loads(output, 0, &error);
	cr_assert_not_null(root, "gwctl -j status: exit %d: %s\n%s", status, output, net_explain(net));
	free(output);
	return root;
}

const char *net_state(struct net *net, const char *gateway)
{
	static char state[32];
	json_t *root = net_status(net), *entry;
	size_t i;
	state[0] = 0;
	json_array_foreach(json_object_get(root, "gateways"), i,
			   entry) if (!strcmp(json_string_value(json_object_get(entry, "name")), gateway))
		snprintf(state, sizeof(state), "%s", json_string_value(json_object_get(entry, "state")));
	json_decref(root);
	return state;
}

struct net_wait {
	struct net *net;
	const char *gateway, *state; // gateway NULL: every one
};

// Both families too: a gateway is up as soon as one of them is.
static bool net_entry_is(json_t *entry, const char *state)
{
	static const char *const families[] = {"ipv4", "ipv6"};
	bool whole = !strcmp(state, "up") || !strcmp(state, "down");
	bool is = !strcmp(json_string_value(json_object_get(entry, "state")), state);
	for (int i = 0; i < 2; i++) {
		const char *own =
			json_string_value(json_object_get(json_object_get(entry, families[i]), "state"));
		is &= !whole || !own || !strcmp(own, state);
	}
	return is;
}

static bool net_has_state(void *arg)
{
	struct net_wait *wait = arg;
	bool all = true, found = false;
	size_t i;
	json_t *root = net_status(wait->net), *entry;
	json_array_foreach(json_object_get(root, "gateways"), i, entry)
	{
		if (wait->gateway &&
		    strcmp(json_string_value(json_object_get(entry, "name")), wait->gateway) != 0)
			continue;
		found = true;
		all &= net_entry_is(entry, wait->state);
	}
	json_decref(root);
	return found && all;
}

void net_wait_state(struct net *net, const char *gateway, const char *state, int timeout_ms)
{
	struct net_wait wait = {net, gateway, state};
	cr_assert(lab_wait_until(net_has_state, &wait, net_patience(timeout_ms)),
		  "%s is not %s after %d ms:\n%s", gateway, state, timeout_ms, lab_proc_output(net->gwd));
}

void net_wait_up(struct net *net)
{
	struct net_wait wait = {net, NULL, "up"};
	if (lab_wait_until(net_has_state, &wait, net_patience(10000)))
		return;
	char *output = NULL;
	net_gwctl(net, &output, "status");
	cr_assert(false, "not every gateway is up:\n%s\n%s", output, net_explain(net));
}

size_t net_transitions(struct net *net)
{
	char *output = NULL;
	size_t n = 0;
	cr_assert_eq(net_gwctl(net, &output, "-j events"), 0, "%s", output);
	for (const char *at = output; (at = strstr(at, "\"new\":")); at++)
		n++;
	free(output);
	return n;
}

// ---- flows that stay ----------------------------------------------------------------------

struct lab_burst *net_hold(struct net *net, int count)
{
	return held_all(net->lab, &(struct lab_burst_spec){
					  .flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					  .count = count,
					  .clients = count});
}

void net_assert_alive(struct lab_burst *held, int count)
{
	lab_burst_poke(held);
	lab_burst_wait(held);
	cr_assert_eq(lab_burst_tally(held).answered, count, "%d flows died", lab_burst_tally(held).failed);
}

// ---- looking -------------------------------------------------------------------------------

void net_assert_spread(const struct lab_tally *tally, const int *weights, int n, int slack)
{
	int sum = 0;
	cr_assert_eq(tally->failed, 0, "%d flows failed", tally->failed);
	for (int i = 0; i < n; i++)
		sum += weights[i];
	for (int i = 0; i < n; i++) {
		int want = tally->answered * weights[i] / sum;
		cr_assert(abs(tally->isp[i + 1] - want) <= slack,
			  "isp%d has %d of %d flows, should be %d +- %d", i + 1, tally->isp[i + 1],
			  tally->answered, want, slack);
	}
}

bool net_router_shows(struct net *net, const char *command, const char *text)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "%s", command);
	bool shows = strstr(output, text) != NULL;
	free(output);
	return shows;
}

// ---- the end -------------------------------------------------------------------------------

static void net_check_guard(struct net *net)
{
	char text[256];
	struct lab_stream_report report = lab_stream_stop(net->guard);
	lab_stream_text(&report, text);
	int may_lose = getenv("IN_STOCKVM") ? report.sent / 100 : 0; // it drops packets of its own
	cr_assert(report.answered > 0 && report.lost <= may_lose, "the control flow on isp%d: %s",
		  net->guard_isp, text);
	cr_assert(report.parts == 1 && report.isp == net->guard_isp, "the control flow moved: %s", text);
}

int64_t net_guard_on(struct net *net, int isp)
{
	if (net->guard)
		net_check_guard(net);
	net_guard(net, isp);
	return lab_now_ms();
}

void net_finish(struct net *net)
{
	char *found = NULL;
	if (net->gwd && getenv("GWD_LOG"))
		fprintf(stderr, "%s", lab_proc_output(net->gwd));
	if (net->guard)
		net_check_guard(net);
	cr_assert(lab_wrong_sources(net->lab) == 0, "wrong source: %s", lab_wrong_first(net->lab));
	if (net->gwd) {
		char *log = xstrdup(lab_proc_output(net->gwd));
		int status = lab_proc_stop(net->gwd);
		lab_run(lab_router(net->lab), &found, "cat %s.* 2>/dev/null", net_sanitizer_log(net));
		cr_assert_eq(status, 0, "gwd ended with status %d:\n%s%s", status, found, log);
		free(log);
		free(found);
	}
	lab_run(lab_router(net->lab), &found, "cat %s.* 2>/dev/null", net_sanitizer_log(net));
	cr_assert_str_empty(found, "a sanitizer has something to say:\n%s", found);
	free(found);
	lab_destroy(net->lab);
	free(net);
}
