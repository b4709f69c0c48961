// SPDX-License-Identifier: GPL-2.0-or-later
// Preloaded into whoever is measured (LD_PRELOAD, with NETLINK_COUNT the name of a file): counts what it sends to the
// kernel to change something: transactions of nftables, and all of generic netlink (IPVS). The file has a
// struct netlink_count.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/bench/netlink_count.h"

static struct netlink_count *count;
static ssize_t (*real_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("NETLINK_COUNT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	*(void **)&real_sendto = dlsym(RTLD_NEXT, "sendto");
	*(void **)&real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	if (fd < 0 || ftruncate(fd, sizeof(*count)))
		return;
	void *shared = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	count = shared == MAP_FAILED ? NULL : shared;
	close(fd);
}

static int protocol_of(int fd)
{
	int domain = 0, protocol = 0;
	socklen_t size = sizeof(domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_NETLINK)
		return -1;
	size = sizeof(protocol);
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) ? -1 : protocol;
}

static void count_messages(const void *data, size_t size)
{
	const char *at = data;
	count->bytes += size;
	while (size >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *nlh = (const void *)at;
		size_t length = NLMSG_ALIGN(nlh->nlmsg_len);
		if (length < sizeof(*nlh) || length > size)
			return;
		count->messages++;
		at += length;
		size -= length;
	}
}

static bool begins_transaction(const void *data, size_t size)
{
	const struct nlmsghdr *nlh = data;
	return size >= sizeof(*nlh) && nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

static bool counts(int fd, const void *first, size_t size)
{
	int protocol = count ? protocol_of(fd) : -1;
	if (protocol != NETLINK_GENERIC &&
	    !(protocol == NETLINK_NETFILTER && begins_transaction(first, size)))
		return false;
	count->transactions++;
	return true;
}

__attribute__((visibility("default"))) ssize_t sendto(int fd, const void *data, size_t size, int flags,
						      const struct sockaddr *to, socklen_t to_size)
{
	if (counts(fd, data, size))
		count_messages(data, size);
	return real_sendto(fd, data, size, flags, to, to_size);
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (msg->msg_iovlen && counts(fd, msg->msg_iov[0].iov_base, msg->msg_iov[0].iov_len))
		for (size_t i = 0; i < msg->msg_iovlen; i++)
			count_messages(msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
	return real_sendmsg(fd, msg, flags);
}
