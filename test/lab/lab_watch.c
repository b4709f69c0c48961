// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_watch: reads the counters and sets of lab_rules. Nothing is copied to user space while packets flow, so
 * nothing can be missed, and reading costs some microseconds.
 */
#include "test/lab/lab_watch.h"

#include "test/lab/lab_nft.h"
#include "test/lab/lab_priv.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct counters_of {
	int family;
	struct lab_counts *counts;
};

static void on_counter(void *arg, const char *name, uint64_t packets)
{
	static const struct {
		const char *name;
		size_t offset;
	} field[] = {
		{"tcp", offsetof(struct lab_counts, tcp_packets)},
		{"udp", offsetof(struct lab_counts, udp_packets)},
		{"icmp", offsetof(struct lab_counts, icmp_packets)},
		{"other", offsetof(struct lab_counts, other_packets)},
		{"tcpflows", offsetof(struct lab_counts, tcp_flows)},
		{"udpflows", offsetof(struct lab_counts, udp_flows)},
		{"wrong", offsetof(struct lab_counts, wrong)},
	};
	struct counters_of *of = arg;
	size_t length = strlen(name) - 1; /* the last letter is the family */

	if (name[length] != (of->family == LAB_V4 ? '4' : '6'))
		return;
	for (unsigned i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (strlen(field[i].name) == length && !strncmp(name, field[i].name, length))
			memcpy((char *)of->counts + field[i].offset, &packets, sizeof(packets));
}

struct lab_counts lab_isp_counts(struct lab *lab, int isp, int family)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	struct lab_counts counts = {0};
	struct counters_of of = {lab_family(family), &counts};

	pthread_mutex_lock(&lab->lock);
	lab_nft_counters(link->nft, on_counter, &of);
	pthread_mutex_unlock(&lab->lock);
	return counts;
}

uint64_t lab_isp_flows(struct lab *lab, int isp)
{
	struct lab_counts v4 = lab_isp_counts(lab, isp, AF_INET);
	struct lab_counts v6 = lab_isp_counts(lab, isp, AF_INET6);

	return v4.tcp_flows + v4.udp_flows + v6.tcp_flows + v6.udp_flows;
}

static uint64_t all_packets(const struct lab_counts *counts)
{
	return counts->tcp_packets + counts->udp_packets + counts->icmp_packets + counts->other_packets;
}

uint64_t lab_isp_packets(struct lab *lab, int isp)
{
	struct lab_counts v4 = lab_isp_counts(lab, isp, AF_INET);
	struct lab_counts v6 = lab_isp_counts(lab, isp, AF_INET6);

	return all_packets(&v4) + all_packets(&v6);
}

uint64_t lab_wrong_source_count(struct lab *lab, int isp)
{
	return lab_isp_counts(lab, isp, AF_INET).wrong + lab_isp_counts(lab, isp, AF_INET6).wrong;
}

uint64_t lab_wrong_sources(struct lab *lab)
{
	uint64_t sum = 0;

	for (int k = 1; k <= lab->isps; k++)
		sum += lab_wrong_source_count(lab, k);
	return sum;
}

static void copy_protocol(unsigned char number, char text[8])
{
	if (number == IPPROTO_TCP)
		strcpy(text, "tcp");
	else if (number == IPPROTO_UDP)
		strcpy(text, "udp");
	else if (number == IPPROTO_ICMP || number == IPPROTO_ICMPV6)
		strcpy(text, "icmp");
	else
		snprintf(text, 8, "%d", number);
}

/* The key of set first4/first6: source, destination, protocol, ports, each filling whole words of four bytes.
 */
static void on_first(void *arg, const unsigned char *key, unsigned length, uint64_t packets)
{
	struct lab_isp *isp = arg;
	int family = length == 20 ? AF_INET : AF_INET6;
	unsigned size = family == AF_INET ? 4 : 16;
	char source[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], protocol[8];
	const unsigned char *rest = key + 2 * size;

	(void)packets;
	inet_ntop(family, key, source, sizeof(source));
	inet_ntop(family, key + size, to, sizeof(to));
	copy_protocol(rest[0], protocol);
	if (rest[0] == IPPROTO_TCP || rest[0] == IPPROTO_UDP)
		snprintf(isp->first_wrong, sizeof(isp->first_wrong), "%s: %s port %d > %s port %d %s",
			 isp->ns.name, source, rest[4] << 8 | rest[5], to, rest[8] << 8 | rest[9], protocol);
	else
		snprintf(isp->first_wrong, sizeof(isp->first_wrong), "%s: %s > %s %s", isp->ns.name, source,
			 to, protocol);
}

const char *lab_wrong_source_first(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);

	strcpy(link->first_wrong, "none");
	if (lab_wrong_source_count(lab, isp))
		snprintf(link->first_wrong, sizeof(link->first_wrong), "%s: a fragment", link->ns.name);
	pthread_mutex_lock(&lab->lock);
	lab_nft_elements(link->nft, "first6", on_first, link);
	lab_nft_elements(link->nft, "first4", on_first, link);
	pthread_mutex_unlock(&lab->lock);
	return link->first_wrong;
}

const char *lab_wrong_first(struct lab *lab)
{
	for (int k = 1; k <= lab->isps; k++)
		if (lab_wrong_source_count(lab, k))
			return lab_wrong_source_first(lab, k);
	return "none";
}

struct wanted_source {
	unsigned char address[16];
	unsigned length;
	uint64_t packets;
};

static void on_source(void *arg, const unsigned char *key, unsigned length, uint64_t packets)
{
	struct wanted_source *wanted = arg;

	if (length == wanted->length && !memcmp(key, wanted->address, length))
		wanted->packets = packets;
}

uint64_t lab_isp_packets_from(struct lab *lab, int isp, const char *source)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	bool v4 = inet_pton(AF_INET, source, (unsigned char[4]){0}) == 1;
	struct wanted_source wanted = {.length = v4 ? 4 : 16};

	inet_pton(v4 ? AF_INET : AF_INET6, source, wanted.address);
	pthread_mutex_lock(&lab->lock);
	lab_nft_elements(link->nft, v4 ? "sources4" : "sources6", on_source, &wanted);
	pthread_mutex_unlock(&lab->lock);
	return wanted.packets;
}
