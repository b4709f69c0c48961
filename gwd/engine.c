// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/engine.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/facts.h"
#include "gwd/core/load.h"
#include "gwd/core/model.h"
#include "gwd/ending.h"
#include "gwd/engine_priv.h"
#include "gwd/evidence.h"
#include "gwd/failover.h"
#include "gwd/loads.h"
#include "gwd/monitor.h"
#include "gwd/netmon.h"
#include "gwd/notify.h"
#include "gwd/real_loads.h"
#include "gwd/routes.h"
#include "gwd/sysctl.h"
#include "gwd/tunnels.h"
#include "gwd/unpinned.h"
#include "gwd/vips.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "probes/name_watch.h"

#define ENGINE_BACKOFF_MIN_MS 100
#define ENGINE_BACKOFF_MAX_MS 30000
#define ENGINE_WITHDRAWN_MS 1000
#define ENGINE_DELETED_MS 300000
#define ENGINE_ANSWERS_MS 120000 // the longest that TCP waits before it sends again (RFC 6298: 60 s at least)

// ---- events --------------------------------------------------------------------------------

static struct timeval engine_timeval(unsigned ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

void engine_dirty(struct engine *engine)
{
	event_active(engine->settle, EV_TIMEOUT, 0);
}

static void engine_on_settle(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	(void)fd, (void)what;
	if (!engine_settle(engine) && !engine->failure.text[0]) {
		engine->backoff_ms = ENGINE_BACKOFF_MIN_MS;
		event_del(engine->retry);
		return;
	}
	struct timeval delay = engine_timeval(engine->backoff_ms);
	event_add(engine->retry, &delay);
	if (engine->backoff_ms < ENGINE_BACKOFF_MAX_MS)
		engine->backoff_ms *= 2;
}

static void engine_on_netmon(void *arg, unsigned what)
{
	struct engine *engine = arg;
	if (what & (NETMON_OURS | NETMON_LINK | NETMON_ADDR))
		engine->reread_routes = true;
	engine->doubt_nft |= what & NETMON_LINK;
	if (what & ~(unsigned)NETMON_OURS)
		monitor_update(engine->monitor, engine->model, netmon_facts(engine->netmon), &engine->ids);
	engine_dirty(engine);
}

// What was behind a WAN can be reached by another one; but its own address may still have answers under way. The LAN's
// interface comes back; of others that are deleted (a VPN, a bridge) nobody knows. Where one is up, somebody has taken
// the route away, and may have a new one.
static int64_t engine_keeps_nets(void *arg, const char *ifname, bool local, enum netmon_link link)
{
	const struct engine *engine = arg;
	const struct model *model = engine->model;
	bool lan = false;
	for (size_t i = 0; i < model->n_gateways; i++)
		if (!strcmp(model->gateways[i].interface, ifname))
			return local ? ENGINE_ANSWERS_MS : 0;
	for (size_t i = 0; i < model->lan.n_interfaces; i++)
		lan |= model_interface_matches(model->lan.interfaces[i], ifname);
	if (local)
		return 0;
	if (link == NETMON_LINK_UP)
		return ENGINE_WITHDRAWN_MS;
	return lan || link == NETMON_LINK_DOWN ? NETMON_FOREVER : ENGINE_DELETED_MS;
}

static void engine_on_verdict(void *arg, const char *name)
{
	struct engine *engine = arg;
	const struct reals_real *real = strchr(name, '/') ? reals_find(&engine->reals, name) : NULL;
	if (real)
		engine_move_real(engine, real->service);
	else
		engine_dirty(engine);
}

static void engine_on_ramp(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	(void)fd, (void)what;
	if (!engine_step_ramps(engine))
		engine_on_settle(-1, 0, engine);
}

static void engine_on_loads(void *arg, enum loads_news news)
{
	if (news == LOADS_CONCLUSIONS) {
		engine_dirty(arg);
	} else {
		engine_vacate(arg);
		engine_steer_soon(arg);
	}
}

static void engine_on_listener(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	(void)fd, (void)what;
	if (!nft_listener_read(engine->listener))
		return;
	log_debug("engine", "somebody else changed our table");
	engine->reread_nft = true;
	engine_dirty(engine);
}

// ---- life ----------------------------------------------------------------------------------

// The values found before the first change live beside the socket, in a directory that dies with the boot.
static const char *engine_sysctl_path(char path[ENGINE_PATH], const char *socket)
{
	snprintf(path, ENGINE_PATH, "%s.sysctl", socket);
	return path;
}

int engine_move_state(struct engine *engine, const char *socket, struct err *err)
{
	char path[ENGINE_PATH];
	int rc = sysctl_move(engine->sysctl, engine_sysctl_path(path, socket), err);
	return rc ? rc : engine_move_manual(engine, socket, err);
}

static int engine_open(struct engine *engine, const char *socket, struct err *err)
{
	char path[ENGINE_PATH];
	if (!(engine->nft = nft_open(err)) || !(engine->listener = nft_listener_open(engine->nft, err)) ||
	    !(engine->conntrack = conntrack_open(err)) || !(engine->routes = routes_open(err)) ||
	    !(engine->sysctl = sysctl_open(engine_sysctl_path(path, socket), err)) ||
	    !(engine->vips = vips_open(engine->base, err)) || !(engine->tunnels = tunnels_open(err)) ||
	    engine_open_manual(engine, socket, err))
		return -1;
	engine->flowtable = nft_has_flowtable(engine->nft);
	engine->monitor = monitor_new(engine->base, engine_on_verdict, engine);
	engine->loads = loads_new(engine->base, engine->conntrack, engine_on_loads, engine);
	engine->evidence = evidence_new(engine->conntrack, engine->nft, engine->monitor);
	engine->real_loads = real_loads_new(engine->base, engine->conntrack, &engine->reals, engine_on_loads,
					    engine_on_connection, engine);
	engine_steer_open(engine);
	engine->unpinned = unpinned_new();
	engine_open_occupancy(engine);
	engine_open_direct(engine);
	engine_open_names(engine);
	engine->failover = failover_new(engine->base, engine->conntrack);
	engine->ending = ending_new(engine->base, engine->conntrack);
	engine->netmon = netmon_open(engine->base, engine_on_netmon, engine, err);
	if (!engine->netmon)
		return -1;
	netmon_set_own_port(engine->netmon, routes_port(engine->routes));
	netmon_keep_nets(engine->netmon, engine_keeps_nets);
	return 0;
}

static void engine_open_events(struct engine *engine)
{
	engine->settle = event_new(engine->base, -1, 0, engine_on_settle, engine);
	engine->retry = event_new(engine->base, -1, 0, engine_on_settle, engine);
	engine->ramp = event_new(engine->base, -1, 0, engine_on_ramp, engine);
	engine->listen = event_new(engine->base, nft_listener_fd(engine->listener), EV_READ | EV_PERSIST,
				   engine_on_listener, engine);
	event_add(engine->listen, NULL);
	engine_open_resync(engine);
	engine_open_measure(engine);
}

// What an earlier gwd left is ours again: ids, and flows that go on. Its gateways count as having been
// usable, so that a restart neither flushes nor resets anything by itself.
static int engine_adopt(struct engine *engine, struct err *err)
{
	engine->reread_nft = engine->reread_routes = true;
	int r = nft_adopt(engine->nft, err);
	if (!r)
		r = engine_read_back(engine, err);
	if (r)
		return r;
	engine->first_load = !engine->applied.active;
	vec_each(&engine->applied.iprules, rule)
		if (rule->mask)
			engine->applied.mark_mask = rule->mask; // that it had
	vec_each(&engine->applied.gateways, gw) {
		gw->usable[FAM_4] = gw->usable[FAM_6] = true;
		ids_learn(&engine->ids, gw->name, gw->id);
	}
	if (engine->applied.active)
		log_info("engine", "adopted the table of an earlier run: %zu gateways",
			 engine->applied.gateways.n);
	return 0;
}

struct engine *engine_new(struct event_base *base, struct model *model, const char *socket, struct err *err)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));
	engine->base = base;
	engine->model = model;
	engine->started_ms = engine->applied_ms = mono_now_ms();
	engine->backoff_ms = ENGINE_BACKOFF_MIN_MS;
	if (engine_open(engine, socket, err) || engine_adopt(engine, err)) {
		engine_free(engine);
		return NULL;
	}
	engine_open_events(engine);
	engine_open_notify(engine);
	ids_assign(&engine->ids, model);
	monitor_update(engine->monitor, model, netmon_facts(engine->netmon), &engine->ids);
	engine_configure_reals(engine);
	engine_configure_names(engine, NULL);
	engine_adopt_names(engine);
	loads_configure(engine->loads, model, &engine->ids);
	engine_on_settle(-1, 0, engine);
	alloc_give_back();
	return engine;
}

