// SPDX-License-Identifier: GPL-2.0-or-later
// command: carries out what gwctl asks: finds the row of the request's command, checks how it is
// asked, and calls its function.
//
// The control socket calls it with a line that anybody may have written. A command that changes
// something goes through the engine; all others only read.
#ifndef GWD_COMMAND_H
#define GWD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/buf.h"

struct change;
struct engine;

enum reply_exit { // what gwctl ends with
	REPLY_DONE = 0,
	REPLY_FAILED = 1,
	REPLY_USAGE = 2,
};

struct reply;

// An answer that is not there yet. Who gets a reply with one sets `done`, which is called from the event
// loop, once; or calls `cancel`, and it won't be.
struct later {
	void (*cancel)(struct later *later);
	void (*done)(void *arg, struct reply *reply); // the body stays the caller's
	void *arg;
};

// An answer that is too long to be held at once. Who gets a reply with one calls `more` again and again, whenever
// the client has taken what there was, and `close` at the end, once; before that if the client goes.
struct stream {
	bool (*more)(struct stream *stream,
		     struct buf *out); // appends a part, maybe nothing; false: that was all
	void (*close)(struct stream *stream);
};

struct reply {
	enum reply_exit exit;
	struct buf body;       // for stdout; for stderr unless `exit` is REPLY_DONE
	struct later *later;   // all else comes with that; NULL: this is the reply
	struct stream *stream; // follows the body; NULL: nothing does
	// Every change of state from now on follows the body, until the client goes; NULL: nothing does.
	void (*follow)(const struct change *change, struct buf *out);
};

// Fills `reply` (give it zeroed, free the body).
void command_run(struct engine *engine, const char *line, size_t size, struct reply *reply);

#endif
