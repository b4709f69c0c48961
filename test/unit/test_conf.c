// SPDX-License-Identifier: GPL-2.0-or-later
// Good configurations, field by field: every option, every default, every way to write a list.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void expect_prefix(const struct prefix *p, const char *text)
{
	char got[PREFIX_TEXT];
	cr_expect_str_eq(prefix_text(p, got), text);
}

static const char smallest[] = "lan { interfaces = { eth0 } }\n"
			       "gateway fiber { interface = eth1  weight = 10 }\n"
			       "gateway dsl   { interface = ppp0  weight = 3 }\n";

Test(conf, default_globals)
{
	struct model *m = load_text(smallest);
	cr_expect_str_eq(m->path, "test.conf");
	cr_expect_eq(m->globals.mark_mask, 0xff000000);
	cr_expect_eq(m->globals.table_base, 1000);
	cr_expect_eq(m->globals.rule_priority, 10000);
	cr_expect(m->globals.fastpath);
	cr_expect(!m->globals.remove_on_exit);
	cr_expect_str_eq(m->globals.control, "/run/gwd/control.sock");
	cr_expect_str_eq(m->globals.control_group, "gwd");
	cr_expect_eq(m->lan.n_interfaces, 1);
	cr_expect_str_eq(m->lan.interfaces[0], "eth0");
	cr_expect_eq(m->lan.n_networks, 0);
	cr_expect_eq(m->lan.line, 1);
	model_free(m);
}

Test(conf, default_gateway)
{
	struct model *m = load_text(smallest);
	cr_assert_eq(m->n_gateways, 2);
	const struct model_gateway *gw = &m->gateways[0];
	cr_expect_str_eq(gw->name, "fiber");
	cr_expect_str_eq(gw->interface, "eth1");
	cr_expect_eq(gw->line, 2);
	cr_expect_eq(gw->weight, 10);
	cr_expect_eq(gw->failback, FAILBACK_STAY);
	cr_expect_eq(gw->slow_start_ms, 10000);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		cr_expect_eq(gw->addr_mode[fam], ADDR_MODE_AUTO);
		cr_expect_eq(gw->snat[fam].mode, SNAT_MASQUERADE);
	}
	cr_expect_eq(gw->n_probes, 1);
	cr_expect_eq(gw->need, 1);
	cr_expect_eq(gw->probes[0], 0);
	cr_expect_eq(m->gateways[1].weight, 3);
	cr_expect_eq(model_find_gateway(m, "dsl"), 1);
	model_free(m);
	m = load_text("lan { interfaces = eth0 } gateway a { interface = eth1 }");
	cr_expect_eq(m->gateways[0].weight, 1);
	model_free(m);
}

Test(conf, default_probe)
{
	struct model *m = load_text(smallest);
	cr_assert_eq(m->n_probes, 1);
	const struct model_probe *p = &m->probes[0];
	cr_expect_str_eq(p->name, "next-hop");
	cr_expect_eq(p->type, PROBE_ICMP);
	cr_expect_eq(p->n_targets, 0);
	cr_expect_eq(p->need, 1);
	cr_expect_eq(p->interval_ms, 1000);
	cr_expect_eq(p->fast_ms, 100);
	cr_expect_eq(p->timeout_ms, 300);
	cr_expect_eq(p->fall, 3);
	cr_expect_eq(p->rise, 3);
	cr_expect_eq(p->hold_ms, 5000);
	model_free(m);
}

Test(conf, default_balance_is_made)
{
	struct model *m = load_text(smallest);
	cr_assert_eq(m->n_balances, 1);
	const struct model_balance *b = &m->balances[m->default_balance];
	cr_expect_str_eq(b->name, "default");
	cr_expect_eq(b->scheduler, SCHED_WRR);
	cr_expect_eq(b->persistence_ms, 300000);
	cr_expect_eq(b->persist_by, PERSIST_SOURCE);
	cr_expect_eq(b->persist_mask[FAM_4], 32);
	cr_expect_eq(b->persist_mask[FAM_6], 128);
	cr_assert_eq(b->n_uses, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(b->uses[i].gateway, i);
		cr_expect_eq(b->uses[i].tier, 1);
		cr_expect_eq(b->uses[i].weight, m->gateways[i].weight);
	}
	model_free(m);
}

