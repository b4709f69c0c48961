// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/real_script.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/core/tunnel.h"

#define SCRIPT_TABLE 5271  // routing table and priority on the real
#define SCRIPT_HEADERS4 40 // of a TCP segment
#define SCRIPT_HEADERS6 60

struct real_script {
	const struct model *model;
	const struct facts *facts;
	const struct model_service *service;
	const struct model_real *real;
	enum fam fam; // of the real
	char address[ADDR_TEXT];
	struct buf *out;
};

// ---- who it is ---------------------------------------------------------------------------------

static int script_find(struct real_script *s, const char *name, struct err *err)
{
	char full[MODEL_REAL_NAME_SIZE];
	for (size_t i = 0; i < s->model->n_services; i++) {
		s->service = &s->model->services[i];
		for (size_t k = 0; k < s->service->n_reals; k++) {
			s->real = &s->service->reals[k];
			snprintf(full, sizeof(full), "%s/%s", s->service->name, s->real->name);
			if (strcmp(full, name) == 0)
				return 0;
		}
	}
	return err_set(err, ENOENT, "no real is named \"%.64s\": write SERVICE/REAL", name);
}

// This host's address in the network of the real, and the interface; NULL: it is not in one of ours.
static const struct fact_addr *script_near(const struct real_script *s, const struct fact_iface **on)
{
	vec_each(&s->facts->ifaces, iface)
		vec_each(&iface->addrs, own) {
			struct prefix net = {own->addr, own->len};
			addr_mask(&net.addr, net.len);
			if (!own->usable || !addr_is_none(&own->peer) ||
			    !prefix_contains(&net, &s->real->address) ||
			    addr_equal(&own->addr, &s->real->address))
				continue;
			*on = iface;
			return own;
		}
	return NULL;
}

static bool script_is_lan(const struct real_script *s, const struct fact_iface *iface)
{
	const struct model_lan *lan = &s->model->lan;
	for (size_t i = 0; i < lan->n_interfaces; i++)
		if (model_interface_matches(lan->interfaces[i], iface->name))
			return true;
	return false;
}

static const char *script_ip(const struct real_script *s)
{
	return s->fam == FAM_4 ? "ip" : "ip -6";
}

// ---- nat ---------------------------------------------------------------------------------------

// Not by the real's address: a socket of UDP has none yet when the way is looked up.
static void script_answer_rule(const struct real_script *s, uint8_t protocol, uint16_t first, uint16_t last)
{
	const char *name = protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "sctp";
	char ports[32] = "";
	if (first == last)
		snprintf(ports, sizeof(ports), " sport %u", first);
	else if (first)
		snprintf(ports, sizeof(ports), " sport %u-%u", first, last);
	for (int add = 0; add <= 1; add++)
		buf_printf(s->out, "%s rule %s priority %d ipproto %s%s lookup %d%s\n", script_ip(s),
			   add ? "add" : "del", SCRIPT_TABLE, name, ports, SCRIPT_TABLE,
			   add ? "" : " 2>/dev/null || true");
}

static void script_answer_rules(const struct real_script *s)
{
	for (size_t i = 0; i < s->service->n_protocols; i++) {
		uint8_t protocol = s->service->protocols[i];
		if (s->real->port) {
			script_answer_rule(s, protocol, s->real->port, s->real->port);
			continue;
		}
		for (size_t k = 0; k < s->service->n_listens; k++) {
			const struct model_listen *listen = &s->service->listens[k];
			bool again = addr_fam(&listen->addr) != s->fam;
			for (size_t j = 0; j < k; j++) // of another address, but the same ports
				again |= s->service->listens[j].first == listen->first &&
					 s->service->listens[j].last == listen->last &&
					 addr_fam(&s->service->listens[j].addr) == s->fam;
			if (!again)
				script_answer_rule(s, protocol, listen->first, listen->last);
		}
	}
}

static void script_nat(const struct real_script *s)
{
	const struct fact_iface *iface = NULL;
	const struct fact_addr *own = script_near(s, &iface);
	char via[ADDR_TEXT];
	if (!own) {
		buf_puts(s->out, "# This host is in no network with it: there is nothing to set on the real "
				 "itself, but the\n"
				 "# routers between must lead its answers back through this host. If they "
				 "can't: forward = "
				 "fullnat.\n");
		return;
	}
	addr_text(&own->addr, via);
	if (script_is_lan(s, iface)) {
		buf_printf(s->out,
			   "# Its answers must come back through %s.\n%s route replace default via %s\n", via,
			   script_ip(s), via);
		return;
	}
	buf_printf(s->out,
		   "# Its answers must come back through %s, also those to clients in its own network.\n"
		   "dev=$(%s -o route get %s | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')\n",
		   via, script_ip(s), via);
	buf_printf(s->out,
		   "sysctl -qw net/ipv%c/conf/all/accept_redirects=0 "
		   "\"net/ipv%c/conf/$dev/accept_redirects=0\"\n",
		   s->fam == FAM_4 ? '4' : '6', s->fam == FAM_4 ? '4' : '6');
	buf_printf(s->out, "%s route replace default via %s dev \"$dev\" table %d\n", script_ip(s), via,
		   SCRIPT_TABLE);
	script_answer_rules(s);
}