static void engine_free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	engine_free_event(engine->settle);
	engine_free_event(engine->retry);
	engine_free_event(engine->ramp);
	engine_free_event(engine->listen);
	engine_free_event(engine->resync);
	engine_free_event(engine->measure);
	engine_steer_close(engine);
	unpinned_free(engine->unpinned);
	engine_close_occupancy(engine);
	engine_close_direct(engine);
	name_watch_free(engine->name_watch);
	loads_free(engine->loads);
	real_loads_free(engine->real_loads);
	evidence_free(engine->evidence);
	engine_close_notify(engine);
	failover_free(engine->failover);
	ending_free(engine->ending);
	reals_free(&engine->reals);
	monitor_free(engine->monitor);
	netmon_close(engine->netmon);
	nft_listener_close(engine->listener);
	nft_close(engine->nft);
	conntrack_close(engine->conntrack);
	routes_close(engine->routes);
	vips_close(engine->vips);
	tunnels_close(engine->tunnels);
	sysctl_close(engine->sysctl);
	plan_free(&engine->applied);
	ids_free(&engine->ids);
	manual_free(&engine->manual);
	ramps_free(&engine->ramps);
	vec_free(&engine->since);
	vec_free(&engine->rates);
	model_free(engine->model);
	free(engine);
}

