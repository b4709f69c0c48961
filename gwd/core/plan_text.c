// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/plan_text.h"

#include <sys/socket.h>

#include "gwd/base/buf.h"
#include "gwd/core/plan.h"

static const char *const text_ip[FAM_COUNT] = {"ip -4", "ip -6"};

static void text_table(uint32_t table, struct buf *out)
{
	if (table == PLAN_TABLE_MAIN)
		buf_puts(out, "main");
	else
		buf_printf(out, "%u", table);
}

static void text_next_hop(const struct plan_route *route, struct buf *out)
{
	char text[ADDR_TEXT];
	if (!addr_is_none(&route->via))
		buf_printf(out, " via %s%s", route->via.family == fam_af(route->fam) ? "" : "inet6 ",
			   addr_text(&route->via, text));
	buf_printf(out, " dev %s", route->ifname);
	if (!addr_is_none(&route->via))
		buf_puts(out, " onlink"); // also where the interface's address is in another network
	else if (route->fam == FAM_4)
		buf_puts(out, " scope link");
	if (!addr_is_none(&route->source))
		buf_printf(out, " src %s", addr_text(&route->source, text));
}

void plan_text_route(const struct plan_route *route, struct buf *out)
{
	char text[PREFIX_TEXT];
	const char *to = route->to.len ? prefix_text(&route->to, text) : "default";
	bool leads = route->type == PLAN_ROUTE_LEADS;
	buf_printf(out, "%s%s%s", plan_route_type_text(route->type), leads ? "" : " ", to);
	if (leads)
		text_next_hop(route, out);
	buf_puts(out, " table ");
	text_table(route->table, out);
	buf_printf(out, " proto %u", PLAN_PROTOCOL);
	if (route->metric)
		buf_printf(out, " metric %u", route->metric);
}

void plan_text_iprule(const struct plan_iprule *rule, struct buf *out)
{
	buf_printf(out, "priority %u", rule->priority);
	if (rule->iif[0])
		buf_printf(out, " iif %s", rule->iif);
	if (rule->mask)
		buf_printf(out, " fwmark 0x%08x/0x%08x", rule->mark, rule->mask);
	if (rule->skip_to) {
		buf_printf(out, " goto %u", rule->skip_to);
	} else if (rule->table) {
		buf_puts(out, " lookup ");
		text_table(rule->table, out);
	} else {
		buf_puts(out, " nop");
	}
	if (rule->suppress_default)
		buf_puts(out, " suppress_prefixlength 0");
	buf_printf(out, " protocol %u", PLAN_PROTOCOL);
}

// As sysctl(8) has it: a dot for each slash, so a dot of an interface's name becomes a slash.
static void text_sysctl_key(const char *path, struct buf *out)
{
	for (; *path; path++)
		buf_printf(out, "%c", *path == '/' ? '.' : *path == '.' ? '/' : *path);
}

static void text_sysctl(const struct plan_sysctl *sysctl, struct buf *out)
{
	if (sysctl->only_if[0]) {
		buf_puts(out, "[ \"$(sysctl -n ");
		text_sysctl_key(sysctl->path, out);
		buf_printf(out, ")\" != %s ] || ", sysctl->only_if);
	}
	buf_puts(out, "sysctl -w ");
	text_sysctl_key(sysctl->path, out);
	buf_printf(out, "=%s\n", sysctl->value);
}

static void text_tunnel(const struct plan_tunnel *tunnel, struct buf *out)
{
	char local[ADDR_TEXT], remote[ADDR_TEXT];
	addr_text(&tunnel->remote, remote);
	if (addr_fam(&tunnel->remote) == FAM_4)
		buf_printf(out, "ip link add %s type ipip remote %s ttl inherit nopmtudisc\n", tunnel->ifname,
			   remote);
	else
		buf_printf(out, "ip link add %s type ip6tnl mode ip6ip6 remote %s local %s encaplimit none\n",
			   tunnel->ifname, remote, addr_text(&tunnel->local, local));
	buf_printf(out, "ip link set %s addrgenmode none up\n", tunnel->ifname);
}

void plan_text_routes(const struct plan *plan, struct buf *out)
{
	char text[ADDR_TEXT];
	vec_each(&plan->sysctls, sysctl)
		text_sysctl(sysctl, out);
	vec_each(&plan->vips, vip)
		buf_printf(out, "ip addr add %s/%u dev %s proto %u%s\n", addr_text(&vip->addr, text),
			   8 * addr_size(&vip->addr), vip->ifname, PLAN_PROTOCOL,
			   vip->addr.family == AF_INET6 ? " nodad" : "");
	vec_each(&plan->tunnels, tunnel)
		text_tunnel(tunnel, out);
	vec_each(&plan->routes, route) {
		buf_printf(out, "%s route replace ", text_ip[route->fam]);
		plan_text_route(route, out);
		buf_puts(out, "\n");
	}
	vec_each(&plan->iprules, rule) {
		buf_printf(out, "%s rule add ", text_ip[rule->fam]);
		plan_text_iprule(rule, out);
		buf_puts(out, "\n");
	}
}
