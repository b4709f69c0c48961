// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl trace: the question, what the kernel knows of it, and the core's answer.
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/command_priv.h"
#include "gwd/core/facts.h"
#include "gwd/core/trace.h"
#include "gwd/engine.h"
#include "gwd/request.h"
#include "gwd/route_ask.h"
#include "gwd/trace_ask.h"
#include "gwd/trace_print.h"
#include "nft/conntrack.h"
#include "nft/nft.h"

struct trace_reading {
	struct nft *nft;
	const struct facts *facts;
	int rc; // of a reading that failed
	struct err *err;
};

static bool reading_pin(void *arg, enum plan_table table, const char *map, const uint8_t *key, unsigned size,
			uint32_t *mark, uint64_t *left_ms)
{
	struct trace_reading *reading = arg;
	struct err err;
	int rc = nft_get_pin(reading->nft, table, map, key, size, mark, left_ms, &err);
	if (rc < 0 && rc != -ENOENT) {
		reading->rc = rc;
		*reading->err = err;
	}
	return rc == 0;
}

static bool reading_taken(void *arg, const char *chain, uint64_t *taken)
{
	struct trace_reading *reading = arg;
	struct err err;
	int rc = nft_read_turns(reading->nft, PLAN_INET, chain, taken, &err);
	if (rc < 0) {
		reading->rc = rc;
		*reading->err = err;
	}
	return rc == 0;
}

static bool is_multicast(const struct addr *a)
{
	return addr_size(a) == 4 ? (a->b[0] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

static enum trace_route route_kind(const struct addr *to, const struct route_answer *answer)
{
	if (is_multicast(to))
		return TRACE_ROUTE_MANY;
	switch (answer->type) {
	case RTN_UNICAST:
		return TRACE_ROUTE_OUT;
	case RTN_LOCAL:
		return TRACE_ROUTE_HERE;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return TRACE_ROUTE_MANY;
	default:
		return answer->refuses ? TRACE_ROUTE_REFUSES : TRACE_ROUTE_NONE;
	}
}

static void put_ifname(char out[16], const struct facts *facts, uint32_t index)
{
	const struct fact_iface *iface = facts_iface_by_index(facts, index);
	snprintf(out, 16, "%s", iface ? iface->name : "");
}

static bool reading_way(void *arg, const struct addr *to, uint32_t mark, char oif[16])
{
	struct trace_reading *reading = arg;
	struct route_answer answer;
	struct err err;
	int rc = route_ask(&answer, to, mark, &err);
	if (rc < 0) {
		reading->rc = rc;
		*reading->err = err;
	}
	*oif = 0;
	if (rc == 0 && answer.type == RTN_UNICAST)
		put_ifname(oif, reading->facts, answer.oif);
	return rc == 0 && (answer.type == RTN_LOCAL || *oif);
}

// Where the flow comes from is where main would send an answer, unless the question says it.
static int ask_world(struct trace_world *world, const struct trace_question *q, const struct facts *facts,
		     struct err *err)
{
	struct route_answer to, back;
	int rc = route_ask(&to, &q->flow.to, q->flow.mark, err);
	if (rc == 0)
		rc = route_ask(&back, &q->flow.from, 0, err);
	if (rc < 0)
		return rc;
	world->route = route_kind(&q->flow.to, &to);
	world->route_is_default = to.len == 0;
	if (world->route == TRACE_ROUTE_OUT)
		put_ifname(world->oif, facts, to.oif);
	world->from_here = !q->iif[0] && back.type == RTN_LOCAL;
	if (q->iif[0])
		memcpy(world->iif, q->iif, sizeof(world->iif));
	else if (!world->from_here && back.type == RTN_UNICAST)
		put_ifname(world->iif, facts, back.oif);
	return 0;
}

// The flow itself, if it runs already and can be named.
static void ask_running(struct trace_world *world, const struct trace_flow *flow, struct conntrack *conntrack)
{
	struct ct_flow found;
	if (!flow->has_sport || !flow->has_dport)
		return;
	const struct ct_tuple tuple = {flow->from, flow->to, flow->protocol, flow->sport, flow->dport};
	world->running = conntrack_get(conntrack, &tuple, &found, NULL) == 0;
	if (!world->running)
		return;
	world->running_mark = found.mark;
	world->running_at = found.reply.src;
	world->running_port = found.reply.sport;
}

void command_trace(struct engine *engine, const struct request *request, struct reply *reply)
{
	const struct plan *plan = engine_applied(engine);
	struct trace_question question;
	struct trace trace = {0};
	struct err err = {""};
	struct trace_reading reading = {
		.nft = engine_nft(engine), .facts = engine_facts(engine), .err = &err};
	struct trace_world world = {
		.pin = reading_pin, .taken = reading_taken, .way = reading_way, .arg = &reading};
	int rc = trace_ask(&question, request->args, request->n_args, &err);
	reply->exit = rc < 0 ? REPLY_USAGE : REPLY_DONE;
	if (rc == 0)
		rc = ask_world(&world, &question, engine_facts(engine), &err);
	if (rc == 0)
		ask_running(&world, &question.flow, engine_conntrack(engine));
	if (rc == 0)
		trace_run(&trace, plan, &question.flow, &world);
	if (rc == 0)
		rc = reading.rc;
	if (rc < 0) {
		if (reply->exit == REPLY_DONE)
			reply->exit = REPLY_FAILED;
		buf_printf(&reply->body, "%s\n", err.text);
	} else if (request->json) {
		trace_json(&trace, plan, &reply->body);
	} else {
		trace_text(&trace, plan, &reply->body);
	}
	trace_free(&trace);
}
