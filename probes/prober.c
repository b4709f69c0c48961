// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/prober.h"

#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/core/model.h"
#include "probes/arp.h"
#include "probes/ask.h"
#include "probes/dns.h"
#include "probes/exec.h"
#include "probes/http.h"
#include "probes/icmp.h"
#include "probes/tcp.h"

struct prober_set {
	struct event_base *base;
	struct icmp *icmp;
	struct arp *arp;
	struct exec *exec;
	struct http *http;
};

struct prober_set *prober_set_new(struct event_base *base)
{
	struct prober_set *set = xcalloc(1, sizeof(*set));

	set->base = base;
	set->icmp = icmp_new(base);
	set->arp = arp_new(base);
	set->exec = exec_new(base);
	set->http = http_new(base);
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
	free(set);
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

struct ask *prober_ask(struct prober_set *set, const struct model_probe *probe,
		       const struct prober_link *link, const struct prober_target *target, answer_cb cb,
		       void *arg, uint64_t id, struct answer *failed)
{
	struct ask_spec spec = {probe, link, &target->addr};
	struct ask *ask;

	*failed = (struct answer){0};
	ask = put(set, &spec, failed);
	if (!ask)
		return NULL;
	ask->cb = cb;
	ask->arg = arg;
	ask->id = id;
	return ask;
}

void prober_cancel(struct ask *ask)
{
	ask->cancel(ask);
}
