// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_flood: a bounded flood of SYNs from addresses that nobody has, at a rate.
 *
 *     struct lab_flood *flood = lab_flood_start(lab, &(struct lab_flood_spec){
 *             .flow = {.from = lab_internet(lab), .to = "100.64.1.2", .port = 80}, .rate_hz = 10000, .count = 30000});
 *     …
 *     int sent = lab_flood_stop(flood);
 *
 * The sources are 198.51.100.128 and on, a hundred of them, each port of which sends one SYN.
 */
#ifndef GWD_TEST_LAB_LAB_FLOOD_H
#define GWD_TEST_LAB_LAB_FLOOD_H

#include "test/lab/lab_flow.h"

struct lab;
struct lab_flood;

enum { LAB_FLOOD_MAX = 1000000 };

struct lab_flood_spec {
	struct lab_flow flow; /* .from, .to (IPv4), .port */
	int rate_hz;          /* what a busy machine holds up is made up for */
	int count;            /* so many go out, at most LAB_FLOOD_MAX; then it is over */
};

struct lab_flood *lab_flood_start(struct lab *lab, const struct lab_flood_spec *spec);

/* How many went out so far: what the kernel refused to send does not count. */
int lab_flood_sent(const struct lab_flood *flood);

/* Stops it if it isn't over, frees it, and returns how many went out. */
int lab_flood_stop(struct lab_flood *flood);

#endif
