// SPDX-License-Identifier: GPL-2.0-or-later
// The names in rules: which ones, by which links they are looked up, and what an earlier run knew of them.
#include <string.h>

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

void engine_configure_names(struct engine *engine)
{
	const struct model *model = engine->model;
	VEC(const char *) names = {0};
	for (size_t i = 0; i < model->n_rules; i++)
		for (size_t k = 0; k < model->rules[i].n_to_names; k++)
			vec_push(&names, model->rules[i].to_names[k]);
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

// A restart while no name server answers must not turn these rules off: the kernel has the last known addresses.
void engine_adopt_names(struct engine *engine)
{
	const struct model *model = engine->model;
	for (size_t i = 0; i < model->n_rules; i++) {
		const struct model_rule *rule = &model->rules[i];
		for (enum fam fam = FAM_4; rule->n_to_names && fam < FAM_COUNT; fam++) {
			struct plan_rule named = {0};
			char name[PLAN_NAME_SIZE];
			memcpy(named.name, rule->name, strlen(rule->name));
			const struct plan_set *set =
				plan_find_set(&engine->applied, name_rule_to(name, fam, &named));
			for (size_t k = 0; set && k < set->elems.n; k++) {
				struct addr addr = addr_from(fam_af(fam), set->elems.v[k].key);
				if (!names_is_written(rule, &addr))
					name_watch_remember(engine->name_watch, rule->to_names[0], &addr);
			}
		}
	}
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
