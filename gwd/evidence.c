// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/evidence.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/facts.h"
#include "gwd/core/ids.h"
#include "gwd/core/marks.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "gwd/monitor.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "probes/silence.h"

#define EVIDENCE_IDLE 100 // times as long as a look takes is the least time until the next
#define EVIDENCE_PAUSE_MAX_MS 30000
#define EVIDENCE_NOISE 20000 // bytes a second that a line may have on it which leads nowhere

struct evidence_gateway {
	char name[MODEL_NAME_MAX + 1];
	unsigned id;
	uint64_t begun, looked; // flows: as the counter says now, and as it did at the last look
	bool wanted[FAM_COUNT]; // may be suspected
	bool plain[FAM_COUNT];  // its flows keep their source
	uint64_t rx_bytes;      // that its interface had received a second ago
	struct silence silence[FAM_COUNT];
};

struct evidence {
	struct conntrack *ct;
	struct nft *nft;
	struct monitor *monitor;
	VEC(struct evidence_gateway) gateways;
	uint32_t mask;
	int64_t next_ms; // no look before
};

struct evidence *evidence_new(struct conntrack *ct, struct nft *nft, struct monitor *monitor)
{
	struct evidence *evidence = xcalloc(1, sizeof(*evidence));
	evidence->ct = ct;
	evidence->nft = nft;
	evidence->monitor = monitor;
	return evidence;
}

static void evidence_drop(struct evidence_gateway *gw)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		silence_free(&gw->silence[fam]);
}

void evidence_free(struct evidence *evidence)
{
	if (!evidence)
		return;
	vec_each(&evidence->gateways, gw)
		evidence_drop(gw);
	vec_free(&evidence->gateways);
	free(evidence);
}

// ---- who is worth a look ---------------------------------------------------------------------

static bool evidence_is_slow(const struct model *model, const struct model_gateway *gw)
{
	for (size_t i = 0; i < gw->n_probes; i++)
		if (model->probes[gw->probes[i]].interval_ms > EVIDENCE_INTERVAL_MS)
			return true;
	return false;
}

static struct evidence_gateway *evidence_gateway(struct evidence *evidence, const char *name)
{
	struct evidence_gateway *fresh;
	vec_each(&evidence->gateways, gw)
		if (!strcmp(gw->name, name))
			return gw;
	vec_add(&evidence->gateways, fresh);
	snprintf(fresh->name, sizeof(fresh->name), "%s", name);
	return fresh;
}

static bool evidence_shares(const struct model *model, const struct model_gateway *gw)
{
	size_t n = 0;
	for (size_t i = 0; i < model->n_gateways; i++)
		n += !strcmp(model->gateways[i].interface, gw->interface);
	return n > 1;
}

// What comes in by its interface is more than a dead line has.
static bool evidence_receives(struct evidence_gateway *gw, const struct model *model,
			      const struct model_gateway *of, const struct facts *facts)
{
	const struct fact_iface *iface = facts_iface(facts, of->interface);
	uint64_t now = iface ? iface->rx_bytes : 0, before = gw->rx_bytes;
	gw->rx_bytes = now;
	return now > before && now - before > EVIDENCE_NOISE && !evidence_shares(model, of);
}

// Those that are probed seldom, are believed to live, and show no sign of it.
static bool evidence_choose(struct evidence *evidence, const struct model *model, const struct facts *facts,
			    const struct ids *ids)
{
	bool any = false;
	evidence->mask = model->globals.mark_mask;
	vec_each(&evidence->gateways, gw)
		gw->id = 0;
	for (size_t i = 0; i < model->n_gateways; i++) {
		const char *name = model->gateways[i].name;
		if (!evidence_is_slow(model, &model->gateways[i]))
			continue;
		struct evidence_gateway *gw = evidence_gateway(evidence, name);
		gw->id = ids_get(ids, name);
		bool receives = evidence_receives(gw, model, &model->gateways[i], facts);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			enum state state = monitor_verdict(evidence->monitor, name, fam)->state;
			gw->plain[fam] = model->gateways[i].snat[fam].mode == SNAT_NONE;
			gw->wanted[fam] = !receives && (state == STATE_UP || state == STATE_DEGRADED);
			any |= gw->wanted[fam];
		}
	}
	for (size_t i = evidence->gateways.n; i-- > 0;) {
		if (evidence->gateways.v[i].id)
			continue;
		evidence_drop(&evidence->gateways.v[i]);
		evidence->gateways.v[i] = evidence->gateways.v[--evidence->gateways.n];
	}
	return any;
}

