// SPDX-License-Identifier: GPL-2.0-or-later
// The peers that watch links, as benchmarks start them: with what they come with.
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "test/bench/bench.h"

struct lab_proc *bench_lsm(struct lab *lab, int links, const char *script)
{
	struct buf text = {0};
	buf_printf(&text, "defaults {\nname=defaults\neventscript=%s\nnotifyscript=\n}\n", script);
	for (int k = 1; k <= links; k++)
		buf_printf(&text, "connection {\nname=g%d\ncheckip=%s\ndevice=wan%d\n}\n", k,
			   lab_wan_nexthop(lab, k, AF_INET), k);
	const char *config = lab_file(lab, "lsm.conf", "%s", buf_text(&text));
	buf_free(&text);
	return lab_proc_start(lab, lab_router(lab),
			      (const char *[]){"lsm", "--config", config, "--no-fork", "--pidfile",
					       lab_path(lab, "lsm.pid"), NULL});
}

struct checked {
	struct lab_proc *keepalived;
	int reals;
};

static bool has_checked_all(void *arg)
{
	const struct checked *checked = arg;
	const char *output = lab_proc_output(checked->keepalived);
	int n = 0;
	while ((output = strstr(output, " success."))) {
		output++;
		n++;
	}
	return n >= checked->reals;
}

struct lab_proc *bench_keepalived(struct lab *lab, const char *config, int reals)
{
	const char *path = lab_file(lab, "keepalived.conf", "%s", config);
	struct checked checked = {.reals = reals};
	checked.keepalived =
		lab_proc_start(lab, lab_router(lab),
			       (const char *[]){"keepalived", "--dont-fork", "--log-console", "--check",
						"--use-file", path, "--pid", lab_path(lab, "keepalived.pid"),
						"--checkers_pid", lab_path(lab, "checkers.pid"), NULL});
	if (!lab_wait_until(has_checked_all, &checked, 180000))
		bench_die("keepalived does not find its reals: %s", lab_proc_output(checked.keepalived));
	return checked.keepalived;
}
