// SPDX-License-Identifier: GPL-2.0-or-later
// A diff's nft operations, carried out: all of a change in one transaction. What it left unreferenced is swept in
// a second one, if all chains changed; else it goes with the next one (rest.h).
//
// When the chains change, every rule is loaded anew over the sets, pins and counters that are
// there: the table's rules are deleted, chains that are missing are added, rules follow. To a packet
// it is one step from the old ruleset to the new.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "gwd/core/names.h"
#include "nft/batch.h"
#include "nft/chains.h"
#include "nft/change.h"
#include "nft/flowtable.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/put.h"
#include "nft/rest.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/set.h"
#include "nft/table.h"

// ---- chains ------------------------------------------------------------------------------------

static void apply_counter(struct batch *batch, const char *name)
{
	struct nlmsghdr *nlh = batch_message(batch, PLAN_INET, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	mnl_attr_nest_end(nlh, mnl_attr_nest_start(nlh, NFTA_OBJ_DATA));
	batch_add(batch, nlh, "counter", name, NULL);
}

static void apply_helper(struct batch *batch, const char *name)
{
	struct nlmsghdr *nlh = batch_message(batch, PLAN_INET, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_CT_HELPER));
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);
	mnl_attr_put_strz(nlh, NFTA_CT_HELPER_NAME, name);
	mnl_attr_put_u16(nlh, NFTA_CT_HELPER_L3PROTO, htons(NFPROTO_INET));
	mnl_attr_put_u8(nlh, NFTA_CT_HELPER_L4PROTO, IPPROTO_TCP);
	mnl_attr_nest_end(nlh, data);
	batch_add(batch, nlh, "ct helper", name, NULL);
}

static void apply_delete_object(struct batch *batch, uint32_t kind, const char *what, const char *name)
{
	struct nlmsghdr *nlh = batch_message(batch, PLAN_INET, NFT_MSG_DELOBJ, 0);
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(kind));
	batch_add(batch, nlh, what, name, NULL);
}

static bool apply_has_table(const struct nft_names *names, enum plan_table table)
{
	vec_each(&names->v, name)
		if (name->table == table)
			return true;
	return false;
}

// All that the elements and the rules will refer to. The devices' chains are elements.
static void apply_frame(struct nft *nft, struct batch *batch, const struct plan *to,
			const struct ruleset *ruleset, const struct nft_names *old_chains)
{
	for (enum plan_table table = PLAN_INET; table < PLAN_TABLES; table++) {
		if (table == PLAN_INET || to->netdev)
			nft_put_table(batch, table, nft->table_flags);
		if (apply_has_table(old_chains, table))
			put_delete(batch, table, NFT_MSG_DELRULE, 0, "rules of table", table_text(table));
	}
	vec_each(&ruleset->counters, counter)
		apply_counter(batch, counter->name);
	vec_each(&ruleset->helpers, helper)
		apply_helper(batch, helper->name);
	vec_each(&ruleset->chains, chain)
		if (!(*chain)->device)
			put_chain(batch, *chain, (*chain)->name);
	vec_each(&old_chains->v, old) {
		uint64_t shape;
		size_t n_rules;
		if (name_parse_shape(old->name, &shape, &n_rules) && !ruleset_has_chain(ruleset, old->name))
			put_delete(batch, old->table, NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "chain", old->name);
	}
}

// ---- devices of table netdev -------------------------------------------------------------------------

static void apply_devices(struct batch *batch, uint16_t type, const struct plan_elem *const *devices,
			  size_t n)
{
	char name[PLAN_NAME_SIZE];
	for (size_t i = 0; i < n; i++) {
		struct ruleset one = {.table = PLAN_NETDEV};
		const char *label = (const char *)devices[i]->last;
		if (type == NFT_MSG_NEWCHAIN) {
			put_chain(batch, chain_ingress(&one, devices[i]), label);
		} else {
			struct nlmsghdr *nlh = batch_message(batch, PLAN_NETDEV, type, 0);
			mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NFT_TABLE);
			mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name_ingress(name, devices[i]));
			batch_add(batch, nlh, "chain of device", label, NULL);
		}
		ruleset_free(&one);
	}
}

// Chains of devices that come without all other chains: theirs are the only rules.
static void apply_new_devices(struct ruleset *ruleset, const struct op *ops, size_t n)
{
	ruleset->table = PLAN_NETDEV;
	for (size_t i = 0; i < n; i++) {
		if (ops[i].kind == OP_ELEM_ADD && ops[i].set->ingress)
			chain_ingress(ruleset, ops[i].elem);
		if (ops[i].kind == OP_SET_ADD && ops[i].set->ingress)
			vec_each(&ops[i].set->elems, elem)
				chain_ingress(ruleset, elem);
	}
}

