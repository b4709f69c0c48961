// SPDX-License-Identifier: GPL-2.0-or-later
// services: the same many services of a hundred reals each, in the words of gwd, nftlb and IPVS, as files of the lab. The
// first service is at the router's own address and has one real that answers: for traffic meanwhile.
#ifndef GWD_TEST_BENCH_SERVICES_H
#define GWD_TEST_BENCH_SERVICES_H

#define SERVICES_REALS 100
#define SERVICES_PORT 9000

struct lab;

struct services_change {
	unsigned weight; // of real r0 of service s1
	int reals;       // more, of s1
	int services;    // more
};
const char *services_gwd(struct lab *lab, int services, struct services_change change);
const char *services_nftlb(struct lab *lab, int services);
const char *services_ipvs(struct lab *lab, int services); // for ipvsadm -R

// No services, but so many gateways, at most 254: g1 is 172.30.1.1 by link1, and so on. `weight`: of g7.
const char *services_gateways(struct lab *lab, int gateways, int weight);

#endif
