// SPDX-License-Identifier: GPL-2.0-or-later
// engine: the one loop that turns events into one kernel transaction.
//
// Callbacks (netlink, probe, timer, control) record a fact, a verdict or a request and call
// engine_dirty(); after the turn's callbacks one engine_settle() builds the plan, diffs it with
// what is applied, and applies the difference. A failed apply leaves `applied` as it was and is
// tried again with back-off.
//
// What a reader (status, rules, …) may see is given by the const getters; nobody but the engine
// writes.
#ifndef GWD_ENGINE_H
#define GWD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/manual.h"

struct buf;
struct conntrack;
struct direct_load;
struct engine;
struct err;
struct event_base;
struct events;
struct facts;
struct inquiry;
struct model;
struct named_list;
struct nft;
struct plan;
struct reals;
struct verdict;

// Takes over `model`. Opens every kernel socket, reads back what an earlier gwd left (adoption), and brings
// the kernel to what the model says; if it refuses that, the loop tries again. Beside `socket`, the control
// socket's path, the engine keeps the settings that it found. NULL and the sentence: can't run at all.
struct engine *engine_new(struct event_base *base, struct model *model, const char *socket, struct err *err);

// on-exit = remove takes everything of ours out of the kernel first; keep leaves it.
void engine_free(struct engine *engine);

void engine_dirty(struct engine *engine);

const struct model *engine_model(const struct engine *engine);
const struct facts *engine_facts(const struct engine *engine);
const struct plan *engine_applied(const struct engine *engine); // what is in force in the kernel
const struct verdict *engine_verdict(const struct engine *engine, size_t gateway,
				     enum fam fam);              // index into model.gateways
struct conntrack *engine_conntrack(const struct engine *engine); // for counting flows
struct nft *engine_nft(const struct engine *engine);             // for reading counters and pins

// What is remembered of the services, in the order of engine_model().
const struct reals *engine_reals(const struct engine *engine);
bool engine_counts_reals(const struct engine *engine); // conntrack's connections are known all the time

// The plan in force has the model's service of that number, under the same number.
bool engine_knows_service(const struct engine *engine, size_t service);

// The connections of the reals by dr and tun of such a service (direct_loads.h): now, or as last counted where that is
// dear. 0 or -errno.
int engine_list_direct(const struct engine *engine, size_t service, struct direct_load *loads,
		       struct err *err);

struct events *engine_events(const struct engine *engine); // to read, and to watch

// What the names in rules stand for now.
const struct named_list *engine_named(const struct engine *engine);

// Monotonic instant at which the applied plan's gateway of that name got the state it has; of the
// start while it never changed.
int64_t engine_since_ms(const struct engine *engine, const char *gateway);

// Why the last apply failed, as a sentence; NULL while all that should be in force is.
const char *engine_failure(const struct engine *engine);
int64_t engine_started_ms(const struct engine *engine); // monotonic
int64_t engine_applied_ms(const struct engine *engine); // of the last change that was applied

// Bits per second of the interface, over the last seconds; 0 while unknown.
void engine_rates(const struct engine *engine, const char *ifname, double *rx_bps, double *tx_bps);

// Live flows of a gateway as conntrack's events tell; negative while nothing needs them counted.
int64_t engine_flows(const struct engine *engine, const char *gateway);

// Reads the configuration file again and takes it as a whole or not at all. `report` gets every
// error and warning, one a line, as FILE:LINE: …; returns 0 or -errno.
int engine_reload(struct engine *engine, struct buf *report);

// `reloaded` is called at the end of every reload that was taken.
void engine_on_reload(struct engine *engine, void (*reloaded)(void *arg), void *arg);

// The control socket is another one now: what is kept beside it goes there, too, so that a restart finds it. 0 or -errno.
int engine_move_state(struct engine *engine, const char *socket, struct err *err);

// Sets a gateway or a real (SERVICE/REAL) of the model by hand, which survives reloads and restarts. 0: it is in force. Otherwise
// the sentence says how far it came.
int engine_set_manual(struct engine *engine, const char *name, enum manual_change change, unsigned weight,
		      struct err *err);

// Puts every probe of that gateway or real of the model once, now: see inquiry.h, whose struct it is.
struct inquiry *engine_inquire(struct engine *engine, const char *name, void (*done)(void *arg), void *arg);

// Takes everything of ours out of the kernel and stays idle until a reload. 0 or -errno.
int engine_flush(struct engine *engine, struct err *err);

#endif
