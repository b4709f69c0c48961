// SPDX-License-Identifier: GPL-2.0-or-later
// slow-start of reals: one that comes back, or is new, begins with a little of its share and reaches it by itself.
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

#define SERVICE \
	"service web { listen = \"%s:80\"  scheduler = %s  slow-start = %s  probes = quick\n" \
	"  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 } %s }\n"

static const char *vip(struct inbound *in)
{
	return lab_wan_address(in->net->lab, 1, AF_INET);
}

static bool is_told(void *arg)
{
	struct inbound *in = ((void **)arg)[0];
	return strstr(lab_proc_output(in->net->gwd), ((void **)arg)[1]) != NULL;
}

static void wait_told(struct inbound *in, const char *text)
{
	void *arg[] = {in, (void *)(uintptr_t)text};
	cr_assert(lab_wait_until(is_told, arg, 10000), "no \"%s\"", text);
}

// r1 dies and comes back.
static void come_back(struct inbound *in)
{
	lab_do(lab_host(in->net->lab, 1), "ip link set eth0 down");
	wait_told(in, "web/r1: up -> down");
	lab_do(lab_host(in->net->lab, 1), "ip link set eth0 up; ip route replace default via 10.0.0.1");
	wait_told(in, "web/r1: down -> up");
	inbound_mark(in);
}

Test(real_ramp, one_that_comes_back_begins_with_a_little)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 2);
	inbound_gwd(in, SERVICE, vip(in), "rr", "1h", "");
	wait_told(in, "web/r1: unknown -> up");
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 60);
	inbound_expect(in, (const int[]){30, 30}, 1);
	come_back(in);
	inbound_ask(in, vip(in), 80, 60);
	inbound_expect(in, (const int[]){1, 59}, 0);
	cr_assert(strstr(lab_proc_output(in->net->gwd), "; slow-start: 5% of its share"));
	inbound_finish(in);
}

static bool both_alike(void *arg)
{
	struct inbound *in = arg;
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 60);
	return abs(inbound_served(in, 1) - 30) <= 1;
}

Test(real_ramp, it_reaches_its_share_by_itself)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 2);
	inbound_gwd(in, SERVICE, vip(in), "rr", "3s", "");
	wait_told(in, "web/r1: unknown -> up");
	come_back(in);
	cr_assert(strstr(lab_proc_output(in->net->gwd), "; slow-start: 5% of its share"));
	cr_assert(lab_wait_until(both_alike, in, 20000));
	inbound_finish(in);
}

// The thundering herd: the newcomer has no connections, and would get all of the next ones.
Test(real_ramp, a_newcomer_is_not_flooded)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	inbound_gwd(in, SERVICE, vip(in), "wlc", "1h", "");
	struct lab_burst_spec spec = {
		.flow = {.from = lab_internet(in->net->lab), .to = vip(in), .port = 80},
		.count = 60,
		.at_once = 1,
		.hold = true,
	};
	struct lab_burst *held = lab_burst_start(in->net->lab, &spec);
	lab_burst_wait(held);
	inbound_reload(in, SERVICE, vip(in), "wlc", "1h", "real r3 { address = 10.0.0.13 }");
	wait_told(in, "web/r3: unknown -> up");
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 32);
	cr_assert_leq(inbound_served(in, 3), 3, "one place of sixteen, not %d", inbound_served(in, 3));
	lab_burst_free(held);
	inbound_finish(in);
}
