// SPDX-License-Identifier: GPL-2.0-or-later
// nlroute: a socket of rtnetlink by libnl, that tells the kernel's own reasons: libnl turns most refusals into
// "Unspecific failure". For routes and tunnels.
#ifndef GWD_NLROUTE_H
#define GWD_NLROUTE_H

#include <stdint.h>

struct buf;
struct err;
struct nl_msg;
struct nl_sock;

struct nlroute {
	struct nl_sock *nl;
	int code;         // the kernel's errno of the last request that it refused
	char reason[256]; // its own words for it, or empty
};

int nlroute_open(struct nlroute *link, struct err *err);
void nlroute_close(struct nlroute *link); // one that is zeroed, or was never opened, is fine

void nlroute_forget(struct nlroute *link); // before a request

// 0 or -errno of what libnl's call came to.
int nlroute_result(const struct nlroute *link, int rc);

// Sends and frees it, and waits for the answer. 0 or -errno.
int nlroute_send(struct nlroute *link, struct nl_msg *msg);

// "WHAT TEXT: the reason (ERRNO)"; returns `rc`.
int nlroute_explain(const struct nlroute *link, int rc, const char *what, const struct buf *text,
		    struct err *err);

#endif
