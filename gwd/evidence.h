// SPDX-License-Identifier: GPL-2.0-or-later
// evidence: what clients' own connections tell of a gateway between two probes.
//
// A gateway that is probed seldom (an interval of more than EVIDENCE_INTERVAL_MS) is probed at once when
// the connections that clients try to open over it get no replies (probes/silence.h decides). It
// costs packets nothing: conntrack is asked for the flows that wait for their first reply, about once a
// second, and only while flows begin or wait on such a gateway and its line is quiet; with a big table less
// often, so that it takes no more than a hundredth of a processor.
//
// The engine calls it once a second.
#ifndef GWD_EVIDENCE_H
#define GWD_EVIDENCE_H

#include <stdint.h>

struct conntrack;
struct evidence;
struct facts;
struct ids;
struct model;
struct monitor;
struct nft;

#define EVIDENCE_INTERVAL_MS 2000

struct evidence *evidence_new(struct conntrack *ct, struct nft *nft, struct monitor *monitor);
void evidence_free(struct evidence *evidence); // NULL is fine

void evidence_look(struct evidence *evidence, const struct model *model, const struct facts *facts,
		   const struct ids *ids, int64_t now_ms);

#endif
