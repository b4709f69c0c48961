// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/preview.h"

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/ids.h"
#include "gwd/core/link.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/netmon.h"
#include "gwd/script.h"
#include "gwd/sysctl.h"
#include "nft/conntrack.h"
#include "nft/nft.h"

struct preview {
	struct event_base *base;
	struct netmon *netmon;
	struct ids ids;
	struct plan plan;
};

static void preview_ignore(void *arg, unsigned what)
{
	(void)arg, (void)what;
}

// The ids that are in use already, and what the kernel can do; without the right to ask, the ids of a
// fresh start and a kernel without flowtables.
static void preview_ask_kernel(struct ids *ids, bool *flowtable)
{
	struct err err;
	struct plan plan = {0};
	struct nft *nft = nft_open(&err);
	if (nft && !nft_read(nft, &plan, &err))
		vec_each(&plan.gateways, gw)
			ids_learn(ids, gw->name, gw->id);
	*flowtable = nft && nft_has_flowtable(nft);
	plan_free(&plan);
	nft_close(nft);
}

static int preview_open(struct preview *preview, const struct model *model, struct err *err)
{
	preview->base = event_base_new();
	preview->netmon = netmon_open(preview->base, preview_ignore, NULL, err);
	if (!preview->netmon)
		return -EIO;
	struct build_input input = {
		.model = model, .facts = netmon_facts(preview->netmon), .ids = &preview->ids};
	preview_ask_kernel(&preview->ids, &input.flowtable);
	ids_assign(&preview->ids, model);
	plan_build(&preview->plan, &input);
	return 0;
}

static void preview_close(struct preview *preview)
{
	plan_free(&preview->plan);
	ids_free(&preview->ids);
	netmon_close(preview->netmon);
	event_base_free(preview->base);
}

int preview_print(const struct model *model, FILE *out)
{
	struct preview preview = {0};
	struct err err = {""};
	struct buf text = {0};
	int r = preview_open(&preview, model, &err);
	if (r) {
		fprintf(stderr, "gwd: %s\n", err.text);
	} else {
		script_text(&preview.plan, &text);
		fputs(buf_text(&text), out);
	}
	buf_free(&text);
	preview_close(&preview);
	return r;
}

// ---- gwd -t --------------------------------------------------------------------------------

static void preview_check_gateways(const struct preview *preview, const struct model *model, FILE *out)
{
	const struct facts *facts = netmon_facts(preview->netmon);
	for (size_t i = 0; i < model->n_gateways; i++) {
		struct link link;
		link_resolve(&link, &model->gateways[i], facts);
		const struct link_path *path = link.path;
		if (path[FAM_4].ready || path[FAM_6].ready)
			continue;
		fprintf(out, "gateway %s: not usable now: %s\n", model->gateways[i].name,
			path[FAM_4].wanted || !path[FAM_6].wanted ? path[FAM_4].missing
								  : path[FAM_6].missing);
	}
	for (size_t i = 0; i < model->lan.n_interfaces; i++)
		if (!strchr(model->lan.interfaces[i], '*') && !facts_iface(facts, model->lan.interfaces[i]))
			fprintf(out, "lan: interface %s does not exist now\n", model->lan.interfaces[i]);
}

static bool preview_is_own(const struct facts *facts, const struct addr *addr)
{
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			if (addr_equal(&own->addr, addr))
				return true;
	return false;
}

static void preview_check_listen(const struct model_service *service, size_t i, const struct facts *facts,
				 FILE *out)
{
	const struct addr *addr = &service->listens[i].addr;
	char text[ADDR_TEXT];
	bool told = false;
	for (size_t k = 0; k < i; k++)
		told |= addr_equal(&service->listens[k].addr, addr);
	if (!told && !service->vip_interface && !preview_is_own(facts, addr))
		fprintf(out,
			"service %s: %s is on no interface of this host now: others must route it here\n",
			service->name, addr_text(addr, text));
}

static void preview_check_services(const struct preview *preview, const struct model *model, FILE *out)
{
	const struct facts *facts = netmon_facts(preview->netmon);
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_listens; k++)
			preview_check_listen(&model->services[i], k, facts, out);
}

static void preview_check_sysctls(const struct preview *preview, FILE *out)
{
	char value[64];
	vec_each(&preview->plan.sysctls, sysctl) {
		if (sysctl_holds(sysctl))
			continue;
		if (sysctl_read(sysctl->path, value, sizeof(value)))
			snprintf(value, sizeof(value), "not readable");
		fprintf(out, "sysctl %s is %s; gwd will set it to %s %s\n", sysctl->path, value,
			sysctl->value, sysctl->why);
	}
}

// What gwd can't do without: the right to change nftables, and conntrack.
static int preview_check_kernel(FILE *out)
{
	struct err err;
	struct plan plan = {0};
	int r = 0;
	struct nft *nft = nft_open(&err);
	struct conntrack *conntrack = NULL;
	if (!nft || nft_read(nft, &plan, &err) || !(conntrack = conntrack_open(&err))) {
		fprintf(out, "kernel: %s (run as root, or with CAP_NET_ADMIN)\n", err.text);
		r = -EPERM;
	}
	plan_free(&plan);
	conntrack_close(conntrack);
	nft_close(nft);
	return r;
}

int preview_check(const struct model *model, FILE *out)
{
	struct preview preview = {0};
	struct err err = {""};
	int r = preview_open(&preview, model, &err);
	if (r) {
		fprintf(out, "kernel: %s\n", err.text);
	} else {
		preview_check_gateways(&preview, model, out);
		preview_check_services(&preview, model, out);
		preview_check_sysctls(&preview, out);
		if (*model->globals.control_group && !getgrnam(model->globals.control_group))
			fprintf(out, "control-group: this host has no group %s, so only root may use gwctl\n",
				model->globals.control_group);
		r = preview_check_kernel(out);
	}
	if (!r)
		fprintf(out, "%s: fine\n", model->path);
	preview_close(&preview);
	return r;
}
