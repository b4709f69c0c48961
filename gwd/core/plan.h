// SPDX-License-Identifier: GPL-2.0-or-later
// plan: everything that should be in the kernel, as plain data.
//
// plan_build() derives it from model, facts and verdicts; plan_diff() turns two plans into the
// operations that lead from one to the other; nft/ and the shell's routes module carry those out and
// are the only writers. A plan holds no pointer into anything else and can be compared, printed
// (`gwd -n`) and kept as what was applied.
//
// Two kinds of content: *elements* (routes, ip rules, set and map elements) are diffed one by one.
// The *chains* are a pure function of the plan's description (gateways, groups, rules); where their
// `shape` hash is unchanged nothing about them is touched, so counters, pins and flows survive.
//
// Outbound path of a new flow (see nft/ for the chains):
//   prerouting -> class.in (by interface: LAN or gateway) -> rules -> group -> pin | slot -> take.ID
// A *group* is a balance as the packet path sees it: a balance for LAN traffic, the same balance
// without pins for the router's own traffic, or a rule's single gateway with its fallback.
#ifndef GWD_CORE_PLAN_H
#define GWD_CORE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"

#define PLAN_NAME_SIZE 96                          // names of chains and sets, with the 0
#define PLAN_GROUP_NAME_SIZE (MODEL_NAME_MAX + 10) // "sole." and ".own" around a name
#define PLAN_PROTOCOL 200                          // rtm_protocol of every route and ip rule of ours
#define PLAN_TABLE_MAIN 254
#define PLAN_METRIC_LAST 4278198272u            // of the unreachable default behind each gateway's own
#define PLAN_METRIC_LATE (PLAN_METRIC_LAST - 1) // of the one behind an address of a link
#define PLAN_PIN_SIZE 131072      // room of a pin map: elements that time out count until collected
#define PLAN_IDS_SIZE 256         // room of a set or map by gateway mark (a sized one is looked up faster)
#define PLAN_IFACES_SIZE 8192     // of a map by interface: 4094 VLANs and more
#define PLAN_CONNS_SIZE 262144    // of a map of connections (dr), running ones
#define PLAN_SOON_OVER_SIZE 65536 // of those that begin or end
#define PLAN_FRAGMENTS_SIZE 4096  // of packets that come in pieces
#define PLAN_VIPS_SIZE 1024       // least room of a map by listener
#define PLAN_WAKE_PRIORITY \
	0x67776400u                // skb priority of wake-up segments that leave by a gateway: not tracked
#define PLAN_HASH_SEED 0x67776400u // of the sh and dh schedulers, so that they agree over a restart

// ---- routes and ip rules -------------------------------------------------------------------

enum plan_route_type {
	PLAN_ROUTE_LEADS,
	PLAN_ROUTE_UNREACHABLE, // the sender is told
	PLAN_ROUTE_BLACKHOLE,   // nobody is told
	PLAN_ROUTE_THROW,       // the next ip rules decide
};

struct plan_route {
	enum fam fam;
	enum plan_route_type type; // but for those that lead, oif, via and source are unset
	uint32_t table;
	struct prefix to; // none: the default
	uint32_t metric;
	uint32_t oif;       // interface index
	char ifname[16];    // its name, for people
	struct addr via;    // none: straight onto the link
	struct addr source; // preferred source, or none
};

struct plan_iprule {
	enum fam fam;
	uint32_t priority;
	uint32_t mark, mask; // mask 0: any packet (mark 0 with a mask: one without those bits)
	uint32_t table;
	bool suppress_default; // suppress_prefixlength 0
	char iif[16];          // "": whatever interface it came in
	uint32_t skip_to;      // go on at the rule of that priority; this and table 0: a rule to skip to
};

struct plan_sysctl {
	char path[96]; // below /proc/sys, with slashes: "net/ipv4/ip_forward"
	char value[16];
	char only_if[16]; // written only where the value found is this one; "": whatever is found
	char why[64];     // for `gwd -t` and the log
};

// An address that gwd puts on an interface.
struct plan_vip {
	uint32_t index;
	char ifname[16];
	struct addr addr;
};

// A tunnel to reals by tun (tunnel.h). IPv4 in IPv4, or IPv6 in IPv6.
struct plan_tunnel {
	char ifname[16];
	struct addr remote;
	struct addr local; // IPv4: none, the route decides
};

