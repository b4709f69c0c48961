// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "test/bench/bench.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} benchmarks[] = {
	{"counting", bench_counting},
	{"connections", bench_connections},
	{"control-plane", bench_control_plane},
	{"failover", bench_failover},
	{"detection", bench_detection},
	{"probing", bench_probing},
	{"synflood", bench_synflood},
	{"daemon", bench_daemon},
	{"healing", bench_healing},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++)
		if (!strcmp(argv[1], benchmarks[i].name)) {
			const char *missing = lab_missing();
			if (missing)
				bench_die("%s", missing);
			return benchmarks[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "usage: bench NAME [ARGUMENT...], NAME one of:\n");
	for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++)
		fprintf(stderr, "  %s\n", benchmarks[i].name);
	return 2;
}
