// SPDX-License-Identifier: GPL-2.0-or-later
// Good services, field by field: every option, every default.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

static struct model *load_text(const char *text)
{
	struct buf report = {0};
	struct model *model;
	int rc = conf_load_text("test.conf", text, strlen(text), &model, &report);
	cr_assert(rc == 0 && model, "refused:\n%s", buf_text(&report));
	cr_assert_str_eq(buf_text(&report), "", "there are warnings:\n%s", buf_text(&report));
	buf_free(&report);
	return model;
}

static void expect_addr(const struct addr *a, const char *text)
{
	char got[ADDR_TEXT];
	cr_expect_str_eq(addr_text(a, got), text);
}

static void expect_listen(const struct model_listen *listen, const char *addr, unsigned first, unsigned last)
{
	expect_addr(&listen->addr, addr);
	cr_expect(listen->first == first && listen->last == last, "%s: %u to %u", addr, listen->first,
		  listen->last);
}

static const struct model_probe *probe_of(const struct model *m, const struct model_real *real, size_t i)
{
	cr_assert(i < real->n_probes, "%s has %zu probes", real->name, real->n_probes);
	return &m->probes[real->probes[i]];
}

Test(conf_service, defaults)
{
	struct model *m = load_text("service web {\n"
				    "listen = '192.0.2.1:80'\n"
				    "real a { address = 10.1.1.1 } }\n");
	cr_expect_eq(m->n_gateways, 0, "a load balancer on a host with one interface");
	cr_expect_eq(m->lan.n_interfaces, 0);
	cr_assert_eq(m->n_balances, 1);
	cr_expect_eq(m->balances[m->default_balance].n_uses, 0);
	cr_assert_eq(m->n_services, 1);
	const struct model_service *s = &m->services[0];
	cr_expect_str_eq(s->name, "web");
	cr_expect_eq(s->line, 1);
	cr_assert_eq(s->n_listens, 1);
	expect_listen(&s->listens[0], "192.0.2.1", 80, 80);
	cr_expect_eq(s->listens[0].line, 2);
	cr_assert_eq(s->n_protocols, 1);
	cr_expect_eq(s->protocols[0], IPPROTO_TCP);
	cr_expect_eq(s->scheduler, SCHED_WLC, "as ipvsadm's");
	cr_expect_eq(s->persistence_ms, 0);
	cr_expect(s->persist_mask[FAM_4] == 32 && s->persist_mask[FAM_6] == 128);
	cr_expect(addr_is_none(&s->source_first[FAM_4]) && addr_is_none(&s->source_last[FAM_6]));
	cr_expect(!s->slow_start_ms && !s->syn_proxy && !s->ftp && !s->cut && !s->vip_interface);
	cr_expect(!s->limit_connections && !s->limit_rate);
	cr_assert_eq(s->n_reals, 1);
	const struct model_real *a = &s->reals[0];
	cr_expect_str_eq(a->name, "a");
	cr_expect_eq(a->line, 3);
	cr_expect(a->role == ROLE_REAL && a->forward == FORWARD_NAT);
	expect_addr(&a->address, "10.1.1.1");
	cr_expect(a->port == 0 && a->weight == 1 && !a->max_connections && !a->min_connections);
	model_free(m);
}

