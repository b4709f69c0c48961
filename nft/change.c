// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/diff.h"
#include "gwd/core/names.h"
#include "nft/batch.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/put.h"
#include "nft/rule.h"

static int change_compare(const void *a, const void *b)
{
	const struct chain *left = *(const struct chain *const *)a, *right = *(const struct chain *const *)b;
	if (left->table != right->table)
		return left->table < right->table ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void change_sort(struct ruleset *ruleset)
{
	if (ruleset->chains.n)
		qsort(ruleset->chains.v, ruleset->chains.n, sizeof(*ruleset->chains.v), change_compare);
}

static bool change_same_rules(const struct chain *a, const struct chain *b)
{
	if (a->rules.n != b->rules.n)
		return false;
	for (size_t i = 0; i < a->rules.n; i++)
		if (strcmp(buf_text(&a->rules.v[i]->text), buf_text(&b->rules.v[i]->text)) != 0)
			return false;
	return true;
}

static void change_one(struct changes *changes, const struct chain *was, const struct chain *now)
{
	if (was && now && change_same_rules(was, now))
		return;
	if (!was)
		vec_push(&changes->made, now);
	if (!now)
		vec_push(&changes->gone, was);
	if (was && was->rules.n)
		vec_push(&changes->emptied, was);
	if (now && now->rules.n)
		vec_push(&changes->filled, now);
}

// Walks the chains of both side by side.
static void change_note(struct changes *changes, struct change *change)
{
	struct ruleset *was = &change->was, *now = &change->now;
	size_t i = 0, k = 0;
	change_sort(was);
	change_sort(now);
	changes->n_rules_gone += ruleset_rules(was);
	changes->n_rules_new += ruleset_rules(now);
	while (i < was->chains.n || k < now->chains.n) {
		int order = i == was->chains.n   ? 1
			    : k == now->chains.n ? -1
						 : change_compare(&was->chains.v[i], &now->chains.v[k]);
		const struct chain *left = order <= 0 ? was->chains.v[i++] : NULL;
		const struct chain *right = order >= 0 ? now->chains.v[k++] : NULL;
		change_one(changes, left, right);
	}
}

// The chains point into the rulesets, so these stay where they are.
void changes_build(struct changes *changes, const struct op *ops, size_t n, uint32_t mark_mask,
		   uint32_t *next_set_id)
{
	size_t n_services = 0;
	for (size_t i = 0; i < n; i++)
		n_services += ops[i].kind == OP_SERVICE;
	vec_reserve(&changes->services, n_services);
	for (size_t i = 0; i < n; i++) {
		struct change *change;
		if (ops[i].kind != OP_SERVICE)
			continue;
		vec_add(&changes->services, change);
		change->now.next_set_id = *next_set_id;
		if (ops[i].was)
			ruleset_build_service(&change->was, ops[i].was, mark_mask);
		if (ops[i].service)
			ruleset_build_service(&change->now, ops[i].service, mark_mask);
		*next_set_id = change->now.next_set_id;
		changes->shape = ops[i].shape;
		change_note(changes, change);
	}
}

void changes_free(struct changes *changes)
{
	vec_each(&changes->services, change) {
		ruleset_free(&change->was);
		ruleset_free(&change->now);
	}
	vec_free(&changes->services);
	vec_free(&changes->made);
	vec_free(&changes->emptied);
	vec_free(&changes->filled);
	vec_free(&changes->gone);
}

static void changes_put_marker(struct changes *changes, struct batch *batch, const char *marker)
{
	uint64_t shape;
	size_t n_rules = 0;
	name_parse_shape(marker, &shape, &n_rules);
	n_rules = n_rules - changes->n_rules_gone + changes->n_rules_new;
	name_shape(changes->marker, changes->shape, n_rules);
	if (!strcmp(changes->marker, marker))
		return;
	struct chain fresh = {.table = PLAN_INET};
	memcpy(fresh.name, changes->marker, sizeof(fresh.name));
	put_delete(batch, PLAN_INET, NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "chain", marker);
	put_chain(batch, &fresh, changes->marker);
}

void changes_put_chains(struct changes *changes, struct batch *batch, const char *marker)
{
	changes_put_marker(changes, batch, marker);
	vec_each(&changes->made, chain)
		put_chain(batch, *chain, (*chain)->name);
	vec_each(&changes->emptied, chain)
		put_delete(batch, (*chain)->table, NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "rules of chain",
			   (*chain)->name);
}

void changes_put_rules(const struct changes *changes, struct batch *batch)
{
	vec_each(&changes->filled, chain)
		put_rules(batch, *chain);
}

void changes_left(const struct changes *changes, struct nft_names *chains)
{
	vec_each(&changes->gone, chain)
		nft_names_add(chains, (*chain)->table, (*chain)->name);
}
