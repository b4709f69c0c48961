// SPDX-License-Identifier: GPL-2.0-or-later
// The `balance` sections, and the one named default when the file has none.
#include <errno.h>
#include <string.h>

#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

#define IMPLICIT_PERSISTENCE_MS 300000 // what an office wants that writes no balance at all

static struct model_use *find_use(struct model_balance *b, size_t gateway)
{
	for (size_t i = 0; i < b->n_uses; i++)
		if (b->uses[i].gateway == gateway)
			return &b->uses[i];
	return NULL;
}

static struct model_use *add_use(const struct loader *ld, struct model_balance *b, size_t gateway)
{
	struct model_use *use = &b->uses[b->n_uses++];
	*use = (struct model_use){
		.gateway = gateway,
		.tier = 1,
		.weight = ld->model->gateways[gateway].weight,
	};
	return use;
}

static void load_listed(const struct loader *ld, const struct reader *r, struct model_balance *b)
{
	for (size_t i = 0; i < tree_values(&r->section, "gateways"); i++) {
		const struct token *value = tree_value(&r->section, "gateways", i);
		size_t gateway;
		if (!read_reference(r, "gateways", value, "gateway", &ld->gateways, &gateway))
			continue;
		if (find_use(b, gateway))
			report_error(r->report, value->at, tree_label(r->tree, &r->section),
				     "gateways: %s is listed twice: give it more weight instead",
				     ld->gateways.v[gateway]);
		else
			add_use(ld, b, gateway);
	}
}

// A `use` section adds a gateway, or says more about one that `gateways` lists.
static void load_uses(const struct loader *ld, const struct reader *r, struct model_balance *b)
{
	for (size_t i = 0; i < tree_count(&r->section, "use"); i++) {
		struct reader u = *r;
		size_t gateway;
		u.section = tree_section(&r->section, "use", i);
		struct model_use spare, *use = &spare; // read the options of an unknown gateway as well
		if (*u.section.title && read_title(&u, "gateway", &ld->gateways, &gateway)) {
			use = find_use(b, gateway);
			if (!use)
				use = add_use(ld, b, gateway);
		}
		read_number(&u, "tier", 1, 16, &use->tier);
		read_number(&u, "weight", 0, LOAD_WEIGHT_MAX, &use->weight);
	}
}

static void load_members(const struct loader *ld, const struct reader *r, struct model_balance *b)
{
	size_t listed = tree_values(&r->section, "gateways"), used = tree_count(&r->section, "use");
	b->uses = arena_alloc(r->arena, (listed + used + ld->gateways.n) * sizeof(*b->uses));
	load_listed(ld, r, b);
	load_uses(ld, r, b);
	if (!tree_given(&r->section, "gateways") && !used)
		for (size_t i = 0; i < ld->gateways.n; i++)
			add_use(ld, b, i);
}

static void load_options(const struct reader *r, struct model_balance *b)
{
	static const char *const schedulers[] = {"rr", "wrr",        "random",        "sh",  "dh",
						 "fo", "lc",         "wlc",           "sed", "nq",
						 "mh", "least-load", "lowest-latency"};
	static const enum scheduler values[] = {
		SCHED_RR, SCHED_WRR,        SCHED_RANDOM,        SCHED_SH,  SCHED_DH,
		SCHED_FO, SCHED_LC,         SCHED_WLC,           SCHED_SED, SCHED_NQ,
		SCHED_MH, SCHED_LEAST_LOAD, SCHED_LOWEST_LATENCY};
	static const char *const by[] = {"source", "source-destination"};
	size_t choice;
	if (read_choice(r, "scheduler", READ_CHOICE(schedulers), &choice))
		b->scheduler = values[choice];
	read_value(r, "persistence", value_persistence, &b->persistence_ms);
	if (read_choice(r, "persist-by", READ_CHOICE(by), &choice))
		b->persist_by = choice == 0 ? PERSIST_SOURCE : PERSIST_SOURCE_DESTINATION;
	read_number(r, "persist-mask", 1, 32, &b->persist_mask[FAM_4]);
	read_number(r, "persist-mask6", 1, 128, &b->persist_mask[FAM_6]);
}

static void load_implicit(const struct loader *ld, struct model_balance *b)
{
	b->persistence_ms = IMPLICIT_PERSISTENCE_MS;
	b->uses = arena_alloc(ld->model->arena, ld->gateways.n * sizeof(*b->uses));
	for (size_t i = 0; i < ld->gateways.n; i++)
		add_use(ld, b, i);
}

void load_balances(struct loader *ld)
{
	struct model *m = ld->model;
	size_t n = load_count(ld, "balance");
	m->n_balances = ld->balances.n;
	m->balances = arena_alloc(m->arena, m->n_balances * sizeof(*m->balances));
	for (size_t i = 0; i < m->n_balances; i++) {
		struct model_balance *b = &m->balances[i];
		*b = (struct model_balance){
			.name = ld->balances.v[i],
			.scheduler = SCHED_WRR,
			.persist_mask = {32, 128},
		};
		if (strcmp(b->name, LOAD_DEFAULT_BALANCE) == 0)
			m->default_balance = i;
		if (i >= n) {
			load_implicit(ld, b);
			continue;
		}
		struct reader r = load_section(ld, "balance", i);
		b->line = (int)r.section.at.line;
		load_options(&r, b);
		load_members(ld, &r, b);
	}
}
