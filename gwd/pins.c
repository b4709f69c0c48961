// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/pins.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/figure.h"
#include "gwd/table.h"
#include "nft/nft.h"

// ---- reading ---------------------------------------------------------------------------------

static const char *gateway_of_mark(const struct plan *plan, uint32_t mark)
{
	vec_each(&plan->gateways, gw)
		if (gw->mark == (mark & plan->mark_mask))
			return gw->name;
	return "?";
}

void pins_add(struct pins *pins, const struct plan *plan, const struct plan_group *group, enum fam fam,
	      const uint8_t *key, uint32_t mark, uint64_t left_ms)
{
	struct pin pin = {
		.group = group,
		.gateway = gateway_of_mark(plan, mark),
		.client = {.addr = addr_from(fam_af(fam), key), .len = group->persist_mask[fam]},
		.left_ms = left_ms,
	};
	if (group->persist_by == PERSIST_SOURCE_DESTINATION)
		pin.destination = addr_from(fam_af(fam), key + addr_size(&pin.client.addr));
	vec_push(&pins->pins, pin);
}

struct collecting {
	struct pins *pins;
	const struct plan *plan;
	const struct plan_group *group;
	enum fam fam;
	const char *gateway; // only those of this one, or NULL
};

static void collect_pin(void *arg, const uint8_t *key, unsigned key_size, uint32_t mark, uint64_t expires_ms)
{
	const struct collecting *c = arg;
	(void)key_size;
	if (!c->gateway || !strcmp(c->gateway, gateway_of_mark(c->plan, mark)))
		pins_add(c->pins, c->plan, c->group, c->fam, key, mark, expires_ms);
}

// ---- of services -----------------------------------------------------------------------------

static const char *real_of_id(const struct plan_service *service, uint32_t id)
{
	vec_each(&service->reals, real)
		if (real->id == id)
			return real->name;
	return "?";
}

void pins_add_real(struct pins *pins, const struct plan_service *service, enum fam fam, const uint8_t *key,
		   uint32_t id, uint64_t left_ms)
{
	struct pin_real pin = {
		.service = service,
		.real = real_of_id(service, id),
		.client = {.addr = addr_from(fam_af(fam), key), .len = service->persist_mask[fam]},
		.left_ms = left_ms,
	};
	vec_push(&pins->reals, pin);
}

struct collecting_reals {
	struct pins *pins;
	const struct plan_service *service;
	enum fam fam;
	const char *real; // only those of this one, or NULL
};

static void collect_real_pin(void *arg, const uint8_t *key, unsigned key_size, uint32_t id,
			     uint64_t expires_ms)
{
	const struct collecting_reals *c = arg;
	(void)key_size;
	if (!c->real || !strcmp(c->real, real_of_id(c->service, id)))
		pins_add_real(c->pins, c->service, c->fam, key, id, expires_ms);
}

// False: none of this service are meant. `real`: only its.
static bool is_meant(const struct plan_service *service, const char *name, const char **real)
{
	size_t n = strlen(service->name);
	bool all = !name || !strcmp(name, service->name);
	*real = all ? NULL : name + n + 1;
	return all || (!strncmp(name, service->name, n) && name[n] == '/');
}

// By dr and tun the other table has them; where a service has reals of both kinds, each has its own.
int pins_dump_service(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		      enum fam fam, nft_pin_cb cb, void *arg, struct err *err)
{
	char set[PLAN_NAME_SIZE];
	int rc = 0;
	if (plan_find_set(applied, name_service(set, "stick", fam, service)))
		rc = nft_dump_pins(nft, set, cb, arg, err);
	if (!rc && plan_find_set(applied, name_service(set, "drstick", fam, service)))
		rc = nft_dump_conns(nft, set, cb, arg, err);
	return rc;
}

