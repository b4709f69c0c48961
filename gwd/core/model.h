// SPDX-License-Identifier: GPL-2.0-or-later
// model: what the operator asked for: the configuration file as data, every value checked, every
// name resolved, every default filled in.
//
// conf/ builds it, everyone else reads it. A model is one arena and is replaced whole by a reload;
// nobody writes into it afterwards. Things refer to each other by index into the model's arrays;
// other modules remember things by name, never by pointer.
#ifndef GWD_CORE_MODEL_H
#define GWD_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

#define MODEL_NAME_MAX 31   // a name: a letter, then letters, digits, '-' and '_'
#define MODEL_IFNAME_MAX 15 // IFNAMSIZ - 1
#define MODEL_PORT_ANY_LAST 65535
#define MODEL_REAL_NAME_SIZE (2 * MODEL_NAME_MAX + 2) // "SERVICE/REAL" with the 0

enum scheduler {
	SCHED_RR,             // weights count as 1 (0 still drains)
	SCHED_WRR,            // smooth weighted round robin
	SCHED_RANDOM,         // weighted random
	SCHED_SH,             // by hash of the source address
	SCHED_DH,             // by hash of the destination address
	SCHED_MH,             // by hash of source address and port
	SCHED_FO,             // the usable member with the highest weight
	SCHED_LC,             // the fewest live flows
	SCHED_WLC,            // the fewest live flows by weight
	SCHED_SED,            // the same, counted with the flow that is to come
	SCHED_NQ,             // an idle one first, else as sed
	SCHED_LEAST_LOAD,     // in turn, by free capacity
	SCHED_LOWEST_LATENCY, // the quickest one
};

enum persist_by { PERSIST_SOURCE, PERSIST_SOURCE_DESTINATION };
enum addr_mode { ADDR_MODE_AUTO, ADDR_MODE_NONE, ADDR_MODE_STATIC };
enum snat_mode { SNAT_MASQUERADE, SNAT_ADDRESS /* or a range */, SNAT_NONE, SNAT_PREFIX };
enum failback { FAILBACK_STAY, FAILBACK_RESET };
enum probe_type { PROBE_ICMP, PROBE_TCP, PROBE_HTTP, PROBE_HTTPS, PROBE_DNS, PROBE_ARP, PROBE_EXEC };
enum probe_record { // with the numbers of DNS
	RECORD_A = 1,
	RECORD_NS = 2,
	RECORD_CNAME = 5,
	RECORD_SOA = 6,
	RECORD_PTR = 12,
	RECORD_MX = 15,
	RECORD_TXT = 16,
	RECORD_AAAA = 28,
};
enum forward {           // how a connection reaches a real; the names are LVS's
	FORWARD_NAT,     // destination translated; the real answers through us
	FORWARD_FULLNAT, // source translated as well: a real may be anywhere
	FORWARD_DR,      // the packet as it is, to the real's MAC address; the real answers by itself
	FORWARD_TUN,     // the same inside a tunnel
	FORWARD_LOCAL,   // a listener on this host
};
enum real_role { ROLE_REAL, ROLE_BACKUP /* while all reals are down */, ROLE_SORRY /* the last resort */ };
enum rule_target { RULE_BALANCE, RULE_GATEWAY, RULE_BYPASS };

struct model_globals {
	uint32_t mark_mask;     // one run of 6 or more bits
	uint32_t table_base;    // tables table_base+1 .. table_base+ids
	uint32_t rule_priority; // ip rules from here on, model_rule_priorities()
	bool fastpath;          // auto (true) | off
	bool remove_on_exit;
	const char *control;       // path of the control socket
	const char *control_group; // group name, "" = only root
	const char *notify;        // program to run on every change of state; NULL: none
	struct addr http;          // the web page's address
	uint16_t http_port;        // 0: no page
};

struct model_lan {
	const char **interfaces; // names, or names with a `*` at the end
	size_t n_interfaces;
	struct prefix *networks; // empty: every source
	size_t n_networks;
	int line;
};

