// SPDX-License-Identifier: GPL-2.0-or-later
// The names in rules: which ones, by which links they are looked up, and what an earlier run knew of them.
#include <string.h>
#include <strings.h>

#include "gwd/base/log.h"
#include "gwd/core/model.h"
#include "gwd/core/named.h"
#include "gwd/core/names.h"
#include "gwd/engine_priv.h"
#include "probes/name_watch.h"

static void names_changed(void *arg)
{
	log_debug("engine", "a name stands for other addresses now");
	engine_dirty(arg);
}

void engine_open_names(struct engine *engine)
{
	engine->name_watch = name_watch_new(engine->base, names_changed, engine);
}

void engine_configure_names(struct engine *engine, const struct model *other)
{
	const struct model *const models[] = {engine->model, other};
	VEC(const char *) names = {0};
	for (unsigned m = 0; m < ARRAY_SIZE(models) && models[m]; m++)
		for (size_t i = 0; i < models[m]->n_rules; i++)
			for (size_t k = 0; k < models[m]->rules[i].n_to_names; k++)
				vec_push(&names, models[m]->rules[i].to_names[k]);
	name_watch_set(engine->name_watch, names.v, names.n);
	vec_free(&names);
}

static bool names_is_written(const struct model_rule *rule, const struct addr *addr)
{
	for (size_t i = 0; i < rule->n_to; i++)
		if (prefix_contains(&rule->to[i], addr))
			return true;
	return false;
}

// What the kernel has in the set of the rule's names, or NULL.
static const struct plan_set *names_set(const struct engine *engine, const struct model_rule *rule,
					enum fam fam)
{
	struct plan_rule named = {0};
	char name[PLAN_NAME_SIZE];
	memcpy(named.name, rule->name, strlen(rule->name));
	return plan_find_set(&engine->applied, name_rule_to(name, fam, &named));
}

static bool names_set_has(const struct plan_set *set, const struct addr *addr)
{
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!memcmp(set->elems.v[i].key, addr->b, addr_size(addr)))
			return true;
	return false;
}

static bool names_has(const struct model_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->n_to_names; i++)
		if (!strcasecmp(rule->to_names[i], name))
			return true;
	return false;
}

// An address that is not in all of the name's rules is another name's.
static bool names_may_have(const struct engine *engine, const char *name, const struct addr *addr)
{
	const struct model *model = engine->model;
	for (size_t i = 0; i < model->n_rules; i++) {
		const struct model_rule *rule = &model->rules[i];
		if (names_has(rule, name) && !names_is_written(rule, addr) &&
		    !names_set_has(names_set(engine, rule, addr_fam(addr)), addr))
			return false;
	}
	return true;
}

static void names_adopt(struct engine *engine, const struct model_rule *rule, enum fam fam)
{
	const struct plan_set *set = names_set(engine, rule, fam);
	for (size_t i = 0; set && i < set->elems.n; i++) {
		struct addr addr = addr_from(fam_af(fam), set->elems.v[i].key);
		for (size_t k = 0; k < rule->n_to_names; k++)
			if (!names_is_written(rule, &addr) &&
			    names_may_have(engine, rule->to_names[k], &addr))
				name_watch_remember(engine->name_watch, rule->to_names[k], &addr);
	}
}

// A restart while no name server answers must not turn these rules off: the kernel has the last known addresses.
// It doesn't say whose: each name that it may belong to has it, until that name's first answer.
void engine_adopt_names(struct engine *engine)
{
	for (size_t i = 0; i < engine->model->n_rules; i++)
		for (enum fam fam = FAM_4; engine->model->rules[i].n_to_names && fam < FAM_COUNT; fam++)
			names_adopt(engine, &engine->model->rules[i], fam);
}

// Usable gateways in the order of the file.
void engine_link_names(struct engine *engine)
{
	VEC(uint32_t) marks = {0};
	vec_each(&engine->applied.gateways, gw)
		if (gw->usable[FAM_4] || gw->usable[FAM_6])
			vec_push(&marks, gw->mark);
	name_watch_set_links(engine->name_watch, marks.v, marks.n);
	vec_free(&marks);
}

const struct named_list *engine_named(const struct engine *engine)
{
	return name_watch_known(engine->name_watch);
}
