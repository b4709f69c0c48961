// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/flows.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/addr.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/core/tuples.h"
#include "gwd/figure.h"
#include "gwd/real_flows.h"
#include "nft/conntrack.h"

#define FLOWS_NAME (2 * MODEL_NAME_MAX + 2) // "web/www1"
#define FLOWS_END (ADDR_TEXT + 8)           // "[2001:db8::1]:443"

struct flows_gateway {
	char name[MODEL_NAME_MAX + 1];
	uint32_t mark;
};

struct flows_real {
	char name[FLOWS_NAME];
};

struct flows {
	uint32_t mask;
	struct tuples *tuples;
	VEC(struct flows_gateway) gateways;
	VEC(struct flows_real) reals; // by number
	VEC(char *) names;            // filters, one of each kind must fit
	VEC(struct prefix) prefixes;
	VEC(uint8_t) protocols;
	bool no_age, no_bytes; // of a flow that was shown
};

// ---- the question ----------------------------------------------------------------------------

static bool name_covers(const char *asked, const char *name) // web covers web/www1
{
	size_t n = strlen(asked);
	return !strncmp(asked, name, n) && (!name[n] || name[n] == '/');
}

static bool flows_has(const struct flows *flows, const char *name)
{
	vec_each(&flows->gateways, gw)
		if (!strcmp(gw->name, name))
			return true;
	vec_each(&flows->reals, real)
		if (name_covers(name, real->name))
			return true;
	return false;
}

static int flows_ask(struct flows *flows, const char *word, struct err *err)
{
	struct prefix prefix;
	uint8_t protocol;
	if (flows_has(flows, word))
		vec_push(&flows->names, xstrdup(word));
	else if (prefix_parse(word, &prefix))
		vec_push(&flows->prefixes, prefix);
	else if (value_protocol(word, &protocol, NULL) == 0)
		vec_push(&flows->protocols, protocol);
	else
		return err_set(err, EINVAL,
			       "\"%.64s\" is no gateway, service, real, protocol, address or prefix", word);
	return 0;
}

static void flows_copy(struct flows *flows, const struct model *model, const struct plan *plan)
{
	flows->mask = plan->mark_mask;
	flows->tuples = tuples_new(model);
	vec_each(&plan->gateways, gw) {
		struct flows_gateway *copy;
		vec_add(&flows->gateways, copy);
		snprintf(copy->name, sizeof(copy->name), "%s", gw->name);
		copy->mark = gw->mark;
	}
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++) {
			struct flows_real *copy;
			vec_add(&flows->reals, copy);
			snprintf(copy->name, sizeof(copy->name), "%s/%s", model->services[i].name,
				 model->services[i].reals[k].name);
		}
}

struct flows *flows_new(const struct model *model, const struct plan *plan, const char *const *words,
			size_t n, struct err *err)
{
	struct flows *flows = xcalloc(1, sizeof(*flows));
	flows_copy(flows, model, plan);
	for (size_t i = 0; i < n; i++)
		if (flows_ask(flows, words[i], err) < 0) {
			flows_free(flows);
			return NULL;
		}
	return flows;
}

void flows_free(struct flows *flows)
{
	vec_each(&flows->names, name)
		free(*name);
	vec_free(&flows->names);
	vec_free(&flows->prefixes);
	vec_free(&flows->protocols);
	vec_free(&flows->gateways);
	vec_free(&flows->reals);
	tuples_free(flows->tuples);
	free(flows);
}

// ---- one flow --------------------------------------------------------------------------------

struct whose {
	const char *gateway, *real; // NULL: none
};

static struct whose flows_whose(const struct flows *flows, const struct ct_flow *flow)
{
	struct whose whose = {NULL, NULL};
	size_t real = real_flow_whose(flows->tuples, flow);
	vec_each(&flows->gateways, gw)
		if (gw->mark == (flow->mark & flows->mask))
			whose.gateway = gw->name;
	if (real < flows->reals.n)
		whose.real = flows->reals.v[real].name;
	return whose;
}

static bool fits_names(const struct flows *flows, const struct whose *whose)
{
	vec_each(&flows->names, name)
		if (!(whose->gateway && !strcmp(*name, whose->gateway)) &&
		    !(whose->real && name_covers(*name, whose->real)))
			return false;
	return true;
}

static bool prefix_has(const struct prefix *prefix, const struct addr *addr)
{
	return prefix->addr.family == addr->family && prefix_contains(prefix, addr);
}

static bool fits(const struct flows *flows, const struct ct_flow *flow, const struct whose *whose)
{
	if ((!whose->gateway && !whose->real) || !fits_names(flows, whose))
		return false;
	vec_each(&flows->prefixes, prefix)
		if (!prefix_has(prefix, &flow->orig.src) && !prefix_has(prefix, &flow->orig.dst))
			return false;
	vec_each(&flows->protocols, protocol)
		if (*protocol != flow->orig.protocol)
			return false;
	return true;
}

