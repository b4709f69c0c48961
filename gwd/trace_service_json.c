// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>

#include "gwd/trace_print.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *json_text(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *json_limit(uint32_t limit)
{
	return limit ? json_integer(limit) : json_null();
}

static void set_way(json_t *o, const struct trace *trace, const struct plan *plan,
		    const struct trace_real *seen)
{
	char text[2 * ADDR_TEXT + 32];
	set(o, "out", seen->reached ? json_text(seen->out) : json_null());
	set(o, "reached", json_boolean(seen->reached));
	set(o, "sees", json_string(trace_source_name(seen->source)));
	set(o, "source", json_text(trace_real_source(trace, plan, seen, text)));
}

static json_t *json_member(const struct trace *trace, const struct plan *plan, const struct trace_real *seen,
			   const struct plan_real *real)
{
	char text[ADDR_TEXT];
	uint16_t port = real->port ? real->port : trace->flow.dport;
	json_t *o = json_object();
	set(o, "name", json_string(real->name));
	set(o, "role", json_string(role_name(real->role)));
	set(o, "weight", json_integer(real->weight));
	set(o, "share", json_real(seen->share));
	set(o, "use", json_string(trace_member_name(seen->why)));
	set(o, "reason", json_text(real->reason));
	set(o, "method", json_string(forward_name(real->forward)));
	set(o, "address",
	    addr_is_none(&real->address) ? json_null() : json_string(addr_text(&real->address, text)));
	set(o, "port", json_integer(plan_real_is_direct(real) ? trace->flow.dport : port));
	if (seen->why == TRACE_CHOSEN || seen->why == TRACE_IN_TURN)
		set_way(o, trace, plan, seen);
	return o;
}

static json_t *json_name(const struct plan_service *service, size_t real)
{
	return real == TRACE_NONE ? json_null() : json_string(service->reals.v[real].name);
}

static void set_choice(json_t *o, const struct trace_service *asked, const struct plan_service *service)
{
	bool pinned = asked->pin == TRACE_PIN_LIVE || asked->pin == TRACE_PIN_VOID;
	set(o, "scheduler", json_string(scheduler_name(service->scheduler)));
	set(o, "pin", json_string(trace_pin_name(asked->pin)));
	set(o, "pin_real", json_name(service, asked->pin_real));
	set(o, "pin_left_ms", pinned ? json_integer((json_int_t)asked->pin_left_ms) : json_null());
	set(o, "slot", asked->has_slot ? json_integer(asked->slot) : json_null());
	set(o, "slots", asked->n_slots ? json_integer(asked->n_slots) : json_null());
	set(o, "real",
	    json_name(service, asked->real == TRACE_NONE ? TRACE_NONE : asked->reals.v[asked->real].real));
}

json_t *trace_service_json(const struct trace *trace, const struct plan *plan)
{
	const struct trace_service *asked = &trace->service;
	char text[TRACE_PLACE];
	if (asked->service == TRACE_NONE)
		return json_null();
	const struct plan_service *service = &plan->services.v[asked->service];
	const struct plan_listen *listen = &service->listens.v[asked->listen];
	json_t *o = json_object(), *reals = json_array();
	set(o, "name", json_string(service->name));
	set(o, "listen", json_string(trace_place_text(text, &listen->addr, listen->first, listen->last)));
	set(o, "might_match", json_boolean(asked->open));
	set(o, "syn_proxy", json_boolean(asked->proxied));
	set(o, "limit_rate", json_limit(service->limit_rate));
	set(o, "limit_connections", json_limit(service->limit_connections));
	set(o, "serving", json_string(serving_name((enum serving)service->tier[trace->fam])));
	set_choice(o, asked, service);
	set(o, "answers",
	    asked->answer == TRACE_NONE ? json_null() : json_string(plan->gateways.v[asked->answer].name));
	vec_each(&asked->reals, seen)
		json_array_append_new(reals, json_member(trace, plan, seen, &service->reals.v[seen->real]));
	set(o, "reals", reals);
	return o;
}
