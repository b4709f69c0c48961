// SPDX-License-Identifier: GPL-2.0-or-later
// Services of every kind, in both tables.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/names.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_kernel.h"
#include "test/unit/nft_netns.h"

static void random_real(struct model_service *service, size_t i)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	static const char *const addresses[] = {"10.0.0.11", "10.0.0.12", "fd00::11", "fd00::12"};
	bool local = rand() % 8 == 0;
	struct model_real *real =
		fixture_real(service, i < 2 ? ROLE_REAL : ROLE_BACKUP, names[i], local ? NULL : addresses[i],
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
				random_service(f, (const char *const[]){"web", "mail", "dns"}[n],
					       (const char *const[]){"198.51.100.10", "198.51.100.11",
								     "198.51.100.12"}[n],
					       (const char *const[]){"2001:db8::10", "2001:db8::11",
								     "2001:db8::12"}[n]);
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