static int collect_reals(struct pins *pins, struct nft *nft, const struct plan *applied, const char *name,
			 struct err *err)
{
	vec_each(&applied->services, service) {
		struct collecting_reals c = {.pins = pins, .service = service};
		if (!service->persistence_ms || !is_meant(service, name, &c.real))
			continue;
		for (c.fam = FAM_4; c.fam < FAM_COUNT; c.fam++) {
			int rc = pins_dump_service(nft, applied, service, c.fam, collect_real_pin, &c, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int pins_collect(struct pins *pins, struct nft *nft, const struct plan *applied, const char *name,
		 struct err *err)
{
	vec_each(&applied->groups, group) {
		bool all = !name || !strcmp(name, group->name);
		if (!group->persistence_ms)
			continue;
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			struct collecting c = {pins, applied, group, fam, all ? NULL : name};
			char set[PLAN_NAME_SIZE];
			int rc = nft_dump_pins(nft, name_pins(set, fam, group), collect_pin, &c, err);
			if (rc < 0)
				return rc;
		}
	}
	return collect_reals(pins, nft, applied, name, err);
}

void pins_free(struct pins *pins)
{
	vec_free(&pins->reals);
	vec_free(&pins->pins);
}

// ---- printing --------------------------------------------------------------------------------

static int pin_compare(const void *left, const void *right)
{
	const struct pin *a = left, *b = right;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1; // as in the file
	int order = addr_compare(&a->client.addr, &b->client.addr);
	return order ? order : addr_compare(&a->destination, &b->destination);
}

static int pin_real_compare(const void *left, const void *right)
{
	const struct pin_real *a = left, *b = right;
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return addr_compare(&a->client.addr, &b->client.addr);
}

static void pins_sort(struct pins *pins)
{
	if (pins->pins.n)
		qsort(pins->pins.v, pins->pins.n, sizeof(*pins->pins.v), pin_compare);
	if (pins->reals.n)
		qsort(pins->reals.v, pins->reals.n, sizeof(*pins->reals.v), pin_real_compare);
}

static const char *client_text(const struct prefix *client, char text[PREFIX_TEXT])
{
	return client->len == 8 * addr_size(&client->addr) ? addr_text(&client->addr, text)
							   : prefix_text(client, text);
}

static void reals_text(const struct pins *pins, struct buf *out)
{
	struct table t = {0};
	char client[PREFIX_TEXT], left[FIGURE_TEXT];
	table_column(&t, TABLE_LEFT, "CLIENT");
	table_column(&t, TABLE_LEFT, "SERVICE");
	table_column(&t, TABLE_LEFT, "REAL");
	table_column(&t, TABLE_RIGHT, "LEFT");
	vec_each(&pins->reals, pin) {
		table_row(&t);
		table_cell(&t, "%s", client_text(&pin->client, client));
		table_cell(&t, "%s", pin->service->name);
		table_cell(&t, "%s", pin->real);
		table_cell(&t, "%s", figure_age((int64_t)pin->left_ms, left));
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

static void gateways_text(const struct pins *pins, struct buf *out)
{
	struct table t = {0};
	char client[PREFIX_TEXT], destination[ADDR_TEXT], left[FIGURE_TEXT];
	table_column(&t, TABLE_LEFT, "CLIENT");
	table_column(&t, TABLE_LEFT, "BALANCE");
	table_column(&t, TABLE_LEFT, "GATEWAY");
	table_column(&t, TABLE_RIGHT, "LEFT");
	table_column(&t, TABLE_LEFT, "DESTINATION");
	vec_each(&pins->pins, pin) {
		table_row(&t);
		table_cell(&t, "%s", client_text(&pin->client, client));
		table_cell(&t, "%s", pin->group->name);
		table_cell(&t, "%s", pin->gateway);
		table_cell(&t, "%s", figure_age((int64_t)pin->left_ms, left));
		table_cell(&t, "%s",
			   addr_is_none(&pin->destination) ? "any"
							   : addr_text(&pin->destination, destination));
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

void pins_text(struct pins *pins, struct buf *out)
{
	pins_sort(pins);
	if (pins->pins.n || !pins->reals.n)
		gateways_text(pins, out);
	if (pins->pins.n && pins->reals.n)
		buf_puts(out, "\n");
	if (pins->reals.n)
		reals_text(pins, out);
}

void pins_json(struct pins *pins, struct buf *out)
{
	char client[PREFIX_TEXT], destination[ADDR_TEXT];
	json_t *list = json_array();
	pins_sort(pins);
	vec_each(&pins->pins, pin) {
		bool any = addr_is_none(&pin->destination);
		json_t *o =
			json_pack("{s:s, s:s, s:s, s:s?, s:I}", "client", client_text(&pin->client, client),
				  "balance", pin->group->name, "gateway", pin->gateway, "destination",
				  any ? NULL : addr_text(&pin->destination, destination), "left_ms",
				  (json_int_t)pin->left_ms);
		json_array_append_new(list, o);
	}
	vec_each(&pins->reals, pin)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "client",
						      client_text(&pin->client, client), "service",
						      pin->service->name, "real", pin->real, "left_ms",
						      (json_int_t)pin->left_ms));
	json_t *root = json_pack("{s:o}", "pins", list);
	char *text = json_dumps(root, JSON_COMPACT);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
}
