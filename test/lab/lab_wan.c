// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_wan: one ISP link as text for `ip -batch`: who has which address, what is connected to what.
 * Called by lab_net when the lab is made, and by lab_fault when a link changes its address or comes anew.
 */
#include "test/lab/lab_wan.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"

#include <string.h>

void lab_wan_plan(struct lab *lab, int index)
{
	struct lab_isp *isp = &lab->isp[index];
	bool last = index == lab->isps;

	isp->index = index;
	if (lab->spec.ppp && last) {
		isp->wire = LAB_WIRE_PPP;
		strcpy(isp->wan, "ppp0");
	} else if (index > lab->spec.isps) {
		isp->wire = LAB_WIRE_SHARED;
		snprintf(isp->wan, sizeof(isp->wan), "wan%d", lab->spec.isps + 1);
	} else {
		isp->wire = LAB_WIRE_OWN;
		snprintf(isp->wan, sizeof(isp->wan), "wan%d", index);
	}
}

static bool one_subnet(const struct lab *lab, const struct lab_isp *isp)
{
	return isp->wire == LAB_WIRE_SHARED && lab->spec.shared == LAB_SHARED_ONE_SUBNET;
}

/* "100.64.1." and "2001:db8:1::": what the addresses of a subnet begin with. */
static void subnet_start(const struct lab_isp *isp, int family, char text[64])
{
	if (family == LAB_V4)
		snprintf(text, 64, "100.%d.%d.", 64 + isp->generation, isp->index);
	else
		snprintf(text, 64, "2001:db8:%x::", isp->generation << 8 | isp->index);
}

void lab_wan_subnet(const struct lab_isp *isp, int family, char text[64])
{
	subnet_start(isp, family, text);
	strcat(text, family == LAB_V4 ? "0/24" : "/64");
}

void lab_wan_number(struct lab *lab, struct lab_isp *isp)
{
	for (int family = 0; family < LAB_FAMILIES; family++) {
		char start[64];

		subnet_start(isp, family, start);
		snprintf(isp->address[family], INET6_ADDRSTRLEN, "%.40s2", start);
		snprintf(isp->nexthop[family], INET6_ADDRSTRLEN, "%.40s1", start);
		strcpy(isp->public[family], isp -> address[family]);
	}
	if (!one_subnet(lab, isp))
		return;
	strcpy(isp->address[LAB_V4], "192.168.100.2");
	strcpy(isp->address[LAB_V6], "fd00:192:168::2");
	snprintf(isp->nexthop[LAB_V4], INET6_ADDRSTRLEN, "192.168.100.%d", 100 + isp->index);
	snprintf(isp->nexthop[LAB_V6], INET6_ADDRSTRLEN, "fd00:192:168::%d", 100 + isp->index);
}

void lab_wan_link(struct lab *lab, const struct lab_isp *isp, FILE *router)
{
	if (isp->wire == LAB_WIRE_OWN)
		fprintf(router,
			"link add %s address 02:00:00:00:%02x:02 type veth"
			" peer name cust0 address 02:00:00:00:%02x:01 netns %s\n",
			isp->wan, isp->index, isp->index, isp->ns.path);
	else if (isp->wire == LAB_WIRE_SHARED && isp->index == lab->spec.isps + 1)
		fprintf(router,
			"link add %s address 02:00:00:00:%02x:02 type veth peer name router-shared netns "
			"%s\n",
			isp->wan, isp->index, lab->wire.path);
}

void lab_wan_shared_wire(struct lab *lab, FILE *wire)
{
	fputs("link add shared type bridge mcast_snooping 0\nlink set shared up\n", wire);
	for (int k = lab->spec.isps + 1; k <= lab->spec.isps + 2; k++) {
		fprintf(wire,
			"link add isp%d type veth peer name cust0 address 02:00:00:00:%02x:01 netns %s\n", k,
			k, lab->isp[k].ns.path);
		fprintf(wire, "link set isp%d master shared up\n", k);
	}
}