Test(conf, written_default_balance)
{
	struct model *m = load_text("lan { interfaces = eth0 } gateway a { interface = eth1 weight = 7 }"
				    "balance first { } balance default { }"
				    "rule r { to = 192.0.2.1 balance = first }");
	cr_assert_eq(m->n_balances, 2);
	cr_expect_eq(m->default_balance, 1);
	cr_expect_eq(m->balances[1].persistence_ms, 0, "off unless given");
	cr_expect_eq(m->balances[1].scheduler, SCHED_WRR);
	cr_expect_eq(m->balances[1].n_uses, 1);
	cr_expect_eq(m->balances[1].uses[0].weight, 7);
	cr_expect_eq(m->rules[0].target, RULE_BALANCE);
	cr_expect_eq(m->rules[0].balance, 0);
	model_free(m);
}

Test(conf, every_global)
{
	struct model *m =
		load_text("mark-mask = 0x00003f00\n"
			  "table-base = 20000 rule-priority = 0x100 fastpath = off\n"
			  "on-exit = remove control = '/tmp/a b.sock' control-group = \"\"\n"
			  "lan { interfaces = { eth0, 'vlan*', eth0 }\n"
			  "      networks = { 10.0.0.0/8, 10.1.0.0/16, 2001:db8::/32, 192.0.2.1 } }\n"
			  "gateway a { interface = eth1 }");
	cr_expect_eq(m->globals.mark_mask, 0x3f00);
	cr_expect_eq(m->globals.table_base, 20000);
	cr_expect_eq(m->globals.rule_priority, 256);
	cr_expect(!m->globals.fastpath);
	cr_expect(m->globals.remove_on_exit);
	cr_expect_str_eq(m->globals.control, "/tmp/a b.sock");
	cr_expect_str_eq(m->globals.control_group, "");
	cr_assert_eq(m->lan.n_interfaces, 2);
	cr_expect_str_eq(m->lan.interfaces[1], "vlan*");
	cr_assert_eq(m->lan.n_networks, 3, "a prefix inside another one is not needed");
	expect_prefix(&m->lan.networks[0], "10.0.0.0/8");
	expect_prefix(&m->lan.networks[1], "192.0.2.1");
	expect_prefix(&m->lan.networks[2], "2001:db8::/32");
	model_free(m);
}

Test(conf, every_probe_option)
{
	struct model *m =
		load_text("lan { interfaces = eth0 }\n"
			  "probe p { type = icmp targets = { 1.1.1.1, 9.9.9.9, 2001:db8::1, 2001:db8::2 }\n"
			  " need = 2 interval = 2m fast = 50ms timeout = 1s fall = 5 rise = 1 hold = 0s }\n"
			  "gateway a { interface = eth1 probes = p }");
	cr_assert_eq(m->n_probes, 1, "the next-hop probe is not needed");
	const struct model_probe *p = &m->probes[0];
	cr_expect_str_eq(p->name, "p");
	cr_expect_eq(p->line, 2);
	cr_assert_eq(p->n_targets, 4);
	expect_addr(&p->targets[0], "1.1.1.1");
	expect_addr(&p->targets[3], "2001:db8::2");
	cr_expect_eq(p->need, 2);
	cr_expect_eq(p->interval_ms, 120000);
	cr_expect_eq(p->fast_ms, 50);
	cr_expect_eq(p->timeout_ms, 1000);
	cr_expect_eq(p->fall, 5);
	cr_expect_eq(p->rise, 1);
	cr_expect_eq(p->hold_ms, 0);
	model_free(m);
}

Test(conf, fast_is_never_slower_than_interval)
{
	struct model *m = load_text("lan { interfaces = eth0 } probe p { interval = 40ms }"
				    "gateway a { interface = eth1 probes = p }");
	cr_expect_eq(m->probes[0].fast_ms, 40);
	model_free(m);
}

Test(conf, fast_detection_of_the_targets_has_no_warning)
{
	model_free(load_text("lan { interfaces = eth0 } probe p { interval = 100ms fast = 100ms }"
			     "gateway a { interface = eth1 probes = p }"));
}

