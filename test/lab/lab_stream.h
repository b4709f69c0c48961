// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_stream: one steady flow of numbered packets with an exact account: UDP to a lab_server, or ping.
 *
 *     struct lab_stream *call = lab_stream_start(lab, &(struct lab_stream_spec){
 *             .flow = {.from = lab_host(lab, 1), .to = "198.51.100.1"}});
 *     int64_t dead = lab_fault_blackhole(lab, 1);
 *     …
 *     struct lab_stream_report report = lab_stream_stop(call);   // report.gap_ms, report.lost,
 * report.part[0].isp
 *
 * It keeps its five-tuple all the time. A *control flow* is one on a link that a test leaves alone: its lost
 * must be 0.
 */
#ifndef GWD_TEST_LAB_LAB_STREAM_H
#define GWD_TEST_LAB_LAB_STREAM_H

#include "test/lab/lab_flow.h"

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_stream;

enum { LAB_STREAM_PARTS = 32, LAB_STREAM_LIMIT_S = 600 };

struct lab_stream_spec {
	struct lab_flow flow;
	int rate_hz; /* 0: 1000. What a busy machine holds up is not made up for by a burst: .sent is what was sent */
	int limit_s; /* it stops sending by itself after this; 0: 60, at most LAB_STREAM_LIMIT_S */
	int count;   /* or after so many packets, if not 0 */
	int last_ms; /* how long it waits for the last answers; 0: 500 */
	bool ping;   /* ICMP echo instead of UDP; its ISP is not known */
};

/* A stretch of consecutive answered packets by one ISP. Instants are when the packets were sent. */
struct lab_stream_part {
	int isp;
	int answered;
	int64_t first_ms, last_ms;
};

struct lab_stream_report {
	int sent, answered;
	int lost;   /* sent and not answered, not even .last_ms after the last was sent */
	int errors; /* of the lost: those the own host refused to send, or an ICMP error came instead */
	int duplicates;
	int gap_ms; /* the longest outage: from the first of a run of lost packets to the next answered one */
	int64_t gap_began_ms; /* when that first lost one was sent; 0 if nothing was lost */
	int worst_rtt_us, mean_rtt_us;
	int isp;   /* of the last answer; 0: none yet, or not known */
	int parts; /* how many stretches; the first LAB_STREAM_PARTS are in part[] */
	struct lab_stream_part part[LAB_STREAM_PARTS];
};

struct lab_stream *lab_stream_start(struct lab *lab, const struct lab_stream_spec *spec);

/*
 * Starts streams from one client address of the host after the other until one is carried by `isp`, which is
 * returned (the others are stopped). The lab dies if none of 200 is.
 */
struct lab_stream *lab_stream_start_on(struct lab *lab, const struct lab_stream_spec *spec, int isp);

/* How it stands; packets still on their way count as lost. */
struct lab_stream_report lab_stream_peek(struct lab_stream *stream);

/* Waits until at least one packet sent from now on is answered; false if none is within timeout_ms. */
bool lab_stream_wait_answer(struct lab_stream *stream, int timeout_ms);

/* The same, answered over this ISP. */
bool lab_stream_wait_isp(struct lab_stream *stream, int isp, int timeout_ms);

/* Stops sending, waits for the answers on their way, frees it. */
struct lab_stream_report lab_stream_stop(struct lab_stream *stream);

/* The same, after it has sent all of its .count (or for .limit_s). */
struct lab_stream_report lab_stream_finish(struct lab_stream *stream);

/* n pings, 20 ms apart, to the end. */
struct lab_stream_report lab_ping(struct lab *lab, const struct lab_flow *flow, int n);

/* "sent 5000, answered 4990, lost 10, longest gap 10 ms; isp1 3000, isp2 1990": text[256]. */
void lab_stream_text(const struct lab_stream_report *report, char text[256]);

#endif
