// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/inquiry.h"

#include <event2/event.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "gwd/core/link.h"
#include "gwd/figure.h"
#include "gwd/real_monitor.h"
#include "gwd/table.h"
#include "probes/check.h"
#include "probes/probe_copy.h"

struct inquiry_row {
	struct inquiry *inquiry;
	char probe[MODEL_NAME_MAX + 1];
	char target[256];
	enum fam fam;
	struct ask *ask; // NULL: answered, failed, or given up
	struct event *timeout;
	struct answer answer;
};

struct inquiry {
	struct event_base *base;
	char name[MODEL_REAL_NAME_SIZE];
	VEC(struct inquiry_row *) rows; // pointers: the asks know them
	struct arena *arena;            // holds copies of the probes: a reload may come in between
	size_t pending;
	struct event *finish; // tells that all is in, from the loop
	inquiry_cb done;
	void *arg;
};

// ---- answers ---------------------------------------------------------------------------------

static void inquiry_closed(struct inquiry_row *row)
{
	row->ask = NULL;
	event_del(row->timeout);
	if (!--row->inquiry->pending)
		event_active(row->inquiry->finish, EV_TIMEOUT, 0);
}

static void inquiry_on_answer(void *arg, uint64_t id, const struct answer *answer)
{
	struct inquiry_row *row = arg;
	(void)id;
	row->answer = *answer;
	inquiry_closed(row);
}

static void inquiry_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct inquiry_row *row = arg;
	(void)fd, (void)what;
	prober_cancel(row->ask);
	inquiry_closed(row);
}

static void inquiry_on_finish(evutil_socket_t fd, short what, void *arg)
{
	const struct inquiry *inquiry = arg;
	(void)fd, (void)what;
	inquiry->done(inquiry->arg); // may free it
}

// ---- questions -------------------------------------------------------------------------------

static struct inquiry_row *inquiry_add(struct inquiry *inquiry, const char *probe, enum fam fam)
{
	struct inquiry_row *row = xcalloc(1, sizeof(*row));
	row->inquiry = inquiry;
	row->fam = fam;
	row->answer = (struct answer){.kind = ANSWER_CANT};
	snprintf(row->probe, sizeof(row->probe), "%s", probe);
	vec_push(&inquiry->rows, row);
	return row;
}

static void inquiry_ask(struct inquiry *inquiry, const struct inquiry_spec *spec,
			const struct model_probe *probe, const struct prober_link *link,
			const struct prober_target *target)
{
	struct inquiry_row *row = inquiry_add(inquiry, probe->name, link->fam);
	unsigned ms = probe->timeout_ms < INQUIRY_LONGEST_MS ? probe->timeout_ms : INQUIRY_LONGEST_MS;
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct answer failed;
	char text[ADDR_TEXT], duration[FIGURE_TEXT];
	snprintf(row->target, sizeof(row->target), "%s",
		 target->name ? target->name : addr_text(&target->addr, text));
	row->ask = prober_ask(spec->probers, probe, link, target, inquiry_on_answer, row, 0, &failed);
	if (!row->ask) {
		row->answer = failed;
		return;
	}
	row->answer.kind = ANSWER_DEAD; // until it answers
	snprintf(row->answer.text, sizeof(row->answer.text), "no answer in %s",
		 figure_duration(ms, duration));
	row->timeout = evtimer_new(inquiry->base, inquiry_on_timeout, row);
	event_add(row->timeout, &limit);
	inquiry->pending++;
}

// Of the link's or the real's family.
static void inquiry_probe(struct inquiry *inquiry, const struct inquiry_spec *spec,
			  const struct model_probe *original, const struct prober_link *to,
			  const struct addr *otherwise)
{
	const struct model_probe *probe = probe_copy(inquiry->arena, original);
	struct prober_target *targets;
	size_t n = check_targets(probe, to->fam, otherwise, &targets);
	for (size_t k = 0; k < n; k++)
		inquiry_ask(inquiry, spec, probe, to, &targets[k]);
	free(targets);
}

static void inquiry_family(struct inquiry *inquiry, const struct inquiry_spec *spec,
			   const struct model_gateway *gw, const struct link *link, enum fam fam)
{
	const struct link_path *path = &link->path[fam];
	struct prober_link to = {
		.fam = fam, .ifindex = link->ifindex, .mark = spec->mark, .source = path->source};
	snprintf(to.ifname, sizeof(to.ifname), "%s", gw->interface);
	for (size_t i = 0; i < gw->n_probes; i++) {
		const struct model_probe *probe = &spec->model->probes[gw->probes[i]];
		if (path->ready) {
			inquiry_probe(inquiry, spec, probe, &to, &path->target);
			continue;
		}
		struct inquiry_row *row = inquiry_add(inquiry, probe->name, fam);
		row->answer.kind = ANSWER_DEAD;
		snprintf(row->answer.text, sizeof(row->answer.text), "%s", path->missing);
	}
}

