// SPDX-License-Identifier: GPL-2.0-or-later
// Rules to names: the set of a rule follows the answers of DNS, no chain is built anew for it, and what was known
// last stays while nobody answers, over a restart too.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/naming.h"
#include "test/net/net.h"

#define WAIT_MS 20000 // an answer counts for 5 s at least, its addresses for twice that

static const int weights[] = {1, 1, 1};

struct expectation {
	struct net *net;
	const char *to;
	int isp;
};

static bool goes_by(void *arg)
{
	const struct expectation *e = arg;
	struct lab_flow flow = {.from = lab_host(e->net->lab, 1), .to = e->to};
	return lab_connect(e->net->lab, &flow).isp == e->isp;
}

static void assert_goes_by(struct net *net, const char *to, int isp, int timeout_ms)
{
	struct expectation e = {net, to, isp};
	char *status = NULL;
	bool does = lab_wait_until(goes_by, &e, timeout_ms);
	net_gwctl(net, &status, "-j status | grep -o '\"names\".*fastpath'");
	cr_assert(does, "%s does not go by isp%d: %s", to, isp, status);
	free(status);
}

static void write_hosts(struct net *net, const char *text)
{
	lab_file(net->lab, "hosts", "%s", text);
}

static char *list_shape(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "nft list table inet gwd | grep 'chain shape'");
	return output;
}

static bool status_says(struct net *net, const char *text)
{
	char *output = NULL;
	net_gwctl(net, &output, "status");
	for (char *c = output; *c; c++) // it is wrapped
		*c = *c == '\n' ? ' ' : *c;
	bool says = strstr(output, text) != NULL;
	free(output);
	return says;
}

struct saying {
	struct net *net;
	const char *text;
};

static bool says(void *arg)
{
	const struct saying *s = arg;
	return status_says(s->net, s->text);
}

static struct net *start_with(const char *names)
{
	naming_use_server();
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net,
		      "%s balance default { gateways = g1 }\n"
		      "rule named { to = { 203.0.113.2, %s } gateway = g2 }\n",
		      gateways, names);
	free(gateways);
	write_hosts(net, "198.51.100.1 www.test\n2001:db8:aaaa::1 www.test\n");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	return net;
}

static struct net *start(void)
{
	return start_with("www.test");
}

Test(names, a_rule_follows_the_answers, .timeout = 120)
{
	struct net *net = start();
	struct saying silent = {net, "to www.test: can't look up www.test: "};
	assert_goes_by(net, "198.51.100.1", 1, 0); // nobody answers, so only what is written matches
	assert_goes_by(net, "203.0.113.2", 2, 0);
	cr_assert(lab_wait_until(says, &silent, WAIT_MS));
	cr_assert(status_says(net, "no address is known, so it matches nothing"));

	struct lab_proc *server = naming_start(net->lab, 1, NULL, lab_path(net->lab, "hosts"));
	char *shape = list_shape(net);
	assert_goes_by(net, "198.51.100.1", 2, WAIT_MS);
	assert_goes_by(net, "2001:db8:aaaa::1", 2, WAIT_MS);
	assert_goes_by(net, "198.51.100.2", 1, 0);
	cr_assert(!status_says(net, "www.test"));

	write_hosts(net, "198.51.100.2 www.test\n198.51.100.3 www.test\n");
	lab_proc_signal(server, SIGHUP);
	assert_goes_by(net, "198.51.100.2", 2, WAIT_MS);
	assert_goes_by(net, "198.51.100.3", 2, 0);
	assert_goes_by(net, "198.51.100.1", 1, WAIT_MS);
	assert_goes_by(net, "203.0.113.2", 2, 0);
	char *after = list_shape(net);
	cr_assert_str_eq(shape, after);
	free(shape);
	free(after);
	lab_proc_stop(server);
	net_finish(net);
}

Test(names, the_last_known_addresses_outlive_the_name_server_and_a_restart, .timeout = 120)
{
	struct net *net = start();
	struct lab_proc *server = naming_start(net->lab, 3, NULL, lab_path(net->lab, "hosts"));
	struct saying stale = {net, "it goes by the last known addresses"};
	assert_goes_by(net, "198.51.100.1", 2, WAIT_MS);
	lab_proc_stop(server);
	cr_assert(lab_wait_until(says, &stale, WAIT_MS));
	assert_goes_by(net, "198.51.100.1", 2, 0);
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	net_gwd(net);
	net_wait_up(net);
	assert_goes_by(net, "198.51.100.1", 2, 0);
	assert_goes_by(net, "2001:db8:aaaa::1", 2, 0);
	cr_assert(lab_wait_until(says, &stale, WAIT_MS));
	assert_goes_by(net, "198.51.100.1", 2, 0);
	net_finish(net);
}

// Which address is whose is not in the kernel: it is kept until each name that it may belong to has answered.
Test(names, a_restart_forgets_no_address_of_a_name_that_does_not_answer_yet, .timeout = 120)
{
	struct net *net = start_with("www.test, mail.example");
	write_hosts(net, "198.51.100.1 www.test\n198.51.100.3 mail.example\n");
	struct lab_proc *server = naming_start(net->lab, 3, NULL, lab_path(net->lab, "hosts"));
	assert_goes_by(net, "198.51.100.1", 2, WAIT_MS);
	assert_goes_by(net, "198.51.100.3", 2, WAIT_MS);
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	write_hosts(net, "198.51.100.2 www.test\n");
	lab_proc_signal(server, SIGHUP);
	net_gwd(net);
	net_wait_up(net);
	assert_goes_by(net, "198.51.100.2", 2, WAIT_MS);
	assert_goes_by(net, "198.51.100.3", 2, 0);
	write_hosts(net, "198.51.100.2 www.test\n198.51.100.1 mail.example\n");
	lab_proc_signal(server, SIGHUP);
	assert_goes_by(net, "198.51.100.3", 1, WAIT_MS);
	assert_goes_by(net, "198.51.100.1", 2, 0);
	lab_proc_stop(server);
	net_finish(net);
}

Test(names, trace_knows_them, .timeout = 120)
{
	struct net *net = start();
	char *output = NULL;
	struct lab_proc *server = naming_start(net->lab, 2, NULL, lab_path(net->lab, "hosts"));
	assert_goes_by(net, "198.51.100.1", 2, WAIT_MS);
	cr_assert_eq(net_gwctl(net, &output, "trace 10.0.0.11 198.51.100.1 tcp 80"), 0);
	cr_assert(strstr(output, "named matches"), "%s", output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "trace 10.0.0.11 198.51.100.2 tcp 80"), 0);
	cr_assert(strstr(output, "none matches"), "%s", output);
	free(output);
	lab_proc_stop(server);
	net_finish(net);
}
