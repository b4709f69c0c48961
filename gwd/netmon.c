// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon.h"

#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/facts.h"
#include "gwd/netmon_event.h"
#include "gwd/netmon_neigh.h"
#include "gwd/netmon_nets.h"
#include "gwd/netmon_read.h"

#define NETMON_PARTS 16 // messages of a dump that are read in one turn: some 3 ms
#define NETMON_IFACES (NETMON_LINK | NETMON_ADDR)

struct netmon {
	netmon_changed_fn *changed;
	netmon_keeps_fn *keeps;
	void *arg;
	struct netmon_events *events;
	struct netmon_neighs *neighs;
	struct netmon_reader *ifaces, *routes, *stats;
	struct event *on_event, *on_ifaces, *on_routes;
	struct event *on_gone; // a route that is gone has been kept for long enough
	struct event *turn;    // made active by those who can't be called back at once
	unsigned hints, news;  // to be read again; to be told
	bool insist;           // the next reading of neighbours has failed ones tried again
	struct facts facts;
};

static const struct netmon_request netmon_iface_requests[] = {
	{RTM_GETLINK, AF_UNSPEC, netmon_parse_link, 0},
	{RTM_GETADDR, AF_UNSPEC, netmon_parse_addr, 0},
};
static const struct netmon_request netmon_route_requests[] = {
	{RTM_GETRULE, AF_INET, netmon_parse_rule, 0},
	{RTM_GETRULE, AF_INET6, netmon_parse_rule, 0},
	{RTM_GETROUTE, AF_INET, netmon_parse_route, RT_TABLE_LOCAL},
	{RTM_GETROUTE, AF_INET6, netmon_parse_route, RT_TABLE_LOCAL},
	{RTM_GETROUTE, AF_INET, netmon_parse_route, RT_TABLE_MAIN},
	{RTM_GETROUTE, AF_INET6, netmon_parse_route, RT_TABLE_MAIN},
};
static const struct netmon_request netmon_stats_requests[] = {
	{RTM_GETSTATS, AF_UNSPEC, netmon_parse_stats, 0},
};

const struct facts *netmon_facts(const struct netmon *netmon)
{
	return &netmon->facts;
}

// ---- interfaces and their addresses ----------------------------------------------------------

static int netmon_order_ifaces(const void *a, const void *b)
{
	const struct fact_iface *left = a, *right = b;
	return left->index < right->index ? -1 : left->index > right->index;
}

static bool netmon_same_addr(const struct fact_addr *a, const struct fact_addr *b)
{
	return addr_equal(&a->addr, &b->addr) && addr_equal(&a->peer, &b->peer) && a->len == b->len &&
	       a->usable == b->usable;
}

static bool netmon_same_addrs(const struct fact_iface *a, const struct fact_iface *b)
{
	bool same = a->addrs.n == b->addrs.n;
	for (size_t i = 0; same && i < a->addrs.n; i++)
		same = netmon_same_addr(&a->addrs.v[i], &b->addrs.v[i]);
	return same;
}

static unsigned netmon_compare_iface(const struct fact_iface *a, const struct fact_iface *b)
{
	unsigned news = netmon_same_addrs(a, b) ? 0 : NETMON_ADDR;
	if (a->index != b->index || strcmp(a->name, b->name) || a->up != b->up || a->carrier != b->carrier ||
	    a->point_to_point != b->point_to_point || a->mtu != b->mtu ||
	    !addr_equal(&a->tunnel_local, &b->tunnel_local) ||
	    !addr_equal(&a->tunnel_remote, &b->tunnel_remote))
		news |= NETMON_LINK;
	return news;
}

static unsigned netmon_compare_ifaces(const struct facts *a, const struct facts *b)
{
	unsigned news = 0;
	if (a->ifaces.n != b->ifaces.n)
		return NETMON_IFACES;
	for (size_t i = 0; i < a->ifaces.n; i++)
		news |= netmon_compare_iface(&a->ifaces.v[i], &b->ifaces.v[i]);
	return news;
}

