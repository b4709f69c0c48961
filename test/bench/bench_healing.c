// SPDX-License-Identifier: GPL-2.0-or-later
// healing: somebody removes what is gwd's: how long it is missing. Both moments are those at which the kernel tells
// of them: this process waits for nothing else.
//   healing SUBJECT...      prints the row of each; `table` has no effect where a table has an owner that persists
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "gwd/base/vec.h"
#include "test/bench/bench.h"
#include "test/lab/lab_ns.h"

#define TIMES 200
#define WAIT_MS 5000
#define SETTLE_MS 20 // what else was told of the last one

// What is removed is of IPv6, but for the table: nothing that flows is in the way.
static const struct subject {
	const char *word, *name, *target;
	const char *command[8];
	int bus, group;
	uint16_t gone, back;
} subjects[] = {
	{"rule",
	 "an ip rule",
	 "p99 <= 100 ms",
	 {"ip", "-6", "rule", "del", "pref", "10000", NULL},
	 NETLINK_ROUTE,
	 RTNLGRP_IPV6_RULE,
	 RTM_DELRULE,
	 RTM_NEWRULE},
	{"route",
	 "a route of a gateway's table",
	 "p99 <= 100 ms",
	 {"ip", "-6", "route", "flush", "table", "1175", NULL},
	 NETLINK_ROUTE,
	 RTNLGRP_IPV6_ROUTE,
	 RTM_DELROUTE,
	 RTM_NEWROUTE},
	{"table",
	 "nft flush ruleset",
	 "p99 <= 50 ms",
	 {"nft", "flush", "ruleset", NULL},
	 NETLINK_NETFILTER,
	 NFNLGRP_NFTABLES,
	 NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
	 NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE},
};

static struct lab_proc *start(struct lab *lab)
{
	struct lab_proc *gwd =
		bench_gwd(lab, lab_router(lab),
			  lab_file(lab, "gwd.conf",
				   "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
				   "gateway g1 { interface = wan1 address = %s address6 = %s }\n"
				   "gateway g2 { interface = wan2 address = %s address6 = %s }\n",
				   lab_wan_nexthop(lab, 1, AF_INET), lab_wan_nexthop(lab, 1, AF_INET6),
				   lab_wan_nexthop(lab, 2, AF_INET), lab_wan_nexthop(lab, 2, AF_INET6)));
	bench_gateways_up(gwd, 2);
	bench_sleep(2000);
	return gwd;
}

static struct mnl_socket *listen_to(struct lab *lab, const struct subject *subject)
{
	int before = lab_ns_enter(lab_router(lab)), group = subject->group;
	struct mnl_socket *nl = mnl_socket_open(subject->bus);
	lab_ns_leave(before);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		bench_die("the kernel does not tell what is removed");
	return nl;
}

// The first that is gone and the last that is back, of those that one datagram or several tell of.
static bool hear(struct mnl_socket *nl, const struct subject *subject, int wait_ms, int64_t *gone_us,
		 int64_t *back_us)
{
	char buf[65536];
	struct pollfd poller = {.fd = mnl_socket_get_fd(nl), .events = POLLIN};
	if (poll(&poller, 1, wait_ms) <= 0)
		return false;
	int64_t now_us = lab_now_us();
	ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	int left = (int)n;
	for (struct nlmsghdr *nlh = (void *)buf; n > 0 && mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == subject->gone && !*gone_us)
			*gone_us = now_us;
		if (nlh->nlmsg_type == subject->back && *gone_us)
			*back_us = now_us;
	}
	return true;
}

// In milliseconds; less than 0: it has no effect.
static double heal(struct lab *lab, struct mnl_socket *nl, const struct subject *subject)
{
	int64_t gone_us = 0, back_us = 0;
	struct lab_proc *removal = lab_proc_start(lab, lab_router(lab), subject->command);
	while (!back_us && hear(nl, subject, WAIT_MS, &gone_us, &back_us))
		;
	while (hear(nl, subject, SETTLE_MS, &gone_us, &back_us))
		;
	lab_proc_stop(removal);
	bool owned = !gone_us && subject->bus == NETLINK_NETFILTER;
	if (!back_us && !owned)
		bench_die("%s: not put back", subject->name);
	return back_us ? (double)(back_us - gone_us) / 1e3 : -1;
}

static void measure(const struct subject *subject)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 2});
	struct lab_proc *gwd = start(lab);
	struct mnl_socket *nl = listen_to(lab, subject);
	double ms[TIMES];
	int n = 0;
	while (n < TIMES && (ms[n] = heal(lab, nl, subject)) >= 0)
		n++;
	if (n && n < TIMES)
		bench_die("%s: not removed the %dth time", subject->name, n + 1);
	double median = n ? bench_median(ms, TIMES) : 0; // and sorts them
	bool emulated = getenv("IN_STOCKVM");            // which takes ten times as long, or more
	if (n)
		bench_row("%s%s\t%d\t%.1f\t%.1f\t%.1f\t%s", subject->name,
			  emulated ? ", emulated machine" : "", TIMES, median, ms[TIMES * 99 / 100 - 1],
			  ms[TIMES - 1], emulated ? "" : subject->target);
	else
		bench_row("%s: no effect, the table has an owner\t0\t0\t0\t0\t%s", subject->name,
			  subject->target);
	mnl_socket_close(nl);
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

int bench_healing(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		for (size_t k = 0; k < ARRAY_SIZE(subjects); k++)
			if (!strcmp(argv[i], subjects[k].word))
				measure(&subjects[k]);
	return 0;
}
