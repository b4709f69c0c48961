// SPDX-License-Identifier: GPL-2.0-or-later
// Routes, ip rules and sysctls of the outbound side: one table per gateway with its default route,
// one rule per mark that leads there, and before them the main table without its default, so that
// inside destinations stay inside (datapath/outbound.md). The LAN's packets are spared that lookup:
// each gateway's table knows what is main's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_direct.h"
#include "gwd/core/facts.h"
#include "gwd/core/link.h"
#include "gwd/core/load.h"
#include "gwd/core/plan.h"

#define BUILD_METRIC_MAIN 100000 // + id: behind every default route that others may have put there

static void build_gateway_routes(struct plan *plan, const struct plan_gateway *gw, const struct link *link,
				 enum fam fam, uint32_t table, bool is_static)
{
	const struct link_path *path = &link->path[fam];
	struct plan_route route = {.fam = fam, .oif = link->ifindex, .via = path->via};
	memcpy(route.ifname, gw->ifname, sizeof(route.ifname));
	if (path->routable) {
		route.table = table;
		route.source = path->source;
		route.metric = 1;
		vec_push(&plan->routes, route);
		if (is_static) { // for local services, which need some default in main
			route.table = PLAN_TABLE_MAIN;
			route.source = (struct addr){0};
			route.metric = BUILD_METRIC_MAIN + gw->id;
			vec_push(&plan->routes, route);
		}
	}
	// what the mark can't leave by must not fall through to another link
	vec_push(&plan->routes, (struct plan_route){.fam = fam,
						    .table = table,
						    .metric = PLAN_METRIC_LAST,
						    .type = PLAN_ROUTE_UNREACHABLE});
}

static int build_compare_routes(const void *a, const void *b)
{
	return plan_route_compare(a, b);
}

static int build_compare_iprules(const void *a, const void *b)
{
	return plan_iprule_compare(a, b);
}

// ---- what main has a route for -----------------------------------------------------------------

#define BUILD_SKIP_LANS 8     // every such rule costs every packet a little
#define BUILD_THROWS_MAX 1024 // routes in all, in one family

static bool build_is_thrown(const struct fact_net *net, enum fam fam)
{
	return !net->local && net->to.len && addr_fam(&net->to.addr) == fam;
}

// Main needs not be asked where each gateway's table says itself what is main's: few enough routes.
static bool build_throws(const struct plan *plan, const struct facts *facts, enum fam fam)
{
	size_t n = 0;
	vec_each(&facts->nets, net)
		n += build_is_thrown(net, fam);
	return plan->inside && n * plan->gateways.n <= BUILD_THROWS_MAX;
}

static void build_gateway_throws(struct plan *plan, const struct facts *facts, enum fam fam, uint32_t table)
{
	vec_each(&facts->nets, net)
		if (build_is_thrown(net, fam))
			vec_push(&plan->routes, (struct plan_route){.fam = fam,
								    .table = table,
								    .to = net->to,
								    .metric = 1,
								    .type = PLAN_ROUTE_THROW});
}

static bool build_is_wan(const struct plan *plan, const char *ifname)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->ifname, ifname))
			return true;
	return false;
}

static void build_guard(struct plan *plan, const struct prefix *to, enum fam fam, enum plan_route_type type,
			uint32_t metric)
{
	vec_push(&plan->routes,
		 (struct plan_route){
			 .fam = fam, .table = PLAN_TABLE_MAIN, .to = *to, .type = type, .metric = metric});
}

// Behind each of main's routes to what is inside, for the moment when its interface goes down and the kernel drops it:
// what is on its way there must not take the default route, by a WAN, where nothing of it would be translated.
// Behind each address of a WAN, for answers that come when it is gone: of those nobody is told, as there is no address
// on that link to tell it from.
static void build_guards(struct plan *plan, const struct facts *facts, enum fam fam)
{
	vec_each(&facts->nets, net) {
		const struct fact_iface *iface = facts_iface_by_index(facts, net->oif);
		const char *ifname = iface ? iface->name : net->ifname;
		if (!net->oif || !*ifname || !net->to.len || addr_fam(&net->to.addr) != fam ||
		    addr_is_link_local(&net->to.addr))
			continue;
		bool wan = build_is_wan(plan, ifname), whole = net->to.len == 8 * addr_size(&net->to.addr);
		if (!net->local && !wan)
			build_guard(plan, &net->to, fam, PLAN_ROUTE_UNREACHABLE, PLAN_METRIC_LAST);
		else if (net->local && wan && whole)
			build_guard(plan, &net->to, fam, PLAN_ROUTE_BLACKHOLE, PLAN_METRIC_LATE);
	}
}

