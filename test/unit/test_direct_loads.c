// SPDX-License-Identifier: GPL-2.0-or-later
// Connections of reals by dr, counted from the kernel's maps, and their places: in a network namespace of its own.
#include "gwd/direct_loads.h"

#include <criterion/criterion.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/diff.h"
#include "gwd/direct_places.h"
#include "nft/batch.h"
#include "nft/nft.h"
#include "nft/nft_priv.h"
#include "nft/places.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_netns.h"

enum { MANY = 300 };

static struct fixture *f;
static struct plan plan;
static struct nft *nft;

// The first real may have so many connections; 0: any.
static void start_limited(enum scheduler scheduler, uint32_t limit)
{
	static const struct plan nothing;
	struct err err = {""};
	struct ops ops = {0};
	f = fixture_new(1);
	struct model_service *service = fixture_service(f, "web");
	service->scheduler = scheduler;
	fixture_listen(service, "198.51.100.10", 80, 80);
	fixture_listen(service, "2001:db8::10", 80, 80);
	struct model_real *first = fixture_real(service, ROLE_REAL, "a", "10.0.0.11", 0, 1);
	first->forward = FORWARD_DR;
	first->max_connections = first->min_connections = limit;
	fixture_real(service, ROLE_REAL, "b", "10.0.0.12", 0, 1)->forward = FORWARD_DR;
	fixture_real(service, ROLE_REAL, "c", "fd00::11", 0, 1)->forward = FORWARD_DR;
	nft_netns_enter();
	nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	fixture_build(f, &plan);
	vec_each(&plan.sets, set)
		if (set->ingress)
			set->elems.n = 0; // the devices of facts are not in this namespace
	plan_diff(&ops, &nothing, &plan);
	size_t n = 0;
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL)
			ops.op.v[n++] = *op;
	cr_assert_eq(nft_apply(nft, &plan, ops.op.v, n, &err), 0, "%s", err.text);
	ops_free(&ops);
}

static void start(enum scheduler scheduler)
{
	start_limited(scheduler, 0);
}

static void finish(void)
{
	nft_close(nft);
	plan_free(&plan);
	fixture_free(f);
}

// As the packet path does: connections first..first + n - 1 of that id.
static void remember(const char *map, uint16_t first, uint16_t n, uint32_t id)
{
	struct err err = {""};
	struct batch batch = {0};
	static struct plan_elem elems[MANY];
	const struct plan_elem *all[MANY];
	const struct plan_set *set = plan_find_set(&plan, map);
	cr_assert_not_null(set, "%s", map);
	batch_begin(&batch, 0);
	for (uint16_t i = 0; i < n; i++) {
		uint16_t port = (uint16_t)(first + i);
		elems[i] = (struct plan_elem){.mark = id};
		memcpy(elems[i].key, &port, sizeof(port));
		all[i] = &elems[i];
	}
	batch_elems(&batch, NFT_MSG_NEWSETELEM, set, all, n);
	cr_assert_eq(nft_commit(nft, &batch, &err), 0, "%s", err.text);
	batch_free(&batch);
}

static void expect(size_t real, uint64_t live, uint64_t closed)
{
	struct err err = {""};
	struct direct_load loads[3];
	cr_assert_eq(direct_loads_list(nft, &plan, &plan.services.v[0], loads, &err), 0, "%s", err.text);
	cr_expect_eq(loads[real].live, live, "real %zu: %lu live", real, (unsigned long)loads[real].live);
	cr_expect_eq(loads[real].closed, closed, "real %zu: %lu closed", real,
		     (unsigned long)loads[real].closed);
}

Test(direct_loads, are_counted_by_real_live_and_closed)
{
	start(SCHED_WLC);
	const struct plan_service *web = &plan.services.v[0];
	for (size_t k = 0; k < 3; k++)
		expect(k, 0, 0);
	remember("drconn4.web", 1000, MANY, web->reals.v[0].id);
	remember("drconn4.web", 2000, 7, web->reals.v[1].id);
	remember("drhalf4.web", 3000, 5, web->reals.v[1].id);
	remember("drlast4.web", 4000, 11, web->reals.v[1].id);
	remember("drconn6.web", 1000, 2, web->reals.v[2].id);
	remember("drlast6.web", 4000, 1, web->reals.v[2].id);
	remember("drconn4.web", 5000, 9, 0xdeadbeef); // of one that was taken out
	expect(0, MANY, 0);
	expect(1, 12, 11);
	expect(2, 2, 1);
	finish();
}

