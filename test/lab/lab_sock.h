// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_sock: sockets for flows. Internal.
 */
#ifndef GWD_TEST_LAB_LAB_SOCK_H
#define GWD_TEST_LAB_LAB_SOCK_H

#include "test/lab/lab_flow.h"

#include <netinet/in.h>

struct lab;

/* An address as text; an IPv4 address inside IPv6 (::ffff:1.2.3.4) as IPv4. */
void lab_sock_text(const struct sockaddr_in6 *address, char text[INET6_ADDRSTRLEN]);

/* Reads text into the family it is of; returns the length of the socket address. */
socklen_t lab_sock_address(const char *text, uint16_t port, struct sockaddr_storage *address);

void lab_sock_option(int fd, int level, int name, int value);

/*
 * A non-blocking socket of type SOCK_STREAM or SOCK_DGRAM with everything of the flow set except its far end.
 * `protocol` as for socket(). The calling thread must be in the flow's place.
 */
int lab_sock_open(const struct lab_flow *flow, int type, int protocol);

/* Makes the flow's texts the lab's own, so that the caller's may change or go. */
void lab_flow_keep(struct lab *lab, struct lab_flow *flow);

/* connect() to the flow's far end: 0 (under way or done) or -errno. */
int lab_sock_connect(int fd, const struct lab_flow *flow);

/* The local address and port of a socket. Returns the port. */
uint16_t lab_sock_local(int fd, char text[INET6_ADDRSTRLEN]);

/* Reads "ADDRESS PORT\n": returns its length with the newline, 0 if `data` is not that. */
int lab_sock_whoami(const char *data, int length, char address[INET6_ADDRSTRLEN], uint16_t *port);

#endif
