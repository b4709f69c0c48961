// SPDX-License-Identifier: GPL-2.0-or-later
// arp: asks by ARP or neighbour discovery: a target on the link itself is alive when it says who it is.
//
// There is one socket per device and family, shared by all questions on it and closed after a minute
// without use. These protocols have no number to tell answers by, so one that comes answers the
// oldest open question for that address; it must come in by the device, to our own MAC address, and
// for IPv6 with a hop limit of 255. Called by prober.c only.
#ifndef GWD_PROBES_ARP_H
#define GWD_PROBES_ARP_H

struct answer;
struct arp;
struct ask;
struct ask_spec;
struct event_base;

struct arp *arp_new(struct event_base *base);
void arp_free(struct arp *arp); // after the last question was answered or cancelled

struct ask *arp_ask(struct arp *arp, const struct ask_spec *spec, struct answer *failed); // as prober_ask()

#endif
