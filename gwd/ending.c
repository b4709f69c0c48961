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
	bool over;                    // it takes connections again
	size_t n;                     // that ended this time
	VEC(struct ending_flow) idle; // clients that have to be told
};

// Those that end together.
struct ending_batch {
	struct ending *ending;
	struct ending_batch *next;
	struct event *timer; // the second time
	uint32_t mask;
	bool all;                       // else those connections that lose nothing by it
	VEC(struct ending_whose) whose; // sorted by address
	VEC(struct addr) local;         // this host's
};

// A socket for each link by which clients come, opened at the first need.
struct ending_wake {
	uint32_t mark;
	struct wake *wake;
};

struct ending {
	struct event_base *base;
	struct conntrack *ct;
	struct ending_batch *noted; // to be ended now
	struct ending_batch *again; // the second times that are due
	VEC(struct ending_wake) wakes;
};

// ---- whose -----------------------------------------------------------------------------------

void ending_real(struct ending *ending, const struct plan_service *service, const struct plan_real *real)
{
	struct ending_whose *whose;
	if (!ending->noted)
		ending->noted = xcalloc(1, sizeof(*ending->noted));
	vec_add(&ending->noted->whose, whose);
	whose->address = real->address;
	whose->port = real->port;
	snprintf(whose->name, sizeof(whose->name), "%s/%s", service->name, real->name);
	vec_each(&service->listens, listen)
		vec_push(&whose->listens, *listen);
	vec_each(&service->protocols, protocol)
		vec_push(&whose->protocols, *protocol);
}

static void ending_batch_free(struct ending_batch *batch)
{
	if (!batch)
		return;
	vec_each(&batch->whose, whose) {
		vec_free(&whose->listens);
		vec_free(&whose->protocols);
		vec_free(&whose->idle);
	}
	if (batch->timer)
		event_free(batch->timer);
	vec_free(&batch->whose);
	vec_free(&batch->local);
	free(batch);
}

static bool ending_is_local(const struct ending_batch *batch, const struct addr *addr)
{
	vec_each(&batch->local, own)
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
	return !whose->over && flow->reply.sport == (whose->port ? whose->port : flow->orig.dport) &&
	       ending_came_to(whose, &flow->orig);
}

static int ending_compare(const void *a, const void *b)
{
	return addr_compare(&((const struct ending_whose *)a)->address,
			    &((const struct ending_whose *)b)->address);
}

// Among those of this address; none: the listeners on this host.
static struct ending_whose *ending_among(const struct ending_batch *batch, const struct addr *address,
					 const struct ct_flow *flow)
{
	size_t low = 0, high = batch->whose.n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (addr_compare(&batch->whose.v[middle].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < batch->whose.n && addr_equal(&batch->whose.v[low].address, address); low++)
		if (ending_is_its(&batch->whose.v[low], flow))
			return &batch->whose.v[low];
	return NULL;
}

static struct ending_whose *ending_whose(const struct ending_batch *batch, const struct ct_flow *flow)
{
	static const struct addr here;
	struct ending_whose *whose = ending_among(batch, &flow->reply.src, flow);
	if (!whose && ending_is_local(batch, &flow->reply.src))
		whose = ending_among(batch, &here, flow);
	return whose;
}

// ---- making clients speak --------------------------------------------------------------------

// A SYN or a conversation by datagrams goes on with another real. Of an answer under way the client would be robbed, if the
// real is not as dead as its verdict.
static bool ending_is_free(const struct ct_flow *flow)
{
	bool answered = flow->status & IPS_SEEN_REPLY;
	return flow->orig.protocol == IPPROTO_UDP ? answered : !answered;
}

static bool ending_take(void *arg, const struct ct_flow *flow)
{
	const struct ending_batch *batch = arg;
	struct ending_whose *whose = ending_whose(batch, flow);
	if (!whose || (!batch->all && !ending_is_free(flow)))
		return false;
	whose->n++;
	if (flow->orig.protocol != IPPROTO_TCP || flow->tcp_state <= TCP_CONNTRACK_SYN_SENT ||
	    ending_is_local(batch, &flow->orig.src))
		return true;
	vec_push(&whose->idle, (struct ending_flow){.mark = flow->mark,
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

// Of one real conntrack looks for the address itself. The router's own are looked through one by one.
static int ending_family(struct ending_batch *batch, enum fam fam, struct err *err)
{
	static const struct addr anybody;
	bool needed = false;
	vec_each(&batch->whose, whose)
		needed |= !whose->over && (addr_is_none(&whose->address) || addr_fam(&whose->address) == fam);
	const struct addr *from = batch->whose.n == 1 ? &batch->whose.v[0].address : &anybody;
	return needed ? conntrack_end(batch->ending->ct, fam, from, ending_take, batch, err) : 0;
}

static int ending_once(struct ending_batch *batch, struct err *err)
{
	int r = 0;
	for (enum fam fam = FAM_4; !r && fam < FAM_COUNT; fam++)
		r = ending_family(batch, fam, err);
	vec_each(&batch->whose, whose) {
		if (!r)
			ending_speak(batch->ending, whose->name, whose->idle.v, whose->idle.n, batch->mask);
		if (whose->n)
			log_info("real", "%s: %zu connections ended", whose->name, whose->n);
		whose->n = whose->idle.n = 0;
	}
	return r;
}

static void ending_again_free(struct ending_batch *again)
{
	struct ending_batch **link = &again->ending->again;
	while (*link != again)
		link = &(*link)->next;
	*link = again->next;
	ending_batch_free(again);
}

static void ending_again_fire(int fd, short what, void *arg)
{
	struct ending_batch *again = arg;
	struct err err;
	(void)fd, (void)what;
	again->all = true;
	if (ending_once(again, &err))
		log_warn("real", "%s: connections are left: %s", again->whose.v[0].name, err.text);
	ending_again_free(again);
}

int ending_now(struct ending *ending, uint32_t mask, const struct facts *facts, struct err *err)
{
	struct ending_batch *batch = ending->noted;
	struct timeval delay = {.tv_usec = ENDING_GRACE_MS * 1000};
	if (!batch)
		return 0;
	ending->noted = NULL;
	qsort(batch->whose.v, batch->whose.n, sizeof(*batch->whose.v), ending_compare);
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			vec_push(&batch->local, own->addr);
	batch->ending = ending;
	batch->mask = mask;
	batch->next = ending->again;
	ending->again = batch;
	batch->timer = event_new(ending->base, -1, 0, ending_again_fire, batch);
	event_add(batch->timer, &delay);
	return ending_once(batch, err);
}

void ending_cancel(struct ending *ending, const struct plan_service *service, const struct plan_real *real)
{
	char name[MODEL_REAL_NAME_SIZE];
	snprintf(name, sizeof(name), "%s/%s", service->name, real->name);
	for (struct ending_batch *again = ending->again; again; again = again->next)
		vec_each(&again->whose, whose)
			whose->over |= !strcmp(whose->name, name) &&
				       addr_equal(&whose->address, &real->address) &&
				       whose->port == real->port;
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
	ending_batch_free(ending->noted);
	vec_each(&ending->wakes, known)
		wake_close(known->wake);
	vec_free(&ending->wakes);
	free(ending);
}
