// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/command.h"

#include <string.h>

#include "gwd/base/err.h"
#include "gwd/command_list.h"
#include "gwd/command_priv.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/engine.h"
#include "gwd/events.h"
#include "gwd/pins.h"
#include "gwd/real_script.h"
#include "gwd/request.h"
#include "gwd/script.h"
#include "gwd/status.h"

static void reply_fail(struct reply *reply, enum reply_exit exit, const char *text)
{
	reply->exit = exit;
	buf_printf(&reply->body, "%s\n", text);
}

static void reply_no_name(struct reply *reply, const char *name)
{
	reply->exit = REPLY_FAILED;
	buf_printf(&reply->body, "no gateway, balance, service or real is named \"%.64s\"\n", name);
}

// ---- status ----------------------------------------------------------------------------------

struct status_request {
	const struct request *request;
	struct reply *reply;
};

static void reply_status(void *arg, const struct status *status)
{
	const struct status_request *asked = arg;
	const char *name = asked->request->n_args ? asked->request->args[0] : NULL;
	struct reply *reply = asked->reply;
	if (name && !status_has(status, name)) {
		reply_no_name(reply, name);
	} else if (asked->request->json) {
		status_json(status, name, &reply->body);
	} else {
		status_text(status, name, &reply->body);
	}
}

void command_status(struct engine *engine, const struct request *request, struct reply *reply)
{
	struct status_request asked = {request, reply};
	status_collect(engine, reply_status, &asked);
}

// ---- pins ------------------------------------------------------------------------------------

static bool has_pins_of(const struct plan *plan, const char *name)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->name, name))
			return true;
	vec_each(&plan->groups, group)
		if (!strcmp(group->name, name))
			return true;
	vec_each(&plan->services, service)
		if (!strcmp(service->name, name) || plan_find_real(plan, name))
			return true;
	return false;
}

void command_pins(struct engine *engine, const struct request *request, struct reply *reply)
{
	const struct plan *plan = engine_applied(engine);
	const char *name = request->n_args ? request->args[0] : NULL;
	struct pins pins = {0};
	struct err err;
	if (name && !has_pins_of(plan, name))
		reply_no_name(reply, name);
	else if (pins_collect(&pins, engine_nft(engine), plan, name, &err) < 0)
		reply_fail(reply, REPLY_FAILED, err.text);
	else if (request->json)
		pins_json(&pins, &reply->body);
	else
		pins_text(&pins, &reply->body);
	pins_free(&pins);
}

void command_real_script(struct engine *engine, const struct request *request, struct reply *reply)
{
	struct err err;
	bool redirect = request->n_args == 2;
	if (redirect && strcmp(request->args[1], "redirect") != 0)
		reply_fail(reply, REPLY_USAGE, "usage: gwctl real-script NAME [redirect] [FILE]");
	else if (real_script(engine_model(engine), engine_facts(engine), request->args[0], redirect,
			     &reply->body, &err) < 0)
		reply_fail(reply, REPLY_FAILED, err.text);
}

// ---- the rest --------------------------------------------------------------------------------

void command_rules(struct engine *engine, const struct request *request, struct reply *reply)
{
	(void)request;
	const struct plan *plan = engine_applied(engine);
	if (!plan->active) {
		buf_puts(&reply->body, "# gwd has nothing in the kernel\n");
		return;
	}
	script_text(plan, &reply->body);
}

void command_reload(struct engine *engine, const struct request *request, struct reply *reply)
{
	(void)request;
	int rc = engine_reload(engine, &reply->body);
	if (rc < 0)
		reply->exit = REPLY_FAILED;
	else
		buf_printf(&reply->body, "%s is taken\n", engine_model(engine)->path);
	if (rc < 0 && !reply->body.n)
		buf_printf(&reply->body, "the reload failed: %s\n", strerror(-rc));
}

void command_flush(struct engine *engine, const struct request *request, struct reply *reply)
{
	(void)request;
	struct err err;
	if (engine_flush(engine, &err) < 0)
		reply_fail(reply, REPLY_FAILED, err.text);
	else
		buf_puts(&reply->body, "everything of gwd's is out of the kernel, until a reload\n");
}

void command_events(struct engine *engine, const struct request *request, struct reply *reply)
{
	const struct events *events = engine_events(engine);
	void (*print)(const struct change *change, struct buf *out) =
		request->json ? change_json : change_text;
	if (request->n_args && strcmp(request->args[0], "-f") != 0) {
		reply_fail(reply, REPLY_USAGE, "usage: gwctl events [-f]");
		return;
	}
	for (size_t i = 0; i < events_count(events); i++)
		print(events_at(events, i), &reply->body);
	reply->follow = request->n_args ? print : NULL;
}

void command_version(struct engine *engine, const struct request *request, struct reply *reply)
{
	(void)engine;
	buf_printf(&reply->body, request->json ? "{\"version\":\"%s\"}\n" : "gwd %s\n", GWD_VERSION);
}

// ---- dispatch --------------------------------------------------------------------------------

typedef void (*command_fn)(struct engine *engine, const struct request *request, struct reply *reply);

#define ROW(FUNCTION, NAME, ARGS, MIN, MAX, JSON, HELP) command_##FUNCTION,
static const command_fn functions[] = {COMMAND_LIST(ROW)}; // in the order of command_list[]

void command_run(struct engine *engine, const char *line, size_t size, struct reply *reply)
{
	struct request request;
	struct err err;
	if (request_parse(&request, line, size, &err) < 0 || command_check(&request, &err) < 0)
		reply_fail(reply, REPLY_USAGE, err.text);
	else
		functions[command_find(request.command) - command_list](engine, &request, reply);
	request_free(&request);
}
