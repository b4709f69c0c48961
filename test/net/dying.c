// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/dying.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dying_vip(int family, int isp)
{
	static char text[2][LAB_ISPS_MAX + 1][64];
	char *vip = text[family == AF_INET6][isp];
	snprintf(vip, sizeof(text[0][0]), family == AF_INET ? "100.64.%d.17" : "2001:db8:%x:80::17", isp);
	return vip;
}

void dying_vips(struct inbound *in)
{
	struct lab *lab = in->net->lab;
	for (int isp = 1; isp <= lab_isp_count(lab); isp++) {
		char prefix[80];
		snprintf(prefix, sizeof(prefix), "%s/32", dying_vip(AF_INET, isp));
		lab_wan_delegate(lab, isp, prefix);
		lab_do(lab_router(lab), "ip addr add %s dev %s", prefix, lab_wan_name(lab, isp));
		snprintf(prefix, sizeof(prefix), "%s/128", dying_vip(AF_INET6, isp));
		lab_wan_delegate(lab, isp, prefix);
		lab_do(lab_router(lab), "ip addr add %s dev %s nodad", prefix, lab_wan_name(lab, isp));
	}
}

// ---- its death -----------------------------------------------------------------------------------

void dying_kill(struct inbound *in, int real)
{
	lab_nft_load(lab_host(in->net->lab, real), "table inet death {\n"
						   " chain in { type filter hook input priority -300; meta "
						   "l4proto { tcp, udp } th dport < 10000 drop\n }\n"
						   " chain out { type filter hook output priority -300; meta "
						   "l4proto { tcp, udp } th sport < 10000 drop\n }\n"
						   "}");
}

void dying_revive(struct inbound *in, int real)
{
	lab_do(lab_host(in->net->lab, real), "nft delete table inet death");
}

// ---- status --------------------------------------------------------------------------------------

static json_t *dying_named(json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);
		if (!strcmp(json_string_value(json_object_get(entry, "name")), name))
			return entry;
	}
	return NULL;
}

static json_t *dying_status(struct inbound *in)
{
	char *output = NULL;
	json_error_t error;
	int status = net_gwctl(in->net, &output, "-j status");
	json_t *root = status ? NULL : json_loads(output, 0, &error);
	cr_assert_not_null(root, "gwctl -j status: exit %d: %s\n%s", status, output,
			   lab_proc_output(in->net->gwd));
	free(output);
	return root;
}

static json_t *dying_find(json_t *root, const char *service, const char *real)
{
	json_t *entry = dying_named(json_object_get(root, "services"), service);
	return real ? dying_named(json_object_get(entry, "reals"), real) : entry;
}

static const char *dying_text(struct inbound *in, const char *service, const char *real)
{
	static char text[32];
	json_t *root = dying_status(in);
	const char *value = json_string_value(
		json_object_get(dying_find(root, service, real), real ? "state" : "serving"));
	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(root);
	return text;
}

const char *dying_serves(struct inbound *in, const char *service)
{
	return dying_text(in, service, NULL);
}

const char *dying_state(struct inbound *in, const char *service, const char *real)
{
	return dying_text(in, service, real);
}

long dying_flows(struct inbound *in, const char *service, const char *real)
{
	json_t *root = dying_status(in);
	json_t *flows = json_object_get(dying_find(root, service, real), "flows");
	long n = json_is_integer(flows) ? (long)json_integer_value(flows) : -1;
	json_decref(root);
	return n;
}

struct dying_wait {
	struct inbound *in;
	const char *service, *real, *want;
	long flows;
};

static bool dying_is(void *arg)
{
	const struct dying_wait *wait = arg;
	return !strcmp(dying_text(wait->in, wait->service, wait->real), wait->want);
}

static bool dying_has(void *arg)
{
	const struct dying_wait *wait = arg;
	return dying_flows(wait->in, wait->service, wait->real) == wait->flows;
}

void dying_wait_serving(struct inbound *in, const char *service, const char *serving, int timeout_ms)
{
	struct dying_wait wait = {.in = in, .service = service, .want = serving};
	cr_assert(lab_wait_until(dying_is, &wait, net_patience(timeout_ms)),
		  "%s: not %s but %s after %d ms:\n%s", service, serving, dying_serves(in, service),
		  timeout_ms, lab_proc_output(in->net->gwd));
}

void dying_wait_state(struct inbound *in, const char *service, const char *real, const char *state,
		      int timeout_ms)
{
	struct dying_wait wait = {.in = in, .service = service, .real = real, .want = state};
	cr_assert(lab_wait_until(dying_is, &wait, net_patience(timeout_ms)),
		  "%s/%s: not %s but %s after %d ms:\n%s", service, real, state,
		  dying_state(in, service, real), timeout_ms, lab_proc_output(in->net->gwd));
}

void dying_wait_flows(struct inbound *in, const char *service, const char *real, long flows, int timeout_ms)
{
	struct dying_wait wait = {.in = in, .service = service, .real = real, .flows = flows};
	cr_assert(lab_wait_until(dying_has, &wait, net_patience(timeout_ms)),
		  "%s/%s: not %ld but %ld flows after %d ms", service, real, flows,
		  dying_flows(in, service, real), timeout_ms);
}
