// SPDX-License-Identifier: GPL-2.0-or-later
// Targets by name: each link asks the name servers through itself, and goes on with what it knows.
#include <stdio.h>
#include <string.h>

#include "test/net/naming.h"
#include "test/net/watching.h"

static struct lab_proc *start_server(struct watching *w, int isp)
{
	char view[64];

	lab_do(lab_router(w->lab),
	       "ip rule add fwmark %d lookup %d && ip route add default via %s dev %s table %d", isp,
	       100 + isp, lab_wan_nexthop(w->lab, isp, AF_INET), lab_wan_name(w->lab, isp), 100 + isp);
	snprintf(view, sizeof(view), "www.example.net,198.51.100.%d", isp);
	return naming_start(w->lab, isp, view, NULL);
}

// As watching_isp(), with a mark of its own.
static void watch(struct watched *s, struct watching *w, int isp, const char *name)
{
	*s = (struct watched){.watching = w, .binding = {.fam = FAM_4, .mark = (uint32_t)isp}};
	snprintf(s->binding.ifname, sizeof(s->binding.ifname), "%s", lab_wan_name(w->lab, isp));
	addr_parse(lab_wan_address(w->lab, isp, AF_INET), &s->binding.source);
	watching_check(s, &watching_shipped, name);
}

Test(resolve, each_link_asks_for_itself_and_goes_on_with_what_it_knows)
{
	naming_use_server();
	struct watching w = watching_start(&(struct lab_spec){.isps = 2});
	struct lab_proc *server[2] = {start_server(&w, 1), start_server(&w, 2)};
	struct watched s[2];

	watching_run(&w, 500);
	for (int i = 0; i < 2; i++)
		watch(&s[i], &w, i + 1, "www.example.net");
	for (int i = 0; i < 2; i++) {
		watching_wait(&s[i], STATE_UP, 3000);
		cr_expect_str_eq(s[i].verdict.reason, "www.example.net answers");
		cr_expect(lab_proc_wait_output(server[i], "query[A] www.example.net", 1000));
		lab_proc_stop(server[i]);
	}
	watching_run(&w, 9000); // beyond the shortest time that an answer is kept
	for (int i = 0; i < 2; i++)
		cr_expect_eq(s[i].changes, 1, "%s", s[i].verdict.reason);
	lab_fault_blackhole(w.lab, 1);
	watching_wait(&s[0], STATE_DOWN, 2000);
	cr_expect(strstr(s[0].verdict.reason, "no answer from www.example.net"), "%s", s[0].verdict.reason);
	cr_expect_eq(s[1].verdict.state, STATE_UP);
	for (int i = 0; i < 2; i++)
		checker_free(s[i].checker);
	watching_finish(&w);
}

// The first link is dead from the start: it can't look anything up, and must be found out all the same.
Test(resolve, a_dead_link_borrows_what_another_found)
{
	naming_use_server();
	struct watching w = watching_start(&(struct lab_spec){.isps = 2});
	struct watched dead, living;

	start_server(&w, 1);
	start_server(&w, 2);
	watching_run(&w, 500);
	lab_fault_blackhole(w.lab, 1);
	watch(&dead, &w, 1, "www.example.net");
	watch(&living, &w, 2, "www.example.net");
	watching_wait(&living, STATE_UP, 3000);
	watching_wait(&dead, STATE_DOWN, 3000);
	checker_free(dead.checker);
	checker_free(living.checker);
	watching_finish(&w);
}

Test(resolve, a_name_that_nobody_knows_is_no_evidence)
{
	naming_use_server();
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct watched unknown, silent;
	struct lab_proc *server = start_server(&w, 1);

	watching_run(&w, 500);
	watch(&unknown, &w, 1, "nothing.test");
	watching_run(&w, 2500);
	cr_expect_eq(unknown.verdict.state, STATE_UNKNOWN);
	cr_expect(strstr(unknown.verdict.reason, "nothing.test has no IPv4 address"), "%s",
		  unknown.verdict.reason);
	lab_proc_stop(server);
	watch(&silent, &w, 1, "www.example.net");
	watching_run(&w, 4500);
	cr_expect_eq(silent.verdict.state, STATE_UNKNOWN);
	cr_expect(strstr(silent.verdict.reason, "can't look up www.example.net: "), "%s",
		  silent.verdict.reason);
	checker_free(unknown.checker);
	checker_free(silent.checker);
	watching_finish(&w);
}
