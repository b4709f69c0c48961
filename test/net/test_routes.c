// SPDX-License-Identifier: GPL-2.0-or-later
// routes on a real kernel: what is applied reads back as it was meant, twice is once, others' are left alone,
// and a replacement leaves no moment without a route.
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "gwd/routes.h"
#include "test/lab/lab.h"

struct table {
	struct lab *lab;
	int before;
	struct routes *routes;
};

static void table_open(struct table *table)
{
	struct err err;
	if (lab_missing())
		cr_skip("no lab can be built here: %s", lab_missing());
	table->lab = lab_create(&(struct lab_spec){.isps = 1});
	table->before = lab_ns_enter(lab_router(table->lab));
	lab_do(lab_router(table->lab),
	       "ip tuntap add t1 mode tun; ip link set t1 up; ip addr add 10.9.9.1 peer "
	       "10.9.9.2 dev t1");
	table->routes = routes_open(&err);
	cr_assert_not_null(table->routes, "%s", err.text);
}

static void table_close(struct table *table)
{
	routes_close(table->routes);
	lab_ns_leave(table->before);
	lab_destroy(table->lab);
}

static struct plan_route route(enum fam fam, unsigned table, const char *dev, const char *via)
{
	struct plan_route route = {.fam = fam, .table = table, .metric = 1, .oif = if_nametoindex(dev)};
	strcpy(route.ifname, dev);
	if (via)
		cr_assert(addr_parse(via, &route.via));
	return route;
}

static int compare_routes(const void *a, const void *b)
{
	return plan_route_compare(a, b);
}

static int compare_rules(const void *a, const void *b)
{
	return plan_iprule_compare(a, b);
}

// Next hops on and off the link's subnet, of the other family, and none.
static void fill(struct plan *plan)
{
	plan->active = true;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		vec_push(&plan->iprules,
			 (struct plan_iprule){
				 .fam = fam, .priority = 10000, .table = 254, .suppress_default = true});
		for (unsigned id = 1; id <= 4; id++) {
			struct plan_route last = {.fam = fam,
						  .table = 1000 + id,
						  .metric = PLAN_METRIC_LAST,
						  .type = PLAN_ROUTE_UNREACHABLE};
			vec_push(&plan->iprules, (struct plan_iprule){.fam = fam,
								      .priority = 10000 + id,
								      .mark = id << 24,
								      .mask = 0xff000000,
								      .table = 1000 + id});
			vec_push(&plan->routes, last);
		}
	}
	vec_push(&plan->routes, route(FAM_4, 1001, "wan1", "100.64.1.1"));
	vec_push(&plan->routes, route(FAM_4, 1002, "wan1", "203.0.113.1"));
	vec_push(&plan->routes, route(FAM_4, 1003, "t1", NULL));
	vec_push(&plan->routes, route(FAM_4, 1004, "wan1", "fe80::99"));
	vec_push(&plan->routes, route(FAM_6, 1001, "wan1", "2001:db8:1::1"));
	vec_push(&plan->routes, route(FAM_6, 1002, "wan1", "2001:db8:77::1"));
	vec_push(&plan->routes, route(FAM_6, 1003, "t1", NULL));
	vec_push(&plan->routes, route(FAM_6, 1004, "wan1", "fe80::1"));
	qsort(plan->routes.v, plan->routes.n, sizeof(*plan->routes.v), compare_routes);
	qsort(plan->iprules.v, plan->iprules.n, sizeof(*plan->iprules.v), compare_rules);
}

static void apply(struct table *table, const struct plan *from, const struct plan *to)
{
	struct ops ops = {0};
	struct err err;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		if (op->route || op->iprule)
			cr_expect_eq(routes_apply_op(table->routes, op, &err), 0, "%s", err.text);
	ops_free(&ops);
}

// What is read from the kernel needs nothing done to be `plan`.
static void assert_reads_as(struct table *table, const struct plan *plan)
{
	struct plan read = {.active = true};
	struct ops ops = {0};
	struct err err;
	char text[256];
	cr_assert_eq(routes_read(table->routes, &read, &err), 0, "%s", err.text);
	cr_expect_eq(read.routes.n, plan->routes.n);
	cr_expect_eq(read.iprules.n, plan->iprules.n);
	plan_diff(&ops, &read, plan);
	vec_each(&ops.op, op) {
		op_text(op, text, sizeof(text));
		cr_expect(!op->route && !op->iprule, "%s", text);
	}
	ops_free(&ops);
	plan_free(&read);
}

