// SPDX-License-Identifier: GPL-2.0-or-later
// direct: what the chains of one service with reals by dr and tun are made from, in one family. chain_direct.c says what
// they do, and chain_places.c what is different where some of these reals have max-connections.
#ifndef GWD_NFT_DIRECT_H
#define GWD_NFT_DIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/core/plan.h"

#define DIRECT_BEGUN_MS 900000 // until its first push a connection may be a stray segment
#define DIRECT_TCP_MS 7500000  // longer than the two hours after which keepalives begin
#define DIRECT_LAST_MS 120000
#define DIRECT_HALF_MS 60000
#define DIRECT_SEEN_MS 60000 // what comes so soon after a renewal renews nothing
#define DIRECT_UDP_MS 300000
#define DIRECT_SCTP_MS 900000
#define DIRECT_FRAGMENTS_MS 10000
#define DIRECT_RENEW 8 // one segment of so many

#define DIRECT_TRIED_MS 10000 // with a place: until a second segment the first may be one of a flood
#define DIRECT_OVER_MS 1000   // and after its FIN

struct chain;
struct rule;
struct ruleset;

struct direct {
	struct ruleset *ruleset;
	const struct plan_service *service;
	enum fam fam;
	bool has_tcp, has_other;
	bool half; // a connection is remembered from its SYN on
	char pool[PLAN_NAME_SIZE], conn[PLAN_NAME_SIZE], seen[PLAN_NAME_SIZE], last[PLAN_NAME_SIZE],
		half_open[PLAN_NAME_SIZE], stick[PLAN_NAME_SIZE];
	char text[PLAN_NAME_SIZE];
};

const char *direct_common(char *out, const char *kind, enum fam fam); // the name of what all services share
struct chain *direct_chain(struct direct *d, const char *kind);
void direct_goto(struct direct *d, struct rule *rule, const char *kind);
uint32_t direct_idle_ms(const struct direct *d); // of what isn't TCP

// On to `kind` with the real of the client's pin, or the one whose turn it is (`again`: or by a hash that gives the same
// whenever it is asked), if there is one. With places `kind` is jumped to, and comes back if there is none.
void direct_pinned(struct direct *d, struct chain *chain, const char *kind);
void direct_draw(struct direct *d, struct chain *chain, bool again, const char *kind);
void direct_pin(struct direct *d, struct chain *chain);

// To the real in the mark, if it is alive and reached by dr.
void direct_hand_on(struct chain *chain, enum fam fam);

// To the real in the mark; to `otherwise` if it is dead.
void direct_send(struct direct *d, const char *kind, const char *otherwise);

// chain_places.c; of services with `direct_gated`.
void direct_places(struct direct *d);
// The connection's place with the real in the mark, if that has max-connections: "drbegun", "drrun", "drend".
void direct_place(struct direct *d, struct chain *chain, const char *kind);

#endif
