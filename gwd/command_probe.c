// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl probe: an answer that comes later.
#include <stdlib.h>

#include "gwd/command_priv.h"
#include "gwd/engine.h"
#include "gwd/inquiry.h"
#include "gwd/request.h"

struct probe_later {
	struct later later; // first: control knows that only
	struct inquiry *inquiry;
	bool json;
};

static void probe_cancel(struct later *later)
{
	struct probe_later *probe = (struct probe_later *)later;
	inquiry_free(probe->inquiry);
	free(probe);
}

static void probe_on_done(void *arg)
{
	struct probe_later *probe = arg;
	struct reply reply = {0};
	if (probe->json)
		inquiry_json(probe->inquiry, &reply.body);
	else
		inquiry_text(probe->inquiry, &reply.body);
	probe->later.done(probe->later.arg, &reply);
	buf_free(&reply.body);
	probe_cancel(&probe->later);
}

void command_probe(struct engine *engine, const struct request *request, struct reply *reply)
{
	if (!command_has_member(engine, request->args[0], reply))
		return;
	struct probe_later *probe = xcalloc(1, sizeof(*probe));
	probe->json = request->json;
	probe->later.cancel = probe_cancel;
	probe->inquiry = engine_inquire(engine, request->args[0], probe_on_done, probe);
	reply->later = &probe->later;
}
