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

// So many connections that stay open; all are answered. Asks on each of them again.
struct lab_burst *direct_hold(struct net *net, int family, bool udp, int count);
struct lab_tally direct_poke(struct lab_burst *held);

void direct_reload(struct net *net, const char *sed); // with the configuration edited so

// A server that hears nothing any more; its host's other traffic goes on. Waits until gwd knows.
void direct_die(struct net *net, int host);

extern const int direct_families[2];

// With three reals and one LAN host more: connections of all kinds, from outside and from the LAN, are served by
// all reals, evenly or about so.
void direct_expect_all(struct net *net, int count, bool even);

// With two reals: connections stay while a real drains, is back, and gwd is killed; new ones go elsewhere.
void direct_expect_stays(struct net *net);

// With two reals by turns: one dies, and its connections end (TCP) or move (UDP).
void direct_expect_moved(struct net *net);

// Host 1 gets a way to the internet past the router, and answers by it.
void direct_own_way(struct net *net);

// The reals are by tun: runs on each what real-script prints. From then on only what comes out of a tunnel counts.
void direct_tunnels(struct net *net, int reals);

// How many elements that expire there are in "map TABLE NAME" or "set TABLE NAME", when that are as many as wanted; or after
// that time.
size_t direct_elements(struct net *net, const char *what, size_t wanted, int timeout_ms);

#endif
