// SPDX-License-Identifier: GPL-2.0-or-later
// netmon_read: reads whole tables of the kernel, in steps, so that a full BGP table does not keep
// the event loop from its probes.
//
// A reader has a list of dump requests and carries them out one after the other over a socket of
// its own. What they give is parsed into a fresh `struct facts`, which the caller takes when all
// are done. A dump that the kernel calls inconsistent is begun again.
#ifndef GWD_NETMON_READ_H
#define GWD_NETMON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/netmon_parse.h"

struct err;
struct netmon_reader;

struct netmon_request {
	uint16_t type;  // RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE or RTM_GETSTATS
	uint8_t family; // AF_UNSPEC: all of them
	netmon_parse_fn *parse;
	uint8_t table; // of RTM_GETROUTE
};

// `requests` must outlive the reader. NULL on failure.
struct netmon_reader *netmon_reader_open(const struct netmon_request *requests, size_t n, struct err *err);
void netmon_reader_close(struct netmon_reader *reader); // NULL is fine
int netmon_reader_fd(const struct netmon_reader *reader);

// Wants the tables as they are from now on: where a reading is under way, another follows it.
void netmon_reader_start(struct netmon_reader *reader);
bool netmon_reader_busy(const struct netmon_reader *reader);

// Goes on for at most `parts` messages of 32 KiB, without blocking. 1: all is read (or nothing was
// started); 0: there is more, the descriptor will be readable; -errno: given up.
int netmon_reader_step(struct netmon_reader *reader, unsigned parts, struct err *err);

// Who gave up has to do this while the descriptor is readable, until it is true: takes what still comes of the broken
// dump, at most `parts` messages of it. A step does it, too.
bool netmon_reader_discard(struct netmon_reader *reader, unsigned parts);

// All of it at once: start, and step until it is done. 0 or -errno.
int netmon_reader_run(struct netmon_reader *reader, struct err *err);

// Moves what was read into `out`, which the caller frees. If it was wanted again meanwhile, that
// begins now: netmon_reader_busy().
void netmon_reader_take(struct netmon_reader *reader, struct facts *out);

#endif
