// SPDX-License-Identifier: GPL-2.0-or-later
// SCTP associations through a service, in both families, over every link. Needs SCTP in the kernel (Debian's stock kernel
// has it: test/vm/run-net).
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/net/inbound.h"

enum { REALS = 2, ASKED = 10 };

static bool missing(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EPROTONOSUPPORT;
}

static void serve(struct inbound *in, int host, int family)
{
	char name[8];
	snprintf(name, sizeof(name), "r%d", host);
	struct lab_proc *server =
		lab_proc_start(in->net->lab, lab_host(in->net->lab, host),
			       (const char *const[]){"python3", "test/net/sctp.py", "serve",
						     lab_host_address(family, host), "7000", name, NULL});
	cr_assert(lab_proc_wait_output(server, "ready", 20000), "%s", lab_proc_output(server));
}

static struct inbound *start(const char *options)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = REALS}, 0);
	struct lab *lab = in->net->lab;
	for (int host = 1; host <= REALS; host++) {
		serve(in, host, AF_INET);
		serve(in, host, AF_INET6);
	}
	inbound_gwd(
		in,
		"service signalling { listen = { \"%s:8001\", \"%s:8001\", \"[%s]:8001\", \"[%s]:8001\" }\n"
		"  protocol = sctp  scheduler = rr  %s\n"
		"  real r1 { address = 10.0.0.11  port = 7000 }  real r2 { address = 10.0.0.12  port = 7000 "
		"}\n"
		"  real s1 { address = \"fd00:10::11\"  port = 7000 }  real s2 { address = \"fd00:10::12\"  "
		"port = 7000 }\n"
		"}\n",
		lab_wan_address(lab, 1, AF_INET), lab_wan_address(lab, 2, AF_INET),
		lab_wan_address(lab, 1, AF_INET6), lab_wan_address(lab, 2, AF_INET6), options);
	net_guard(in->net, 2);
	return in;
}

static int times(const char *text, const char *what)
{
	int n = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

// `share`: of r1's; `seen`: whom the reals see as their client.
static void ask(struct inbound *in, int family, int isp, int share, const char *seen)
{
	char *output = NULL, line[128];
	int status =
		lab_run(lab_internet(in->net->lab), &output, "python3 test/net/sctp.py ask %s %s 8001 %d",
			lab_server_address(family, 1), lab_wan_address(in->net->lab, isp, family), ASKED);
	cr_assert_eq(status, 0, "%s", output);
	snprintf(line, sizeof(line), "r1 %s\n", seen);
	cr_expect_eq(times(output, line), share, "%s", output);
	snprintf(line, sizeof(line), "r2 %s\n", seen);
	cr_expect_eq(times(output, line), ASKED - share, "%s", output);
	free(output);
}

static void both_families_over_both_links(const char *options, const char *seen4, const char *seen6)
{
	if (missing())
		cr_skip("this kernel has no SCTP");
	struct inbound *in = start(options);
	char *output = NULL;
	for (int isp = 1; isp <= 2; isp++) {
		ask(in, AF_INET, isp, ASKED / 2, seen4);
		ask(in, AF_INET6, isp, ASKED / 2, seen6);
	}
	cr_assert_eq(net_gwctl(in->net, &output, "drain signalling/r1"), 0, "%s", output);
	ask(in, AF_INET, 1, 0, seen4);
	free(output);
	inbound_finish(in);
}

Test(service_sctp, by_turns_through_nat)
{
	both_families_over_both_links("", "198.51.100.1", "2001:db8:aaaa::1");
}

Test(service_sctp, by_turns_through_fullnat)
{
	both_families_over_both_links("forward = fullnat", "10.0.0.1", "fd00:10::1");
}

Test(service_sctp, a_client_keeps_its_real)
{
	if (missing())
		cr_skip("this kernel has no SCTP");
	struct inbound *in = start("persistence = 1m");
	char *output = NULL;
	lab_run(lab_internet(in->net->lab), &output, "python3 test/net/sctp.py ask %s %s 8001 %d",
		lab_server_address(AF_INET, 1), lab_wan_address(in->net->lab, 1, AF_INET), ASKED);
	int first = times(output, "r1 ");
	cr_expect(first + times(output, "r2 ") == ASKED && first % ASKED == 0, "%s", output);
	free(output);
	inbound_finish(in);
}
