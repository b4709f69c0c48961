// SPDX-License-Identifier: GPL-2.0-or-later
// netlink_count: what a process told the kernel to change, in its own words: preload/netlink_count.c counts, the
// benchmark reads. Both families of words that matter here are seen: nftables' transactions, and IPVS's.
#ifndef GWD_TEST_BENCH_NETLINK_COUNT_H
#define GWD_TEST_BENCH_NETLINK_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct netlink_count {
	uint64_t transactions, messages, bytes;
};

#endif
