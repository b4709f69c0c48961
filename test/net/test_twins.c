// SPDX-License-Identifier: GPL-2.0-or-later
// Two routers, as conf/examples/two-routers has them: connections go on when the other one takes over.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/held.h"
#include "test/net/twins.h"

enum { TRANSFERS = 9, STREAMS = 3, PLACES = 200 };

struct running {
	struct lab_transfer *transfer[TRANSFERS];
	struct lab_stream *stream[STREAMS];
	struct lab_burst *idle;
};

static struct lab_transfer *transfer(struct twins *t, struct lab_ns *from, const char *to, uint16_t port,
				     enum lab_transfer_kind kind)
{
	struct lab_transfer *it = lab_transfer_start(
		t->lab, &(struct lab_transfer_spec){.flow = {.from = from, .to = to, .port = port},
						    .kind = kind,
						    .rate_bps = 400000});
	cr_assert(lab_transfer_wait_running(it, 10000), "no connection to %s port %u", to, port);
	return it;
}

static struct lab_stream *stream(struct twins *t, struct lab_ns *from, const char *to, uint16_t port)
{
	struct lab_stream *it = lab_stream_start(
		t->lab, &(struct lab_stream_spec){.flow = {.from = from, .to = to, .port = port},
						  .rate_hz = 50,
						  .limit_s = LAB_STREAM_LIMIT_S});
	cr_assert(lab_stream_wait_answer(it, 10000), "no answer from %s port %u", to, port);
	return it;
}

// nat and fullnat, out of the LAN and into it, up and down, both families.
static void begin(struct twins *t, struct running *run)
{
	struct lab_ns *out = lab_internet(t->lab), *in = lab_host(t->lab, 3);
	const struct {
		struct lab_ns *from;
		const char *to;
		uint16_t port;
		enum lab_transfer_kind kind;
	} flow[TRANSFERS] = {
		{out, "100.64.1.2", 80, LAB_DOWNLOAD},    {out, "100.64.1.2", 80, LAB_UPLOAD},
		{out, "2001:db8:1::2", 80, LAB_DOWNLOAD}, {out, "100.64.2.2", 7000, LAB_DOWNLOAD},
		{out, "100.64.2.2", 7000, LAB_UPLOAD},    {out, "2001:db8:2::2", 7000, LAB_DOWNLOAD},
		{in, "198.51.100.1", 9000, LAB_DOWNLOAD}, {in, "198.51.100.2", 9000, LAB_UPLOAD},
		{in, "2001:db8:aaaa::1", 80, LAB_UPLOAD},
	};
	for (int i = 0; i < TRANSFERS; i++)
		run->transfer[i] = transfer(t, flow[i].from, flow[i].to, flow[i].port, flow[i].kind);
	run->stream[0] = stream(t, in, "198.51.100.3", 9000);
	run->stream[1] = stream(t, in, "2001:db8:aaaa::3", 9000);
	run->stream[2] = stream(t, out, "100.64.2.2", 7000);
	run->idle = held_all(t->lab,
			     &(struct lab_burst_spec){.flow = {.from = out, .to = "100.64.1.2", .port = 80},
						      .count = PLACES - 2,
						      .timeout_ms = 10000});
}

struct progress {
	struct lab_transfer *transfer;
	int64_t bytes;
};

static bool has_more(void *arg)
{
	struct progress *progress = arg;
	return lab_transfer_peek(progress->transfer).bytes > progress->bytes;
}

// Everything goes on, by whoever works now.
static void expect_alive(struct running *run)
{
	for (int i = 0; i < TRANSFERS; i++) {
		struct progress progress = {run->transfer[i], lab_transfer_peek(run->transfer[i]).bytes};
		bool more = lab_wait_until(has_more, &progress, 60000);
		struct lab_transfer_report report = lab_transfer_peek(run->transfer[i]);
		cr_expect(more && report.end == LAB_END_RUNNING, "transfer %d: %s", i,
			  lab_transfer_end_name(report.end));
	}
	for (int i = 0; i < STREAMS; i++)
		cr_expect(lab_stream_wait_answer(run->stream[i], 20000), "stream %d", i);
	net_assert_alive(run->idle, PLACES - 2);
}

// Who answered from outside did so by one link all the time, as what it is translated to stayed the same.
static void end(struct running *run)
{
	for (int i = 0; i < TRANSFERS; i++)
		cr_expect_eq(lab_transfer_stop(run->transfer[i]).end, LAB_END_RUNNING, "transfer %d", i);
	for (int i = 0; i < STREAMS; i++) {
		char text[256];
		struct lab_stream_report report = lab_stream_stop(run->stream[i]);
		lab_stream_text(&report, text);
		cr_expect_eq(report.parts, 1, "stream %d: %s", i, text);
	}
	lab_burst_free(run->idle);
}

// Every connection of `before` is there, with its translation and its mark.
static void expect_connections(struct twins *t, int which, char *before)
{
	char *now = twins_connections(t, which);
	int n = 0;
	for (char *line = strtok(before, "\n"); line; line = strtok(NULL, "\n"), n++)
		cr_expect(strstr(now, line), "%s\nis not among\n%s", line, now);
	cr_expect_geq(n, PLACES + TRANSFERS + STREAMS - 2);
	free(before);
	free(now);
}

static bool refused(void *arg)
{
	struct twins *t = arg;
	struct lab_flow flow = {.from = lab_internet(t->lab), .to = "100.64.1.2", .port = 80};
	return lab_connect(t->lab, &flow).outcome == LAB_REFUSED;
}

static bool answered(void *arg)
{
	struct twins *t = arg;
	struct lab_flow flow = {.from = lab_internet(t->lab), .to = "100.64.1.2", .port = 80};
	return lab_connect(t->lab, &flow).outcome == LAB_ANSWERED;
}

// The places of the reals are taken by those that went on; who gives one back gives it back here.
static void expect_places(struct twins *t, struct running *run)
{
	cr_expect(lab_wait_until(refused, t, 20000), "there is room for more than %d", PLACES);
	lab_burst_free(run->idle);
	run->idle = lab_burst_start(
		t->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(t->lab, 3), .to = "198.51.100.1"},
						 .count = PLACES - 2,
						 .hold = true});
	lab_burst_wait(run->idle);
	cr_expect(lab_wait_until(answered, t, 20000), "no place is given back");
}

Test(twins, an_orderly_switch_and_back)
{
	struct twins *t = twins_start();
	struct running run;
	begin(t, &run);
	expect_alive(&run);
	char *before = twins_connections(t, 0);
	twins_retire(t, 0);
	twins_wait_master(t, 1);
	expect_alive(&run);
	expect_connections(t, 1, before);
	twins_enlist(t, 0);
	before = twins_connections(t, 1);
	twins_retire(t, 1);
	twins_wait_master(t, 0);
	expect_alive(&run);
	expect_connections(t, 0, before);
	end(&run);
	twins_finish(t);
}

Test(twins, the_power_of_one_fails)
{
	struct twins *t = twins_start();
	struct running run;
	begin(t, &run);
	cr_expect(refused(t));
	char *before = twins_connections(t, 0);
	twins_die(t, 0);
	twins_wait_master(t, 1);
	expect_alive(&run);
	expect_connections(t, 1, before);
	expect_places(t, &run);
	end(&run);
	twins_finish(t);
}