// ---- sets and maps -------------------------------------------------------------------------

// Types of one field of a key or of a map's data; the kernel pads each field to 4 bytes.
enum plan_type {
	PLAN_T_NONE,
	PLAN_T_MARK,     // uint32_t, host order
	PLAN_T_INDEX,    // uint32_t, host order: a slot number (typeof numgen inc mod N)
	PLAN_T_IPV4,     // 4 bytes
	PLAN_T_IPV6,     // 16 bytes
	PLAN_T_IFNAME,   // 16 bytes, zero padded
	PLAN_T_ETHER,    // 6 bytes
	PLAN_T_PROTO,    // 1 byte
	PLAN_T_PORT,     // 2 bytes, network order
	PLAN_T_VERDICT,  // data only: goto `chain`
	PLAN_T_IFINDEX,  // uint32_t, host order
	PLAN_T_BYTE,     // 1 byte: an IPv4 destination's first (typeof @nh,128,8)
	PLAN_T_FRAGMENT, // 2 bytes, network order: the number that fragments of one IPv4 packet share
};

#define PLAN_KEY_SIZE 44

enum plan_table { PLAN_INET, PLAN_NETDEV /* packets as a device takes them in */, PLAN_TABLES };

struct plan_elem {
	uint8_t key[PLAN_KEY_SIZE]; // the fields one after the other, each padded to 4 bytes
	uint8_t last[16]; // interval sets: the last key of the range (inclusive); data that is an address: it
	// Data of type PLAN_T_MARK, _IFINDEX; beside an address: the port; in a dynamic set with timeouts: ms.
	uint32_t mark;
	char chain[PLAN_NAME_SIZE]; // data of type PLAN_T_VERDICT: where to go
};

struct plan_set {
	char name[PLAN_NAME_SIZE]; // there is no other of that name in either table
	enum plan_table table;
	enum plan_type key[5]; // unused fields are PLAN_T_NONE
	enum plan_type data;   // PLAN_T_NONE: a set, not a map
	bool data_port;        // data is an address and a port
	bool jump;             // verdicts jump there and come back
	bool dynamic;  // written by the packet path (with timeouts); gwd neither diffs nor lists its elements
	bool timeless; // dynamic, but elements stay for as long as they count something
	uint32_t sweep_ms; // dynamic: what is over is taken out so often; 0: as the kernel likes
	bool interval;     // keys are ranges key..last of one field
	bool flowtable;    // no set but the flowtable; keys are indices of devices, `last` has their names
	bool ingress;      // no set but the devices that have a chain in table netdev; the same keys
	bool own;          // of one service alone; not known of what was read back
	uint32_t size;     // room, 0: no limit
	uint32_t modulus;  // key PLAN_T_INDEX: the N of "numgen inc mod N"
	VEC(struct plan_elem) elems; // sorted by key
};

// ---- what the chains are made from ---------------------------------------------------------

struct plan_gateway {
	char name[MODEL_NAME_MAX + 1];
	unsigned id;   // 1.., stable by name over reloads and restarts
	uint32_t mark; // the id under the mark mask
	char ifname[16];
	bool shared; // another gateway uses the same interface
	struct model_snat snat[FAM_COUNT];
	bool move_flows[FAM_COUNT]; // not usable while another one is: its flows must end or move
	bool reset_others;         // failback = reset: its return ends the flows of those who stood in for it
	unsigned slow_start_ms;    // coming back into use it is ramped up over this time
	unsigned held[FAM_COUNT];  // what it therefore does not take of its share, of RAMP_FULL (ramp.h)
	bool snat_here[FAM_COUNT]; // the fixed address of `snat` is one of the interface (link.h)
	bool snat_near[FAM_COUNT]; // it is a neighbour of the link's own, which the router itself keeps
	struct addr source[FAM_COUNT]; // what masquerading speaks from; none while there is no path
	// For status, not for the kernel:
	bool usable[FAM_COUNT];   // takes new flows of this family where a group's tiers allow
	bool full;                // new flows go elsewhere if they can (max-flows, spill)
	bool degraded[FAM_COUNT]; // usable, but only while nothing better is
	bool has_next_hop[FAM_COUNT];
	enum state state;
	char reason[200];
	unsigned weight; // that counts: the file's, or what is set by hand
	char manual[80]; // what is set by hand and since when; "": nothing
};

