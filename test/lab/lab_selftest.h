// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest: the lab proves itself, without gwd: plain kernel routing chooses the ISP, nftables on the
 * router translates, and every fault and every tool must do and report what its header says. Internal;
 * selftest_main.c runs it.
 */
#ifndef GWD_TEST_LAB_LAB_SELFTEST_H
#define GWD_TEST_LAB_LAB_SELFTEST_H

#include <stdbool.h>

struct lab;
struct lab_spec;

/* Counts a check; prints the sentence if it failed. Returns `ok`. */
bool lab_check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A lab whose router translates: each ISP's own address on what leaves by it. */
struct lab *lab_selftest_create(const struct lab_spec *spec);

/* The router sends everything from `source` (a prefix) by this ISP. */
void lab_selftest_steer(struct lab *lab, const char *source, int isp);

/* The same for a LAN host and its clients, in both families. */
void lab_selftest_steer_host(struct lab *lab, int host, int isp);

/* Fails if any packet left with a wrong source. */
void lab_check_no_wrong_source(struct lab *lab);

/* How many there were. */
int lab_check_passed(void);
int lab_check_failed(void);

/* The tests, each with labs of its own. */
void lab_selftest_network(void);
void lab_selftest_one_subnet(void);
void lab_selftest_routes(void);
void lab_selftest_names(void);
void lab_selftest_many(void);
void lab_selftest_few(void);
void lab_selftest_watch(void);
void lab_selftest_delegate(void);
void lab_selftest_faults(void);
void lab_selftest_faults_of_addresses(void);
void lab_selftest_faults_of_ppp(void);
void lab_selftest_faults_of_shared_wire(void);
void lab_selftest_bursts(void);
void lab_selftest_streams(void);
void lab_selftest_transfers(void);
void lab_selftest_inbound(void);
void lab_selftest_programs(void);
void lab_selftest_waiting(void);
void lab_selftest_end(void);
void lab_selftest_end_by_kill(void);

#endif