// IPv6 has an address a moment before it has the route of table local for it. An answer that comes meanwhile would be
// sent back out, with the sender's address.
static void netmon_look_for_local(struct netmon *netmon)
{
	struct facts *facts = &netmon->facts;
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own) {
			bool unrouted = own->addr.family == AF_INET6 && !facts->nets_many &&
					!netmon_nets_take(facts, &own->addr);
			if (unrouted != own->unrouted)
				netmon->news |= NETMON_ADDR;
			own->unrouted = unrouted;
		}
}

static void netmon_take_ifaces(struct netmon *netmon)
{
	struct facts *facts = &netmon->facts, read;
	netmon_reader_take(netmon->ifaces, &read);
	if (read.ifaces.n)
		qsort(read.ifaces.v, read.ifaces.n, sizeof(*read.ifaces.v), netmon_order_ifaces);
	vec_each(&read.ifaces, iface) {
		const struct fact_iface *old = facts_iface_by_index(facts, iface->index);
		iface->rx_bytes = old ? old->rx_bytes : 0;
		iface->tx_bytes = old ? old->tx_bytes : 0;
		for (size_t i = 0; old && i < iface->addrs.n && i < old->addrs.n; i++)
			iface->addrs.v[i].unrouted = old->addrs.v[i].unrouted;
	}
	unsigned news = netmon_compare_ifaces(facts, &read);
	__typeof__(facts->ifaces) old = facts->ifaces;
	facts->ifaces = read.ifaces;
	read.ifaces = old;
	facts_free(&read);
	netmon->news |= news;
	// what the kernel drops or brings with a link or an address, it does not always tell
	if (news & NETMON_LINK)
		netmon->hints |= NETMON_ROUTE | NETMON_NEIGH;
	if (news & NETMON_ADDR)
		netmon->hints |= NETMON_ROUTE;
	netmon_look_for_local(netmon);
}

// ---- routes ----------------------------------------------------------------------------

static int netmon_order_routes(const void *a, const void *b)
{
	const struct fact_route *left = a, *right = b;
	if (left->fam != right->fam)
		return left->fam < right->fam ? -1 : 1;
	if (left->metric != right->metric)
		return left->metric < right->metric ? -1 : 1;
	if (left->oif != right->oif)
		return left->oif < right->oif ? -1 : 1;
	int order = addr_compare(&left->via, &right->via);
	return order ? order : addr_compare(&left->source, &right->source);
}

static int netmon_order_prefixes(const void *a, const void *b)
{
	const struct fact_prefix *left = a, *right = b;
	if (left->prefix.len != right->prefix.len)
		return left->prefix.len < right->prefix.len ? -1 : 1;
	if (left->oif != right->oif)
		return left->oif < right->oif ? -1 : 1;
	return addr_compare(&left->prefix.addr, &right->prefix.addr);
}

static bool netmon_take_prefixes(struct facts *facts, struct facts *read)
{
	if (read->prefixes.n)
		qsort(read->prefixes.v, read->prefixes.n, sizeof(*read->prefixes.v), netmon_order_prefixes);
	bool same = read->prefixes.n == facts->prefixes.n;
	for (size_t i = 0; same && i < read->prefixes.n; i++)
		same = !netmon_order_prefixes(&read->prefixes.v[i], &facts->prefixes.v[i]);
	__typeof__(facts->prefixes) old = facts->prefixes;
	facts->prefixes = read->prefixes;
	read->prefixes = old;
	return same;
}

// Until the next route that is gone has been kept for long enough.
static void netmon_wait(struct netmon *netmon, int64_t now_ms, int64_t due_ms)
{
	int64_t wait_ms = due_ms - now_ms;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	if (netmon->on_gone && due_ms == NETMON_FOREVER)
		event_del(netmon->on_gone);
	else if (netmon->on_gone)
		event_add(netmon->on_gone, &wait);
}

// Of many, only the default routes are news; the others have to be read once more when they are followed.
static void netmon_take_nets(struct netmon *netmon, struct facts *read)
{
	struct facts *facts = &netmon->facts;
	int64_t now_ms = mono_now_ms();
	netmon_wait(netmon, now_ms, netmon_nets_finish(read, facts, netmon->keeps, netmon->arg, now_ms));
	if (!netmon_nets_same(read, facts))
		netmon->news |= NETMON_ROUTE;
	if (facts->nets_many != read->nets_many) {
		netmon_events_want_nets(netmon->events, !read->nets_many);
		netmon->hints |= read->nets_many ? 0 : NETMON_ROUTE;
	}
	__typeof__(facts->nets) old = facts->nets;
	facts->nets = read->nets;
	read->nets = old;
	facts->nets_many = read->nets_many;
	facts->policy_routed = read->policy_routed;
}

