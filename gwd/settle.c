// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/apply.h"
#include "gwd/core/build.h"
#include "gwd/core/diff.h"
#include "gwd/core/facts.h"
#include "gwd/core/leaving.h"
#include "gwd/core/model.h"
#include "gwd/core/ramp.h"
#include "gwd/core/ramps.h"
#include "gwd/core/ring.h"
#include "gwd/core/tunnel.h"
#include "gwd/core/vip.h"
#include "gwd/ending.h"
#include "gwd/engine_priv.h"
#include "gwd/failover.h"
#include "gwd/loads.h"
#include "gwd/monitor.h"
#include "gwd/netmon.h"
#include "gwd/routes.h"
#include "gwd/sysctl.h"
#include "gwd/tunnels.h"
#include "gwd/vips.h"
#include "gwd/withdrawn.h"
#include "nft/conntrack_end.h"
#include "nft/nft.h"

#define SETTLE_TRIES 5 // when somebody else keeps changing the ruleset while we do

// ---- what the kernel has -------------------------------------------------------------------

static int settle_read_nft(struct engine *engine, struct err *err)
{
	struct plan read = {0};
	int r = -ERESTART;
	for (unsigned i = 0; r == -ERESTART && i < SETTLE_TRIES; i++) {
		plan_free(&read);
		r = nft_read(engine->nft, &read, err);
	}
	if (r) {
		plan_free(&read);
		return r;
	}
	struct plan *applied = &engine->applied;
	vec_each(&applied->sets, set)
		vec_free(&set->elems);
	vec_free(&applied->sets);
	applied->sets = read.sets;
	applied->shape = read.shape;
	applied->frame = 0; // which services that is made of, nobody says
	applied->active = read.active;
	if (!applied->gateways.n) { // adoption: who owned the marks before we came
		applied->gateways = read.gateways;
		applied->mark_mask = engine->model->globals.mark_mask;
		memset(&read.gateways, 0, sizeof(read.gateways));
	}
	memset(&read.sets, 0, sizeof(read.sets));
	plan_free(&read);
	return 0;
}

int engine_read_back(struct engine *engine, struct err *err)
{
	int r = 0;
	if (engine->reread_nft && !(r = settle_read_nft(engine, err)))
		engine->reread_nft = false;
	if (!r && engine->reread_routes && !(r = routes_read(engine->routes, &engine->applied, err)))
		engine->reread_routes = false;
	return r;
}

// ---- what it should have -------------------------------------------------------------------

// Neither the model nor anything known of a real is other than when the plan was made that is in force: a
// gateway's change costs the same however many services there are. (Reals by dr and tun hang on interfaces, too.)
static bool settle_services_stand(const struct engine *engine)
{
	const struct plan *applied = &engine->applied;
	return engine->planned && applied->frame && applied->active && !applied->netdev &&
	       !engine->reals.moved.n;
}

static void settle_build_with(struct engine *engine, struct plan *plan, int64_t now_ms,
			      const struct leaving *leaving)
{
	const struct model *model = engine->model;
	if (engine->flushed)
		return;
	struct verdict(*verdicts)[FAM_COUNT] = xcalloc(model->n_gateways, sizeof(*verdicts));
	for (size_t i = 0; i < model->n_gateways; i++)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			verdicts[i][fam] = *monitor_verdict(engine->monitor, model->gateways[i].name, fam);
	const struct plan *standing = settle_services_stand(engine) ? &engine->applied : NULL;
	if (!standing)
		reals_ramp(&engine->reals, model, now_ms);
	struct build_input input = {
		.model = model,
		.facts = netmon_facts(engine->netmon),
		.verdicts = (const struct verdict(*)[FAM_COUNT])verdicts,
		.manual = &engine->manual,
		.loads = loads_now(engine->loads),
		.reals = engine->reals.by_service,
		.turns = &engine->turns,
		.ramps = &engine->ramps,
		.now_ms = now_ms,
		.named = engine_named(engine),
		.ids = &engine->ids,
		.tunnel_refusals = tunnels_refused(engine->tunnels),
		.leaving = leaving,
		.standing = standing,
		.flowtable = engine->flowtable,
	};
	plan_build(plan, &input);
	free(verdicts);
}

