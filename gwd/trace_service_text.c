// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "gwd/base/buf.h"
#include "gwd/figure.h"
#include "gwd/table.h"
#include "gwd/trace_print.h"

// ---- words -----------------------------------------------------------------------------------

const char *trace_source_name(enum trace_source source)
{
	static const char *const names[] = {[TRACE_SOURCE_CLIENT] = "client",
					    [TRACE_SOURCE_FULLNAT] = "fullnat",
					    [TRACE_SOURCE_HAIRPIN] = "hairpin",
					    [TRACE_SOURCE_LINK] = "link"};
	return names[source];
}

const char *trace_place_text(char text[TRACE_PLACE], const struct addr *addr, uint16_t first, uint16_t last)
{
	char a[ADDR_TEXT];
	bool v6 = addr_size(addr) == 16;
	int n = addr_is_none(addr) ? 0 : snprintf(text, TRACE_PLACE, v6 ? "[%s]" : "%s", addr_text(addr, a));
	size_t left = TRACE_PLACE - (size_t)n;
	if (first <= 1 && last == MODEL_PORT_ANY_LAST)
		snprintf(text + n, left, ":*");
	else if (first != last)
		snprintf(text + n, left, ":%u-%u", first, last);
	else
		snprintf(text + n, left, ":%u", first);
	return text;
}

const char *trace_real_source(const struct trace *trace, const struct plan *plan,
			      const struct trace_real *real, char text[2 * ADDR_TEXT + 32])
{
	char first[ADDR_TEXT], last[ADDR_TEXT];
	bool known = trace->service.real != TRACE_NONE;
	switch (real->source) {
	case TRACE_SOURCE_CLIENT:
		return "";
	case TRACE_SOURCE_LINK:
		return known ? trace_source_text(trace, plan, text) : "masquerade";
	case TRACE_SOURCE_HAIRPIN:
		return "masquerade";
	case TRACE_SOURCE_FULLNAT:
		break;
	}
	const struct plan_service *speaker = &plan->services.v[real->speaker];
	const struct addr *from = &speaker->source_first[trace->fam], *to = &speaker->source_last[trace->fam];
	if (addr_is_none(from))
		return "masquerade";
	bool range = !addr_equal(from, to);
	snprintf(text, 2 * ADDR_TEXT + 32, "%s%s%s", addr_text(from, first), range ? " to " : "",
		 range ? addr_text(to, last) : "");
	return text;
}

struct trace_choice trace_service_choice(const struct trace_service *asked, const struct plan *plan)
{
	return (struct trace_choice){asked->pin_left_ms, asked->has_slot, asked->slot, asked->n_slots,
				     plan->services.v[asked->service].scheduler};
}

// ---- lines -----------------------------------------------------------------------------------

static const struct plan_real *real_of(const struct plan_service *service, const struct trace_real *seen)
{
	return &service->reals.v[seen->real];
}

static void put_to(struct buf *b, const struct trace *trace, const struct plan_real *real)
{
	char text[TRACE_PLACE];
	uint16_t port = real->port ? real->port : trace->flow.dport;
	buf_printf(b, "%s", forward_name(real->forward));
	if (plan_real_is_direct(real))
		buf_printf(b, ", as it is, to %s", addr_text(&real->address, text));
	else if (addr_is_none(&real->address))
		buf_printf(b, ", port %u of this host", port);
	else
		buf_printf(b, ", %s", trace_place_text(text, &real->address, port, port));
}

void trace_service_end(const struct trace *trace, const struct plan *plan, struct buf *out)
{
	const struct trace_service *asked = &trace->service;
	const struct plan_service *service = &plan->services.v[asked->service];
	const char *before = "";
	vec_each(&asked->reals, seen)
		if (seen->why == TRACE_CHOSEN || seen->why == TRACE_IN_TURN) {
			buf_printf(out, "%s%s/%s", before, service->name, real_of(service, seen)->name);
			before = " or ";
		}
	if (asked->real == TRACE_NONE)
		return;
	const struct trace_real *taker = &asked->reals.v[asked->real];
	buf_puts(out, " by ");
	put_to(out, trace, real_of(service, taker));
	if (!taker->reached)
		buf_puts(out, ", which main has no way to");
	else if (taker->out[0])
		buf_printf(out, " on %s", taker->out);
}

static const char *serving_text(const struct plan_service *service, enum fam fam)
{
	static const char *const words[] = {"nobody serves", "the reals serve", "the backup serves",
					    "the sorry server serves"};
	return words[service->tier[fam]];
}

static void put_service(struct table *t, const struct trace_service *asked,
			const struct plan_service *service)
{
	const struct plan_listen *listen = &service->listens.v[asked->listen];
	char text[TRACE_PLACE];
	struct buf b = {0};
	buf_printf(&b, "%s at %s", service->name,
		   trace_place_text(text, &listen->addr, listen->first, listen->last));
	if (asked->open)
		buf_puts(&b, " might take it: the question does not say protocol and port");
	else if (asked->proxied)
		buf_puts(&b, "; syn-proxy shakes hands with the client first");
	trace_line(t, "service", &b);
	if (!service->limit_rate && !service->limit_connections)
		return;
	buf_puts(&b, "from one source");
	if (service->limit_rate)
		buf_printf(&b, " %u new ones a second", service->limit_rate);
	if (service->limit_connections)
		buf_printf(&b, "%s %u at a time", service->limit_rate ? " and" : "",
			   service->limit_connections);
	buf_puts(&b, "; more are dropped");
	trace_line(t, "limit", &b);
}

