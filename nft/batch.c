// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/core/plan.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/set.h"
#include "nft/socket.h"
#include "nft/table.h"

#define BATCH_MESSAGE_MAX 131072 // no message comes near it
#define BATCH_ELEMS_MAX 60000    // bytes of elements in a message; an attribute ends at 65535

// ---- building --------------------------------------------------------------------------------------

static void batch_mark(struct batch *batch, uint16_t type, uint32_t genid)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(batch->message);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = batch->seq++;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	*nfg = (struct nfgenmsg){.nfgen_family = AF_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	if (genid)
		mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(genid));
	vec_push(&batch->notes,
		 (struct batch_note){.at = batch->buf.n, .what = "transaction", .name = NFT_TABLE});
	buf_add(&batch->buf, nlh, nlh->nlmsg_len);
}

void batch_begin(struct batch *batch, uint32_t genid)
{
	batch->genid = genid;
	batch->message = xcalloc(1, BATCH_MESSAGE_MAX);
	batch->seq = 1;
	batch_mark(batch, NFNL_MSG_BATCH_BEGIN, genid);
}

void batch_free(struct batch *batch)
{
	buf_free(&batch->buf);
	vec_free(&batch->notes);
	vec_free(&batch->elems);
	free(batch->message);
}

bool batch_empty(const struct batch *batch)
{
	return batch->notes.n <= 1;
}

struct nlmsghdr *batch_message(struct batch *batch, enum plan_table table, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(batch->message, type, table_family(table), flags, batch->seq++);
}

void batch_add(struct batch *batch, const struct nlmsghdr *nlh, const char *what, const char *name,
	       const struct rule *rule)
{
	vec_push(&batch->notes,
		 (struct batch_note){.at = batch->buf.n, .what = what, .name = name, .rule = rule});
	buf_add(&batch->buf, nlh, nlh->nlmsg_len);
}

static void batch_put_elem(struct nlmsghdr *nlh, struct nftnl_set_elem *elem)
{
	nftnl_set_elem_nlmsg_build(nlh, elem, 0);
	nftnl_set_elem_free(elem);
}

// As many of the elements as fit into one message; returns how many.
static size_t batch_some_elems(struct batch *batch, uint16_t type, const struct plan_set *set,
			       const struct plan_elem *const *elems, size_t n)
{
	size_t i;
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = batch_message(batch, set->table, type, flags);
	struct batch_note note = {.at = batch->buf.n,
				  .what = set->data == PLAN_T_NONE ? "set" : "map",
				  .name = set->name,
				  .set = set,
				  .first = batch->elems.n};
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (i = 0; i < n && nlh->nlmsg_len < BATCH_ELEMS_MAX; i++) {
		batch_put_elem(nlh, type == NFT_MSG_NEWSETELEM ? set_elem(set, elems[i])
							       : set_elem_key(set, elems[i]));
		vec_push(&batch->elems, elems[i]);
		struct nftnl_set_elem *end = set_elem_end(set, elems[i]);
		if (!end)
			continue;
		batch_put_elem(nlh, end);
		vec_push(&batch->elems, elems[i]);
	}
	mnl_attr_nest_end(nlh, nest);
	vec_push(&batch->notes, note);
	buf_add(&batch->buf, nlh, nlh->nlmsg_len);
	return i;
}

void batch_elems(struct batch *batch, uint16_t type, const struct plan_set *set,
		 const struct plan_elem *const *elems, size_t n)
{
	for (size_t done = 0; done < n;)
		done += batch_some_elems(batch, type, set, elems + done, n - done);
}

// ---- refusals --------------------------------------------------------------------------------------

// Which element of the message the kernel's offset is in; SIZE_MAX if none.
static size_t batch_elem_at(const struct nlmsghdr *nlh, uint32_t offset)
{
	size_t i = 0;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		nl_each_nested(elem, attr) {
			size_t at = (size_t)((const char *)elem - (const char *)nlh);
			if (offset >= at && offset < at + elem->nla_len)
				return i;
			i++;
		}
	}
	return SIZE_MAX;
}

static void batch_explain(const struct batch *batch, const struct batch_note *note, int code,
			  const char *text, uint32_t offset, struct err *err)
{
	struct buf detail = {0};
	const void *message = batch->buf.text + note->at;
	size_t elem = note->set && offset ? batch_elem_at(message, offset) : SIZE_MAX;
	if (elem != SIZE_MAX) {
		buf_printf(&detail, ", element ");
		set_elem_text(note->set, batch->elems.v[note->first + elem], &detail);
	}
	if (note->rule)
		buf_printf(&detail, ", rule `%s`", buf_text(&note->rule->text));
	err_errno(err, code, "%s %s%s%s%s", note->what, note->name, buf_text(&detail), text ? ": " : "",
		  text ? text : "");
	buf_free(&detail);
}

struct batch_refusal {
	int code; // errno; 0: none
	uint32_t seq, offset;
	char text[160]; // the kernel's own words, or empty
};

static void batch_read_reply(const struct nlmsghdr *nlh, struct batch_refusal *first)
{
	const struct nlmsgerr *reply = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*reply) ||
	    !reply->error)
		return;
	if (first->code && first->seq <= nlh->nlmsg_seq) // what comes after the first is its consequence
		return;
	*first = (struct batch_refusal){.code = -reply->error, .seq = nlh->nlmsg_seq};
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	nl_each_attr(attr, nlh, sizeof(*reply)) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(first->text, sizeof(first->text), "%s", nl_str(attr));
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS)
			first->offset = mnl_attr_get_u32(attr);
	}
}

// The kernel has answered before sendto() returns, so nothing is waited for. Success says nothing on
// some kernels and acknowledges the batch's begin and end on others.
static int batch_read_replies(struct mnl_socket *sock, struct batch_refusal *first)
{
	char buf[SOCKET_BUFFER];
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(sock), buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		int left = (int)n;
		for (const struct nlmsghdr *nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			batch_read_reply(nlh, first);
	}
}

// Without its end, the kernel only checks a transaction.
int batch_check(struct batch *batch, struct mnl_socket *sock, struct err *err)
{
	struct batch_refusal first = {0};
	int code = socket_send(sock, batch->buf.text, batch->buf.n, err);
	if (code < 0)
		return code;
	code = batch_read_replies(sock, &first);
	if (code < 0)
		return err_errno(err, -code, "reading the kernel's answer to a transaction");
	if (!first.code)
		return 0;
	if (first.code == ERESTART)
		return err_set(err, ERESTART, "somebody else changed the ruleset meanwhile");
	size_t i = first.seq - 1; // messages are numbered from 1
	if (i >= batch->notes.n)
		return err_errno(err, first.code, "transaction");
	const struct nlmsghdr *nlh = (const void *)(batch->buf.text + batch->notes.v[i].at);
	batch->refused_type = NFNL_MSG_TYPE(nlh->nlmsg_type);
	batch_explain(batch, &batch->notes.v[i], first.code, first.text[0] ? first.text : NULL, first.offset,
		      err);
	return -first.code;
}

int batch_commit(struct batch *batch, struct mnl_socket *sock, struct err *err)
{
	batch_mark(batch, NFNL_MSG_BATCH_END, 0);
	return batch_check(batch, sock, err);
}
