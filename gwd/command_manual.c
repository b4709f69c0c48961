// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that set a gateway or a real by hand.
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

static void reply_names(const struct model *model, struct buf *out)
{
	const char *between = "";
	for (size_t i = 0; i < model->n_gateways; i++, between = ",")
		buf_printf(out, "%s %s", between, model->gateways[i].name);
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++, between = ",")
			buf_printf(out, "%s %s/%s", between, model->services[i].name,
				   model->services[i].reals[k].name);
	buf_puts(out, *between ? "\n" : " none\n");
}

bool command_has_member(struct engine *engine, const char *name, struct reply *reply)
{
	const struct model *model = engine_model(engine);
	size_t service, real;
	if (model_find_gateway(model, name) >= 0 || model_find_real(model, name, &service, &real))
		return true;
	reply->exit = REPLY_FAILED;
	buf_printf(&reply->body,
		   model->n_services ? "no gateway or real is named \"%.64s\": there is"
				     : "no gateway is named \"%.64s\": there is",
		   name);
	reply_names(model, &reply->body);
	return false;
}

// What it is after that, in words.
static void reply_member(const struct engine *engine, const char *name, struct reply *reply)
{
	const struct plan_real *real = plan_find_real(engine_applied(engine), name);
	if (real) {
		buf_printf(&reply->body, "%s: %s, weight %u: %s\n", name, state_name(real->state),
			   real->weight, real->reason);
		return;
	}
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
	if (!command_has_member(engine, name, reply))
		return;
	if (engine_set_manual(engine, name, change, weight, &err) < 0) {
		reply->exit = REPLY_FAILED;
		buf_printf(&reply->body, "%s: %s\n", name, err.text);
		return;
	}
	reply_member(engine, name, reply);
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