Test(routes, what_is_applied_reads_back_and_twice_is_once)
{
	struct table table;
	struct plan plan = {0}, none = {.active = true};
	table_open(&table);
	fill(&plan);
	assert_reads_as(&table, &none);
	for (int i = 0; i < 2; i++) {
		apply(&table, &none, &plan);
		assert_reads_as(&table, &plan);
	}
	for (int i = 0; i < 2; i++) {
		apply(&table, &plan, &none);
		assert_reads_as(&table, &none);
	}
	plan_free(&plan);
	table_close(&table);
}

Test(routes, those_of_others_stay)
{
	struct table table;
	struct plan plan = {0}, none = {.active = true};
	struct err err;
	char *before = NULL, *after = NULL;
	static const char *const show =
		"ip rule; ip route show table all; ip -6 rule; ip -6 route show table all";
	table_open(&table);
	fill(&plan);
	lab_do(lab_router(table.lab), "ip route add default via 100.64.1.1 dev wan1 table 1006 metric 1;"
				      "ip route add default via 100.64.1.9 dev wan1 table 1001 metric 7;"
				      "ip rule add pref 10001 fwmark 0x01000000/0xff000000 lookup 1001;"
				      "ip -6 route add default via fe80::1 dev wan1 table 1001 metric 7");
	lab_run(lab_router(table.lab), &before, "%s", show);
	struct plan_route theirs = route(FAM_4, 1006, "wan1", "100.64.1.7");
	struct op op = {.kind = OP_ROUTE_SET, .route = &theirs};
	cr_expect_eq(routes_apply_op(table.routes, &op, &err), -EEXIST);
	cr_expect(strstr(err.text, "table 1006"), "%s", err.text);
	op.kind = OP_ROUTE_DEL;
	cr_expect_eq(routes_apply_op(table.routes, &op, &err), 0);
	apply(&table, &none, &plan);
	assert_reads_as(&table, &plan);
	apply(&table, &plan, &none);
	lab_run(lab_router(table.lab), &after, "%s", show);
	cr_expect_str_eq(after, before);
	free(before);
	free(after);
	plan_free(&plan);
	table_close(&table);
}

Test(routes, a_refusal_has_the_kernels_reason)
{
	struct table table;
	struct err err;
	table_open(&table);
	lab_do(lab_router(table.lab), "ip link add wdown type veth peer name pdown");
	struct plan_route bad[] = {
		route(FAM_4, 1005, "wan1", "100.64.1.2"),    // the router itself
		route(FAM_4, 1005, "wan1", "224.0.0.1"),     // multicast
		route(FAM_4, 1005, "wdown", "100.64.1.1"),   // not up
		route(FAM_4, 1005, "wan1", "100.64.1.1"),    // with a source that is not ours
		route(FAM_6, 1005, "wan1", "2001:db8:1::2"), // the router itself
		route(FAM_6, 1005, "wan1", "fe80::1"),       // on no interface
	};
	addr_parse("9.9.9.9", &bad[3].source);
	bad[5].oif = 9999;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct op op = {.kind = OP_ROUTE_SET, .route = &bad[i]};
		cr_expect_lt(routes_apply_op(table.routes, &op, &err), 0, "route %zu was taken", i);
		cr_expect(strstr(err.text, "table 1005"), "%s", err.text);
		cr_expect(!strstr(err.text, "Unspecific"), "%s", err.text);
	}
	table_close(&table);
}

struct looker {
	volatile long lookups, misses; // shared with the child
};

// Connects by gateway 4's mark all the time: a moment without a route would show.
static void look(struct looker *looker)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	unsigned mark = 4u << 24;
	to.sin_addr.s_addr = htonl(0x08080808);
	for (;;) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
		looker->misses += connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0;
		looker->lookups++;
		close(fd);
	}
}

Test(routes, a_replacement_leaves_no_gap)
{
	static const char *const via[] = {"100.64.1.1", "203.0.113.9", NULL, "100.64.1.7", "fe80::5"};
	struct table table;
	struct plan plan = {0}, none = {.active = true};
	struct err err;
	table_open(&table);
	fill(&plan);
	apply(&table, &none, &plan);
	struct looker *looker =
		mmap(NULL, sizeof(*looker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (!child)
		look(looker);
	for (int i = 0; i < 1000; i++) {
		struct plan_route next = route(FAM_4, 1004, via[i % 5] ? "wan1" : "t1", via[i % 5]);
		struct op op = {.kind = OP_ROUTE_SET, .route = &next};
		cr_assert_eq(routes_apply_op(table.routes, &op, &err), 0, "%s", err.text);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_gt(looker->lookups, 0);
	cr_expect_eq(looker->misses, 0, "%ld of %ld lookups", looker->misses, looker->lookups);
	munmap(looker, sizeof(*looker));
	plan_free(&plan);
	table_close(&table);
}