// ---- requests ------------------------------------------------------------------------------

// It may yet be given up for the other one.
static void engine_take_model(struct engine *engine, struct model *model, const struct model *other)
{
	engine->model = model;
	engine->planned = false;
	ids_assign(&engine->ids, model);
	monitor_update(engine->monitor, model, netmon_facts(engine->netmon), &engine->ids);
	engine_configure_reals(engine);
	engine_configure_names(engine, other);
	loads_configure(engine->loads, model, &engine->ids);
}

// What only the old model has is not needed any more.
static void engine_forget_old(struct engine *engine)
{
	settle_forget_old(engine);
	monitor_drop_unseen(engine->monitor);
	reals_drop_left(&engine->reals);
	engine_configure_names(engine, NULL);
}

int engine_reload(struct engine *engine, struct buf *report)
{
	struct model *fresh, *old = engine->model;
	bool flushed = engine->flushed;
	int r = conf_load(old->path, &fresh, report);
	if (r) {
		log_warn("engine", "reload refused, the running configuration stays");
		return r;
	}
	engine->flushed = false;
	engine_take_model(engine, fresh, old);
	r = engine_settle(engine);
	if (!r) {
		engine_forget_old(engine);
		log_info("engine", "reloaded %s", fresh->path);
		notify_configure(engine->notify, fresh->globals.notify);
		model_free(old);
		alloc_give_back();
		if (engine->reloaded)
			engine->reloaded(engine->reloaded_arg);
		return 0;
	}
	buf_printf(report, "%s: the kernel refuses it, the running configuration stays: %s\n", fresh->path,
		   engine->failure.text);
	engine->flushed = flushed;
	engine_take_model(engine, old, fresh);
	engine_forget_old(engine);
	model_free(fresh);
	engine_dirty(engine);
	return r;
}

void engine_on_reload(struct engine *engine, void (*reloaded)(void *arg), void *arg)
{
	engine->reloaded = reloaded;
	engine->reloaded_arg = arg;
}

int engine_flush(struct engine *engine, struct err *err)
{
	engine->flushed = true;
	engine->reread_nft = engine->reread_routes = true;
	int r = engine_settle(engine);
	if (r) {
		*err = engine->failure;
		engine_dirty(engine); // and tries again
		return r;
	}
	log_info("engine", "took everything out of the kernel; idle until a reload");
	return sysctl_restore(engine->sysctl, err);
}

// ---- what others may see -------------------------------------------------------------------

const struct model *engine_model(const struct engine *engine)
{
	return engine->model;
}

const struct facts *engine_facts(const struct engine *engine)
{
	return netmon_facts(engine->netmon);
}

const struct plan *engine_applied(const struct engine *engine)
{
	return &engine->applied;
}

const struct verdict *engine_verdict(const struct engine *engine, size_t gateway, enum fam fam)
{
	return monitor_verdict(engine->monitor, engine->model->gateways[gateway].name, fam);
}

struct conntrack *engine_conntrack(const struct engine *engine)
{
	return engine->conntrack;
}

struct nft *engine_nft(const struct engine *engine)
{
	return engine->nft;
}

int64_t engine_flows(const struct engine *engine, const char *gateway)
{
	const struct load *load = loads_counting(engine->loads) ? loads_of(engine->loads, gateway) : NULL;
	return load ? (int64_t)load->flows : -1;
}

int64_t engine_since_ms(const struct engine *engine, const char *gateway)
{
	vec_each(&engine->since, since)
		if (!strcmp(since->gateway, gateway))
			return since->since_ms;
	return engine->started_ms;
}

const char *engine_failure(const struct engine *engine)
{
	return engine->failure.text[0] ? engine->failure.text : NULL;
}

int64_t engine_started_ms(const struct engine *engine)
{
	return engine->started_ms;
}

int64_t engine_applied_ms(const struct engine *engine)
{
	return engine->applied_ms;
}
