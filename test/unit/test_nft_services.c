// SPDX-License-Identifier: GPL-2.0-or-later
// Services of every kind, in both tables.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/addr.h"
#include "gwd/core/diff.h"
#include "gwd/core/names.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_kernel.h"
#include "test/unit/nft_netns.h"

static const char *const names[] = {"web", "mail", "dns"};
static const char *const four[] = {"198.51.100.10", "198.51.100.11", "198.51.100.12"};
static const char *const six[] = {"2001:db8::10", "2001:db8::11", "2001:db8::12"};

static void random_real(struct model_service *service, size_t i)
{
	static const char *const reals[] = {"a", "b", "c", "d"};
	static const char *const addresses[] = {"10.0.0.11", "10.0.0.12", "fd00::11", "fd00::12"};
	bool local = rand() % 8 == 0;
	struct model_real *real =
		fixture_real(service, i < 2 ? ROLE_REAL : ROLE_BACKUP, reals[i], local ? NULL : addresses[i],
			     rand() % 2 ? 8080 : 0, (unsigned)rand() % 4);
	if (!local && rand() % 2)
		real->forward = FORWARD_FULLNAT;
	real->max_connections = rand() % 3 ? 0 : 1 + (uint32_t)rand() % 100;
}

static void random_service(struct fixture *f, const char *name, const char *address4, const char *address6)
{
	static uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	struct model_service *service = fixture_service(f, name);
	service->protocols = protocols;
	service->n_protocols = 1 + (size_t)rand() % 3;
	service->scheduler = (enum scheduler)(rand() % (SCHED_NQ + 1));
	service->persistence_ms = rand() % 2 ? 90000 : 0;
	service->persist_mask[FAM_4] = rand() % 2 ? 24 : 32;
	service->limit_connections = (uint32_t)rand() % 2 * 5;
	service->limit_rate = (uint32_t)rand() % 2 * 7;
	service->ftp = service->n_protocols == 1 && rand() % 2;
	service->syn_proxy = service->n_protocols == 1 && rand() % 2;
	fixture_listen(service, address4, 80, 80);
	fixture_listen(service, address6, 80, 80);
	if (rand() % 2)
		fixture_listen(service, address4, 443, 443);
	if (rand() % 2)
		fixture_listen(service, address6, 1000, 2000);
	for (size_t i = 0; i < 4; i++)
		random_real(service, i);
}

// The fixture's interfaces, with the indices that it says.
static void make_devices(const struct fixture *f)
{
	char command[160];
	vec_each(&f->facts.ifaces, iface) {
		snprintf(command, sizeof(command),
			 "ip link add %s index %u type veth peer name peer%u index %u", iface->name,
			 iface->index, iface->index, iface->index + 100);
		cr_assert(kernel_does(command), "%s", command);
	}
}

// All that table netdev can't do is left out, and reals go by dr.
static void make_direct(struct model_service *service)
{
	service->limit_connections = service->limit_rate = 0;
	service->ftp = service->syn_proxy = false;
	for (size_t i = 0; i < service->n_reals; i++) {
		struct model_real *real = &service->reals[i];
		real->max_connections = 0;
		if (real->forward != FORWARD_LOCAL && real->role != ROLE_SORRY && rand() % 4)
			real->forward = rand() % 3 ? FORWARD_DR : FORWARD_TUN;
	}
}