Test(conf, own_next_hop_probe_replaces_ours)
{
	struct model *m = load_text("lan { interfaces = eth0 } probe next-hop { interval = 3s }"
				    "gateway a { interface = eth1 }");
	cr_assert_eq(m->n_probes, 1);
	cr_expect_eq(m->probes[0].interval_ms, 3000);
	cr_expect_eq(m->gateways[0].probes[0], 0);
	model_free(m);
}

Test(conf, every_gateway_option)
{
	struct model *m =
		load_text("lan { interfaces = eth0 }\n"
			  "probe p { targets = 1.1.1.1 } probe q { targets = 9.9.9.9 }\n"
			  "gateway a { interface = eth1.7 address = 203.0.113.1 address6 = fe80::1\n"
			  " snat = '203.0.113.8-203.0.113.15' snat6 = 2001:db8::8 weight = 0\n"
			  " probes = { q, p } need = 1 failback = reset }\n"
			  "gateway b { interface = ppp0 address = none snat6 = none probes = p }\n"
			  "gateway c { interface = eth2 address6 = none snat = none slow-start = 300ms }\n");
	const struct model_gateway *a = &m->gateways[0], *b = &m->gateways[1], *c = &m->gateways[2];
	cr_expect_str_eq(a->interface, "eth1.7");
	cr_expect_eq(a->addr_mode[FAM_4], ADDR_MODE_STATIC);
	expect_addr(&a->address[FAM_4], "203.0.113.1");
	cr_expect_eq(a->addr_mode[FAM_6], ADDR_MODE_STATIC);
	expect_addr(&a->address[FAM_6], "fe80::1");
	cr_expect_eq(a->snat[FAM_4].mode, SNAT_ADDRESS);
	expect_addr(&a->snat[FAM_4].first, "203.0.113.8");
	expect_addr(&a->snat[FAM_4].last, "203.0.113.15");
	expect_addr(&a->snat[FAM_6].first, "2001:db8::8");
	expect_addr(&a->snat[FAM_6].last, "2001:db8::8");
	cr_expect_eq(a->weight, 0);
	cr_assert_eq(a->n_probes, 2);
	cr_expect_eq(a->probes[0], 1);
	cr_expect_eq(a->probes[1], 0);
	cr_expect_eq(a->need, 1);
	cr_expect_eq(a->failback, FAILBACK_RESET);
	cr_expect_eq(a->slow_start_ms, 0);
	cr_expect_eq(c->slow_start_ms, 300);
	cr_expect_eq(b->addr_mode[FAM_4], ADDR_MODE_NONE);
	cr_expect_eq(b->addr_mode[FAM_6], ADDR_MODE_AUTO);
	cr_expect_eq(b->snat[FAM_6].mode, SNAT_NONE);
	cr_expect_eq(b->need, 1);
	cr_expect_eq(c->addr_mode[FAM_6], ADDR_MODE_NONE);
	cr_expect_eq(c->snat[FAM_4].mode, SNAT_NONE);
	cr_assert_eq(m->n_probes, 3);
	cr_expect_str_eq(m->probes[2].name, "next-hop");
	cr_expect_eq(c->probes[0], 2);
	model_free(m);
}

Test(conf, need_defaults_to_all_probes)
{
	struct model *m = load_text("lan { interfaces = eth0 } probe p { targets = 1.1.1.1 }"
				    "probe q { targets = 9.9.9.9 }"
				    "gateway a { interface = eth1 probes = { p, q } }");
	cr_expect_eq(m->gateways[0].need, 2);
	model_free(m);
}

// Nobody can tell whose default route an interface's is that two gateways share.
Test(conf, shared_interface_takes_no_route_of_the_other_family)
{
	struct model *m = load_text("lan { interfaces = eth0 }"
				    "gateway a { interface = eth1 address = 192.0.2.1 }"
				    "gateway b { interface = eth1 address = 192.0.2.2 address6 = fe80::2 }"
				    "gateway c { interface = eth1 address6 = fe80::3 }"
				    "gateway d { interface = eth2 address = 192.0.2.1 }");
	cr_expect_eq(m->gateways[0].addr_mode[FAM_6], ADDR_MODE_NONE);
	cr_expect_eq(m->gateways[1].addr_mode[FAM_6], ADDR_MODE_STATIC);
	cr_expect_eq(m->gateways[2].addr_mode[FAM_4], ADDR_MODE_NONE);
	cr_expect_eq(m->gateways[3].addr_mode[FAM_6], ADDR_MODE_AUTO);
	model_free(m);
}