// Who is leaving can only be told from a plan without them.
static void settle_build(struct engine *engine, struct plan *plan, int64_t now_ms)
{
	struct leaving leaving = {0};
	settle_build_with(engine, plan, now_ms, NULL);
	engine_find_leaving(engine, plan, &leaving);
	if (leaving.tunnels.n) {
		plan_free(plan);
		*plan = (struct plan){0};
		settle_build_with(engine, plan, now_ms, &leaving);
	}
	leaving_keep(&leaving, &engine->applied, plan, netmon_facts(engine->netmon));
	leaving_free(&leaving);
}

// ---- from the one to the other -------------------------------------------------------------

static int settle_single(void *arg, const struct op *op, struct err *err)
{
	struct engine *engine = arg;
	switch (op->kind) {
	case OP_SYSCTL:
		return sysctl_apply(engine->sysctl, op->sysctl, err);
	case OP_ROUTE_CLOSE:
	case OP_ROUTE_OPEN:
	case OP_ROUTE_SET:
	case OP_ROUTE_DEL:
	case OP_IPRULE_ADD:
	case OP_IPRULE_DEL:
		return routes_apply_op(engine->routes, op, err);
	case OP_VIP_ADD:
	case OP_VIP_DEL:
		return vips_apply_op(engine->vips, op, err);
	case OP_TUNNEL_SET:
	case OP_TUNNEL_DEL:
		return tunnels_apply_op(engine->tunnels, op, err);
	case OP_PINS_CLEAR:
		return nft_flush_set(engine->nft, op->set->name, err);
	case OP_FLUSH_FIRST:
	case OP_FLUSH:
		return failover_flush(engine->failover, &op->flush, netmon_facts(engine->netmon), err);
	case OP_END: // settle_ends()
	case OP_CHAINS:
	case OP_SERVICE:
	case OP_SET_ADD:
	case OP_ELEM_DEL:
	case OP_ELEM_ADD:
	case OP_SET_DEL:
	case OP_SWEEP:
	case OP_TABLE_DEL:
		break; // settle_transaction()
	}
	return 0;
}

static int settle_ends(void *arg, const struct op *ops, size_t n, struct err *err)
{
	struct engine *engine = arg;
	int r = 0;
	for (size_t i = 0; i < n; i++) {
		struct err why;
		if (!plan_real_is_direct(ops[i].real))
			ending_real(engine->ending, &engine->applied, ops[i].service, ops[i].real);
		else if (ending_direct(engine->ending, engine->nft, &engine->applied, ops[i].service,
				       ops[i].real, &why)) {
			*err = why;
			r = -1;
		}
	}
	ending_soon(engine->ending, engine->model->globals.mark_mask, netmon_facts(engine->netmon));
	return r;
}

static int settle_transaction(void *arg, const struct plan *to, const struct op *ops, size_t n,
			      struct err *err)
{
	struct engine *engine = arg;
	return nft_apply(engine->nft, to, ops, n, err);
}

int settle_apply(struct engine *engine, struct plan *plan, const struct ops *ops, struct err *err)
{
	const struct apply_backend kernel = {settle_transaction, settle_single, settle_ends, engine};
	int r = apply_ops(&kernel, plan, ops, &engine->failure_minor, err);
	if (engine->failure_minor.text[0])
		engine->reread_routes = true;
	return r;
}

// ---- afterwards ----------------------------------------------------------------------------

