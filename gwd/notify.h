// SPDX-License-Identifier: GPL-2.0-or-later
// notify: tells the operator's program of every change of state, without ever waiting for it.
//
// The program gets KIND NAME OLD NEW REASON as arguments and the same with what was measured as GWD_*
// in its environment; what it prints goes to gwd's log. For one name it runs once at a time and at
// most once a second, NOTIFY_RUNNING of all names at once: changes that come meanwhile become one,
// from the state that was told last to the state that is, and none if that is the same. So the queue
// holds one change a name, and the last call of a name always tells its true state. A program that
// takes longer than the limit is killed with all that it started.
#ifndef GWD_NOTIFY_H
#define GWD_NOTIFY_H

struct change;
struct event_base;
struct notify;

#define NOTIFY_RUNNING 4
#define NOTIFY_LIMIT_MS 30000
#define NOTIFY_PAUSE_MS 1000

struct notify *notify_new(struct event_base *base, unsigned limit_ms); // NOTIFY_LIMIT_MS but for a test
void notify_free(struct notify *notify);                               // kills what still runs; NULL is fine

// After a reload: what to run from now on; NULL: nothing. What waits is told to the new one.
void notify_configure(struct notify *notify, const char *program);

void notify_tell(struct notify *notify, const struct change *change);

#endif
