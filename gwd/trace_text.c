// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "conf/values.h"
#include "gwd/base/buf.h"
#include "gwd/figure.h"
#include "gwd/table.h"
#include "gwd/trace_print.h"

// ---- words -----------------------------------------------------------------------------------

const char *trace_origin_name(enum trace_origin origin)
{
	static const char *const names[] = {[TRACE_FROM_LAN] = "lan",
					    [TRACE_FROM_HERE] = "own",
					    [TRACE_FROM_GATEWAY] = "gateway",
					    [TRACE_FROM_ELSEWHERE] = "elsewhere"};
	return names[origin];
}

const char *trace_end_name(enum trace_end end)
{
	static const char *const names[] = {
		[TRACE_TAKEN] = "gateway", [TRACE_TURN] = "turn",       [TRACE_MAIN] = "main",
		[TRACE_HERE] = "here",     [TRACE_REFUSED] = "refused", [TRACE_SERVICE] = "service"};
	return names[end];
}

const char *trace_selector_name(enum trace_selector selector)
{
	static const char *const names[] = {
		[TRACE_ALL] = "",          [TRACE_OWN] = "own",           [TRACE_FROM] = "from",
		[TRACE_TO] = "to",         [TRACE_PROTOCOL] = "protocol", [TRACE_PORTS] = "ports",
		[TRACE_SPORTS] = "sports", [TRACE_DSCP] = "dscp",         [TRACE_IN] = "interface",
		[TRACE_MARK] = "mark"};
	return names[selector];
}

const char *trace_member_name(enum trace_member_why why)
{
	static const char *const names[] = {
		[TRACE_CHOSEN] = "chosen",     [TRACE_IN_TURN] = "in turn", [TRACE_OTHER] = "in use",
		[TRACE_DOWN] = "no",           [TRACE_DRAIN] = "drain",     [TRACE_FULL] = "full",
		[TRACE_DEGRADED] = "degraded", [TRACE_TIER] = "standby",    [TRACE_WAITS] = "waits"};
	return names[why];
}

const char *trace_pin_name(enum trace_pin pin)
{
	static const char *const names[] = {[TRACE_PIN_OFF] = "off",
					    [TRACE_PIN_NONE] = "none",
					    [TRACE_PIN_LIVE] = "live",
					    [TRACE_PIN_VOID] = "void"};
	return names[pin];
}

static const struct {
	const char *name, *text;
} why_words[] = {
	[TRACE_BY_PIN] = {"pin", "the client is pinned to it"},
	[TRACE_BY_SLOT] = {"slot", "it serves alone"},
	[TRACE_BY_COUNTS] = {"counts", "the next slot is its"},
	[TRACE_BY_LINK] = {"link", "it comes in by that gateway; its answers leave there"},
	[TRACE_BY_MARK] = {"mark", "the packet has that gateway's mark already"},
	[TRACE_BY_ADDRESS] = {"address", "the socket is bound to an address of that link"},
	[TRACE_BY_DEVICE] = {"device", "main, or the socket's device, sends it by that link"},
	[TRACE_NEXT] = {"next", "whose slot is next: the kernel does not tell where it stands"},
	[TRACE_AT_RANDOM] = {"random", "a slot is drawn at random"},
	[TRACE_INSIDE] = {"inside", "main has a route for it, which is no default by a gateway's interface"},
	[TRACE_MANY] = {"many", "it is for more than one host: broadcast, multicast or anycast"},
	[TRACE_BYPASS] = {"bypass", "the rule leaves it to main"},
	[TRACE_NETWORK] = {"network", "its source is in none of lan's networks"},
	[TRACE_INTERFACE] = {"interface",
			     "it comes in by an interface that is neither lan's nor a gateway's"},
	[TRACE_CONTROL] = {"control", "it has the mark of gwd's own control packets"},
	[TRACE_SEGMENT] = {"segment",
			   "a server's segment from the middle of a flow stays where main sends it"},
	[TRACE_UNROUTED] = {"unrouted", "main has no route for it, so this host can't send it"},
	[TRACE_INACTIVE] = {"inactive", "gwd has nothing in the kernel (flush), until a reload"},
	[TRACE_SHARED] =
		{"shared",
		 "it comes in by an interface of several gateways; its answers leave by the one whose "
		 "MAC address sent it"},
	[TRACE_LOCAL] = {"local", "its destination is an address of this host"},
	[TRACE_NOBODY] = {"nobody", "the default balance has no usable gateway"},
	[TRACE_STRICT] = {"strict", "the rule is strict, and has no usable gateway"},
	[TRACE_ROUTE] = {"route", "main has a route that refuses it: blackhole, unreachable or prohibit"},
	[TRACE_UNSERVED] = {"unserved",
			    "no real of the service takes it: who listens here answers, or a reset"},
	[TRACE_PROXIED] = {"proxied", "behind syn-proxy a connection begins with a handshake with this host"},
	[TRACE_ORPHAN] = {"orphan", "a segment of a flow that does not exist here (any more)"},
};