// Whatever services there are: loaded, read back, and listed by nft.
Test(nft_services, services_of_every_kind_come_and_go)
{
	struct fixture *f = fixture_new(2);
	struct plan now = {0};
	nft_netns_enter();
	struct nft *nft = kernel_open();
	make_devices(f);
	srand(11);
	for (int round = 0; round < 80; round++) {
		struct plan next = {0};
		if (round % 4 == 0) {
			f->model.n_services = 0;
			memset(f->services, 0, sizeof(f->services));
			for (int n = rand() % 3; n >= 0; n--)
				random_service(f, names[n], four[n], six[n]);
			for (size_t i = 0; i < f->model.n_services; i++)
				if (rand() % 2)
					make_direct(&f->services[i]);
		}
		for (size_t i = 0; i < f->model.n_services; i++)
			for (size_t k = 0; k < 4; k++) {
				fixture_real_verdict(f, i, k, rand() % 3 ? STATE_UP : STATE_DOWN);
				f->real_now[i][k].full = rand() % 4 == 0;
				f->real_now[i][k].connections = (uint64_t)rand() % 10;
			}
		fixture_build(f, &next);
		kernel_must_apply(nft, &now, &next);
		kernel_expect(nft, &next);
		cr_assert(round % 4 || kernel_does("nft list table inet gwd"), "nft can't list round %d",
			  round);
		cr_assert_eq(kernel_does("nft list table netdev gwd"), next.netdev, "round %d", round);
		plan_free(&now);
		now = next;
	}
	plan_free(&now);
	nft_close(nft);
	fixture_free(f);
}

// ---- one of several changes ------------------------------------------------------------------------

static void make_service(struct fixture *f, size_t i)
{
	size_t n = f->model.n_services;
	f->model.n_services = i;
	memset(&f->services[i], 0, sizeof(f->services[i]));
	random_service(f, names[i], four[i], six[i]);
	f->services[i].n_listens = 2 + (size_t)rand() % 2; // mostly without the range
	if (rand() % 3 == 0)
		make_direct(&f->services[i]);
	f->model.n_services = n > i ? n : i + 1;
}

static void change_one(struct fixture *f)
{
	size_t i = (size_t)rand() % f->model.n_services;
	struct model_service *service = &f->services[i];
	switch (rand() % 6) {
	case 0: // the last one goes, or another one comes
		if (f->model.n_services > 1 && rand() % 2)
			f->model.n_services--;
		else if (f->model.n_services < ARRAY_SIZE(names))
			make_service(f, f->model.n_services);
		return;
	case 1:
		make_service(f, i);
		return;
	case 2:
	case 3:
		service->n_reals = 1 + (size_t)rand() % 4;
		return;
	default:
		service->reals[(size_t)rand() % service->n_reals].weight = (unsigned)rand() % 9;
	}
}

static bool has_op(const struct plan *from, const struct plan *to, enum op_kind kind)
{
	struct ops ops = {0};
	bool has = false;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		has |= op->kind == kind;
	ops_free(&ops);
	return has;
}

// The declarations and rules as nft lists them, whatever order they came in.
static void list_to(char *path, const char *which)
{
	char command[128];
	snprintf(path, 64, "/tmp/gwd-change-%d-%s", (int)getpid(), which);
	snprintf(command, sizeof(command), "nft -t list ruleset > %s.all && sort %s.all > %s", path, path,
		 path);
	cr_assert(kernel_does(command), "nft can't list it");
	snprintf(command, sizeof(command), "%s.all", path);
	unlink(command);
}

// Step by step the chains become what they are when they are loaded all at once.
static void expect_as_if_new(struct nft *nft, const struct plan *plan, int round)
{
	char path[64], fresh[64], command[256];
	list_to(path, "steps");
	kernel_must_apply(nft, plan, &kernel_nothing);
	kernel_must_apply(nft, &kernel_nothing, plan);
	list_to(fresh, "fresh");
	snprintf(command, sizeof(command), "cmp %s %s", path, fresh);
	cr_assert(kernel_does(command), "round %d: diff %s %s", round, path, fresh);
	unlink(path);
	unlink(fresh);
}

Test(nft_services, one_of_several_changes_and_nobody_else_is_touched)
{
	struct fixture *f = fixture_new(2);
	struct plan now = {0};
	unsigned alone = 0, left = 0;
	nft_netns_enter();
	struct nft *nft = kernel_open();
	make_devices(f);
	srand(12);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_service(f, i);
	for (int round = 0; round < 150; round++) {
		struct plan next = {0};
		change_one(f);
		fixture_build(f, &next);
		kernel_must_apply(nft, &now, &next);
		bool chains = has_op(&now, &next, OP_CHAINS);
		cr_assert_eq(chains, now.frame != next.frame && now.shape != next.shape, "round %d", round);
		alone += has_op(&now, &next, OP_SERVICE);
		left += nft_has_rest(nft);
		if (round % 10 == 9) {
			kernel_expect(nft, &next);
			cr_expect(!nft_has_rest(nft));
			expect_as_if_new(nft, &next, round);
		}
		plan_free(&now);
		now = next;
	}
	cr_expect_gt(alone, 30, "%u", alone);
	cr_expect_gt(left, 15, "%u", left);
	plan_free(&now);
	nft_close(nft);
	fixture_free(f);
}

