// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/command_list.h"

#include <errno.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/request.h"

#define ROW(FUNCTION, NAME, ARGS, MIN, MAX, JSON, HELP) {NAME, ARGS, HELP, MIN, MAX, JSON},
const struct command_info command_list[] = {COMMAND_LIST(ROW){0}};

const struct command_info *command_find(const char *name)
{
	for (const struct command_info *info = command_list; info->name; info++)
		if (!strcmp(info->name, name))
			return info;
	return NULL;
}

int command_check(const struct request *request, struct err *err)
{
	const struct command_info *info = command_find(request->command);
	if (!info)
		return err_set(err, EINVAL, "gwd has no command \"%.64s\"; gwctl -h lists those it has",
			       request->command);
	if (request->n_args < info->min_args || request->n_args > info->max_args)
		return err_set(err, EINVAL, "usage: gwctl %s%s%s", info->name, *info->args ? " " : "",
			       info->args);
	if (request->json && !info->json)
		return err_set(err, EINVAL, "%s has no JSON form: leave -j out", info->name);
	return 0;
}
