// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/prober.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/core/model.h"
#include "probes/arp.h"
#include "probes/ask.h"
#include "probes/check_pool.h"
#include "probes/dns.h"
#include "probes/exec.h"
#include "probes/http.h"
#include "probes/icmp.h"
#include "probes/resolve.h"
#include "probes/tcp.h"
#include "probes/turn.h"

struct prober_set {
	struct event_base *base;
	struct icmp *icmp;
	struct arp *arp;
	struct exec *exec;
	struct http *http;
	struct resolve *resolve;
	struct check_pool *checks;
	struct turn_wait *wait;
	int64_t overdue_ms;
};

struct prober_set *prober_set_new(struct event_base *base)
{
	struct prober_set *set = xcalloc(1, sizeof(*set));

	set->base = base;
	set->icmp = icmp_new(base);
	set->arp = arp_new(base);
	set->exec = exec_new(base);
	set->http = http_new(base);
	set->resolve = resolve_new(base);
	set->checks = check_pool_new();
	set->wait = turn_wait_new(base);
	return set;
}

void prober_set_free(struct prober_set *set)
{
	if (!set)
		return;
	icmp_free(set->icmp);
	arp_free(set->arp);
	exec_free(set->exec);
	http_free(set->http);
	resolve_free(set->resolve);
	check_pool_free(set->checks);
	turn_wait_free(set->wait);
	free(set);
}

struct check_pool *prober_set_checks(const struct prober_set *set)
{
	return set->checks;
}

struct turn_wait *prober_set_wait(const struct prober_set *set)
{
	return set->wait;
}

void prober_set_overdue(struct prober_set *set, int64_t late_ms)
{
	set->overdue_ms = late_ms > set->overdue_ms ? late_ms : set->overdue_ms;
}

int64_t prober_set_take_overdue_ms(struct prober_set *set)
{
	int64_t late_ms = set->overdue_ms;
	set->overdue_ms = 0;
	return late_ms;
}

bool prober_link_same(const struct prober_link *a, const struct prober_link *b)
{
	return a->fam == b->fam && !strcmp(a->ifname, b->ifname) && a->ifindex == b->ifindex &&
	       a->mark == b->mark && addr_equal(&a->source, &b->source);
}

static struct ask *put(struct prober_set *set, const struct ask_spec *spec, struct answer *failed)
{
	switch (spec->probe->type) {
	case PROBE_ICMP:
		return icmp_ask(set->icmp, spec, failed);
	case PROBE_DNS:
		return dns_ask(set->base, spec, failed);
	case PROBE_ARP:
		return arp_ask(set->arp, spec, failed);
	case PROBE_EXEC:
		return exec_ask(set->exec, spec, failed);
	case PROBE_TCP:
		return tcp_ask(set->base, spec, failed);
	case PROBE_HTTP:
	case PROBE_HTTPS:
		return http_ask(set->http, spec, failed);
	}
	return NULL;
}

static struct ask *put_for(struct prober_set *set, const struct ask_spec *spec, answer_cb cb, void *arg,
			   uint64_t id, struct answer *failed)
{
	struct ask *ask = put(set, spec, failed);

	if (!ask)
		return NULL;
	ask->cb = cb;
	ask->arg = arg;
	ask->id = id;
	return ask;
}

// ---- targets by name -------------------------------------------------------------------------

// A question whose target's address is being looked up; then it puts the real one.
struct named_ask {
	struct ask ask;
	struct prober_set *set;
	const struct model_probe *probe;
	const char *name;
	struct prober_link link;
	struct resolve_wait *wait; // NULL: over
	struct ask *inner;
};

static void cancel_named(struct ask *base)
{
	struct named_ask *named = (struct named_ask *)base;

	if (named->wait)
		resolve_cancel(named->wait);
	if (named->inner)
		prober_cancel(named->inner);
	free(named);
}

static void finish_named(struct named_ask *named, const struct answer *answer)
{
	struct ask head = named->ask;

	free(named);
	head.cb(head.arg, head.id, answer);
}

static void on_inner(void *arg, uint64_t id, const struct answer *answer)
{
	(void)id;
	finish_named(arg, answer);
}

static void on_address(void *arg, const struct addr *addr, const char *why)
{
	struct named_ask *named = arg;
	struct ask_spec spec = {named->probe, &named->link, addr, named->name};
	struct answer failed = {.kind = ANSWER_CANT};

	named->wait = NULL;
	if (!addr) {
		snprintf(failed.text, sizeof(failed.text), "%s", why);
		finish_named(named, &failed);
		return;
	}
	named->inner = put_for(named->set, &spec, on_inner, named, 0, &failed);
	if (!named->inner)
		finish_named(named, &failed);
}

// Sets `addr` and returns NULL with `failed` empty if the address is known.
static struct ask *look_up(struct prober_set *set, const struct model_probe *probe,
			   const struct prober_link *link, const char *name, struct addr *addr,
			   struct answer *failed)
{
	struct named_ask *named;
	const char *why;
	int r = resolve_get(set->resolve, name, link, addr, &why);

	if (!r)
		return NULL;
	if (r != -EINPROGRESS) {
		failed->kind = ANSWER_CANT;
		snprintf(failed->text, sizeof(failed->text), "%s", why);
		return NULL;
	}
	named = xcalloc(1, sizeof(*named));
	named->ask.cancel = cancel_named;
	named->set = set;
	named->probe = probe;
	named->name = name;
	named->link = *link;
	named->wait = resolve_wait_for(set->resolve, name, link, on_address, named);
	return &named->ask;
}

// ---- asking ----------------------------------------------------------------------------------

struct ask *prober_ask(struct prober_set *set, const struct model_probe *probe,
		       const struct prober_link *link, const struct prober_target *target, answer_cb cb,
		       void *arg, uint64_t id, struct answer *failed)
{
	struct addr addr = target->addr;
	struct ask_spec spec = {probe, link, &addr, target->name};
	struct ask *named;

	*failed = (struct answer){0};
	if (!target->name)
		return put_for(set, &spec, cb, arg, id, failed);
	named = look_up(set, probe, link, target->name, &addr, failed);
	if (!named)
		return *failed->text ? NULL : put_for(set, &spec, cb, arg, id, failed);
	named->cb = cb;
	named->arg = arg;
	named->id = id;
	return named;
}

void prober_cancel(struct ask *ask)
{
	ask->cancel(ask);
}
