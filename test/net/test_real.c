// SPDX-License-Identifier: GPL-2.0-or-later
// A real dies: whoever is connected to it goes on with another one or is told at once, by the link that it came in on,
// and nobody else notices. Backup and sorry server take over and give back without refusing anybody.
#include <stdlib.h>
#include <string.h>

#include "test/net/dying.h"
#include "test/net/held.h"

#define ASK "probe ask { type = tcp interval = 200ms fast = 50ms timeout = 150ms hold = 0s }"

// Two links, reals on hosts 1 and 2 in both families, clients in the internet and on host 3.
static struct inbound *start(void)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	dying_vips(in);
	inbound_gwd(
		in, ASK
		"service web { listen = { \"100.64.1.17:80\", \"100.64.2.17:80\", \"[2001:db8:1:80::17]:80\" "
		"}"
		" protocol = { tcp, udp } scheduler = rr probes = ask"
		" real www1 { address = 10.0.0.11 port = 8080 } real www2 { address = 10.0.0.12 port = 8080 }"
		" real six1 { address = fd00:10::11 port = 8080 } real six2 { address = fd00:10::12 port = "
		"8080 } }");
	dying_wait_state(in, "web", "www1", "up", 5000);
	dying_wait_state(in, "web", "www2", "up", 5000);
	dying_wait_state(in, "web", "six1", "up", 5000);
	dying_wait_state(in, "web", "six2", "up", 5000);
	net_guard(in->net, 1);
	return in;
}

static struct lab_transfer *transfer(struct inbound *in, struct lab_ns *from, int family, int isp,
				     enum lab_transfer_kind kind)
{
	struct lab_transfer *one = lab_transfer_start(
		in->net->lab,
		&(struct lab_transfer_spec){.flow = {.from = from, .to = dying_vip(family, isp), .port = 80},
					    .kind = kind});
	cr_assert(lab_transfer_wait_running(one, 3000));
	return one;
}

// By turns on both reals: the second of two is on the other one.
static void tcp_ends(int family, int isp, bool lan, enum lab_transfer_kind kind)
{
	struct inbound *in = start();
	struct lab_ns *from = lan ? lab_host(in->net->lab, 3) : lab_internet(in->net->lab);
	struct lab_transfer *both[2];
	int ended = 0;
	for (int i = 0; i < 2; i++)
		both[i] = transfer(in, from, family, isp, kind);
	dying_kill(in, 1);
	dying_wait_state(in, "web", family == AF_INET ? "www1" : "six1", "down", 5000);
	cr_assert(lab_transfer_wait_end(both[0], 1000) || lab_transfer_wait_end(both[1], 1000), "it hangs");
	for (int i = 0; i < 2; i++) {
		struct lab_transfer_report report = lab_transfer_stop(both[i]);
		cr_expect(report.end == LAB_END_RST || report.end == LAB_END_RUNNING, "%s",
			  lab_transfer_end_name(report.end));
		ended += report.end == LAB_END_RST;
	}
	cr_expect_eq(ended, 1, "%d of 2 have ended", ended);
	inbound_finish(in);
}

Test(real, an_idle_client_is_reset)
{
	tcp_ends(AF_INET, 1, false, LAB_IDLE);
}

Test(real, an_idle_client_on_another_link_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_IDLE);
}

Test(real, an_idle_client_is_reset_6)
{
	tcp_ends(AF_INET6, 1, false, LAB_IDLE);
}

Test(real, an_idle_client_in_the_lan_is_reset)
{
	tcp_ends(AF_INET, 1, true, LAB_IDLE);
}

Test(real, an_upload_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_UPLOAD);
}

Test(real, a_download_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_DOWNLOAD);
}

Test(real, a_udp_flow_goes_on_with_another_one)
{
	struct inbound *in = start();
	struct lab_stream *calls[2];
	for (int i = 0; i < 2; i++)
		calls[i] = lab_stream_start(
			in->net->lab, &(struct lab_stream_spec){.flow = {.from = lab_internet(in->net->lab),
									 .to = dying_vip(AF_INET, 2),
									 .port = 80},
								.rate_hz = 200});
	for (int i = 0; i < 2; i++)
		cr_assert(lab_stream_wait_answer(calls[i], 2000));
	dying_kill(in, 1);
	dying_wait_state(in, "web", "www1", "down", 5000);
	for (int i = 0; i < 2; i++)
		cr_expect(lab_stream_wait_answer(calls[i], 1000), "stream %d is dead", i);
	int lost = 0;
	for (int i = 0; i < 2; i++)
		lost += lab_stream_stop(calls[i]).lost > 0;
	cr_expect_eq(lost, 1, "%d of 2 noticed", lost); // one was never on the dead real
	inbound_finish(in);
}

// ---- who serves --------------------------------------------------------------------------------------

