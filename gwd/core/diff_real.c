// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/diff_real.h"

#include <string.h>

#include "gwd/core/diff.h"
#include "gwd/core/diff_service.h"
#include "gwd/core/plan.h"

// Mostly it stands where it stood.
static const struct plan_real *diff_real(const struct plan_service *service, const char *name, size_t at)
{
	if (!service)
		return NULL;
	if (at < service->reals.n && !strcmp(service->reals.v[at].name, name))
		return &service->reals.v[at];
	vec_each(&service->reals, real)
		if (!strcmp(real->name, name))
			return real;
	return NULL;
}

static bool diff_ends_real(const struct plan_real *old, const struct plan_real *now, bool cut)
{
	if (now && old->usable && !now->usable)
		return true;
	bool moved = now && (!addr_equal(&old->address, &now->address) || old->port != now->port);
	return cut && (!now || moved);
}

void diff_ends_service(struct ops *ops, const struct plan_service *old, const struct plan_service *now)
{
	bool cut = now ? now->cut : old->cut;
	for (size_t k = 0; k < old->reals.n; k++) {
		const struct plan_real *real = &old->reals.v[k];
		if (diff_ends_real(real, diff_real(now, real->name, k), cut))
			vec_push(&ops->op, (struct op){.kind = OP_END, .service = old, .real = real});
	}
}

void diff_ends(struct ops *ops, const struct plan *from, const struct plan *to)
{
	for (size_t i = 0; i < from->services.n && !to->lent; i++)
		diff_ends_service(ops, &from->services.v[i], diff_service(to, from->services.v[i].name, i));
}
