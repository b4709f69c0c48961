// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/failover.h"

#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/diff.h"
#include "gwd/core/facts.h"
#include "gwd/wake.h"
#include "nft/conntrack.h"

#define FAILOVER_AGAIN_MS 100 // until the second flush

struct failover_again {
	struct failover *failover;
	struct failover_again *next;
	struct event *timer;
	struct op_flush flush;
};

struct failover {
	struct event_base *base;
	struct conntrack *ct;
	struct failover_again *again; // the second flushes that are due
	struct wake *wake;            // opened at the first need
	uint32_t wake_mark;
};

struct failover *failover_new(struct event_base *base, struct conntrack *ct)
{
	struct failover *failover = xcalloc(1, sizeof(*failover));
	failover->base = base;
	failover->ct = ct;
	return failover;
}

static void failover_again_free(struct failover_again *again)
{
	struct failover_again **link = &again->failover->again;
	while (*link != again)
		link = &(*link)->next;
	*link = again->next;
	event_free(again->timer);
	free(again);
}

void failover_free(struct failover *failover)
{
	if (!failover)
		return;
	while (failover->again)
		failover_again_free(failover->again);
	wake_close(failover->wake);
	free(failover);
}

void failover_cancel(struct failover *failover, const char *gateway)
{
	for (struct failover_again *again = failover->again, *next; again; again = next) {
		next = again->next;
		if (!strcmp(again->flush.gateway, gateway))
			failover_again_free(again);
	}
}

// ---- the TCP flows to wake -----------------------------------------------------------------

struct failover_list {
	const struct facts *facts;
	VEC(struct wake_flow) flows;
};

static bool failover_is_local(const struct facts *facts, const struct addr *addr)
{
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			if (addr_equal(&own->addr, addr))
				return true;
	return false;
}

static void failover_collect(void *arg, const struct ct_flow *flow)
{
	struct failover_list *list = arg;
	bool inbound = flow->status & IPS_DST_NAT;
	struct wake_flow wake = {
		.lan = inbound ? flow->reply.src : flow->orig.src,
		.lan_port = inbound ? flow->reply.sport : flow->orig.sport,
		.far = inbound ? flow->reply.dst : flow->orig.dst,
		.far_port = inbound ? flow->reply.dport : flow->orig.dport,
	};
	if (!failover_is_local(list->facts, &wake.lan))
		vec_push(&list->flows, wake);
}

static void failover_wake(struct failover *failover, const struct failover_list *list, uint32_t mark)
{
	struct err err;
	if (!list->flows.n)
		return;
	if (failover->wake && failover->wake_mark != mark) {
		wake_close(failover->wake);
		failover->wake = NULL;
	}
	if (!failover->wake)
		failover->wake = wake_open(failover->base, mark, 0, &err);
	failover->wake_mark = mark;
	if (!failover->wake || wake_send(failover->wake, list->flows.v, list->flows.n, &err) < 0)
		log_warn("failover", "idle TCP flows are not told that they ended: %s", err.text);
}

// ---- flush ---------------------------------------------------------------------------------

static int failover_flush_once(struct failover *failover, const struct op_flush *flush,
			       const struct facts *facts, struct err *err)
{
	struct failover_list list = {.facts = facts};
	struct err why;
	int64_t began_us = mono_now_us();
	if (conntrack_dump_tcp(failover->ct, flush->fam, flush->mark, flush->mask, failover_collect, &list,
			       &why))
		log_warn("failover", "can't list the TCP flows of %s: %s", flush->gateway, why.text);
	int r = conntrack_flush(failover->ct, flush->fam, flush->mark, flush->mask, err);
	if (!r)
		failover_wake(failover, &list, flush->mask);
	log_debug("failover", "%s IPv%c: flows ended in %.1f ms, %zu of TCP told", flush->gateway,
		  flush->fam == FAM_4 ? '4' : '6', (double)(mono_now_us() - began_us) / 1000, list.flows.n);
	vec_free(&list.flows);
	return r;
}

static void failover_again_fire(int fd, short what, void *arg)
{
	struct failover_again *again = arg;
	struct failover *failover = again->failover;
	struct err err;
	(void)fd, (void)what;
	if (conntrack_flush(failover->ct, again->flush.fam, again->flush.mark, again->flush.mask, &err))
		log_warn("failover", "second flush of %s: %s", again->flush.gateway, err.text);
	failover_again_free(again);
}

static void failover_schedule(struct failover *failover, const struct op_flush *flush)
{
	struct failover_again *again = xcalloc(1, sizeof(*again));
	struct timeval delay = {.tv_usec = FAILOVER_AGAIN_MS * 1000};
	again->failover = failover;
	again->flush = *flush;
	again->next = failover->again;
	failover->again = again;
	again->timer = event_new(failover->base, -1, 0, failover_again_fire, again);
	event_add(again->timer, &delay);
}

int failover_flush(struct failover *failover, const struct op_flush *flush, const struct facts *facts,
		   struct err *err)
{
	int r = failover_flush_once(failover, flush, facts, err);
	if (r || flush->why == FLUSH_MOVE || flush->why == FLUSH_GONE)
		failover_schedule(failover, flush);
	return r;
}
