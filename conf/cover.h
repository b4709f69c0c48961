// SPDX-License-Identifier: GPL-2.0-or-later
// cover: which flows a rule's selectors match, compared with another's. Pure.
//
// An answer of `true` is certain. Some of what is covered goes unseen: by several rules together, or
// by several prefixes of one that only together hold another's.
#ifndef GWD_CONF_COVER_H
#define GWD_CONF_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_lan;
struct model_rule;

#define COVER_PROTOCOLS 256

// The protocols a rule matches: its own, tcp and udp if it only has ports, else none (which means all).
size_t cover_protocols(const struct model_rule *rule, uint8_t out[COVER_PROTOCOLS]);

// Every flow that `rule` matches is one that `by` matches.
bool cover_rule(const struct model_rule *by, const struct model_rule *rule);

// No flow of the LAN comes in by one of the rule's interfaces, or from one of its networks.
bool cover_outside_interfaces(const struct model_rule *rule, const struct model_lan *lan);
bool cover_outside_networks(const struct model_rule *rule, const struct model_lan *lan);

#endif