static struct inbound *start_tiers(const char *options)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 4}, 4);
	dying_vips(in);
	inbound_gwd(
		in,
		ASK
		"service web { listen = \"100.64.1.17:80\" scheduler = rr probes = ask %s"
		" real www1 { address = 10.0.0.11 port = 8080 } real www2 { address = 10.0.0.12 port = 8080 }"
		" backup far { address = 10.0.0.13 port = 8080 } sorry { address = 10.0.0.14 port = 8080 } }",
		options);
	dying_wait_state(in, "web", "www1", "up", 5000);
	dying_wait_state(in, "web", "www2", "up", 5000);
	dying_wait_state(in, "web", "far", "up", 5000);
	net_guard(in->net, 1);
	inbound_mark(in);
	return in;
}

Test(real, reals_then_the_backup_then_sorry_and_back)
{
	struct inbound *in = start_tiers("");
	const char *vip = dying_vip(AF_INET, 1);
	inbound_ask(in, vip, 80, 20);
	inbound_expect(in, (const int[]){10, 10, 0, 0}, 0);
	dying_kill(in, 1);
	dying_wait_state(in, "web", "www1", "down", 5000);
	inbound_ask(in, vip, 80, 20);
	inbound_expect(in, (const int[]){0, 20, 0, 0}, 0);
	dying_kill(in, 2);
	dying_wait_serving(in, "web", "backup", 5000);
	inbound_ask(in, vip, 80, 20);
	inbound_expect(in, (const int[]){0, 0, 20, 0}, 0);
	dying_kill(in, 3);
	dying_wait_serving(in, "web", "sorry", 5000);
	inbound_ask(in, vip, 80, 20);
	inbound_expect(in, (const int[]){0, 0, 0, 20}, 0);
	dying_revive(in, 3);
	dying_wait_serving(in, "web", "backup", 5000);
	dying_revive(in, 1);
	dying_revive(in, 2);
	dying_wait_serving(in, "web", "reals", 5000);
	inbound_mark(in);
	inbound_ask(in, vip, 80, 1); // the first client back
	inbound_expect(in, (const int[]){1, 0, 0, 0}, 1);
	cr_expect_eq(inbound_served(in, 3) + inbound_served(in, 4), 0);
	inbound_finish(in);
}

Test(real, events_tell_of_reals_and_of_who_serves)
{
	struct inbound *in = start_tiers("");
	char *output;
	dying_kill(in, 1);
	dying_kill(in, 2);
	dying_wait_serving(in, "web", "backup", 5000);
	cr_assert_eq(net_gwctl(in->net, &output, "events"), 0);
	cr_expect(strstr(output, "real web/www1: unknown -> up"), "%s", output);
	cr_expect(strstr(output, "real web/www1: up -> down: no answer from 10.0.0.11"), "%s", output);
	cr_expect(strstr(output, "service web: nothing -> reals: 2 of 2 reals usable"), "%s", output);
	cr_expect(strstr(output, "service web: reals -> backup: 0 of 2 reals usable"), "%s", output);
	free(output);
	inbound_finish(in);
}

// ---- pins --------------------------------------------------------------------------------------------

Test(real, a_dead_real_has_no_clients_that_come_back)
{
	struct inbound *in = start_tiers("persistence = 5m");
	const struct lab_flow flow = {
		.from = lab_internet(in->net->lab), .to = dying_vip(AF_INET, 1), .port = 80};
	char *output;
	int first = inbound_real_of(in, &flow, false), second;
	cr_assert(first == 1 || first == 2);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(inbound_real_of(in, &flow, false), first);
	cr_assert_eq(net_gwctl(in->net, &output, "pins web/www%d", first), 0);
	cr_expect(strstr(output, "web      www"), "%s", output);
	free(output);
	dying_kill(in, first);
	dying_wait_state(in, "web", first == 1 ? "www1" : "www2", "down", 5000);
	second = inbound_real_of(in, &flow, false);
	cr_assert_eq(second, 3 - first);
	dying_revive(in, first);
	dying_wait_state(in, "web", first == 1 ? "www1" : "www2", "up", 5000);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(inbound_real_of(in, &flow, false), second, "the old pin is back");
	inbound_finish(in);
}

// ---- by hand -----------------------------------------------------------------------------------------

static void by_hand(struct inbound *in, const char *command)
{
	char *output;
	cr_assert_eq(net_gwctl(in->net, &output, "%s", command), 0, "%s: %s", command, output);
	free(output);
}

