// SPDX-License-Identifier: GPL-2.0-or-later
// conntrack: the kernel's connection table as gwd needs it: flows are counted, ended and listed by
// the gateway id in their mark.
//
// The engine flushes with it after a failover and lists the TCP flows to wake first; status counts
// flows. All of it works with 100,000 entries without blocking longer than the kernel needs, and
// never touches an entry whose mark does not carry the id that was asked for (the
// exceptions, conntrack_end.h) say so
#ifndef GWD_NFT_CONNTRACK_H
#define GWD_NFT_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/err.h"

struct conntrack;

struct ct_tuple {
	struct addr src, dst;
	uint8_t protocol;
	uint16_t sport, dport; // host order; ICMP: type.code and id are not filled in
};

struct ct_flow {
	struct ct_tuple orig, reply; // reply.dst is where answers go: the translated source
	uint32_t mark;
	uint32_t status;   // IPS_* bits
	uint8_t tcp_state; // TCP_CONNTRACK_*; 0 if not TCP
	bool has_bytes;    // nf_conntrack_acct was on when it began
	uint64_t bytes;    // of both directions
	int64_t began_ms;  // since 1970; 0: nf_conntrack_timestamp was off
	uint32_t id;       // tells it from others of the same tuple
};

struct conntrack *conntrack_open(struct err *err); // NULL and the sentence on failure
void conntrack_close(struct conntrack *ct);        // NULL is fine

// Ends every flow of the family whose mark & mask == mark: one message.
int conntrack_flush(struct conntrack *ct, enum fam fam, uint32_t mark, uint32_t mask, struct err *err);

// counts[i]: flows with mark & mask == i << (position of the lowest bit of mask), of both families.
// Those beyond n_counts are left out.
int conntrack_count(struct conntrack *ct, uint32_t mask, uint64_t *counts, size_t n_counts, struct err *err);

// Calls `cb` for each TCP flow of the family with mark & mask == mark that is open (conntrack_is_open()).
typedef void (*conntrack_cb)(void *arg, const struct ct_flow *flow);
int conntrack_dump_tcp(struct conntrack *ct, enum fam fam, uint32_t mark, uint32_t mask, conntrack_cb cb,
		       void *arg, struct err *err);

// Calls `cb` for each flow, of any protocol, family and mark, that has not seen a reply. `id` tells flows apart.
// An entry that ends meanwhile may be left out.
typedef void (*conntrack_unreplied_cb)(void *arg, const struct ct_flow *flow, uint32_t id);
int conntrack_dump_unreplied(struct conntrack *ct, conntrack_unreplied_cb cb, void *arg, struct err *err);

// Calls `cb` for each flow, of both families, that has all of these IPS_* bits in its status.
int conntrack_dump(struct conntrack *ct, uint32_t status, conntrack_cb cb, void *arg, struct err *err);

// The same for all flows, in pieces: `ct` serves nothing else until the end.
int conntrack_list_start(struct conntrack *ct, struct err *err);
// Calls `cb` for those of the next piece. 1: there may be more; 0: that was all. An entry that ends
// meanwhile may be left out, and one may be told twice.
int conntrack_list_next(struct conntrack *ct, conntrack_cb cb, void *arg, struct err *err);

// Since the kernel started: flows that were dropped because their translated source was taken, and packets
// because the table was full.
int conntrack_read_drops(struct conntrack *ct, uint64_t *insert_failed, uint64_t *dropped, struct err *err);

bool conntrack_is_translated(const struct ct_flow *flow); // its source has become another

// Of TCP: closed by both sides or reset, though remembered; got beyond SYN_SENT, and is not over.
bool conntrack_is_over(const struct ct_flow *flow);
bool conntrack_is_open(const struct ct_flow *flow);

// The flow that was opened with this tuple, of a protocol with ports. -ENOENT: there is none.
int conntrack_get(struct conntrack *ct, const struct ct_tuple *tuple, struct ct_flow *flow, struct err *err);

#endif
