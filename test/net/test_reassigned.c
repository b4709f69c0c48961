// SPDX-License-Identifier: GPL-2.0-or-later
// What a name or a mark stands for changes under traffic: gateways change places or names, a mark gets another
// owner. What flows then goes on, and no packet has the source of the link that it was on before.
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/buf.h"
#include "test/net/net.h"

enum { FLOWS = 12, ROUNDS = 4, WAIT_MS = 5000 };

struct crowd {
	struct lab_stream *stream[FLOWS]; // of each family in turn
	struct lab_transfer *transfer[FLOWS];
};

static void crowd_start(struct crowd *crowd, struct net *net)
{
	for (int i = 0; i < FLOWS; i++) {
		struct lab_flow flow = {.from = lab_host(net->lab, 1),
					.to = i % 2 ? "198.51.100.1" : "2001:db8:aaaa::1"};
		crowd->stream[i] =
			lab_stream_start(net->lab, &(struct lab_stream_spec){.flow = flow, .rate_hz = 200});
		crowd->transfer[i] = lab_transfer_start(
			net->lab,
			&(struct lab_transfer_spec){.flow = flow, .kind = LAB_UPLOAD, .rate_bps = 1000000});
	}
	for (int i = 0; i < FLOWS; i++) {
		cr_assert(lab_stream_wait_answer(crowd->stream[i], net_patience(WAIT_MS)), "no answer");
		cr_assert(lab_transfer_wait_running(crowd->transfer[i], net_patience(WAIT_MS)),
			  "not connected");
	}
}

static void crowd_stop(struct crowd *crowd, struct net *net)
{
	for (int i = 0; i < FLOWS; i++) {
		cr_assert(lab_stream_wait_answer(crowd->stream[i], net_patience(WAIT_MS)),
			  "a stream is stuck");
		lab_stream_stop(crowd->stream[i]);
		lab_transfer_stop(crowd->transfer[i]);
	}
	cr_assert_eq(lab_wrong_sources(net->lab), 0, "%s", lab_wrong_first(net->lab));
}

static void add(struct net *net, struct buf *text, const char *name, int isp)
{
	buf_printf(text,
		   "gateway %s { interface = %s address = %s address6 = %s probes = { quick } slow-start = "
		   "0s }\n",
		   name, lab_wan_name(net->lab, isp), lab_wan_nexthop(net->lab, isp, AF_INET),
		   lab_wan_nexthop(net->lab, isp, AF_INET6));
}

// Two gateways by these names on these links, so many that have no link, and ISP 1 for the control flow.
static void configure(struct net *net, const char *const name[2], const int isp[2], int others)
{
	struct buf text = {0};
	add(net, &text, name[0], isp[0]);
	add(net, &text, name[1], isp[1]);
	add(net, &text, "guard", 1);
	for (int i = 0; i < others; i++)
		buf_printf(&text, "gateway d%d { interface = none%d address = 192.0.2.1 }\n", i, i);
	net_configure(net,
		      "%s rule guard { to = 198.51.100.4 gateway = guard }\n"
		      "balance default { gateways = { %s, %s } persistence = 5m }\n%s",
		      text.text, name[0], name[1], others ? "mark-mask = 0xfc000000\n" : "");
	buf_free(&text);
}

static void restart(struct net *net)
{
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	net_gwd(net);
}

static struct net *start(const struct lab_spec *spec, const char *const name[2], const int isp[2], int others)
{
	struct net *net = net_lab(spec);
	configure(net, name, isp, others);
	net_gwd(net);
	net_wait_state(net, name[0], "up", WAIT_MS);
	net_wait_state(net, name[1], "up", WAIT_MS);
	net_wait_state(net, "guard", "up", WAIT_MS);
	net_guard(net, 1);
	return net;
}

static void change_places(const struct lab_spec *spec, int first, void (*take)(struct net *net))
{
	static const char *const names[2] = {"a", "b"};
	const int isp[2][2] = {{first, first + 1}, {first + 1, first}};
	struct net *net = start(spec, names, isp[0], 0);
	for (int i = 1; i <= ROUNDS; i++) {
		struct crowd crowd;
		crowd_start(&crowd, net);
		configure(net, names, isp[i % 2], 0);
		take(net);
		crowd_stop(&crowd, net);
	}
	net_finish(net);
}

Test(reassigned, gateways_change_links, .timeout = 120)
{
	change_places(&(struct lab_spec){.isps = 3}, 2, net_reload);
}

Test(reassigned, gateways_change_links_by_a_restart, .timeout = 120)
{
	change_places(&(struct lab_spec){.isps = 3}, 2, restart);
}

Test(reassigned, gateways_change_routers_on_one_wire, .timeout = 120)
{
	change_places(&(struct lab_spec){.isps = 1, .shared = LAB_SHARED_TWO_SUBNETS}, 2, net_reload);
}

static void change_globals(const char *const globals[ROUNDS], void (*take)(struct net *net))
{
	static const char *const names[2] = {"a", "b"};
	static const int isp[2] = {2, 3};
	struct net *net = start(&(struct lab_spec){.isps = 3}, names, isp, 0);
	lab_stream_stop(net->guard); // its mark changes, too
	net->guard = NULL;
	for (int i = 0; i < ROUNDS; i++) {
		struct crowd crowd;
		crowd_start(&crowd, net);
		configure(net, names, isp, 0);
		lab_do(lab_router(net->lab), "echo '%s' >>%s", globals[i], net->config);
		take(net);
		crowd_stop(&crowd, net);
	}
	net_finish(net);
}

static const char *const masks[ROUNDS] = {"mark-mask = 0x00ff0000", "mark-mask = 0x01fe0000",
					  "mark-mask = 0xff000000", "mark-mask = 0x7f800000"};

Test(reassigned, marks_have_other_bits, .timeout = 120)
{
	change_globals(masks, net_reload);
}

Test(reassigned, marks_have_other_bits_by_a_restart, .timeout = 120)
{
	change_globals(masks, restart);
}

Test(reassigned, tables_and_rules_have_other_numbers, .timeout = 120)
{
	change_globals((const char *const[ROUNDS]){"table-base = 2000", "rule-priority = 20000",
						   "table-base = 1100", "rule-priority = 10100"},
		       net_reload);
}

// 62 gateways have room. No more names than that have been seen at first, and then marks have to be used again: with
// room left for both the old and the new ones, and without.
static void change_names(int others)
{
	static const int isp[2] = {2, 3};
	char text[2][16] = {"x0", "y0"};
	const char *names[2] = {text[0], text[1]};
	struct net *net = start(&(struct lab_spec){.isps = 3}, names, isp, others);
	for (int i = 1; i <= ROUNDS; i++) {
		struct crowd crowd;
		crowd_start(&crowd, net);
		snprintf(text[i % 2], sizeof(text[0]), "x%d", i);
		snprintf(text[!(i % 2)], sizeof(text[0]), "y%d", i);
		configure(net, names, isp, others);
		net_reload(net);
		crowd_stop(&crowd, net);
	}
	net_finish(net);
}

Test(reassigned, gateways_change_names, .timeout = 120)
{
	change_names(0);
}

Test(reassigned, marks_are_used_again, .timeout = 120)
{
	change_names(57);
}

Test(reassigned, marks_change_owners_at_once, .timeout = 120)
{
	change_names(59);
}
