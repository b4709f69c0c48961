// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/ending.h"
#include "gwd/ending_priv.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "nft/places.h"

struct ending_direct {
	const struct plan_set *back; // VIP -> mark of the gateway by which its clients are reached
	uint32_t id;
	enum fam fam;
	VEC(struct ending_flow) flows;
};

static uint32_t ending_link(const struct plan_set *back, const struct addr *vip)
{
	for (size_t i = 0; back && i < back->elems.n; i++)
		if (!memcmp(back->elems.v[i].key, vip->b, addr_size(vip)))
			return back->elems.v[i].mark;
	return 0;
}

// Those of others than TCP share the map, and have nobody who could be told.
static void ending_take_conn(void *arg, const uint8_t *key, unsigned key_size, uint32_t id,
			     uint64_t expires_ms)
{
	struct ending_direct *list = arg;
	struct ct_tuple conn;
	(void)expires_ms;
	if (id != list->id || !place_tuple(key, key_size, list->fam, &conn) || conn.protocol != IPPROTO_TCP)
		return;
	struct ending_flow flow = {
		.mark = ending_link(list->back, &conn.dst),
		.wake = {.lan = conn.src, .lan_port = conn.sport, .far = conn.dst, .far_port = conn.dport}};
	vec_push(&list->flows, flow);
}

int ending_direct(struct ending *ending, struct nft *nft, const struct plan *applied,
		  const struct plan_service *service, const struct plan_real *real, struct err *err)
{
	char set[PLAN_NAME_SIZE], name[MODEL_REAL_NAME_SIZE];
	struct ending_direct list = {.id = real->id, .fam = addr_fam(&real->address)};
	if (!memchr(service->protocols.v, IPPROTO_TCP, service->protocols.n))
		return 0;
	name_service(set, "drconn", list.fam, service);
	if (!plan_find_set(applied, set))
		return 0;
	list.back = plan_find_set(applied, list.fam == FAM_4 ? "drback4" : "drback6");
	int r = nft_dump_conns(nft, set, ending_take_conn, &list, err);
	if (r == -ENOENT) { // swept, with its service
		err->text[0] = 0;
		r = 0;
	}
	snprintf(name, sizeof(name), "%s/%s", service->name, real->name);
	if (!r && list.flows.n) {
		ending_speak(ending, name, list.flows.v, list.flows.n, applied->mark_mask);
		log_info("real", "%s: clients of %zu connections are told", name, list.flows.n);
	}
	vec_free(&list.flows);
	return r;
}
