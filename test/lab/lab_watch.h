// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_watch: what arrives at the ISPs from the router, counted in the kernel, before any fault.
 *
 * The watchdog: a packet whose source does not belong on the link it left by is a *wrong source*: another
 * link's address, an inside address, an address the link has no longer. Right are the router's address there
 * (the one before a renumbering for LAB_GRACE_MS more) and what lab_wan_delegate() added. Left out are ARP,
 * neighbour discovery, multicast, broadcast and link-local sources. Every net test ends with
 *
 *     cr_assert(lab_wrong_sources(lab) == 0, "%s", lab_wrong_first(lab));
 */
#ifndef GWD_TEST_LAB_LAB_WATCH_H
#define GWD_TEST_LAB_LAB_WATCH_H

#include <stdint.h>

struct lab;

/* Packets with a wrong source: on one ISP's link; on all together. */
uint64_t lab_wrong_source_count(struct lab *lab, int isp);
uint64_t lab_wrong_sources(struct lab *lab);

/*
 * The first of them as text: "isp2: 10.0.0.11:40000 > 198.51.100.1:9000 udp"; "none" if there is none. Of one
 * ISP, or of the first ISP that has any. Text owned by the lab, good until the next call.
 */
const char *lab_wrong_source_first(struct lab *lab, int isp);
const char *lab_wrong_first(struct lab *lab);

/* Of one family. A flow is counted when its first packet arrives: for TCP a SYN (its retransmissions are
 * not), for UDP the first datagram between two ports ever. Memory for 262,144 flows of each kind; beyond,
 * flows count twice. */
struct lab_counts {
	uint64_t tcp_packets, udp_packets, icmp_packets, other_packets;
	uint64_t tcp_flows, udp_flows;
	uint64_t wrong;
};

/* What has arrived at this ISP since the lab began. Take the difference of two. `family`: AF_INET, AF_INET6.
 */
struct lab_counts lab_isp_counts(struct lab *lab, int isp, int family);

/* New flows, both families and both protocols together: for shares. */
uint64_t lab_isp_flows(struct lab *lab, int isp);

/* All packets, of both families. */
uint64_t lab_isp_packets(struct lab *lab, int isp);

/* Packets that arrived at this ISP with exactly this source (a delegated one, or a LAN host's where there is
 * no SNAT). */
uint64_t lab_isp_packets_from(struct lab *lab, int isp, const char *source);

#endif
