// SPDX-License-Identifier: GPL-2.0-or-later
// Plans become tables, and tables are read back.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/core/names.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_kernel.h"
#include "test/unit/nft_netns.h"

Test(nft_apply, what_was_applied_is_read_back_gateways_too)
{
	struct fixture *f = fixture_pinned(3);
	struct plan plan = {0}, read = {0};
	struct prefix networks[4];
	struct err err;
	nft_netns_enter();
	struct nft *nft = kernel_open();
	cr_assert(prefix_parse("10.0.0.0/9", &networks[0]) && prefix_parse("10.128.0.0/9", &networks[1]) &&
		  prefix_parse("fd00::/8", &networks[2]) && prefix_parse("128.0.0.0/1", &networks[3]));
	f->model.lan.networks = networks;
	f->model.lan.n_networks = 4;
	fixture_build(f, &plan);
	kernel_expect(nft, &kernel_nothing);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	kernel_expect(nft, &plan);
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
	struct nft *nft = kernel_open();
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
		kernel_must_apply(nft, &now, &next);
		kernel_expect(nft, &next);
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
	struct fixture *f = fixture_pinned(3);
	struct plan three = {0}, two = {0};
	nft_netns_enter();
	struct nft *nft = kernel_open();
	fixture_build(f, &three);
	f->model.n_gateways = f->balances[0].n_uses = 2;
	f->balances[0].persistence_ms = 0;
	fixture_build(f, &two);
	kernel_must_apply(nft, &kernel_nothing, &three);
	cr_expect_eq(count_names("counter", "new"), 3);
	cr_expect_eq(count_names("chain", "take"), 3);
	cr_expect_eq(count_names("map", "pin"), 2);
	kernel_must_apply(nft, &three, &two);
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
	struct fixture *f = fixture_pinned(2);
	struct plan before = {0}, after = {0};
	struct err err;
	size_t pins = 0;
	uint64_t orphans = 0;
	nft_netns_enter();
	struct nft *nft = kernel_open();
	// a counter that has counted, and a pin: put there before the table gets an owner
	cr_assert(kernel_does(
		"nft add table inet gwd && nft add counter inet gwd orphan packets 3 bytes 180 && nft add "
		"map inet gwd pin4.default '{ type ipv4_addr : mark; size 131072; flags dynamic,timeout; }' "
		"&& nft add element inet gwd pin4.default '{ 10.0.0.1 timeout 1h : 0x05000000 }'"));
	fixture_build(f, &before);
	kernel_must_apply(nft, &kernel_nothing, &before);
	f->balances[0].scheduler = SCHED_SH;
	fixture_build(f, &after);
	cr_assert_neq(before.shape, after.shape);
	kernel_must_apply(nft, &before, &after);
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
	struct nft *nft = kernel_open();
	fixture_build(f, &plan);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	kernel_must_apply(nft, &plan, &kernel_nothing);
	cr_expect(!kernel_does("nft list table inet gwd"));
	kernel_expect(nft, &kernel_nothing);
	kernel_must_apply(nft, &plan, &kernel_nothing); // and it may be gone already
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
	struct nft *nft = kernel_open();
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
	kernel_must_apply(nft, &kernel_nothing, &plan);
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

// ---- refusals --------------------------------------------------------------------------------

Test(nft_apply, a_refusal_names_what_was_refused_and_nothing_is_done)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct err err;
	struct plan_elem bad = {0}, good = {0};
	nft_netns_enter();
	struct nft *nft = kernel_open();
	fixture_build(f, &plan);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	const struct plan_set *class = plan_find_set(&plan, "class");
	memcpy(good.key, "eth7", 4);
	strcpy(good.chain, "lan");
	memcpy(bad.key, "eth8", 4);
	strcpy(bad.chain, "nowhere");
	const struct op ops[] = {{.kind = OP_ELEM_ADD, .set = class, .elem = &good},
				 {.kind = OP_ELEM_ADD, .set = class, .elem = &bad}};
	cr_expect_eq(nft_apply(nft, &plan, ops, 2, &err), -ENOENT);
	cr_expect_str_eq(err.text, "map class, element \"eth8\" : goto nowhere: No such file or directory");
	kernel_expect(nft, &plan); // not even the good one
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
	struct nft *nft = kernel_open();
	fixture_build(f, &plan);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	cr_assert(kernel_does("nft add table inet other"));
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &next);
	cr_expect_eq(kernel_apply(nft, &plan, &next, &err), -ERESTART);
	kernel_expect(nft, &plan);
	kernel_must_apply(nft, &plan, &next);
	kernel_expect(nft, &next);
	plan_free(&plan);
	plan_free(&next);
	nft_close(nft);
	fixture_free(f);
}