// ---- sets and elements -------------------------------------------------------------------------------

static void apply_set(struct batch *batch, const struct plan_set *set, bool renewed, uint32_t id)
{
	VEC(const struct plan_elem *) elems = {0};
	vec_each(&set->elems, elem)
		vec_push(&elems, elem);
	if (set->flowtable || set->ingress) {
		if (set->flowtable)
			flowtable_put(batch, NFT_MSG_NEWFLOWTABLE, set->name, elems.v, elems.n);
		else
			apply_devices(batch, NFT_MSG_NEWCHAIN, elems.v, elems.n);
		vec_free(&elems);
		return;
	}
	if (renewed)
		put_delete(batch, set->table, NFT_MSG_DELSET, NFTA_SET_NAME, "set", set->name);
	struct nftnl_set *nl = set_declare(set, id);
	struct nlmsghdr *nlh = batch_message(batch, set->table, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(nlh, nl);
	nftnl_set_free(nl);
	batch_add(batch, nlh, set->data == PLAN_T_NONE ? "set" : "map", set->name, NULL);
	batch_elems(batch, NFT_MSG_NEWSETELEM, set, elems.v, set->dynamic ? 0 : elems.n);
	vec_free(&elems);
}

// Element operations of one kind on one set, in a row, go together; returns how many there were.
static size_t apply_elems(struct batch *batch, const struct op *ops, size_t n)
{
	VEC(const struct plan_elem *) elems = {0};
	size_t i = 0;
	for (; i < n && ops[i].kind == ops->kind && ops[i].set == ops->set; i++)
		vec_push(&elems, ops[i].elem);
	bool add = ops->kind == OP_ELEM_ADD;
	if (ops->set->flowtable)
		flowtable_put(batch, add ? NFT_MSG_NEWFLOWTABLE : NFT_MSG_DELFLOWTABLE, ops->set->name,
			      elems.v, elems.n);
	else if (ops->set->ingress)
		apply_devices(batch, add ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN, elems.v, elems.n);
	else
		batch_elems(batch, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, ops->set, elems.v, elems.n);
	vec_free(&elems);
	return i;
}

static void apply_set_ops(struct batch *batch, const struct op *ops, size_t n, uint32_t next_set_id)
{
	for (size_t i = 0; i < n;) {
		if (ops[i].kind == OP_ELEM_ADD || ops[i].kind == OP_ELEM_DEL) {
			i += apply_elems(batch, ops + i, n - i);
			continue;
		}
		if (ops[i].kind == OP_SET_ADD)
			apply_set(batch, ops[i].set, ops[i].renewed, next_set_id++);
		i++;
	}
}

// ---- transactions ------------------------------------------------------------------------------------

static bool apply_has(const struct op *ops, size_t n, enum op_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == kind)
			return true;
	return false;
}

static bool apply_was_device(uint32_t refused_type)
{
	return refused_type == NFT_MSG_NEWFLOWTABLE || refused_type == NFT_MSG_DELFLOWTABLE ||
	       refused_type == NFT_MSG_NEWCHAIN || refused_type == NFT_MSG_DELCHAIN;
}

// What a transaction is made from, in memory until the kernel has taken it.
struct apply_parts {
	struct ruleset ruleset; // all chains; else those of devices that are new
	struct changes changes; // else those of services
	struct nft_names old_chains;
	struct batch batch;
};

static void apply_parts_free(struct apply_parts *parts)
{
	batch_free(&parts->batch);
	vec_free(&parts->old_chains.v);
	changes_free(&parts->changes);
	ruleset_free(&parts->ruleset);
	*parts = (struct apply_parts){0};
}

static int apply_build(struct nft *nft, struct apply_parts *parts, const struct plan *to,
		       const struct op *ops, size_t n, struct err *err)
{
	parts->ruleset.next_set_id = 1;
	if (apply_has(ops, n, OP_CHAINS)) {
		ruleset_build(&parts->ruleset, to);
		return nft_read_names(nft, NFT_MSG_GETCHAIN, &parts->old_chains, err);
	}
	apply_new_devices(&parts->ruleset, ops, n);
	changes_build(&parts->changes, ops, n, to->mark_mask, &parts->ruleset.next_set_id);
	if (parts->changes.services.n && !nft->marker[0])
		return err_set(err, ERESTART, "it is not known which chains there are");
	return 0;
}