void lab_wan_shared_port(struct lab *lab, FILE *wire)
{
	if (lab->spec.shared)
		fputs("link set router-shared master shared up\n", wire);
}

/* `verb`: replace or del. */
static void router_addresses(struct lab *lab, const struct lab_isp *isp, const char *verb, FILE *out)
{
	const char *v4 = isp->address[LAB_V4], *v6 = isp->address[LAB_V6];

	if (isp->wire == LAB_WIRE_PPP) {
		fprintf(out, "addr %s %s peer %s/32 dev %s\n", verb, v4, isp->nexthop[LAB_V4], isp->wan);
		fprintf(out, "addr %s %s peer %s/128 dev %s nodad\n", verb, v6, isp->nexthop[LAB_V6],
			isp->wan);
	} else if (!one_subnet(lab, isp) || isp->index == lab->spec.isps + 1) {
		fprintf(out, "addr %s %s/24 brd + dev %s\n", verb, v4, isp->wan);
		fprintf(out, "addr %s %s/64 dev %s nodad\n", verb, v6, isp->wan);
	}
}

static void router_default_routes(const struct lab_isp *isp, FILE *out)
{
	int metric = 100 + isp->index;

	if (isp->wire == LAB_WIRE_PPP) {
		fprintf(out, "route replace 0.0.0.0/0 dev %s scope link metric %d\n", isp->wan, metric);
		fprintf(out, "route replace ::/0 dev %s metric %d\n", isp->wan, metric);
		return;
	}
	fprintf(out, "route replace default via %s dev %s proto dhcp src %s metric %d\n",
		isp->nexthop[LAB_V4], isp->wan, isp->address[LAB_V4], metric);
	fprintf(out, "route replace default via fe80::%x dev %s proto ra metric %d\n", isp->index, isp->wan,
		metric);
}

void lab_wan_router(struct lab *lab, const struct lab_isp *isp, FILE *router)
{
	fprintf(router, "link set %s up\n", isp->wan);
	router_addresses(lab, isp, "replace", router);
	if (lab->spec.routes)
		router_default_routes(isp, router);
}

void lab_wan_router_remove(struct lab *lab, const struct lab_isp *isp, FILE *router)
{
	router_addresses(lab, isp, "del", router);
}

static void isp_addresses(const struct lab_isp *isp, FILE *out)
{
	if (isp->wire == LAB_WIRE_PPP) {
		fprintf(out, "addr replace %s peer %s/32 dev cust0\n", isp->nexthop[LAB_V4],
			isp->address[LAB_V4]);
		fprintf(out, "addr replace %s peer %s/128 dev cust0 nodad\n", isp->nexthop[LAB_V6],
			isp->address[LAB_V6]);
		return;
	}
	fprintf(out, "addr replace %s/24 brd + dev cust0\n", isp->nexthop[LAB_V4]);
	fprintf(out, "addr replace %s/64 dev cust0 nodad\n", isp->nexthop[LAB_V6]);
	fprintf(out, "addr replace fe80::%x/64 dev cust0 nodad\n", isp->index);
}

void lab_wan_isp(struct lab *lab, const struct lab_isp *isp, FILE *out)
{
	fputs("link set cust0 up\naddr flush dev cust0 scope global\n", out);
	isp_addresses(isp, out);
	for (const struct lab_prefix *prefix = lab->prefixes; prefix; prefix = prefix->next)
		if (prefix->isp == isp->index)
			fprintf(out, "route replace %s via %s\n", prefix->text, isp->address[prefix->family]);
}

void lab_wan_internet(const struct lab_isp *isp, FILE *internet)
{
	char subnet[64];

	lab_wan_subnet(isp, LAB_V4, subnet);
	fprintf(internet, "route replace %s via 172.31.%d.2 dev isp%d\n", subnet, isp->index, isp->index);
	lab_wan_subnet(isp, LAB_V6, subnet);
	fprintf(internet, "route replace %s via fd00:31:%x::2 dev isp%d\n", subnet, isp->index, isp->index);
}
