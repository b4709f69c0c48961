// SPDX-License-Identifier: GPL-2.0-or-later
// An address can be put on one interface only.
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"

struct check_vip {
	const struct addr *addr;
	size_t service;
};

struct check_vips {
	VEC(struct check_vip) all;
};

static int check_compare(const void *va, const void *vb)
{
	const struct check_vip *a = va, *b = vb;
	int order = addr_compare(a->addr, b->addr);
	return order ? order : a->service < b->service ? -1 : a->service > b->service;
}

void check_vip_interfaces(const struct loader *ld)
{
	const struct model *m = ld->model;
	struct check_vips vips = {0};
	char text[ADDR_TEXT];
	for (size_t i = 0; i < m->n_services; i++)
		for (size_t k = 0; m->services[i].vip_interface && k < m->services[i].n_listens; k++)
			vec_push(&vips.all, (struct check_vip){&m->services[i].listens[k].addr, i});
	if (vips.all.n)
		qsort(vips.all.v, vips.all.n, sizeof(*vips.all.v), check_compare);
	for (size_t i = 1; i < vips.all.n; i++) {
		const struct check_vip *a = &vips.all.v[i - 1], *b = &vips.all.v[i];
		const struct model_service *one = &m->services[a->service], *two = &m->services[b->service];
		struct reader r = load_section(ld, "service", b->service);
		if (addr_equal(a->addr, b->addr) && strcmp(one->vip_interface, two->vip_interface) != 0)
			option_error(&r, "vip-interface",
				     "vip-interface = %s: service %s puts %s on %s: use the same in both",
				     two->vip_interface, one->name, addr_text(a->addr, text),
				     one->vip_interface);
	}
	vec_free(&vips.all);
}
