// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/ending.h"

#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"
#include "gwd/ending_priv.h"
#include "gwd/wake.h"
#include "nft/conntrack.h"
#include "nft/conntrack_end.h"

#define ENDING_LOOK_MS 10     // after the change: packets that were under way then have passed by
#define ENDING_LOOK_IDLE 8    // times as long as a look takes nobody looks again,
#define ENDING_LOOK_MAX_MS 90 // but no longer than that
#define ENDING_GRACE_MS 100   // after the look
#define ENDING_FAILED_MS 500  // until the next try
#define ENDING_TRIES 3

// Whose connections, as it was when they were to end.
struct ending_whose {
	char name[MODEL_REAL_NAME_SIZE];
	VEC(struct plan_listen) listens;
	VEC(uint8_t) protocols;
	struct addr address; // of the real; none: this host
	uint16_t port;
	bool over; // it takes connections again
	bool host; // nobody's but this host's, which had them for want of a real: those without an end of their own
	size_t n;                     // that ended this time
	VEC(struct ending_flow) idle; // clients that have to be told
};

// One that ends later.
struct ending_left {
	size_t whose; // index into the batch's
	bool tell;    // the client
	struct ending_flow client;
};

// Those that end together.
struct ending_batch {
	struct ending *ending;
	struct ending_batch *next;
	struct event *timer; // the second time
	uint32_t mask;
	unsigned tries;
	VEC(struct ending_whose) whose; // sorted by address
	VEC(struct addr) local;         // this host's
	struct ct_later later;
	VEC(struct ending_left) left; // as numbered there
};

// ---- whose -----------------------------------------------------------------------------------

static struct ending_whose *ending_note(struct ending *ending, const struct plan_service *service)
{
	struct ending_whose *whose;
	if (!ending->noted)
		ending->noted = xcalloc(1, sizeof(*ending->noted));
	vec_add(&ending->noted->whose, whose);
	vec_each(&service->listens, listen)
		vec_push(&whose->listens, *listen);
	return whose;
}

void ending_real(struct ending *ending, const struct plan *applied, const struct plan_service *service,
		 const struct plan_real *real)
{
	struct ending_whose *whose = ending_note(ending, service);
	vec_each(&ending->former, former)
		if (ending_is_former(former, applied, service, real))
			vec_push(&whose->listens, former->listen);
	whose->address = real->address;
	whose->port = real->port;
	snprintf(whose->name, sizeof(whose->name), "%s/%s", service->name, real->name);
	vec_each(&service->protocols, protocol)
		vec_push(&whose->protocols, *protocol);
}

