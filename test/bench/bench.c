// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	char path[64], text[1024] = "";
	unsigned long user, system;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file)
		bench_die("%s can't be read", path);
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = 0;
	const char *after = strrchr(text, ')'); // the command's name may have anything in it
	if (!after ||
	    sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		bench_die("%s is not understood", path);
	return 1000.0 * (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
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

struct lab_proc *bench_gwd(struct lab *lab, const struct lab_ns *ns, const char *config)
{
	char program[512];
	snprintf(program, sizeof(program), "%s/gwd", bench_build());
	struct lab_proc *gwd = lab_proc_start(
		lab, ns, (const char *[]){program, "-c", config, "-s", lab_path(lab, "gwd.sock"), NULL});
	if (!lab_proc_wait_output(gwd, "is ready", 60000))
		bench_die("gwd does not start: %s", lab_proc_output(gwd));
	return gwd;
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