static void evidence_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	static const char prefix[] = "new.";
	struct evidence *evidence = arg;
	(void)bytes;
	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return;
	vec_each(&evidence->gateways, gw)
		if (!strcmp(gw->name, name + strlen(prefix)))
			gw->begun = packets;
}

static bool evidence_stirs(const struct evidence_gateway *gw)
{
	bool stirs = false;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		stirs |= gw->wanted[fam] && (gw->begun != gw->looked || !silence_is_calm(&gw->silence[fam]));
	return stirs;
}

static bool evidence_is_due(struct evidence *evidence, int64_t now_ms)
{
	struct err err;
	if (now_ms < evidence->next_ms)
		return false;
	if (nft_read_counters(evidence->nft, evidence_counter, evidence, &err) < 0)
		return false;
	vec_each(&evidence->gateways, gw)
		if (evidence_stirs(gw))
			return true;
	return false;
}

// ---- the look --------------------------------------------------------------------------------

// What was begun from outside, or is a probe of ours, tells nothing: it is not translated.
static void evidence_flow(void *arg, const struct ct_flow *flow, uint32_t id)
{
	struct evidence *evidence = arg;
	unsigned gateway = mark_to_id(evidence->mask, flow->mark);
	enum fam fam = addr_fam(&flow->orig.src);
	if (!gateway)
		return;
	vec_each(&evidence->gateways, gw)
		if (gw->id == gateway && (gw->plain[fam] || conntrack_is_translated(flow)))
			silence_flow(&gw->silence[fam], id, flow->orig.protocol == IPPROTO_TCP);
}

// The counter knows no families: both together show whether anybody is answered.
static void evidence_judge(struct evidence *evidence, struct evidence_gateway *gw, int64_t now_ms)
{
	uint64_t begun = gw->begun > gw->looked ? gw->begun - gw->looked : 0, fresh = 0;
	gw->looked = gw->begun;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		fresh += silence_fresh(&gw->silence[fam]);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		bool suspect =
			silence_end(&gw->silence[fam], now_ms, begun, begun > fresh ? begun - fresh : 0);
		if (!gw->wanted[fam])
			silence_forget(&gw->silence[fam]);
		if (!suspect || !gw->wanted[fam])
			continue;
		log_debug("health", "%s IPv%c: new connections get no replies: it is probed now", gw->name,
			  fam == FAM_4 ? '4' : '6');
		monitor_suspect(evidence->monitor, gw->name, fam);
	}
}

void evidence_look(struct evidence *evidence, const struct model *model, const struct facts *facts,
		   const struct ids *ids, int64_t now_ms)
{
	struct err err;
	if (!evidence_choose(evidence, model, facts, ids) || !evidence_is_due(evidence, now_ms))
		return;
	int64_t began_us = mono_cpu_us();
	vec_each(&evidence->gateways, gw)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			silence_begin(&gw->silence[fam]);
	bool whole = !conntrack_dump_unreplied(evidence->ct, evidence_flow, evidence, &err);
	for (size_t i = 0; whole && i < evidence->gateways.n; i++) // else the next one tells
		evidence_judge(evidence, &evidence->gateways.v[i], now_ms);
	int64_t pause_ms = (mono_cpu_us() - began_us) * EVIDENCE_IDLE / 1000;
	evidence->next_ms = now_ms + (pause_ms < EVIDENCE_PAUSE_MAX_MS ? pause_ms : EVIDENCE_PAUSE_MAX_MS);
}
