// SPDX-License-Identifier: GPL-2.0-or-later
// icmp: asks by echo request, over raw sockets.
//
// There is one socket per link (device and mark) and family, shared by all questions on it and closed
// after a minute without use. Each has an echo id that no other socket of ours has, for two links
// that used the same id toward the same target would share one conntrack entry (and get EPERM).
// A reply counts if it came in by the socket's device, from the address that was asked, with the
// question's id, sequence number and 64-bit nonce, and a true checksum; an ICMP error counts if it
// quotes them all. Everything else is as if it had not come.
//
// Called by prober.c only.
#ifndef GWD_PROBES_ICMP_H
#define GWD_PROBES_ICMP_H

#include <stdint.h>

struct answer;
struct ask;
struct ask_spec;
struct event_base;
struct icmp;

struct icmp *icmp_new(struct event_base *base);
void icmp_free(struct icmp *icmp);

// As prober_ask(); the caller fills in the callback before anything can arrive.
struct ask *icmp_ask(struct icmp *icmp, const struct ask_spec *spec, struct answer *failed);

#endif
