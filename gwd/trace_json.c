// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>
#include <stdlib.h>

#include "gwd/base/buf.h"
#include "gwd/trace_print.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *json_text(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *json_gateway(const struct plan *plan, size_t gateway)
{
	return gateway == TRACE_NONE ? json_null() : json_string(plan->gateways.v[gateway].name);
}

static json_t *json_flow(const struct trace *trace)
{
	const struct trace_flow *flow = &trace->flow;
	char text[ADDR_TEXT];
	json_t *o = json_object();
	set(o, "from", json_string(addr_text(&flow->from, text)));
	set(o, "to", json_string(addr_text(&flow->to, text)));
	set(o, "protocol", flow->has_protocol ? json_integer(flow->protocol) : json_null());
	set(o, "from_port", flow->has_sport ? json_integer(flow->sport) : json_null());
	set(o, "to_port", flow->has_dport ? json_integer(flow->dport) : json_null());
	set(o, "dscp", json_integer(flow->dscp));
	set(o, "mark", json_integer(flow->mark));
	set(o, "syn", json_boolean(!flow->middle));
	set(o, "in", json_text(trace->world.iif));
	set(o, "main_route", json_text(trace->world.oif));
	return o;
}

static json_t *json_rules(const struct trace *trace, const struct plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < trace->rules.n; i++) {
		const struct trace_rule *met = &trace->rules.v[i];
		json_t *o = json_object();
		set(o, "name", json_string(plan->rules.v[i].name));
		set(o, "matches", json_boolean(met->against == TRACE_ALL));
		set(o, "against",
		    met->against == TRACE_ALL ? json_null() : json_string(trace_selector_name(met->against)));
		set(o, "would_match", json_boolean(met->open));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *json_members(const struct trace_group *asked, const struct plan *plan)
{
	json_t *list = json_array();
	vec_each(&asked->members, member) {
		const struct plan_gateway *gw = &plan->gateways.v[member->gateway];
		json_t *o = json_object();
		set(o, "name", json_string(gw->name));
		set(o, "tier", json_integer(member->tier));
		set(o, "weight", json_integer(member->weight));
		set(o, "slots", json_integer(member->slots));
		set(o, "use", json_string(trace_member_name(member->why)));
		set(o, "reason", json_text(gw->reason));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *json_groups(const struct trace *trace, const struct plan *plan)
{
	json_t *list = json_array();
	vec_each(&trace->groups, asked) {
		const struct plan_group *group = &plan->groups.v[asked->group];
		bool pinned = asked->pin == TRACE_PIN_LIVE || asked->pin == TRACE_PIN_VOID;
		json_t *o = json_object();
		set(o, "name", json_string(group->name));
		set(o, "scheduler", json_string(scheduler_name(group->scheduler)));
		set(o, "pin", json_string(trace_pin_name(asked->pin)));
		set(o, "pin_gateway", json_gateway(plan, asked->pin_gateway));
		set(o, "pin_left_ms", pinned ? json_integer((json_int_t)asked->pin_left_ms) : json_null());
		set(o, "slot", asked->has_slot ? json_integer(asked->slot) : json_null());
		set(o, "slots", json_integer(group->n_slots[trace->fam]));
		set(o, "gateways", json_members(asked, plan));
		json_array_append_new(list, o);
	}
	return list;
}

static void set_way(json_t *root, const struct trace *trace, const struct plan *plan)
{
	char text[2 * ADDR_TEXT + 32];
	const struct plan_gateway *gw =
		trace->gateway == TRACE_NONE ? NULL : &plan->gateways.v[trace->gateway];
	const struct plan_route *route = trace->route == TRACE_NONE ? NULL : &plan->routes.v[trace->route];
	set(root, "mark", gw ? json_integer(gw->mark) : json_null());
	set(root, "table", route ? json_integer(route->table) : json_null());
	set(root, "next_hop",
	    route && !addr_is_none(&route->via) ? json_string(addr_text(&route->via, text)) : json_null());
	set(root, "out", json_text(trace->oif));
	set(root, "source", json_text(trace_source_text(trace, plan, text)));
}

static json_t *json_running(const struct trace *trace, const struct plan *plan)
{
	char text[ADDR_TEXT];
	if (!trace->world.running)
		return json_null();
	json_t *o = json_object();
	set(o, "gateway", json_gateway(plan, trace->running));
	set(o, "real",
	    trace->running_real == TRACE_NONE
		    ? json_null()
		    : json_string(
			      plan->services.v[trace->service.service].reals.v[trace->running_real].name));
	set(o, "answers_from", json_string(addr_text(&trace->world.running_at, text)));
	return o;
}

void trace_json(const struct trace *trace, const struct plan *plan, struct buf *out)
{
	json_t *root = json_object();
	set(root, "flow", json_flow(trace));
	set(root, "origin", json_string(trace_origin_name(trace->origin)));
	set(root, "end", json_string(trace_end_name(trace->end)));
	set(root, "why", json_string(trace_why_name(trace->why)));
	set(root, "gateway", json_gateway(plan, trace->gateway));
	set(root, "rule",
	    trace->rule == TRACE_NONE ? json_null() : json_string(plan->rules.v[trace->rule].name));
	set(root, "rules", json_rules(trace, plan));
	set(root, "balances", json_groups(trace, plan));
	set(root, "service", trace_service_json(trace, plan));
	set(root, "running", json_running(trace, plan));
	set_way(root, trace, plan);
	char *text = json_dumps(root, JSON_COMPACT);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
}
