// SPDX-License-Identifier: GPL-2.0-or-later
// Probes of every type, from the configuration to the verdict, by servers that live and die.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "test/net/net.h"

#define FAST "interval = 200ms fast = 50ms timeout = 150ms hold = 0s"

// Two gateways; g1 is checked by the probe `special`, whose text is given.
static struct net *start(const char *special)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	struct lab *lab = net->lab;
	net_configure(net,
		      "probe special { %s }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }\n"
		      "gateway g2 { interface = %s address = %s address6 = none probes = { quick } }",
		      special, lab_wan_name(lab, 1), lab_wan_nexthop(lab, 1, AF_INET), lab_wan_name(lab, 2),
		      lab_wan_nexthop(lab, 2, AF_INET));
	net_gwd(net);
	net_wait_up(net);
	return net;
}

static const char *gwctl_path(void)
{
	static char path[512];
	const char *build = getenv("GWD_BUILD");
	snprintf(path, sizeof(path), "%s/gwctl", build ? build : "build");
	return path;
}

static void expect_reason(struct net *net, const char *text)
{
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "-j status g1"), 0);
	cr_expect(strstr(output, text), "no \"%s\" in %s", text, output);
	free(output);
}

Test(probe_types, tcp_follows_the_service)
{
	struct net *net = start("type = tcp port = 443 targets = 198.51.100.1 " FAST);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 3000);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 5000);
	net_finish(net);
}

Test(probe_types, tcp_refused_is_said)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	net_configure(net,
		      "probe special { type = tcp port = 81 targets = 198.51.100.1 " FAST " }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }",
		      lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "down", 3000);
	expect_reason(net, "refused");
	net_finish(net);
}

Test(probe_types, exec_follows_its_exit_status)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	const char *flag = lab_path(net->lab, "flag");
	char body[600], probe[900];
	snprintf(body, sizeof(body), "#!/bin/sh\necho \"$GWD_INTERFACE by $GWD_PROBE\"\ntest -e %s\n", flag);
	const char *script = lab_file(net->lab, "check", "%s", body);
	lab_do(lab_router(net->lab), "chmod +x %s; touch %s", script, flag);
	snprintf(probe, sizeof(probe),
		 "type = exec command = \"%s\" interval = 200ms fast = 100ms timeout = 1s hold = 0s", script);
	net_configure(net,
		      "probe special { %s }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }",
		      probe, lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	lab_do(lab_router(net->lab), "rm %s", flag);
	net_wait_state(net, "g1", "down", 5000);
	expect_reason(net, "wan1 by special");
	lab_do(lab_router(net->lab), "touch %s", flag);
	net_wait_state(net, "g1", "up", 5000);
	net_finish(net);
}

Test(probe_types, loss_degrades_and_the_better_one_serves)
{
	struct net *net = start("type = icmp targets = 198.51.100.1 loss = 15% window = 5s interval = 50ms "
				"fast = 50ms timeout = 50ms fall = 20 hold = 0s");
	lab_fault_loss(net->lab, 1, 50);
	net_wait_state(net, "g1", "degraded", 10000);
	expect_reason(net, "loss");
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.2"},
					 .count = 20,
					 .clients = 20});
	cr_expect_eq(tally.isp[2], 20);
	lab_fault_loss(net->lab, 1, 0);
	net_wait_state(net, "g1", "up", 20000);
	net_finish(net);
}

// A name server in the internet that knows up.test.
static struct lab_proc *name_server(struct net *net, const char *address)
{
	char record[64];
	snprintf(record, sizeof(record), "--address=/up.test/%s", address);
	return lab_proc_start(net->lab, lab_internet(net->lab),
			      (const char *const[]){"dnsmasq", "-k", "-p", "5300", "--no-resolv",
						    "--no-hosts", "--user=root", "--conf-file=/dev/null",
						    "--pid-file=", "--listen-address=198.51.100.1",
						    "--bind-interfaces", record, NULL});
}

