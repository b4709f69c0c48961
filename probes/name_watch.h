// SPDX-License-Identifier: GPL-2.0-or-later
// name_watch: what the names in rules stand for, kept up to date.
//
// Every name is asked for in both families, again whenever its answer's TTL is over. An address stays for twice the TTL
// of the last answer that had it (name servers give out a large site's addresses a few at a time, and clients
// go on with what they were told a moment before us), and beyond that for as long as nobody answers, or the answer is
// that there is none: better yesterday's address than none. Lookups go out by the marks of usable gateways: the
// one that answered last first, and round the others when it does not.
//
// The engine owns it and puts named_list into its plan.
#ifndef GWD_PROBES_NAME_WATCH_H
#define GWD_PROBES_NAME_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct addr;
struct event_base;
struct name_watch;
struct named_list;

// `changed` is called from the loop when an address came or went.
struct name_watch *name_watch_new(struct event_base *base, void (*changed)(void *arg), void *arg);
void name_watch_free(struct name_watch *watch); // NULL is fine

// These names, and no others, from now on; what is known of those that stay is kept.
void name_watch_set(struct name_watch *watch, const char *const *names, size_t n);

// An address that was known before a restart: the first answer replaces it.
void name_watch_remember(struct name_watch *watch, const char *name, const struct addr *addr);

// Marks to ask by, best first; none: 0 is tried. What failed is asked again at once when there are others.
void name_watch_set_links(struct name_watch *watch, const uint32_t *marks, size_t n);

// Valid until the loop runs or name_watch_set().
const struct named_list *name_watch_known(const struct name_watch *watch);

#endif
