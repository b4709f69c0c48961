// SPDX-License-Identifier: GPL-2.0-or-later
// engine_priv: the engine's inside, shared by engine.c (life, events, getters) and settle.c (plan,
// diff, apply). Nobody else includes it.
#ifndef GWD_ENGINE_PRIV_H
#define GWD_ENGINE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/ids.h"
#include "gwd/core/manual.h"
#include "gwd/core/plan.h"
#include "gwd/core/ramps.h"
#include "gwd/core/turns.h"
#include "gwd/engine.h"
#include "gwd/events.h"
#include "gwd/reals.h"

struct direct_counts;
struct leaving;
struct event;
struct evidence;
struct loads;
struct name_watch;
struct notify;
struct occupancy;
struct ops;
struct real_loads;
struct tunnels;
struct vips;
struct unpinned;
struct vacancy;
struct ct_flow;

#define ENGINE_PATH 512 // of files beside the control socket

// Since when a gateway has the state it has.
struct engine_since {
	char gateway[MODEL_NAME_MAX + 1];
	enum state state;
	bool usable[FAM_COUNT];
	int64_t since_ms;
};

struct engine_rate {
	char ifname[16];
	uint64_t rx_bytes, tx_bytes;
	double rx_bps, tx_bps; // bits per second, smoothed
};

struct engine {
	struct event_base *base;
	struct model *model;
	struct ids ids;
	struct plan applied;
	bool planned;         // with the services of this model
	bool stood;           // which are those of the plan before
	struct manual manual; // what is set by hand
	bool manual_left;     // not all of it is noted and in force: the same command again sees to it
	char manual_path[ENGINE_PATH];
	bool flushed;       // by the operator: nothing of ours in the kernel until a reload
	bool first_load;    // the table was not there at the start
	bool reread_routes; // the kernel's routes and rules may differ from `applied`
	bool reread_nft;    // so may its table
	bool doubt_nft;     // something may have gone with an interface: the next comparison reads it
	unsigned compared;  // how often it was, since all of it was
	int64_t started_ms, applied_ms;
	struct err failure;       // why not all that should be in force is; "" when it is
	struct err failure_minor; // of the last apply: what the rest could go on without
	unsigned backoff_ms;      // until the next try
	VEC(struct engine_since) since;
	struct reals reals; // of the services
	VEC(struct engine_rate) rates;
	int64_t rates_ms;

	void (*reloaded)(void *arg);
	void *reloaded_arg;

	struct events *events;
	struct events_watch notify_watch;
	struct notify *notify;

	struct netmon *netmon;
	struct routes *routes;
	struct sysctl *sysctl;
	struct vips *vips;
	struct tunnels *tunnels;
	struct nft *nft;
	bool flowtable; // the kernel has them
	struct nft_listener *listener;
	struct conntrack *conntrack;
	struct failover *failover;
	struct ending *ending;
	struct monitor *monitor;
	struct name_watch *name_watch; // of the names in rules
	struct loads *loads;
	struct real_loads *real_loads;
	struct evidence *evidence;
	struct turns turns;  // of the groups that go by counts
	bool turns_unknown;  // the chains were loaded anew, or never read
	int64_t steered_ms;  // engine_steer() ran last
	struct event *steer; // it is due
	struct unpinned *unpinned;
	struct occupancy *occupancy; // of reals with max-connections
	struct event *occupy;        // it is due
	bool occupy_failed;
	struct vacancy *vacancy;    // their places
	struct event *count_direct; // connections by dr and tun are due to be counted
	struct direct_counts *counts;
	bool count_failed;
	unsigned overdue;        // so many seconds in a row probes came too late
	int64_t overdue_told_ms; // 0: never
	size_t leaving;          // reals by dr that were taken out and have connections yet
	struct ramps ramps;      // who came back into use when
	struct event *ramp;      // a step of theirs is due
	struct event *settle, *retry, *listen, *resync, *measure; // resync: resync.c
};

// Builds the plan, applies what differs from `applied`, and makes it `applied`. -errno: the kernel's table
// could not be changed, and `applied` is what it is known to have. 0: it was; if a route or a
// sysctl was refused all the same, `failure` says so.
int engine_settle(struct engine *engine);

