// SPDX-License-Identifier: GPL-2.0-or-later
// dying: what tests of reals that die need beside inbound.h: addresses of a service of its own on each link, the
// death of a real and its return, and what `gwctl -j status` says of it.
#ifndef GWD_TEST_NET_DYING_H
#define GWD_TEST_NET_DYING_H

#include "test/net/inbound.h"

// An address of isp K's link, which the internet reaches by it, on the router: 100.64.K.17, 2001:db8:K:80::17.
const char *dying_vip(int family, int isp);
void dying_vips(struct inbound *in);

// Whatever that real sends or gets on ports below 10000 is lost; and again not. (So is not what its host does as a
// client, such as the control flow.)
void dying_kill(struct inbound *in, int real);
void dying_revive(struct inbound *in, int real);

// Of `gwctl -j status`: a service's "serving", a real's "state"; "" if there is none. Text until the next call.
const char *dying_serves(struct inbound *in, const char *service);
const char *dying_state(struct inbound *in, const char *service, const char *real);
void dying_wait_serving(struct inbound *in, const char *service, const char *serving, int timeout_ms);
void dying_wait_state(struct inbound *in, const char *service, const char *real, const char *state,
		      int timeout_ms);

// What is live there; -1: not known.
long dying_flows(struct inbound *in, const char *service, const char *real);
void dying_wait_flows(struct inbound *in, const char *service, const char *real, long flows, int timeout_ms);

#endif