Test(conf_service, every_option)
{
	struct model *m = load_text(
		"service web { listen = { '192.0.2.1:80', '[2001:db8::1]:443', '192.0.2.1:1000-2000',"
		" '192.0.2.2:*' } protocol = { tcp, udp, sctp, udp } forward = fullnat"
		" source = { '10.0.0.1-10.0.0.8', 2001:db8::8 } scheduler = mh persistence = 10m"
		" persist-mask = 24 persist-mask6 = 64 on-removal = keep slow-start = 30s"
		" limit-source { connections = 100 rate = 50/s }\n"
		" backup b { address = 203.0.113.1 port = 81 weight = 3 forward = nat }"
		" sorry { forward = local port = 8080 }"
		" real a { address = 10.1.1.1 port = 8080 weight = 0 } real c { address = 10.1.1.2 weight = "
		"5 }"
		" real six { address = 2001:db8::2 } }");
	const struct model_service *s = &m->services[0];
	cr_assert_eq(s->n_listens, 4);
	expect_listen(&s->listens[0], "192.0.2.1", 80, 80);
	expect_listen(&s->listens[1], "2001:db8::1", 443, 443);
	expect_listen(&s->listens[2], "192.0.2.1", 1000, 2000);
	expect_listen(&s->listens[3], "192.0.2.2", 0, MODEL_PORT_ANY_LAST);
	cr_assert_eq(s->n_protocols, 3);
	cr_expect_arr_eq(s->protocols, ((uint8_t[]){IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP}), 3);
	expect_addr(&s->source_first[FAM_4], "10.0.0.1");
	expect_addr(&s->source_last[FAM_4], "10.0.0.8");
	expect_addr(&s->source_first[FAM_6], "2001:db8::8");
	expect_addr(&s->source_last[FAM_6], "2001:db8::8");
	cr_expect_eq(s->scheduler, SCHED_MH);
	cr_expect_eq(s->persistence_ms, 600000);
	cr_expect(s->persist_mask[FAM_4] == 24 && s->persist_mask[FAM_6] == 64);
	cr_expect(s->limit_connections == 100 && s->limit_rate == 50);
	cr_expect_eq(s->slow_start_ms, 30000);
	cr_assert_eq(s->n_reals, 5, "reals, backups, the sorry server");
	cr_expect_str_eq(s->reals[0].name, "a");
	cr_expect(s->reals[0].port == 8080 && s->reals[0].weight == 0 &&
		  s->reals[0].forward == FORWARD_FULLNAT);
	cr_expect_str_eq(s->reals[1].name, "c");
	cr_expect_eq(s->reals[1].weight, 5);
	cr_expect_str_eq(s->reals[2].name, "six");
	cr_expect_str_eq(s->reals[3].name, "b");
	cr_expect(s->reals[3].role == ROLE_BACKUP && s->reals[3].forward == FORWARD_NAT);
	cr_expect(s->reals[3].port == 81 && s->reals[3].weight == 3);
	cr_expect_str_eq(s->reals[4].name, "sorry");
	cr_expect(s->reals[4].role == ROLE_SORRY && s->reals[4].forward == FORWARD_LOCAL);
	cr_expect(addr_is_none(&s->reals[4].address) && s->reals[4].port == 8080);
	model_free(m);
}

Test(conf_service, limits_of_reals)
{
	struct model *m =
		load_text("service web { listen = '192.0.2.1:80'"
			  " real a { address = 10.1.1.1 max-connections = 200 }"
			  " real b { address = 10.1.1.2 max-connections = 1 }"
			  " real c { address = 10.1.1.3 max-connections = 9 min-connections = 2 } }");
	const struct model_real *reals = m->services[0].reals;
	cr_expect(reals[0].max_connections == 200 && reals[0].min_connections == 150, "three quarters");
	cr_expect(reals[1].max_connections == 1 && reals[1].min_connections == 1);
	cr_expect(reals[2].max_connections == 9 && reals[2].min_connections == 2);
	model_free(m);
}

Test(conf_service, schedulers)
{
	static const enum scheduler all[] = {SCHED_RR,  SCHED_WRR, SCHED_RANDOM, SCHED_LC,
					     SCHED_WLC, SCHED_SED, SCHED_NQ,     SCHED_SH,
					     SCHED_DH,  SCHED_MH,  SCHED_FO};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[200];
		snprintf(text, sizeof(text),
			 "service a { listen = '192.0.2.1:80' scheduler = %s real a { address = 10.1.1.1 } }",
			 scheduler_name(all[i]));
		struct model *m = load_text(text);
		cr_expect_eq(m->services[0].scheduler, all[i], "%s", scheduler_name(all[i]));
		model_free(m);
	}
}