// Gateways that the model has no longer.
void settle_forget_old(struct engine *engine);

// Those of its parts that the short way for reals (settle_reals.c) needs, too.
int settle_apply(struct engine *engine, struct plan *to, const struct ops *ops, struct err *err);
void settle_turns(struct engine *engine, const struct ops *ops);
void settle_wait_for_ramps(struct engine *engine, int64_t now_ms);

// The short way: what changed of the reals of services, and nothing else, comes into force. False: it takes
// engine_settle(), or the kernel refused it.
bool engine_settle_reals(struct engine *engine);

// What changes of services left in the kernel goes with the next change, or with this when there is none for a second.
void engine_drop_rest(struct engine *engine, int64_t now_ms);

// A real of the service is not as the plan in force has it: soon it is.
void engine_move_real(struct engine *engine, size_t service);

// Whoever is ramped up makes the next step. False: a gateway does, which takes engine_settle().
bool engine_step_ramps(struct engine *engine);

// A state has changed: the log, gwctl events and the notify hook are told.
struct engine_news {
	const char *kind, *name, *old, *new, *reason;
	const struct verdict *measured; // NULL: nothing
};
void engine_record(struct engine *engine, const struct engine_news *news);
void engine_record_gateway(struct engine *engine, const struct plan_gateway *gw, enum state old);
void engine_open_notify(struct engine *engine);
void engine_close_notify(struct engine *engine);

// What is measured each second (engine_measure.c).
void engine_open_measure(struct engine *engine);

// The services' reals (engine_reals.c): after the model changed; after a plan was applied.
void engine_configure_reals(struct engine *engine);
void engine_report_reals(struct engine *engine, const struct plan *plan, int64_t now_ms);
// engine_report_reals() for one service; what nobody but this host had then ends by engine_end_host().
void engine_report_reals_of(struct engine *engine, const struct plan *plan, size_t service, int64_t now_ms);
void engine_end_host(struct engine *engine);

// Reads what was set by hand before a restart. `socket`: the control socket's path.
int engine_open_manual(struct engine *engine, const char *socket, struct err *err);
int engine_move_manual(struct engine *engine, const char *socket, struct err *err); // it is another one now

// The places of reals with max-connections (engine_occupancy.c).
void engine_open_occupancy(struct engine *engine);
void engine_configure_occupancy(struct engine *engine);
void engine_close_occupancy(struct engine *engine);
void engine_vacate(struct engine *engine); // places of connections that ended
void engine_on_connection(void *arg, size_t real, const struct ct_flow *flow, bool live);

// The connections of reals by dr and tun (engine_direct.c), of services that go by counts: all of them now.
void engine_open_direct(struct engine *engine);
void engine_configure_direct(struct engine *engine);
void engine_close_direct(struct engine *engine);
// How long to wait after what cost so much and is dearer the more there is, so that it stays within one percent of a
// processor: 200 ms at least, 60 s at most.
int64_t engine_pace_ms(int64_t cost_ms);
void engine_count_direct(struct engine *engine);

// Fills `leaving` with the reals by dr and tun that such a plan no longer has and that have connections yet.
void engine_find_leaving(struct engine *engine, const struct plan *plan, struct leaving *leaving);

// The names in rules (engine_names.c): after a reload, once after an adoption, and when who is usable may have changed.
void engine_open_names(struct engine *engine);
void engine_configure_names(struct engine *engine, const struct model *other); // other's too, unless NULL
void engine_adopt_names(struct engine *engine);
void engine_link_names(struct engine *engine);

// Makes the slot maps of the groups that go by counts fit the counts, and nothing else (steer.c). Soon:
// at once, but not more than once in a millisecond.
void engine_steer_soon(struct engine *engine);
void engine_steer_open(struct engine *engine);
void engine_steer_close(struct engine *engine);

// Once a minute, is the kernel as we left it?
void engine_open_resync(struct engine *engine);

// Reads the kernel's table, routes and rules into `applied`, as far as they are marked as in doubt.
int engine_read_back(struct engine *engine, struct err *err);

#endif
