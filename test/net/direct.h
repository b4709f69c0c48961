// SPDX-License-Identifier: GPL-2.0-or-later
// direct: a service whose reals get packets as they are, in the lab: LAN hosts 1 to n are reals, with the VIPs on
// their loopback and lab_servers; the router has the VIPs on wan1.
#ifndef GWD_TEST_NET_DIRECT_H
#define GWD_TEST_NET_DIRECT_H

#include "test/net/net.h"

#define DIRECT_VIP4 "100.64.1.100"
#define DIRECT_VIP6 "2001:db8:1::100"

struct direct_tally {
	uint64_t real[LAB_HOSTS_MAX + 1]; // first packets of connections that reached it, by host
	uint64_t sum;
};

// The lab with so many reals, one LAN host more, and gwd not yet started. `service` goes into the section
// `service web` beside its listeners (both VIPs, port 7000, tcp and udp), its reals (r1, r2, … and s1, s2, …
// by IPv6) and `probes`.
struct net *direct_lab(int reals, const char *service);

// What reached each real since the last call.
struct direct_tally direct_count(struct net *net, int reals);

// Asserts that so many connections of a kind from a place to the VIP are all answered; tells by whom.
struct direct_tally direct_burst(struct net *net, const struct lab_ns *from, int family, bool udp, int count,
				 int reals);

#endif