static void apply_fill(struct nft *nft, struct apply_parts *parts, const struct plan *to,
		       const struct op *ops, size_t n)
{
	struct batch *batch = &parts->batch;
	rest_put(&nft->rest, batch);
	if (apply_has(ops, n, OP_CHAINS))
		apply_frame(nft, batch, to, &parts->ruleset, &parts->old_chains);
	else if (parts->changes.services.n)
		changes_put_chains(&parts->changes, batch, nft->marker);
	apply_set_ops(batch, ops, n, parts->ruleset.next_set_id);
	vec_each(&parts->ruleset.chains, chain)
		put_rules(batch, *chain);
	changes_put_rules(&parts->changes, batch);
}

// It is in force.
static void apply_note(struct nft *nft, const struct apply_parts *parts, const struct plan *to,
		       const struct op *ops, size_t n)
{
	rest_clear(&nft->rest);
	if (apply_has(ops, n, OP_CHAINS))
		name_shape(nft->marker, to->shape, ruleset_rules(&parts->ruleset));
	else if (parts->changes.services.n)
		memcpy(nft->marker, parts->changes.marker, sizeof(nft->marker));
	changes_left(&parts->changes, &nft->rest.chains);
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == OP_SET_DEL)
			rest_add_set(&nft->rest, ops[i].set);
}

static int apply_change(struct nft *nft, struct apply_parts *parts, const struct plan *to,
			const struct op *ops, size_t n, struct err *err)
{
	int code = apply_build(nft, parts, to, ops, n, err);
	batch_begin(&parts->batch, nft->genid);
	if (!code)
		apply_fill(nft, parts, to, ops, n);
	if (!code && !batch_empty(&parts->batch))
		code = nft_commit(nft, &parts->batch, err);
	if (code == -ENOENT && apply_was_device(parts->batch.refused_type))
		code = -ERESTART; // it has gone this moment
	if (!code)
		apply_note(nft, parts, to, ops, n);
	return code;
}

static bool apply_is_old(void)
{
	struct utsname host;
	unsigned major, minor;
	return !uname(&host) && sscanf(host.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 9));
}

// A kernel without `persist` refuses the table's flags, and looks at all of a transaction that it refuses. So one whose
// number says that it won't have them is asked before, once. (Of one that has them the question would be the dearer
// one: taking back what was right waits for all processors.)
static void apply_ask_flags(struct nft *nft)
{
	struct batch batch = {0};
	if (nft->flags_asked || !apply_is_old())
		return;
	batch_begin(&batch, 0);
	nft_put_table(&batch, PLAN_INET, nft->table_flags);
	if (batch_check(&batch, nft->sock, NULL) == -EOPNOTSUPP)
		nft->table_flags = 0;
	nft->flags_asked = true;
	batch_free(&batch);
}

// Also refused are flags of a table that was made without an owner.
static int apply_change_owned(struct nft *nft, struct apply_parts *parts, const struct plan *to,
			      const struct op *ops, size_t n, struct err *err)
{
	if (apply_has(ops, n, OP_CHAINS))
		apply_ask_flags(nft);
	int code = apply_change(nft, parts, to, ops, n, err);
	if (code != -EOPNOTSUPP || parts->batch.refused_type != NFT_MSG_NEWTABLE || !nft->table_flags)
		return code;
	nft->table_flags = 0;
	if (err)
		err->text[0] = 0;
	apply_parts_free(parts);
	return apply_change(nft, parts, to, ops, n, err);
}

// All chains, for a sweep, where it was not all of them that changed.
static void apply_rebuild(struct apply_parts *parts, const struct plan *to)
{
	apply_parts_free(parts);
	ruleset_build(&parts->ruleset, to);
}

struct apply_objects {
	struct nft_names counters, helpers;
};

static int apply_sweep_object(const struct nlmsghdr *nlh, void *arg)
{
	struct apply_objects *objects = arg;
	const char *name = "";
	uint32_t type = 0;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_OBJ_NAME)
			name = nl_str(attr);
		if (mnl_attr_get_type(attr) == NFTA_OBJ_TYPE)
			type = ntohl(mnl_attr_get_u32(attr));
	}
	if (type == NFT_OBJECT_COUNTER)
		nft_names_add(&objects->counters, PLAN_INET, name);
	if (type == NFT_OBJECT_CT_HELPER)
		nft_names_add(&objects->helpers, PLAN_INET, name);
	return MNL_CB_OK;
}

