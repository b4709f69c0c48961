// SPDX-License-Identifier: GPL-2.0-or-later
// netmon on a real kernel: the facts follow whatever `ip` does to the router, at once, and nothing else wakes it.
#include <criterion/criterion.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/err.h"
#include "gwd/base/mono.h"
#include "gwd/core/diff.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"
#include "gwd/netmon.h"
#include "gwd/routes.h"
#include "test/lab/lab.h"

struct watch {
	struct lab *lab;
	int before; // namespace
	struct event_base *base;
	struct event *tick;
	struct netmon *netmon;
	unsigned seen, calls;
};

static void watch_changed(void *arg, unsigned what)
{
	struct watch *watch = arg;
	watch->seen |= what;
	watch->calls++;
}

static void watch_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

// Lets the loop run until the condition holds.
#define watch_until(watch, timeout_ms, condition) \
	do { \
		int64_t until_ = mono_now_ms() + (timeout_ms); \
		while (!(condition) && mono_now_ms() < until_) \
			event_base_loop((watch)->base, EVLOOP_ONCE); \
		cr_assert(condition); \
	} while (0)

// Lets it run for a while in which nothing should be heard but `seen`.
static void watch_hears_only(struct watch *watch, unsigned seen, int ms)
{
	int64_t until = mono_now_ms() + ms;
	while (mono_now_ms() < until)
		event_base_loop(watch->base, EVLOOP_ONCE);
	cr_expect_eq(watch->seen, seen, "heard %#x, not %#x", watch->seen, seen);
	watch->seen = watch->calls = 0;
}

static void watch_open(struct watch *watch)
{
	static const struct timeval ms = {.tv_usec = 1000};
	struct err err;
	memset(watch, 0, sizeof(*watch));
	if (lab_missing())
		cr_skip("no lab can be built here: %s", lab_missing());
	watch->lab = lab_create(&(struct lab_spec){.isps = 1});
	watch->before = lab_ns_enter(lab_router(watch->lab));
	watch->base = event_base_new();
	watch->tick = event_new(watch->base, -1, EV_PERSIST, watch_tick, NULL);
	event_add(watch->tick, &ms);
	watch->netmon = netmon_open(watch->base, watch_changed, watch, &err);
	cr_assert_not_null(watch->netmon, "%s", err.text);
}

static void watch_close(struct watch *watch)
{
	netmon_close(watch->netmon);
	event_free(watch->tick);
	event_base_free(watch->base);
	lab_ns_leave(watch->before);
	lab_destroy(watch->lab);
}

#define ip(watch, ...) lab_do(lab_router((watch)->lab), __VA_ARGS__)

static const struct fact_iface *iface(const struct watch *watch, const char *name)
{
	return facts_iface(netmon_facts(watch->netmon), name);
}

// 1 and 0: has the address, usable or not; -1: has it not.
static int address(const struct watch *watch, const char *name, const char *text)
{
	struct addr addr;
	cr_assert(addr_parse(text, &addr));
	vec_each(&iface(watch, name)->addrs, own)
		if (addr_equal(&own->addr, &addr))
			return own->usable;
	return -1;
}

static unsigned defaults(const struct watch *watch, enum fam fam, const char *via)
{
	struct addr addr = {0};
	unsigned n = 0;
	if (via)
		cr_assert(addr_parse(via, &addr));
	vec_each(&netmon_facts(watch->netmon)->defaults, route)
		n += route->fam == fam && (!via || addr_equal(&route->via, &addr));
	return n;
}

