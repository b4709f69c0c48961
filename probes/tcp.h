// SPDX-License-Identifier: GPL-2.0-or-later
// tcp: asks by opening a connection: the target is alive when it takes it.
//
// The connection is reset right after, so nothing of it stays on either side. Whatever the target
// may send is not read. Called by prober.c only.
#ifndef GWD_PROBES_TCP_H
#define GWD_PROBES_TCP_H

struct answer;
struct ask;
struct ask_spec;
struct event_base;

// As prober_ask().
struct ask *tcp_ask(struct event_base *base, const struct ask_spec *spec, struct answer *failed);

#endif
