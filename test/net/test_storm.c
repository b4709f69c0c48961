// SPDX-License-Identifier: GPL-2.0-or-later
// More is told to gwd than it can hear: no link is held for dead because gwd was busy.
#include <stdlib.h>

#include "test/net/net.h"
#include "test/net/strangers.h"

enum { STORM = 200000 };

Test(storm, of_conntrack_events, .timeout = 120)
{
	struct net *net =
		net_even(2, "balance default { gateways = { g1, g2 } scheduler = wlc persistence = off }"
			    "rule guard { to = 198.51.100.4 gateway = g2 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	size_t before = net_transitions(net);
	cr_assert_eq(strangers_add_loudly(net, STORM), STORM);
	strangers_leave(net);
	cr_expect_eq(net_transitions(net), before);
	net_finish(net);
}
