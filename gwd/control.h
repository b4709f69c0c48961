// SPDX-License-Identifier: GPL-2.0-or-later
// control: the Unix socket that gwctl talks to.
//
// One request, one reply, then the connection ends. The request is a JSON object in one line
// (gwd/request.h); the reply is a line {"exit":N,"bytes":N} and then that much text, or JSON. With
// "follow":true in that line, more text follows as it comes, until the client closes.
//
// main opens it once the engine runs. Guarantees: only uid 0, the daemon's own uid and members of
// the control group are answered (by the credentials the kernel holds for the peer, not by what it
// says); a client can neither block nor grow the daemon: requests, clients and their time are
// bounded, and whoever stalls is dropped.
#ifndef GWD_CONTROL_H
#define GWD_CONTROL_H

struct engine;
struct err;
struct event_base;

#define CONTROL_PATH "/run/gwd/control.sock" // where gwctl looks unless it is told otherwise

// Makes sure that no other gwd runs on `path`, before anything is done to the kernel; control_open()
// of the same path follows, or control_close(). Refused: "another gwd runs on PATH".
int control_claim(const char *path, struct err *err);

// Listens on `path` with mode 0660 and the group's gid; a dead daemon's socket is replaced, a live
// one's is refused. A `group` that this host doesn't have costs a warning: then only root may talk.
// There is one control socket in a process. SIGPIPE must be ignored: clients may leave at any time.
int control_open(struct event_base *base, struct engine *engine, const char *path, const char *group,
		 struct err *err);

// After a reload: moves to another path or group if they differ from what is open. On an error the
// socket stays as it was. Clients are not interrupted.
int control_update(const char *path, const char *group, struct err *err);

// Drops every client and removes the socket. Fine to call when nothing is open.
void control_close(void);

#endif
