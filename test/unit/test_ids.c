// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>

#include "gwd/core/ids.h"
#include "gwd/core/marks.h"

static void name_gateways(struct model *model, struct model_gateway *gws, char names[][8], unsigned first,
			  unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], 8, "gw%u", first + i);
		gws[i].name = names[i];
	}
	model->gateways = gws;
	model->n_gateways = n;
}

Test(ids, every_gateway_gets_its_own_also_when_all_are_taken)
{
	struct model model = {.globals.mark_mask = 0xfc000000}; // 62 ids
	struct model_gateway gws[62] = {0};
	char names[62][8];
	struct ids ids = {0};
	bool taken[63] = {false};
	name_gateways(&model, gws, names, 0, 62);
	ids_assign(&ids, &model);
	for (unsigned i = 0; i < 62; i++) {
		unsigned id = ids_get(&ids, names[i]);
		cr_assert(id >= 1 && id <= 62 && !taken[id]);
		taken[id] = true;
	}
	ids_free(&ids);
}

Test(ids, a_name_keeps_its_id_over_reloads_and_absence)
{
	struct model model = {.globals.mark_mask = 0xff000000};
	struct model_gateway gws[5] = {0}, others[5] = {0};
	char names[5][8], other_names[5][8];
	unsigned before[5];
	struct ids ids = {0};
	name_gateways(&model, gws, names, 0, 5);
	ids_assign(&ids, &model);
	for (unsigned i = 0; i < 5; i++)
		before[i] = ids_get(&ids, names[i]);
	name_gateways(&model, others, other_names, 3, 5); // gw3, gw4 stay, three are new
	ids_assign(&ids, &model);
	name_gateways(&model, gws, names, 0, 5);
	ids_assign(&ids, &model);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(ids_get(&ids, names[i]), before[i]);
	ids_free(&ids);
}

Test(ids, what_the_kernel_has_comes_first)
{
	struct model model = {.globals.mark_mask = 0xff000000};
	struct model_gateway gws[2] = {0};
	char names[2][8];
	struct ids ids = {0};
	name_gateways(&model, gws, names, 0, 2);
	ids_learn(&ids, "gw1", 77);
	ids_learn(&ids, "gw1", 78);   // known already
	ids_learn(&ids, "other", 77); // taken already
	ids_assign(&ids, &model);
	cr_assert_eq(ids_get(&ids, "gw1"), 77);
	cr_assert_eq(ids_get(&ids, "other"), 0);
	cr_assert_neq(ids_get(&ids, "gw0"), 77);
	ids_free(&ids);
}

Test(ids, a_narrower_mask_gives_new_ids_and_old_names_make_room)
{
	struct model model = {.globals.mark_mask = 0x3f0};
	struct model_gateway gws[62] = {0};
	char names[62][8];
	struct ids ids = {0};
	ids_learn(&ids, "gw1", 200);
	ids_learn(&ids, "forgotten", 5);
	name_gateways(&model, gws, names, 0, 62);
	ids_assign(&ids, &model);
	for (unsigned i = 0; i < 62; i++)
		cr_assert(ids_get(&ids, names[i]) >= 1 && ids_get(&ids, names[i]) <= 62);
	ids_free(&ids);
}

Test(marks, there_and_back)
{
	cr_assert_eq(mark_of_id(0xff000000, 3), 0x03000000);
	cr_assert_eq(mark_of_id(0x3f0, 3), 0x30);
	for (unsigned id = 1; id < 63; id++)
		cr_assert_eq(mark_to_id(0x3f0, mark_of_id(0x3f0, id) | 0xf), id);
}