Test(probe_types, dns_follows_the_record)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	struct lab_proc *server = name_server(net, "192.0.2.77");
	net_configure(net,
		      "probe special { type = dns port = 5300 targets = 198.51.100.1 query = \"www.up.test\" "
		      "expect = 192.0.2.77 " FAST " }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }",
		      lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	lab_proc_stop(server);
	net_wait_state(net, "g1", "down", 5000);
	server = name_server(net, "192.0.2.66");
	expect_reason(net, "198.51.100.1");
	cr_expect_str_eq(net_state(net, "g1"), "down");
	lab_proc_stop(server);
	server = name_server(net, "192.0.2.77");
	net_wait_state(net, "g1", "up", 8000);
	lab_proc_stop(server);
	net_finish(net);
}

Test(probe_types, arp_asks_the_next_hop_in_both_families)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	net_configure(net,
		      "probe special { type = arp " FAST " }\n"
		      "gateway g1 { interface = %s address = %s address6 = %s probes = { special } }",
		      lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET),
		      lab_wan_nexthop(net->lab, 1, AF_INET6));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 5000);
	net_finish(net);
}

// Serves "all is well" to host www.test, and 503 while `sick` is there.
static struct lab_proc *web_server(struct net *net, const char *sick)
{
	const char *conf =
		lab_file(net->lab, "nginx.conf",
			 "daemon off; master_process off; pid %s; error_log stderr;\n"
			 "events {}\n"
			 "http { access_log off;\n"
			 "server { listen 198.51.100.1:8080; return 404; }\n"
			 "server { listen 198.51.100.1:8080; server_name www.test;\n"
			 "location = /health { if (-e %s) { return 503; } return 200 'all is well'; } }\n"
			 "}\n",
			 lab_path(net->lab, "nginx.pid"), sick);
	return lab_proc_start(net->lab, lab_internet(net->lab),
			      (const char *const[]){"nginx", "-c", conf, NULL});
}

Test(probe_types, http_follows_the_page)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	const char *sick = lab_path(net->lab, "sick");
	struct lab_proc *server = web_server(net, sick);
	net_configure(net,
		      "probe special { type = http port = 8080 targets = 198.51.100.1 path = \"/health\" "
		      "host = www.test status = { 200, \"300-399\" } expect = \"is well\" " FAST " }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }",
		      lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	lab_do(lab_internet(net->lab), "touch %s", sick);
	net_wait_state(net, "g1", "down", 5000);
	expect_reason(net, "http 503 from ");
	lab_do(lab_internet(net->lab), "rm %s", sick);
	net_wait_state(net, "g1", "up", 5000);
	lab_proc_stop(server);
	net_finish(net);
}

Test(probe_types, https_minds_the_certificate_or_not)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	const char *cert = lab_path(net->lab, "cert.pem");
	lab_do(lab_internet(net->lab),
	       "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=www.test -keyout %s -out %s.crt "
	       "2>/dev/null && cat %s.crt >>%s",
	       cert, cert, cert, cert);
	struct lab_proc *server =
		lab_proc_start(net->lab, lab_internet(net->lab),
			       (const char *const[]){"openssl", "s_server", "-accept", "198.51.100.1:8443",
						     "-cert", cert, "-www", "-quiet", NULL});
	net_configure(
		net,
		"probe special { type = https port = 8443 targets = 198.51.100.1 host = www.test verify = no "
		"interval = 500ms fast = 200ms timeout = 1s hold = 0s }\n"
		"probe strict { type = https port = 8443 targets = 198.51.100.1 host = www.test "
		"interval = 500ms fast = 200ms timeout = 1s hold = 0s }\n"
		"gateway g1 { interface = %s address = %s address6 = none probes = { special } }\n"
		"gateway g2 { interface = %s address = %s address6 = none probes = { strict } }",
		lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET), lab_wan_name(net->lab, 2),
		lab_wan_nexthop(net->lab, 2, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 8000);
	net_wait_state(net, "g2", "down", 8000);
	lab_proc_stop(server);
	net_finish(net);
}

