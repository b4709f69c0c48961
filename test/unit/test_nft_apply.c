// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel side, against the kernel: each test in a network namespace of its own (a user's own, if
// not run by root). Where the kernel has no owned and persistent tables (before 6.9) the table
// lies open to others, and the tests expect that instead.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/core/diff.h"
#include "gwd/core/names.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_netns.h"

// ---- around ------------------------------------------------------------------------------------

static bool shell(const char *command)
{
	char line[1024];
	snprintf(line, sizeof(line), "{ %s; } >/dev/null 2>&1", command);
	return system(line) == 0;
}

static struct nft *open_nft(void)
{
	struct err err;
	struct nft *nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	return nft;
}

static int apply(struct nft *nft, const struct plan *from, const struct plan *to, struct err *err)
{
	struct op only[4096];
	struct ops ops = {0};
	size_t n = 0;
	err->text[0] = 0;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL && n < ARRAY_SIZE(only))
			only[n++] = *op;
	int code = nft_apply(nft, to, only, n, err);
	ops_free(&ops);
	return code;
}

static void must_apply(struct nft *nft, const struct plan *from, const struct plan *to)
{
	struct err err;
	int code = apply(nft, from, to, &err);
	cr_assert_eq(code, 0, "%d: %s", code, err.text);
}

// What is read back differs in nothing from the plan.
static void expect_in_force(struct nft *nft, const struct plan *plan)
{
	char text[256] = "";
	struct err err;
	struct plan read = {0};
	struct ops ops = {0};
	int code = nft_read(nft, &read, &err);
	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	plan_diff(&ops, &read, plan);
	size_t n = 0;
	vec_each(&ops.op, op) {
		if (op->kind < OP_CHAINS || op->kind > OP_TABLE_DEL)
			continue;
		if (!n++)
			op_text(op, text, sizeof(text));
	}
	cr_expect_eq(n, 0, "%zu operations would be left, the first: %s", n, text);
	cr_expect_eq(read.active, plan->active);
	ops_free(&ops);
	plan_free(&read);
}

static const struct plan nothing;

static struct fixture *pinned(unsigned n)
{
	struct fixture *f = fixture_new(n);
	f->balances[0].persistence_ms = 300000;
	return f;
}

// ---- apply and read back -------------------------------------------------------------------------

Test(nft_apply, what_was_applied_is_read_back_gateways_too)
{
	struct fixture *f = pinned(3);
	struct plan plan = {0}, read = {0};
	struct prefix networks[4];
	struct err err;
	nft_netns_enter();
	struct nft *nft = open_nft();
	cr_assert(prefix_parse("10.0.0.0/9", &networks[0]) && prefix_parse("10.128.0.0/9", &networks[1]) &&
		  prefix_parse("fd00::/8", &networks[2]) && prefix_parse("128.0.0.0/1", &networks[3]));
	f->model.lan.networks = networks;
	f->model.lan.n_networks = 4;
	fixture_build(f, &plan);
	expect_in_force(nft, &nothing);
	must_apply(nft, &nothing, &plan);
	expect_in_force(nft, &plan);
	cr_assert_eq(nft_read(nft, &read, &err), 0);
	cr_assert_eq(read.gateways.n, 3);
	vec_each(&plan.gateways, gw) {
		bool found = false;
		vec_each(&read.gateways, old)
			found |= !strcmp(old->name, gw->name) && old->id == gw->id && old->mark == gw->mark;
		cr_expect(found, "%s", gw->name);
	}
	plan_free(&read);
	plan_free(&plan);
	nft_close(nft);
	fixture_free(f);
}

static void random_nets(struct facts *facts)
{
	facts->nets.n = 0;
	facts->policy_routed = rand() % 16 == 0;
	for (size_t n = (size_t)rand() % 8; n--;) {
		struct fact_net net = {.oif = 2 + (uint32_t)rand() % 6, .local = rand() % 4 == 0};
		enum fam fam = (enum fam)(rand() % FAM_COUNT);
		uint8_t bytes[16] = {10, (uint8_t)(rand() % 4 * 0x40), (uint8_t)rand()};
		net.to =
			(struct prefix){.addr = addr_from(fam_af(fam), bytes), .len = (uint8_t)(rand() % 25)};
		addr_mask(&net.to.addr, net.to.len);
		vec_push(&facts->nets, net);
	}
}