Test(netmon, follows_interfaces)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	cr_expect(iface(w, "wan1")->up && iface(w, "wan1")->carrier && !iface(w, "wan1")->point_to_point);
	ip(w, "ip link add d1 type veth peer name d2");
	watch_until(w, 1000, iface(w, "d1") && !iface(w, "d1")->up);
	ip(w, "ip link set d1 up");
	watch_until(w, 1000, iface(w, "d1")->up && !iface(w, "d1")->carrier);
	ip(w, "ip link set d2 up");
	watch_until(w, 1000, iface(w, "d1")->carrier);
	ip(w, "ip link set d2 down");
	watch_until(w, 1000, !iface(w, "d1")->carrier);
	uint32_t index = iface(w, "d1")->index;
	ip(w, "ip link set d1 down; ip link set d1 name d9");
	watch_until(w, 1000, !iface(w, "d1") && iface(w, "d9") && iface(w, "d9")->index == index);
	w->seen = 0;
	ip(w, "ip link del d9; ip link add d9 type veth peer name d2; ip link set d9 up");
	watch_until(w, 1000, iface(w, "d9") && iface(w, "d9")->index != index);
	cr_expect(w->seen & NETMON_OURS, "its routes are gone with the old one");
	ip(w, "ip tuntap add t1 mode tun; ip link set t1 up");
	watch_until(w, 1000, iface(w, "t1") && iface(w, "t1")->point_to_point);
	watch_close(w);
}

Test(netmon, follows_addresses)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	ip(w, "ip addr add 192.0.2.9/24 dev wan1");
	watch_until(w, 1000, address(w, "wan1", "192.0.2.9") == 1);
	ip(w, "ip addr change 192.0.2.9/24 dev wan1 valid_lft 100 preferred_lft 0");
	watch_until(w, 1000, address(w, "wan1", "192.0.2.9") == 0);
	ip(w, "sysctl -qw net.ipv6.conf.wan1.accept_dad=1 net.ipv6.conf.wan1.dad_transmits=1;"
	      "ip -6 addr add 2001:db8:1::9/64 dev wan1"); // tentative at first
	watch_until(w, 1000, address(w, "wan1", "2001:db8:1::9") == 0);
	watch_until(w, 5000, address(w, "wan1", "2001:db8:1::9") == 1);
	w->seen = 0;
	ip(w, "ip addr del 192.0.2.9/24 dev wan1");
	watch_until(w, 1000, address(w, "wan1", "192.0.2.9") == -1);
	cr_expect(w->seen & NETMON_OURS);
	watch_close(w);
}

Test(netmon, follows_default_routes_in_every_form)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	ip(w, "ip route add default via 100.64.1.1 dev wan1 metric 100");
	watch_until(w, 1000, defaults(w, FAM_4, "100.64.1.1") == 1);
	ip(w, "ip route replace default via 100.64.1.9 dev wan1 metric 100");
	watch_until(w, 1000, defaults(w, FAM_4, "100.64.1.9") == 1 && defaults(w, FAM_4, NULL) == 1);
	ip(w,
	   "ip route add default metric 200 nexthop via 100.64.1.1 dev wan1 nexthop via 100.64.1.7 dev wan1");
	watch_until(w, 1000, defaults(w, FAM_4, NULL) == 3);
	ip(w, "ip route del default metric 200");
	watch_until(w, 1000, defaults(w, FAM_4, NULL) == 1);
	ip(w, "ip -4 route add default via inet6 fe80::7 dev wan1 metric 300");
	watch_until(w, 1000, defaults(w, FAM_4, "fe80::7") == 1);
	ip(w, "ip nexthop add id 7 via 100.64.1.1 dev wan1; ip route add default nhid 7 metric 500");
	watch_until(w, 1000, defaults(w, FAM_4, "100.64.1.1") == 1);
	ip(w, "ip nexthop replace id 7 via 100.64.1.3 dev wan1"); // no message about the route
	watch_until(w, 1000, defaults(w, FAM_4, "100.64.1.3") == 1 && !defaults(w, FAM_4, "100.64.1.1"));
	ip(w, "ip nexthop del id 7");
	watch_until(w, 1000, defaults(w, FAM_4, NULL) == 2);
	ip(w, "ip -6 route add default via fe80::1 dev wan1 proto ra metric 1024 expires 1000");
	watch_until(w, 1000, defaults(w, FAM_6, "fe80::1") == 1);
	ip(w, "ip link set wan1 down"); // drops them without a word
	watch_until(w, 1000, !defaults(w, FAM_4, NULL) && !defaults(w, FAM_6, NULL));
	cr_expect(w->seen & NETMON_OURS);
	watch_close(w);
}

