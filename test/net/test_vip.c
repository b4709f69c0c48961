// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of services that gwd itself puts on an interface: told to the neighbours, put back when somebody
// takes them away, found again after a restart, and gone with the configuration.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

#define VIP4 "100.64.1.77"
#define VIP6 "2001:db8:1::77"

static const char with[] =
	"service web { listen = { \"" VIP4 ":80\", \"[" VIP6 "]:80\" } vip-interface = wan1 %s\n"
	"real r1 { address = 10.0.0.11 } real r2 { address = fd00:10::11 } }";

static bool is_there(void *arg)
{
	struct net *net = arg;
	return net_router_shows(net, "ip addr show dev wan1", VIP4 "/32") &&
	       net_router_shows(net, "ip addr show dev wan1", VIP6 "/128");
}

static bool is_gone(void *arg)
{
	struct net *net = arg;
	return !net_router_shows(net, "ip addr show dev wan1", VIP4) &&
	       !net_router_shows(net, "ip addr show dev wan1", VIP6);
}

static struct inbound *start_lab(void)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 1);
	lab_wan_owns(in->net->lab, 1, VIP4 "/32");
	lab_wan_owns(in->net->lab, 1, VIP6 "/128");
	return in;
}

static struct inbound *start(void)
{
	struct inbound *in = start_lab();
	inbound_gwd(in, with, "");
	cr_assert(lab_wait_until(is_there, in->net, 5000), "no address");
	net_guard(in->net, 2);
	return in;
}

Test(vip, serves_is_put_back_and_goes_with_the_configuration)
{
	struct inbound *in = start();
	inbound_ask(in, VIP4, 80, 4);
	inbound_ask(in, VIP6, 80, 4);
	lab_do(lab_router(in->net->lab),
	       "ip addr del " VIP4 "/32 dev wan1; ip addr del " VIP6 "/128 dev wan1");
	cr_assert(lab_wait_until(is_there, in->net, 5000), "not put back");
	inbound_ask(in, VIP4, 80, 4);
	inbound_ask(in, VIP6, 80, 4);
	inbound_reload(in, "%s", "");
	cr_assert(lab_wait_until(is_gone, in->net, 5000), "still there");
	inbound_finish(in);
}

Test(vip, a_restart_finds_its_own)
{
	struct inbound *in = start();
	lab_proc_signal(in->net->gwd, SIGKILL);
	lab_proc_stop(in->net->gwd);
	cr_assert(is_there(in->net), "the address went with the process");
	net_gwd(in->net);
	inbound_ask(in, VIP4, 80, 4);
	cr_assert(is_there(in->net));
	inbound_reload(in, "%s", "");
	cr_assert(lab_wait_until(is_gone, in->net, 5000), "still there");
	inbound_finish(in);
}

// One that stood there before is not ours: it is neither doubled nor taken away.
Test(vip, the_operators_own_address_is_left_alone)
{
	struct inbound *in = start_lab();
	lab_do(lab_router(in->net->lab),
	       "ip addr add " VIP4 "/24 dev wan1; ip addr add " VIP6 "/64 dev wan1 nodad");
	inbound_gwd(in, with, "");
	net_guard(in->net, 2);
	inbound_ask(in, VIP4, 80, 4);
	cr_assert(!net_router_shows(in->net, "ip addr show dev wan1", VIP4 "/32"));
	inbound_reload(in, "%s", "");
	cr_assert(net_router_shows(in->net, "ip addr show dev wan1", VIP4 "/24"));
	cr_assert(net_router_shows(in->net, "ip addr show dev wan1", VIP6 "/64"));
	inbound_finish(in);
}

// Whoever had the address before is forgotten by the neighbours at once.
struct neighbour {
	struct net *net;
	const char *vip, *family;
};

static bool is_learnt(void *arg)
{
	struct neighbour *neighbour = arg;
	char *output = NULL;
	lab_run(lab_isp(neighbour->net->lab, 1), &output, "ip %s neigh show %s", neighbour->family,
		neighbour->vip);
	bool learnt = strstr(output, "lladdr") && !strstr(output, "02:00:00:00:00:99");
	free(output);
	return learnt;
}

Test(vip, the_neighbours_are_told)
{
	struct inbound *in = start_lab();
	struct neighbour four = {in->net, VIP4, "-4"}, six = {in->net, VIP6, "-6"};
	for (int i = 0; i < 2; i++)
		lab_do(lab_isp(in->net->lab, 1),
		       "ip neigh replace %s lladdr 02:00:00:00:00:99 nud stale dev "
		       "$(ip -o route get %s | sed 's/.* dev \\([^ ]*\\).*/\\1/')",
		       i ? VIP6 : VIP4, i ? VIP6 : VIP4);
	cr_assert(!is_learnt(&four) && !is_learnt(&six));
	inbound_gwd(in, with, "");
	net_guard(in->net, 2);
	cr_assert(lab_wait_until(is_learnt, &four, 5000), "no gratuitous ARP");
	cr_assert(lab_wait_until(is_learnt, &six, 5000), "no unsolicited neighbour advertisement");
	inbound_finish(in);
}
