// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/pins.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "test/unit/fixture.h"

static void add(struct pins *pins, const struct plan *plan, enum fam fam, const char *client,
		const char *destination, size_t gateway, uint64_t left_ms)
{
	uint8_t key[PLAN_KEY_SIZE] = {0};
	struct addr addr;
	cr_assert(addr_parse(client, &addr));
	memcpy(key, addr.b, addr_size(&addr));
	if (destination) {
		unsigned at = addr_size(&addr);
		cr_assert(addr_parse(destination, &addr));
		memcpy(key + at, addr.b, addr_size(&addr));
	}
	uint32_t mark = gateway < plan->gateways.n ? plan->gateways.v[gateway].mark : 0;
	pins_add(pins, plan, &plan->groups.v[plan->default_group], fam, key, mark | 0x1234, left_ms);
}

static void expect_text(struct pins *pins, const char *want)
{
	struct buf out = {0};
	pins_text(pins, &out);
	cr_expect_str_eq(buf_text(&out), want, "got:\n%s\nwanted:\n%s", buf_text(&out), want);
	buf_free(&out);
	pins_free(pins);
}

Test(pins, by_source_sorted_by_client)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	struct pins pins = {0};
	f->balances[0].persistence_ms = 300000;
	fixture_build(f, &plan);
	add(&pins, &plan, FAM_6, "fd00::7", NULL, 1, 299000);
	add(&pins, &plan, FAM_4, "10.0.0.9", NULL, 0, 61000);
	add(&pins, &plan, FAM_4, "10.0.0.10", NULL, 9, 999);
	expect_text(&pins, "CLIENT     BALANCE  GATEWAY   LEFT  DESTINATION\n"
			   "10.0.0.9   default  g1       1m01s  any\n"
			   "10.0.0.10  default  ?           0s  any\n"
			   "fd00::7    default  g2       4m59s  any\n");
	plan_free(&plan);
	fixture_free(f);
}

Test(pins, by_source_network_and_destination)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct pins pins = {0};
	f->balances[0].persistence_ms = 300000;
	f->balances[0].persist_by = PERSIST_SOURCE_DESTINATION;
	f->balances[0].persist_mask[FAM_4] = 24;
	f->balances[0].persist_mask[FAM_6] = 64;
	fixture_build(f, &plan);
	add(&pins, &plan, FAM_6, "fd00::", "2001:db8::2", 1, 1000);
	add(&pins, &plan, FAM_6, "fd00::", "2001:db8::1", 0, 1000);
	add(&pins, &plan, FAM_4, "10.0.3.0", "192.0.2.1", 0, 1000);
	expect_text(&pins, "CLIENT       BALANCE  GATEWAY  LEFT  DESTINATION\n"
			   "10.0.3.0/24  default  g1         1s  192.0.2.1\n"
			   "fd00::/64    default  g1         1s  2001:db8::1\n"
			   "fd00::/64    default  g2         1s  2001:db8::2\n");
	plan_free(&plan);
	fixture_free(f);
}

Test(pins, as_json)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct pins pins = {0};
	struct buf out = {0};
	const char *client, *balance, *gateway;
	json_t *destination;
	json_int_t left_ms;
	f->balances[0].persistence_ms = 300000;
	fixture_build(f, &plan);
	add(&pins, &plan, FAM_4, "10.0.0.9", NULL, 1, 61000);
	pins_json(&pins, &out);
	json_t *root = json_loads(buf_text(&out), 0, NULL);
	cr_assert_eq(json_unpack(root, "{s:[{s:s,s:s,s:s,s:o,s:I}]}", "pins", "client", &client, "balance",
				 &balance, "gateway", &gateway, "destination", &destination, "left_ms",
				 &left_ms),
		     0, "%s", buf_text(&out));
	cr_expect_str_eq(client, "10.0.0.9");
	cr_expect_str_eq(balance, "default");
	cr_expect_str_eq(gateway, "g2");
	cr_expect(json_is_null(destination));
	cr_expect_eq(left_ms, 61000);
	json_decref(root);
	buf_free(&out);
	pins_free(&pins);
	plan_free(&plan);
	fixture_free(f);
}

Test(pins, of_services_in_a_table_of_their_own)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	struct pins pins = {0};
	struct addr client;
	struct model_service *web = fixture_service(f, "web");
	web->persistence_ms = 300000;
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "www1", "10.1.1.1", 8080, 1);
	fixture_build(f, &plan);
	const struct plan_service *service = &plan.services.v[0];
	cr_assert(addr_parse("203.0.113.9", &client));
	pins_add_real(&pins, service, FAM_4, client.b, service->reals.v[0].id, 61000);
	cr_assert(addr_parse("203.0.113.8", &client));
	pins_add_real(&pins, service, FAM_4, client.b, service->reals.v[0].id + 1, 999);
	expect_text(&pins, "CLIENT       SERVICE  REAL   LEFT\n"
			   "203.0.113.8  web      ?        0s\n"
			   "203.0.113.9  web      www1  1m01s\n");
	plan_free(&plan);
	fixture_free(f);
}
