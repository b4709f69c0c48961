// SPDX-License-Identifier: GPL-2.0-or-later
// Events may be lost: once a minute the engine asks whether the kernel is as it was left. The ruleset's generation
// says so in one question; facts, routes and ip rules are few and read. Only what differs makes a plan: reading and
// building all of it takes the loop a quarter of a second with a thousand services of a hundred reals. That is done
// every tenth time, for what none of these tells.
#include <event2/event.h>
#include <string.h>

#include "gwd/core/diff.h"
#include "gwd/engine_priv.h"
#include "gwd/netmon.h"
#include "gwd/routes.h"
#include "nft/nft.h"

#define RESYNC_S 60
#define RESYNC_WHOLE 10 // every so many times

static bool resync_routes_differ(struct engine *engine)
{
	struct plan now = {0}, left = {0};
	struct ops ops = {0};
	struct err err;
	bool differ = routes_read(engine->routes, &now, &err);
	memcpy(&left.routes, &engine->applied.routes, sizeof(left.routes));
	memcpy(&left.iprules, &engine->applied.iprules, sizeof(left.iprules));
	if (!differ)
		plan_diff(&ops, &now, &left);
	differ |= ops.op.n > 0;
	ops_free(&ops);
	plan_free(&now);
	return differ;
}

static void resync_fire(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	(void)fd, (void)what;
	bool whole = !(++engine->compared % RESYNC_WHOLE) || !engine->applied.active;
	if (whole || engine->doubt_nft || !nft_is_known(engine->nft))
		engine->reread_nft = true;
	if (whole || resync_routes_differ(engine))
		engine->reread_routes = true;
	engine->doubt_nft = false;
	netmon_resync(engine->netmon); // tells by itself what differs
	if (engine->reread_nft || engine->reread_routes)
		engine_dirty(engine);
}

void engine_open_resync(struct engine *engine)
{
	struct timeval every = {.tv_sec = RESYNC_S};
	engine->resync = event_new(engine->base, -1, EV_PERSIST, resync_fire, engine);
	event_add(engine->resync, &every);
}