// Through random changes of who is there, who is alive and where main leads, always by the difference alone.
Test(nft_apply, any_difference_leads_from_one_plan_to_the_next)
{
	struct fixture *f = fixture_new(5);
	struct plan now = {0};
	nft_netns_enter();
	struct nft *nft = open_nft();
	srand(5);
	for (int round = 0; round < 60; round++) {
		struct plan next = {0};
		if (round % 7 == 0) {
			f->model.n_gateways = f->balances[0].n_uses = 1 + (size_t)rand() % 5;
			f->balances[0].persistence_ms = rand() % 2 ? 60000 : 0;
			f->balances[0].persist_by = rand() % 2 ? PERSIST_SOURCE : PERSIST_SOURCE_DESTINATION;
			f->balances[0].scheduler = (enum scheduler)(rand() % (SCHED_FO + 1));
		}
		for (size_t i = 0; i < 5; i++)
			fixture_verdict(f, i, rand() % 3 ? STATE_UP : STATE_DOWN);
		random_nets(&f->facts);
		fixture_build(f, &next);
		must_apply(nft, &now, &next);
		expect_in_force(nft, &next);
		plan_free(&now);
		now = next;
	}
	plan_free(&now);
	nft_close(nft);
	fixture_free(f);
}

static size_t count_names(const char *what, const char *prefix)
{
	char command[128], line[256];
	size_t n = 0;
	snprintf(command, sizeof(command), "nft list table inet gwd | grep -c '%s %s'", what, prefix);
	FILE *f = popen(command, "re");
	if (f && fgets(line, sizeof(line), f))
		n = strtoul(line, NULL, 10);
	if (f)
		pclose(f);
	return n;
}

Test(nft_apply, what_is_no_longer_used_is_swept)
{
	struct fixture *f = pinned(3);
	struct plan three = {0}, two = {0};
	nft_netns_enter();
	struct nft *nft = open_nft();
	fixture_build(f, &three);
	f->model.n_gateways = f->balances[0].n_uses = 2;
	f->balances[0].persistence_ms = 0;
	fixture_build(f, &two);
	must_apply(nft, &nothing, &three);
	cr_expect_eq(count_names("counter", "new"), 3);
	cr_expect_eq(count_names("chain", "take"), 3);
	cr_expect_eq(count_names("map", "pin"), 2);
	must_apply(nft, &three, &two);
	cr_expect_eq(count_names("counter", "new"), 2);
	cr_expect_eq(count_names("chain", "take"), 2);
	cr_expect_eq(count_names("map", "pin"), 0);
	cr_expect_eq(count_names("chain", "shape"), 1);
	plan_free(&three);
	plan_free(&two);
	nft_close(nft);
	fixture_free(f);
}

static void count_pin(void *arg, const uint8_t *key, unsigned key_size, uint32_t mark, uint64_t expires_ms)
{
	size_t *n = arg;
	const uint8_t client[4] = {10, 0, 0, 1};
	cr_expect_eq(key_size, 4);
	cr_expect(!memcmp(key, client, 4) && mark == 0x05000000);
	cr_expect(expires_ms > 3500000 && expires_ms <= 3600000, "%llu", (unsigned long long)expires_ms);
	++*n;
}

static void see_orphans(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	if (!strcmp(name, "orphan"))
		*(uint64_t *)arg = packets * 1000 + bytes;
}

Test(nft_apply, new_chains_keep_pins_and_counters)
{
	struct fixture *f = pinned(2);
	struct plan before = {0}, after = {0};
	struct err err;
	size_t pins = 0;
	uint64_t orphans = 0;
	nft_netns_enter();
	struct nft *nft = open_nft();
	// a counter that has counted, and a pin: put there before the table gets an owner
	cr_assert(shell(
		"nft add table inet gwd && nft add counter inet gwd orphan packets 3 bytes 180 && nft add "
		"map inet gwd pin4.default '{ type ipv4_addr : mark; size 131072; flags dynamic,timeout; }' "
		"&& nft add element inet gwd pin4.default '{ 10.0.0.1 timeout 1h : 0x05000000 }'"));
	fixture_build(f, &before);
	must_apply(nft, &nothing, &before);
	f->balances[0].scheduler = SCHED_SH;
	fixture_build(f, &after);
	cr_assert_neq(before.shape, after.shape);
	must_apply(nft, &before, &after);
	cr_expect_eq(nft_dump_pins(nft, "pin4.default", count_pin, &pins, &err), 0);
	cr_expect_eq(pins, 1);
	cr_expect_eq(nft_read_counters(nft, see_orphans, &orphans, &err), 0);
	cr_expect_eq(orphans, 3180);
	cr_expect_eq(nft_flush_set(nft, "pin4.default", &err), 0, "%s", err.text);
	cr_expect_eq(nft_dump_pins(nft, "pin4.default", count_pin, &pins, &err), 0);
	cr_expect_eq(pins, 1, "the pin is still there");
	cr_expect_eq(nft_dump_pins(nft, "pin4.nobody", count_pin, &pins, &err), -ENOENT);
	plan_free(&before);
	plan_free(&after);
	nft_close(nft);
	fixture_free(f);
}

