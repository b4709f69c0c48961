// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void bench_row(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

double bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double bench_cpu_ms(pid_t pid)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		bench_die("no processor time of %d", (int)pid);
	return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

double bench_resident_mb(pid_t pid)
{
	char path[64];
	unsigned long pages;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%*u %lu", &pages) != 1)
		bench_die("%s can't be read", path);
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

const char *bench_build(void)
{
	const char *build = getenv("GWD_BUILD");
	return build ? build : "build";
}

static struct lab_proc *start(struct lab *lab, const struct lab_ns *ns, const char *config, const char *more)
{
	char program[512];
	snprintf(program, sizeof(program), "%s/gwd", bench_build());
	struct lab_proc *gwd = lab_proc_start(
		lab, ns,
		(const char *[]){program, "-c", config, "-s", lab_path(lab, "gwd.sock"), more, NULL});
	if (!lab_proc_wait_output(gwd, "is ready", 60000))
		bench_die("gwd does not start: %s", lab_proc_output(gwd));
	return gwd;
}

struct lab_proc *bench_gwd(struct lab *lab, const struct lab_ns *ns, const char *config)
{
	return start(lab, ns, config, NULL);
}

struct lab_proc *bench_gwd_verbose(struct lab *lab, const struct lab_ns *ns, const char *config)
{
	return start(lab, ns, config, "-v");
}

void bench_gwctl(struct lab *lab, const struct lab_ns *ns, char **output, const char *format, ...)
{
	char command[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (lab_run(ns, output, "%s/gwctl -s %s %s", bench_build(), lab_path(lab, "gwd.sock"), command) != 0)
		bench_die("gwctl %s failed: %s", command, output && *output ? *output : "");
}

void bench_gateways_up(struct lab_proc *gwd, int gateways)
{
	for (int i = 1; i <= gateways; i++) {
		char text[64];
		snprintf(text, sizeof(text), "g%d: unknown -> up", i);
		if (!lab_proc_wait_output(gwd, text, 20000))
			bench_die("g%d does not come up: %s", i, lab_proc_output(gwd));
	}
}

void bench_sleep(int ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
	while (nanosleep(&left, &left) != 0)
		continue;
}
