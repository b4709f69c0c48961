// SPDX-License-Identifier: GPL-2.0-or-later
// status: what an operator asks first: which gateway carries what, how it does and why.
//
// Three steps, so that each can be tested alone: status_collect() reads the engine and counts,
// status_build() derives one picture from plain data, status_text() and status_json() print it (80
// columns; JSON as config.md pins it). What the picture calls applied is what the kernel was last
// given, not what gwd would like.
#ifndef GWD_STATUS_H
#define GWD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/core/verdict.h"

struct buf;
struct engine;
struct facts;
struct named_list;
struct reals;

// ---- what it is made from --------------------------------------------------------------------

// What only counting or remembering tells of a gateway. Negative: not known.
struct status_measured {
	int64_t since_ms;      // monotonic instant since when it has the state it has
	int64_t flows;         // live ones
	int64_t begun;         // flows that it was given since the table was loaded
	double rx_bps, tx_bps; // bits per second
};

struct status_input {
	const struct model *model;
	const struct facts *facts;
	const struct plan *applied;
	const struct verdict (*verdicts)[FAM_COUNT]; // [gateway]
	const struct status_measured *measured;      // [gateway]
	const int64_t *pins;                         // [balance]; negative: not known
	const struct reals *reals;                   // since when; NULL: no services
	const int64_t *real_flows;                   // [real's number]; negative: not known
	const int64_t *sticks;                       // [service]: its pins; negative: not known
	const int64_t *unpinned;                     // [balance]; the same
	const struct named_list *named;              // what the names in rules stand for; NULL: none has any
	const char *failure;                         // why the last apply failed, or NULL
	int64_t started_ms, applied_ms;              // monotonic
	int64_t now_ms, wall_ms;                     // the same instant on both clocks
};

// ---- the picture -----------------------------------------------------------------------------

struct status_family {
	bool wanted; // the gateway is meant to carry this family
	enum state state;
	char reason[160];
	struct addr next_hop, source;       // or none
	double latency_ms, jitter_ms, loss; // negative: not known
};

struct status_gateway {
	const struct model_gateway *conf;
	enum state state;
	const char *reason;
	unsigned weight;                // that counts
	const char *manual;             // what is set by hand; "": nothing
	const struct fact_iface *iface; // NULL: not there
	unsigned id;                    // 0: not in the kernel yet
	uint32_t mark, table;
	struct status_family family[FAM_COUNT];
	enum fam main_family; // whose next hop and figures stand in the one-line picture
	struct status_measured measured;
};

struct status_member {
	const struct model_use *use;
	const char *gateway;
	unsigned weight;         // that counts
	bool usable;             // takes new flows where its tier is reached
	bool active[FAM_COUNT];  // takes new flows now
	double share[FAM_COUNT]; // of the slots, 0..1; negative: the family has nobody to choose
};

struct status_balance {
	const struct model_balance *conf;
	int64_t pins;
	int64_t unpinned; // new flows so far whose client could not be pinned: no room
	VEC(struct status_member) members;
};

struct status_real {
	const struct model_real *conf;
	const struct plan_real *planned; // NULL: not in the kernel
	char name[MODEL_REAL_NAME_SIZE];
	const struct verdict *verdict; // NULL: not probed
	int64_t since_ms, flows;
};

struct status_service {
	const struct model_service *conf;
	const struct plan_service *planned; // NULL: not in the kernel
	enum serving serving;
	int64_t since_ms, pins, flows;
	VEC(struct status_real) reals;
};

// All pointers are into the input; the picture dies with it.
struct status {
	const struct model *model;
	const struct named_list *named;
	const char *failure;
	bool active;   // false: gwd was told to have nothing in the kernel
	bool fastpath; // established flows go by the flowtable
	int64_t started_ms, applied_ms, now_ms, wall_ms;
	VEC(struct status_gateway) gateways;
	VEC(struct status_balance) balances;
	VEC(struct status_service) services;
};

// Fills `status` (give it zeroed).
void status_build(struct status *status, const struct status_input *input);
void status_free(struct status *status);

// Seconds since 1970 of a monotonic instant.
int64_t status_wall_s(const struct status *status, int64_t then_ms);

// True when a gateway, a balance, a service or (SERVICE/REAL) a real has that name.
bool status_has(const struct status *status, const char *name);

// "up", "degraded" (a backup or the sorry server takes them), "down"; weight that counts; whether new
// connections go there now, in words: "yes", "no", "full", "drain", "standby".
enum state status_service_state(const struct status_service *service);
enum state status_real_state(const struct status_real *real);
unsigned status_real_weight(const struct status_real *real);
const char *status_real_use(const struct status_real *real);
const char *status_real_reason(const struct status_real *real);

// Reads the engine, counts, builds, and calls `use` with the picture while it lives.
void status_collect(const struct engine *engine, void (*use)(void *arg, const struct status *status),
		    void *arg);

// ---- printing --------------------------------------------------------------------------------

// Everything in short, or the one thing of that name in detail (`name` must exist, or be NULL).
void status_text(const struct status *status, const char *name, struct buf *out);
void status_json(const struct status *status, const char *name, struct buf *out);

#endif