// ---- room ------------------------------------------------------------------------------------------

// More reals than a set was made for: it is made anew.
Test(nft_services, there_is_room_for_reals_that_come_later)
{
	struct fixture *f = fixture_new(1);
	struct plan few = {0}, many = {0};
	static uint8_t tcp = IPPROTO_TCP;
	static char real_names[FIXTURE_MAX + 4][8], addresses[FIXTURE_MAX + 4][16];
	nft_netns_enter();
	struct model_service *service = fixture_service(f, "web");
	struct model_real reals[FIXTURE_MAX + 4];
	service->protocols = &tcp;
	service->n_protocols = 1;
	fixture_listen(service, "198.51.100.10", 80, 80);
	fixture_real(service, ROLE_REAL, "r0", "10.0.0.10", 8080, 1)->max_connections = 10;
	struct nft *nft = kernel_open();
	fixture_build(f, &few);
	kernel_must_apply(nft, &kernel_nothing, &few);
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++) {
		reals[i] = service->reals[0];
		snprintf(real_names[i], sizeof(real_names[i]), "r%zu", i);
		snprintf(addresses[i], sizeof(addresses[i]), "10.0.0.%zu", 10 + i);
		reals[i].name = real_names[i];
		cr_assert(addr_parse(addresses[i], &reals[i].address));
	}
	service->reals = reals;
	service->n_reals = 2;
	fixture_build(f, &many);
	cr_expect(!has_op(&few, &many, OP_CHAINS), "one more finds room");
	kernel_must_apply(nft, &few, &many);
	kernel_expect(nft, &many);
	plan_free(&few);
	few = many;
	many = (struct plan){0};
	service->n_reals = ARRAY_SIZE(reals);
	fixture_build(f, &many);
	cr_expect(has_op(&few, &many, OP_CHAINS));
	kernel_must_apply(nft, &few, &many);
	kernel_expect(nft, &many);
	cr_expect(kernel_does("nft list map inet gwd gate4.web | grep -q 'size 32'"));
	plan_free(&few);
	plan_free(&many);
	nft_close(nft);
	fixture_free(f);
}

// ---- another key -----------------------------------------------------------------------------------

// As gwd made them whose shape had a smaller number: connections without their protocol.
static void key_as_before(struct plan *plan)
{
	plan->shape--;
	vec_each(&plan->sets, set)
		if (set->table == PLAN_NETDEV && set->key[4] == PLAN_T_PORT) {
			set->key[1] = set->key[3] = PLAN_T_PORT;
			set->key[2] = set->key[0];
			set->key[4] = PLAN_T_NONE;
		}
}

