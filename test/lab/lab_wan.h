// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_wan: the addresses of ISP links, and the commands that make them. Internal.
 *
 * Every function writes lines for `ip -batch` into a stream; the same lines make a link the first time, after
 * it was deleted and after an address change.
 */
#ifndef GWD_TEST_LAB_LAB_WAN_H
#define GWD_TEST_LAB_LAB_WAN_H

#include <stdio.h>

struct lab;
struct lab_isp;

/* Fills in the ISP's place, interface name and wire, for number `index`. */
void lab_wan_plan(struct lab *lab, int index);

/* Computes address and next hop of its present generation. */
void lab_wan_number(struct lab *lab, struct lab_isp *isp);

/* The subnet of a generation: "100.64.1.0/24", "2001:db8:1::/64". */
void lab_wan_subnet(const struct lab_isp *isp, int family, char text[64]);

/* For the router: create the link (not for ppp, which lab_tun makes). The shared wire: its router end, once.
 */
void lab_wan_link(struct lab *lab, const struct lab_isp *isp, FILE *router);

/* For the namespace of the wires: the shared one's bridge, and the ISPs' ports on it. */
void lab_wan_shared_wire(struct lab *lab, FILE *wire);

/* The same: the router's end, once lab_wan_link() has put it there. */
void lab_wan_shared_port(struct lab *lab, FILE *wire);

/* For the router: address and routes of the link. */
void lab_wan_router(struct lab *lab, const struct lab_isp *isp, FILE *router);

/* For the router: without the address of the link. */
void lab_wan_router_remove(struct lab *lab, const struct lab_isp *isp, FILE *router);

/* For the ISP: its end of the link, with addresses and the routes of what it delegates. */
void lab_wan_isp(struct lab *lab, const struct lab_isp *isp, FILE *out);

/* For the internet: its route back to the ISP's subnets. */
void lab_wan_internet(const struct lab_isp *isp, FILE *internet);

#endif
