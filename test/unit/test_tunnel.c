// SPDX-License-Identifier: GPL-2.0-or-later
// Tunnels of reals by tun in the plan: which, from where, and what a real without one comes to.
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/vec.h"
#include "gwd/core/diff.h"
#include "gwd/core/names.h"
#include "gwd/core/tunnel.h"
#include "test/unit/fixture.h"

static struct addr addr(const char *text)
{
	struct addr out;
	cr_assert(addr_parse(text, &out));
	return out;
}

static struct fixture *world(void)
{
	struct fixture *f = fixture_new(1);
	struct model_service *web = fixture_service(f, "web"), *mail = fixture_service(f, "mail");
	fixture_listen(web, "100.64.1.100", 80, 80);
	fixture_listen(web, "2001:db8:1::100", 80, 80);
	fixture_listen(mail, "100.64.1.100", 25, 25);
	fixture_real(web, ROLE_REAL, "r1", "10.0.0.11", 0, 1)->forward = FORWARD_TUN;
	fixture_real(web, ROLE_REAL, "s1", "2001:db8:1:7::11", 0, 1)->forward = FORWARD_TUN;
	fixture_real(mail, ROLE_REAL, "r1", "10.0.0.11", 0, 1)->forward = FORWARD_TUN;
	return f;
}

// As the kernel tells of it, once it was made.
static void add_device(struct fixture *f, const struct plan_tunnel *tunnel, uint32_t index, uint32_t mtu)
{
	struct fact_iface *iface;
	vec_add(&f->facts.ifaces, iface);
	iface->index = index;
	memcpy(iface->name, tunnel->ifname, sizeof(iface->name));
	iface->up = iface->carrier = true;
	iface->mtu = mtu;
	iface->tunnel_local = tunnel->local;
	iface->tunnel_remote = tunnel->remote;
}

static uint32_t device_of(const struct plan *plan, const char *set, const struct plan_real *real)
{
	const struct plan_set *devices = plan_find_set(plan, set);
	vec_each(&devices->elems, elem)
		if (!memcmp(elem->key, &real->id, sizeof(real->id)))
			return elem->mark;
	return UINT32_MAX;
}

static const struct plan_tunnel *tunnel_to(const struct plan *plan, const char *remote)
{
	struct addr to = addr(remote);
	vec_each(&plan->tunnels, tunnel)
		if (addr_equal(&tunnel->remote, &to))
			return tunnel;
	return NULL;
}

static size_t count(const struct plan *from, const struct plan *to, enum op_kind kind)
{
	struct ops ops = {0};
	size_t n = 0;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		n += op->kind == kind;
	ops_free(&ops);
	return n;
}

Test(tunnel, names_are_the_addresses_alone)
{
	char one[TUNNEL_NAME_SIZE], two[TUNNEL_NAME_SIZE], again[TUNNEL_NAME_SIZE];
	struct addr a = addr("10.0.0.11"), b = addr("10.0.0.12");
	tunnel_name(one, &a);
	tunnel_name(two, &b);
	tunnel_name(again, &a);
	cr_expect_str_eq(one, again);
	cr_expect_str_neq(one, two);
	cr_expect(tunnel_is_ours(one) && tunnel_is_ours(two));
	static const char *const others[] = {
		"gwd-", "gwd-12345", "gwd-1234567g", "gwd-1234567A", "gwd-123456789", "xgwd-12345678", ""};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect(!tunnel_is_ours(others[i]), "%s", others[i]);
}

Test(tunnel, one_for_each_address_from_the_nearest_of_ours)
{
	struct fixture *f = world();
	struct plan plan = {0};
	struct fact_addr near = {.addr = addr("2001:db8:1:6::1"), .len = 64, .usable = true},
			 vip = {.addr = addr("2001:db8:1::100"), .len = 128, .usable = true};
	vec_push(&fixture_iface(f, "wan1")->addrs, vip);
	vec_push(&fixture_iface(f, "wan1")->addrs, near);
	fixture_build(f, &plan);
	cr_assert_eq(plan.tunnels.n, 2);
	cr_expect(tunnel_to(&plan, "10.0.0.11") && addr_is_none(&tunnel_to(&plan, "10.0.0.11")->local));
	cr_expect(addr_equal(&tunnel_to(&plan, "2001:db8:1:7::11")->local, &near.addr));
	cr_expect_eq(plan.tunnel_mtu[FAM_4], 1480);
	cr_expect_eq(plan.tunnel_mtu[FAM_6], 1460);
	plan_free(&plan);
	fixture_free(f);
}