Test(nft_apply, the_table_can_be_taken_away)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	nft_netns_enter();
	struct nft *nft = open_nft();
	fixture_build(f, &plan);
	must_apply(nft, &nothing, &plan);
	must_apply(nft, &plan, &nothing);
	cr_expect(!shell("nft list table inet gwd"));
	expect_in_force(nft, &nothing);
	must_apply(nft, &plan, &nothing); // and it may be gone already
	plan_free(&plan);
	nft_close(nft);
	fixture_free(f);
}

Test(nft_apply, a_large_map_is_loaded_and_read)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct plan_set *set;
	char chain[PLAN_NAME_SIZE];
	nft_netns_enter();
	struct nft *nft = open_nft();
	fixture_build(f, &plan);
	name_gateway_chain(chain, "take", &plan.gateways.v[0]);
	vec_add(&plan.sets, set);
	strcpy(set->name, "zzz");
	set->key[0] = PLAN_T_INDEX;
	set->data = PLAN_T_VERDICT;
	set->modulus = set->size = geteuid() ? 1000 : 40000;
	for (uint32_t i = 0; i < set->size; i++) {
		struct plan_elem elem = {0};
		uint32_t key = i;
		memcpy(elem.key, &key, sizeof(key));
		strcpy(elem.chain, chain);
		vec_push(&set->elems, elem);
	}
	must_apply(nft, &nothing, &plan);
	struct plan read = {0};
	struct err err;
	cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
	const struct plan_set *back = plan_find_set(&read, "zzz");
	cr_assert(back && back->elems.n == set->elems.n);
	for (size_t i = 0; i < back->elems.n; i++)
		cr_assert_str_eq(back->elems.v[i].chain, chain);
	plan_free(&read);
	plan_free(&plan);
	nft_close(nft);
	fixture_free(f);
}

// ---- services ----------------------------------------------------------------------------------------

static void random_real(struct model_service *service, size_t i)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	static const char *const addresses[] = {"10.0.0.11", "10.0.0.12", "fd00::11", "fd00::12"};
	bool local = rand() % 8 == 0;
	struct model_real *real =
		fixture_real(service, i < 2 ? ROLE_REAL : ROLE_BACKUP, names[i], local ? NULL : addresses[i],
			     rand() % 2 ? 8080 : 0, (unsigned)rand() % 4);
	if (!local && rand() % 2)
		real->forward = FORWARD_FULLNAT;
	real->max_connections = rand() % 3 ? 0 : 1 + (uint32_t)rand() % 100;
}

static void random_service(struct fixture *f, const char *name, const char *address4, const char *address6)
{
	static uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	struct model_service *service = fixture_service(f, name);
	service->protocols = protocols;
	service->n_protocols = 1 + (size_t)rand() % 3;
	service->scheduler = (enum scheduler)(rand() % (SCHED_NQ + 1));
	service->persistence_ms = rand() % 2 ? 90000 : 0;
	service->persist_mask[FAM_4] = rand() % 2 ? 24 : 32;
	service->limit_connections = (uint32_t)rand() % 2 * 5;
	service->limit_rate = (uint32_t)rand() % 2 * 7;
	service->ftp = service->n_protocols == 1 && rand() % 2;
	service->syn_proxy = service->n_protocols == 1 && rand() % 2;
	fixture_listen(service, address4, 80, 80);
	fixture_listen(service, address6, 80, 80);
	if (rand() % 2)
		fixture_listen(service, address4, 443, 443);
	if (rand() % 2)
		fixture_listen(service, address6, 1000, 2000);
	for (size_t i = 0; i < 4; i++)
		random_real(service, i);
}

