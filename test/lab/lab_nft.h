// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_nft: the nftables of an ISP's namespace: what faults switch and what the watch counts. Internal.
 *
 * Set up once as text; from then on single set elements and counters by netlink, because a fault must take
 * effect at a known moment and counters are read in loops that wait for something.
 */
#ifndef GWD_TEST_LAB_LAB_NFT_H
#define GWD_TEST_LAB_LAB_NFT_H

#include <stdbool.h>
#include <stdint.h>

struct lab_isp;
struct mnl_socket;

/* A netlink socket into the ISP's nftables. */
struct mnl_socket *lab_nft_open(const struct lab_isp *isp);
void lab_nft_close(struct mnl_socket *nl);

/* One element (an interface name) of a set of table "lab". */
struct lab_nft_element {
	int family; /* NFPROTO_INET, NFPROTO_ARP */
	const char *set;
	const char *ifname;
};

/* Adds or deletes one; adding what is there, or deleting what is not, is fine. */
void lab_nft_switch(struct mnl_socket *nl, const struct lab_nft_element *element, bool add);

/* Calls for every named counter. */
void lab_nft_counters(struct mnl_socket *nl, void (*each)(void *arg, const char *name, uint64_t packets),
		      void *arg);

/* Calls for every element of a set: its key, and packets if it counts. */
void lab_nft_elements(struct mnl_socket *nl, const char *set,
		      void (*each)(void *arg, const unsigned char *key, unsigned length, uint64_t packets),
		      void *arg);

#endif
