// SPDX-License-Identifier: GPL-2.0-or-later
// bench: what the benchmarks written in C share: the peers' life in a lab, a daemon's processor time and
// memory, medians, and rows of a table.
//
// `make bench` is test/bench/run, which runs the scripts beside it. One that is written in C is a line that
// calls `build/bench NAME`; its rows go through test/bench/table, which prints them and keeps them for
// README. A benchmark checks that the work was done before it prints a figure.
#ifndef GWD_TEST_BENCH_BENCH_H
#define GWD_TEST_BENCH_BENCH_H

#include <stddef.h>
#include <sys/types.h>

#include "test/lab/lab.h"

// Prints the sentence and ends: a figure would be worth nothing.
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

// One row of the table: columns separated by tabs.
void bench_row(const char *format, ...) __attribute__((format(printf, 1, 2)));

double bench_median(double *values, size_t n); // sorts them
double bench_cpu_ms(pid_t pid);                // user and system time so far, of all threads
double bench_resident_mb(pid_t pid);

const char *bench_build(void); // where gwd and gwctl are

// gwd with this configuration file in a place; returns when it is ready.
struct lab_proc *bench_gwd(struct lab *lab, const struct lab_ns *ns, const char *config);
struct lab_proc *bench_gwd_verbose(struct lab *lab, const struct lab_ns *ns, const char *config);
void bench_gwctl(struct lab *lab, const struct lab_ns *ns, char **output, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

void bench_sleep(int ms);

// The first packet of so many flows a second, evenly, from addresses 10.128.0.0 + `first` and up behind host 1, to a
// server that need not be there. Returns the rate that came of it.
double bench_send_flows(struct lab *lab, int rate, int seconds, int first);

// Waits until g1 and on are up.
void bench_gateways_up(struct lab_proc *gwd, int gateways);

// How many flows gwd counts for each gateway, g1 and on; and their sum.
double bench_live_flows(struct lab *lab, double flows[], size_t gateways);

// Peers: lsm looks at the links' next hops, as g1 and on, and calls the script; keepalived, with this configuration, is
// there when it has found so many reals.
struct lab_proc *bench_lsm(struct lab *lab, int links, const char *script);
struct lab_proc *bench_keepalived(struct lab *lab, const char *config, int reals);

int bench_connections(int argc, char **argv);
int bench_counting(int argc, char **argv);
int bench_control_plane(int argc, char **argv);
int bench_failover(int argc, char **argv);
int bench_detection(int argc, char **argv);
int bench_probing(int argc, char **argv);
int bench_daemon(int argc, char **argv);
int bench_healing(int argc, char **argv);
int bench_synflood(int argc, char **argv);

#endif
