// SPDX-License-Identifier: GPL-2.0-or-later
// silence: do the connections that clients try to open over a link get any answer? Where several in a
// row get none, the link is suspect, and should be probed now rather than at its next interval.
//
// Pure. About once a second the caller lists what waits for its first reply; what waited at the last
// look already waits for as long as that. One dead server is no dead link, so a connection gives
// cause for suspicion only once, nobody is suspected while others are answered, and the next
// suspicion must wait: ten seconds, and twice as long each time that the link turned out alive.
//
// gwd/evidence.c feeds it, one for each gateway and family.
#ifndef GWD_PROBES_SILENCE_H
#define GWD_PROBES_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/vec.h"

#define SILENCE_LEAST 3 // so many connection attempts
#define SILENCE_PAUSE_MS 10000
#define SILENCE_PAUSE_MAX_MS 300000
#define SILENCE_KEPT 65536 // more are counted, not remembered

struct silence_flow {
	uint32_t id;
	bool opens; // a connection attempt: silence means something
	bool used;  // has given cause for a suspicion
};

struct silence {
	VEC(struct silence_flow) last, now; // sorted by id
	size_t more;                        // of this look, not kept
	size_t waiting; // attempts that waited at the last look and have given no cause yet
	int64_t suspected_ms;
	uint32_t pause_ms; // 0: never was suspected
};

void silence_free(struct silence *silence);
void silence_forget(struct silence *silence); // what waits; the link is not in use, or another one

// One look: begin; each flow that waits for its first reply; silence_fresh(), which tells how many of them were
// not there at the last look; end. `begun`: flows begun since the last look; `answered`: those of them that
// don't wait any more. True: suspect the link.
void silence_begin(struct silence *silence);
void silence_flow(struct silence *silence, uint32_t id, bool opens);
uint64_t silence_fresh(struct silence *silence);
bool silence_end(struct silence *silence, int64_t now_ms, uint64_t begun, uint64_t answered);

// Nothing was waiting at the last look.
bool silence_is_calm(const struct silence *silence);

#endif