// Main may have several to one place.
static void build_unique_routes(struct plan *plan)
{
	size_t kept = 0;
	for (size_t i = 0; i < plan->routes.n; i++)
		if (!kept || plan_route_compare(&plan->routes.v[kept - 1], &plan->routes.v[i]) != 0)
			plan->routes.v[kept++] = plan->routes.v[i];
	plan->routes.n = kept;
}

// ---- ip rules ------------------------------------------------------------------------------------

// In this order: a packet without a mark of ours skips all of them. One with a mark goes where main has a
// route for it other than the default (a reply into the LAN), else by its gateway's table. From a LAN interface it
// skips main, because asking costs every packet a lookup; what it is translated into (DNAT behind our
// chains) may be main's all the same, and then its gateway's table throws it back, to main behind our rules.
enum build_step { BUILD_UNMARKED, BUILD_FROM_LAN, BUILD_MAIN, BUILD_BEFORE_MARKS };

static uint32_t build_mark_priority(const struct model_globals *globals, const struct plan_gateway *gw)
{
	return globals->rule_priority + BUILD_BEFORE_MARKS + gw->id;
}

// The kernel can go on only where there is a rule: at the first gateway's.
static uint32_t build_first_mark_priority(const struct plan *plan, const struct model_globals *globals,
					  uint32_t last)
{
	uint32_t first = last;
	vec_each(&plan->gateways, gw)
		if (build_mark_priority(globals, gw) < first)
			first = build_mark_priority(globals, gw);
	return first;
}

static void build_lan_iprules(struct plan *plan, uint32_t priority, uint32_t skip_to, enum fam fam)
{
	const struct plan_set *class = plan_find_set(plan, "class");
	VEC(const char *) lans = {0};
	vec_each(&class->elems, elem)
		if (!strcmp(elem->chain, "lan"))
			vec_push(&lans, (const char *)elem->key);
	for (size_t i = 0; lans.n <= BUILD_SKIP_LANS && i < lans.n; i++) {
		struct plan_iprule rule = {
			.fam = fam, .priority = priority + BUILD_FROM_LAN, .skip_to = skip_to};
		snprintf(rule.iif, sizeof(rule.iif), "%.15s", lans.v[i]);
		vec_push(&plan->iprules, rule);
	}
	vec_free(&lans);
}

static void build_iprules(struct plan *plan, const struct model_globals *globals, enum fam fam,
			  bool lan_skips_main)
{
	uint32_t first = globals->rule_priority, last = first + model_rule_priorities(globals->mark_mask) - 1;
	vec_push(&plan->iprules,
		 (struct plan_iprule){
			 .fam = fam, .priority = first, .mask = globals->mark_mask, .skip_to = last});
	if (lan_skips_main)
		build_lan_iprules(plan, first, build_first_mark_priority(plan, globals, last), fam);
	vec_push(&plan->iprules, (struct plan_iprule){.fam = fam,
						      .priority = first + BUILD_MAIN,
						      .table = PLAN_TABLE_MAIN,
						      .suppress_default = true});
	vec_each(&plan->gateways, gw)
		vec_push(&plan->iprules, (struct plan_iprule){.fam = fam,
							      .priority = build_mark_priority(globals, gw),
							      .mark = gw->mark,
							      .mask = globals->mark_mask,
							      .table = globals->table_base + gw->id});
	vec_push(&plan->iprules, (struct plan_iprule){.fam = fam, .priority = last});
}

