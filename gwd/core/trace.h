// SPDX-License-Identifier: GPL-2.0-or-later
// trace: what becomes of a new flow under a plan, and why: the explanation as data.
//
// `gwctl trace` prints it. It goes by what the plan means, step by step as the packet path does (nft/chains.h):
// where the flow comes from, whether main keeps it, the rules, the group, the client's pin, the slot. It
// uses the plan alone, and of the kernel only what `struct trace_world` has: routes, pins, turns. Nothing
// is changed; what others put into the path (firewalls, other marks' owners) it can't know.
//
// What is for a published service is given on to one of its reals (trace_service.c), wherever it comes from.
//
// To add a stage: an origin or an end below, its part in trace_run(), and its line in gwd/trace_text.c.
#ifndef GWD_CORE_TRACE_H
#define GWD_CORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"

#define TRACE_NONE SIZE_MAX

// The first packet. What isn't given matches no selector that asks for it.
struct trace_flow {
	struct addr from, to; // of one family
	bool has_protocol, has_sport, has_dport;
	uint8_t protocol;
	uint16_t sport, dport;
	uint8_t dscp;
	uint32_t mark;
	bool middle; // TCP: of a flow that conntrack doesn't know, not its SYN
};

enum trace_route {
	TRACE_ROUTE_NONE,    // there is none
	TRACE_ROUTE_REFUSES, // one that refuses: blackhole, unreachable, prohibit
	TRACE_ROUTE_OUT,     // by an interface
	TRACE_ROUTE_HERE,    // to this host
	TRACE_ROUTE_MANY,    // broadcast, multicast, anycast
};

// What only the kernel knows. `arg` is the functions'.
struct trace_world {
	bool from_here;         // `from` is this host's own: the flow begins here
	char iif[16];           // else: the interface that it comes in by; "": not known
	enum trace_route route; // main's route to `to`, under the packet's mark
	bool route_is_default;  // it is a default route
	char oif[16];           // TRACE_ROUTE_OUT: by this interface
	bool running;           // this very flow exists already
	uint32_t running_mark;  // and has this connection mark
	struct addr running_at; // answers come from there
	uint16_t running_port;
	bool (*pin)(void *arg, enum plan_table table, const char *map, const uint8_t *key, unsigned size,
		    uint32_t *mark, uint64_t *left_ms);
	bool (*taken)(void *arg, const char *chain, uint64_t *taken); // nft_read_turns()
	// By which interface a packet with that mark reaches a real; "": this host itself. False: by none.
	bool (*way)(void *arg, const struct addr *to, uint32_t mark, char oif[16]);
	void *arg;
};

enum trace_origin {
	TRACE_FROM_LAN,
	TRACE_FROM_HERE,
	TRACE_FROM_GATEWAY, // from outside
	TRACE_FROM_ELSEWHERE,
};

enum trace_end {
	TRACE_TAKEN,   // `gateway` has it
	TRACE_TURN,    // one of those members whose why is TRACE_IN_TURN gets it
	TRACE_MAIN,    // the main table routes it
	TRACE_HERE,    // it is for this host
	TRACE_REFUSED, // RST or ICMP error; TRACE_ROUTE: whatever main's route does
	TRACE_SERVICE, // a service's real has it, `service.real`; TRACE_NONE: one of those in turn
};

enum trace_why {
	TRACE_BY_PIN,     // TAKEN
	TRACE_BY_SLOT,    // by its hash, or there is only one slot
	TRACE_BY_COUNTS,  // whose turn it is by the number of flows
	TRACE_BY_LINK,    // it came in by that gateway, so its answers go there
	TRACE_BY_MARK,    // it has the gateway's mark already
	TRACE_BY_ADDRESS, // an own socket on a link's address
	TRACE_BY_DEVICE,  // an own packet that main or its socket sends by that link
	TRACE_NEXT,       // TURN: whose slot is next
	TRACE_AT_RANDOM,  // TURN: a slot is drawn
	TRACE_INSIDE,     // MAIN: main has a route by another interface than a gateway's
	TRACE_MANY,       // broadcast, multicast, anycast
	TRACE_BYPASS,     // a rule says so
	TRACE_NETWORK,    // its source is in none of the LAN's networks
	TRACE_INTERFACE,  // it comes in by an interface that is neither LAN nor gateway
	TRACE_CONTROL,    // it has the control mark
	TRACE_SEGMENT,    // a server's segment from the middle of a flow
	TRACE_UNROUTED,   // an own flow that main has no route for
	TRACE_INACTIVE,   // gwd has nothing in the kernel
	TRACE_SHARED,     // from outside, by an interface of several gateways: the sender's MAC tells
	TRACE_LOCAL,      // HERE
	TRACE_NOBODY,     // REFUSED: the default balance has no usable gateway
	TRACE_STRICT,     // a strict rule's group has none
	TRACE_ROUTE,      // main has a route that refuses it
	TRACE_UNSERVED,   // HERE: no real of the service takes it
	TRACE_PROXIED,    // HERE: behind syn-proxy only a handshake with this host begins a connection
	TRACE_ORPHAN,     // a segment from the middle of a flow
};

enum trace_selector {
	TRACE_ALL, // every selector matches
	TRACE_OWN, // the rule is for the router's own flows, or for the LAN's, and this is the other
	TRACE_FROM,
	TRACE_TO,
	TRACE_PROTOCOL,
	TRACE_PORTS,
	TRACE_SPORTS,
	TRACE_DSCP,
	TRACE_IN,
	TRACE_MARK,
};

