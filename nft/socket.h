// SPDX-License-Identifier: GPL-2.0-or-later
// socket: a netfilter netlink socket with room for large batches and dumps, and the errors'
// details asked for; and one way to make a dump. Used by everything of this room that talks to
// the kernel.
#ifndef GWD_NFT_SOCKET_H
#define GWD_NFT_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#define SOCKET_BUFFER 65536 // for receiving: the kernel fills up to half of it at a time

struct err;
struct mnl_socket;
struct nlmsghdr;

struct mnl_socket *socket_open(struct err *err); // NULL on failure; mnl_socket_close() it

// Sends the whole, however large.
int socket_send(struct mnl_socket *sock, const void *data, size_t size, struct err *err);

// Sends a request and calls `cb` (as mnl_cb_t: return 1) for each message of the answer. -EINTR: what
// was dumped changed meanwhile, the answer has holes. `what` is for the error: "reading WHAT".
int socket_ask(struct mnl_socket *sock, const struct nlmsghdr *request,
	       int (*cb)(const struct nlmsghdr *, void *), void *arg, const char *what, struct err *err);

#endif
