// SPDX-License-Identifier: GPL-2.0-or-later
// Reals by dr: packets reach them as they are, from outside and from the LAN, whatever way their answers
// take; connections stay where they are when the reals change, and end when theirs dies.
#include <stdlib.h>

#include "gwd/base/vec.h"

#include "test/net/direct.h"

static const int families[] = {AF_INET, AF_INET6};

// ---- every kind of connection ------------------------------------------------------------------

static void serves_all(const char *service, bool even)
{
	struct net *net = direct_lab(3, service);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (int udp = 0; udp < 2; udp++) {
			const struct lab_ns *from[] = {lab_internet(net->lab), lab_host(net->lab, 4)};
			for (size_t k = 0; k < ARRAY_SIZE(from); k++) {
				struct direct_tally tally =
					direct_burst(net, from[k], families[i], udp, 300, 3);
				cr_expect_geq(tally.sum, 300);
				for (int h = 1; h <= 3; h++)
					cr_expect(even ? tally.real[h] >= 99 && tally.real[h] <= 102
						       : tally.real[h] >= 60 && tally.real[h] <= 140,
						  "%s, udp %d, family %zu: %lu at real %d",
						  k ? "LAN" : "outside", udp, i, (unsigned long)tally.real[h],
						  h);
			}
		}
	}
	net_finish(net);
}

Test(direct, by_turns_every_real_gets_its_share)
{
	serves_all("forward = dr scheduler = rr", true);
}

Test(direct, by_hash_without_state_at_the_first_packet)
{
	serves_all("forward = dr scheduler = mh", false);
}