Test(tunnel, packets_wait_until_it_is_there)
{
	struct fixture *f = world();
	struct plan before = {0}, after = {0}, narrow = {0}, nothing = {0};
	fixture_build(f, &before);
	const struct plan_real *real = &before.services.v[0].reals.v[0];
	cr_expect(real->usable);
	cr_expect_eq(device_of(&before, "drdev4", real), 0, "dropped, and not another real's");
	cr_expect_eq(count(&nothing, &before, OP_TUNNEL_SET), 2);
	add_device(f, tunnel_to(&before, "10.0.0.11"), 77, 1480);
	add_device(f, tunnel_to(&before, "2001:db8:1:7::11"), 78, 1460);
	fixture_build(f, &after);
	cr_expect_eq(device_of(&after, "drdev4", real), 77);
	cr_expect_eq(device_of(&after, "drdev6", &before.services.v[0].reals.v[1]), 78);
	cr_expect_eq(after.shape, before.shape, "an element");
	cr_expect_eq(count(&before, &after, OP_TUNNEL_SET), 0);
	fixture_iface(f, after.services.v[0].reals.v[0].ifname)->mtu = 1400;
	fixture_build(f, &narrow);
	cr_expect_eq(narrow.tunnel_mtu[FAM_4], 1400);
	cr_expect_neq(narrow.shape, before.shape, "the rules say what fits");
	cr_expect_eq(count(&after, &nothing, OP_TUNNEL_DEL), 2);
	plan_free(&narrow);
	narrow = (struct plan){0};
	fixture_iface(f, after.services.v[0].reals.v[0].ifname)->mtu = 65536; // by way of lo
	fixture_build(f, &narrow);
	cr_expect_leq(narrow.tunnel_mtu[FAM_4], UINT16_MAX - 20, "with the header around it is a packet");
	plan_free(&before);
	plan_free(&after);
	plan_free(&narrow);
	fixture_free(f);
}

Test(tunnel, what_is_in_force_is_what_the_kernel_has)
{
	struct fixture *f = world();
	struct plan plan = {0}, now = {0};
	fixture_build(f, &plan);
	tunnel_in_force(&now, &f->facts);
	cr_expect_eq(now.tunnels.n, 0);
	add_device(f, tunnel_to(&plan, "10.0.0.11"), 77, 1480);
	add_device(f, tunnel_to(&plan, "2001:db8:1:7::11"), 78, 1460);
	add_device(f, &(struct plan_tunnel){.ifname = "tun7", .remote = addr("10.0.0.99")}, 79, 1480);
	tunnel_in_force(&now, &f->facts);
	cr_expect_eq(now.tunnels.n, 2, "somebody else's is not ours");
	cr_expect_eq(count(&now, &plan, OP_TUNNEL_SET) + count(&now, &plan, OP_TUNNEL_DEL), 0);
	fixture_iface(f, tunnel_to(&plan, "10.0.0.11")->ifname)->up = false;
	tunnel_in_force(&now, &f->facts);
	cr_expect_eq(count(&now, &plan, OP_TUNNEL_SET), 1, "one that is down");
	fixture_iface(f, tunnel_to(&plan, "2001:db8:1:7::11")->ifname)->tunnel_local = addr("2001:db8::9");
	tunnel_in_force(&now, &f->facts);
	cr_expect_eq(count(&now, &plan, OP_TUNNEL_SET), 2, "one that begins elsewhere");
	plan_free(&plan);
	plan_free(&now);
	fixture_free(f);
}

Test(tunnel, a_real_without_one_is_down_and_says_why)
{
	struct fixture *f = world();
	struct plan plan = {0};
	struct tunnel_refusals refusals = {0};
	struct tunnel_refusal refusal = {.reason = "this kernel has no ipip"};
	struct addr remote = addr("10.0.0.11");
	tunnel_name(refusal.ifname, &remote);
	vec_push(&refusals.v, refusal);
	f->tunnel_refusals = &refusals;
	vec_each(&f->facts.ifaces, iface)
		vec_each(&iface->addrs, own)
			own->usable &= own->addr.family == AF_INET;
	fixture_build(f, &plan);
	for (size_t i = 0; i < 2; i++) {
		const struct plan_real *real = &plan.services.v[0].reals.v[i];
		cr_expect(!real->usable && real->state == STATE_DOWN, "%s", real->name);
		cr_expect(strstr(real->reason, i ? "no IPv6 address" : "no ipip"), "%s", real->reason);
		cr_expect_eq(device_of(&plan, i ? "drdev6" : "drdev4", real), UINT32_MAX);
	}
	cr_expect_eq(plan.tunnels.n, 1, "it is still wanted");
	plan_free(&plan);
	vec_free(&refusals.v);
	fixture_free(f);
}