const char *trace_why_name(enum trace_why why)
{
	return why_words[why].name;
}

const char *trace_source_text(const struct trace *trace, const struct plan *plan,
			      char text[2 * ADDR_TEXT + 32])
{
	char first[PREFIX_TEXT], last[ADDR_TEXT];
	if (trace->leftover)
		return "masquerade";
	if (trace->snat == TRACE_NONE)
		return "";
	const struct plan_gateway *gw = &plan->gateways.v[trace->snat];
	const struct model_snat *snat = &gw->snat[trace->fam];
	bool own =
		snat->mode == SNAT_PREFIX && trace->origin == TRACE_FROM_HERE; // keeps the link's own address
	switch (own ? SNAT_MASQUERADE : snat->mode) {
	case SNAT_NONE:
		return "";
	case SNAT_MASQUERADE:
		if (addr_is_none(&gw->source[trace->fam]))
			return "masquerade";
		snprintf(text, 2 * ADDR_TEXT + 32, "masquerade as %s",
			 addr_text(&gw->source[trace->fam], first));
		return text;
	case SNAT_PREFIX: // always one: without it the link is not used
		snprintf(text, 2 * ADDR_TEXT + 32, "%s over its own prefix",
			 prefix_text(&snat->prefix, first));
		return text;
	case SNAT_ADDRESS:
		break;
	}
	bool range = !addr_equal(&snat->first, &snat->last);
	snprintf(text, 2 * ADDR_TEXT + 32, "%s%s%s", addr_text(&snat->first, first), range ? " to " : "",
		 range ? addr_text(&snat->last, last) : "");
	return text;
}

// ---- lines -----------------------------------------------------------------------------------

void trace_line(struct table *t, const char *name, struct buf *text)
{
	table_row(t);
	table_cell(t, "%s", name);
	table_cell(t, "%s", buf_text(text));
	buf_free(text);
}

static void put_protocol(struct buf *b, const struct trace_flow *flow)
{
	char text[8];
	if (!flow->has_protocol)
		return;
	buf_printf(b, ", %s", protocol_text(flow->protocol, text));
	if (flow->has_sport)
		buf_printf(b, " from port %u", flow->sport);
	if (flow->has_dport)
		buf_printf(b, " to port %u", flow->dport);
	if (flow->middle)
		buf_puts(b, ", not a SYN");
}

static void put_flow(struct table *t, const struct trace *trace)
{
	static const char *const origins[] = {
		[TRACE_FROM_LAN] = "from the LAN",
		[TRACE_FROM_HERE] = "this host's own",
		[TRACE_FROM_GATEWAY] = "from outside",
		[TRACE_FROM_ELSEWHERE] = "from elsewhere",
	};
	const struct trace_flow *flow = &trace->flow;
	char from[ADDR_TEXT], to[ADDR_TEXT];
	struct buf b = {0};
	buf_printf(&b, "%s to %s", addr_text(&flow->from, from), addr_text(&flow->to, to));
	put_protocol(&b, flow);
	if (flow->dscp)
		buf_printf(&b, ", dscp %u", flow->dscp);
	if (flow->mark)
		buf_printf(&b, ", mark 0x%x", flow->mark);
	buf_printf(&b, "; %s", origins[trace->origin]);
	if (trace->world.iif[0])
		buf_printf(&b, ", in by %s", trace->world.iif);
	trace_line(t, "flow", &b);
}

static void put_way(struct buf *b, const struct trace *trace, const struct plan *plan)
{
	char text[2 * ADDR_TEXT + 32];
	const char *source = trace_source_text(trace, plan, text);
	if (trace->route != TRACE_NONE && !trace->by_main) {
		const struct plan_route *route = &plan->routes.v[trace->route];
		char via[ADDR_TEXT];
		if (!addr_is_none(&route->via))
			buf_printf(b, " via %s", addr_text(&route->via, via));
	}
	if (trace->oif[0])
		buf_printf(b, " on %s", trace->oif);
	if (trace->by_main)
		buf_puts(b, ", where main has a route for it");
	if (*source)
		buf_printf(b, "; source: %s", source);
}

