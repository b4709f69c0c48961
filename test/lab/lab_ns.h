// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_ns: one network namespace, known only by a file descriptor this process keeps.
 *
 * No name in /run/netns: when the process ends, however it ends, the kernel takes the namespace and every
 * interface in it away. A thread works in a namespace by entering it; sockets opened there stay there.
 */
#ifndef GWD_TEST_LAB_LAB_NS_H
#define GWD_TEST_LAB_LAB_NS_H

#include <stdbool.h>
#include <stdint.h>

struct lab_ns {
	char name[16];
	char path[40]; /* /proc/PID/fd/N: what `ip link … netns` and `nsenter --net=` take */
	int fd;
	int host; /* which LAN host this is, from 1; 0 for every other place */
};

void lab_ns_create(struct lab_ns *ns, const char *name);
void lab_ns_close(struct lab_ns *ns);

/* Moves the calling thread into `ns`; returns what lab_ns_leave() takes to bring it back. May be nested. */
int lab_ns_enter(const struct lab_ns *ns);
void lab_ns_leave(int before);

/* Writes /proc/sys/net/KEY inside `ns`. A key that this kernel does not have is an error. */
void lab_ns_sysctl(const struct lab_ns *ns, const char *key, const char *value);

/* Sets an interface up or down; returns the moment it was done (lab_now_ms). */
int64_t lab_ns_link_set(const struct lab_ns *ns, const char *ifname, bool up);

/* True while the interface is up and has carrier (IFF_RUNNING); false too if there is none of that name. */
bool lab_ns_link_running(const struct lab_ns *ns, const char *ifname);

#endif
