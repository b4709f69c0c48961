// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/cover.h"

#include <netinet/in.h>
#include <string.h>

#include "gwd/core/model.h"

size_t cover_protocols(const struct model_rule *rule, uint8_t out[COVER_PROTOCOLS])
{
	static const uint8_t with_ports[] = {IPPROTO_TCP, IPPROTO_UDP};
	if (!rule->n_protocols && (rule->n_ports || rule->n_sports)) {
		memcpy(out, with_ports, sizeof(with_ports));
		return sizeof(with_ports);
	}
	if (rule->n_protocols)
		memcpy(out, rule->protocols, rule->n_protocols);
	return rule->n_protocols;
}

static bool bytes_cover(const uint8_t *by, size_t n_by, const uint8_t *all, size_t n)
{
	if (!n_by)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!memchr(by, all[i], n_by))
			return false;
	return n > 0;
}

static bool protocols_cover(const struct model_rule *by, const struct model_rule *rule)
{
	uint8_t a[COVER_PROTOCOLS], b[COVER_PROTOCOLS];
	size_t na = cover_protocols(by, a), nb = cover_protocols(rule, b);
	return bytes_cover(a, na, b, nb);
}

static bool prefix_covers(const struct prefix *by, const struct prefix *p)
{
	return by->len <= p->len && prefix_contains(by, &p->addr);
}

static bool prefixes_cover(const struct prefix *by, size_t n_by, const struct prefix *all, size_t n)
{
	if (!n_by)
		return true;
	for (size_t i = 0; i < n; i++) {
		bool covered = false;
		for (size_t j = 0; j < n_by && !covered; j++)
			covered = prefix_covers(&by[j], &all[i]);
		if (!covered)
			return false;
	}
	return n > 0;
}

// Ports of a rule don't overlap (conf.h), so a range is inside one of them or not covered.
static bool ports_cover(const struct model_ports *by, size_t n_by, const struct model_ports *all, size_t n)
{
	if (!n_by)
		return true;
	for (size_t i = 0; i < n; i++) {
		bool covered = false;
		for (size_t j = 0; j < n_by && !covered; j++)
			covered = by[j].first <= all[i].first && all[i].last <= by[j].last;
		if (!covered)
			return false;
	}
	return n > 0;
}

static size_t stem(const char *pattern, bool *open)
{
	size_t n = strlen(pattern);
	*open = n && pattern[n - 1] == '*';
	return *open ? n - 1 : n;
}

static bool pattern_covers(const char *by, const char *pattern)
{
	bool by_open, open;
	size_t n_by = stem(by, &by_open), n = stem(pattern, &open);
	if (!by_open)
		return !open && strcmp(by, pattern) == 0;
	return n >= n_by && memcmp(by, pattern, n_by) == 0;
}

static bool patterns_cover(const char *const *by, size_t n_by, const char *const *all, size_t n)
{
	if (!n_by)
		return true;
	for (size_t i = 0; i < n; i++) {
		bool covered = false;
		for (size_t j = 0; j < n_by && !covered; j++)
			covered = pattern_covers(by[j], all[i]);
		if (!covered)
			return false;
	}
	return n > 0;
}

static bool mark_covers(const struct model_rule *by, const struct model_rule *rule)
{
	if (!by->has_mark)
		return true;
	return rule->has_mark && !(by->mark_mask & ~rule->mark_mask) &&
	       (rule->mark & by->mark_mask) == by->mark;
}

// Nobody knows what a name will stand for.
static bool destinations_cover(const struct model_rule *by, const struct model_rule *rule)
{
	if (!by->n_to && !by->n_to_names)
		return true;
	return !rule->n_to_names && by->n_to && prefixes_cover(by->to, by->n_to, rule->to, rule->n_to);
}

bool cover_rule(const struct model_rule *by, const struct model_rule *rule)
{
	return by->own == rule->own && protocols_cover(by, rule) && mark_covers(by, rule) &&
	       prefixes_cover(by->from, by->n_from, rule->from, rule->n_from) &&
	       destinations_cover(by, rule) &&
	       ports_cover(by->ports, by->n_ports, rule->ports, rule->n_ports) &&
	       ports_cover(by->sports, by->n_sports, rule->sports, rule->n_sports) &&
	       bytes_cover(by->dscp, by->n_dscp, rule->dscp, rule->n_dscp) &&
	       patterns_cover(by->interfaces, by->n_interfaces, rule->interfaces, rule->n_interfaces);
}

bool cover_outside_interfaces(const struct model_rule *rule, const struct model_lan *lan)
{
	for (size_t i = 0; i < rule->n_interfaces; i++)
		for (size_t j = 0; j < lan->n_interfaces; j++)
			if (pattern_covers(rule->interfaces[i], lan->interfaces[j]) ||
			    pattern_covers(lan->interfaces[j], rule->interfaces[i]))
				return false;
	return rule->n_interfaces && lan->n_interfaces;
}

bool cover_outside_networks(const struct model_rule *rule, const struct model_lan *lan)
{
	for (size_t i = 0; i < rule->n_from; i++)
		for (size_t j = 0; j < lan->n_networks; j++)
			if (prefix_covers(&rule->from[i], &lan->networks[j]) ||
			    prefix_covers(&lan->networks[j], &rule->from[i]))
				return false;
	return rule->n_from && lan->n_networks;
}