// The fixture's interfaces, with the indices that it says.
static void make_devices(const struct fixture *f)
{
	char command[160];
	vec_each(&f->facts.ifaces, iface) {
		snprintf(command, sizeof(command),
			 "ip link add %s index %u type veth peer name peer%u index %u", iface->name,
			 iface->index, iface->index, iface->index + 100);
		cr_assert(shell(command), "%s", command);
	}
}

// All that table netdev can't do is left out, and reals go by dr.
static void make_direct(struct model_service *service)
{
	service->limit_connections = service->limit_rate = 0;
	service->ftp = service->syn_proxy = false;
	for (size_t i = 0; i < service->n_reals; i++) {
		struct model_real *real = &service->reals[i];
		real->max_connections = 0;
		if (real->forward != FORWARD_LOCAL && real->role != ROLE_SORRY && rand() % 4)
			real->forward = rand() % 3 ? FORWARD_DR : FORWARD_TUN;
	}
}

// Whatever services there are: loaded, read back, and listed by nft.
Test(nft_apply, services_of_every_kind_come_and_go)
{
	struct fixture *f = fixture_new(2);
	struct plan now = {0};
	nft_netns_enter();
	struct nft *nft = open_nft();
	make_devices(f);
	srand(11);
	for (int round = 0; round < 80; round++) {
		struct plan next = {0};
		if (round % 4 == 0) {
			f->model.n_services = 0;
			memset(f->services, 0, sizeof(f->services));
			for (int n = rand() % 3; n >= 0; n--)
				random_service(f, (const char *const[]){"web", "mail", "dns"}[n],
					       (const char *const[]){"198.51.100.10", "198.51.100.11",
								     "198.51.100.12"}[n],
					       (const char *const[]){"2001:db8::10", "2001:db8::11",
								     "2001:db8::12"}[n]);
			for (size_t i = 0; i < f->model.n_services; i++)
				if (rand() % 2)
					make_direct(&f->services[i]);
		}
		for (size_t i = 0; i < f->model.n_services; i++)
			for (size_t k = 0; k < 4; k++) {
				fixture_real_verdict(f, i, k, rand() % 3 ? STATE_UP : STATE_DOWN);
				f->real_now[i][k].full = rand() % 4 == 0;
				f->real_now[i][k].connections = (uint64_t)rand() % 10;
			}
		fixture_build(f, &next);
		must_apply(nft, &now, &next);
		expect_in_force(nft, &next);
		cr_assert(round % 4 || shell("nft list table inet gwd"), "nft can't list round %d", round);
		cr_assert_eq(shell("nft list table netdev gwd"), next.netdev, "round %d", round);
		plan_free(&now);
		now = next;
	}
	plan_free(&now);
	nft_close(nft);
	fixture_free(f);
}

// A device that goes takes its chain along (Linux 6.1) or leaves it behind; one that is made again is another one.
Test(nft_apply, devices_of_table_netdev_come_and_go)
{
	struct fixture *f = fixture_new(2);
	struct plan both = {0}, one = {0}, again = {0}, read = {0};
	struct err err;
	nft_netns_enter();
	make_devices(f);
	struct model_service *service = fixture_service(f, "web");
	static uint8_t tcp = IPPROTO_TCP;
	service->protocols = &tcp;
	service->n_protocols = 1;
	fixture_listen(service, "100.64.1.2", 80, 80);
	fixture_real(service, ROLE_REAL, "r1", "10.0.0.11", 0, 1)->forward = FORWARD_DR;
	struct nft *nft = open_nft();
	fixture_build(f, &both);
	must_apply(nft, &nothing, &both);
	expect_in_force(nft, &both);
	cr_assert(shell("ip link del wan2"));
	struct fact_iface gone = f->facts.ifaces.v[f->facts.ifaces.n - 1];
	f->facts.ifaces.n--;
	fixture_build(f, &one);
	cr_assert_eq(one.shape, both.shape, "a device is an element");
	int code = apply(nft, &both, &one, &err);
	cr_assert(code == 0 || code == -ERESTART, "%d: %s", code, err.text);
	cr_assert_eq(nft_read(nft, &read, &err), 0);
	must_apply(nft, &read, &one);
	expect_in_force(nft, &one);
	cr_assert(shell("ip link add wan2 index 77 type veth peer name again"));
	vec_push(&f->facts.ifaces, gone);
	f->facts.ifaces.v[f->facts.ifaces.n - 1].index = 77;
	fixture_build(f, &again);
	must_apply(nft, &one, &again);
	expect_in_force(nft, &again);
	cr_expect(shell("nft list chain netdev gwd ing.77 | grep -q 'device \"wan2\"'"));
	nft_close(nft); // without an owner somebody may take a rule away
	if (shell("nft flush chain netdev gwd ing.77")) {
		nft = open_nft();
		plan_free(&read);
		cr_assert_eq(nft_read(nft, &read, &err), 0);
		cr_expect_eq(read.shape, 0, "it was not noticed");
		must_apply(nft, &read, &again);
		expect_in_force(nft, &again);
		cr_assert_eq(nft_adopt(nft, &err), 0, "%s", err.text);
		must_apply(nft, &again, &nothing);
		cr_expect(!shell("nft list table netdev gwd"));
		nft_close(nft);
	}
	plan_free(&both);
	plan_free(&one);
	plan_free(&again);
	plan_free(&read);
	fixture_free(f);
}