// All who may get it see the same, or it depends.
static void put_source(struct table *t, const struct trace *trace, const struct plan *plan)
{
	static const char *const why[] = {[TRACE_SOURCE_CLIENT] = "the client's own",
					  [TRACE_SOURCE_FULLNAT] = "by fullnat",
					  [TRACE_SOURCE_HAIRPIN] = "because client and real are in one LAN",
					  [TRACE_SOURCE_LINK] = "because it leaves by a gateway's interface"};
	const struct trace_service *asked = &trace->service;
	char text[2 * ADDR_TEXT + 32];
	const struct trace_real *first = NULL;
	bool same = true;
	vec_each(&asked->reals, seen)
		if (seen->why == TRACE_CHOSEN || seen->why == TRACE_IN_TURN) {
			same &= !first || first->source == seen->source;
			first = first ? first : seen;
		}
	struct buf b = {0};
	if (!first)
		return;
	const char *source = same ? trace_real_source(trace, plan, first, text) : "depends on the real";
	buf_printf(&b, "%s%s%s", source, same && *source ? ", " : "", same ? why[first->source] : "");
	trace_line(t, "source", &b);
}

static bool may_be_direct(const struct trace_service *asked, const struct plan_service *service)
{
	vec_each(&asked->reals, seen)
		if ((seen->why == TRACE_CHOSEN || seen->why == TRACE_IN_TURN) &&
		    plan_real_is_direct(real_of(service, seen)))
			return true;
	return false;
}

static void put_answer(struct table *t, const struct trace *trace, const struct plan *plan)
{
	const struct trace_service *asked = &trace->service;
	struct buf b = {0};
	if (may_be_direct(asked, &plan->services.v[asked->service]))
		buf_puts(&b, "the real's own way; if that is this host, ");
	if (asked->answer != TRACE_NONE)
		buf_printf(&b, "by %s", plan->gateways.v[asked->answer].name);
	else if (trace->origin == TRACE_FROM_HERE)
		buf_puts(&b, "to this host");
	else if (trace->origin == TRACE_FROM_LAN)
		buf_printf(&b, "by %s", trace->world.iif);
	else if (trace->why == TRACE_SHARED)
		buf_puts(&b, "by the gateway whose MAC address sent it");
	else
		buf_puts(&b, "as main has it");
	trace_line(t, "answers", &b);
}

void trace_service_lines(struct table *t, const struct trace *trace, const struct plan *plan)
{
	if (trace->service.service == TRACE_NONE)
		return;
	put_service(t, &trace->service, &plan->services.v[trace->service.service]);
	if (trace->end != TRACE_SERVICE)
		return;
	put_source(t, trace, plan);
	put_answer(t, trace, plan);
}

// ---- its reals -------------------------------------------------------------------------------

static const char *real_text(const struct trace *trace, const struct trace_real *seen,
			     const struct plan_real *real)
{
	switch (seen->why) {
	case TRACE_DOWN:
	case TRACE_DEGRADED:
	case TRACE_FULL:
		return real->reason;
	case TRACE_DRAIN:
		return real->manual[0] ? real->manual : "weight 0: no new clients";
	case TRACE_TIER:
		return real->role == ROLE_REAL ? "" : "others serve";
	case TRACE_WAITS:
		return plan_real_is_direct(real) && trace->origin == TRACE_FROM_HERE
			       ? "dr and tun are for what comes in"
			       : "another one is preferred";
	case TRACE_CHOSEN:
	case TRACE_IN_TURN:
	case TRACE_OTHER:
		break;
	}
	return "";
}

static void put_real(struct table *t, const struct trace *trace, const struct trace_real *seen,
		     const struct plan_real *real)
{
	char share[FIGURE_TEXT];
	struct buf to = {0};
	const char *text = real_text(trace, seen, real);
	put_to(&to, trace, real);
	table_row(t);
	table_cell(t, "%s", real->name);
	table_cell(t, "%s", role_name(real->role));
	table_cell(t, "%u", real->weight);
	table_cell(t, "%s", figure_share(seen->share, share));
	table_cell(t, "%s", buf_text(&to));
	table_cell(t, "%s%s%s", trace_member_name(seen->why), *text ? ": " : "", text);
	buf_free(&to);
}

void trace_service_reals(const struct trace *trace, const struct plan *plan, struct buf *out)
{
	const struct trace_service *asked = &trace->service;
	struct table t = {0};
	if (asked->service == TRACE_NONE || asked->open)
		return;
	const struct plan_service *service = &plan->services.v[asked->service];
	buf_printf(out, "\n%s: %s, %s", service->name, scheduler_name(service->scheduler),
		   serving_text(service, trace->fam));
	trace_pin(out, asked->pin,
		  asked->pin_real == TRACE_NONE ? "a real that is gone"
						: service->reals.v[asked->pin_real].name);
	buf_puts(out, "\n");
	table_column(&t, TABLE_LEFT, "REAL");
	table_column(&t, TABLE_LEFT, "ROLE");
	table_column(&t, TABLE_RIGHT, "WEIGHT");
	table_column(&t, TABLE_RIGHT, "SHARE");
	table_column(&t, TABLE_LEFT, "TO");
	table_column(&t, TABLE_LEFT, "HERE");
	vec_each(&asked->reals, seen)
		put_real(&t, trace, seen, real_of(service, seen));
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}