Test(netmon, is_not_woken_by_what_is_not_its_business)
{
	struct watch watch, *w = &watch;
	struct err err;
	watch_open(w);
	struct routes *routes = routes_open(&err);
	struct plan_route route = {.fam = FAM_4, .table = 1003, .metric = 1, .ifname = "wan1"};
	route.oif = iface(w, "wan1")->index;
	addr_parse("100.64.1.1", &route.via);
	netmon_set_own_port(w->netmon, routes_port(routes));
	watch_until(w, 5000, address(w, "wan1", "2001:db8:1::2") == 1);
	w->seen = 0;
	ip(w,
	   "ip route add unreachable default metric 400; ip route add 192.0.2.0/24 via 100.64.1.1 table 1001;"
	   "ip route add default via 100.64.1.1 table 1001");
	cr_assert_eq(routes_apply_op(routes, &(struct op){.kind = OP_ROUTE_SET, .route = &route}, &err), 0);
	watch_hears_only(w, 0, 100);
	ip(w, "ip rule add pref 78 lookup 1001 protocol 200"); // as ours, but not by us
	watch_hears_only(w, NETMON_OURS, 100);
	ip(w, "ip route flush table 1003");
	watch_hears_only(w, NETMON_OURS, 100);
	routes_close(routes);
	watch_close(w);
}

static unsigned nets(const struct watch *watch, const char *prefix)
{
	struct prefix to;
	unsigned n = 0;
	cr_assert(prefix_parse(prefix, &to));
	vec_each(&netmon_facts(watch->netmon)->nets, net)
		n += net->to.len == to.len && addr_equal(&net->to.addr, &to.addr);
	return n;
}

Test(netmon, follows_every_route_of_main_and_local)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	cr_expect_eq(nets(w, "100.64.1.0/24"), 1);
	cr_expect_eq(nets(w, "100.64.1.2/32"), 1, "this host's own");
	ip(w, "ip route add 192.0.2.0/24 via 100.64.1.1; ip -6 route add blackhole 2001:db8:77::/48");
	watch_until(w, 1000, nets(w, "192.0.2.0/24") == 1 && nets(w, "2001:db8:77::/48") == 1);
	ip(w, "ip route add local 198.51.100.0/25 dev lo");
	watch_until(w, 1000, nets(w, "198.51.100.0/25") == 1);
	ip(w, "ip route del 192.0.2.0/24");
	watch_until(w, 1000, nets(w, "192.0.2.0/24") == 0);
	ip(w, "ip link set wan1 down"); // drops them without a word
	watch_until(w, 1000, !nets(w, "100.64.1.0/24"));
	watch_close(w);
}

static int64_t keeps_while_down(void *arg, const char *ifname, bool local, enum netmon_link link)
{
	(void)arg;
	if (local)
		return 0;
	cr_expect(!strcmp(ifname, "wan1") || !strcmp(ifname, "lan1"), "%s", ifname);
	if (link == NETMON_LINK_UP)
		return 200;
	return link == NETMON_LINK_DOWN ? NETMON_FOREVER : 0;
}

static bool is_gone(const struct watch *watch, const char *prefix)
{
	struct prefix to;
	cr_assert(prefix_parse(prefix, &to));
	vec_each(&netmon_facts(watch->netmon)->nets, net)
		if (net->to.len == to.len && addr_equal(&net->to.addr, &to.addr))
			return net->gone_ms;
	return false;
}

