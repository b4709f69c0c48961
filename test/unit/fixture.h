// SPDX-License-Identifier: GPL-2.0-or-later
// fixture: models and facts made by hand, for unit tests of the core. Small words for big structs:
//
//	struct fixture *f = fixture_new(3);            // gateways g1..g3 on wan1.., static, weights 3 2 1
//	fixture_verdict(f, 1, STATE_DOWN);             // g2 dies (both families)
//	struct plan plan = {0}; fixture_build(f, &plan);
#ifndef GWD_TEST_UNIT_FIXTURE_H
#define GWD_TEST_UNIT_FIXTURE_H

#include "gwd/core/facts.h"
#include "gwd/core/ids.h"
#include "gwd/core/manual.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/core/real.h"
#include "gwd/core/verdict.h"

#define FIXTURE_MAX 16
#define FIXTURE_SERVICES 4

struct fixture {
	struct model model;
	struct facts facts;
	struct ids ids;
	struct manual manual;
	struct verdict verdicts[FIXTURE_MAX][FAM_COUNT];
	struct model_gateway gateways[FIXTURE_MAX];
	struct model_use uses[FIXTURE_MAX];
	struct model_balance balances[4];
	struct model_rule rules[8];
	char names[FIXTURE_MAX][8], ifnames[FIXTURE_MAX][8];
	const struct load *loads; // NULL: nothing is measured
	const struct ramps *ramps;
	const struct tunnel_refusals *tunnel_refusals;
	const struct leaving *leaving;
	const struct plan *standing; // whose services are lent
	int64_t now_ms;
	size_t probe;
	const char *lan;
	struct model_service services[FIXTURE_SERVICES];
	struct model_listen listens[FIXTURE_SERVICES][FIXTURE_MAX];
	struct model_real reals[FIXTURE_SERVICES][FIXTURE_MAX];
	struct real_now real_now[FIXTURE_SERVICES][FIXTURE_MAX]; // REAL_NOTHING until the test says more
	struct verdict real_verdicts[FIXTURE_SERVICES][FIXTURE_MAX];
};

// n gateways (0 too) g1.. on wan1.. with next hops 100.64.K.1 and 2001:db8:K::1, weights n..1, and the balance
// `default` (wrr, no persistence) over them. The kernel knows the interfaces, up and with addresses.
struct fixture *fixture_new(unsigned n);
struct fixture *fixture_pinned(unsigned n); // the same, with persistence
void fixture_free(struct fixture *f);
void fixture_verdict(struct fixture *f, size_t gateway, enum state state);
void fixture_build(struct fixture *f, struct plan *plan);
struct fact_iface *fixture_iface(struct fixture *f, const char *name);

// An empty service, tcp, wrr; its listeners and reals (port 0: kept; address NULL: local). Reals come before
// backups, the sorry server last.
struct model_service *fixture_service(struct fixture *f, const char *name);
void fixture_listen(struct model_service *service, const char *address, uint16_t first, uint16_t last);
struct model_real *fixture_real(struct model_service *service, enum real_role role, const char *name,
				const char *address, uint16_t port, unsigned weight);
void fixture_real_verdict(struct fixture *f, size_t service, size_t real, enum state state);

// How many slots of the service's map lead to the real: to its address, or to a chain of its own.
unsigned fixture_pool_of(const struct plan *plan, size_t service, enum fam fam, size_t real);

// How many slots of the family's map of this group lead to the gateway.
unsigned fixture_slots_of(const struct plan *plan, const char *group, enum fam fam, const char *gateway);

#endif