struct trace_rule {
	enum trace_selector against; // the first selector that does not match
	bool open;                   // only because the question does not say it
};

enum trace_member_why {
	TRACE_CHOSEN,
	TRACE_IN_TURN, // has slots
	TRACE_OTHER,   // has slots, but not this one; or the client is pinned elsewhere
	TRACE_DOWN,    // not usable: plan_gateway.reason says why
	TRACE_DRAIN,   // weight 0
	TRACE_FULL,    // max-flows or spill
	TRACE_DEGRADED,
	TRACE_TIER,  // a tier before its own serves
	TRACE_WAITS, // another one is preferred (fo, lowest-latency, least-load)
};

struct trace_member {
	size_t gateway;
	enum trace_member_why why;
	unsigned tier, weight, slots; // `slots` of the group's
};

enum trace_pin {
	TRACE_PIN_OFF,  // not asked: no persistence, or the flow never got there
	TRACE_PIN_NONE, // the client has none
	TRACE_PIN_LIVE, // and it counts
	TRACE_PIN_VOID, // its gateway is not usable here: forgotten
};

// A group that was asked; there are two where a rule's had nobody and the default balance followed.
struct trace_group {
	size_t group;
	enum trace_pin pin;
	size_t pin_gateway; // TRACE_NONE: a mark that no gateway has
	uint64_t pin_left_ms;
	bool has_slot;
	uint32_t slot, n_slots;
	VEC(struct trace_member) members;
};

enum trace_source {
	TRACE_SOURCE_CLIENT,  // the client's own
	TRACE_SOURCE_FULLNAT, // an address of `source`, or of the interface that leads to the real
	TRACE_SOURCE_HAIRPIN, // that interface's, because client and real are in one LAN
	TRACE_SOURCE_LINK,    // the real is reached by a gateway's interface: as whatever leaves there
};

struct trace_real {
	size_t real; // index into the service's
	enum trace_member_why why;
	double share;             // that it has of the slots
	bool reached;             // whether it is chosen or in turn: it is known by which interface
	char out[16];             // by this one; "" this host itself
	enum trace_source source; // what it sees
	size_t speaker;           // TRACE_SOURCE_FULLNAT: the service whose `source` it is
};

// A service that listens there.
struct trace_service {
	size_t service; // index into plan.services; TRACE_NONE: none does
	size_t listen;  // index into the service's
	bool open;      // only it might: the question does not say protocol or port
	bool proxied;   // syn-proxy shakes hands first
	bool direct;    // table netdev sees it first, for reals by dr and tun
	enum trace_pin pin;
	size_t pin_real; // TRACE_NONE: of none that is there
	uint64_t pin_left_ms;
	bool has_slot;
	uint32_t slot, n_slots;
	size_t real;                  // that gets it, index into `reals`; TRACE_NONE
	size_t answer;                // gateway by which answers leave; TRACE_NONE
	VEC(struct trace_real) reals; // those of this family
};

struct trace {
	struct trace_flow flow;
	struct trace_world world;
	enum fam fam;
	enum trace_origin origin;
	enum trace_end end;
	enum trace_why why;
	VEC(struct trace_rule) rules;   // those that were asked, by index into plan.rules; the last may match
	size_t rule;                    // that matched; TRACE_NONE: none, or none was asked
	VEC(struct trace_group) groups; // that were asked, in order
	size_t gateway;                 // TRACE_TAKEN; TRACE_NONE
	// How it leaves. By a gateway: `route` is an index into plan.routes, TRACE_NONE where it has none.
	size_t route;
	bool by_main;        // in spite of the gateway's mark: main has a route for it that is no default
	char oif[16];        // of the packet; "" unknown (TRACE_TURN), or it doesn't leave
	size_t snat;         // gateway whose `snat` is used; TRACE_NONE
	size_t running;      // gateway that carries this very flow now; TRACE_NONE: none
	size_t running_real; // of `service`, that has it; TRACE_NONE: none of those that there are
	bool leftover;       // masqueraded, because the interface is a gateway's
	struct trace_service service;
};

// Fills `trace` (give it zeroed). `plan` is what is applied.
void trace_run(struct trace *trace, const struct plan *plan, const struct trace_flow *flow,
	       const struct trace_world *world);
void trace_free(struct trace *trace);

// Its parts with a file of their own.
// The first rule that matches, TRACE_NONE if none does; notes in trace->rules what it met.
size_t trace_match_rules(struct trace *trace, const struct plan *plan);
// True: the group has given the flow away, and end, why and gateway are filled in.
bool trace_pick(struct trace *trace, const struct plan *plan, size_t group);
// Which slot of so many a hash scheduler has for the flow. False: it is none, or its port is not known.
bool trace_hash(const struct trace_flow *flow, enum scheduler scheduler, uint32_t n_slots, uint32_t *slot);
enum trace_why trace_slot_why(enum scheduler scheduler, bool certain);
// Whether a service listens there: service.service, .listen, .open, .direct.
bool trace_listener(struct trace *trace, const struct plan *plan);
// Who of it takes the flow: `service`, and end and why if somebody does.
void trace_inbound(struct trace *trace, const struct plan *plan);
// What each real that may get it sees, and by which interface it is reached.
void trace_reals(struct trace *trace, const struct plan *plan);
// The gateway that a verdict "in.ID.GATEWAY" of a map stands for; TRACE_NONE: there is none.
size_t trace_gateway_in(const struct plan *plan, const char *map, const void *key, size_t size);

#endif
