// SPDX-License-Identifier: GPL-2.0-or-later
// Every kind of probe over real links and against real servers: what it takes for life, what for death,
// and the words that it finds for it. ICMP has a file of its own.
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "test/net/watching.h"

static const int families[] = {AF_INET, AF_INET6};

static struct model_probe probe_of(enum probe_type type)
{
	struct model_probe probe = watching_shipped;

	probe.type = type;
	return probe;
}

static void expect_reason(const struct watched *s, const char *text)
{
	cr_expect(strstr(s->verdict.reason, text), "wanted: %s, got: %s", text, s->verdict.reason);
}

// ---- arp and neighbour discovery ---------------------------------------------------------------

Test(probers, arp_finds_the_neighbour_and_its_death)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 2});
	struct model_probe probe = probe_of(PROBE_ARP);
	struct watched s[2];

	for (size_t f = 0; f < 2; f++)
		watching_isp(&s[f], &w, 1, families[f], &probe, NULL);
	for (size_t f = 0; f < 2; f++)
		watching_wait(&s[f], STATE_UP, 2000);
	watching_run(&w, 2500);
	for (size_t f = 0; f < 2; f++) {
		cr_expect_lt(checker_verdict(s[f].checker)->loss, 0.01);
		cr_expect_lt(checker_verdict(s[f].checker)->latency_ms, 50);
	}
	int64_t died_ms = lab_fault_blackhole(w.lab, 1);
	for (size_t f = 0; f < 2; f++) {
		watching_wait(&s[f], STATE_DOWN, 2000);
		cr_expect_leq(s[f].changed_ms - died_ms, 1500);
		expect_reason(&s[f], "no answer from");
		checker_free(s[f].checker);
	}
	watching_finish(&w);
}

Test(probers, arp_does_not_take_one_neighbour_for_another)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct model_probe probe = probe_of(PROBE_ARP);
	struct watched living, dead;

	watching_isp(&living, &w, 1, AF_INET, &probe, NULL);
	watching_isp(&dead, &w, 1, AF_INET, &probe, "100.64.1.77");
	watching_wait(&dead, STATE_DOWN, 2000);
	cr_expect_eq(living.verdict.state, STATE_UP);
	checker_free(living.checker);
	checker_free(dead.checker);
	watching_finish(&w);
}

Test(probers, arp_binds_again_to_a_device_that_was_made_anew)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct model_probe probe = probe_of(PROBE_ARP);
	struct watched s[2];

	for (size_t f = 0; f < 2; f++) {
		watching_isp(&s[f], &w, 1, families[f], &probe, NULL);
		watching_wait(&s[f], STATE_UP, 2000);
		checker_set_urgent(s[f].checker, true);
	}
	lab_fault_delete(w.lab, 1);
	for (size_t f = 0; f < 2; f++)
		watching_wait(&s[f], STATE_DOWN, 2000);
	lab_fault_recreate(w.lab, 1);
	for (size_t f = 0; f < 2; f++) {
		watching_wait(&s[f], STATE_UP, 3000);
		checker_free(s[f].checker);
	}
	watching_finish(&w);
}

// ---- tcp -----------------------------------------------------------------------------------------

Test(probers, tcp_takes_a_connection_for_life)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1, .routes = true});
	struct model_probe probe = probe_of(PROBE_TCP);
	struct watched s[2];

	probe.port = 80;
	for (size_t f = 0; f < 2; f++)
		watching_isp(&s[f], &w, 1, families[f], &probe, lab_server_address(families[f], 1));
	for (size_t f = 0; f < 2; f++)
		watching_wait(&s[f], STATE_UP, 2000);
	watching_run(&w, 2500);
	char *output;
	lab_run(lab_router(w.lab), &output, "ss -Htan");
	cr_expect_str_eq(output, "", "nothing of them stays: %s", output);
	free(output);
	int64_t died_ms = lab_fault_cut(w.lab, 1);
	for (size_t f = 0; f < 2; f++) {
		watching_wait(&s[f], STATE_DOWN, 2000);
		cr_expect_leq(s[f].changed_ms - died_ms, 1500);
		checker_free(s[f].checker);
	}
	watching_finish(&w);
}

