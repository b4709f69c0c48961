// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_place: the places and addresses of a lab, by number and by name. See lab_net.h for the plan.
 */
#include "test/lab/lab_die.h"
#include "test/lab/lab_net.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_proc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lab_family(int family)
{
	if (family != AF_INET && family != AF_INET6)
		lab_die("%d is neither AF_INET nor AF_INET6", family);
	return family == AF_INET ? LAB_V4 : LAB_V6;
}

struct lab_isp *lab_isp_get(struct lab *lab, int isp)
{
	if (isp < 1 || isp > lab->isps)
		lab_die("there is no ISP %d: this lab has 1 to %d", isp, lab->isps);
	return &lab->isp[isp];
}

struct lab_ns *lab_router(struct lab *lab)
{
	return &lab->router;
}

struct lab_ns *lab_internet(struct lab *lab)
{
	return &lab->internet;
}

struct lab_ns *lab_inside(struct lab *lab)
{
	return &lab->inside;
}

struct lab_ns *lab_host(struct lab *lab, int host)
{
	if (host < 1 || host > lab->spec.hosts)
		lab_die("there is no host %d: this lab has 1 to %d", host, lab->spec.hosts);
	return &lab->host[host];
}

struct lab_ns *lab_isp(struct lab *lab, int isp)
{
	return &lab_isp_get(lab, isp)->ns;
}

struct lab_ns *lab_place(struct lab *lab, const char *name)
{
	struct lab_ns *fixed[] = {&lab->router, &lab->internet, &lab->inside, &lab->wire};

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!strcmp(name, fixed[i]->name))
			return fixed[i];
	for (int h = 1; h <= lab->spec.hosts; h++)
		if (!strcmp(name, lab->host[h].name))
			return &lab->host[h];
	for (int k = 1; k <= lab->isps; k++)
		if (!strcmp(name, lab->isp[k].ns.name))
			return &lab->isp[k].ns;
	return NULL;
}

int lab_isp_count(const struct lab *lab)
{
	return lab->isps;
}

int lab_isp_of_ppp(const struct lab *lab)
{
	return lab->spec.ppp ? lab->isps : 0;
}

const char *lab_wan_name(struct lab *lab, int isp)
{
	return lab_isp_get(lab, isp)->wan;
}

const char *lab_wan_address(struct lab *lab, int isp, int family)
{
	return lab_isp_get(lab, isp)->address[lab_family(family)];
}

const char *lab_wan_nexthop(struct lab *lab, int isp, int family)
{
	return lab_isp_get(lab, isp)->nexthop[lab_family(family)];
}

const char *lab_wan_public(struct lab *lab, int isp, int family)
{
	return lab_isp_get(lab, isp)->public[lab_family(family)];
}

const char *lab_server_address(int family, int n)
{
	static const char *const address[LAB_FAMILIES][LAB_SERVERS] = {
		{"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "203.0.113.1", "203.0.113.2",
		 "203.0.113.3", "203.0.113.4"},
		{"2001:db8:aaaa::1", "2001:db8:aaaa::2", "2001:db8:aaaa::3", "2001:db8:aaaa::4",
		 "2001:db8:bbbb::1", "2001:db8:bbbb::2", "2001:db8:bbbb::3", "2001:db8:bbbb::4"},
	};

	if (n < 1 || n > LAB_SERVERS)
		lab_die("there is no server %d: they are 1 to %d", n, LAB_SERVERS);
	return address[lab_family(family)][n - 1];
}

const char *lab_host_address(int family, int host)
{
	static const char *const address[LAB_FAMILIES][LAB_HOSTS_MAX] = {
		{"10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14", "10.0.0.15", "10.0.0.16", "10.0.0.17",
		 "10.0.0.18"},
		{"fd00:10::11", "fd00:10::12", "fd00:10::13", "fd00:10::14", "fd00:10::15", "fd00:10::16",
		 "fd00:10::17", "fd00:10::18"},
	};

	if (host < 1 || host > LAB_HOSTS_MAX)
		lab_die("there is no host %d: they are 1 to %d", host, LAB_HOSTS_MAX);
	return address[lab_family(family)][host - 1];
}

