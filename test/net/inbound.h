// SPDX-License-Identifier: GPL-2.0-or-later
// inbound: what tests of published services need beside net.h: reals on the LAN's hosts that count whom they served,
// and clients out on the internet.
//
//	struct inbound *in = inbound_start(&(struct lab_spec){.isps = 2, .hosts = 4}, 3,
//					   "service web { listen = \"%s:80\" real r1 { address = 10.0.0.11 } … }", …);
//	inbound_ask(in, lab_wan_address(in->net->lab, 1, AF_INET), 80, 60);
//	inbound_expect(in, (const int[]){30, 20, 10}, 1);
//	inbound_finish(in);
#ifndef GWD_TEST_NET_INBOUND_H
#define GWD_TEST_NET_INBOUND_H

#include "test/net/net.h"

enum { INBOUND_REALS_MAX = 8 };

struct inbound {
	struct net *net;
	int n; // reals: hosts 1..n
	struct lab_server *server[INBOUND_REALS_MAX];
	struct lab_served before[INBOUND_REALS_MAX];
};

// A lab with servers (TCP and UDP, ports 7, 53, 80, 443, 5060, 7000, 8080, 9000) on its first n hosts; not gwd yet.
struct inbound *inbound_lab(const struct lab_spec *spec, int n);

// The lab's gateways, weight 1 each, and these services. Then gwd runs and every gateway is up.
void inbound_gwd(struct inbound *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A new file, taken over by `gwctl reload`.
void inbound_reload(struct inbound *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

void inbound_finish(struct inbound *in);

// Asks so many times from the internet, over TCP or UDP, one flow after the other; all must be answered.
void inbound_ask(struct inbound *in, const char *vip, uint16_t port, int count);
void inbound_ask_udp(struct inbound *in, const char *vip, uint16_t port, int count);
// One at a time, from this source address; returns the real that answered, 1.., or 0.
int inbound_real_of(struct inbound *in, const struct lab_flow *flow, bool udp);

// How many questions real i (1..) has answered since inbound_mark().
int inbound_served(const struct inbound *in, int real);
void inbound_mark(struct inbound *in);
// Each real's share since the last mark is as given, to within `slack`; and marks.
void inbound_expect(struct inbound *in, const int *want, int slack);

#endif