struct model_status {
	uint16_t first, last; // HTTP status codes, 100..599
};

struct model_probe {
	const char *name;
	int line;
	enum probe_type type;
	struct addr *targets; // these and the names empty: the gateway's own next hop
	size_t n_targets;
	const char **target_names; // targets by name, looked up through the link that is probed
	size_t n_target_names;
	unsigned need;        // targets of one family that must answer, 1..
	unsigned interval_ms; // while all is well
	unsigned fast_ms;     // after a first miss, until the verdict
	unsigned timeout_ms;  // an answer later than this is a miss
	unsigned fall;        // misses in a row until down, 1..
	unsigned rise;        // answers in a row until up, 1..
	unsigned hold_ms;     // least time answering again before the next `up`; doubled while it flaps

	// What is asked, and what is a good answer. NULL, empty or 0 where the type has no such option.
	uint16_t port;               // tcp, http, https, dns; tcp for reals only: may be 0
	bool own_port;               // it was left out: a real is asked at its own port where that is known
	const char *path;            // http, https: begins with '/'
	const char *host;            // http, https: for Host and SNI; NULL: the target as it is written
	struct model_status *status; // http, https: never empty there
	size_t n_status;
	const char *expect;       // http, https: text that the body must have; NULL: any body
	bool verify;              // https: the certificate must be good for `host`
	const char *query;        // dns: the name that is asked for
	enum probe_record record; // dns
	struct addr expect_addr;  // dns: one of the records must be this address; none: any answer
	bool any_rcode;           // dns: NXDOMAIN, SERVFAIL and REFUSED are answers, too
	const char *command;      // exec: absolute path
	// Worse than this over `window_ms` is degraded; 0: not judged by it.
	unsigned loss_percent, latency_ms, jitter_ms;
	unsigned window_ms; // span of loss, latency and jitter; never 0
};

struct model_snat {
	enum snat_mode mode;
	struct addr first, last; // SNAT_ADDRESS; equal unless a range
	struct prefix prefix; // SNAT_PREFIX: takes the place of a source's own; length 0: the delegated one
};

struct model_gateway {
	const char *name;
	int line;
	const char *interface;
	enum addr_mode addr_mode[FAM_COUNT];
	struct addr address[FAM_COUNT]; // ADDR_MODE_STATIC: the next hop
	struct model_snat snat[FAM_COUNT];
	unsigned weight; // 0 drains
	size_t *probes;  // indices into model.probes; never empty (conf adds a default probe)
	size_t n_probes;
	unsigned need; // how many of the probes must be up, 1..n_probes
	enum failback failback;
	unsigned slow_start_ms; // coming back into use it reaches its weight over this time; 0: at once
	uint32_t max_flows;     // at so many live flows new ones go elsewhere; 0: off
	uint64_t bandwidth_bps; // bits a second, of either direction; 0: not known
	unsigned spill_percent; // above this share of the bandwidth new flows go elsewhere; 0: off
};

struct model_use {
	size_t gateway;  // index into model.gateways
	unsigned tier;   // 1..; tier 2 serves when no tier 1 gateway is usable
	unsigned weight; // the gateway's own unless the `use` section says otherwise
};

struct model_balance {
	const char *name;
	int line;
	enum scheduler scheduler;
	unsigned persistence_ms; // 0: off
	enum persist_by persist_by;
	unsigned persist_mask[FAM_COUNT]; // prefix lengths
	struct model_use *uses;
	size_t n_uses;
};

struct model_ports {
	uint16_t first, last;
};

struct model_rule {
	const char *name;
	int line;
	// Selectors. An empty list matches everything; between lists it is AND, within a list OR.
	struct prefix *from, *to;
	size_t n_from, n_to;
	const char **to_names; // and whatever addresses these have
	size_t n_to_names;
	uint8_t *protocols; // IPPROTO_*
	size_t n_protocols;
	struct model_ports *ports,
		*sports; // only with protocols that have ports (tcp and udp if none is given)
	size_t n_ports, n_sports;
	uint8_t *dscp; // 0..63
	size_t n_dscp;
	const char **interfaces; // as model_lan.interfaces
	size_t n_interfaces;
	bool has_mark; // packet & mark_mask == mark
	uint32_t mark, mark_mask;
	bool own; // the router's own traffic instead of the LAN's
	enum rule_target target;
	size_t balance, gateway; // index, for RULE_BALANCE and RULE_GATEWAY
	bool strict;             // refuse the flow while the target has no usable gateway
};