// A real is asked for what its clients want of it, where that is known.
Test(conf_service, implicit_probes)
{
	struct model *m = load_text(
		"service one  { listen = '192.0.2.1:80' real a { address = 10.1.1.1 }"
		" backup b { address = 10.1.1.2 } sorry { address = 10.1.1.3 } real l { forward = local } }"
		"service two  { listen = { '192.0.2.1:81', '192.0.2.1:82' } real a { address = 10.1.1.1 }"
		" real p { address = 10.1.1.2 port = 80 } }"
		"service name { listen = '192.0.2.1:53' protocol = udp real a { address = 10.1.1.1 } }"
		"service both { listen = '192.0.2.2:53' protocol = { udp, tcp } real a { address = 10.1.1.1 "
		"} }");
	cr_assert_eq(m->n_probes, 2);
	const struct model_service *s = m->services;
	cr_expect_str_eq(probe_of(m, &s[0].reals[0], 0)->name, "own-port");
	cr_expect_eq(s[0].reals[0].need, 1);
	cr_expect(probe_of(m, &s[0].reals[0], 0)->type == PROBE_TCP);
	cr_expect(probe_of(m, &s[0].reals[0], 0)->own_port && !probe_of(m, &s[0].reals[0], 0)->port);
	cr_expect_eq(s[0].reals[1].n_probes, 0, "a listener on this host has no address to ask");
	cr_expect_eq(s[0].reals[1].need, 0);
	cr_expect_str_eq(probe_of(m, &s[0].reals[2], 0)->name, "own-port", "a dead backup is of no use");
	cr_expect_eq(s[0].reals[3].n_probes, 0, "the sorry server is the last resort in any case");
	cr_expect_str_eq(probe_of(m, &s[1].reals[0], 0)->name, "own-address");
	cr_expect_eq(probe_of(m, &s[1].reals[0], 0)->type, PROBE_ICMP);
	cr_expect_str_eq(probe_of(m, &s[1].reals[1], 0)->name, "own-port");
	cr_expect_str_eq(probe_of(m, &s[2].reals[0], 0)->name, "own-address");
	cr_expect_str_eq(probe_of(m, &s[3].reals[0], 0)->name, "own-port");
	model_free(m);
}

Test(conf_service, own_section_replaces_an_implicit_probe)
{
	struct model *m = load_text("probe own-port { type = tcp interval = 3s }"
				    "service one { listen = '192.0.2.1:80' real a { address = 10.1.1.1 } }");
	cr_assert_eq(m->n_probes, 1);
	cr_expect_eq(probe_of(m, &m->services[0].reals[0], 0)->interval_ms, 3000);
	model_free(m);
}

Test(conf_service, probes)
{
	struct model *m = load_text(
		"probe web { type = http } probe fixed { type = https port = 443 } probe ping { }"
		"service one { listen = '192.0.2.1:80' probes = { web, ping } need = 1"
		" real a { address = 10.1.1.1 } real b { address = 10.1.1.2 probes = fixed }"
		" real c { address = 10.1.1.3 need = 2 } backup d { address = 10.1.1.4 }"
		" sorry { address = 10.1.1.5 } }"
		"service two { listen = '192.0.2.2:80' real a { address = 10.1.1.1 probes = { ping, web } }"
		" sorry { address = 10.1.1.5 probes = ping } }");
	const struct model_real *one = m->services[0].reals, *two = m->services[1].reals;
	cr_assert_eq(m->n_probes, 3);
	cr_expect(one[0].n_probes == 2 && one[0].need == 1);
	cr_expect_str_eq(probe_of(m, &one[0], 0)->name, "web");
	cr_expect(probe_of(m, &one[0], 0)->own_port && probe_of(m, &one[0], 0)->port == 80);
	cr_expect(one[1].n_probes == 1 && one[1].need == 1);
	cr_expect(!probe_of(m, &one[1], 0)->own_port && probe_of(m, &one[1], 0)->port == 443);
	cr_expect(one[2].n_probes == 2 && one[2].need == 2);
	cr_expect(one[3].n_probes == 2 && one[3].need == 1);
	cr_expect_eq(one[4].n_probes, 0, "the service's probes are not the sorry server's");
	cr_expect(two[0].n_probes == 2 && two[0].need == 2, "all of them");
	cr_expect(two[1].n_probes == 1 && two[1].need == 1);
	model_free(m);
}

