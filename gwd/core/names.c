// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char fam_digit(enum fam fam)
{
	return fam == FAM_4 ? '4' : '6';
}

const char *name_gateway_chain(char *out, const char *kind, const struct plan_gateway *gw)
{
	snprintf(out, PLAN_NAME_SIZE, "%s.%u.%s", kind, gw->id, gw->name);
	return out;
}

const char *name_group(char *out, const char *kind, enum fam fam, const struct plan_group *group)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c.%s", kind, fam_digit(fam), group->name);
	return out;
}

const char *name_slots(char *out, enum fam fam, const struct plan_group *group)
{
	snprintf(out, PLAN_NAME_SIZE, "slot%c.%s.%u", fam_digit(fam), group->name, group->n_slots[fam]);
	return out;
}

const char *name_pins(char *out, enum fam fam, const struct plan_group *group)
{
	const char *by = group->persist_by == PERSIST_SOURCE ? "" : "sd";
	snprintf(out, PLAN_NAME_SIZE, "pin%c%s.%s", fam_digit(fam), by, group->name);
	return out;
}

const char *name_give(char *out, enum fam fam, const struct plan_group *group, const struct plan_gateway *gw)
{
	snprintf(out, PLAN_NAME_SIZE, "give%c.%s.%s", fam_digit(fam), group->name, gw->name);
	return out;
}

const char *name_keep(char *out, enum fam fam, const struct plan_group *group, const struct plan_gateway *gw)
{
	snprintf(out, PLAN_NAME_SIZE, "keep%c.%s.%s", fam_digit(fam), group->name, gw->name);
	return out;
}

const char *name_service(char *out, const char *kind, enum fam fam, const struct plan_service *service)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c.%s", kind, fam_digit(fam), service->name);
	return out;
}

const char *name_service_turn(char *out, const struct plan_service *service, enum plan_table table)
{
	snprintf(out, PLAN_GROUP_NAME_SIZE, "%s/%s", table == PLAN_NETDEV ? "direct" : "service",
		 service->name);
	return out;
}

const char *name_pool(char *out, enum fam fam, const struct plan_service *service)
{
	const char *holds = service->gated       ? ".jump"
			    : service->by_real   ? ""
			    : service->keep_port ? ".addr"
						 : ".port";
	snprintf(out, PLAN_NAME_SIZE, "pool%c.%s.%u%s", fam_digit(fam), service->name, service->n_slots[fam],
		 holds);
	return out;
}

const char *name_limit(char *out, const char *kind, enum fam fam, const struct plan_service *service,
		       uint32_t most)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c.%s.%" PRIu32, kind, fam_digit(fam), service->name, most);
	return out;
}

const char *name_real(char *out, const char *kind, enum fam fam, const struct plan_service *service,
		      const struct plan_real *real)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c.%s.%s", kind, fam_digit(fam), service->name, real->name);
	return out;
}

const char *name_places(char *out, enum fam fam, const struct plan_service *service,
			const struct plan_real *real)
{
	snprintf(out, PLAN_NAME_SIZE, "%s%c.%s.%s.%" PRIu32, plan_real_is_direct(real) ? "drplace" : "place",
		 fam_digit(fam), service->name, real->name, real->max_connections);
	return out;
}

const char *name_drawer(char *out, enum fam fam, const struct plan_service *service)
{
	return name_service(out, plan_service_picks_apart(service) ? "pick" : "service", fam, service);
}

const char *name_direct_pool(char *out, enum fam fam, const struct plan_service *service)
{
	snprintf(out, PLAN_NAME_SIZE, "drpool%c.%s.%u", fam_digit(fam), service->name, service->n_slots[fam]);
	return out;
}

const char *name_ingress(char *out, const struct plan_elem *device)
{
	uint32_t index;
	memcpy(&index, device->key, sizeof(index));
	snprintf(out, PLAN_NAME_SIZE, "ing.%" PRIu32, index);
	return out;
}

const char *name_cut(char *out, enum fam fam, bool own)
{
	snprintf(out, PLAN_NAME_SIZE, "cut%c.%s", fam_digit(fam), own ? "own" : "lan");
	return out;
}

const char *name_cut_list(char *out, enum fam fam, bool own, size_t k)
{
	snprintf(out, PLAN_NAME_SIZE, "cut%c.%s.%zu", fam_digit(fam), own ? "own" : "lan", k);
	return out;
}

const char *name_rule_to(char *out, enum fam fam, const struct plan_rule *rule)
{
	snprintf(out, PLAN_NAME_SIZE, "dst%c.rule.%s", fam_digit(fam), rule->name);
	return out;
}

const char *name_counter(char *out, const struct plan_gateway *gw)
{
	snprintf(out, PLAN_NAME_SIZE, "new.%s", gw->name);
	return out;
}

const char *name_unpinned(char *out, const struct plan_group *group)
{
	snprintf(out, PLAN_NAME_SIZE, "unpinned.%s", group->name);
	return out;
}

const char *name_shape(char *out, uint64_t shape, size_t n_rules)
{
	snprintf(out, PLAN_NAME_SIZE, "shape.%016" PRIx64 ".%zu", shape, n_rules);
	return out;
}

bool name_parse_shape(const char *chain, uint64_t *shape, size_t *n_rules)
{
	int end = 0;
	return sscanf(chain, "shape.%16" SCNx64 ".%zu%n", shape, n_rules, &end) == 2 && !chain[end];
}

bool name_parse_ingress(const char *chain, uint32_t *index)
{
	int end = 0;
	return sscanf(chain, "ing.%" SCNu32 "%n", index, &end) == 1 && !chain[end];
}

bool name_parse_take(const char *chain, unsigned *id, char *name)
{
	if (strncmp(chain, "take.", 5) != 0)
		return false;
	char *end;
	unsigned long value = strtoul(chain + 5, &end, 10);
	if (end == chain + 5 || *end != '.' || !value || value > UINT32_MAX)
		return false;
	size_t len = strlen(end + 1);
	if (!len || len > MODEL_NAME_MAX)
		return false;
	*id = (unsigned)value;
	memcpy(name, end + 1, len + 1);
	return true;
}