static void script_fullnat(const struct real_script *s)
{
	const struct fact_iface *iface = NULL;
	const struct fact_addr *own = script_near(s, &iface);
	const struct addr *first = &s->service->source_first[s->fam],
			  *last = &s->service->source_last[s->fam];
	char from[ADDR_TEXT], to[ADDR_TEXT];
	buf_puts(s->out, "# Nothing to do: it is spoken to from ");
	if (addr_is_none(first))
		buf_puts(s->out, own ? addr_text(&own->addr, from) : "an address of this host");
	else if (addr_equal(first, last))
		buf_puts(s->out, addr_text(first, from));
	else
		buf_printf(s->out, "%s to %s", addr_text(first, from), addr_text(last, to));
	buf_puts(s->out, ", and answers there.\n");
}

// ---- dr ----------------------------------------------------------------------------------------

static bool script_first_of_address(const struct real_script *s, size_t i)
{
	const struct model_listen *listens = s->service->listens;
	if (addr_fam(&listens[i].addr) != s->fam)
		return false;
	for (size_t k = 0; k < i; k++)
		if (addr_equal(&listens[k].addr, &listens[i].addr))
			return false;
	return true;
}

// Neither ARP nor neighbour discovery may tell of them: IPv6 never does for what is on lo.
static void script_addresses(const struct real_script *s)
{
	char text[ADDR_TEXT];
	buf_puts(s->out, "# It has the service's addresses, and tells nobody.\n");
	if (s->fam == FAM_4)
		buf_puts(s->out,
			 "sysctl -qw net/ipv4/conf/all/arp_ignore=1 net/ipv4/conf/all/arp_announce=2\n");
	for (size_t i = 0; i < s->service->n_listens; i++)
		if (script_first_of_address(s, i))
			buf_printf(s->out, "%s address replace %s/%u dev lo%s\n", script_ip(s),
				   addr_text(&s->service->listens[i].addr, text), s->fam == FAM_4 ? 32 : 128,
				   s->fam == FAM_4 ? "" : " preferred_lft 0");
}