// There is no map of those that begin.
Test(direct_loads, also_where_a_hash_deals)
{
	start(SCHED_MH);
	remember("drconn4.web", 1000, 3, plan.services.v[0].reals.v[0].id);
	expect(0, 3, 0);
	finish();
}

Test(direct_loads, nobody_has_drawn_from_a_ring_yet)
{
	struct err err = {""};
	uint64_t taken = 1;
	start(SCHED_WLC);
	cr_assert_eq(direct_loads_turns(nft, &plan.services.v[0], FAM_4, &taken, &err), 0, "%s", err.text);
	cr_expect_eq(taken, 0);
	finish();
}

// ---- places ------------------------------------------------------------------------------------

static void count_place(void *arg, const struct place *place)
{
	cr_expect_neq(place->elem.key[0] | place->elem.key[1], 0);
	++*(size_t *)arg;
}

static size_t count_places(const char *set)
{
	struct err err = {""};
	size_t n = 0;
	cr_assert_eq(places_list(nft, plan_find_set(&plan, set), count_place, &n, &err), 0, "%s", err.text);
	return n;
}

static int mend(void)
{
	struct err err = {""};
	int r = direct_places_mend(nft, &plan, &plan.services.v[0], &err);
	cr_assert_geq(r, 0, "%s", err.text);
	return r;
}

static void forget(const char *set)
{
	char command[128];
	snprintf(command, sizeof(command), "nft flush %s", set);
	cr_assert_eq(system(command), 0);
}

Test(direct_places, go_to_those_who_have_none)
{
	start_limited(SCHED_MH, 200);
	uint32_t id = plan.services.v[0].reals.v[0].id, other = plan.services.v[0].reals.v[1].id;
	cr_expect_eq(mend(), 0);
	remember("drconn4.web", 1000, 100, id);
	remember("drconn4.web", 2000, 50, other);
	remember("drhalf4.web", 1090, 20, id); // ten of them are in both
	cr_expect_eq(mend(), 0);
	cr_expect_eq(count_places("drplace4.web.a.200"), 110);
	remember("drconn4.web", 3000, 90, id);
	cr_expect_eq(mend(), 0);
	cr_expect_eq(count_places("drplace4.web.a.200"), 200);
	finish();
}

// A lowered limit: as many as there is room for, and the others when there is.
Test(direct_places, also_to_more_than_there_may_be)
{
	start_limited(SCHED_WLC, 20);
	remember("drconn4.web", 1000, 35, plan.services.v[0].reals.v[0].id);
	cr_expect_eq(mend(), 1);
	cr_expect_eq(count_places("drplace4.web.a.20"), 20);
	cr_expect_eq(mend(), 1, "there is none for the rest");
	nft_close(nft); // its table is nobody's
	forget("set netdev gwd drplace4.web.a.20");
	forget("map netdev gwd drconn4.web");
	struct err err;
	nft = nft_open(&err);
	remember("drconn4.web", 1015, 20, plan.services.v[0].reals.v[0].id);
	cr_expect_eq(mend(), 0);
	cr_expect_eq(count_places("drplace4.web.a.20"), 20);
	finish();
}

Test(direct_places, another_limit_is_another_set)
{
	start_limited(SCHED_WLC, 20);
	uint64_t before = direct_places_sets(&plan.services.v[0]);
	plan.services.v[0].reals.v[1].max_connections = 5;
	uint64_t both = direct_places_sets(&plan.services.v[0]);
	plan.services.v[0].reals.v[0].max_connections = 21;
	cr_expect(before && both != before && direct_places_sets(&plan.services.v[0]) != both);
	finish();
}

Test(direct_places, who_is_full)
{
	struct model_real real = {.max_connections = 40, .min_connections = 10};
	cr_expect(!direct_places_full(&real, false, 39) && direct_places_full(&real, false, 40));
	cr_expect(direct_places_full(&real, true, 10) && !direct_places_full(&real, true, 9));
	real.min_connections = 40; // the packet path alone knows, and at once
	cr_expect(!direct_places_full(&real, false, 40) && !direct_places_full(&real, true, 40));
	cr_expect(direct_places_full(&real, false, 41));
}
