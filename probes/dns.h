// SPDX-License-Identifier: GPL-2.0-or-later
// dns: asks a name server a question, by UDP.
//
// Each question has a socket, so a port, of its own, connected to the server; the reply must come from
// there and repeat id, name and type. What does not is ignored, and the wait goes on. A truncated
// reply is a reply. Called by prober.c only.
#ifndef GWD_PROBES_DNS_H
#define GWD_PROBES_DNS_H

struct answer;
struct ask;
struct ask_spec;
struct event_base;

struct ask *dns_ask(struct event_base *base, const struct ask_spec *spec,
		    struct answer *failed); // as prober_ask()

#endif