Test(probe_types, gwctl_probe_tells_what_each_target_answers)
{
	struct net *net = start("type = tcp port = 443 targets = { 198.51.100.1, 198.51.100.2 } " FAST);
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "probe g1"), 0, "%s", output);
	cr_expect(strstr(output, "special  IPv4    198.51.100.1  alive  "), "%s", output);
	cr_expect(strstr(output, "special  IPv4    198.51.100.2  alive  "), "%s", output);
	free(output);
	lab_fault_blackhole(net->lab, 1);
	cr_assert_eq(net_gwctl(net, &output, "-j probe g1"), 0, "%s", output);
	cr_expect(strstr(output, "\"target\":\"198.51.100.1\",\"answer\":\"dead\",\"rtt_ms\":null"), "%s",
		  output);
	cr_expect(strstr(output, "no answer in 150ms"), "%s", output);
	free(output);
	lab_fault_carrier_off(net->lab, 1);
	net_wait_state(net, "g1", "down", 3000);
	cr_assert_eq(net_gwctl(net, &output, "probe g1"), 0, "%s", output);
	cr_expect(strstr(output, "no carrier"), "%s", output);
	free(output);
	cr_expect_eq(net_gwctl(net, &output, "probe nobody"), 1);
	cr_expect(strstr(output, "no gateway is named \"nobody\": there is g1, g2"), "%s", output);
	free(output);
	net_finish(net);
}

Test(probe_types, whoever_waits_for_an_answer_and_goes_harms_nobody)
{
	struct net *net =
		start("type = tcp port = 443 targets = 198.51.100.1 interval = 5s timeout = 5s hold = 0s");
	lab_fault_blackhole(net->lab, 1);
	cr_expect_eq(lab_run(lab_router(net->lab), NULL, "timeout 0.3 %s -s %s probe g1", gwctl_path(),
			     lab_path(net->lab, "gwd.sock")),
		     124);
	cr_expect_eq(net_gwctl(net, NULL, "status"), 0);
	net_finish(net);
}

// ---- targets by name ---------------------------------------------------------------------------

#define CLONE_NEWNS 0x00020000 // <sched.h> has a SCHED_RR that is not the model's
int unshare(int flags);

// Names are looked up at this address from now on, by this process and what it starts.
static void use_server(struct net *net, const char *address)
{
	const char *conf = lab_file(net->lab, "resolv.conf", "nameserver %s\n", address);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount(conf, "/etc/resolv.conf", NULL, MS_BIND, NULL), 0);
}

Test(probe_types, a_name_is_looked_up_and_known_on_without_its_server)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 1});
	use_server(net, "192.0.2.53");
	lab_do(lab_isp(net->lab, 1), "ip addr add 192.0.2.53/32 dev lo");
	struct lab_proc *server = lab_proc_start(
		net->lab, lab_isp(net->lab, 1),
		(const char *const[]){"dnsmasq", "-k", "-C", "/dev/null", "-u", "root", "-R", "-h", "-x",
				      lab_path(net->lab, "dnsmasq.pid"),
				      "--host-record=www.example.net,198.51.100.1", "--local-ttl=1", NULL});
	net_configure(net,
		      "probe special { targets = www.example.net " FAST " }\n"
		      "gateway g1 { interface = %s address = %s address6 = none probes = { special } }",
		      lab_wan_name(net->lab, 1), lab_wan_nexthop(net->lab, 1, AF_INET));
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "probe g1"), 0);
	cr_expect(strstr(output, "www.example.net  alive"), "%s", output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "status g1"), 0);
	cr_expect(strstr(output, "special: icmp to www.example.net"), "%s", output);
	free(output);
	lab_proc_stop(server);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 5000);
	net_finish(net);
}
