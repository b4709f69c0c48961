// SPDX-License-Identifier: GPL-2.0-or-later
// command_priv: the functions behind gwctl's commands, one for each row of command_list.h; called by
// command.c only.
#ifndef GWD_COMMAND_PRIV_H
#define GWD_COMMAND_PRIV_H

#include <stdbool.h>

#include "gwd/command.h"
#include "gwd/command_list.h"

struct engine;
struct request;

#define COMMAND_DECLARE(FUNCTION, NAME, ARGS, MIN, MAX, JSON, HELP) \
	void command_##FUNCTION(struct engine *engine, const struct request *request, struct reply *reply);
COMMAND_LIST(COMMAND_DECLARE)
#undef COMMAND_DECLARE

// False: there is neither gateway nor real (SERVICE/REAL) of this name, and the reply says which there are.
bool command_has_member(struct engine *engine, const char *name, struct reply *reply);

#endif