// ---- inbound: services and their real servers ------------------------------------------------

struct model_listen {
	struct addr addr;
	uint16_t first, last; // ports; 0 and MODEL_PORT_ANY_LAST: any
	int line;
};

struct model_real {
	const char *name; // unique in its service; the sorry server's is "sorry"
	int line;
	enum real_role role;
	enum forward forward;
	struct addr address;      // none: FORWARD_LOCAL, which serves both families
	uint16_t port;            // 0: the one that the client asked for
	unsigned weight;          // 0 drains
	uint32_t max_connections; // 0: no limit
	uint32_t min_connections; // once full it takes new ones again below this; 1..max_connections
	size_t *probes;           // indices into model.probes; none: taken to be up
	size_t n_probes;
	unsigned need; // how many of the probes must be up, 1..n_probes; 0 without probes
};

struct model_service {
	const char *name;
	int line;
	struct model_listen *listens; // never empty
	size_t n_listens;
	uint8_t *protocols; // IPPROTO_TCP, _UDP, _SCTP; never empty
	size_t n_protocols;
	struct addr source_first[FAM_COUNT], source_last[FAM_COUNT]; // fullnat speaks from these; none: from
								     // the outgoing interface's address
	enum scheduler scheduler;
	unsigned persistence_ms; // 0: off
	unsigned persist_mask[FAM_COUNT];
	unsigned slow_start_ms; // a real that comes up reaches its weight over this time; 0: at once
	bool syn_proxy;
	bool ftp;
	bool cut;                   // on-removal: end the flows of a real that is taken out
	const char *vip_interface;  // gwd puts the listeners' addresses on it; NULL: they are there
	uint32_t limit_connections; // at a time from one source; 0: no limit
	uint32_t limit_rate;        // new ones a second from one source; 0: no limit
	struct model_real *reals;   // reals in file order, then backups, then the sorry server
	size_t n_reals;
};

struct model {
	struct arena *arena;
	const char *path; // of the file it came from
	struct model_globals globals;
	struct model_lan lan;
	struct model_probe *probes;
	size_t n_probes;
	struct model_gateway *gateways;
	size_t n_gateways;
	struct model_balance *balances; // one of them is "default"
	size_t n_balances;
	size_t default_balance;
	struct model_rule *rules; // in file order: first match
	size_t n_rules;
	struct model_service *services;
	size_t n_services;
};

void model_free(struct model *model); // NULL is fine

// Index of the gateway of that name, or -1.
int model_find_gateway(const struct model *model, const char *name);

// The port at which a real answers: its own, or the only one that the service listens on; 0: it depends on what
// the client asked for.
uint16_t model_real_port(const struct model_service *service, const struct model_real *real);

// "SERVICE/REAL": indices into model.services and its reals. False: there is none.
bool model_find_real(const struct model *model, const char *name, size_t *service, size_t *real);

// True when `name` is `pattern`, or begins with what stands before a final '*'.
bool model_interface_matches(const char *pattern, const char *name);

// How many gateway ids the mask has room for: all values but 0 and all-ones (control packets), 254 at most.
unsigned model_max_ids(uint32_t mark_mask);

const char *probe_type_name(enum probe_type type); // "icmp", …
// How many priorities of ip rules gwd uses, from rule_priority on.
unsigned model_rule_priorities(uint32_t mark_mask);

const char *scheduler_name(enum scheduler scheduler);
const char *forward_name(enum forward forward); // "nat", …
const char *role_name(enum real_role role);     // "real", "backup", "sorry"
bool forward_is_direct(enum forward forward);   // dr, tun: packets reach the real as they are

#endif