struct plan_member {
	size_t gateway; // index into plan.gateways
	unsigned tier, weight;
	unsigned undrained;     // the weight without a drain by hand: what n_slots is made for
	bool active[FAM_COUNT]; // in the slots now
	bool live[FAM_COUNT];   // flows that are pinned to it may stay
};

struct plan_group {
	char name[PLAN_GROUP_NAME_SIZE]; // "default", "default.own", "via.fiber", "sole.fiber.own"
	size_t balance; // index into model.balances, for status; SIZE_MAX for via.* and sole.*
	enum scheduler scheduler;
	bool own;                // for the router's own traffic: runs in the output hook
	bool spills;             // nobody here takes new flows while full: a rule's gateway that isn't strict
	uint32_t persistence_ms; // 0: no pins
	enum persist_by persist_by;
	uint8_t persist_mask[FAM_COUNT];
	uint32_t n_slots[FAM_COUNT]; // N of this group's slot maps; never 0
	unsigned tier[FAM_COUNT];    // that serves now; 0: nobody does
	VEC(struct plan_member) members;
};

struct plan_rule {
	char name[MODEL_NAME_MAX + 1];
	// selectors as in model_rule; the vectors are the plan's own copies
	VEC(struct prefix) from;
	VEC(struct prefix) to;
	VEC(uint8_t) protocols;
	VEC(struct model_ports) ports;
	VEC(struct model_ports) sports;
	VEC(uint8_t) dscp;
	bool by_name; // `to` is matched through the sets "dst4.rule.NAME" and "dst6…", which hold it too
	bool by_interface; // matched through the set "if.rule.NAME", which follows wildcards
	bool has_mark;
	uint32_t mark, mark_mask;
	bool own;
	bool bypass;
	size_t group; // index into plan.groups, unless bypass
	bool strict;  // no usable member: refuse; else: go on with the default balance's group
};

// ---- inbound: services ---------------------------------------------------------------------

struct plan_listen {
	struct addr addr;
	uint16_t first, last; // ports
};

struct plan_real {
	char name[MODEL_NAME_MAX + 1];
	enum real_role role;
	enum forward forward;
	bool fam[FAM_COUNT]; // families that it serves
	struct addr address; // none: a listener on this host
	uint16_t port;       // 0: the one that the client asked for
	uint32_t id;         // never 0, unique in the plan, stable by name: what a pin remembers
	uint32_t oif;        // dr: index of the interface that leads to it; tun: of its tunnel; 0: none does
	char ifname[16];     // its name
	unsigned weight;     // that counts now: the file's, or by hand, ramped; 0 drains
	unsigned undrained;  // without a drain by hand: what n_slots is made for
	unsigned held;       // what it does not take of its share yet, of RAMP_FULL (ramp.h)
	uint32_t max_connections, min_connections;
	bool active[FAM_COUNT]; // in the slots now
	bool live[FAM_COUNT];   // clients that are pinned to it may stay
	bool usable;            // false: its flows are ended
	bool full;              // at max-connections, and not below min-connections since
	// For status:
	enum state state;
	const char *reason; // of base/words.h: there are as many reals as there may be
	const char *manual; // the same
	uint64_t connections, closed;
};

// Reals are tier 1, backups tier 2, the sorry server tier 3 of one pool.
struct plan_service {
	char name[MODEL_NAME_MAX + 1];
	enum scheduler scheduler;
	uint32_t persistence_ms; // 0: no pins
	uint8_t persist_mask[FAM_COUNT];
	bool fam[FAM_COUNT];      // it listens there
	bool direct;              // it has reals by dr or tun: table netdev sees its packets first
	bool tunnel[FAM_COUNT];   // some of its reals are by tun
	uint32_t near[FAM_COUNT]; // index of the one interface that leads to all its reals; 0: there is none
	bool inet;                // it has others (or none by dr or tun): those are table inet's
	bool by_real;             // slots lead to a chain for each real, not straight to its address
	bool keep_port;           // !by_real: addresses without ports
	bool gated;               // some reals have max-connections: who has no place is passed over
	bool direct_gated;        // the same of those by dr and tun
	bool cut;
	bool fullnat[FAM_COUNT];                                     // it has such reals
	struct addr source_first[FAM_COUNT], source_last[FAM_COUNT]; // fullnat; none: the interface's
	uint32_t limit_connections, limit_rate;
	bool syn_proxy, ftp;
	uint32_t n_slots[FAM_COUNT];
	unsigned tier[FAM_COUNT]; // that serves now; 0: nobody does
	VEC(struct plan_listen) listens;
	VEC(uint8_t) protocols;
	VEC(struct plan_real) reals;
};

