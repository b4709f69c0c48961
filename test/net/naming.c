// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/naming.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "test/lab/lab.h"

#define CLONE_NEWNS 0x00020000 // <sched.h> has a SCHED_RR that is not the model's
int unshare(int flags);

void naming_use_server(void)
{
	char path[] = "/tmp/gwd-resolv-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	dprintf(fd, "nameserver " NAMING_SERVER "\n");
	close(fd);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL), 0);
	unlink(path);
}

struct lab_proc *naming_start(struct lab *lab, int isp, const char *record, const char *hosts)
{
	char option[512], pid[16];

	snprintf(pid, sizeof(pid), "%d.pid", isp);
	if (record)
		snprintf(option, sizeof(option), "--host-record=%s", record);
	else if (hosts)
		snprintf(option, sizeof(option), "--addn-hosts=%s", hosts);
	else
		snprintf(option, sizeof(option), "--bogus-priv");
	lab_do(lab_isp(lab, isp), "ip addr replace " NAMING_SERVER "/32 dev lo");
	return lab_proc_start(lab, lab_isp(lab, isp),
			      (const char *const[]){"dnsmasq", "-k", "-C", "/dev/null", "-u", "root", "-R",
						    "-h", "-x", lab_path(lab, pid), "--log-queries",
						    "--log-facility=-", "--local=/test/", "--local-ttl=1",
						    option, NULL});
}
