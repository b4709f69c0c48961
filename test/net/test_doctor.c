// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl doctor on hosts with something wrong: it finds that, and what it says helps.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static struct net *start(void)
{
	struct net *net = net_even(2, "fastpath = off balance default { gateways = g1 }");
	net_gwd(net);
	net_wait_up(net);
	return net;
}

struct wait {
	struct net *net;
	const char *what;
};

static bool found(void *arg)
{
	const struct wait *wait = arg;
	return net_doctor_says(wait->net, wait->what);
}

static bool connects(struct net *net)
{
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"};
	return lab_connect(net->lab, &flow).outcome == LAB_ANSWERED;
}

Test(doctor, a_chain_that_drops_what_is_forwarded)
{
	struct net *net = start();
	static const char what[] = "chain f of table inet fw drops";
	cr_expect(!net_doctor_says(net, what));
	lab_nft_load(lab_router(net->lab), "table inet fw { chain f { type filter hook forward priority 0; "
					   "policy drop; }\n}");
	cr_expect(!connects(net));
	cr_expect(net_doctor_says(net, what));
	lab_do(lab_router(net->lab), "nft insert rule inet fw f iifname lan0 accept; "
				     "nft insert rule inet fw f ct state established,related accept");
	cr_expect(connects(net));
	net_finish(net);
}

Test(doctor, a_chain_that_translates_first)
{
	struct net *net = start();
	static const char what[] = "chain post of table ip other may translate sources before gwd does";
	lab_nft_load(lab_router(net->lab),
		     "table ip other { chain post { type nat hook postrouting priority 50; "
		     "oifname \"tun0\" masquerade\n}\n}");
	cr_expect(net_doctor_says(net, what));
	lab_do(lab_router(net->lab), "nft flush chain ip other post");
	cr_expect(!net_doctor_says(net, what));
	net_finish(net);
}

Test(doctor, a_setting_that_somebody_has_changed)
{
	struct net *net = start();
	static const char what[] = "net/ipv4/conf/all/src_valid_mark is 0, and must be 1";
	cr_expect(!net_doctor_says(net, what));
	lab_ns_sysctl(lab_router(net->lab), "ipv4/conf/all/src_valid_mark", "0");
	cr_expect(net_doctor_says(net, what));
	net_finish(net);
}

Test(doctor, a_default_route_by_an_interface_that_is_no_gateway)
{
	struct net *net = start();
	static const char what[] = "main's default route of IPv4 goes by lan1, which is no gateway";
	cr_expect(connects(net));
	cr_expect(!net_doctor_says(net, what));
	lab_do(lab_router(net->lab), "ip route add default via 10.200.0.2 dev lan1 metric 5");
	struct wait wait = {net, what};
	cr_expect(lab_wait_until(found, &wait, 2000));
	lab_do(lab_router(net->lab), "ip route del default via 10.200.0.2 dev lan1 metric 5");
	net_finish(net);
}