Test(real, drained_it_keeps_what_runs_and_disabled_it_ends_it)
{
	struct inbound *in = start_tiers("");
	const char *vip = dying_vip(AF_INET, 1);
	struct lab_transfer *idle[2];
	for (int i = 0; i < 2; i++)
		idle[i] = transfer(in, lab_internet(in->net->lab), AF_INET, 1, LAB_IDLE);
	by_hand(in, "drain web/www1");
	cr_expect_str_eq(dying_state(in, "web", "www1"), "drain");
	inbound_mark(in);
	inbound_ask(in, vip, 80, 10);
	inbound_expect(in, (const int[]){0, 10, 0, 0}, 0);
	cr_expect_eq(lab_transfer_peek(idle[0]).end, LAB_END_RUNNING);
	cr_expect_eq(lab_transfer_peek(idle[1]).end, LAB_END_RUNNING);
	by_hand(in, "undrain web/www1");
	by_hand(in, "weight web/www2 0");
	inbound_ask(in, vip, 80, 10);
	inbound_expect(in, (const int[]){10, 0, 0, 0}, 0);
	by_hand(in, "weight web/www2 default");
	by_hand(in, "disable web/www1");
	cr_expect(lab_transfer_wait_end(idle[0], 1000) || lab_transfer_wait_end(idle[1], 1000));
	lab_transfer_stop(idle[0]);
	lab_transfer_stop(idle[1]);
	by_hand(in, "reload");
	cr_expect_str_eq(dying_state(in, "web", "www1"), "disabled");
	by_hand(in, "enable web/www1");
	cr_expect_str_eq(dying_state(in, "web", "www1"), "up");
	by_hand(in, "probe web/www1");
	inbound_finish(in);
}

// `moved`: what the file then has of www1.
static void removed(const char *option, const char *moved, bool ends)
{
	struct inbound *in = start_tiers(option);
	struct lab_transfer *idle[2];
	for (int i = 0; i < 2; i++)
		idle[i] = transfer(in, lab_internet(in->net->lab), AF_INET, 1, LAB_IDLE);
	inbound_reload(
		in,
		ASK
		"service web { listen = \"100.64.1.17:80\" scheduler = rr probes = ask %s %s"
		" real www2 { address = 10.0.0.12 port = 8080 } sorry { address = 10.0.0.14 port = 8080 } }",
		option, moved);
	inbound_ask(in, dying_vip(AF_INET, 1), 80, 10);
	cr_expect_eq(lab_transfer_wait_end(idle[0], ends ? 1000 : 100) ||
			     lab_transfer_wait_end(idle[1], ends ? 1000 : 100),
		     ends);
	lab_transfer_stop(idle[0]);
	lab_transfer_stop(idle[1]);
	inbound_finish(in);
}

Test(real, removed_it_keeps_what_runs)
{
	removed("on-removal = keep", "", false);
}

Test(real, removed_it_is_cut)
{
	removed("on-removal = cut", "", true);
}

Test(real, moved_it_keeps_what_runs)
{
	removed("on-removal = keep", "real www1 { address = 10.0.0.13 port = 8080 weight = 0 }", false);
}

// Its state is another one at that moment: no reason to let the old place's connections run.
Test(real, moved_and_drained_it_is_cut)
{
	removed("on-removal = cut", "real www1 { address = 10.0.0.13 port = 8080 weight = 0 }", true);
}

// The first of two listeners is another service's from now on, which has this one real. Then www1 is taken out.
static void listener_moves(const char *others_real, bool ends)
{
	struct inbound *in = start();
	struct lab_transfer *idle[2];
	for (int i = 0; i < 2; i++)
		idle[i] = transfer(in, lab_internet(in->net->lab), AF_INET, 1, LAB_IDLE);
	inbound_reload(in,
		       ASK "service web { listen = \"100.64.2.17:80\" scheduler = rr probes = ask"
			   " real www1 { address = 10.0.0.11 port = 8080 }"
			   " real www2 { address = 10.0.0.12 port = 8080 } }"
			   "service other { listen = \"100.64.1.17:80\" probes = ask"
			   " real one { address = %s port = 8080 } }",
		       others_real);
	cr_expect(!lab_transfer_wait_end(idle[0], 200) && !lab_transfer_wait_end(idle[1], 0),
		  "what runs stays");
	by_hand(in, "disable web/www1");
	cr_expect_eq(lab_transfer_wait_end(idle[0], ends ? 1000 : 500) || lab_transfer_wait_end(idle[1], 0),
		     ends);
	int running = 0;
	for (int i = 0; i < 2; i++)
		running += lab_transfer_stop(idle[i]).end == LAB_END_RUNNING;
	cr_expect_eq(running, ends ? 1 : 2);
	inbound_finish(in);
}

Test(real, who_came_by_a_listener_that_is_anothers_now_is_reset)
{
	listener_moves("10.0.0.12", true);
}

Test(real, unless_the_other_service_has_the_same_real)
{
	listener_moves("10.0.0.11", false);
}

Test(real, a_killed_daemon_costs_no_connection_and_forgets_no_hand)
{
	struct inbound *in = start_tiers("persistence = 5m");
	struct lab_burst *held =
		held_all(in->net->lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(in->net->lab),
									 .to = dying_vip(AF_INET, 1),
									 .port = 80},
								.count = 40});
	by_hand(in, "drain web/www2");
	lab_proc_signal(in->net->gwd, 9);
	lab_proc_wait(in->net->gwd, 5000);
	net_assert_alive(held, 40);
	net_gwd(in->net);
	dying_wait_state(in, "web", "www1", "up", 5000);
	cr_expect_str_eq(dying_state(in, "web", "www2"), "drain");
	net_assert_alive(held, 40);
	lab_burst_free(held);
	inbound_finish(in);
}
