// SPDX-License-Identifier: GPL-2.0-or-later
// Rules that go by names: their destinations are sets, so that an answer of DNS changes elements and no rule. A name
// that has no known address adds nothing: the rule does not match.
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/model.h"
#include "gwd/core/named.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"

static void named_add(struct plan_set *set, const struct addr *first, const struct addr *last)
{
	struct plan_elem elem = {0};
	memcpy(elem.key, first->b, addr_size(first));
	memcpy(elem.last, last->b, addr_size(last));
	vec_push(&set->elems, elem);
}

static void named_add_names(struct plan_set *set, const struct build_input *input,
			    const struct model_rule *rule, enum fam fam)
{
	for (size_t i = 0; i < rule->n_to_names; i++) {
		const struct named *named = input->named ? named_find(input->named, rule->to_names[i]) : NULL;
		for (size_t k = 0; named && k < named->addrs.n; k++) {
			const struct addr *addr = &named->addrs.v[k];
			if (addr_fam(addr) == fam && !plan_set_has_addr(set, addr))
				named_add(set, addr, addr);
		}
	}
}

void build_named(struct plan *plan, const struct build_input *input)
{
	for (size_t i = 0; i < plan->rules.n; i++) {
		const struct model_rule *rule = &input->model->rules[i];
		for (enum fam fam = FAM_4; plan->rules.v[i].by_name && fam < FAM_COUNT; fam++) {
			struct plan_set *set;
			vec_add(&plan->sets, set);
			name_rule_to(set->name, fam, &plan->rules.v[i]);
			set->key[0] = fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
			set->interval = true;
			for (size_t k = 0; k < rule->n_to; k++) { // none of them in another
				struct addr last = prefix_last(&rule->to[k]);
				if (addr_fam(&last) == fam)
					named_add(set, &rule->to[k].addr, &last);
			}
			named_add_names(set, input, rule, fam);
		}
	}
}
