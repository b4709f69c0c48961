// SPDX-License-Identifier: GPL-2.0-or-later
// twins: two routers on the same wires, each with gwd, keepalived and conntrackd, as conf/examples/two-routers has
// them: those very files, in /etc of a mount namespace of each. What the example calls a and b are 0 and 1.
//
//	struct twins *t = twins_start();               // a works, b waits
//	… flows …
//	twins_retire(t, 0);                            // systemctl stop keepalived
//	twins_wait_master(t, 1);
//	twins_finish(t);
#ifndef GWD_TEST_NET_TWINS_H
#define GWD_TEST_NET_TWINS_H

#include "test/net/net.h"

struct twin {
	struct lab_ns *ns;
	struct lab_proc *gwd, *conntrackd, *keepalived;
	const char *socket;
	bool dead;
};

struct twins {
	struct net *net;
	struct lab *lab;
	struct lab_ns b;
	struct twin twin[2];
};

// Skips the test where one of the programs is missing.
struct twins *twins_start(void);
void twins_finish(struct twins *t);

// Ends keepalived as an administrator does; starts it (again), the other one being master.
void twins_retire(struct twins *t, int which);
void twins_enlist(struct twins *t, int which);
// The power fails: all of its programs are killed, all of its links are down.
void twins_die(struct twins *t, int which);

void twins_wait_master(struct twins *t, int which);

// The connections that conntrack has there and that go on by themselves, a line each, sorted: both tuples, mark. To be freed.
char *twins_connections(struct twins *t, int which);

// gwctl on that router, as net_gwctl().
int twins_gwctl(struct twins *t, int which, char **output, const char *command);

#endif
