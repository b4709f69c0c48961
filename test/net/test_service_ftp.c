// SPDX-License-Identifier: GPL-2.0-or-later
// The ftp helper: data connections follow the control connection to its real, in both directions, both families,
// through nat and fullnat, over the link that the client came by.
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

static void serve(struct inbound *in, int host, const char *address, const char *name)
{
	struct lab_proc *proc = lab_proc_start(
		in->net->lab, lab_host(in->net->lab, host),
		(const char *const[]){"python3", "test/net/ftp.py", "serve", address, name, NULL});
	cr_assert(lab_proc_wait_output(proc, "ready", 10000), "%s", lab_proc_output(proc));
}

// The file's first bytes are the name of the real that sent it, which is returned: "r1" …
static int fetch(struct inbound *in, const char *vip, const char *how)
{
	char *output = NULL;
	int status =
		lab_run(lab_internet(in->net->lab), &output, "python3 test/net/ftp.py fetch %s %s", vip, how);
	cr_assert_eq(status, 0, "%s from %s: %s", how, vip, output);
	int real = output[0] == 'r' ? atoi(output + 1) : 0;
	free(output);
	return real;
}

static void every_mode(const char *forward)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 0);
	struct lab *lab = in->net->lab;
	int real[3] = {0};
	serve(in, 1, "10.0.0.11", "r1");
	serve(in, 2, "10.0.0.12", "r2");
	serve(in, 1, "fd00:10::11", "r1");
	inbound_gwd(in,
		    "service ftp { listen = { \"%s:21\", \"%s:21\", \"[%s]:21\", \"[%s]:21\" }  ftp = yes\n"
		    "  scheduler = rr  forward = %s\n"
		    "  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 }\n"
		    "  real s1 { address = \"fd00:10::11\" } }\n",
		    lab_wan_address(lab, 1, AF_INET), lab_wan_address(lab, 2, AF_INET),
		    lab_wan_address(lab, 1, AF_INET6), lab_wan_address(lab, 2, AF_INET6), forward);
	for (int isp = 1; isp <= 2; isp++) {
		uint64_t other = lab_isp_flows(lab, 3 - isp);
		for (int i = 0; i < 4; i++)
			real[fetch(in, lab_wan_address(lab, isp, AF_INET), i < 2 ? "passive" : "active")]++;
		fetch(in, lab_wan_address(lab, isp, AF_INET6), "passive");
		fetch(in, lab_wan_address(lab, isp, AF_INET6), "active");
		cr_expect_eq(lab_isp_flows(lab, 3 - isp), other, "isp%d carried what is isp%d's", 3 - isp,
			     isp);
	}
	cr_assert_eq(real[1], 4);
	cr_assert_eq(real[2], 4);
	inbound_finish(in);
}

Test(service_ftp, active_and_passive_through_nat)
{
	every_mode("nat");
}

Test(service_ftp, active_and_passive_through_fullnat)
{
	every_mode("fullnat");
}
