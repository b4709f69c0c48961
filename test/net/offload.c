// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/offload.h"

#include <stdlib.h>
#include <string.h>

void offload_or_skip(struct net *net)
{
	if (!lab_run(lab_router(net->lab), NULL,
		     "nft -c 'table inet t { flowtable f { hook ingress priority 0; devices = { lan0 }; }; "
		     "}'"))
		return;
	net_finish(net);
	cr_skip_test("this kernel has no flowtables");
}

char *offload_entries(struct net *net, const char *to)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "conntrack -L -f %s -d %s 2>/dev/null",
		strchr(to, ':') ? "ipv6" : "ipv4", to);
	return output;
}

bool offload_has(struct net *net, const char *to, const char *protocol)
{
	char *output = offload_entries(net, to);
	bool found = false;
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		found |= !strncmp(line, protocol, strlen(protocol)) && strstr(line, "[OFFLOAD]");
	free(output);
	return found;
}

struct offload {
	struct net *net;
	const char *to;
	const char *protocol;
};

static bool offload_is_there(void *arg)
{
	const struct offload *wait = arg;
	return offload_has(wait->net, wait->to, wait->protocol);
}

void offload_assert(struct net *net, const char *to, const char *protocol)
{
	if (lab_wait_until(offload_is_there, &(struct offload){net, to, protocol}, 3000))
		return;
	cr_assert(false, "no %s flow to %s is offloaded:\n%s", protocol, to, offload_entries(net, to));
}
