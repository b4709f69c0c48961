// SPDX-License-Identifier: GPL-2.0-or-later
// ending: ends the connections of a real that can't carry them any more, so that they go on, or begin anew,
// with another one at once (failover.h does it for gateways).
//
// The engine calls it when new ones are led elsewhere already. Conntrack's entries that came to one of the
// service's listeners and are answered by the real are deleted. UDP then moves with its next datagram. A TCP
// client's next segment belongs to no connection: it comes to another real, or to this host if there is
// none, which answers with a reset, in sequence. A client that only listens is made to speak: a bare ACK
// from the listener, by the link that the connection came in on.
//
// It comes in two steps. 10 ms after the change, when what was under way then has reached conntrack: TCP connections that
// were not answered yet, since the client's next SYN shall find somebody else, and UDP flows that were, which move. 100 ms
// later: the others. A real may fail its checks and serve on for the moment: short requests under way get their answers.
//
// Looking through conntrack costs what the kernel's table is large, so it is done once for all that waits for it (the
// second step has what the first one found), and the dearer it is the longer it waits for others, up to 90 ms.
#ifndef GWD_ENDING_H
#define GWD_ENDING_H

#include <stdint.h>

struct conntrack;
struct ending;
struct err;
struct event_base;
struct facts;
struct nft;
struct plan;
struct plan_real;
struct plan_service;

// `ct` stays the caller's and must outlive it.
struct ending *ending_new(struct event_base *base, struct conntrack *ct);
void ending_free(struct ending *ending); // NULL is fine

// Another model's plan is in force: listeners may be other services' now, or nobody's. Who came by them stays, and ends
// when the real does.
void ending_keep_former(struct ending *ending, const struct plan *old, const struct plan *plan);

// Notes one real. ending_soon() has all that were noted ended. `applied`: what is in force. `mask`: of the gateways' marks.
// `facts` tell which addresses are the router's own. What can't be done is logged.
void ending_real(struct ending *ending, const struct plan *applied, const struct plan_service *service,
		 const struct plan_real *real);
void ending_soon(struct ending *ending, uint32_t mask, const struct facts *facts);

// Notes a service that somebody serves again: nobody did, and this host had what came for it. A client that kept its
// port (UDP) would stay there as long as it does not fall silent.
void ending_host(struct ending *ending, const struct plan_service *service);

// The same for a real by dr or tun, whose connections the packet path alone knows, and ends or moves when they
// speak: here the clients are made to. `applied`: what is in force.
int ending_direct(struct ending *ending, struct nft *nft, const struct plan *applied,
		  const struct plan_service *service, const struct plan_real *real, struct err *err);

// It takes connections again: those that it has stay. Those that were led to it where it was before end all the same.
void ending_cancel(struct ending *ending, const struct plan_service *service, const struct plan_real *real);

#endif