Test(conf, every_balance_option)
{
	struct model *m =
		load_text("lan { interfaces = eth0 }"
			  "gateway a { interface = eth1 weight = 5 } gateway b { interface = eth2 }"
			  "gateway c { interface = eth3 }"
			  "balance default { scheduler = fo persistence = 1h persist-by = source-destination"
			  " persist-mask = 24 persist-mask6 = 64 gateways = { b, a }"
			  " use c { tier = 2 weight = 9 } use a { tier = 3 } }");
	const struct model_balance *b = &m->balances[0];
	cr_expect_eq(b->scheduler, SCHED_FO);
	cr_expect_eq(b->persistence_ms, 3600000);
	cr_expect_eq(b->persist_by, PERSIST_SOURCE_DESTINATION);
	cr_expect_eq(b->persist_mask[FAM_4], 24);
	cr_expect_eq(b->persist_mask[FAM_6], 64);
	cr_assert_eq(b->n_uses, 3);
	cr_expect_eq(b->uses[0].gateway, 1);
	cr_expect_eq(b->uses[0].tier, 1);
	cr_expect_eq(b->uses[1].gateway, 0, "a use section says more about a listed gateway");
	cr_expect_eq(b->uses[1].tier, 3);
	cr_expect_eq(b->uses[1].weight, 5);
	cr_expect_eq(b->uses[2].gateway, 2);
	cr_expect_eq(b->uses[2].tier, 2);
	cr_expect_eq(b->uses[2].weight, 9);
	model_free(m);
}

Test(conf, use_sections_alone_are_the_members)
{
	struct model *m = load_text("lan { interfaces = eth0 } gateway a { interface = eth1 }"
				    "gateway b { interface = eth2 } balance default { use b { } }");
	cr_assert_eq(m->balances[0].n_uses, 1);
	cr_expect_eq(m->balances[0].uses[0].gateway, 1);
	model_free(m);
}

Test(conf, schedulers)
{
	static const enum scheduler all[] = {SCHED_RR, SCHED_WRR, SCHED_RANDOM, SCHED_SH, SCHED_DH, SCHED_FO};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[200];
		snprintf(text, sizeof(text),
			 "lan { interfaces = eth0 } gateway a { interface = eth1 } balance default { "
			 "scheduler = %s }",
			 scheduler_name(all[i]));
		struct model *m = load_text(text);
		cr_expect_eq(m->balances[0].scheduler, all[i]);
		model_free(m);
	}
}

Test(conf, every_rule_option)
{
	struct model *m = load_text(
		"lan { interfaces = { eth0, 'vlan*' } } gateway a { interface = eth1 }\n"
		"rule one { from = 10.0.0.0/8 to = { 192.0.2.0/24, 198.51.100.7 }\n"
		" protocol = { tcp, udp, 132, tcp } ports = { 80, '8000-8099', '8100-8200', 8050, 81, 443 }\n"
		" sports = '1024-65535' dscp = { ef, af11, cs7, 0, 46 } interface = 'vlan1*'\n"
		" mark = 0x10/0xf0 strict = yes gateway = a }\n"
		"rule two { own = yes mark = 7 balance = default }\n"
		"rule three { bypass = yes ports = 53 }\n");
	cr_assert_eq(m->n_rules, 3);
	const struct model_rule *r = &m->rules[0];
	cr_expect_str_eq(r->name, "one");
	cr_expect_eq(r->line, 2);
	cr_assert_eq(r->n_from, 1);
	expect_prefix(&r->from[0], "10.0.0.0/8");
	cr_assert_eq(r->n_to, 2);
	expect_prefix(&r->to[1], "198.51.100.7");
	cr_assert_eq(r->n_protocols, 3);
	cr_expect_eq(r->protocols[2], IPPROTO_SCTP);
	cr_assert_eq(r->n_ports, 3, "sorted, without overlap");
	cr_expect(r->ports[0].first == 80 && r->ports[0].last == 81);
	cr_expect(r->ports[1].first == 443 && r->ports[1].last == 443);
	cr_expect(r->ports[2].first == 8000 && r->ports[2].last == 8200);
	cr_assert_eq(r->n_sports, 1);
	cr_expect(r->sports[0].first == 1024 && r->sports[0].last == 65535);
	cr_assert_eq(r->n_dscp, 4);
	cr_expect_arr_eq(r->dscp, ((uint8_t[]){46, 10, 56, 0}), 4);
	cr_assert_eq(r->n_interfaces, 1);
	cr_expect_str_eq(r->interfaces[0], "vlan1*");
	cr_expect(r->has_mark && r->mark == 0x10 && r->mark_mask == 0xf0);
	cr_expect(r->strict && !r->own);
	cr_expect_eq(r->target, RULE_GATEWAY);
	cr_expect_eq(r->gateway, 0);
	r = &m->rules[1];
	cr_expect(r->own && !r->strict);
	cr_expect(r->has_mark && r->mark == 7 && r->mark_mask == 0x00ffffff, "all bits but gwd's own");
	cr_expect_eq(r->target, RULE_BALANCE);
	cr_expect_eq(r->balance, m->default_balance);
	cr_expect_eq(m->rules[2].target, RULE_BYPASS);
	cr_expect_eq(m->rules[2].n_protocols, 0);
	model_free(m);
}

