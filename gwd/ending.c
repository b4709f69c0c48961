// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/ending.h"

#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"
#include "gwd/ending_priv.h"
#include "gwd/wake.h"
#include "nft/conntrack.h"

#define ENDING_GRACE_MS 100

// Whose connections, as it was when they were to end.
struct ending_whose {
	char name[MODEL_REAL_NAME_SIZE];
	VEC(struct plan_listen) listens;
	VEC(uint8_t) protocols;
	struct addr address; // of the real; none: this host
	uint16_t port;
	VEC(struct addr) local; // this host's
};

struct ending_again {
	struct ending *ending;
	struct ending_again *next;
	struct event *timer;
	uint32_t mask;
	struct ending_whose whose;
};

// A socket for each link by which clients come, opened at the first need.
struct ending_wake {
	uint32_t mark;
	struct wake *wake;
};

struct ending {
	struct event_base *base;
	struct conntrack *ct;
	struct ending_again *again; // the second times that are due
	VEC(struct ending_wake) wakes;
};

// ---- whose -----------------------------------------------------------------------------------

static void ending_note(struct ending_whose *whose, const struct plan_service *service,
			const struct plan_real *real, const struct facts *facts)
{
	*whose = (struct ending_whose){.address = real->address, .port = real->port};
	snprintf(whose->name, sizeof(whose->name), "%s/%s", service->name, real->name);
	vec_each(&service->listens, listen)
		vec_push(&whose->listens, *listen);
	vec_each(&service->protocols, protocol)
		vec_push(&whose->protocols, *protocol);
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			vec_push(&whose->local, own->addr);
}

static void ending_forget(struct ending_whose *whose)
{
	vec_free(&whose->listens);
	vec_free(&whose->protocols);
	vec_free(&whose->local);
}

static bool ending_is_local(const struct ending_whose *whose, const struct addr *addr)
{
	vec_each(&whose->local, own)
		if (addr_equal(own, addr))
			return true;
	return false;
}

static bool ending_came_to(const struct ending_whose *whose, const struct ct_tuple *tuple)
{
	if (!memchr(whose->protocols.v, tuple->protocol, whose->protocols.n))
		return false;
	vec_each(&whose->listens, listen)
		if (addr_equal(&listen->addr, &tuple->dst) && tuple->dport >= listen->first &&
		    tuple->dport <= listen->last)
			return true;
	return false;
}

// Its answers come from where the client was led to.
static bool ending_is_its(const struct ending_whose *whose, const struct ct_flow *flow)
{
	bool here = addr_is_none(&whose->address);
	if (here ? !ending_is_local(whose, &flow->reply.src) : !addr_equal(&whose->address, &flow->reply.src))
		return false;
	return flow->reply.sport == (whose->port ? whose->port : flow->orig.dport) &&
	       ending_came_to(whose, &flow->orig);
}

// ---- making clients speak --------------------------------------------------------------------

struct ending_list {
	const struct ending_whose *whose;
	bool all; // else those that lose nothing by it
	VEC(struct ending_flow) flows;
	size_t n; // of all that end
};

// A SYN or a conversation by datagrams goes on with another real. Of an answer under way the client would be robbed, if the
// real is not as dead as its verdict.
static bool ending_is_free(const struct ct_flow *flow)
{
	bool answered = flow->status & IPS_SEEN_REPLY;
	return flow->orig.protocol == IPPROTO_UDP ? answered : !answered;
}

static bool ending_take(void *arg, const struct ct_flow *flow)
{
	struct ending_list *list = arg;
	if (!ending_is_its(list->whose, flow) || (!list->all && !ending_is_free(flow)))
		return false;
	list->n++;
	if (flow->orig.protocol != IPPROTO_TCP || flow->tcp_state <= TCP_CONNTRACK_SYN_SENT ||
	    ending_is_local(list->whose, &flow->orig.src))
		return true;
	vec_push(&list->flows, (struct ending_flow){.mark = flow->mark,
						    .wake = {.lan = flow->orig.src,
							     .lan_port = flow->orig.sport,
							     .far = flow->orig.dst,
							     .far_port = flow->orig.dport}});
	return true;
}

static struct wake *ending_wake(struct ending *ending, uint32_t mark, unsigned priority, struct err *err)
{
	vec_each(&ending->wakes, known)
		if (known->mark == mark)
			return known->wake;
	struct wake *wake = wake_open(ending->base, mark, priority, err);
	if (wake)
		vec_push(&ending->wakes, (struct ending_wake){mark, wake});
	return wake;
}

