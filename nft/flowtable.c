// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/flowtable.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/plan.h"
#include "nft/batch.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/table.h"

#define FLOWTABLE_COUNTER 0x2       // conntrack goes on counting; since Linux 5.7
#define FLOWTABLE_PROBE "gwd.probe" // a table that never comes to be

struct flowtable_name {
	char ifname[IF_NAMESIZE];
};

struct flowtable_names {
	VEC(struct flowtable_name) v;
};

static void flowtable_names(struct flowtable_names *names, const struct plan_elem *const *devices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct flowtable_name name;
		uint32_t index;
		memcpy(&index, devices[i]->key, sizeof(index));
		if (if_indextoname(index, name.ifname))
			vec_push(&names->v, name);
	}
}

static struct nlmsghdr *flowtable_message(struct batch *batch, uint16_t type, const char *table,
					  const char *name)
{
	struct nlmsghdr *nlh =
		batch_message(batch, PLAN_INET, type, type == NFT_MSG_NEWFLOWTABLE ? NLM_F_CREATE : 0);
	mnl_attr_put_strz(nlh, NFTA_FLOWTABLE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_FLOWTABLE_NAME, name);
	return nlh;
}

static void flowtable_put_hook(struct nlmsghdr *nlh, const struct flowtable_names *names)
{
	struct nlattr *hook = mnl_attr_nest_start(nlh, NFTA_FLOWTABLE_HOOK);
	mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_HOOK_NUM, htonl(NF_NETDEV_INGRESS));
	mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_HOOK_PRIORITY, htonl(0));
	if (names->v.n) {
		struct nlattr *devices = mnl_attr_nest_start(nlh, NFTA_FLOWTABLE_HOOK_DEVS);
		vec_each(&names->v, name)
			mnl_attr_put_strz(nlh, NFTA_DEVICE_NAME, name->ifname);
		mnl_attr_nest_end(nlh, devices);
	}
	mnl_attr_nest_end(nlh, hook);
}

void flowtable_put(struct batch *batch, uint16_t type, const char *name,
		   const struct plan_elem *const *devices, size_t n)
{
	struct flowtable_names names = {0};
	flowtable_names(&names, devices, n);
	if (names.v.n || (type == NFT_MSG_NEWFLOWTABLE && !n)) {
		struct nlmsghdr *nlh = flowtable_message(batch, type, NFT_TABLE, name);
		if (type == NFT_MSG_NEWFLOWTABLE)
			mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_FLAGS, htonl(FLOWTABLE_COUNTER));
		flowtable_put_hook(nlh, &names);
		batch_add(batch, nlh, "flowtable", name, NULL);
	}
	vec_free(&names.v);
}

void flowtable_put_delete(struct batch *batch, const char *name)
{
	batch_add(batch, flowtable_message(batch, NFT_MSG_DELFLOWTABLE, NFT_TABLE, name), "flowtable", name,
		  NULL);
}

// ---- from the kernel ---------------------------------------------------------------------------

static void flowtable_parse_hook(struct plan_set *set, const struct nlattr *hook)
{
	nl_each_nested(attr, hook) {
		if (mnl_attr_get_type(attr) != NFTA_FLOWTABLE_HOOK_DEVS)
			continue;
		nl_each_nested(dev, attr) {
			struct plan_elem elem = {0};
			uint32_t index = if_nametoindex(nl_str(dev));
			if (!index)
				continue;
			memcpy(elem.key, &index, sizeof(index));
			snprintf((char *)elem.last, sizeof(elem.last), "%.15s", nl_str(dev));
			vec_push(&set->elems, elem);
		}
	}
}

static int flowtable_parse(const struct nlmsghdr *nlh, void *arg)
{
	struct plan *plan = arg;
	struct plan_set set = {.key = {PLAN_T_INDEX}, .flowtable = true};
	const struct nlattr *hook = NULL;
	const char *table = "";
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_FLOWTABLE_TABLE:
			table = nl_str(attr);
			break;
		case NFTA_FLOWTABLE_NAME:
			snprintf(set.name, sizeof(set.name), "%s", nl_str(attr));
			break;
		case NFTA_FLOWTABLE_HOOK:
			hook = attr;
			break;
		}
	}
	if (strcmp(table, NFT_TABLE) != 0)
		return MNL_CB_OK;
	if (hook)
		flowtable_parse_hook(&set, hook);
	vec_push(&plan->sets, set);
	return MNL_CB_OK;
}

int flowtable_read(struct nft *nft, struct plan *plan, struct err *err)
{
	return nft_dump(nft, PLAN_INET, NFT_MSG_GETFLOWTABLE, NULL, flowtable_parse, plan, err);
}

// ---- does this kernel have them? ---------------------------------------------------------------

// A transaction without its end is checked by the kernel, which loads its modules for it, and then undone.
bool nft_has_flowtable(struct nft *nft)
{
	struct err err;
	struct batch batch = {0};
	const struct flowtable_names none = {0};
	batch_begin(&batch, 0);
	struct nlmsghdr *nlh = batch_message(&batch, PLAN_INET, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, FLOWTABLE_PROBE);
	batch_add(&batch, nlh, "table", FLOWTABLE_PROBE, NULL);
	nlh = flowtable_message(&batch, NFT_MSG_NEWFLOWTABLE, FLOWTABLE_PROBE, "fast");
	mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_FLAGS, htonl(FLOWTABLE_COUNTER));
	flowtable_put_hook(nlh, &none);
	batch_add(&batch, nlh, "flowtable", "fast", NULL);
	int code = batch_check(&batch, nft->sock, &err);
	batch_free(&batch);
	return !code;
}

// ---- as text -----------------------------------------------------------------------------------

void flowtable_text(const struct plan_set *set, struct buf *out)
{
	buf_printf(out, "\tflowtable %s {\n\t\thook ingress priority filter\n", set->name);
	for (size_t i = 0; i < set->elems.n; i++)
		buf_printf(out, "%s\"%.16s\"%s", i ? ", " : "\t\tdevices = { ",
			   (const char *)set->elems.v[i].last, i + 1 == set->elems.n ? " }\n" : "");
	buf_puts(out, "\t\tcounter\n\t}\n");
}
