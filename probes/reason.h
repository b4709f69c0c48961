// SPDX-License-Identifier: GPL-2.0-or-later
// reason: what a watch thinks, in words for people: "2 of 2 targets answer", "no answer from 9.9.9.9
// (3 in a row)", "loss 42 % over 30 s, the limit is 30 %; 192.0.2.1 answers".
//
// Pure; the checker makes the verdict's reason from it.
#ifndef GWD_PROBES_REASON_H
#define GWD_PROBES_REASON_H

#include <stddef.h>
#include <stdint.h>

struct watch;

void reason_text(const struct watch *watch, int64_t now_ms, char *text, size_t size);

// Changes whenever reason_text() would tell something else, but for counts and figures.
uint64_t reason_signature(const struct watch *watch);

#endif