Test(conf_service, ports_of_reals)
{
	struct model *m = load_text("service one { listen = { '192.0.2.1:80', '[2001:db8::1]:80' }"
				    " real a { address = 10.1.1.1 } real b { address = 10.1.1.2 port = 81 } }"
				    "service two { listen = { '192.0.2.2:80', '192.0.2.2:81' }"
				    " real a { address = 10.1.1.1 } real b { address = 10.1.1.2 port = 82 } }"
				    "service any { listen = '192.0.2.3:*' real a { address = 10.1.1.1 } }");
	const struct model_service *s = m->services;
	cr_expect_eq(model_real_port(&s[0], &s[0].reals[0]), 80);
	cr_expect_eq(model_real_port(&s[0], &s[0].reals[1]), 81);
	cr_expect_eq(model_real_port(&s[1], &s[1].reals[0]), 0);
	cr_expect_eq(model_real_port(&s[1], &s[1].reals[1]), 82);
	cr_expect_eq(model_real_port(&s[2], &s[2].reals[0]), 0);
	model_free(m);
}

Test(conf_service, with_either_of_lan_and_gateway)
{
	model_free(load_text("lan { interfaces = eth0 }"
			     "service a { listen = '192.0.2.1:80' real a { address = 10.1.1.1 } }"));
	struct model *m = load_text("gateway fiber { interface = eth1 }"
				    "service a { listen = '192.0.2.1:80' real a { address = 10.1.1.1 } }");
	cr_expect_eq(m->lan.n_interfaces, 0);
	cr_expect_eq(m->balances[0].n_uses, 1);
	model_free(m);
}

// ---- many ------------------------------------------------------------------------------------

#define MANY 20        // services
#define MANY_REALS 100 // of each: more than libconfuse reads at a time

static char *many_text(const char *last)
{
	struct buf text = {0};
	for (int s = 0; s < MANY; s++) {
		buf_printf(&text, "service s%d { listen = 192.0.2.%d:80 probes = none\n", s, s + 1);
		for (int r = 0; r < MANY_REALS; r++)
			buf_printf(&text, "real r%d { address = 10.0.%d.%d port = 8080 weight = %d }\n", r, s,
				   r + 1, r + 1);
		buf_puts(&text, "}\n");
	}
	buf_puts(&text, last);
	return text.text;
}

Test(conf_service, of_many_each_keeps_its_own)
{
	char *text = many_text("on-exit = remove\n"), address[32];
	struct model *m = load_text(text);
	cr_assert_eq(m->n_services, MANY);
	cr_expect(m->globals.remove_on_exit);
	for (int s = 0; s < MANY; s++) {
		cr_assert_eq(m->services[s].n_reals, MANY_REALS);
		cr_expect_eq(m->services[s].line, s * (MANY_REALS + 2) + 1);
		for (int r = 0; r < MANY_REALS; r++) {
			const struct model_real *real = &m->services[s].reals[r];
			snprintf(address, sizeof(address), "10.0.%d.%d", s, r + 1);
			expect_addr(&real->address, address);
			cr_expect_eq(real->weight, (unsigned)r + 1);
			cr_expect_eq(real->line, s * (MANY_REALS + 2) + r + 2);
		}
	}
	model_free(m);
	free(text);
}

Test(conf_service, of_many_each_keeps_its_line)
{
	char *text = many_text("service s3 {\nlisten = 192.0.2.200:80\nreal a { address = 10.1.1.1\n"
			       "weight = much } }\n");
	struct buf report = {0};
	struct model *m;
	cr_expect_eq(conf_load_text("many.conf", text, strlen(text), &m, &report), -EINVAL);
	cr_expect_str_eq(
		buf_text(&report),
		"many.conf:2041: service s3: this section is given twice: the first one is in line 307\n"
		"many.conf:2044: service s3 real a: weight = much: not a number: use 0 to 65535\n");
	buf_free(&report);
	free(text);
}
