// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_server: a server that tells its clients who they are.
 *
 * The internet runs one on every one of its addresses from the start; a test may start others (on a LAN host
 * behind a port forward, on the router).
 *
 *     UDP   a datagram is answered with "ADDRESS PORT\n", the client's as seen here, and then the datagram
 * itself TCP   the client speaks first: "GET …" is answered as HTTP with "ADDRESS PORT\n" (so `curl` works),
 *           "source\n" with bytes without end ("source RATE\n": at so many bits per second), "sink\n" takes
 * bytes without end, and any other line is answered with "ADDRESS PORT\n", as often as it comes
 */
#ifndef GWD_TEST_LAB_LAB_SERVER_H
#define GWD_TEST_LAB_LAB_SERVER_H

#include <stdint.h>

struct lab;
struct lab_ns;
struct lab_server;

enum { LAB_SERVER_PORTS_MAX = 16 };

/*
 * Serves UDP and TCP, IPv4 and IPv6, on the ports of a list that ends with 0; NULL: 7, 53, 80, 443, 5060,
 * 7000, 9000. It listens when this returns.
 */
struct lab_server *lab_server_start(struct lab *lab, struct lab_ns *ns, const uint16_t *ports);

/*
 * How much it has answered since it was started: TCP connections that asked who they are (each counts once), and UDP
 * datagrams. What probes do (connect, GET) is not counted. An answer that a client has is counted.
 */
struct lab_served {
	uint64_t tcp, udp;
};

struct lab_served lab_server_served(const struct lab_server *server);

/* Closes everything and frees it. Left to itself it lasts as long as the lab. */
void lab_server_stop(struct lab_server *server);

#endif
