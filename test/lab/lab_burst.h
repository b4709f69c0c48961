// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_burst: many short flows: how new connections are spread, whether they succeed, how fast.
 *
 *     struct lab_burst *burst = lab_burst_start(lab, &(struct lab_burst_spec){
 *             .flow = {.from = lab_host(lab, 1), .to = "198.51.100.1", .port = 80}, .count = 600, .clients =
 * 600}); lab_burst_wait(burst); struct lab_tally tally = lab_burst_tally(burst);      // tally.answered,
 * tally.isp[1], … lab_burst_free(burst);
 *
 * Each flow asks the far end's lab_server who it is, so its outcome includes the way back, and names its ISP.
 *
 * Source ports are 16384 and up, so a test's servers are safe below, unless .source_port is set. A UDP flow gets one that
 * no other had among the last 49,152, so it is new to conntrack too.
 *
 * Inbound flows: .from = lab_internet(lab), .to = lab_wan_address(lab, k, family), and a lab_server on the router or behind
 * its port forward. An answer that came back by another link than k is still an answer here: it is the watchdog
 * (lab_watch.h) that catches it, as a wrong source, and lab_isp_packets(lab, k) that shows where it left.
 */
#ifndef GWD_TEST_LAB_LAB_BURST_H
#define GWD_TEST_LAB_LAB_BURST_H

#include "test/lab/lab_flow.h"
#include "test/lab/lab_net.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_burst;

/* Flows waiting or held use a descriptor each, TCP ones another for the server: `ulimit -Hn` bounds what can be held. */
enum { LAB_BURST_MAX = 100000 };

struct lab_burst_spec {
	struct lab_flow flow;
	int count;   /* flows, at most LAB_BURST_MAX; 0: 1 */
	int clients; /* spread them over this many of the host's client addresses, in turn; 0: flow.source */
	int at_once; /* how many may be waiting for their answer at a time; 0: 64 */
	int rate_hz; /* how many begin in a second, if they can; 0: as fast as it goes */
	int timeout_ms; /* for each; 0: 2000 */
	bool udp;
	bool hold; /* keep them open, for lab_burst_poke() */
};

enum lab_outcome {
	LAB_PENDING, /* not begun, or waiting */
	LAB_ANSWERED,
	LAB_REFUSED,     /* RST; for UDP port unreachable */
	LAB_UNREACHABLE, /* ICMP net, host or administratively unreachable, or no route */
	LAB_CLOSED,      /* FIN instead of an answer */
	LAB_TIMEOUT,
	LAB_OUTCOMES,
};

struct lab_conn {
	enum lab_outcome outcome;
	int error; /* errno of what failed: ECONNREFUSED is a SYN's answer, ECONNRESET a connection's; 0: none */
	int isp; /* that carried it: 0 if not answered, or if the source seen is no ISP's (inbound flows) */
	int client;     /* which client address was its source, if .clients */
	int elapsed_us; /* until the outcome */
	int64_t began_ms;
	char source[INET6_ADDRSTRLEN]; /* its own, and what the server saw */
	char seen[INET6_ADDRSTRLEN];
	uint16_t source_port, seen_port;
	int fd; /* the lab's own; -1: closed */
};

struct lab_tally {
	int outcome[LAB_OUTCOMES];
	int answered, failed;      /* the sum of all others */
	int isp[LAB_ISPS_MAX + 1]; /* of the answered */
	int slowest_ms;            /* of the answered */
	int split_clients;         /* clients that were seen on more than one ISP */
};

struct lab_burst *lab_burst_start(struct lab *lab, const struct lab_burst_spec *spec);

/* Waits until every flow has its outcome. */
void lab_burst_wait(struct lab_burst *burst);

/* Begins no more, and waits: those that have begun are all there are. */
void lab_burst_enough(struct lab_burst *burst);

/* For flows held: asks again on every flow that was answered last time; wait, then look at the outcomes
 * again. */
void lab_burst_poke(struct lab_burst *burst);

/* Valid after lab_burst_wait(), until lab_burst_free(). */
const struct lab_conn *lab_burst_conns(const struct lab_burst *burst);
struct lab_tally lab_burst_tally(const struct lab_burst *burst);

/* Closes what is open. */
void lab_burst_free(struct lab_burst *burst);

/* All of it in one: starts, waits, frees. */
struct lab_tally lab_burst_run(struct lab *lab, const struct lab_burst_spec *spec);

/* One TCP connection; one UDP question. */
struct lab_conn lab_connect(struct lab *lab, const struct lab_flow *flow);
struct lab_conn lab_ask(struct lab *lab, const struct lab_flow *flow);

const char *lab_outcome_name(enum lab_outcome outcome);

#endif
