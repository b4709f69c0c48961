// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/core/facts.h"

// Meant for more than one host, or for one on the same wire only.
static const char *const inside_always[FAM_COUNT][2] = {
	[FAM_4] = {"224.0.0.0/4", "255.255.255.255/32"},
	[FAM_6] = {"fe80::/10", "ff00::/8"},
};

static struct span inside_span(const struct prefix *prefix)
{
	struct span span = {0};
	struct addr last = prefix_last(prefix);
	memcpy(span.first, prefix->addr.b, addr_size(&last));
	memcpy(span.last, last.b, addr_size(&last));
	return span;
}

// ---- main: the longest prefix decides ------------------------------------------------------------

// Routes around the place that is looked at, each within the one before.
struct inside_around {
	const uint8_t *last;
	bool inside;
};

struct inside_walk {
	struct spans *out;
	unsigned size;  // bytes of an address
	uint8_t at[16]; // up to here it is decided, exclusively
	bool done;      // up to the very last address
	VEC(struct inside_around) around;
	VEC(struct span) nets; // parallel to the routes; `around` points into it
};

// On to `next` (NULL: behind `last`), with what the innermost route says.
static void inside_go(struct inside_walk *walk, const uint8_t *next, const uint8_t *last)
{
	struct span span = {0};
	bool inside = walk->around.n && walk->around.v[walk->around.n - 1].inside;
	memcpy(span.first, walk->at, walk->size);
	memcpy(span.last, next ? next : last, walk->size);
	memcpy(walk->at, span.last, walk->size);
	if (next)
		addr_bytes_before(span.last, walk->size);
	else
		walk->done = !addr_bytes_next(walk->at, walk->size);
	if (inside)
		vec_push(&walk->out->v, span);
}

static void inside_leave(struct inside_walk *walk, const uint8_t *next)
{
	while (walk->around.n && !walk->done) {
		const uint8_t *last = walk->around.v[walk->around.n - 1].last;
		if (next && memcmp(last, next, walk->size) >= 0)
			return;
		if (memcmp(walk->at, last, walk->size) <= 0)
			inside_go(walk, NULL, last);
		walk->around.n--;
	}
}

static void inside_enter(struct inside_walk *walk, const struct span *net, bool inside)
{
	inside_leave(walk, net->first);
	if (memcmp(walk->at, net->first, walk->size) < 0)
		inside_go(walk, net->first, NULL);
	vec_push(&walk->around, (struct inside_around){.last = net->last, .inside = inside});
}

static int inside_order(const void *a, const void *b)
{
	const struct fact_net *left = *(const struct fact_net *const *)a,
			      *right = *(const struct fact_net *const *)b;
	int order = addr_compare(&left->to.addr, &right->to.addr);
	if (order)
		return order;
	if (left->to.len != right->to.len)
		return left->to.len < right->to.len ? -1 : 1;
	if (left->metric != right->metric)
		return left->metric < right->metric ? -1 : 1;
	return left->oif < right->oif ? -1 : left->oif > right->oif;
}

static bool inside_by_wan(const struct inside_wans *wans, uint32_t oif)
{
	vec_each(&wans->v, wan)
		if (*wan == oif)
			return true;
	return false;
}

static void inside_main(struct spans *out, const struct facts *facts, enum fam fam,
			const struct inside_wans *wans)
{
	VEC(const struct fact_net *) nets = {0};
	struct inside_walk walk = {.out = out, .size = fam == FAM_4 ? 4 : 16};
	vec_each(&facts->nets, net)
		if (!net->local && addr_fam(&net->to.addr) == fam)
			vec_push(&nets, net);
	if (nets.n)
		qsort(nets.v, nets.n, sizeof(*nets.v), inside_order);
	vec_each(&nets, net)
		vec_push(&walk.nets, inside_span(&(*net)->to));
	for (size_t i = 0; i < nets.n; i++)
		if (!i || memcmp(&walk.nets.v[i], &walk.nets.v[i - 1], sizeof(struct span)) != 0)
			inside_enter(&walk, &walk.nets.v[i],
				     nets.v[i]->to.len > 0 || !inside_by_wan(wans, nets.v[i]->oif));
	inside_leave(&walk, NULL);
	vec_free(&walk.around);
	vec_free(&walk.nets);
	vec_free(&nets);
}

// ---- all of them -----------------------------------------------------------------------------------

static int inside_compare(const void *a, const void *b)
{
	const struct span *left = a, *right = b;
	return memcmp(left->first, right->first, sizeof(left->first));
}

static void inside_merge(struct spans *spans, unsigned size)
{
	size_t kept = 0;
	qsort(spans->v.v, spans->v.n, sizeof(*spans->v.v), inside_compare);
	for (size_t i = 1; i < spans->v.n; i++) {
		struct span *span = &spans->v.v[kept], *next = &spans->v.v[i];
		uint8_t behind[16];
		memcpy(behind, span->last, sizeof(behind));
		if (addr_bytes_next(behind, size) && memcmp(next->first, behind, size) > 0)
			spans->v.v[++kept] = *next;
		else if (memcmp(next->last, span->last, size) > 0)
			memcpy(span->last, next->last, size);
	}
	spans->v.n = kept + 1;
}

void inside_spans(struct spans *out, const struct facts *facts, enum fam fam, const struct inside_wans *wans)
{
	struct prefix always;
	inside_main(out, facts, fam, wans);
	vec_each(&facts->nets, net)
		if (net->local && !net->gone_ms && addr_fam(&net->to.addr) == fam)
			vec_push(&out->v, inside_span(&net->to));
	for (unsigned i = 0; i < 2; i++)
		if (prefix_parse(inside_always[fam][i], &always))
			vec_push(&out->v, inside_span(&always));
	inside_merge(out, fam == FAM_4 ? 4 : 16);
}
