// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/monitor.h"

#include <stdio.h>
#include <string.h>

#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/facts.h"
#include "gwd/core/ids.h"
#include "gwd/core/link.h"
#include "gwd/core/marks.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "probes/checker.h"
#include "probes/prober.h"

struct monitor_entry {
	char gateway[MODEL_NAME_MAX + 1];
	struct checker *checker[FAM_COUNT]; // NULL: this family was never wanted
	bool seen;                          // by the last update
};

struct monitor {
	struct event_base *base;
	struct prober_set *probers;
	void (*changed)(void *arg, const char *name);
	void *arg;
	VEC(struct monitor_entry) entries;
	bool urgent[FAM_COUNT];
};

static const struct verdict monitor_nothing = {
	.state = STATE_UNKNOWN, .reason = "not probed", .latency_ms = -1, .jitter_ms = -1};

struct monitor *monitor_new(struct event_base *base, void (*changed)(void *arg, const char *name), void *arg)
{
	struct monitor *monitor = xcalloc(1, sizeof(*monitor));
	monitor->base = base;
	monitor->probers = prober_set_new(base);
	monitor->changed = changed;
	monitor->arg = arg;
	return monitor;
}

static void monitor_entry_free(struct monitor_entry *entry)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		checker_free(entry->checker[fam]);
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	vec_each(&monitor->entries, entry)
		monitor_entry_free(entry);
	vec_free(&monitor->entries);
	prober_set_free(monitor->probers);
	free(monitor);
}

static void monitor_news(void *arg, struct checker *checker, enum checker_news news)
{
	struct monitor *monitor = arg;
	const struct verdict *verdict = checker_verdict(checker);
	log_debug("health", "%s IPv%c: %s: %s", checker_name(checker),
		  checker_fam(checker) == FAM_4 ? '4' : '6', state_name(verdict->state), verdict->reason);
	if (news != CHECKER_NEWS_FIGURES)
		monitor->changed(monitor->arg, checker_name(checker));
}

struct checker *monitor_checker(struct monitor *monitor, const char *name,
				const struct model_probe *const *probes, size_t n_probes, unsigned need,
				const struct checker_binding *binding)
{
	return checker_new(monitor->base, monitor->probers, name, probes, n_probes, need, binding, NULL,
			   monitor_news, monitor);
}

static struct monitor_entry *monitor_entry(const struct monitor *monitor, const char *gateway)
{
	vec_each(&monitor->entries, entry)
		if (!strcmp(entry->gateway, gateway))
			return entry;
	return NULL;
}

static void monitor_update_fam(struct monitor *monitor, struct monitor_entry *entry,
			       const struct model *model, const struct model_gateway *gw,
			       const struct link *link, enum fam fam, uint32_t mark)
{
	const struct link_path *path = &link->path[fam];
	struct checker **checker = &entry->checker[fam];
	// one whose route is gone for now keeps its checker: a link that flaps must not lose its damping
	if (!path->wanted && (!*checker || gw->addr_mode[fam] == ADDR_MODE_NONE)) {
		checker_free(*checker);
		*checker = NULL;
		return;
	}
	struct checker_binding binding = {.fam = fam,
					  .ifindex = link->ifindex,
					  .mark = mark,
					  .next_hop = path->target,
					  .source = path->source};
	snprintf(binding.ifname, sizeof(binding.ifname), "%s", gw->interface);
	snprintf(binding.broken, sizeof(binding.broken), "%s", path->ready ? "" : path->missing);
	const struct model_probe **probes = xcalloc(gw->n_probes, sizeof(*probes));
	for (size_t i = 0; i < gw->n_probes; i++)
		probes[i] = &model->probes[gw->probes[i]];
	if (*checker) {
		checker_configure(*checker, probes, gw->n_probes, gw->need);
		checker_rebind(*checker, &binding);
	} else {
		*checker = monitor_checker(monitor, gw->name, probes, gw->n_probes, gw->need, &binding);
		checker_set_urgent(*checker, monitor->urgent[fam]);
	}
	free(probes);
}

void monitor_update(struct monitor *monitor, const struct model *model, const struct facts *facts,
		    const struct ids *ids)
{
	vec_each(&monitor->entries, entry)
		entry->seen = false;
	for (size_t i = 0; i < model->n_gateways; i++) {
		const struct model_gateway *gw = &model->gateways[i];
		struct monitor_entry *entry = monitor_entry(monitor, gw->name);
		struct link link;
		if (!entry) {
			vec_add(&monitor->entries, entry);
			snprintf(entry->gateway, sizeof(entry->gateway), "%s", gw->name);
		}
		entry->seen = true;
		link_resolve(&link, gw, facts);
		uint32_t mark = mark_of_id(model->globals.mark_mask, ids_get(ids, gw->name));
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			monitor_update_fam(monitor, entry, model, gw, &link, fam, mark);
	}
}

void monitor_drop_unseen(struct monitor *monitor)
{
	for (size_t i = monitor->entries.n; i-- > 0;) {
		if (monitor->entries.v[i].seen)
			continue;
		monitor_entry_free(&monitor->entries.v[i]);
		monitor->entries.v[i] = monitor->entries.v[--monitor->entries.n];
	}
}

struct prober_set *monitor_probers(const struct monitor *monitor)
{
	return monitor->probers;
}

// Who judges it in this family, or NULL.
static struct checker *monitor_judge(const struct monitor *monitor, const char *gateway, enum fam fam)
{
	const struct monitor_entry *entry = monitor_entry(monitor, gateway);
	if (!entry)
		return NULL;
	struct checker *own = entry->checker[fam], *other = entry->checker[!fam];
	if (own && checker_has_targets(own))
		return own;
	if (other && checker_has_targets(other))
		return other;
	return own;
}

const struct verdict *monitor_verdict(const struct monitor *monitor, const char *gateway, enum fam fam)
{
	const struct checker *judge = monitor_judge(monitor, gateway, fam);
	return judge ? checker_verdict(judge) : &monitor_nothing;
}

void monitor_suspect(struct monitor *monitor, const char *gateway, enum fam fam)
{
	struct checker *judge = monitor_judge(monitor, gateway, fam);
	if (judge)
		checker_probe_now(judge);
}

void monitor_set_urgent(struct monitor *monitor, enum fam fam, bool nothing_usable)
{
	if (monitor->urgent[fam] == nothing_usable)
		return;
	monitor->urgent[fam] = nothing_usable;
	vec_each(&monitor->entries, entry)
		if (entry->checker[fam])
			checker_set_urgent(entry->checker[fam], nothing_usable);
}
