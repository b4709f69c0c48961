// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that set a gateway by hand.
#include <errno.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/err.h"
#include "gwd/command_list.h"
#include "gwd/command_priv.h"
#include "gwd/core/manual.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/engine.h"
#include "gwd/request.h"

bool command_has_gateway(struct engine *engine, const char *name, struct reply *reply)
{
	const struct model *model = engine_model(engine);
	if (model_find_gateway(model, name) >= 0)
		return true;
	reply->exit = REPLY_FAILED;
	buf_printf(&reply->body, "no gateway is named \"%.64s\": there is", name);
	for (size_t i = 0; i < model->n_gateways; i++)
		buf_printf(&reply->body, "%s %s", i ? "," : "", model->gateways[i].name);
	buf_puts(&reply->body, model->n_gateways ? "\n" : " none\n");
	return false;
}

// What the gateway is after that, in words.
static void reply_gateway(const struct engine *engine, const char *name, struct reply *reply)
{
	vec_each(&engine_applied(engine)->gateways, gw)
		if (!strcmp(gw->name, name)) {
			buf_printf(&reply->body, "%s: %s, weight %u: %s\n", name, state_name(gw->state),
				   gw->weight, gw->reason);
			return;
		}
	buf_printf(&reply->body, "%s: noted; gwd has nothing in the kernel at the moment\n", name);
}

static void command_set(struct engine *engine, const struct request *request, enum manual_change change,
			unsigned weight, struct reply *reply)
{
	const char *name = request->args[0];
	struct err err;
	if (!command_has_gateway(engine, name, reply))
		return;
	if (engine_set_manual(engine, name, change, weight, &err) < 0) {
		reply->exit = REPLY_FAILED;
		buf_printf(&reply->body, "%s: %s\n", name, err.text);
		return;
	}
	reply_gateway(engine, name, reply);
}

void command_drain(struct engine *engine, const struct request *request, struct reply *reply)
{
	command_set(engine, request, MANUAL_DRAIN, 0, reply);
}

void command_undrain(struct engine *engine, const struct request *request, struct reply *reply)
{
	command_set(engine, request, MANUAL_UNDRAIN, 0, reply);
}

void command_disable(struct engine *engine, const struct request *request, struct reply *reply)
{
	command_set(engine, request, MANUAL_DISABLE, 0, reply);
}

void command_enable(struct engine *engine, const struct request *request, struct reply *reply)
{
	command_set(engine, request, MANUAL_ENABLE, 0, reply);
}

void command_weight(struct engine *engine, const struct request *request, struct reply *reply)
{
	const char *text = request->args[1];
	uint32_t weight = 0;
	struct err err;
	if (!strcmp(text, "default")) {
		command_set(engine, request, MANUAL_WEIGHT_FILE, 0, reply);
	} else if (value_number(text, 0, MANUAL_WEIGHT_MAX, &weight, &err) < 0) {
		reply->exit = REPLY_USAGE;
		buf_printf(&reply->body, "weight %.64s: %s, or default\n", text, err.text);
	} else {
		command_set(engine, request, MANUAL_WEIGHT, weight, reply);
	}
}
