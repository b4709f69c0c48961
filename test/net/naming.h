// SPDX-License-Identifier: GPL-2.0-or-later
// naming: name servers for the lab: dnsmasq at an ISP, and the resolv.conf that leads there.
#ifndef GWD_TEST_NET_NAMING_H
#define GWD_TEST_NET_NAMING_H

struct lab;
struct lab_proc;

#define NAMING_SERVER "192.0.2.53" // the same address behind every ISP, and each has its own view

// Names are looked up there from now on, in this process and what it starts.
void naming_use_server(void);

// A name server at that ISP, which knows only `record` (as --host-record) or the lines of `hosts` (a path, read again
// at SIGHUP); NULL: none. A TTL of one second.
struct lab_proc *naming_start(struct lab *lab, int isp, const char *record, const char *hosts);

#endif