static const char *end_text(const struct addr *addr, uint16_t port, bool ports, char text[FLOWS_END])
{
	char plain[ADDR_TEXT];
	bool brackets = ports && addr_size(addr) == 16;
	addr_text(addr, plain);
	if (ports)
		snprintf(text, FLOWS_END, "%s%s%s:%u", brackets ? "[" : "", plain, brackets ? "]" : "", port);
	else
		snprintf(text, FLOWS_END, "%s", plain);
	return text;
}

static void end_line(struct buf *out)
{
	while (out->n && out->text[out->n - 1] == ' ')
		out->n--;
	buf_puts(out, "\n");
}

// What is too wide ends its line; the next cell stands in its own column all the same.
static void put_cell(struct buf *out, size_t *at, size_t column, const char *text)
{
	if (*at > column) {
		end_line(out);
		*at = 0;
	}
	buf_printf(out, "%*s%s", (int)(column - *at), "", text);
	*at = column + strlen(text) + 1;
	buf_puts(out, " ");
}

enum { AT_PROTOCOL = 0, AT_CLIENT = 6, AT_DESTINATION = 28, AT_WHERE = 50, AT_AGE = 66, AT_BYTES = 74 };
static_assert(FLOWS_NAME <= AT_AGE, "a name has room before the age");

// A long name begins further left, on a line of its own if need be, so that its figures stand behind it.
static size_t where_column(const char *where)
{
	size_t wide = strlen(where) + 1;
	return wide <= AT_AGE - AT_WHERE ? AT_WHERE : AT_AGE - wide;
}

static void put_line(struct buf *out, const char *const cells[6])
{
	const size_t columns[] = {AT_PROTOCOL, AT_CLIENT, AT_DESTINATION, where_column(cells[3]),
				  AT_AGE,      AT_BYTES};
	size_t at = 0;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		put_cell(out, &at, columns[i], cells[i]);
	end_line(out);
}

void flows_title(struct buf *out)
{
	put_line(out, (const char *const[]){"PROTO", "CLIENT", "DESTINATION", "WHERE", "AGE", "BYTES"});
}

static void flows_text(const struct ct_flow *flow, const struct whose *whose, int64_t age_ms, struct buf *out)
{
	char protocol[8], client[FLOWS_END], destination[FLOWS_END], age[FIGURE_TEXT], bytes[FIGURE_TEXT];
	const struct ct_tuple *orig = &flow->orig;
	bool ports = protocol_has_ports(orig->protocol);
	put_line(out, (const char *const[]){
			      protocol_text(orig->protocol, protocol),
			      end_text(&orig->src, orig->sport, ports, client),
			      end_text(&orig->dst, orig->dport, ports, destination),
			      whose->real ? whose->real : whose->gateway,
			      age_ms < 0 ? "-" : figure_age(age_ms, age),
			      flow->has_bytes ? figure_amount((double)flow->bytes, bytes) : "-",
		      });
}

static void flows_json(const struct ct_flow *flow, const struct whose *whose, int64_t age_ms, struct buf *out)
{
	char protocol[8], from[ADDR_TEXT], to[ADDR_TEXT];
	const struct ct_tuple *orig = &flow->orig;
	bool ports = protocol_has_ports(orig->protocol);
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "protocol", protocol_text(orig->protocol, protocol),
			  "client", addr_text(&orig->src, from), "destination", addr_text(&orig->dst, to),
			  "gateway", whose->gateway, "real", whose->real);
	json_object_set_new(o, "client_port", ports ? json_integer(orig->sport) : json_null());
	json_object_set_new(o, "destination_port", ports ? json_integer(orig->dport) : json_null());
	json_object_set_new(o, "age_ms", age_ms < 0 ? json_null() : json_integer(age_ms));
	json_object_set_new(o, "bytes",
			    flow->has_bytes ? json_integer((json_int_t)flow->bytes) : json_null());
	char *text = json_dumps(o, JSON_COMPACT);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(o);
}

void flows_line(struct flows *flows, const struct ct_flow *flow, int64_t now_ms, bool json, struct buf *out)
{
	const struct whose whose = flows_whose(flows, flow);
	if (conntrack_is_over(flow) || !fits(flows, flow, &whose))
		return;
	int64_t age_ms = !flow->began_ms ? -1 : now_ms > flow->began_ms ? now_ms - flow->began_ms : 0;
	flows->no_age |= age_ms < 0;
	flows->no_bytes |= !flow->has_bytes;
	if (json)
		flows_json(flow, &whose, age_ms, out);
	else
		flows_text(flow, &whose, age_ms, out);
}

const char *flows_note(const struct flows *flows)
{
	if (flows->no_age && flows->no_bytes)
		return "the kernel keeps neither ages nor bytes of these; of new flows it does after\n"
		       "sysctl -w net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_acct=1\n";
	if (flows->no_age)
		return "the kernel keeps no ages of these; of new flows it does after\n"
		       "sysctl -w net.netfilter.nf_conntrack_timestamp=1\n";
	if (flows->no_bytes)
		return "the kernel keeps no bytes of these; of new flows it does after\n"
		       "sysctl -w net.netfilter.nf_conntrack_acct=1\n";
	return "";
}