void lab_client_address(int family, int host, int i, char text[64])
{
	if (i < 0 || i >= LAB_CLIENTS_MAX)
		lab_die("there is no client %d: they are 0 to %d", i, LAB_CLIENTS_MAX - 1);
	if (lab_family(family) == LAB_V4)
		snprintf(text, 64, "10.%d.%d.%d", host, i / 250, i % 250 + 1);
	else
		snprintf(text, 64, "fd00:10:%d:%x::1", host, i);
}

static bool prefix_has(const struct lab_prefix *prefix, int family, const unsigned char *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->family != family || memcmp(prefix->address, address, whole))
		return false;
	return rest == 0 || (prefix->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

/* The ISP whose own subnet this is, of any generation: 100.(64 + g).k.x or 2001:db8:(g << 8 | k)::x. */
static int isp_of_subnet(const struct lab *lab, int family, const unsigned char *a)
{
	int isp = 0;

	if (family == LAB_V4 && a[0] == 100 && a[1] >= 64 && a[1] < 128)
		isp = a[2];
	if (family == LAB_V6 && !memcmp(a, "\x20\x01\x0d\xb8", 4) && a[4] < 64)
		isp = a[5];
	return isp <= lab->isps ? isp : 0;
}

int lab_isp_of_source(struct lab *lab, const char *address)
{
	unsigned char bytes[16];
	int family = strchr(address, ':') ? LAB_V6 : LAB_V4;
	int isp = 0;

	if (inet_pton(family == LAB_V4 ? AF_INET : AF_INET6, address, bytes) != 1)
		return 0;
	pthread_mutex_lock(&lab->lock);
	for (const struct lab_prefix *prefix = lab->prefixes; prefix && !isp; prefix = prefix->next)
		if (prefix_has(prefix, family, bytes))
			isp = prefix->isp;
	pthread_mutex_unlock(&lab->lock);
	return isp ? isp : isp_of_subnet(lab, family, bytes);
}

/* Reads "ADDRESS/BITS". */
static struct lab_prefix *read_prefix(int isp, const char *text)
{
	struct lab_prefix *prefix = lab_alloc(1, sizeof(*prefix));
	char address[64];
	const char *slash = strchr(text, '/');

	if (!slash || strlen(text) >= sizeof(prefix->text))
		lab_die("\"%s\" is no prefix", text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	prefix->isp = isp;
	prefix->family = strchr(text, ':') ? LAB_V6 : LAB_V4;
	prefix->bits = (unsigned)strtoul(slash + 1, NULL, 10);
	strcpy(prefix->text, text);
	if (inet_pton(prefix->family == LAB_V4 ? AF_INET : AF_INET6, address, prefix->address) != 1)
		lab_die("\"%s\" is no prefix", text);
	return prefix;
}

void lab_wan_owns(struct lab *lab, int isp, const char *text)
{
	struct lab_prefix *prefix = read_prefix(isp, text);
	pthread_mutex_lock(&lab->lock);
	prefix->next = lab->prefixes;
	lab->prefixes = prefix;
	pthread_mutex_unlock(&lab->lock);
	lab_do(&lab_isp_get(lab, isp)->ns, "nft add element inet lab right%d '{ %s }'",
	       prefix->family == LAB_V4 ? 4 : 6, text);
}

void lab_wan_delegate(struct lab *lab, int isp, const char *text)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	bool v4 = !strchr(text, ':');

	lab_wan_owns(lab, isp, text);
	lab_do(&link->ns, "ip route replace %s via %s", text, link->address[v4 ? LAB_V4 : LAB_V6]);
	if (v4)
		lab_do(&lab->internet, "ip route replace %s via 172.31.%d.2", text, isp);
	else
		lab_do(&lab->internet, "ip route replace %s via fd00:31:%x::2", text, isp);
}