static void put_turn(struct buf *b, const struct trace *trace, const struct plan *plan)
{
	const char *before = "";
	vec_each(&trace->groups.v[trace->groups.n - 1].members, member)
		if (member->why == TRACE_IN_TURN) {
			buf_printf(b, "%s%s", before, plan->gateways.v[member->gateway].name);
			before = " or ";
		}
}

static void put_end(struct table *t, const struct trace *trace, const struct plan *plan)
{
	struct buf b = {0};
	switch (trace->end) {
	case TRACE_TAKEN:
		buf_printf(&b, "%s", plan->gateways.v[trace->gateway].name);
		if (trace->origin != TRACE_FROM_GATEWAY && trace->route == TRACE_NONE)
			buf_puts(&b, ", which has no route: the packet is dropped");
		put_way(&b, trace, plan);
		break;
	case TRACE_TURN:
		put_turn(&b, trace, plan);
		break;
	case TRACE_MAIN:
		buf_puts(&b, "the main table");
		put_way(&b, trace, plan);
		break;
	case TRACE_HERE:
		buf_puts(&b, "this host");
		break;
	case TRACE_REFUSED:
		buf_puts(&b, trace->why == TRACE_ROUTE ? "nobody: main refuses that destination"
			     : trace->flow.has_protocol && trace->flow.protocol != 6
				     ? "refused with an ICMP error"
				     : "refused with a reset (tcp) or an ICMP error");
		break;
	case TRACE_SERVICE:
		trace_service_end(trace, plan, &b);
		break;
	}
	trace_line(t, "goes to", &b);
}

static void put_choice(struct buf *b, enum trace_why why, struct trace_choice choice)
{
	char left[FIGURE_TEXT];
	bool drawn = why == TRACE_BY_SLOT && choice.has_slot && choice.n_slots > 1;
	buf_puts(b, drawn ? "its hash" : why_words[why].text);
	if (why == TRACE_BY_PIN)
		buf_printf(b, ", for %s more without a new flow",
			   figure_age((int64_t)choice.pin_left_ms, left));
	else if (drawn || why == TRACE_BY_COUNTS)
		buf_printf(b, ": slot %u of %u, by %s", choice.slot, choice.n_slots,
			   scheduler_name(choice.scheduler));
}

static void put_why(struct table *t, const struct trace *trace, const struct plan *plan)
{
	const struct trace_group *last = trace->groups.n ? &trace->groups.v[trace->groups.n - 1] : NULL;
	struct buf b = {0};
	if (trace->end == TRACE_SERVICE)
		put_choice(&b, trace->why, trace_service_choice(&trace->service, plan));
	else if (last)
		put_choice(&b, trace->why,
			   (struct trace_choice){last->pin_left_ms, last->has_slot, last->slot, last->n_slots,
						 plan->groups.v[last->group].scheduler});
	else
		put_choice(&b, trace->why, (struct trace_choice){0});
	trace_line(t, "why", &b);
}

// Rules that only lack a word of the question, and the one that matches. The others are many.
static void put_rules(struct table *t, const struct trace *trace, const struct plan *plan)
{
	struct buf b = {0};
	size_t passed = 0;
	for (size_t i = 0; i < trace->rules.n; i++) {
		const struct trace_rule *met = &trace->rules.v[i];
		passed += met->against != TRACE_ALL && !met->open;
		if (!met->open)
			continue;
		buf_printf(&b, "%s might match, by its %s", plan->rules.v[i].name,
			   trace_selector_name(met->against));
		trace_line(t, "rule", &b);
	}
	if (trace->rule != TRACE_NONE)
		buf_printf(&b, "%s matches", plan->rules.v[trace->rule].name);
	else if (trace->rules.n)
		buf_puts(&b, "none matches: the default balance");
	if (passed && trace->rule != TRACE_NONE)
		buf_printf(&b, " (%zu before it don't)", passed);
	if (b.n)
		trace_line(t, "rule", &b);
}

static void put_gateway(struct table *t, const struct trace *trace, const struct plan *plan)
{
	struct buf b = {0};
	if (trace->gateway == TRACE_NONE)
		return;
	buf_printf(&b, "0x%08x", plan->gateways.v[trace->gateway].mark);
	if (trace->route != TRACE_NONE)
		buf_printf(&b, ", table %u", plan->routes.v[trace->route].table);
	trace_line(t, "mark", &b);
}

