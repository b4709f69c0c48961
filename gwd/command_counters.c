// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl counters: the table's named counters, by name.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/command_priv.h"
#include "gwd/core/plan.h"
#include "gwd/engine.h"
#include "gwd/figure.h"
#include "gwd/request.h"
#include "gwd/table.h"
#include "nft/nft.h"

struct counter {
	char name[PLAN_NAME_SIZE];
	uint64_t packets, bytes;
};

struct counters {
	VEC(struct counter) v;
};

static void take_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	struct counters *counters = arg;
	struct counter *counter;
	vec_add(&counters->v, counter);
	snprintf(counter->name, sizeof(counter->name), "%s", name);
	counter->packets = packets;
	counter->bytes = bytes;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct counter *)a)->name, ((const struct counter *)b)->name);
}

static const char *meaning(const char *name)
{
	static const struct {
		const char *begin, *means;
	} all[] = {
		{"new.", "new flows that it was given"},
		{"no_gateway", "refused: no usable gateway"},
		{"orphan", "refused: segments of flows that do not exist here"},
		{"leak", "dropped: of no flow, and with an inside address"},
		{"unpinned.", "new flows that found no room for a pin"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strncmp(name, all[i].begin, strlen(all[i].begin)))
			return all[i].means;
	return "";
}

static void counters_text(const struct counters *counters, struct buf *out)
{
	struct table t = {0};
	char bytes[FIGURE_TEXT];
	table_column(&t, TABLE_LEFT, "COUNTER");
	table_column(&t, TABLE_RIGHT, "PACKETS");
	table_column(&t, TABLE_RIGHT, "BYTES");
	table_column(&t, TABLE_LEFT, "WHAT");
	vec_each(&counters->v, counter) {
		table_row(&t);
		table_cell(&t, "%s", counter->name);
		table_cell(&t, "%llu", (unsigned long long)counter->packets);
		table_cell(&t, "%s", figure_amount((double)counter->bytes, bytes));
		table_cell(&t, "%s", meaning(counter->name));
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

static void counters_json(const struct counters *counters, struct buf *out)
{
	json_t *list = json_array();
	vec_each(&counters->v, counter)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", counter->name, "packets",
						      (json_int_t)counter->packets, "bytes",
						      (json_int_t)counter->bytes));
	json_t *root = json_pack("{s:o}", "counters", list);
	char *text = json_dumps(root, JSON_COMPACT);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
}

void command_counters(struct engine *engine, const struct request *request, struct reply *reply)
{
	struct counters counters = {0};
	struct err err;
	bool zero = request->n_args > 0;
	if (zero && strcmp(request->args[0], "zero") != 0) {
		reply->exit = REPLY_USAGE;
		buf_puts(&reply->body, "usage: gwctl counters [zero]\n");
		return;
	}
	int rc = zero ? nft_zero_counters(engine_nft(engine), &err)
		      : nft_read_counters(engine_nft(engine), take_counter, &counters, &err);
	if (counters.v.n)
		qsort(counters.v.v, counters.v.n, sizeof(*counters.v.v), compare);
	if (rc < 0) {
		reply->exit = REPLY_FAILED;
		buf_printf(&reply->body, "%s\n", err.text);
	} else if (zero) {
		buf_puts(&reply->body, request->json ? "{}\n" : "all counters are zero\n");
	} else if (request->json) {
		counters_json(&counters, &reply->body);
	} else {
		counters_text(&counters, &reply->body);
	}
	vec_free(&counters.v);
}
