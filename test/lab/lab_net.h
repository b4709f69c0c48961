// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_net: the network itself: what it is made of, its places and its addresses.
 *
 *     host1  host2 ..          inside                       every ISP k: 100.64.k.0/24, 2001:db8:k::/64
 *        \    /                  |                          (k in hex there), .1/::1 is the ISP, .2/::2 the
 *      [LAN segment]             |                          router
 *            \                   |
 *        lan0 +----- router -----+ lan1
 *            wan1  wan2  wan3  wan4(shared)  ppp0
 *             |     |     |      |     \       :
 *            isp1  isp2  isp3   isp4  isp5   isp6      (here: .isps = 3, .shared, .ppp)
 *              \     \     \     /     /      /
 *               +-----------internet---------+          servers: see lab_server_address()
 *
 * ISPs are numbered from 1: first `isps` of them with a wire of their own, then the two on the shared wire,
 * then the point-to-point one. The router forwards IPv4 and IPv6, has its WAN addresses, and has neither NAT
 * nor any default route unless .routes asks for them.
 *
 *     place          IPv4                             IPv6
 *     lan0           10.0.0.1/24                      fd00:10::1/64
 *     host h         10.0.0.1h                        fd00:10::1h
 *       its clients  10.h.0.0/16                      fd00:10:h::/48      (lab_client_address)
 *     lan1           10.200.0.1/24                    fd00:10:200::1/64
 *     inside         10.200.0.2, and behind it        fd00:10:200::2, and behind it
 *                    10.201.0.1/24 (static route)     fd00:10:201::1/64
 *     servers 1..4   198.51.100.1 .. .4               2001:db8:aaaa::1 .. ::4
 *     servers 5..8   203.0.113.1 .. .4                2001:db8:bbbb::1 .. ::4
 *
 * So everything inside is 10.0.0.0/8 and fd00:10::/32, and a source address seen on the internet names the
 * ISP.
 */
#ifndef GWD_TEST_LAB_LAB_NET_H
#define GWD_TEST_LAB_LAB_NET_H

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_ns;

enum {
	LAB_ISPS_MAX = 32,
	LAB_HOSTS_MAX = 8,
	LAB_SERVERS = 8,
	LAB_CLIENTS_MAX = 60000, /* of each host */
};

enum lab_shared {
	LAB_SHARED_NONE,
	LAB_SHARED_TWO_SUBNETS, /* each ISP its own subnet, the router has an address in both */
	LAB_SHARED_ONE_SUBNET,  /* see below */
};

/*
 * LAB_SHARED_ONE_SUBNET: two modems on 192.168.100.0/24 and fd00:192:168::/64, the router is .2 and the
 * modems .(100 + k): only the next hop and its MAC tell them apart. Each translates .2, one to one and both
 * ways, into a public address of its own, so the internet can still tell who carried a flow, and can reach
 * the router by either: see lab_wan_public().
 */
struct lab_spec {
	int isps;  /* ISPs with a wire of their own; 0 means 3, none at all is -1 */
	int hosts; /* LAN hosts; 0 means 2 */
	enum lab_shared shared;
	bool ppp;
	bool routes; /* default routes in the router's main table, one per ISP and family, metric 100 + k, as
		      * a DHCP client (proto dhcp), router advertisement (proto ra, via the ISP's fe80::k) or
		      * pppd would put */
	int rp_filter; /* the router's reverse path filter, default 0 */
};

/* Why no lab can be built on this machine (not root, no `ip`, …), or NULL. For a test's skip. */
const char *lab_missing(void);

/* Builds the network, starts the internet's servers; NULL stands for {.isps = 3}. The caller destroys it. */
struct lab *lab_create(const struct lab_spec *spec);

/* Stops every tool and program still running, and removes every namespace and file. NULL is fine. */
void lab_destroy(struct lab *lab);

/* The places, as namespaces to run things in. Owned by the lab. Numbers start at 1. */
struct lab_ns *lab_router(struct lab *lab);
struct lab_ns *lab_internet(struct lab *lab);
struct lab_ns *lab_host(struct lab *lab, int host);
struct lab_ns *lab_inside(struct lab *lab);
struct lab_ns *lab_isp(struct lab *lab, int isp);

/* The place by its name in the picture ("host1", "isp2"), or NULL. */
struct lab_ns *lab_place(struct lab *lab, const char *name);

/* How many ISPs there are in all; which of them is on the point-to-point link (0: none). */
int lab_isp_count(const struct lab *lab);
int lab_isp_of_ppp(const struct lab *lab);

/*
 * The router's side of ISP k's link: interface ("wan1", "ppp0"), address, next hop. `family` is AF_INET or
 * AF_INET6. Text owned by the lab; it changes in place when lab_fault_renumber() does. A point-to-point
 * link's next hop is only its peer's address.
 */
const char *lab_wan_name(struct lab *lab, int isp);
const char *lab_wan_address(struct lab *lab, int isp, int family);
const char *lab_wan_nexthop(struct lab *lab, int isp, int family);

/* What the internet sees instead of lab_wan_address(): the same, except on a wire with one subnet. */
const char *lab_wan_public(struct lab *lab, int isp, int family);

/* Address of server n, 1 to LAB_SERVERS; of LAN host h. Constant text. */
const char *lab_server_address(int family, int n);
const char *lab_host_address(int family, int host);

/* Writes the address of host h's client i (0 .. LAB_CLIENTS_MAX - 1) into text[64]: 10.h.x.y or
 * fd00:10:h:i::1. */
void lab_client_address(int family, int host, int i, char text[64]);

/* Which ISP an address seen on the internet belongs to, at any time of the lab's life; 0: none of them. */
int lab_isp_of_source(struct lab *lab, const char *address);

/*
 * The ISP routes `prefix` ("100.64.1.16/28", "2001:db8:1:8000::/56") to the router: SNAT ranges, delegated
 * prefixes. From then on it is a right source on that link and belongs to that ISP.
 */
void lab_wan_delegate(struct lab *lab, int isp, const char *prefix);

/* The same without a route: addresses of the link's own subnet that the router has besides its first. */
void lab_wan_owns(struct lab *lab, int isp, const char *prefix);

#endif
