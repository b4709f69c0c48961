// SPDX-License-Identifier: GPL-2.0-or-later
// Who else changes our table? Our own changes are filtered out in the kernel, by the port of the
// socket that made them: a large one would overrun the listener (facts.md 6).
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"
#include "nft/table.h"

struct nft_listener {
	struct mnl_socket *sock;
	struct nft *nft; // NULL: closed
	uint32_t own;    // port of the socket whose changes don't count
};

// Drops messages whose nlmsg_pid is `port`. Loads give host order, as if the word were big endian.
static int listener_filter(struct mnl_socket *sock, uint32_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	return setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int nft_listener_switch(struct nft_listener *listener, bool on)
{
	int group = NFNLGRP_NFTABLES;
	return mnl_socket_setsockopt(listener->sock, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
				     &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

struct nft_listener *nft_listener_open(struct nft *nft, struct err *err)
{
	uint32_t own = mnl_socket_get_portid(nft->sock);
	struct mnl_socket *sock = socket_open(err);
	if (!sock)
		return NULL;
	struct nft_listener *listener = xcalloc(1, sizeof(*listener));
	*listener = (struct nft_listener){.sock = sock, .nft = nft, .own = own};
	if (listener_filter(sock, own) < 0 || nft_listener_switch(listener, true) < 0) {
		err_errno(err, errno, "listening to changes of the ruleset");
		nft_listener_close(listener);
		return NULL;
	}
	nft->listener = listener;
	return listener;
}

void nft_listener_close(struct nft_listener *listener)
{
	if (!listener)
		return;
	if (listener->nft)
		listener->nft->listener = NULL;
	mnl_socket_close(listener->sock);
	free(listener);
}

void nft_listener_outlive(struct nft_listener *listener)
{
	listener->nft = NULL;
}

int nft_listener_fd(const struct nft_listener *listener)
{
	return mnl_socket_get_fd(listener->sock);
}

// The table's name is attribute 1 of every message but the one that ends a transaction.
static bool listener_is_ours(const struct nft_listener *listener, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN || nlh->nlmsg_pid == listener->own ||
	    (nfg->nfgen_family != NFPROTO_INET && nfg->nfgen_family != NFPROTO_NETDEV))
		return false;
	nl_each_attr(attr, nlh, sizeof(*nfg))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
			return !strncmp(mnl_attr_get_payload(attr), NFT_TABLE,
					mnl_attr_get_payload_len(attr));
	return false;
}

bool nft_listener_read(struct nft_listener *listener)
{
	char buf[SOCKET_BUFFER];
	bool touched = false;
	for (;;) {
		ssize_t n = recv(nft_listener_fd(listener), buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno != ENOBUFS)
			return touched;
		touched |= n < 0; // lost some: nobody knows which
		int left = n < 0 ? 0 : (int)n;
		for (const struct nlmsghdr *nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			touched |= listener_is_ours(listener, nlh);
	}
}
