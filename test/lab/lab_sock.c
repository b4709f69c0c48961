// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_sock: sockets for flows: addresses as text, sources a host does not have on any interface, DSCP. Called
 * by the servers and all traffic tools.
 */
#include "test/lab/lab_sock.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { USUAL_PORT = 9000, FRESH_FIRST = 16384, FRESH_COUNT = 49152 };

void lab_sock_text(const struct sockaddr_in6 *address, char text[INET6_ADDRSTRLEN])
{
	const unsigned char *bytes = address->sin6_addr.s6_addr;

	if (address->sin6_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
			  INET6_ADDRSTRLEN);
	else if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr))
		inet_ntop(AF_INET, bytes + 12, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, bytes, text, INET6_ADDRSTRLEN);
}

socklen_t lab_sock_address(const char *text, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		lab_die("\"%s\" is no address", text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

void lab_sock_option(int fd, int level, int name, int value)
{
	lab_must(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

static const char *source_of(const struct lab_flow *flow, int family)
{
	if (flow->source)
		return flow->source;
	return family == AF_INET ? "0.0.0.0" : "::";
}

static int bind_to(int fd, const char *text, uint16_t port)
{
	struct sockaddr_storage source;
	socklen_t length = lab_sock_address(text, port, &source);

	return bind(fd, (struct sockaddr *)&source, length);
}

/*
 * A port that no UDP flow of this process had lately. The kernel's choice is random: one in some thousand flows would get
 * a port which conntrack still remembers, and continue an old flow instead of being a new one.
 */
static int bind_to_fresh_port(int fd, const char *text)
{
	static atomic_uint turn;
	int error = -1;

	for (int i = 0; i < 100 && error; i++)
		error = bind_to(fd, text, (uint16_t)(FRESH_FIRST + atomic_fetch_add(&turn, 1) % FRESH_COUNT));
	return error;
}

/* Binds to the flow's source. A TCP port is left to connect(), so that many sources can have the same. */
static void bind_source(int fd, const struct lab_flow *flow, int family, bool udp)
{
	const char *source = source_of(flow, family);
	bool fresh = udp && !flow->source_port;

	lab_sock_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (family == AF_INET6)
		lab_sock_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (flow->source_port || fresh)
		lab_sock_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	else
		lab_sock_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (fresh ? bind_to_fresh_port(fd, source) : bind_to(fd, source, flow->source_port))
		lab_die("bind to %s port %d: %s", source, flow->source_port, strerror(errno));
}

int lab_sock_open(const struct lab_flow *flow, int type, int protocol)
{
	bool udp = type == SOCK_DGRAM && protocol == 0;
	struct sockaddr_storage to;
	int family, fd;

	lab_sock_address(flow->to, 0, &to);
	family = to.ss_family;
	fd = lab_must(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), "socket");
	if (family == AF_INET)
		lab_sock_option(fd, IPPROTO_IP, IP_TOS, flow->dscp << 2);
	else
		lab_sock_option(fd, IPPROTO_IPV6, IPV6_TCLASS, flow->dscp << 2);
	if (flow->device)
		lab_must(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, flow->device,
				    (socklen_t)strlen(flow->device)),
			 flow->device);
	if (flow->source || flow->source_port || udp)
		bind_source(fd, flow, family, udp);
	return fd;
}

void lab_flow_keep(struct lab *lab, struct lab_flow *flow)
{
	flow->to = lab_keep(lab, flow->to);
	if (flow->source)
		flow->source = lab_keep(lab, flow->source);
	if (flow->device)
		flow->device = lab_keep(lab, flow->device);
}

int lab_sock_connect(int fd, const struct lab_flow *flow)
{
	struct sockaddr_storage to;
	socklen_t length = lab_sock_address(flow->to, flow->port ? flow->port : USUAL_PORT, &to);

	if (connect(fd, (struct sockaddr *)&to, length) && errno != EINPROGRESS)
		return -errno;
	return 0;
}

uint16_t lab_sock_local(int fd, char text[INET6_ADDRSTRLEN])
{
	struct sockaddr_in6 local;
	socklen_t length = sizeof(local);

	memset(&local, 0, sizeof(local));
	getsockname(fd, (struct sockaddr *)&local, &length);
	lab_sock_text(&local, text);
	return ntohs(local.sin6_port); /* in the same place in both families */
}

int lab_sock_whoami(const char *data, int length, char address[INET6_ADDRSTRLEN], uint16_t *port)
{
	const char *end = memchr(data, '\n', (size_t)length);
	const char *space = end ? memchr(data, ' ', (size_t)(end - data)) : NULL;

	if (!space || space - data >= INET6_ADDRSTRLEN)
		return 0;
	memcpy(address, data, (size_t)(space - data));
	address[space - data] = '\0';
	*port = (uint16_t)strtoul(space + 1, NULL, 10);
	return (int)(end - data) + 1;
}
