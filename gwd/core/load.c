// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/load.h"

#include <math.h>

#include "gwd/core/model.h"
#include "gwd/core/ring.h"

#define LOAD_FULL_BACK 0.95  // of max-flows
#define LOAD_SPILL_BACK 0.90 // of spill
#define LOAD_FREE_STEP 0.05
#define LOAD_FREE_MIN 0.01 // a saturated line still counts by its bandwidth
#define LOAD_LATENCY_SHARE 0.25
#define LOAD_LATENCY_MS 3

bool load_take_flows(struct load *load, const struct model_gateway *gw, uint64_t flows)
{
	bool was = load->full;
	load->flows = flows;
	if (!gw->max_flows)
		load->full = false;
	else if (flows >= gw->max_flows)
		load->full = true;
	else if ((double)flows <= gw->max_flows * LOAD_FULL_BACK)
		load->full = false;
	return load->full != was;
}

static bool load_take_spill(struct load *load, const struct model_gateway *gw, double used)
{
	bool was = load->spilling;
	double limit = gw->spill_percent / 100.0;
	if (!gw->spill_percent)
		load->spilling = false;
	else if (used > limit)
		load->spilling = true;
	else if (used <= limit * LOAD_SPILL_BACK)
		load->spilling = false;
	return load->spilling != was;
}

bool load_take_rate(struct load *load, const struct model_gateway *gw, double rx_bps, double tx_bps)
{
	if (!gw->bandwidth_bps) {
		bool changed = load->spilling || load->has_free;
		load->spilling = load->has_free = false;
		return changed;
	}
	double used = fmax(rx_bps, tx_bps) / (double)gw->bandwidth_bps;
	double now_free = fmin(fmax(1 - used, LOAD_FREE_MIN), 1);
	bool changed = load_take_spill(load, gw, used);
	if (!load->has_free || fabs(now_free - load->free) >= LOAD_FREE_STEP) {
		load->has_free = changed = true;
		load->free = now_free;
	}
	return changed;
}

bool load_take_latency(struct load *load, enum fam fam, double latency_ms)
{
	double *kept = &load->latency_ms[fam], away = fabs(latency_ms - *kept);
	bool known = latency_ms >= 0, was_known = *kept >= 0;
	if (!known && !was_known)
		return false;
	if (known && was_known && (away < LOAD_LATENCY_MS || away < *kept * LOAD_LATENCY_SHARE))
		return false;
	*kept = known ? latency_ms : -1;
	return true;
}

bool load_spills(const struct load *load)
{
	return load->full || load->spilling;
}

unsigned load_free_weight(const struct load *load, const struct model_gateway *gw)
{
	double kbit = (double)gw->bandwidth_bps / 1000;
	if (load && load->has_free)
		kbit *= load->free;
	return kbit < 1 ? 1 : (unsigned)fmin(kbit, UINT32_MAX);
}

bool load_needs_counts(const struct model *model)
{
	bool needs = false;
	for (size_t i = 0; i < model->n_balances; i++)
		needs |= ring_schedules(model->balances[i].scheduler);
	for (size_t i = 0; i < model->n_gateways; i++)
		needs |= model->gateways[i].max_flows > 0;
	return needs;
}