static struct engine_since *settle_since(struct engine *engine, const struct plan_gateway *gw)
{
	struct engine_since *since;
	vec_each(&engine->since, old)
		if (!strcmp(old->gateway, gw->name))
			return old;
	vec_add(&engine->since, since);
	memcpy(since->gateway, gw->name, sizeof(since->gateway));
	memcpy(since->usable, gw->usable, sizeof(since->usable));
	since->since_ms = engine->started_ms;
	return since;
}

// Should one come back, it is a new one.
void settle_forget_old(struct engine *engine)
{
	size_t kept = 0;
	vec_each(&engine->since, since)
		if (model_find_gateway(engine->model, since->gateway) >= 0)
			engine->since.v[kept++] = *since;
	engine->since.n = kept;
}

// A gateway that loses one family only is still up; the log has it all the same.
static void settle_report_families(struct engine_since *since, const struct plan_gateway *gw)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (since->usable[fam] != gw->usable[fam] && since->state == gw->state)
			log_info("gateway", "%s: %s; IPv%c %s: %s", gw->name, state_name(gw->state),
				 fam == FAM_4 ? '4' : '6',
				 gw->usable[fam] ? "is usable again" : "is not usable", gw->reason);
	memcpy(since->usable, gw->usable, sizeof(since->usable));
}

static void settle_report(struct engine *engine, const struct plan *plan, int64_t now_ms)
{
	bool usable[FAM_COUNT] = {false, false};
	vec_each(&plan->gateways, gw) {
		struct engine_since *since = settle_since(engine, gw);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			usable[fam] |= gw->usable[fam];
		settle_report_families(since, gw);
		if (since->state == gw->state)
			continue;
		engine_record_gateway(engine, gw, since->state);
		since->state = gw->state;
		since->since_ms = now_ms;
		if (gw->usable[FAM_4] || gw->usable[FAM_6])
			failover_cancel(engine->failover, gw->name);
	}
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		monitor_set_urgent(engine->monitor, fam, !usable[fam]);
	if (!engine->stood)
		engine_report_reals(engine, plan, now_ms);
}

static bool settle_is_shared(const struct plan *plan, const char *ifname)
{
	vec_each(&plan->gateways, gw)
		if (gw->shared && !strcmp(gw->ifname, ifname))
			return true;
	return false;
}

// The next hops of gateways that share an interface are told apart by their MAC addresses. Each is in a table of its own,
// and mostly in main as well: once is enough.
static void settle_watch_neighs(struct engine *engine, const struct plan *plan)
{
	VEC(struct netmon_hop) hops = {0};
	vec_each(&plan->routes, route)
		if (route->table != PLAN_TABLE_MAIN && !addr_is_none(&route->via) &&
		    settle_is_shared(plan, route->ifname))
			vec_push(&hops, (struct netmon_hop){.index = route->oif, .addr = route->via});
	netmon_watch_neighs(engine->netmon, hops.v, hops.n);
	vec_free(&hops);
}

// Flows that were begun before there was any translation would go on untranslated for ever.
static void settle_first_load(struct engine *engine)
{
	VEC(struct addr) local = {0};
	struct err err;
	size_t deleted = 0;
	vec_each(&netmon_facts(engine->netmon)->ifaces, iface)
		vec_each(&iface->addrs, own)
			vec_push(&local, own->addr);
	const struct model_lan *lan = &engine->model->lan;
	if (conntrack_delete_unnatted(engine->conntrack, lan->networks, lan->n_networks, local.v, local.n,
				      &deleted, &err))
		log_warn("engine", "flows from before the start stay untranslated: %s", err.text);
	else if (deleted)
		log_info("engine", "ended %zu flows from before the start that were not translated", deleted);
	vec_free(&local);
	engine->first_load = false;
}

static void settle_log_ops(const struct ops *ops)
{
	char text[256];
	vec_each(&ops->op, op) {
		op_text(op, text, sizeof(text));
		log_debug("apply", "%s", text);
	}
}

