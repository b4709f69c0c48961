// SPDX-License-Identifier: GPL-2.0-or-later
// slow-start of reals: the part of reals.h that knows who came into use when.
#include "gwd/reals.h"

void reals_ramp_service(struct reals *reals, const struct model *model, size_t service, int64_t now_ms)
{
	for (size_t k = 0; k < model->services[service].n_reals; k++) {
		size_t at = reals_index(reals, service, k);
		reals->now[at].held = ramp_since_held(&reals->reals.v[at].ramp, now_ms,
						      model->services[service].slow_start_ms);
	}
}

void reals_ramp(struct reals *reals, const struct model *model, int64_t now_ms)
{
	for (size_t i = 0; i < model->n_services; i++)
		reals_ramp_service(reals, model, i, now_ms);
}

void reals_note_service(struct reals *reals, const struct plan *plan, size_t service, int64_t now_ms)
{
	for (size_t k = 0; k < plan->services.v[service].reals.n; k++) {
		const struct plan_real *real = &plan->services.v[service].reals.v[k];
		bool in_use = real->usable && real->state != STATE_DEGRADED;
		ramp_since_note(&reals->reals.v[reals_index(reals, service, k)].ramp, in_use, now_ms);
	}
}

void reals_note(struct reals *reals, const struct plan *plan, int64_t now_ms)
{
	for (size_t i = 0; i < plan->services.n; i++)
		reals_note_service(reals, plan, i, now_ms);
}

void reals_move_ramped(struct reals *reals, const struct model *model, int64_t now_ms)
{
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; model->services[i].slow_start_ms && k < model->services[i].n_reals; k++) {
			size_t at = reals_index(reals, i, k);
			if (reals->now[at].held != ramp_since_held(&reals->reals.v[at].ramp, now_ms,
								   model->services[i].slow_start_ms))
				reals_move(reals, i, REALS_STATE);
		}
}

int64_t reals_wait_ms(const struct reals *reals, const struct model *model, int64_t now_ms)
{
	int64_t least = RAMP_OVER;
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; model->services[i].slow_start_ms && k < model->services[i].n_reals; k++) {
			const struct reals_real *real = &reals->reals.v[reals_index(reals, i, k)];
			int64_t wait =
				ramp_since_wait_ms(&real->ramp, now_ms, model->services[i].slow_start_ms);
			least = wait < least ? wait : least;
		}
	return least;
}