// ---- refusals --------------------------------------------------------------------------------------

Test(nft_apply, a_refusal_names_what_was_refused_and_nothing_is_done)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct err err;
	struct plan_elem bad = {0}, good = {0};
	nft_netns_enter();
	struct nft *nft = open_nft();
	fixture_build(f, &plan);
	must_apply(nft, &nothing, &plan);
	const struct plan_set *class = plan_find_set(&plan, "class");
	memcpy(good.key, "eth7", 4);
	strcpy(good.chain, "lan");
	memcpy(bad.key, "eth8", 4);
	strcpy(bad.chain, "nowhere");
	const struct op ops[] = {{.kind = OP_ELEM_ADD, .set = class, .elem = &good},
				 {.kind = OP_ELEM_ADD, .set = class, .elem = &bad}};
	cr_expect_eq(nft_apply(nft, &plan, ops, 2, &err), -ENOENT);
	cr_expect_str_eq(err.text, "map class, element \"eth8\" : goto nowhere: No such file or directory");
	expect_in_force(nft, &plan); // not even the good one
	const struct op gone[] = {{.kind = OP_ELEM_DEL, .set = class, .elem = &bad}};
	cr_expect_eq(nft_apply(nft, &plan, gone, 1, &err), -ENOENT);
	cr_expect_str_eq(err.text, "map class, element \"eth8\" : goto nowhere: No such file or directory");
	plan_free(&plan);
	nft_close(nft);
	fixture_free(f);
}

Test(nft_apply, a_change_by_somebody_else_is_seen_before_anything_is_done)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0}, next = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = open_nft();
	fixture_build(f, &plan);
	must_apply(nft, &nothing, &plan);
	cr_assert(shell("nft add table inet other"));
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &next);
	cr_expect_eq(apply(nft, &plan, &next, &err), -ERESTART);
	expect_in_force(nft, &plan);
	must_apply(nft, &plan, &next);
	expect_in_force(nft, &next);
	plan_free(&plan);
	plan_free(&next);
	nft_close(nft);
	fixture_free(f);
}

// ---- others ------------------------------------------------------------------------------------------

Test(nft_apply, the_listener_tells_others_changes_of_our_table_from_all_else)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = open_nft();
	struct nft_listener *listener = nft_listener_open(nft, &err);
	cr_assert_not_null(listener, "%s", err.text);
	fixture_build(f, &plan);
	must_apply(nft, &nothing, &plan);
	cr_expect(!nft_listener_read(listener), "our own change");
	cr_assert(shell("nft add table inet other && nft add table ip gwd && nft add table inet gwd2"));
	cr_expect(!nft_listener_read(listener), "other tables");
	nft_close(nft); // without an owner the table lies open
	cr_assert(shell("nft add counter inet gwd foreign"));
	cr_expect(nft_listener_read(listener));
	cr_expect(!nft_listener_read(listener), "once is enough");
	cr_assert(shell("nft flush ruleset"));
	cr_expect(nft_listener_read(listener));
	nft_listener_close(listener);
	plan_free(&plan);
	fixture_free(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct plan_set *)a)->name, ((const struct plan_set *)b)->name);
}

static void add_many(struct plan *plan, uint32_t n)
{
	struct plan_set set = {.name = "many", .key = {PLAN_T_MARK}};
	for (uint32_t i = 0; i < n; i++) {
		struct plan_elem elem = {0};
		memcpy(elem.key, &i, sizeof(i));
		vec_push(&set.elems, elem);
	}
	vec_push(&plan->sets, set);
	qsort(plan->sets.v, plan->sets.n, sizeof(set), by_name);
}

