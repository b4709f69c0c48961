// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_tun: the point-to-point link. Internal.
 */
#ifndef GWD_TEST_LAB_LAB_TUN_H
#define GWD_TEST_LAB_LAB_TUN_H

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_isp;
struct lab_tun;

/* Creates the ISP's interface in the router and "cust0" in its own namespace, and starts to carry packets. */
struct lab_tun *lab_tun_create(struct lab *lab, struct lab_isp *isp);

/* Removes both interfaces. */
void lab_tun_delete(struct lab_tun *tun);

/* Takes the carrier away from the router's end, or gives it back; returns when (lab_now_ms). */
int64_t lab_tun_carrier(struct lab_tun *tun, bool on);

#endif