enum serving { SERVING_NOTHING, SERVING_REALS, SERVING_BACKUP, SERVING_SORRY }; // by tier

#define PLAN_SERVICE_REASON 64

// Who takes new connections, in the family that is worst off of those in which the service listens and has
// reals at all; and why in words: "1 of 3 reals usable".
enum serving plan_serving(const struct plan_service *service);
const char *plan_serving_reason(const struct plan_service *service, char text[PLAN_SERVICE_REASON]);
const char *serving_name(enum serving serving); // "nothing", "reals", "backup", "sorry"

struct plan {
	uint32_t mark_mask;
	bool active;       // false: nothing of ours should be in the kernel (on-exit remove, flush)
	bool netdev;       // there is a second table, of family netdev
	bool outbound;     // there is a gateway or a LAN; else nobody's packets need a mark
	bool lan_networks; // LAN sources are narrowed by the sets lan4 and lan6
	bool inside; // the sets inside4 and inside6 say what does not go out; else the packet path asks main
	VEC(struct plan_gateway) gateways;
	VEC(struct plan_group) groups;
	VEC(struct plan_rule) rules;
	size_t default_group, default_own_group; // indices into groups
	VEC(struct plan_service) services;       // the model's, in the model's order
	bool lent; // they, and the elements of sets that are one service's alone, belong to another plan
	VEC(struct plan_route) routes;   // sorted
	VEC(struct plan_iprule) iprules; // sorted
	VEC(struct plan_sysctl) sysctls;
	VEC(struct plan_vip) vips;       // sorted
	VEC(struct plan_tunnel) tunnels; // sorted
	uint32_t tunnel_mtu[FAM_COUNT];  // of the narrowest of them; 0: there are none
	VEC(struct plan_set) sets;       // sorted by name
	uint64_t shape;                  // hash of all that the chains and the sets' declarations depend on
	uint64_t frame; // the same without what is one service's alone; 0: only the shape is known
};

const struct plan_real *plan_find_real(const struct plan *plan,
				       const char *name); // "SERVICE/REAL"; NULL: none

void plan_free(struct plan *plan); // without what is lent

// From two plans that share their services: those are `plan`'s from now on.
void plan_keep(struct plan *plan, struct plan *lender);

void plan_free_service(struct plan_service *service);                            // what it points to
const struct plan_set *plan_find_set(const struct plan *plan, const char *name); // NULL: none

// Its slots are drawn in a chain of their own, because more than one leads there.
bool plan_service_picks_apart(const struct plan_service *service);

// By dr or tun: what comes in is handed on by table netdev, and never comes back this way.
bool plan_real_is_direct(const struct plan_real *real);

// By dr or tun, and with max-connections: it has a set of places in table netdev.
bool plan_real_has_places(const struct plan_real *real, enum fam fam);

// An interval set of addresses has this one. NULL has none.
bool plan_set_has_addr(const struct plan_set *set, const struct addr *addr);

// Its choice can't be made again for the next packet of the same connection: it has to be remembered.
bool plan_draw_has_state(enum scheduler scheduler);

unsigned plan_type_size(enum plan_type type);           // bytes without padding; 0 for NONE and VERDICT
unsigned plan_set_key_size(const struct plan_set *set); // bytes, with the padding between fields
int plan_route_compare(
	const struct plan_route *a,
	const struct plan_route *b); // by what makes it one route: family, table, prefix, metric
bool plan_route_equal(const struct plan_route *a, const struct plan_route *b); // in all that the kernel sees
const char *plan_route_type_text(enum plan_route_type type); // as ip(8) says it; "" for those that lead
bool plan_route_is_guard(
	const struct plan_route *route); // in main, behind a route to what is inside: for when that goes
int plan_iprule_compare(const struct plan_iprule *a, const struct plan_iprule *b); // in all fields
int plan_elem_compare(const struct plan_elem *a, const struct plan_elem *b);       // by key

// The control mark (all ones under the mask): gwd's own wake-up segments; not tracked.
uint32_t plan_control_mark(const struct plan *plan);

#endif
