// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's part of what the operator sets by hand: kept in a file beside the control socket, in
// force when the command is answered.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/log.h"
#include "gwd/engine_priv.h"
#include "gwd/figure.h"
#include "gwd/state_file.h"

static int manual_load(struct engine *engine, struct err *err)
{
	struct buf text = {0};
	int rc = state_file_read(engine->manual_path, &text, err);
	size_t skipped = manual_read(&engine->manual, buf_text(&text));
	if (skipped)
		log_warn("engine", "%s: %zu lines make no sense and are left out", engine->manual_path,
			 skipped);
	buf_free(&text);
	return rc;
}

static void manual_name(char path[ENGINE_PATH], const char *socket)
{
	snprintf(path, ENGINE_PATH, "%s.manual", socket);
}

int engine_open_manual(struct engine *engine, const char *socket, struct err *err)
{
	manual_name(engine->manual_path, socket);
	int rc = manual_load(engine, err);
	char text[MANUAL_TEXT];
	vec_each(&engine->manual.entries, entry)
		log_info("engine", "%s: still %s", entry->name, manual_text(entry, text));
	return rc;
}

static int manual_save(const struct engine *engine, struct err *err)
{
	struct buf text = {0};
	manual_write(&engine->manual, &text);
	int rc = state_file_write(engine->manual_path, &text);
	buf_free(&text);
	return rc ? err_errno(err, -rc,
			      "it is in force, but can't be noted in %s, so a restart would forget it",
			      engine->manual_path)
		  : 0;
}

int engine_move_manual(struct engine *engine, const char *socket, struct err *err)
{
	char old[ENGINE_PATH];
	memcpy(old, engine->manual_path, sizeof(old));
	manual_name(engine->manual_path, socket);
	if (!strcmp(old, engine->manual_path))
		return 0;
	int rc = manual_save(engine, err);
	if (rc)
		memcpy(engine->manual_path, old, sizeof(old));
	else
		unlink(old);
	return rc;
}

int engine_set_manual(struct engine *engine, const char *name, enum manual_change change, unsigned weight,
		      struct err *err)
{
	char since[FIGURE_TEXT];
	bool changed = manual_set(&engine->manual, name, change, weight, figure_date(time(NULL), since));
	if (!changed && !engine->manual_left)
		return 0;
	int saved = manual_save(engine, err);
	const struct reals_real *real = reals_find(&engine->reals, name);
	if (real)
		reals_move(&engine->reals, real->service, REALS_STATE);
	int rc = real && engine_settle_reals(engine) ? 0 : engine_settle(engine);
	engine->manual_left = saved || rc;
	if (!rc)
		return saved;
	engine_dirty(engine); // and tries again
	return err_set(err, -rc, "it is noted, but not in force yet: %s", engine->failure.text);
}
