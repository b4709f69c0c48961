// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_flood: one thread with a raw socket, which sends every millisecond what is due.
 */
#include "test/lab/lab_flood.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOURCES = 100, FIRST_SOURCE = 0xc6336480 /* 198.51.100.128 */, FIRST_PORT = 1024 };

struct lab_flood {
	struct lab_task task;
	struct lab_flood_spec spec;
	struct sockaddr_in to;
	atomic_int sent;
};

static uint16_t checksum(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* How many went out: one, or none where the kernel refused it. */
static int send_syn(const struct lab_flood *flood, int fd, uint32_t i)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP}};
	const struct sockaddr *to = (const struct sockaddr *)&flood->to;

	packet.ip.saddr = htonl(FIRST_SOURCE + i % SOURCES);
	packet.ip.daddr = flood->to.sin_addr.s_addr;
	packet.tcp.source = htons((uint16_t)(FIRST_PORT + i / SOURCES));
	packet.tcp.dest = flood->to.sin_port;
	packet.tcp.seq = htonl(i * 2654435761U);
	packet.tcp.doff = 5;
	packet.tcp.syn = 1;
	packet.tcp.window = htons(1024);
	packet.tcp.check =
		checksum(&packet.ip.saddr, 8 + sizeof(packet.tcp), IPPROTO_TCP + sizeof(packet.tcp));
	return sendto(fd, &packet, sizeof(packet), 0, to, sizeof(flood->to)) == sizeof(packet);
}

static void flood_run(struct lab_task *task)
{
	struct lab_flood *flood = (struct lab_flood *)task;
	int fd = lab_must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "a raw socket");
	int64_t since_us = lab_now_us();

	int64_t tried = 0;

	for (int sent = 0; sent < flood->spec.count && !atomic_load(&task->stopping); usleep(1000)) {
		int64_t due = (lab_now_us() - since_us) * flood->spec.rate_hz / 1000000;

		for (; tried < due && sent < flood->spec.count; tried++)
			sent += send_syn(flood, fd, (uint32_t)tried);
		atomic_store(&flood->sent, sent);
	}
	close(fd);
}

static void discard(struct lab_task *task)
{
	lab_flood_stop((struct lab_flood *)task);
}

struct lab_flood *lab_flood_start(struct lab *lab, const struct lab_flood_spec *spec)
{
	struct lab_flood *flood = lab_alloc(1, sizeof(*flood));

	flood->spec = *spec;
	flood->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(spec->flow.port)};
	if (inet_pton(AF_INET, spec->flow.to, &flood->to.sin_addr) != 1 || spec->count > LAB_FLOOD_MAX)
		lab_die("a flood of at most %d SYNs to an IPv4 address", LAB_FLOOD_MAX);
	lab_task_start(lab, &flood->task, spec->flow.from, flood_run, discard);
	return flood;
}

int lab_flood_sent(const struct lab_flood *flood)
{
	return atomic_load(&flood->sent);
}

int lab_flood_stop(struct lab_flood *flood)
{
	lab_task_end(&flood->task);
	int sent = atomic_load(&flood->sent);

	free(flood);
	return sent;
}