static void inquiry_gateway(struct inquiry *inquiry, const struct inquiry_spec *spec,
			    const struct model_gateway *gw)
{
	struct link link;
	link_resolve(&link, gw, spec->facts);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (link.path[fam].wanted)
			inquiry_family(inquiry, spec, gw, &link, fam);
}

static void inquiry_real(struct inquiry *inquiry, const struct inquiry_spec *spec,
			 const struct model_service *service, const struct model_real *real)
{
	const struct addr target = real_monitor_target(service, real);
	const struct prober_link to = {.fam = addr_fam(&target)};
	for (size_t i = 0; i < real->n_probes; i++) {
		const struct model_probe probe =
			real_monitor_probe(&spec->model->probes[real->probes[i]], service, real);
		inquiry_probe(inquiry, spec, &probe, &to, &target);
	}
}

// ---- life ------------------------------------------------------------------------------------

struct inquiry *inquiry_start(struct event_base *base, const struct inquiry_spec *spec, inquiry_cb done,
			      void *arg)
{
	struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));
	const struct model *model = spec->model;
	int gateway = model_find_gateway(model, spec->name);
	size_t service, real;
	inquiry->base = base;
	inquiry->arena = arena_new();
	inquiry->done = done;
	inquiry->arg = arg;
	inquiry->finish = evtimer_new(base, inquiry_on_finish, inquiry);
	snprintf(inquiry->name, sizeof(inquiry->name), "%s", spec->name);
	if (gateway >= 0)
		inquiry_gateway(inquiry, spec, &model->gateways[gateway]);
	else if (model_find_real(model, spec->name, &service, &real))
		inquiry_real(inquiry, spec, &model->services[service], &model->services[service].reals[real]);
	if (!inquiry->pending)
		event_active(inquiry->finish, EV_TIMEOUT, 0);
	return inquiry;
}

void inquiry_free(struct inquiry *inquiry)
{
	vec_each(&inquiry->rows, it) {
		struct inquiry_row *row = *it;
		if (row->ask)
			prober_cancel(row->ask);
		if (row->timeout)
			event_free(row->timeout);
		free(row);
	}
	vec_free(&inquiry->rows);
	event_free(inquiry->finish);
	arena_free(inquiry->arena);
	free(inquiry);
}

// ---- printing --------------------------------------------------------------------------------

static const char *inquiry_words(const struct inquiry_row *row)
{
	if (*row->answer.text)
		return row->answer.text;
	return row->answer.kind == ANSWER_ALIVE ? "answers" : "no answer";
}

static const char *inquiry_verdict(const struct inquiry_row *row)
{
	switch (row->answer.kind) {
	case ANSWER_ALIVE:
		return "alive";
	case ANSWER_DEAD:
		return "dead";
	case ANSWER_CANT:
		return "not asked";
	}
	return NULL;
}

void inquiry_text(const struct inquiry *inquiry, struct buf *out)
{
	struct table t = {0};
	char text[FIGURE_TEXT];
	table_column(&t, TABLE_LEFT, "PROBE");
	table_column(&t, TABLE_LEFT, "FAMILY");
	table_column(&t, TABLE_LEFT, "TARGET");
	table_column(&t, TABLE_LEFT, "IT IS");
	table_column(&t, TABLE_RIGHT, "TIME");
	table_column(&t, TABLE_LEFT, "WHY");
	vec_each(&inquiry->rows, it) {
		const struct inquiry_row *row = *it;
		double ms = row->answer.kind == ANSWER_ALIVE ? row->answer.rtt_ms : -1;
		table_row(&t);
		table_cell(&t, "%s", row->probe);
		table_cell(&t, "%s", row->fam == FAM_4 ? "IPv4" : "IPv6");
		table_cell(&t, "%s", *row->target ? row->target : "-");
		table_cell(&t, "%s", inquiry_verdict(row));
		table_cell(&t, "%s", figure_latency(ms, text));
		table_cell(&t, "%s", inquiry_words(row));
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

void inquiry_json(const struct inquiry *inquiry, struct buf *out)
{
	json_t *list = json_array();
	vec_each(&inquiry->rows, it) {
		const struct inquiry_row *row = *it;
		bool alive = row->answer.kind == ANSWER_ALIVE;
		json_t *words = json_string(inquiry_words(row)); // may be what a program printed
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "probe", row->probe, "family",
				  row->fam == FAM_4 ? "ipv4" : "ipv6", "target", row->target, "answer",
				  inquiry_verdict(row), "rtt_ms",
				  alive ? json_real(round(row->answer.rtt_ms * 1000) / 1000) : json_null(),
				  "text", words ? words : json_string("(not text)")));
	}
	json_t *root = json_pack("{s:s, s:o}", "name", inquiry->name, "targets", list);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(8));
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
}