// Those of one link. A client that came by none is reached as the LAN's hosts are.
static int ending_wake_link(struct ending *ending, const struct ending_flow *all, size_t n, uint32_t link,
			    uint32_t mask, struct err *err)
{
	struct wake *wake = ending_wake(ending, link ? link : mask, link ? PLAN_WAKE_PRIORITY : 0, err);
	VEC(struct wake_flow) flows = {0};
	if (!wake)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((all[i].mark & mask) == link)
			vec_push(&flows, all[i].wake);
	int r = wake_send(wake, flows.v, flows.n, err);
	vec_free(&flows);
	return r;
}

void ending_speak(struct ending *ending, const char *name, const struct ending_flow *flows, size_t n,
		  uint32_t mask)
{
	VEC(uint32_t) done = {0};
	struct err err;
	for (size_t i = 0; i < n; i++) {
		uint32_t link = flows[i].mark & mask;
		bool known = false;
		vec_each(&done, other)
			known |= *other == link;
		if (known)
			continue;
		vec_push(&done, link);
		if (ending_wake_link(ending, flows, n, link, mask, &err) < 0)
			log_warn("real", "%s: idle clients are not told: %s", name, err.text);
	}
	vec_free(&done);
}

// ---- the end ---------------------------------------------------------------------------------

// Of one family: conntrack looks for the real's address. The router's own are looked through one by one.
static int ending_family(struct ending *ending, struct ending_list *list, enum fam fam, struct err *err)
{
	const struct addr *from = &list->whose->address;
	if (!addr_is_none(from) && addr_fam(from) != fam)
		return 0;
	return conntrack_end(ending->ct, fam, from, ending_take, list, err);
}

static int ending_once(struct ending *ending, const struct ending_whose *whose, uint32_t mask, bool all,
		       struct err *err)
{
	struct ending_list list = {.whose = whose, .all = all};
	int r = 0;
	for (enum fam fam = FAM_4; !r && fam < FAM_COUNT; fam++)
		r = ending_family(ending, &list, fam, err);
	if (!r)
		ending_speak(ending, whose->name, list.flows.v, list.flows.n, mask);
	if (list.n)
		log_info("real", "%s: %zu connections ended", whose->name, list.n);
	vec_free(&list.flows);
	return r;
}

static void ending_again_free(struct ending_again *again)
{
	struct ending_again **link = &again->ending->again;
	while (*link != again)
		link = &(*link)->next;
	*link = again->next;
	event_free(again->timer);
	ending_forget(&again->whose);
	free(again);
}

static void ending_again_fire(int fd, short what, void *arg)
{
	struct ending_again *again = arg;
	struct err err;
	(void)fd, (void)what;
	if (ending_once(again->ending, &again->whose, again->mask, true, &err))
		log_warn("real", "%s: connections are left: %s", again->whose.name, err.text);
	ending_again_free(again);
}

int ending_real(struct ending *ending, const struct plan_service *service, const struct plan_real *real,
		uint32_t mask, const struct facts *facts, struct err *err)
{
	struct ending_again *again = xcalloc(1, sizeof(*again));
	struct timeval delay = {.tv_usec = ENDING_GRACE_MS * 1000};
	again->ending = ending;
	again->next = ending->again;
	again->mask = mask;
	ending->again = again;
	ending_note(&again->whose, service, real, facts);
	again->timer = event_new(ending->base, -1, 0, ending_again_fire, again);
	event_add(again->timer, &delay);
	return ending_once(ending, &again->whose, mask, false, err);
}

void ending_cancel(struct ending *ending, const struct plan_service *service, const struct plan_real *real)
{
	char name[MODEL_REAL_NAME_SIZE];
	snprintf(name, sizeof(name), "%s/%s", service->name, real->name);
	for (struct ending_again *again = ending->again, *next; again; again = next) {
		const struct ending_whose *whose = &again->whose;
		next = again->next;
		if (!strcmp(whose->name, name) && addr_equal(&whose->address, &real->address) &&
		    whose->port == real->port)
			ending_again_free(again);
	}
}

// ---- life ------------------------------------------------------------------------------------

struct ending *ending_new(struct event_base *base, struct conntrack *ct)
{
	struct ending *ending = xcalloc(1, sizeof(*ending));
	ending->base = base;
	ending->ct = ct;
	return ending;
}

void ending_free(struct ending *ending)
{
	if (!ending)
		return;
	while (ending->again)
		ending_again_free(ending->again);
	vec_each(&ending->wakes, known)
		wake_close(known->wake);
	vec_free(&ending->wakes);
	free(ending);
}