void ending_host(struct ending *ending, const struct plan_service *service)
{
	if (!service->inet || !memchr(service->protocols.v, IPPROTO_UDP, service->protocols.n))
		return;
	struct ending_whose *whose = ending_note(ending, service);
	whose->host = true;
	snprintf(whose->name, sizeof(whose->name), "%s", service->name);
	vec_push(&whose->protocols, IPPROTO_UDP);
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
	ct_later_free(&batch->later);
	vec_free(&batch->left);
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
	if (whose->host && flow->status & IPS_DST_NAT)
		return false;
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

// ---- the look --------------------------------------------------------------------------------

// A SYN or a conversation by datagrams goes on with another real. Of an answer under way the client would be robbed, if the
// real is not as dead as its verdict.
static bool ending_is_free(const struct ct_flow *flow)
{
	bool answered = flow->status & IPS_SEEN_REPLY;
	return flow->orig.protocol == IPPROTO_UDP ? answered : !answered;
}

static enum ct_end ending_take(void *arg, const struct ct_flow *flow)
{
	struct ending_batch *batch = arg;
	struct ending_whose *whose = ending_whose(batch, flow);
	if (!whose)
		return CT_STAYS;
	struct ending_left left = {.whose = (size_t)(whose - batch->whose.v),
				   .tell = conntrack_is_open(flow) &&
					   !ending_is_local(batch, &flow->orig.src),
				   .client = {.mark = flow->mark,
					      .wake = {.lan = flow->orig.src,
						       .lan_port = flow->orig.sport,
						       .far = flow->orig.dst,
						       .far_port = flow->orig.dport}}};
	if (!whose->host && !ending_is_free(flow)) {
		vec_push(&batch->left, left);
		return CT_ENDS_LATER;
	}
	whose->n++;
	if (left.tell)
		vec_push(&whose->idle, left.client);
	return CT_ENDS;
}

// Of one real conntrack looks for the address itself. The router's own are looked through one by one.
static bool ending_which(const struct ending_batch *batch, struct ct_which *which)
{
	unsigned n = 0;
	*which = (struct ct_which){.family = AF_UNSPEC, .status = IPS_DST_NAT};
	vec_each(&batch->whose, whose) {
		if (whose->over)
			continue;
		if (addr_is_none(&whose->address))
			which->status = 0;
		if (!n++)
			which->answers_from = whose->address;
		else if (!addr_equal(&which->answers_from, &whose->address))
			which->answers_from = (struct addr){0};
	}
	if (!addr_is_none(&which->answers_from))
		which->family = which->answers_from.family;
	return n;
}

// Their clients, too, are told.
static void ending_tell(struct ending_batch *batch)
{
	vec_each(&batch->whose, whose) {
		ending_speak(batch->ending, whose->name, whose->idle.v, whose->idle.n, batch->mask);
		if (whose->n)
			log_info("real", "%s: %zu connections ended", whose->name, whose->n);
		whose->n = whose->idle.n = 0;
	}
}

// ---- the end ---------------------------------------------------------------------------------

static void ending_again_free(struct ending_batch *again)
{
	struct ending_batch **link = &again->ending->again;
	while (*link != again)
		link = &(*link)->next;
	*link = again->next;
	ending_batch_free(again);
}

static bool ending_still(void *arg, size_t i)
{
	const struct ending_batch *batch = arg;
	return !batch->whose.v[batch->left.v[i].whose].over;
}

static void ending_ended(void *arg, size_t i)
{
	struct ending_batch *batch = arg;
	const struct ending_left *left = &batch->left.v[i];
	struct ending_whose *whose = &batch->whose.v[left->whose];
	whose->n++;
	if (left->tell)
		vec_push(&whose->idle, left->client);
}

static void ending_again_fire(int fd, short what, void *arg)
{
	struct ending_batch *again = arg;
	struct err err;
	(void)fd, (void)what;
	if (conntrack_end_later(again->ending->ct, &again->later, ending_still, ending_ended, again, &err))
		log_warn("real", "%s: connections are left: %s", again->whose.v[0].name, err.text);
	ending_tell(again);
	ending_again_free(again);
}

static void ending_wait(struct event *timer, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(timer, &wait);
}

static void ending_later(struct ending_batch *batch)
{
	struct ending *ending = batch->ending;
	batch->next = ending->again;
	ending->again = batch;
	batch->timer = event_new(ending->base, -1, 0, ending_again_fire, batch);
	ending_wait(batch->timer, ENDING_GRACE_MS);
}

// Those that could not be looked for are tried again, with whoever was noted meanwhile.
static void ending_failed(struct ending_batch *batch, const struct err *err)
{
	bool last = ++batch->tries == ENDING_TRIES;
	log_warn("real", "%s: connections are left%s: %s", batch->whose.v[0].name,
		 last ? "" : ", trying again", err->text);
	ct_later_free(&batch->later);
	vec_free(&batch->left);
	vec_each(&batch->whose, whose)
		whose->n = whose->idle.n = 0;
	if (last) {
		ending_batch_free(batch);
		return;
	}
	batch->ending->noted = batch;
	ending_wait(batch->ending->look, ENDING_FAILED_MS);
}

static void ending_on_look(int fd, short what, void *arg)
{
	struct ending *ending = arg;
	struct ending_batch *batch = ending->noted;
	struct ct_which which;
	struct err err;
	(void)fd, (void)what;
	ending->noted = NULL;
	if (!ending_which(batch, &which)) {
		ending_batch_free(batch);
		return;
	}
	qsort(batch->whose.v, batch->whose.n, sizeof(*batch->whose.v), ending_compare);
	int64_t began_us = mono_now_us();
	int r = conntrack_end(ending->ct, &which, ending_take, &batch->later, batch, &err);
	ending->looked_ms = mono_now_ms();
	ending->look_us = mono_now_us() - began_us;
	if (r) {
		ending_failed(batch, &err);
		return;
	}
	ending_tell(batch);
	if (batch->left.n)
		ending_later(batch);
	else
		ending_batch_free(batch);
}

void ending_soon(struct ending *ending, uint32_t mask, const struct facts *facts)
{
	struct ending_batch *batch = ending->noted;
	if (!batch)
		return;
	batch->ending = ending;
	batch->mask = mask;
	batch->local.n = 0;
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			vec_push(&batch->local, own->addr);
	if (event_pending(ending->look, EV_TIMEOUT, NULL))
		return;
	int64_t idle_ms = ending->look_us * ENDING_LOOK_IDLE / 1000;
	int64_t next_ms = ending->looked_ms + (idle_ms < ENDING_LOOK_MAX_MS ? idle_ms : ENDING_LOOK_MAX_MS);
	int64_t wait_ms = next_ms - mono_now_ms();
	ending_wait(ending->look, wait_ms > ENDING_LOOK_MS ? wait_ms : ENDING_LOOK_MS);
}

static void ending_cancel_in(struct ending_batch *batch, const char *name, const struct plan_real *real)
{
	vec_each(&batch->whose, whose)
		whose->over |= !strcmp(whose->name, name) && addr_equal(&whose->address, &real->address) &&
			       whose->port == real->port;
}

void ending_cancel(struct ending *ending, const struct plan_service *service, const struct plan_real *real)
{
	char name[MODEL_REAL_NAME_SIZE];
	snprintf(name, sizeof(name), "%s/%s", service->name, real->name);
	if (ending->noted)
		ending_cancel_in(ending->noted, name, real);
	for (struct ending_batch *again = ending->again; again; again = again->next)
		ending_cancel_in(again, name, real);
}

// ---- life ------------------------------------------------------------------------------------

struct ending *ending_new(struct event_base *base, struct conntrack *ct)
{
	struct ending *ending = xcalloc(1, sizeof(*ending));
	ending->base = base;
	ending->ct = ct;
	ending->look = event_new(base, -1, 0, ending_on_look, ending);
	return ending;
}

void ending_free(struct ending *ending)
{
	if (!ending)
		return;
	while (ending->again)
		ending_again_free(ending->again);
	ending_batch_free(ending->noted);
	event_free(ending->look);
	vec_each(&ending->wakes, known)
		wake_close(known->wake);
	vec_free(&ending->wakes);
	vec_free(&ending->former);
	free(ending);
}