Test(conf, rules_keep_their_order)
{
	struct model *m = load_text("lan { interfaces = eth0 } gateway a { interface = eth1 }"
				    "rule z { dscp = 1 gateway = a } rule y { dscp = 2 gateway = a }"
				    "balance q { } rule x { dscp = 3 balance = q }");
	cr_expect_str_eq(m->rules[0].name, "z");
	cr_expect_str_eq(m->rules[1].name, "y");
	cr_expect_str_eq(m->rules[2].name, "x");
	model_free(m);
}

Test(conf, append_adds_to_a_list)
{
	struct model *m = load_text("lan { interfaces = eth0 interfaces += { eth2, 'vlan*' } }"
				    "gateway a { interface = eth1 }");
	cr_expect_eq(m->lan.n_interfaces, 3);
	model_free(m);
}

Test(conf, strings_and_escapes)
{
	struct model *m = load_text("control = \"/a\\x20\\\"\\142\\\\\" lan { interfaces = \"e\\164h0\" }\n"
				    "control-group = 'a\\'b' gateway a { interface = 'w\\n1' }");
	cr_expect_str_eq(m->globals.control, "/a \"b\\");
	cr_expect_str_eq(m->globals.control_group, "a'b");
	cr_expect_str_eq(m->lan.interfaces[0], "eth0");
	cr_expect_str_eq(m->gateways[0].interface, "w\\n1", "'…' knows no \\n");
	model_free(m);
}

Test(conf, words_as_libconfuse_reads_them)
{
	struct model *m =
		load_text("lan{interfaces={eth0,vlan*}}//x\ngateway a{interface=eth1/**/weight=2#y\n}");
	cr_expect_str_eq(m->lan.interfaces[1], "vlan*");
	cr_expect_eq(m->gateways[0].weight, 2);
	model_free(m);
}

Test(conf, a_file_that_is_not_there)
{
	struct buf report = {0};
	struct model *model;
	cr_expect_eq(conf_load("/nowhere/gwd.conf", &model, &report), -ENOENT);
	cr_expect_null(model);
	cr_expect_str_eq(buf_text(&report),
			 "/nowhere/gwd.conf: configuration: can't be read: No such file or directory\n");
	buf_clear(&report);
	cr_expect_eq(conf_load("/", &model, &report), -EISDIR);
	buf_free(&report);
}

Test(conf, a_file_without_end)
{
	char path[] = "/tmp/gwd-test-XXXXXX";
	char want[100];
	struct buf report = {0};
	struct model *model;
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (16 << 20) + 1), 0);
	close(fd);
	cr_expect_eq(conf_load(path, &model, &report), -EFBIG);
	snprintf(want, sizeof(want), "%s: configuration: can't be read: More than 16 MiB\n", path);
	cr_expect_str_eq(buf_text(&report), want);
	unlink(path);
	buf_free(&report);
}

Test(conf, the_sample_is_clean)
{
	struct buf report = {0};
	struct model *model;
	cr_expect_eq(conf_load("conf/gwd.conf", &model, &report), 0);
	cr_expect_str_eq(buf_text(&report), "");
	model_free(model);
	buf_free(&report);
}
