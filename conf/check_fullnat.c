// SPDX-License-Identifier: GPL-2.0-or-later
// What a connection speaks from is decided when its destination is translated already: by the listener's address
// and the real. Where two services have both in common they must agree.
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"

struct check_way {
	const struct addr *vip;
	uint8_t protocol;
	uint16_t port; // of the real; 0: any
	size_t service, real;
	const struct model_real *to;
};

struct check_ways {
	VEC(struct check_way) all;
};

static bool check_same_ends(const struct check_way *a, const struct check_way *b)
{
	return addr_equal(a->vip, b->vip) && addr_equal(&a->to->address, &b->to->address) &&
	       a->protocol == b->protocol;
}

static int check_compare(const void *va, const void *vb)
{
	const struct check_way *a = va, *b = vb;
	int order = addr_compare(a->vip, b->vip);
	if (!order)
		order = addr_compare(&a->to->address, &b->to->address);
	if (!order)
		order = (int)a->protocol - (int)b->protocol;
	if (!order)
		order = (int)a->port - (int)b->port;
	if (!order && a->service != b->service)
		order = a->service < b->service ? -1 : 1;
	return order ? order : a->real < b->real ? -1 : a->real > b->real;
}

static void check_collect_real(struct check_ways *ways, const struct model_service *service,
			       struct check_way way)
{
	for (size_t i = 0; i < service->n_listens; i++) {
		const struct model_listen *listen = &service->listens[i];
		if (listen->addr.family != way.to->address.family)
			continue;
		way.vip = &listen->addr;
		way.port = way.to->port ? way.to->port : listen->first == listen->last ? listen->first : 0;
		for (size_t k = 0; k < service->n_protocols; k++) {
			way.protocol = service->protocols[k];
			vec_push(&ways->all, way);
		}
	}
}

static void check_collect(struct check_ways *ways, const struct model *m)
{
	for (size_t i = 0; i < m->n_services; i++)
		for (size_t k = 0; k < m->services[i].n_reals; k++) {
			const struct model_real *real = &m->services[i].reals[k];
			if (!addr_is_none(&real->address))
				check_collect_real(ways, &m->services[i],
						   (struct check_way){.service = i, .real = k, .to = real});
		}
}

static bool check_agree(const struct model *m, const struct check_way *a, const struct check_way *b)
{
	const struct model_service *one = &m->services[a->service], *two = &m->services[b->service];
	bool full = a->to->forward == FORWARD_FULLNAT;
	enum fam fam = addr_fam(a->vip);
	if (full != (b->to->forward == FORWARD_FULLNAT))
		return false;
	return !full || (addr_equal(&one->source_first[fam], &two->source_first[fam]) &&
			 addr_equal(&one->source_last[fam], &two->source_last[fam]));
}

// One complaint for each real is enough.
static void check_pair(const struct loader *ld, const struct check_way *a, const struct check_way *b,
		       const struct model_real **told)
{
	const struct check_way *first = a->service < b->service ? a : b, *second = first == a ? b : a;
	struct reader service = load_section(ld, "service", second->service);
	struct reader r = load_real_section(&service, second->real);
	char vip[ADDR_TEXT];
	if (a->service == b->service || check_agree(ld->model, a, b) || *told == second->to)
		return;
	*told = second->to;
	option_error(
		&r, "address",
		"address: %s of service %s gets connections for %s at the same port, but speaks from another "
		"source: use the same forward and source in both",
		first->to->name, ld->model->services[first->service].name, addr_text(first->vip, vip));
}

static bool check_any_fullnat(const struct model *m)
{
	for (size_t i = 0; i < m->n_services; i++)
		for (size_t k = 0; k < m->services[i].n_reals; k++)
			if (m->services[i].reals[k].forward == FORWARD_FULLNAT)
				return true;
	return false;
}

// Those of any port stand first among the same ends.
static void check_rivals(const struct loader *ld, const struct check_ways *ways)
{
	const struct check_way *any = NULL, *before = NULL;
	const struct model_real *told = NULL;
	vec_each(&ways->all, way) {
		bool same_ends = before && check_same_ends(before, way);
		if (!same_ends)
			any = way->port ? NULL : way;
		if (same_ends && before->port == way->port)
			check_pair(ld, before, way, &told);
		else if (any && any != way)
			check_pair(ld, any, way, &told);
		before = way;
	}
}

void check_fullnat(const struct loader *ld)
{
	struct check_ways ways = {0};
	if (!check_any_fullnat(ld->model))
		return;
	check_collect(&ways, ld->model);
	if (ways.all.n)
		qsort(ways.all.v, ways.all.n, sizeof(*ways.all.v), check_compare);
	check_rivals(ld, &ways);
	vec_free(&ways.all);
}
