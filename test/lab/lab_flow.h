// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_flow: where a flow starts and where it goes. Every traffic tool takes one.
 */
#ifndef GWD_TEST_LAB_LAB_FLOW_H
#define GWD_TEST_LAB_LAB_FLOW_H

#include <stdint.h>

struct lab_ns;

struct lab_flow {
	const struct lab_ns *from; /* lab_host(lab, 1), lab_internet(lab), lab_router(lab), … */
	const char *to;            /* address as text; its kind says whether the flow is IPv4 or IPv6 */
	uint16_t port;             /* 0: 9000 */
	const char *source;        /* NULL: the place's own address */
	uint16_t source_port;      /* 0: any */
	uint8_t dscp;              /* 0 .. 63 */
	const char *device;        /* bind to this interface (a program on the router that does) */
};

#endif
