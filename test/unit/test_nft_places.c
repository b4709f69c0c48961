// SPDX-License-Identifier: GPL-2.0-or-later
// Places of reals with max-connections, in the kernel: each test in a network namespace of its own.
#include "nft/places.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "gwd/core/diff.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "nft/nft_priv.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_netns.h"

enum { ROOM = 4000 };

struct world {
	struct fixture *f;
	struct plan plan;
	struct nft *nft;
	struct nft_listener *listener;
	const struct plan_set *set;
	struct place places[ROOM + 1];
};

// A service of two reals with ROOM places each, in force.
static struct world *start(void)
{
	static struct world w;
	static const struct plan nothing;
	struct err err;
	struct ops ops = {0};
	w.f = fixture_new(1);
	struct model_service *service = fixture_service(w.f, "web");
	fixture_listen(service, "198.51.100.10", 80, 80);
	fixture_listen(service, "2001:db8::10", 80, 80);
	fixture_real(service, ROLE_REAL, "a", "10.0.0.11", 0, 1)->max_connections = ROOM;
	fixture_real(service, ROLE_REAL, "b", "fd00::11", 0, 1)->max_connections = ROOM;
	nft_netns_enter();
	w.nft = nft_open(&err);
	cr_assert_not_null(w.nft, "%s", err.text);
	w.listener = nft_listener_open(w.nft, &err);
	cr_assert_not_null(w.listener, "%s", err.text);
	fixture_build(w.f, &w.plan);
	plan_diff(&ops, &nothing, &w.plan);
	size_t n = 0;
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL)
			ops.op.v[n++] = *op;
	cr_assert_eq(nft_apply(w.nft, &w.plan, ops.op.v, n, &err), 0, "%s", err.text);
	ops_free(&ops);
	return &w;
}

static void choose(struct world *w, const char *set, const char *client)
{
	struct ct_tuple tuple = {.protocol = IPPROTO_TCP, .dport = 80};
	w->set = plan_find_set(&w->plan, set);
	cr_assert(w->set && addr_parse(client, &tuple.src) && addr_parse(client, &tuple.dst));
	for (int i = 0; i <= ROOM; i++) {
		tuple.sport = (uint16_t)(1000 + i);
		w->places[i] = place_of(w->set, &tuple);
	}
}

static void finish(struct world *w)
{
	nft_listener_close(w->listener);
	nft_close(w->nft);
	plan_free(&w->plan);
	fixture_free(w->f);
}

struct seen_places {
	size_t n;
	struct place last;
};

static void see_place(void *arg, const struct place *place)
{
	struct seen_places *seen = arg;
	seen->n++;
	seen->last = *place;
}

static struct seen_places taken(struct world *w)
{
	struct err err;
	struct seen_places seen = {0};
	cr_assert_eq(places_list(w->nft, w->set, see_place, &seen, &err), 0, "%s", err.text);
	return seen;
}

static uint32_t generation(struct world *w)
{
	struct err err;
	uint32_t now;
	cr_assert_eq(nft_read_genid(w->nft, &now, &err), 0, "%s", err.text);
	return now;
}

static void in_family(struct world *w, const char *set, const char *client)
{
	enum { MANY = 3000 };
	struct err err;
	choose(w, set, client);
	cr_assert_eq(places_take(w->nft, w->places, MANY, &err), 0, "%s", err.text);
	cr_assert_eq(places_take(w->nft, w->places, MANY, &err), 0, "taken twice is taken once: %s",
		     err.text);
	cr_assert_eq(taken(w).n, MANY);
	cr_assert_eq(places_take(w->nft, w->places, ROOM + 1, &err), -ENFILE);
	cr_assert_eq(taken(w).n, MANY);
	cr_assert_eq(places_free(w->nft, w->places + 100, 1000, &err), 0, "%s", err.text);
	cr_assert_eq(places_free(w->nft, w->places, MANY - 1, &err), 0, "some of them are free: %s",
		     err.text);
	cr_assert_eq(taken(w).n, 1);
	cr_assert_arr_eq(taken(w).last.elem.key, w->places[MANY - 1].elem.key, plan_set_key_size(w->set));
	cr_assert_eq(places_take(w->nft, w->places, ROOM, &err), 0, "freed places are room again: %s",
		     err.text);
	cr_assert_eq(places_free(w->nft, w->places, ROOM, &err), 0);
	cr_assert_eq(taken(w).n, 0);
}

Test(nft_places, are_taken_and_given_back)
{
	struct world *w = start();
	in_family(w, "place4.web.a.4000", "192.0.2.1");
	in_family(w, "place6.web.b.4000", "2001:db8::1");
	finish(w);
}

// Every other one has gone already: one transaction takes the rest, since a refused one costs a wait for all processors.
Test(nft_places, of_which_some_are_free_are_not_found_by_trying)
{
	enum { SOME = 200 };
	struct world *w = start();
	struct err err;
	choose(w, "place4.web.a.4000", "192.0.2.1");
	for (int i = 0; i < SOME; i += 2)
		cr_assert_eq(places_take(w->nft, &w->places[i], 1, &err), 0, "%s", err.text);
	uint32_t before = generation(w);
	cr_expect_eq(places_free(w->nft, w->places, SOME, &err), 0, "%s", err.text);
	cr_expect_eq(generation(w) - before, 1);
	cr_expect_eq(taken(w).n, 0);
	cr_expect_eq(places_free(w->nft, w->places, SOME, &err), 0, "all of them are free: %s", err.text);
	finish(w);
}

// They go by whatever the rest of the ruleset has become.
Test(nft_places, many_are_changed_also_after_somebody_elses_change)
{
	struct world *w = start();
	struct err err;
	choose(w, "place4.web.a.4000", "192.0.2.1");
	cr_assert_eq(system("nft add table inet other"), 0);
	cr_expect_eq(places_take(w->nft, w->places, ROOM, &err), 0, "%s", err.text);
	cr_expect_eq(places_free(w->nft, w->places, ROOM, &err), 0, "%s", err.text);
	cr_expect(!nft_listener_read(w->listener), "our own change");
	finish(w);
}
