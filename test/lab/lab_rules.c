// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_rules: what every ISP does with packets besides routing them.
 *
 * - watch: sees every packet that arrives from the router, before any fault can drop it, and counts in the
 * kernel, so nothing is missed however busy the machine is. `right4/6` hold the source addresses that belong
 * on the link; anything else is counted in `wrong4/6`, and the first such packet stays in `first4/6` (a set
 * of size 1). A flow is new if its addresses, ports and (TCP) initial sequence number were not seen before: a
 *   retransmitted SYN is not counted again.
 * - faults: sets of interface names, empty while all is well. `dead` takes all that arrives (IP here, ARP in
 * its own table); `cut` takes what would be forwarded, so that the ISP itself still answers. `loss` is filled
 * with one rule.
 * - translate: only for two modems on one subnet: the router's private address to a public one and back,
 * packet by packet, without conntrack.
 */
#include "test/lab/lab_rules.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"

#include <stdio.h>
#include <string.h>

static const char faults[] = "table arp lab {\n"
			     "	set dead { type ifname; }\n"
			     "	chain in {\n"
			     "		type filter hook input priority 0; policy accept;\n"
			     "		iifname @dead drop\n"
			     "	}\n"
			     "}\n"
			     "table inet lab {\n"
			     "	set dead { type ifname; }\n"
			     "	set cut { type ifname; }\n"
			     "	chain dead { type filter hook prerouting priority -350; policy accept;\n"
			     "		iifname @dead drop\n"
			     "	}\n"
			     "	chain loss { type filter hook prerouting priority -340; policy accept; }\n"
			     "	chain cut { type filter hook forward priority 0; policy accept;\n"
			     "		iifname @cut drop\n"
			     "		oifname @cut drop\n"
			     "	}\n"
			     "}\n";

/* One family of the watch. $f: 4 or 6, $ip: ip or ip6, $icmp: icmp or ipv6-icmp. */
static const char watch_family[] =
	"	counter tcp$f {}\n"
	"	counter udp$f {}\n"
	"	counter icmp$f {}\n"
	"	counter other$f {}\n"
	"	counter tcpflows$f {}\n"
	"	counter udpflows$f {}\n"
	"	counter wrong$f {}\n"
	"	set right$f { type $type; flags interval, timeout; }\n"
	"	set first$f { type $type . $type . inet_proto . inet_service . inet_service; size 1; flags "
	"dynamic; }\n"
	"	set sources$f { type $type; size 65535; flags dynamic; counter; }\n"
	"	set tcpseen$f {\n"
	"		typeof $ip saddr . $ip daddr . tcp sport . tcp dport . tcp sequence\n"
	"		size 262144; flags dynamic\n"
	"	}\n"
	"	set udpseen$f {\n"
	"		typeof $ip saddr . $ip daddr . udp sport . udp dport\n"
	"		size 262144; flags dynamic\n"
	"	}\n"
	"	chain wrong$f {\n"
	"		counter name wrong$f\n"
	"		add @first$f { $ip saddr . $ip daddr . meta l4proto . th sport . th dport }\n"
	"	}\n"
	"	chain tcp$f {\n"
	"		counter name tcp$f\n"
	"		tcp flags & (syn | ack) != syn return\n"
	"		$ip saddr . $ip daddr . tcp sport . tcp dport . tcp sequence @tcpseen$f return\n"
	"		counter name tcpflows$f\n"
	"		add @tcpseen$f { $ip saddr . $ip daddr . tcp sport . tcp dport . tcp sequence }\n"
	"	}\n"
	"	chain udp$f {\n"
	"		counter name udp$f\n"
	"		$ip saddr . $ip daddr . udp sport . udp dport @udpseen$f return\n"
	"		counter name udpflows$f\n"
	"		add @udpseen$f { $ip saddr . $ip daddr . udp sport . udp dport }\n"
	"	}\n"
	"	chain watch$f {\n"
	"		$ip saddr != @right$f jump wrong$f\n"
	"		update @sources$f { $ip saddr }\n"
	"		meta l4proto tcp goto tcp$f\n"
	"		meta l4proto udp goto udp$f\n"
	"		meta l4proto $icmp counter name icmp$f return\n"
	"		counter name other$f\n"
	"	}\n";

static const char watch[] = "	chain watch {\n"
			    "		type filter hook prerouting priority -400; policy accept;\n"
			    "		iifname != \"cust0\" return\n"
			    "		ip daddr 224.0.0.0/3 return\n"
			    "		ip6 daddr ff00::/8 return\n"
			    "		ip6 saddr fe80::/10 return\n"
			    "		icmpv6 type { 133, 134, 135, 136, 137 } return\n"
			    "		meta nfproto ipv4 goto watch4\n"
			    "		meta nfproto ipv6 goto watch6\n"
			    "	}\n";

/* Writes the pattern with $ip, $f, $type and $icmp replaced. */
static void write_family(FILE *out, const char *pattern, int family)
{
	static const struct {
		const char *name, *value[LAB_FAMILIES];
	} word[] = {
		{"$icmp", {"icmp", "ipv6-icmp"}},
		{"$type", {"ipv4_addr", "ipv6_addr"}},
		{"$ip", {"ip", "ip6"}},
		{"$f", {"4", "6"}},
	};

	while (*pattern) {
		unsigned i = 0;

		while (i < 4 && strncmp(pattern, word[i].name, strlen(word[i].name)))
			i++;
		if (i < 4) {
			fputs(word[i].value[family], out);
			pattern += strlen(word[i].name);
		} else {
			fputc(*pattern++, out);
		}
	}
}

/* The packets of one family between the router's private address and the ISP's public one. */
static void write_translation(FILE *out, const struct lab_isp *isp, int family)
{
	const char *ip = family == LAB_V4 ? "ip" : "ip6";
	const char *private = isp->address[family], *public = isp->public[family];

	fprintf(out, "add rule inet lab from_internet iifname up0 %s daddr %s %s daddr set %s\n", ip, public,
		ip, private);
	fprintf(out, "add rule inet lab to_internet oifname up0 %s saddr %s %s saddr set %s\n", ip, private,
		ip, public);
}

static void write_translations(FILE *out, const struct lab_isp *isp)
{
	fputs("add chain inet lab from_internet { type filter hook prerouting priority -150; }\n"
	      "add chain inet lab to_internet { type filter hook postrouting priority 100; }\n",
	      out);
	write_translation(out, isp, LAB_V4);
	write_translation(out, isp, LAB_V6);
}

char *lab_rules_text(const struct lab *lab, const struct lab_isp *isp)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		lab_die("out of memory");
	fputs(faults, out);
	fputs("table inet lab {\n", out);
	write_family(out, watch_family, LAB_V4);
	write_family(out, watch_family, LAB_V6);
	fputs(watch, out);
	fputs("}\n", out);
	fprintf(out, "add element inet lab right4 { %s }\n", isp->address[LAB_V4]);
	fprintf(out, "add element inet lab right6 { %s }\n", isp->address[LAB_V6]);
	if (isp->wire == LAB_WIRE_SHARED && lab->spec.shared == LAB_SHARED_ONE_SUBNET)
		write_translations(out, isp);
	fclose(out);
	return text;
}