static void netmon_take_routes(struct netmon *netmon)
{
	struct facts *facts = &netmon->facts, read;
	netmon_reader_take(netmon->routes, &read);
	netmon_take_nets(netmon, &read);
	if (read.defaults.n)
		qsort(read.defaults.v, read.defaults.n, sizeof(*read.defaults.v), netmon_order_routes);
	bool same = read.defaults.n == facts->defaults.n;
	for (size_t i = 0; same && i < read.defaults.n; i++)
		same = !netmon_order_routes(&read.defaults.v[i], &facts->defaults.v[i]);
	same &= netmon_take_prefixes(facts, &read);
	__typeof__(facts->defaults) old = facts->defaults;
	facts->defaults = read.defaults;
	read.defaults = old;
	facts_free(&read);
	if (!same)
		netmon->news |= NETMON_ROUTE;
	netmon_look_for_local(netmon);
}

// ---- turns -------------------------------------------------------------------------------------

static void netmon_read(struct netmon *netmon, struct netmon_reader *reader, unsigned hints,
			void (*take)(struct netmon *))
{
	struct err err;
	if (netmon->hints & hints)
		netmon_reader_start(reader);
	netmon->hints &= ~hints;
	if (!netmon_reader_busy(reader)) {
		netmon_reader_discard(reader, NETMON_PARTS);
		return;
	}
	int rc = netmon_reader_step(reader, NETMON_PARTS, &err);
	if (rc < 0)
		log_warn("netmon", "%s", err.text); // the next resync tries again
	else if (rc)
		take(netmon);
	if (rc > 0 && netmon_reader_busy(reader))
		event_active(netmon->turn, EV_READ, 0);
}

static void netmon_read_neighs(struct netmon *netmon)
{
	if (netmon->hints & NETMON_NEIGH &&
	    netmon_neighs_read(netmon->neighs, &netmon->facts, netmon->insist))
		netmon->news |= NETMON_NEIGH;
	netmon->hints &= ~(unsigned)NETMON_NEIGH;
	netmon->insist = false;
}

// An address is told together with its route, so that nothing is sent from it before there is a guard for its answers.
// Many routes take too long for that.
static bool netmon_waits_for_routes(const struct netmon *netmon)
{
	bool reading = netmon->hints & NETMON_ROUTE || netmon_reader_busy(netmon->routes);
	return netmon->news & NETMON_ADDR && reading && !netmon->facts.nets_many;
}

// In this order: the interfaces decide what else has to be read.
static void netmon_turn(struct netmon *netmon)
{
	netmon->news |= netmon->hints & NETMON_OURS;
	netmon->hints &= ~(unsigned)NETMON_OURS;
	netmon_read(netmon, netmon->ifaces, NETMON_IFACES, netmon_take_ifaces);
	netmon_read(netmon, netmon->routes, NETMON_ROUTE, netmon_take_routes);
	netmon_read_neighs(netmon);
	if (netmon->hints) // taking one has found that another is needed
		event_active(netmon->turn, EV_READ, 0);
	if (netmon_waits_for_routes(netmon))
		return;
	unsigned news = netmon->news;
	netmon->news = 0;
	if (news)
		netmon->changed(netmon->arg, news);
}

static void netmon_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct netmon *netmon = arg;
	(void)fd, (void)what;
	netmon->hints |= netmon_events_read(netmon->events);
	netmon_turn(netmon);
}

static void netmon_on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	netmon_turn(arg);
}

static void netmon_on_gone(evutil_socket_t fd, short what, void *arg)
{
	struct netmon *netmon = arg;
	(void)fd, (void)what;
	netmon->hints |= NETMON_ROUTE;
	netmon_turn(netmon);
}

// ---- life ----------------------------------------------------------------------------------------

static struct event *netmon_event(struct netmon *netmon, struct event_base *base, int fd,
				  event_callback_fn callback)
{
	struct event *event = event_new(base, fd, EV_READ | EV_PERSIST, callback, netmon);
	if (!event || (fd >= 0 && event_add(event, NULL) < 0))
		abort(); // out of memory
	return event;
}

