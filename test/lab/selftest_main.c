// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * selftest: the lab proves itself. See lab_selftest.h.
 *
 *     selftest           all of it
 *     selftest NAME…     only the tests so named
 */
#include "test/lab/lab.h"
#include "test/lab/lab_selftest.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"network", lab_selftest_network},
	{"one-subnet", lab_selftest_one_subnet},
	{"routes", lab_selftest_routes},
	{"names", lab_selftest_names},
	{"many", lab_selftest_many},
	{"few", lab_selftest_few},
	{"watch", lab_selftest_watch},
	{"delegate", lab_selftest_delegate},
	{"faults", lab_selftest_faults},
	{"faults-of-addresses", lab_selftest_faults_of_addresses},
	{"faults-of-ppp", lab_selftest_faults_of_ppp},
	{"faults-of-shared-wire", lab_selftest_faults_of_shared_wire},
	{"bursts", lab_selftest_bursts},
	{"streams", lab_selftest_streams},
	{"transfers", lab_selftest_transfers},
	{"inbound", lab_selftest_inbound},
	{"programs", lab_selftest_programs},
	{"waiting", lab_selftest_waiting},
	{"end", lab_selftest_end},
	{"end-by-kill", lab_selftest_end_by_kill},
};

static bool is_wanted(const char *name, int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return true;
	return argc == 1;
}

int main(int argc, char *argv[])
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (lab_missing()) {
		printf("no lab can be built here: %s\n", lab_missing());
		return 1;
	}
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		int64_t began = lab_now_ms();
		int failed_before = lab_check_failed();

		if (!is_wanted(tests[i].name, argc, argv))
			continue;
		tests[i].run();
		printf("%-4s %-24s %6d ms\n", lab_check_failed() == failed_before ? "ok" : "BAD",
		       tests[i].name, (int)(lab_now_ms() - began));
	}
	printf("%d passed, %d failed\n", lab_check_passed(), lab_check_failed());
	return lab_check_failed() ? 1 : 0;
}
