// SPDX-License-Identifier: GPL-2.0-or-later
// Every kind of probe over real links and against real servers: what it takes for life, what for death,
// and the words that it finds for it. ICMP has a file of its own.
#include <stdio.h>
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