// The kernel tells nobody of ours of that one.
Test(nft_apply, the_listener_hears_others_again_after_a_large_change_of_ours)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0}, more = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = open_nft();
	struct nft_listener *listener = nft_listener_open(nft, &err);
	cr_assert_not_null(listener, "%s", err.text);
	fixture_build(f, &plan);
	fixture_build(f, &more);
	add_many(&more, 20000);
	must_apply(nft, &nothing, &plan);
	must_apply(nft, &plan, &more);
	cr_expect(!nft_listener_read(listener), "our own change");
	must_apply(nft, &more, &plan);
	cr_expect(!nft_listener_read(listener), "nor the way back, in the generation that is known");
	nft_close(nft); // without an owner the table lies open
	cr_assert(shell("nft add counter inet gwd foreign"));
	cr_expect(nft_listener_read(listener));
	nft_listener_close(listener);
	plan_free(&plan);
	plan_free(&more);
	fixture_free(f);
}

Test(nft_apply, rules_that_somebody_took_away_or_added_are_put_right)
{
	static const char *const harms[] = {"nft flush chain inet gwd lan",
					    "nft insert rule inet gwd pre counter accept",
					    "nft flush table inet gwd", "nft delete table inet gwd"};
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	nft_netns_enter();
	fixture_build(f, &plan);
	for (size_t i = 0; i < ARRAY_SIZE(harms); i++) {
		struct plan read = {0};
		struct err err;
		struct nft *nft = open_nft();
		cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
		must_apply(nft, &read, &plan);
		plan_free(&read);
		nft_close(nft);
		nft = open_nft();
		expect_in_force(nft, &plan);
		cr_assert(shell(harms[i]), "%s", harms[i]);
		cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
		cr_expect_eq(read.shape, 0, "%s was not noticed", harms[i]);
		plan_free(&read);
		nft_close(nft);
	}
	plan_free(&plan);
	fixture_free(f);
}

Test(nft_apply, a_table_that_was_left_behind_is_adopted_and_a_used_one_is_not)
{
	struct fixture *f = pinned(2);
	struct plan plan = {0};
	struct err err;
	nft_netns_enter();
	struct nft *first = open_nft();
	fixture_build(f, &plan);
	cr_expect_eq(nft_adopt(first, &err), 0, "there is nothing to adopt");
	must_apply(first, &nothing, &plan);
	bool owned = !shell("nft add counter inet gwd foreign && nft delete counter inet gwd foreign");
	struct nft *second = open_nft();
	cr_expect_eq(nft_adopt(second, &err), owned ? -EBUSY : 0);
	expect_in_force(second, &plan); // it may look
	nft_close(first);
	cr_expect_eq(nft_adopt(second, &err), 0, "%s", err.text);
	expect_in_force(second, &plan);
	cr_expect_eq(!shell("nft delete table inet gwd"), owned);
	nft_close(second);
	plan_free(&plan);
	fixture_free(f);
}

// ---- nft's own view ----------------------------------------------------------------------------------

Test(nft_apply, nft_lists_it_and_takes_the_listing)
{
	struct fixture *f = pinned(3);
	struct plan plan = {0};
	char path[] = "/tmp/gwd-listing-XXXXXX", command[256];
	nft_netns_enter();
	int fd = mkstemp(path);
	cr_assert(fd >= 0);
	close(fd);
	f->balances[0].persist_mask[FAM_4] = 24;
	for (int by = 0; by < 2; by++) {
		f->balances[0].persist_by = by ? PERSIST_SOURCE_DESTINATION : PERSIST_SOURCE;
		struct nft *nft = open_nft();
		struct plan read = {0};
		struct err err;
		fixture_build(f, &plan);
		cr_assert_eq(nft_read(nft, &read, &err), 0);
		must_apply(nft, &read, &plan);
		snprintf(command, sizeof(command), "nft list ruleset > %s", path);
		cr_expect(system(command) == 0, "nft can't list it");
		// nft 1.0.6 lists pins by two IPv6 addresses, but can't compile them
		snprintf(command, sizeof(command),
			 "grep -v '[te] @pin6sd' %s | grep -v 'flags owner' | unshare -n nft -c -f -", path);
		cr_expect(system(command) == 0, "nft can't read its own listing");
		plan_free(&read);
		plan_free(&plan);
		nft_close(nft);
	}
	unlink(path);
	fixture_free(f);
}