static int netmon_open_all(struct netmon *netmon, struct err *err)
{
	netmon->neighs = netmon_neighs_open(err);
	netmon->events = netmon->neighs ? netmon_events_open(netmon->neighs, err) : NULL;
	if (!netmon->events)
		return -1;
	netmon->ifaces = netmon_reader_open(netmon_iface_requests, ARRAY_SIZE(netmon_iface_requests), err);
	netmon->routes = netmon_reader_open(netmon_route_requests, ARRAY_SIZE(netmon_route_requests), err);
	netmon->stats = netmon_reader_open(netmon_stats_requests, ARRAY_SIZE(netmon_stats_requests), err);
	if (!netmon->ifaces || !netmon->routes || !netmon->stats)
		return -1;
	// after the subscription, so that nothing falls between
	if (netmon_reader_run(netmon->ifaces, err) || netmon_reader_run(netmon->routes, err))
		return -1;
	netmon_take_ifaces(netmon);
	netmon_take_routes(netmon);
	netmon->hints = netmon->news = 0;
	return netmon_refresh_stats(netmon, err);
}

struct netmon *netmon_open(struct event_base *base, netmon_changed_fn *changed, void *arg, struct err *err)
{
	struct netmon *netmon = xcalloc(1, sizeof(*netmon));
	netmon->changed = changed;
	netmon->arg = arg;
	if (netmon_open_all(netmon, err) < 0) {
		netmon_close(netmon);
		return NULL;
	}
	netmon->on_event = netmon_event(netmon, base, netmon_events_fd(netmon->events), netmon_on_event);
	netmon->on_ifaces = netmon_event(netmon, base, netmon_reader_fd(netmon->ifaces), netmon_on_turn);
	netmon->on_routes = netmon_event(netmon, base, netmon_reader_fd(netmon->routes), netmon_on_turn);
	netmon->turn = netmon_event(netmon, base, -1, netmon_on_turn);
	netmon->on_gone = event_new(base, -1, 0, netmon_on_gone, netmon);
	return netmon;
}

void netmon_close(struct netmon *netmon)
{
	if (!netmon)
		return;
	struct event *const events[] = {netmon->on_event, netmon->on_ifaces, netmon->on_routes, netmon->turn,
					netmon->on_gone};
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	netmon_reader_close(netmon->ifaces);
	netmon_reader_close(netmon->routes);
	netmon_reader_close(netmon->stats);
	netmon_events_close(netmon->events);
	netmon_neighs_close(netmon->neighs);
	facts_free(&netmon->facts);
	free(netmon);
}

// ---- what the engine asks for ----------------------------------------------------------------

void netmon_set_own_port(struct netmon *netmon, uint32_t port)
{
	netmon_events_set_own_port(netmon->events, port);
}

void netmon_keep_nets(struct netmon *netmon, netmon_keeps_fn *keeps)
{
	netmon->keeps = keeps;
}

void netmon_watch_neighs(struct netmon *netmon, const struct netmon_hop *hops, size_t n)
{
	if (!netmon_neighs_watch(netmon->neighs, hops, n))
		return;
	netmon_events_want_neighs(netmon->events, n > 0);
	netmon->hints |= NETMON_NEIGH;
	netmon->insist = true;
	event_active(netmon->turn, EV_READ, 0);
}

int netmon_refresh_stats(struct netmon *netmon, struct err *err)
{
	struct facts read;
	int rc = netmon_reader_run(netmon->stats, err);
	if (rc < 0)
		return rc;
	netmon_reader_take(netmon->stats, &read);
	vec_each(&read.ifaces, now) {
		vec_each(&netmon->facts.ifaces, iface) {
			if (iface->index == now->index) {
				iface->rx_bytes = now->rx_bytes;
				iface->tx_bytes = now->tx_bytes;
			}
		}
	}
	facts_free(&read);
	return 0;
}

void netmon_resync(struct netmon *netmon)
{
	netmon->hints |= NETMON_IFACES | NETMON_ROUTE | NETMON_NEIGH;
	netmon->insist = true;
	event_active(netmon->turn, EV_READ, 0);
}
