// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_priv: what the lab's own files share. Tests never see it.
 */
#ifndef GWD_TEST_LAB_LAB_PRIV_H
#define GWD_TEST_LAB_LAB_PRIV_H

#include "test/lab/lab_net.h"
#include "test/lab/lab_ns.h"

#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/types.h>

struct lab_task;
struct lab_tun;
struct lab_server;
struct mnl_socket;

enum lab_wire { LAB_WIRE_OWN, LAB_WIRE_SHARED, LAB_WIRE_PPP };

enum { LAB_V4, LAB_V6, LAB_FAMILIES };

struct lab_isp {
	struct lab_ns ns;
	int index; /* from 1 */
	enum lab_wire wire;
	char wan[IFNAMSIZ];
	int generation; /* of its subnet: lab_fault_renumber() counts it up */
	char address[LAB_FAMILIES][INET6_ADDRSTRLEN];
	char nexthop[LAB_FAMILIES][INET6_ADDRSTRLEN];
	char public[LAB_FAMILIES][INET6_ADDRSTRLEN];
	struct lab_tun *tun;
	struct mnl_socket *nft; /* in its namespace: faults and counters */
	bool lossy;             /* a rule in its chain `loss` */
	char first_wrong[192];
};

struct lab_prefix { /* delegated to the router by an ISP */
	struct lab_prefix *next;
	int isp;
	int family;
	unsigned bits;
	unsigned char address[16];
	char text[64];
};

struct lab_string {
	struct lab_string *next;
	char text[];
};

struct lab {
	struct lab_spec spec;
	char dir[64];
	pid_t janitor;
	int janitor_pipe;
	struct lab_ns router, internet, wire, inside;
	struct lab_ns host[LAB_HOSTS_MAX + 1];
	struct lab_isp isp[LAB_ISPS_MAX + 1];
	int isps; /* in all */
	struct lab_server *server;

	pthread_mutex_t lock; /* the lists below */
	struct lab_task *tasks;
	struct lab_proc *procs;
	struct lab_string *strings;
	struct lab_prefix *prefixes;
};

/* LAB_V4 or LAB_V6 for AF_INET or AF_INET6. */
int lab_family(int family);

/* The ISP by its number; dies if there is none. */
struct lab_isp *lab_isp_get(struct lab *lab, int isp);

/* A copy of text that lasts as long as the lab. */
const char *lab_keep(struct lab *lab, const char *text);

void lab_proc_stop_all(struct lab *lab);

/* The process that removes `dir` when this one has ended, however it ended. */
void lab_janitor_start(struct lab *lab);
void lab_janitor_end(struct lab *lab);

#endif
