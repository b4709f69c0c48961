// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl flows: conntrack, piece by piece, as the client takes it.
#include <stdlib.h>
#include <time.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/command_priv.h"
#include "gwd/engine.h"
#include "gwd/flows.h"
#include "gwd/request.h"
#include "nft/conntrack.h"

struct flows_stream {
	struct stream stream; // first: control knows that only
	struct flows *flows;
	struct conntrack *conntrack; // of its own: the dump is under way
	bool json;
	int64_t now_ms;
	struct buf *out;
};

static int64_t wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stream_flow(void *arg, const struct ct_flow *flow)
{
	struct flows_stream *s = arg;
	flows_line(s->flows, flow, s->now_ms, s->json, s->out);
}

static bool stream_more(struct stream *stream, struct buf *out)
{
	struct flows_stream *s = (struct flows_stream *)stream;
	struct err err;
	s->out = out;
	s->now_ms = wall_ms();
	int rc = conntrack_list_next(s->conntrack, stream_flow, s, &err);
	if (rc < 0)
		buf_printf(out, "%s\n", err.text);
	else if (!rc && !s->json)
		buf_puts(out, flows_note(s->flows));
	return rc > 0;
}

static void stream_close(struct stream *stream)
{
	struct flows_stream *s = (struct flows_stream *)stream;
	conntrack_close(s->conntrack);
	flows_free(s->flows);
	free(s);
}

void command_flows(struct engine *engine, const struct request *request, struct reply *reply)
{
	struct err err;
	struct flows *flows =
		flows_new(engine_model(engine), engine_applied(engine), request->args, request->n_args, &err);
	struct conntrack *conntrack = flows ? conntrack_open(&err) : NULL;
	if (!conntrack || conntrack_list_start(conntrack, &err) < 0) {
		reply->exit = flows ? REPLY_FAILED : REPLY_USAGE;
		buf_printf(&reply->body, "%s\n", err.text);
		conntrack_close(conntrack);
		if (flows)
			flows_free(flows);
		return;
	}
	struct flows_stream *s = xcalloc(1, sizeof(*s));
	*s = (struct flows_stream){.stream = {.more = stream_more, .close = stream_close},
				   .flows = flows,
				   .conntrack = conntrack,
				   .json = request->json};
	if (!request->json)
		flows_title(&reply->body);
	reply->stream = &s->stream;
}