void build_routes(struct plan *plan, const struct build_input *input, const struct link *links)
{
	const struct model_globals *globals = &input->model->globals;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		bool throws = build_throws(plan, input->facts, fam);
		if (plan->outbound)
			build_iprules(plan, globals, fam, throws);
		build_guards(plan, input->facts, fam);
		for (size_t i = 0; i < plan->gateways.n; i++) {
			const struct plan_gateway *gw = &plan->gateways.v[i];
			bool is_static = input->model->gateways[i].addr_mode[fam] == ADDR_MODE_STATIC;
			build_gateway_routes(plan, gw, &links[i], fam, globals->table_base + gw->id,
					     is_static);
			if (throws)
				build_gateway_throws(plan, input->facts, fam, globals->table_base + gw->id);
		}
	}
	if (plan->routes.n)
		qsort(plan->routes.v, plan->routes.n, sizeof(*plan->routes.v), build_compare_routes);
	build_unique_routes(plan);
	if (plan->iprules.n)
		qsort(plan->iprules.v, plan->iprules.n, sizeof(*plan->iprules.v), build_compare_iprules);
}

static void build_sysctl(struct plan *plan, const char *path, const char *value, const char *only_if,
			 const char *why)
{
	struct plan_sysctl *sysctl;
	vec_each(&plan->sysctls, old)
		if (!strcmp(old->path, path))
			return;
	vec_add(&plan->sysctls, sysctl);
	snprintf(sysctl->path, sizeof(sysctl->path), "%s", path);
	snprintf(sysctl->value, sizeof(sysctl->value), "%s", value);
	snprintf(sysctl->only_if, sizeof(sysctl->only_if), "%s", only_if);
	snprintf(sysctl->why, sizeof(sysctl->why), "%s", why);
}

// Reals by dr and tun may answer through us, from an address of ours; strict rp_filter would take that for a lie.
static void build_answer_sysctls(struct plan *plan, const struct facts *facts)
{
	char path[96], why[64];
	vec_each(&plan->services, service) {
		for (size_t i = 0; service->direct && i < service->reals.n; i++) {
			const struct plan_real *real = &service->reals.v[i];
			if (!plan_real_is_direct(real) || !real->fam[FAM_4])
				continue;
			const struct fact_iface *link = build_direct_link(facts, &real->address);
			if (!link)
				continue;
			snprintf(why, sizeof(why), "to let answers of reals by %s through",
				 forward_name(real->forward));
			snprintf(path, sizeof(path), "net/ipv4/conf/%s/accept_local", link->name);
			build_sysctl(plan, path, "1", "", why);
			snprintf(path, sizeof(path), "net/ipv4/conf/%s/rp_filter", link->name);
			build_sysctl(plan, path, "2", "1", why);
		}
	}
}

void build_sysctls(struct plan *plan, const struct build_input *input, const struct link *links)
{
	const struct model *model = input->model;
	char path[96];
	bool ipv6 = false;
	build_answer_sysctls(plan, input->facts);
	build_sysctl(plan, "net/ipv4/ip_forward", "1", "", "to forward the LAN's packets");
	build_sysctl(plan, "net/ipv4/conf/all/src_valid_mark", "1", "",
		     "so that rp_filter looks a reply up in its own link's table");
	if (load_needs_counts(model))
		build_sysctl(plan, "net/netfilter/nf_conntrack_events", "1", "",
			     "so that the end of every flow is told");
	for (size_t i = 0; i < model->n_gateways; i++)
		ipv6 |= links[i].path[FAM_6].wanted;
	if (!ipv6)
		return;
	// accept_ra first: forwarding makes the kernel forget what it learned by RA where it is 1
	for (size_t i = 0; i < model->n_gateways; i++) {
		const struct model_gateway *gw = &model->gateways[i];
		if (!links[i].present || gw->addr_mode[FAM_6] == ADDR_MODE_NONE)
			continue;
		snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", gw->interface);
		build_sysctl(plan, path, "2", "1", "to keep learning routes by RA while forwarding");
		snprintf(path, sizeof(path), "net/ipv6/conf/%s/keep_addr_on_down", gw->interface);
		build_sysctl(plan, path, "1", "", "to keep the address while the link is down");
	}
	build_sysctl(plan, "net/ipv6/conf/all/forwarding", "1", "", "to forward the LAN's IPv6 packets");
}
