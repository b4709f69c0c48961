// SPDX-License-Identifier: GPL-2.0-or-later
// A network inside is gone while its connections go on: what was on its way there must not leave by a WAN
// instead, where it would have somebody else's source address.
#include <stdlib.h>

#include "test/net/inbound.h"

static const int weights[] = {1, 1};

struct sending {
	struct lab_stream *stream;
	int more_than;
};

static bool has_sent(void *arg)
{
	const struct sending *sending = arg;
	return lab_stream_peek(sending->stream).sent > sending->more_than;
}

// So many packets more are sent into the void.
static void wait_sent(struct lab_stream *stream, int n)
{
	struct sending sending = {stream, lab_stream_peek(stream).sent + n};
	cr_assert(lab_wait_until(has_sent, &sending, 20000));
}

static struct lab_stream *stream(struct net *net, struct lab_ns *from, const char *to, uint16_t port)
{
	struct lab_stream *it = lab_stream_start(
		net->lab, &(struct lab_stream_spec){.flow = {.from = from, .to = to, .port = port},
						    .rate_hz = 100,
						    .limit_s = LAB_STREAM_LIMIT_S});
	cr_assert(lab_stream_wait_answer(it, 10000), "no answer from %s", to);
	return it;
}

static void assert_none_leaks(struct net *net, const char *when)
{
	cr_assert_eq(lab_wrong_sources(net->lab), 0, "%s: %s", when, lab_wrong_first(net->lab));
}

static struct lab_stream *service_stream(struct inbound *in, int family)
{
	struct net *net = in->net;
	return stream(net, lab_internet(net->lab), lab_wan_address(net->lab, 1, family), 7000);
}

// Clients of a service go on asking, a server on the internet goes on sending.
static void the_lan_is_down(struct inbound *in)
{
	struct net *net = in->net;
	struct lab_transfer_spec spec = {
		.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.1", .port = 9000},
		.kind = LAB_DOWNLOAD,
		.rate_bps = 2000000};
	struct lab_transfer *download = lab_transfer_start(net->lab, &spec);
	struct lab_stream *ask4 = service_stream(in, AF_INET), *ask6 = service_stream(in, AF_INET6);
	cr_assert(lab_transfer_wait_running(download, 10000));
	lab_do(lab_router(net->lab), "ip link set lan0 down");
	wait_sent(ask4, 100);
	wait_sent(ask6, 100);
	assert_none_leaks(net, "lan0 is down");
	lab_do(lab_router(net->lab), "ip link set lan0 up");
	lab_do(lab_router(net->lab), "ip -6 addr replace fd00:10::1/64 dev lan0 nodad");
	cr_expect(lab_stream_wait_answer(ask4, 20000), "it did not go on");
	cr_expect(lab_stream_wait_answer(ask6, 20000), "it did not go on");
	lab_stream_stop(ask4);
	lab_stream_stop(ask6);
	lab_transfer_stop(download);
}

Test(inside_gone, a_lan_that_is_down)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in,
		    "service s { listen = { \"%s:7000\", \"[%s]:7000\" } protocol = udp"
		    " real a { address = 10.0.0.11 } real b { address = fd00:10::11 } }",
		    lab_wan_address(lab, 1, AF_INET), lab_wan_address(lab, 1, AF_INET6));
	the_lan_is_down(in);
	inbound_finish(in);
}

static struct net *with_another_lan(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, weights, false);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	return net;
}

// From one LAN to the other, no gateway has a part in it.
Test(inside_gone, another_lan_that_is_down)
{
	struct net *net = with_another_lan();
	static const char *const to[] = {"10.200.0.2", "10.201.0.1", "fd00:10:200::2", "fd00:10:201::1"};
	struct lab_stream *running[4];
	for (size_t i = 0; i < 4; i++)
		running[i] = stream(net, lab_host(net->lab, 1), to[i], 9000);
	lab_do(lab_router(net->lab), "ip link set lan1 down");
	for (size_t i = 0; i < 4; i++)
		wait_sent(running[i], 50);
	assert_none_leaks(net, "lan1 is down");
	lab_do(lab_router(net->lab), "ip link del lan1");
	for (size_t i = 0; i < 4; i++)
		wait_sent(running[i], 50);
	for (size_t i = 0; i < 4; i++)
		lab_stream_stop(running[i]);
	net_finish(net);
}

static bool is_taken_away(void *arg)
{
	return !net_router_shows(arg, "ip route", "10.201.0.0/24") &&
	       !net_router_shows(arg, "ip -6 route", "fd00:10:201::/");
}

// While its interface is up: then it is no longer inside, and what begins now goes out.
Test(inside_gone, a_route_that_is_taken_away)
{
	struct net *net = with_another_lan();
	static const char *const to[] = {"10.201.0.1", "fd00:10:201::1"};
	static const char *const route[] = {"ip route del 10.201.0.0/24 via 10.200.0.2",
					    "ip -6 route del fd00:10:201::/64 via fd00:10:200::2"};
	struct lab_stream *running[2];
	for (size_t i = 0; i < 2; i++)
		running[i] = stream(net, lab_host(net->lab, 1), to[i], 9000);
	for (size_t i = 0; i < 2; i++)
		lab_do(lab_router(net->lab), "%s", route[i]);
	for (size_t i = 0; i < 2; i++)
		wait_sent(running[i], 30);
	cr_assert(lab_wait_until(is_taken_away, net, 10000), "the guard stays");
	for (size_t i = 0; i < 2; i++)
		wait_sent(running[i], 30);
	for (size_t i = 0; i < 2; i++)
		lab_stream_stop(running[i]);
	net_finish(net);
}
