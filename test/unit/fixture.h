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
#include "gwd/core/verdict.h"

#define FIXTURE_MAX 16

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
	int64_t now_ms;
	size_t probe;
	const char *lan;
};

// n gateways g1.. on wan1.. with next hops 100.64.K.1 and 2001:db8:K::1, weights n..1, and the balance
// `default` (wrr, no persistence) over them. The kernel knows the interfaces, up and with addresses.
struct fixture *fixture_new(unsigned n);
void fixture_free(struct fixture *f);
void fixture_verdict(struct fixture *f, size_t gateway, enum state state);
void fixture_build(struct fixture *f, struct plan *plan);
struct fact_iface *fixture_iface(struct fixture *f, const char *name);

// How many slots of the family's map of this group lead to the gateway.
unsigned fixture_slots_of(const struct plan *plan, const char *group, enum fam fam, const char *gateway);

#endif
