// SPDX-License-Identifier: GPL-2.0-or-later
// slow-start: a gateway that comes back is not flooded. A ramp of an hour stands still for six minutes, so what it
// holds back is exact; one of a few seconds is followed to its end.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

enum { HOSTS = 200 };

static void configure(struct net *net, const char *slow_start, const char *balance)
{
	net_configure(
		net,
		"gateway g1 { interface = wan1 address = 100.64.1.1 address6 = 2001:db8:1::1 probes = quick "
		"slow-start = %s }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 probes = quick "
		"slow-start = %s }"
		"gateway g3 { interface = wan3 address = 100.64.3.1 address6 = 2001:db8:3::1 probes = quick }"
		"balance default { gateways = { g1, g2 } %s } rule guard { to = 198.51.100.4 gateway = g3 }",
		slow_start, slow_start, balance);
}

// Two gateways, of which the first one has died, and a third for the control flow.
static struct net *start(const char *slow_start, const char *balance)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	configure(net, slow_start, balance);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	return net;
}

static void comes_back(struct net *net)
{
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
}

static struct lab_tally burst(struct net *net, int family, int count)
{
	struct lab_tally tally = lab_burst_run(
		net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1),
							    .to = lab_server_address(family, 1)},
						   .count = count});
	cr_assert_eq(tally.answered, count, "%d flows failed", tally.failed);
	return tally;
}

Test(ramp, a_gateway_that_comes_back_begins_with_a_little)
{
	struct net *net = start("1h", "scheduler = rr persistence = off");
	comes_back(net);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(burst(net, i ? AF_INET6 : AF_INET, 180).isp[1], 3, "one slot of sixty");
	char *output = NULL;
	net_gwctl(net, &output, "-j status");
	cr_assert(strstr(output, "slow-start: 5% of its share"), "%s", output);
	free(output);
	configure(net, "0s", "scheduler = rr persistence = off");
	net_reload(net);
	cr_assert_eq(burst(net, AF_INET, 180).isp[1], 90);
	net_finish(net);
}

static bool both_alike(void *arg)
{
	return burst(arg, AF_INET, 60).isp[1] == 30;
}

Test(ramp, it_reaches_its_share_by_itself)
{
	struct net *net = start("3s", "scheduler = rr persistence = off");
	comes_back(net);
	cr_assert(strstr(lab_proc_output(net->gwd), "g1: down -> up"));
	cr_assert(strstr(lab_proc_output(net->gwd), "; slow-start: 5% of its share"));
	cr_assert(lab_wait_until(both_alike, net, 20000));
	net_finish(net);
}

// All of a gateway's flows count, its probes' among them; g2 has far more of them.
Test(ramp, a_counting_scheduler_does_not_flood_it)
{
	struct net *net = start("1h", "scheduler = lc persistence = off");
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
				      .count = 100,
				      .at_once = 1,
				      .hold = true};
	struct lab_burst *held = lab_burst_start(net->lab, &spec);
	lab_burst_wait(held);
	cr_assert_eq(lab_burst_tally(held).isp[2], 100);
	comes_back(net);
	spec.count = 48;
	struct lab_burst *more = lab_burst_start(net->lab, &spec);
	lab_burst_wait(more);
	cr_assert_leq(lab_burst_tally(more).isp[1], 3, "one place of sixteen");
	configure(net, "0s", "scheduler = lc persistence = off");
	net_reload(net);
	spec.count = 20;
	struct lab_burst *flood = lab_burst_start(net->lab, &spec);
	lab_burst_wait(flood);
	cr_assert_geq(lab_burst_tally(flood).isp[1], 16, "so the test would see a flood");
	lab_burst_free(held);
	lab_burst_free(more);
	lab_burst_free(flood);
	net_finish(net);
}

// ---- who is placed by a hash -------------------------------------------------------------------

struct homes {
	struct net *net;
	int home[HOSTS]; // of each client, while all is well
	int astray;      // clients of healthy links that were seen elsewhere
	int away;        // clients of g1 that are not back yet
};

static void look(struct homes *homes, int isp[HOSTS])
{
	struct lab_burst *burst = lab_burst_start(
		homes->net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(homes->net->lab, 1), .to = "198.51.100.1"},
					 .count = HOSTS,
					 .clients = HOSTS});
	lab_burst_wait(burst);
	for (int i = 0; i < HOSTS; i++)
		isp[lab_burst_conns(burst)[i].client] = lab_burst_conns(burst)[i].isp;
	lab_burst_free(burst);
}

static bool all_home(void *arg)
{
	struct homes *homes = arg;
	int isp[HOSTS];
	look(homes, isp);
	homes->away = 0;
	for (int i = 0; i < HOSTS; i++) {
		homes->away += homes->home[i] == 1 && isp[i] != 1;
		homes->astray += homes->home[i] != 1 && isp[i] != homes->home[i];
	}
	return !homes->away;
}

Test(ramp, no_source_of_a_healthy_link_moves)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 4});
	net_configure(net,
		      "gateway g1 { interface = wan1 address = 100.64.1.1 probes = quick slow-start = 4s }"
		      "gateway g2 { interface = wan2 address = 100.64.2.1 probes = quick }"
		      "gateway g3 { interface = wan3 address = 100.64.3.1 probes = quick }"
		      "gateway g4 { interface = wan4 address = 100.64.4.1 probes = quick }"
		      "balance default { gateways = { g1, g2, g3 } scheduler = sh persistence = off }"
		      "rule guard { to = 198.51.100.4 gateway = g4 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 4);
	struct homes homes = {.net = net};
	look(&homes, homes.home);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(!all_home(&homes));
	comes_back(net);
	cr_assert(lab_wait_until(all_home, &homes, 20000), "%d are not back", homes.away);
	cr_assert_eq(homes.astray, 0, "%d of healthy links moved", homes.astray);
	net_finish(net);
}