// Rules that are loaded anew begin at the first slot.
void settle_turns(struct engine *engine, const struct ops *ops)
{
	vec_each(&ops->op, op)
		if (op->kind == OP_CHAINS ||
		    (op->kind == OP_SERVICE && op->service && ring_schedules(op->service->scheduler))) {
			turns_clear(&engine->turns);
			engine->turns_unknown = true;
		}
	if (engine->turns_unknown)
		engine_steer_soon(engine);
}

// The next step of whoever is ramped up makes another plan.
void settle_wait_for_ramps(struct engine *engine, int64_t now_ms)
{
	int64_t wait_ms = ramps_wait_ms(&engine->ramps, &engine->applied, now_ms);
	int64_t reals_ms = reals_wait_ms(&engine->reals, engine->model, now_ms);
	wait_ms = reals_ms < wait_ms ? reals_ms : wait_ms;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	if (wait_ms == RAMP_OVER)
		event_del(engine->ramp);
	else
		event_add(engine->ramp, &wait);
}

static int settle_try(struct engine *engine, struct err *err)
{
	struct plan plan = {0};
	struct ops ops = {0};
	struct err left;
	int64_t now_ms = mono_now_ms(), began_us = mono_now_us();
	int r = engine_read_back(engine, err);
	if (r)
		return r;
	vip_in_force(&engine->applied, netmon_facts(engine->netmon));
	tunnel_in_force(&engine->applied, netmon_facts(engine->netmon));
	settle_build(engine, &plan, now_ms);
	plan_diff(&ops, &engine->applied, &plan);
	settle_log_ops(&ops);
	if (withdrawn_end(engine->conntrack, &ops, &plan, netmon_facts(engine->netmon), &left))
		log_warn("engine", "flows from or to networks that are gone are left: %s", left.text);
	r = settle_apply(engine, &plan, &ops, err);
	if (!r) {
		if (ops.op.n) {
			engine->applied_ms = mono_now_ms();
			log_debug("apply", "in force after %.1f ms",
				  (double)(mono_now_us() - began_us) / 1000);
		}
		settle_turns(engine, &ops);
		struct plan old = engine->applied;
		engine->applied = plan;
		plan = old;
		engine->stood = engine->applied.lent;
		plan_keep(&engine->applied, &plan);
		if (!engine->planned)
			ending_keep_former(engine->ending, &plan, &engine->applied);
		engine->planned = true;
		ramps_note(&engine->ramps, &engine->applied, now_ms);
		if (!engine->stood)
			reals_note(&engine->reals, &engine->applied, now_ms);
		settle_wait_for_ramps(engine, now_ms);
		reals_planned(&engine->reals);
	} else { // some of it may be done: the kernel knows
		engine->reread_nft = engine->reread_routes = true;
	}
	ops_free(&ops);
	plan_free(&plan);
	return r;
}

static void settle_log_failure(struct engine *engine, const struct err *err)
{
	if (err->text[0] && strcmp(engine->failure.text, err->text) != 0)
		log_error("engine", "%s; trying again", err->text);
	if (!err->text[0] && engine->failure.text[0])
		log_info("engine", "all is in force again");
	engine->failure = *err;
}

int engine_settle(struct engine *engine)
{
	struct err err = {""};
	int r = -ERESTART;
	for (unsigned i = 0; r == -ERESTART && i < SETTLE_TRIES; i++) {
		r = settle_try(engine, &err);
		if (r == -ERESTART)
			engine->reread_nft = true;
	}
	if (!r)
		err = engine->failure_minor;
	settle_log_failure(engine, &err);
	if (r)
		return r;
	settle_watch_neighs(engine, &engine->applied);
	settle_report(engine, &engine->applied, mono_now_ms());
	engine_link_names(engine);
	if (tunnels_have_news(engine->tunnels)) // who is down because of it, or no longer
		engine_dirty(engine);
	if (engine->first_load && engine->applied.active)
		settle_first_load(engine);
	return 0;
}
