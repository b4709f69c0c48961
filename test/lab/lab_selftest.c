// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest: counting checks, and a router that does without gwd. See the header.
 */
#include "test/lab/lab_selftest.h"

#include "test/lab/lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;

bool lab_check(bool ok, const char *format, ...)
{
	va_list args;

	if (ok) {
		passed++;
		return true;
	}
	failed++;
	printf("    FAILED: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return false;
}

int lab_check_failed(void)
{
	return failed;
}

int lab_check_passed(void)
{
	return passed;
}

void lab_check_no_wrong_source(struct lab *lab)
{
	lab_check(lab_wrong_sources(lab) == 0, "no wrong source: %s", lab_wrong_first(lab));
}

/* The router's own address on what leaves by each link. (On a wire with two subnets `masquerade` would take
 * the wrong one of two IPv6 addresses, so the next hop decides.) */
struct lab *lab_selftest_create(const struct lab_spec *spec)
{
	struct lab *lab = lab_create(spec);

	lab_do(lab_router(lab), "nft add table inet t");
	lab_do(lab_router(lab), "nft add chain inet t post '{ type nat hook postrouting priority 100; }'");
	for (int k = 1; k <= lab_isp_count(lab); k++) {
		const char *v4 = lab_wan_nexthop(lab, k, AF_INET), *v6 = lab_wan_nexthop(lab, k, AF_INET6);

		if (k == lab_isp_of_ppp(lab))
			lab_do(lab_router(lab), "nft add rule inet t post oifname ppp0 masquerade");
		else
			lab_do(lab_router(lab),
			       "nft add rule inet t post meta nfproto ipv4 rt nexthop %s snat ip to %s;"
			       "nft add rule inet t post meta nfproto ipv6 rt nexthop %s snat ip6 to %s",
			       v4, lab_wan_address(lab, k, AF_INET), v6, lab_wan_address(lab, k, AF_INET6));
	}
	return lab;
}

void lab_selftest_steer(struct lab *lab, const char *source, int isp)
{
	int family = strchr(source, ':') ? AF_INET6 : AF_INET;
	const char *dash = family == AF_INET ? "-4" : "-6";
	char via[64] = "";

	if (isp != lab_isp_of_ppp(lab))
		snprintf(via, sizeof(via), "via %s", lab_wan_nexthop(lab, isp, family));
	lab_do(lab_router(lab),
	       "ip %s route replace default %s dev %s table %d;"
	       "ip %s route replace unreachable default metric 9000 table %d;"
	       "ip %s rule del from %s pref 100 2>/dev/null; ip %s rule add from %s lookup %d pref 100",
	       dash, via, lab_wan_name(lab, isp), 1000 + isp, dash, 1000 + isp, dash, source, dash, source,
	       1000 + isp);
}

void lab_selftest_steer_host(struct lab *lab, int host, int isp)
{
	char clients[64];

	lab_selftest_steer(lab, lab_host_address(AF_INET, host), isp);
	lab_selftest_steer(lab, lab_host_address(AF_INET6, host), isp);
	snprintf(clients, sizeof(clients), "10.%d.0.0/16", host);
	lab_selftest_steer(lab, clients, isp);
	snprintf(clients, sizeof(clients), "fd00:10:%d::/48", host);
	lab_selftest_steer(lab, clients, isp);
}