// Sets first: their elements hold the chains.
static void apply_sweep_batch(struct batch *batch, const struct plan *to, const struct ruleset *ruleset,
			      const struct nft_names *sets, const struct nft_names *chains,
			      const struct apply_objects *objects, const struct plan *flowtables)
{
	bool netdev_goes = !to->netdev && apply_has_table(chains, PLAN_NETDEV);
	if (netdev_goes)
		put_delete(batch, PLAN_NETDEV, NFT_MSG_DELTABLE, 0, "table", table_text(PLAN_NETDEV));
	vec_each(&flowtables->sets, flowtable)
		if (!plan_find_set(to, flowtable->name))
			flowtable_put_delete(batch, flowtable->name);
	vec_each(&sets->v, set)
		if (set->name[0] != '_' && !plan_find_set(to, set->name) && // "__set0" goes with its rule
		    !(netdev_goes && set->table == PLAN_NETDEV))
			put_delete(batch, set->table, NFT_MSG_DELSET, NFTA_SET_NAME, "set", set->name);
	vec_each(&chains->v, chain)
		if (!ruleset_has_chain(ruleset, chain->name) && !(netdev_goes && chain->table == PLAN_NETDEV))
			put_delete(batch, chain->table, NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "chain",
				   chain->name);
	vec_each(&objects->counters.v, counter)
		if (!ruleset_has_counter(ruleset, counter->name))
			apply_delete_object(batch, NFT_OBJECT_COUNTER, "counter", counter->name);
	vec_each(&objects->helpers.v, helper)
		if (!ruleset_has_helper(ruleset, helper->name))
			apply_delete_object(batch, NFT_OBJECT_CT_HELPER, "ct helper", helper->name);
}

static int apply_sweep(struct nft *nft, const struct plan *to, const struct ruleset *ruleset, struct err *err)
{
	struct nft_names sets = {0}, chains = {0};
	struct apply_objects objects = {0};
	struct plan flowtables = {0};
	struct batch batch = {0};
	batch_begin(&batch, nft->genid);
	int code = nft_read_names(nft, NFT_MSG_GETSET, &sets, err);
	if (!code)
		code = nft_read_names(nft, NFT_MSG_GETCHAIN, &chains, err);
	if (!code)
		code = nft_dump_objects(nft, apply_sweep_object, &objects, err);
	if (!code)
		code = flowtable_read(nft, &flowtables, err);
	if (!code) {
		apply_sweep_batch(&batch, to, ruleset, &sets, &chains, &objects, &flowtables);
		if (!batch_empty(&batch))
			code = nft_commit(nft, &batch, err);
	}
	batch_free(&batch);
	vec_free(&sets.v);
	vec_free(&chains.v);
	vec_free(&objects.counters.v);
	vec_free(&objects.helpers.v);
	plan_free(&flowtables);
	return code;
}

static int apply_table_delete(struct nft *nft, struct err *err)
{
	struct batch batch = {0};
	struct nft_table found = {0};
	int code = 0;
	batch_begin(&batch, nft->genid);
	for (enum plan_table table = PLAN_INET; !code && table < PLAN_TABLES; table++) {
		code = nft_read_table(nft, table, &found, err);
		if (!code && found.found)
			put_delete(&batch, table, NFT_MSG_DELTABLE, 0, "table", table_text(table));
	}
	if (!code && !batch_empty(&batch))
		code = nft_commit(nft, &batch, err);
	if (!code) {
		nft->marker[0] = 0;
		rest_clear(&nft->rest);
	}
	batch_free(&batch);
	return code == -ENOENT ? 0 : code;
}

int nft_apply(struct nft *nft, const struct plan *to, const struct op *ops, size_t n_ops, struct err *err)
{
	struct apply_parts parts = {0};
	int code = 0;
	if (!nft->genid) {
		code = nft_read_genid(nft, &nft->genid, err);
		nft->blind = true;
	}
	if (!code)
		code = apply_change_owned(nft, &parts, to, ops, n_ops, err);
	if (!code && apply_has(ops, n_ops, OP_SWEEP)) {
		if (!apply_has(ops, n_ops, OP_CHAINS))
			apply_rebuild(&parts, to);
		code = apply_sweep(nft, to, &parts.ruleset, err);
	}
	if (!code && apply_has(ops, n_ops, OP_TABLE_DEL))
		code = apply_table_delete(nft, err);
	apply_parts_free(&parts);
	return code == -EINTR ? -ERESTART : code;
}
