// SPDX-License-Identifier: GPL-2.0-or-later
// The field names are an interface that scripts rely on (config.md): add, never rename.
#include "gwd/status.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/core/named.h"

static const char *const family_key[FAM_COUNT] = {"ipv4", "ipv6"};

// Interface names may hold any byte; JSON takes UTF-8 only.
static json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	if (value)
		return value;
	char *plain = xstrdup(text);
	for (char *c = plain; *c; c++)
		if (*c & 0x80)
			*c = '?';
	value = json_string(plain);
	free(plain);
	return value;
}

static json_t *json_time(const struct status *status, int64_t then_ms)
{
	time_t then = (time_t)status_wall_s(status, then_ms);
	struct tm tm;
	char text[32];
	gmtime_r(&then, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *json_measure(double value) // null: not known
{
	return !(value >= 0) ? json_null() : json_real(round(value * 1000) / 1000);
}

static json_t *json_count(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *json_addr(const struct addr *addr)
{
	char text[ADDR_TEXT];
	return addr_is_none(addr) ? json_null() : json_string(addr_text(addr, text));
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *json_family(const struct status_family *family)
{
	if (!family->wanted)
		return json_null();
	json_t *o = json_object();
	set(o, "state", json_string(state_name(family->state)));
	set(o, "reason", json_text(family->reason));
	set(o, "address", json_addr(&family->next_hop));
	set(o, "source", json_addr(&family->source));
	set(o, "latency_ms", json_measure(family->latency_ms));
	set(o, "jitter_ms", json_measure(family->jitter_ms));
	set(o, "loss", json_measure(family->loss));
	return o;
}

static json_t *json_gateway(const struct status *status, const struct status_gateway *gw)
{
	const struct status_family *family = &gw->family[gw->main_family];
	json_t *o = json_object();
	set(o, "name", json_text(gw->conf->name));
	set(o, "state", json_string(state_name(gw->state)));
	set(o, "reason", json_text(gw->reason));
	set(o, "since", json_time(status, gw->measured.since_ms));
	set(o, "interface", json_text(gw->conf->interface));
	set(o, "address", json_addr(&family->next_hop));
	set(o, "weight", json_integer(gw->weight));
	set(o, "manual", *gw->manual ? json_text(gw->manual) : json_null());
	set(o, "latency_ms", json_measure(family->latency_ms));
	set(o, "jitter_ms", json_measure(family->jitter_ms));
	set(o, "loss", json_measure(family->loss));
	set(o, "flows", json_count(gw->measured.flows));
	set(o, "rx_bytes", gw->iface ? json_integer((json_int_t)gw->iface->rx_bytes) : json_null());
	set(o, "tx_bytes", gw->iface ? json_integer((json_int_t)gw->iface->tx_bytes) : json_null());
	set(o, "rx_bps", json_count((int64_t)gw->measured.rx_bps));
	set(o, "tx_bps", json_count((int64_t)gw->measured.tx_bps));
	set(o, "new_flows", json_count(gw->measured.begun));
	set(o, "id", gw->id ? json_integer(gw->id) : json_null());
	set(o, "mark", gw->id ? json_integer(gw->mark) : json_null());
	set(o, "table", gw->id ? json_integer(gw->table) : json_null());
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		set(o, family_key[fam], json_family(&gw->family[fam]));
	return o;
}

static json_t *json_member(const struct status_member *member)
{
	json_t *o = json_object();
	set(o, "name", json_text(member->gateway));
	set(o, "tier", json_integer(member->use->tier));
	set(o, "weight", json_integer(member->weight));
	set(o, "usable", json_boolean(member->usable));
	set(o, "active", json_boolean(member->active[FAM_4] || member->active[FAM_6]));
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		set(o, fam == FAM_4 ? "share4" : "share6", json_measure(member->share[fam]));
	return o;
}

static json_t *json_balance(const struct status_balance *balance)
{
	json_t *o = json_object(), *members = json_array();
	vec_each(&balance->members, member)
		json_array_append_new(members, json_member(member));
	set(o, "name", json_text(balance->conf->name));
	set(o, "scheduler", json_string(scheduler_name(balance->conf->scheduler)));
	set(o, "persistence_ms", json_integer(balance->conf->persistence_ms));
	set(o, "pins", json_count(balance->pins));
	set(o, "unpinned", json_count(balance->unpinned));
	set(o, "gateways", members);
	return o;
}

static json_t *json_limit(uint32_t limit) // null: none
{
	return limit ? json_integer(limit) : json_null();
}

static json_t *json_server(const struct status *status, const struct status_real *real)
{
	const struct model_real *conf = real->conf;
	const struct plan_real *planned = real->planned;
	const struct verdict *verdict = real->verdict;
	json_t *o = json_object();
	set(o, "name", json_text(conf->name));
	set(o, "role", json_string(role_name(conf->role)));
	set(o, "forward", json_string(forward_name(conf->forward)));
	set(o, "address", json_addr(&conf->address));
	set(o, "port", json_limit(conf->port));
	set(o, "state", json_string(state_name(status_real_state(real))));
	set(o, "reason", json_text(status_real_reason(real)));
	set(o, "since", json_time(status, real->since_ms));
	set(o, "weight", json_integer(status_real_weight(real)));
	set(o, "manual", planned && *planned->manual ? json_text(planned->manual) : json_null());
	set(o, "flows", json_count(real->flows));
	set(o, "max_connections", json_limit(conf->max_connections));
	set(o, "min_connections", json_limit(conf->min_connections));
	set(o, "full", json_boolean(planned && planned->full));
	set(o, "active", json_boolean(planned && (planned->active[FAM_4] || planned->active[FAM_6])));
	set(o, "latency_ms", json_measure(verdict ? verdict->latency_ms : -1));
	set(o, "loss", json_measure(verdict && verdict->state != STATE_UNKNOWN ? verdict->loss : -1));
	return o;
}

static json_t *json_listen(const struct model_listen *listen)
{
	json_t *o = json_object();
	set(o, "address", json_addr(&listen->addr));
	set(o, "first_port", json_integer(listen->first));
	set(o, "last_port", json_integer(listen->last));
	return o;
}

static json_t *json_service(const struct status *status, const struct status_service *service)
{
	const struct model_service *conf = service->conf;
	json_t *o = json_object(), *reals = json_array(), *listens = json_array();
	for (size_t i = 0; i < conf->n_listens; i++)
		json_array_append_new(listens, json_listen(&conf->listens[i]));
	vec_each(&service->reals, real)
		json_array_append_new(reals, json_server(status, real));
	set(o, "name", json_text(conf->name));
	set(o, "listen", listens);
	set(o, "forward", json_string(forward_name(conf->n_reals ? conf->reals[0].forward : FORWARD_NAT)));
	set(o, "scheduler", json_string(scheduler_name(conf->scheduler)));
	set(o, "state", json_string(state_name(status_service_state(service))));
	set(o, "serving", json_string(serving_name(service->serving)));
	set(o, "since", json_time(status, service->since_ms));
	set(o, "persistence_ms", json_integer(conf->persistence_ms));
	set(o, "pins", json_count(service->pins));
	set(o, "flows", json_count(service->flows));
	set(o, "limit_connections", json_limit(conf->limit_connections));
	set(o, "limit_rate", json_limit(conf->limit_rate));
	set(o, "reals", reals);
	return o;
}

static bool shows_service(const struct status_service *service, const char *name)
{
	size_t n = strlen(service->conf->name);
	return !name || (!strncmp(service->conf->name, name, n) && (!name[n] || name[n] == '/'));
}

static json_t *json_names(const struct named_list *list)
{
	json_t *names = json_array();
	for (size_t i = 0; list && i < list->v.n; i++) {
		const struct named *named = &list->v.v[i];
		json_t *o = json_object(), *addrs = json_array();
		vec_each(&named->addrs, addr)
			json_array_append_new(addrs, json_addr(addr));
		set(o, "name", json_text(named->name));
		set(o, "addresses", addrs);
		set(o, "failure", *named->why ? json_text(named->why) : json_null());
		json_array_append_new(names, o);
	}
	return names;
}

void status_json(const struct status *status, const char *name, struct buf *out)
{
	json_t *o = json_object(), *gateways = json_array(), *balances = json_array();
	vec_each(&status->gateways, gw)
		if (!name || !strcmp(name, gw->conf->name))
			json_array_append_new(gateways, json_gateway(status, gw));
	vec_each(&status->balances, balance)
		if (!name || !strcmp(name, balance->conf->name))
			json_array_append_new(balances, json_balance(balance));
	set(o, "gateways", gateways);
	set(o, "balances", balances);
	json_t *services = json_array();
	vec_each(&status->services, service)
		if (shows_service(service, name))
			json_array_append_new(services, json_service(status, service));
	set(o, "services", services);
	set(o, "names", json_names(status->named));
	set(o, "fastpath", json_boolean(status->fastpath));
	set(o, "config", json_text(status->model->path));
	set(o, "started", json_time(status, status->started_ms));
	set(o, "applied", json_time(status, status->applied_ms));
	set(o, "active", json_boolean(status->active));
	set(o, "failure", status->failure ? json_text(status->failure) : json_null());
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(8));
	buf_puts(out, text);
	buf_puts(out, "\n");
	free(text);
	json_decref(o);
}
