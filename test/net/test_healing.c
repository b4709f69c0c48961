// SPDX-License-Identifier: GPL-2.0-or-later
// Somebody removes what is gwd's, again and again: it is put back. How soon is measured by nobody but a benchmark.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

enum { TIMES = 50, HELD = 100 };

struct removal {
	const char *command; // may be refused: the table has an owner where the kernel knows of that
	const char *look, *text;
};

// Of IPv6, which carries nothing here: until they are back, flows may go astray.
static const struct removal rule = {"ip -6 rule del pref 10000", "ip -6 rule", "10000:"},
			    rules = {"ip -6 rule flush protocol 200", "ip -6 rule", "10258:"},
			    routes = {"ip -6 route flush table 1175", "ip -6 route show table 1175",
				      "unreachable"},
			    table = {"nft flush ruleset", "nft list ruleset", "chain give4.default.g1"};

struct healing {
	struct net *net;
	const struct removal *removal;
};

static bool is_healed(void *arg)
{
	const struct healing *healing = arg;
	return net_router_shows(healing->net, healing->removal->look, healing->removal->text);
}

// What is ours beside the table, whose handles and counters begin anew.
static char *ours(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output,
		"ip rule; ip -6 rule; ip route show table all proto 200; ip -6 route show table all proto "
		"200");
	return output;
}

static bool is_as_before(void *arg)
{
	static char *before;
	char *now = ours(arg);
	bool same = before && !strcmp(before, now);
	if (before)
		free(now);
	else
		before = now;
	return same;
}

static void removed_again_and_again(const struct removal *removal)
{
	struct net *net = net_even(2, "balance default { persistence = 5m }");
	struct healing healing = {net, removal};
	net_gwd(net);
	net_wait_up(net);
	struct lab_burst *held = net_hold(net, HELD);
	cr_assert(is_healed(&healing) && !is_as_before(net));
	for (int i = 0; i < TIMES; i++) {
		lab_run(lab_router(net->lab), NULL, "%s", removal->command);
		cr_assert(lab_wait_until(is_healed, &healing, net_patience(3000)), "time %d", i);
	}
	cr_assert(lab_wait_until(is_as_before, net, net_patience(3000)));
	net_assert_alive(held, HELD);
	lab_burst_free(held);
	net_finish(net);
}

Test(healing, of_a_rule)
{
	removed_again_and_again(&rule);
}

Test(healing, of_all_rules)
{
	removed_again_and_again(&rules);
}

Test(healing, of_a_table_of_routes)
{
	removed_again_and_again(&routes);
}

Test(healing, of_the_ruleset)
{
	removed_again_and_again(&table);
}
