// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_transfer: one long TCP connection to a lab_server, and how and when it ended.
 *
 *     struct lab_transfer *upload = lab_transfer_start(lab, &(struct lab_transfer_spec){
 *             .flow = {.from = lab_host(lab, 1), .to = "198.51.100.1"}, .kind = LAB_UPLOAD});
 *     lab_transfer_wait_running(upload, 1000);
 *     int64_t dead = lab_fault_blackhole(lab, 1);
 *     …
 *     struct lab_transfer_report report = lab_transfer_stop(upload);   // report.end == LAB_END_RST,
 * report.ended_ms - dead
 */
#ifndef GWD_TEST_LAB_LAB_TRANSFER_H
#define GWD_TEST_LAB_LAB_TRANSFER_H

#include "test/lab/lab_flow.h"

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_transfer;

enum lab_transfer_kind {
	LAB_IDLE, /* connected, nobody sends: what a waiting client looks like */
	LAB_UPLOAD,
	LAB_DOWNLOAD,
};

struct lab_transfer_spec {
	struct lab_flow flow;
	enum lab_transfer_kind kind;
	int64_t rate_bps; /* bits per second; 0: 8,000,000; negative: as fast as it goes */
	int limit_s;      /* it closes by itself after this, and counts as running; 0: 120 */
};

enum lab_transfer_end {
	LAB_END_RUNNING,     /* still connected when it was stopped */
	LAB_END_RST,         /* reset */
	LAB_END_FIN,         /* closed by the far end */
	LAB_END_TIMEOUT,     /* given up by TCP */
	LAB_END_UNREACHABLE, /* ended by an ICMP error or for want of a route */
	LAB_END_REFUSED,     /* never connected: see end_errno */
};

struct lab_transfer_report {
	enum lab_transfer_end end;
	int end_errno;    /* what the socket said; 0 for running and FIN */
	int64_t ended_ms; /* when; 0 if running */
	int64_t bytes;    /* uploaded: taken by the socket and acknowledged by the far end; or downloaded */
	int64_t last_progress_ms; /* when the last of them went or came; 0: never */
	int isp;                  /* which carried it; 0: not connected, or no ISP's source */
	int connect_ms;           /* from the start until the server's first answer */
};

struct lab_transfer *lab_transfer_start(struct lab *lab, const struct lab_transfer_spec *spec);

/* Waits until it is connected and has moved its first bytes (idle: is connected); false after timeout_ms. */
bool lab_transfer_wait_running(struct lab_transfer *transfer, int timeout_ms);

/* Waits until it has ended; false if it has not after timeout_ms. */
bool lab_transfer_wait_end(struct lab_transfer *transfer, int timeout_ms);

/* How it stands. */
struct lab_transfer_report lab_transfer_peek(struct lab_transfer *transfer);

/* Ends it if it still runs, and frees it. */
struct lab_transfer_report lab_transfer_stop(struct lab_transfer *transfer);

const char *lab_transfer_end_name(enum lab_transfer_end end);

#endif
