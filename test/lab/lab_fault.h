// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_fault: what goes wrong on an ISP's link, and its repair.
 *
 * Each fault has taken effect when the call returns; the value is the moment it did (lab_now_ms), to subtract
 * from what the tools report. Faults of one link can be combined; each is undone by its own inverse, and
 * doing or undoing one twice is harmless. On the shared wire, whatever concerns the router's interface
 * concerns both of its ISPs.
 */
#ifndef GWD_TEST_LAB_LAB_FAULT_H
#define GWD_TEST_LAB_LAB_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct lab;

/* The link stays up, and every packet dies at the ISP, in both directions: its next hop is silent (to ARP and
 * neighbour discovery too) and so is all beyond it. */
int64_t lab_fault_blackhole(struct lab *lab, int isp);

/* The next hop answers; everything beyond it is dead. */
int64_t lab_fault_cut(struct lab *lab, int isp);

/* Undoes blackhole, cut and loss. */
int64_t lab_fault_repair(struct lab *lab, int isp);

/* Every packet that comes to the ISP, from either side, dies with this probability: a round trip to the next
 * hop is lost with p, one to a server with 1 - (1 - p)^2. 0 ends it. */
int64_t lab_fault_loss(struct lab *lab, int isp, double percent);

/* The cable: the router's interface loses its carrier (its addresses stay), and has it back. */
int64_t lab_fault_carrier_off(struct lab *lab, int isp);
int64_t lab_fault_carrier_on(struct lab *lab, int isp);

/* `ip link set wanK down` on the router, which makes the kernel drop its routes and IPv6 addresses; and up
 * again, with what a DHCP client or pppd would put back (addresses, and default routes if the lab has them).
 */
int64_t lab_fault_admin_down(struct lab *lab, int isp);
int64_t lab_fault_admin_up(struct lab *lab, int isp);

/* A new subnet for the link (100.65.k.0/24, then 100.66…; 2001:db8:1kk::/64): the router loses the old
 * address and has a new one with new default routes, the ISP and the way back follow. The old source is a
 * right one for LAB_GRACE_MS more. On a deleted link it takes effect when it is recreated, as a new ppp
 * session brings a new address. Not for LAB_SHARED_ONE_SUBNET. At most 60 times. */
enum { LAB_GRACE_MS = 1000 };
int64_t lab_fault_renumber(struct lab *lab, int isp);

/* The router's interface ceases to exist; and is back, under its old name, with a new index. */
int64_t lab_fault_delete(struct lab *lab, int isp);
int64_t lab_fault_recreate(struct lab *lab, int isp);

#endif
