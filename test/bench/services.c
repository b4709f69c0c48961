// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/bench/services.h"

#include <stdio.h>

#include "gwd/base/buf.h"
#include "test/bench/bench.h"

static void real_address(char text[32], int service, int real)
{
	if (service == 0 && real == 0)
		snprintf(text, 32, "%s", lab_host_address(AF_INET, 1)); // the one that has traffic
	else
		snprintf(text, 32, "10.%d.%d.%d", 100 + service / 200, service % 200, 1 + real);
}

static void vip_address(char text[32], struct lab *lab, int service)
{
	if (service == 0)
		snprintf(text, 32, "%s", lab_wan_address(lab, 1, AF_INET));
	else
		snprintf(text, 32, "198.18.%d.%d", service / 250, 1 + service % 250);
}

static int services_reals(int service, struct services_change change)
{
	return service == 0 ? 1 : SERVICES_REALS + (service == 1 ? change.reals : 0);
}

const char *services_gwd(struct lab *lab, int services, struct services_change change)
{
	struct buf text = {0};
	char vip[32], real[32];
	buf_printf(&text,
		   "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\nfastpath = off\n"
		   "gateway isp { interface = wan1 address = %s address6 = none }\n",
		   lab_wan_nexthop(lab, 1, AF_INET));
	for (int s = 0; s < services + change.services; s++) {
		vip_address(vip, lab, s);
		buf_printf(&text,
			   "service s%d { listen = \"%s:%d\" protocol = udp forward = nat scheduler = wrr "
			   "probes = none\n",
			   s, vip, SERVICES_PORT);
		for (int r = 0; r < services_reals(s, change); r++) {
			real_address(real, s, r);
			buf_printf(&text, "real r%d { address = %s port = %d weight = %u }\n", r, real,
				   SERVICES_PORT, s == 1 && r == 0 ? change.weight : 1);
		}
		buf_puts(&text, "}\n");
	}
	const char *path = lab_file(lab, "gwd.conf", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

const char *services_gateways(struct lab *lab, int gateways, int weight)
{
	struct buf text = {0};
	buf_puts(&text, "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\nfastpath = off\n");
	for (int i = 1; i <= gateways; i++)
		buf_printf(&text, "gateway g%d { interface = link%d address = 172.30.%d.1 weight = %d }\n", i,
			   i, i, i == 7 ? weight : 1);
	const char *path = lab_file(lab, "gwd.conf", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

const char *services_nftlb(struct lab *lab, int services)
{
	struct buf text = {0};
	char vip[32], real[32];
	buf_puts(&text, "{\"farms\":[");
	for (int s = 0; s < services; s++) {
		vip_address(vip, lab, s);
		buf_printf(&text,
			   "%s{\"name\":\"s%d\",\"family\":\"ipv4\",\"virtual-addr\":\"%s\",\"virtual-"
			   "ports\":\"%d\","
			   "\"mode\":\"dnat\",\"protocol\":\"udp\",\"scheduler\":\"rr\",\"state\":\"up\","
			   "\"backends\":[",
			   s ? "," : "", s, vip, SERVICES_PORT);
		for (int r = 0; r < SERVICES_REALS; r++) {
			real_address(real, s, r);
			buf_printf(&text,
				   "%s{\"name\":\"r%d\",\"ip-addr\":\"%s\",\"port\":\"%d\",\"state\":\"up\"}",
				   r ? "," : "", r, real, SERVICES_PORT);
		}
		buf_puts(&text, "]}");
	}
	buf_puts(&text, "]}\n");
	const char *path = lab_file(lab, "nftlb.json", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

const char *services_ipvs(struct lab *lab, int services)
{
	struct buf text = {0};
	char vip[32], real[32];
	for (int s = 0; s < services; s++) {
		vip_address(vip, lab, s);
		buf_printf(&text, "-A -u %s:%d -s wrr\n", vip, SERVICES_PORT);
		for (int r = 0; r < SERVICES_REALS; r++) {
			real_address(real, s, r);
			buf_printf(&text, "-a -u %s:%d -r %s:%d -m -w 1\n", vip, SERVICES_PORT, real,
				   SERVICES_PORT);
		}
	}
	const char *path = lab_file(lab, "ipvs", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}