static void put_running_real(const struct trace *trace, const struct plan *plan, struct buf *out)
{
	char text[ADDR_TEXT];
	const struct plan_service *service = &plan->services.v[trace->service.service];
	if (trace->running_real != TRACE_NONE)
		buf_printf(out, ", with %s/%s", service->name, service->reals.v[trace->running_real].name);
	else if (addr_equal(&trace->world.running_at, &trace->flow.to))
		buf_puts(out, ", with this host itself");
	else
		buf_printf(out, ", with %s, which is no real of %s",
			   addr_text(&trace->world.running_at, text), service->name);
}

static void put_running(struct table *t, const struct trace *trace, const struct plan *plan)
{
	struct buf b = {0};
	bool inbound = trace->service.service != TRACE_NONE;
	if (!trace->world.running)
		return;
	buf_puts(&b, "this flow exists already");
	if (inbound)
		put_running_real(trace, plan, &b);
	if (trace->running != TRACE_NONE)
		buf_printf(&b, ", %s %s", inbound ? "answered by" : "on",
			   plan->gateways.v[trace->running].name);
	if (inbound || trace->running != TRACE_NONE)
		buf_puts(&b, ", and stays there");
	trace_line(t, "but", &b);
}

// ---- groups ----------------------------------------------------------------------------------

void trace_pin(struct buf *out, enum trace_pin pin, const char *name)
{
	switch (pin) {
	case TRACE_PIN_OFF:
		return;
	case TRACE_PIN_NONE:
		buf_puts(out, ", the client has no pin");
		return;
	case TRACE_PIN_LIVE:
		buf_printf(out, ", the client is pinned to %s", name);
		return;
	case TRACE_PIN_VOID:
		buf_printf(out, ", the client's pin to %s is void", name);
		return;
	}
}

static const char *member_text(const struct trace_member *member, const struct plan_gateway *gw)
{
	switch (member->why) {
	case TRACE_DOWN:
	case TRACE_DEGRADED:
	case TRACE_FULL:
		return gw->reason;
	case TRACE_DRAIN:
		return "weight 0: no new clients";
	case TRACE_TIER:
		return "a lower tier serves";
	case TRACE_WAITS:
		return "another one is preferred";
	case TRACE_CHOSEN:
	case TRACE_IN_TURN:
	case TRACE_OTHER:
		break;
	}
	return "";
}

static void put_group(const struct trace_group *asked, const struct plan *plan, struct buf *out)
{
	const struct plan_group *group = &plan->groups.v[asked->group];
	char share[FIGURE_TEXT];
	struct table t = {0};
	unsigned all = 0;
	buf_printf(out, "\n%s: %s", group->name, scheduler_name(group->scheduler));
	trace_pin(out, asked->pin,
		  asked->pin_gateway == TRACE_NONE ? "a gateway that is gone"
						   : plan->gateways.v[asked->pin_gateway].name);
	buf_puts(out, "\n");
	table_column(&t, TABLE_LEFT, "GATEWAY");
	table_column(&t, TABLE_RIGHT, "TIER");
	table_column(&t, TABLE_RIGHT, "WEIGHT");
	table_column(&t, TABLE_RIGHT, "SHARE");
	table_column(&t, TABLE_LEFT, "HERE");
	vec_each(&asked->members, member)
		all += member->slots;
	vec_each(&asked->members, member) {
		const struct plan_gateway *gw = &plan->gateways.v[member->gateway];
		const char *text = member_text(member, gw);
		table_row(&t);
		table_cell(&t, "%s", gw->name);
		table_cell(&t, "%u", member->tier);
		table_cell(&t, "%u", member->weight);
		table_cell(&t, "%s", figure_share(all ? (double)member->slots / all : 0, share));
		table_cell(&t, "%s%s%s", trace_member_name(member->why), *text ? ": " : "", text);
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

void trace_text(const struct trace *trace, const struct plan *plan, struct buf *out)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	put_flow(&t, trace);
	put_end(&t, trace, plan);
	put_why(&t, trace, plan);
	trace_service_lines(&t, trace, plan);
	put_rules(&t, trace, plan);
	put_gateway(&t, trace, plan);
	put_running(&t, trace, plan);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
	vec_each(&trace->groups, asked)
		put_group(asked, plan, out);
	trace_service_reals(trace, plan, out);
}