Test(netmon, keeps_what_is_gone_for_as_long_as_it_is_told)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	netmon_keep_nets(w->netmon, keeps_while_down);
	ip(w, "ip route add 192.0.2.0/24 via 100.64.1.1; ip route add 192.0.3.0/24 via 10.200.0.2");
	watch_until(w, 1000, nets(w, "192.0.2.0/24") == 1 && nets(w, "192.0.3.0/24") == 1);
	ip(w, "ip link set wan1 down");
	watch_until(w, 1000, is_gone(w, "100.64.1.0/24") && is_gone(w, "192.0.2.0/24"));
	netmon_resync(w->netmon);
	watch_hears_only(w, w->seen, 300);
	cr_expect(is_gone(w, "192.0.2.0/24"), "for ever is not long enough");
	ip(w, "ip link set wan1 up"); // the kernel brings its own back
	watch_until(w, 2000, nets(w, "100.64.1.0/24") && !is_gone(w, "100.64.1.0/24"));
	watch_until(w, 2000, !nets(w, "192.0.2.0/24"));
	ip(w, "ip route del 192.0.3.0/24");
	watch_until(w, 2000, is_gone(w, "192.0.3.0/24"));
	ip(w, "ip route add 192.0.3.0/24 via 100.64.1.1"); // another way
	watch_until(w, 2000, nets(w, "192.0.3.0/24") == 1 && !is_gone(w, "192.0.3.0/24"));
	ip(w, "ip link del lan1");
	watch_until(w, 2000, !nets(w, "10.200.0.0/24"));
	watch_close(w);
}

Test(netmon, knows_whether_others_have_ip_rules)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	cr_expect_not(netmon_facts(w->netmon)->policy_routed);
	ip(w, "ip rule add pref 77 lookup 1001 protocol 200; ip -6 rule add pref 77 to 2001:db8::/32 lookup "
	      "main");
	watch_until(w, 1000, netmon_facts(w->netmon)->policy_routed);
	ip(w, "ip -6 rule del pref 77");
	watch_until(w, 1000, !netmon_facts(w->netmon)->policy_routed);
	watch_close(w);
}

// A full BGP table is not followed route by route; when it is gone, the rest is.
Test(netmon, does_not_follow_very_many_routes)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	ip(w, "for i in $(seq 0 2999); do echo route add 20.$((i / 250)).$((i %% 250)).0/24 via 100.64.1.1; "
	      "done |"
	      "ip -batch -");
	watch_until(w, 3000, netmon_facts(w->netmon)->nets_many && !netmon_facts(w->netmon)->nets.n);
	w->seen = 0;
	ip(w, "ip route add 192.0.2.0/24 via 100.64.1.1");
	watch_hears_only(w, 0, 100);
	ip(w, "for i in $(seq 0 2999); do echo route del 20.$((i / 250)).$((i %% 250)).0/24; done | ip "
	      "-batch -");
	netmon_resync(w->netmon); // the engine does that now and then
	watch_until(w, 1000, nets(w, "192.0.2.0/24") == 1);
	ip(w, "ip route del 192.0.2.0/24");
	watch_until(w, 1000, nets(w, "192.0.2.0/24") == 0);
	watch_close(w);
}

Test(netmon, is_right_again_soon_after_an_overrun)
{
	struct watch watch, *w = &watch;
	watch_open(w);
	ip(w,
	   "{ for i in $(seq 10000); do echo \"route replace default via 100.64.1.$((i %% 7 + 3)) dev wan1\";"
	   "done; echo link add zz type veth peer name zy; echo addr add 203.0.113.5/24 dev wan1;"
	   "echo route replace default via 100.64.1.77 dev wan1; } | ip -batch -");
	watch_until(w, 2000,
		    iface(w, "zz") && address(w, "wan1", "203.0.113.5") == 1 &&
			    defaults(w, FAM_4, "100.64.1.77") == 1 && defaults(w, FAM_4, NULL) == 1);
	watch_close(w);
}

Test(netmon, knows_the_mac_of_a_next_hop_and_its_change)
{
	struct watch watch, *w = &watch;
	struct netmon_hop hop[2];
	watch_open(w);
	hop[0].index = hop[1].index = iface(w, "wan1")->index;
	addr_parse("100.64.1.1", &hop[0].addr);
	addr_parse("2001:db8:1::1", &hop[1].addr);
	netmon_watch_neighs(w->netmon, hop, 2);
	for (int i = 0; i < 2; i++)
		watch_until(w, 3000, facts_mac(netmon_facts(w->netmon), hop[i].index, &hop[i].addr));
	ip(w, "ip neigh change 100.64.1.1 lladdr 02:00:00:00:00:77 nud reachable dev wan1");
	watch_until(w, 2000, facts_mac(netmon_facts(w->netmon), hop[0].index, &hop[0].addr)[5] == 0x77);
	watch_close(w);
}