// What an earlier gwd left is taken over, but for what it was found by: those maps begin anew.
Test(nft_services, maps_of_an_earlier_gwd_that_had_another_key_are_made_anew)
{
	struct fixture *f = fixture_new(1);
	struct plan before = {0}, now = {0}, read = {0};
	struct err err;
	nft_netns_enter();
	make_devices(f);
	struct model_service *service = fixture_service(f, "web");
	fixture_listen(service, "198.51.100.10", 80, 80);
	fixture_listen(service, "2001:db8::10", 80, 80);
	service->persistence_ms = 90000;
	struct model_real *real = fixture_real(service, ROLE_REAL, "r1", "10.0.0.11", 0, 1);
	real->forward = FORWARD_DR;
	real->max_connections = real->min_connections = 10;
	fixture_real(service, ROLE_REAL, "s1", "fd00::11", 0, 1)->forward = FORWARD_DR;
	fixture_build(f, &before);
	fixture_build(f, &now);
	key_as_before(&before);
	struct nft *nft = kernel_open();
	kernel_must_apply(nft, &kernel_nothing, &before);
	nft_close(nft);
	cr_assert(kernel_does(
		"nft 'add element netdev gwd drstick4.web { 192.0.2.1 : 7 }; add element netdev gwd "
		"drconn4.web { 192.0.2.1 . 1 . 198.51.100.10 . 80 : 7 }'"));
	nft = kernel_open();
	cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
	kernel_must_apply(nft, &read, &now);
	kernel_expect(nft, &now);
	cr_expect(kernel_does("nft list map netdev gwd drstick4.web | grep -q 192.0.2.1"), "pins are lost");
	cr_expect(kernel_does("nft list map netdev gwd drconn4.web | grep -q 'inet_proto . inet_service'"));
	cr_expect(!kernel_does("nft list map netdev gwd drconn4.web | grep -q 192.0.2.1"));
	cr_expect(kernel_does("nft list set netdev gwd drplace4.web.r1.10 | grep -q inet_proto"));
	cr_expect(kernel_does("nft list map netdev gwd drconn6.web | grep -q inet_proto"));
	nft_close(nft);
	plan_free(&before);
	plan_free(&now);
	plan_free(&read);
	fixture_free(f);
}

// ---- devices ---------------------------------------------------------------------------------------

// A device that goes takes its chain along (Linux 6.1) or leaves it behind; one that is made again is another one.
Test(nft_services, devices_of_table_netdev_come_and_go)
{
	struct fixture *f = fixture_new(2);
	struct plan both = {0}, one = {0}, again = {0}, read = {0};
	struct err err;
	nft_netns_enter();
	make_devices(f);
	struct model_service *service = fixture_service(f, "web");
	static uint8_t tcp = IPPROTO_TCP;
	service->protocols = &tcp;
	service->n_protocols = 1;
	fixture_listen(service, "100.64.1.2", 80, 80);
	fixture_real(service, ROLE_REAL, "r1", "10.0.0.11", 0, 1)->forward = FORWARD_DR;
	struct nft *nft = kernel_open();
	fixture_build(f, &both);
	kernel_must_apply(nft, &kernel_nothing, &both);
	kernel_expect(nft, &both);
	cr_assert(kernel_does("ip link del wan2"));
	struct fact_iface gone = f->facts.ifaces.v[f->facts.ifaces.n - 1];
	f->facts.ifaces.n--;
	fixture_build(f, &one);
	cr_assert_eq(one.shape, both.shape, "a device is an element");
	int code = kernel_apply(nft, &both, &one, &err);
	cr_assert(code == 0 || code == -ERESTART, "%d: %s", code, err.text);
	cr_assert_eq(nft_read(nft, &read, &err), 0);
	kernel_must_apply(nft, &read, &one);
	kernel_expect(nft, &one);
	cr_assert(kernel_does("ip link add wan2 index 77 type veth peer name again"));
	vec_push(&f->facts.ifaces, gone);
	f->facts.ifaces.v[f->facts.ifaces.n - 1].index = 77;
	fixture_build(f, &again);
	kernel_must_apply(nft, &one, &again);
	kernel_expect(nft, &again);
	cr_expect(kernel_does("nft list chain netdev gwd ing.77 | grep -q 'device \"wan2\"'"));
	nft_close(nft); // without an owner somebody may take a rule away
	if (kernel_does("nft flush chain netdev gwd ing.77")) {
		nft = kernel_open();
		plan_free(&read);
		cr_assert_eq(nft_read(nft, &read, &err), 0);
		cr_expect_eq(read.shape, 0, "it was not noticed");
		kernel_must_apply(nft, &read, &again);
		kernel_expect(nft, &again);
		cr_assert_eq(nft_adopt(nft, &err), 0, "%s", err.text);
		kernel_must_apply(nft, &again, &kernel_nothing);
		cr_expect(!kernel_does("nft list table netdev gwd"));
		nft_close(nft);
	}
	plan_free(&both);
	plan_free(&one);
	plan_free(&again);
	plan_free(&read);
	fixture_free(f);
}