Test(probers, tcp_says_who_refused)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1, .routes = true});
	struct model_probe probe = probe_of(PROBE_TCP);
	struct watched s[2];

	probe.port = 81;
	for (size_t f = 0; f < 2; f++)
		watching_isp(&s[f], &w, 1, families[f], &probe, lab_server_address(families[f], 1));
	for (size_t f = 0; f < 2; f++)
		watching_wait(&s[f], STATE_DOWN, 2000);
	expect_reason(&s[0], "198.51.100.1:81: Connection refused");
	expect_reason(&s[1], "[2001:db8:aaaa::1]:81: Connection refused");
	checker_free(s[0].checker);
	checker_free(s[1].checker);
	watching_finish(&w);
}

// ---- dns -----------------------------------------------------------------------------------------

static void start_dnsmasq(struct watching *w, int isp)
{
	lab_proc_start(
		w->lab, lab_isp(w->lab, isp),
		(const char *const[]){"dnsmasq", "-k", "-C", "/dev/null", "-u", "root", "-R", "-h", "-x",
				      lab_path(w->lab, "dnsmasq.pid"), "--address=/example.net/192.0.2.5",
				      "--address=/example.net/2001:db8::5", "--local=/nothing.test/", NULL});
}

struct dns_row {
	const char *query;
	enum probe_record record;
	const char *expect;
	bool any_rcode;
	enum state state;
	const char *reason;
};

Test(probers, dns_takes_the_answer_that_was_wanted)
{
	static const struct dns_row rows[] = {
		{"example.net", RECORD_A, NULL, false, STATE_UP, "answers"},
		{"example.net", RECORD_A, "192.0.2.5", false, STATE_UP, "answers"},
		{"example.net", RECORD_AAAA, "2001:db8::5", false, STATE_UP, "answers"},
		{"example.net", RECORD_A, "192.0.2.6", false, STATE_DOWN, "example.net is not 192.0.2.6"},
		{"nothing.test", RECORD_A, NULL, false, STATE_DOWN, "says NXDOMAIN to nothing.test"},
		{"nothing.test", RECORD_A, NULL, true, STATE_UP, "answers"},
		{"example.org", RECORD_A, NULL, false, STATE_DOWN, "says REFUSED to example.org"},
	};
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct watched s[2][ARRAY_SIZE(rows)];

	start_dnsmasq(&w, 1);
	watching_run(&w, 500);
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct model_probe probe = probe_of(PROBE_DNS);

			probe.port = 53;
			probe.query = rows[i].query;
			probe.record = rows[i].record;
			probe.any_rcode = rows[i].any_rcode;
			if (rows[i].expect)
				addr_parse(rows[i].expect, &probe.expect_addr);
			watching_isp(&s[f][i], &w, 1, families[f], &probe, NULL);
		}
	}
	watching_run(&w, 2500);
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			cr_expect_eq(s[f][i].verdict.state, rows[i].state, "row %zu: %s", i,
				     s[f][i].verdict.reason);
			expect_reason(&s[f][i], rows[i].reason);
			cr_expect_eq(s[f][i].changes, 1, "row %zu", i);
			checker_free(s[f][i].checker);
		}
	}
	watching_finish(&w);
}

// The lab's servers answer any datagram with a line of text and what they were sent.
Test(probers, dns_does_not_take_noise_for_an_answer)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1, .routes = true});
	struct model_probe probe = probe_of(PROBE_DNS);
	struct watched noise, nobody;

	probe.query = "example.net";
	probe.record = RECORD_A;
	probe.any_rcode = true;
	probe.port = 53;
	watching_isp(&noise, &w, 1, AF_INET, &probe, lab_server_address(AF_INET, 1));
	probe.port = 54;
	watching_isp(&nobody, &w, 1, AF_INET, &probe, lab_server_address(AF_INET, 1));
	watching_wait(&noise, STATE_DOWN, 2000);
	expect_reason(&noise, "no answer from 198.51.100.1");
	watching_wait(&nobody, STATE_DOWN, 2000);
	expect_reason(&nobody, "198.51.100.1:54: Connection refused");
	checker_free(noise.checker);
	checker_free(nobody.checker);
	watching_finish(&w);
}
