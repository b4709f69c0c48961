// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/offline.h"

#include <event2/event.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/command.h"
#include "gwd/core/model.h"
#include "gwd/netmon.h"
#include "gwd/real_script.h"
#include "gwd/request.h"

// ---- real-script -------------------------------------------------------------------------------

static bool offline_is_file(const char *argument)
{
	return strcmp(argument, "redirect") != 0;
}

static void offline_ignore(void *arg, unsigned what)
{
	(void)arg, (void)what;
}

static int offline_print_script(const struct model *model, const char *name, bool redirect, struct buf *out,
				struct err *err)
{
	struct event_base *base = event_base_new();
	struct netmon *netmon = netmon_open(base, offline_ignore, NULL, err);
	int rc = netmon ? real_script(model, netmon_facts(netmon), name, redirect, out, err) : -1;
	netmon_close(netmon);
	event_base_free(base);
	return rc;
}

static int offline_real_script(const struct request *request, struct buf *out, struct buf *errors)
{
	struct model *model = NULL;
	struct buf report = {0};
	struct err err;
	bool redirect = request->n_args == 3;
	int rc = conf_load(request->args[request->n_args - 1], &model, &report);
	if (rc < 0) {
		buf_puts(errors, buf_text(&report));
	} else {
		rc = offline_print_script(model, request->args[0], redirect, out, &err);
		if (rc < 0)
			buf_printf(errors, "%s\n", err.text);
	}
	model_free(model);
	buf_free(&report);
	return rc < 0 ? REPLY_FAILED : REPLY_DONE;
}

// ---- check -------------------------------------------------------------------------------------

static int offline_check(const struct request *request, struct buf *out, struct buf *errors)
{
	struct model *model = NULL;
	const char *file = request->args[0];
	int rc = conf_load(file, &model, errors);
	if (rc == 0) { // nothing but warnings
		buf_puts(out, buf_text(errors));
		buf_printf(out, "%s: no errors\n", file);
		buf_clear(errors);
	}
	model_free(model);
	return rc < 0 ? REPLY_FAILED : REPLY_DONE;
}

// ---- both --------------------------------------------------------------------------------------

bool offline_can(const struct request *request)
{
	if (!strcmp(request->command, "check"))
		return true;
	size_t n = request->n_args;
	if (strcmp(request->command, "real-script") != 0 || n < 2 || n > 3)
		return false;
	return offline_is_file(request->args[n - 1]) && (n == 2 || !offline_is_file(request->args[1]));
}

int offline_run(const struct request *request, struct buf *out, struct buf *errors)
{
	bool check = !strcmp(request->command, "check");
	if (check && request->n_args != 1) {
		buf_puts(errors, "gwctl: usage: gwctl check FILE\n");
		return REPLY_USAGE;
	}
	if (request->json) {
		buf_printf(errors, "gwctl: %s has no JSON form: leave -j out\n", request->command);
		return REPLY_USAGE;
	}
	return check ? offline_check(request, out, errors) : offline_real_script(request, out, errors);
}
