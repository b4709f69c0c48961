// SPDX-License-Identifier: GPL-2.0-or-later
// build: model + facts + verdicts + ids -> plan. The heart of the outbound side; pure, and the same
// code that `gwd -n`, `gwctl trace` and the tests run.
#ifndef GWD_CORE_BUILD_H
#define GWD_CORE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/verdict.h"

struct facts;
struct ids;
struct link;
struct manual;
struct load;
struct model;
struct named_list;
struct plan;
struct plan_service;
struct plan_set;
struct ramps;
struct real_now;
struct tunnel_refusals;
struct turns;

struct build_input {
	const struct model *model;
	const struct facts *facts;
	const struct verdict (*verdicts)[FAM_COUNT]; // by index into model.gateways; NULL: nothing judged yet
	const struct manual *manual;                 // what is set by hand; NULL: nothing
	const struct load *loads; // by index into model.gateways; NULL: nothing measured yet
	const struct real_now *const
		*reals;                 // by index into model.services and its reals; NULL: nothing known
	const struct turns *turns;      // where the packet path stands; NULL: at the start
	const struct ramps *ramps;      // since when who is in use; NULL: nobody came back
	int64_t now_ms;                 // monotonic, as in `ramps`
	const struct named_list *named; // what names stand for; NULL: nothing known
	const struct ids *ids;          // every gateway of the model has one (ids_assign)
	const struct tunnel_refusals *tunnel_refusals; // what the kernel did not take; NULL: nothing
	const struct leaving
		*leaving; // reals that are not in the model any more, and their tunnels; NULL: none
	const struct plan *
		standing; // nothing that its services are made from has changed: the plan is lent them. NULL:
			  // they are built
	bool flowtable;   // the kernel has flowtables
};

// Fills `plan` (zeroed by the caller; plan_free() it).
void plan_build(struct plan *plan, const struct build_input *input);

// Its parts that have a file of their own, in the order in which they are called.
void build_sets(struct plan *plan, const struct build_input *input, const struct link *links);
void build_named(struct plan *plan, const struct build_input *input);
void build_cuts(struct plan *plan);
void build_inside(struct plan *plan, const struct build_input *input);
void build_speak(struct plan *plan, const struct link *links);
void build_fastpath(struct plan *plan, const struct build_input *input);
void build_routes(struct plan *plan, const struct build_input *input, const struct link *links);
void build_sysctls(struct plan *plan, const struct build_input *input, const struct link *links);
void build_shape(struct plan *plan);

// Brings a plan's sets, and the elements of each, into their order.
void build_sort(struct plan *plan);

// What of the shape one service, one set has part in: the shape is the frame and their sum, of sets that are one service's
// alone. And what of one service is in the frame, because it is in chains that all of them share: mostly nothing.
uint64_t build_service_shape(const struct plan_service *service);
uint64_t build_service_frame(const struct plan_service *service);
uint64_t build_set_shape(const struct plan_set *set);

#endif