static void script_protocols(const struct real_script *s, bool ports)
{
	static const char *const names[] = {
		[IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp", [IPPROTO_SCTP] = "sctp"};
	const struct model_service *service = s->service;
	if (service->n_protocols == 1 && ports) {
		buf_puts(s->out, names[service->protocols[0]]);
		return;
	}
	buf_puts(s->out, "meta l4proto {");
	for (size_t i = 0; i < service->n_protocols; i++)
		buf_printf(s->out, "%s %s", i ? "," : "", names[service->protocols[i]]);
	buf_puts(s->out, ports ? " } th" : " }");
}

static void script_redirect_listen(const struct real_script *s, const struct model_listen *listen)
{
	char text[ADDR_TEXT];
	bool ports = listen->first > 0;
	if (addr_fam(&listen->addr) != s->fam)
		return;
	buf_printf(s->out, "\t\t%s daddr %s ", s->fam == FAM_4 ? "ip" : "ip6",
		   addr_text(&listen->addr, text));
	script_protocols(s, ports);
	if (ports && listen->first == listen->last)
		buf_printf(s->out, " dport %u", listen->first);
	else if (ports)
		buf_printf(s->out, " dport %u-%u", listen->first, listen->last);
	if (s->real->forward == FORWARD_TUN) // the tunnel has no address that `redirect` could take
		buf_printf(s->out, " dnat to %s\n", s->address);
	else
		buf_puts(s->out, " redirect\n");
}

static void script_redirect(const struct real_script *s)
{
	char table[MODEL_NAME_MAX + 16];
	snprintf(table, sizeof(table), "table %s gwd.%s", s->fam == FAM_4 ? "ip" : "ip6", s->service->name);
	buf_printf(s->out,
		   "# It takes what is for the service's addresses without having them.\n"
		   "nft -f - <<'END'\n"
		   "%s\n"
		   "delete %s\n"
		   "%s {\n"
		   "\tchain pre {\n"
		   "\t\ttype nat hook prerouting priority dstnat; policy accept;\n",
		   table, table, table);
	for (size_t i = 0; i < s->service->n_listens; i++)
		script_redirect_listen(s, &s->service->listens[i]);
	buf_puts(s->out, "\t}\n}\nEND\n");
}

// ---- tun ---------------------------------------------------------------------------------------

// Answers don't come by the tunnel, so nobody else can ask the clients for segments that fit into it.
static void script_clamp(const struct real_script *s)
{
	char device[TUNNEL_NAME_SIZE], table[MODEL_NAME_MAX + 20], text[ADDR_TEXT];
	const char *ip = s->fam == FAM_4 ? "ip" : "ip6";
	if (!memchr(s->service->protocols, IPPROTO_TCP, s->service->n_protocols))
		return;
	tunnel_name(device, &s->real->address);
	uint32_t mss = tunnel_mtu(facts_iface(s->facts, device), s->fam) -
		       (s->fam == FAM_4 ? SCRIPT_HEADERS4 : SCRIPT_HEADERS6);
	snprintf(table, sizeof(table), "table %s gwd.mss.%s", ip, s->service->name);
	buf_printf(s->out,
		   "# It asks its clients for segments that fit into the tunnel.\n"
		   "nft -f - <<'END'\n"
		   "%s\n"
		   "delete %s\n"
		   "%s {\n"
		   "\tchain post {\n"
		   "\t\ttype filter hook postrouting priority srcnat + 10; policy accept;\n",
		   table, table, table);
	for (size_t i = 0; i < s->service->n_listens; i++)
		if (script_first_of_address(s, i))
			buf_printf(s->out,
				   "\t\t%s saddr %s tcp flags & (syn | rst) == syn tcp option maxseg size "
				   "set %u\n",
				   ip, addr_text(&s->service->listens[i].addr, text), mss);
	buf_puts(s->out, "\t}\n}\nEND\n");
}

// What comes out of the tunnel has clients' addresses, whose way back is another one: rp_filter would drop
// it, and the loose one wants the device to have some address.
static void script_tunnel(const struct real_script *s)
{
	bool four = s->fam == FAM_4;
	const char *dev = four ? "gwdtun4" : "gwdtun6";
	buf_puts(s->out, "# Packets come in a tunnel; the answers go straight to the clients.\n");
	buf_printf(s->out, "ip link show %s >/dev/null 2>&1 || ip link add %s type %s local %s\n", dev, dev,
		   four ? "ipip" : "ip6tnl mode any", s->address);
	if (four)
		buf_printf(s->out,
			   "ip address replace %s/32 dev %s scope host\n"
			   "sysctl -qw net/ipv4/conf/%s/rp_filter=2\n",
			   s->address, dev, dev);
	buf_printf(s->out, "ip link set %s up\n", dev);
	script_clamp(s);
}

// ---- all ---------------------------------------------------------------------------------------

static void script_header(const struct real_script *s)
{
	buf_printf(s->out, "#!/bin/sh\n# For %s/%s by %s: to be run on ", s->service->name, s->real->name,
		   forward_name(s->real->forward));
	buf_printf(s->out, "%s, as root; gone when that restarts.\nset -e\n", s->address);
}

static void script_body(const struct real_script *s, bool redirect)
{
	switch (s->real->forward) {
	case FORWARD_NAT:
		script_nat(s);
		return;
	case FORWARD_FULLNAT:
		script_fullnat(s);
		return;
	case FORWARD_LOCAL:
		buf_puts(s->out, "# Nothing to do: it is a program here.\n");
		return;
	case FORWARD_TUN:
		script_tunnel(s);
		break;
	case FORWARD_DR:
		break;
	}
	if (redirect)
		script_redirect(s);
	else
		script_addresses(s);
}

int real_script(const struct model *model, const struct facts *facts, const char *name, bool redirect,
		struct buf *out, struct err *err)
{
	struct real_script s = {.model = model, .facts = facts, .out = out};
	int rc = script_find(&s, name, err);
	if (rc < 0)
		return rc;
	bool keeps = forward_is_direct(s.real->forward);
	if (redirect && !keeps)
		return err_set(err, EINVAL, "redirect is only for dr and tun, and %s is by %s: leave it out",
			       name, forward_name(s.real->forward));
	s.fam = addr_is_none(&s.real->address) ? FAM_4 : addr_fam(&s.real->address);
	strcpy(s.address, "this host");
	if (!addr_is_none(&s.real->address))
		addr_text(&s.real->address, s.address);
	script_header(&s);
	script_body(&s, redirect);
	return 0;
}
